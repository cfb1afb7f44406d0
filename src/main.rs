//! The command line.

use std::process::ExitCode;

use coalmine::app::{self, AppError};
use coalmine::cli::{self, Parts, ServeError};

fn main() -> ExitCode {
    cli::main(Parts {
        serve: |config, ready| app::serve(config, ready).map_err(told),
        own_engine: |_| Box::pin(async { Err(ServeError::no_engine()) }),
        collector: |config| app::collector_of(config).map_err(told),
    })
}

fn told(error: AppError) -> ServeError {
    ServeError {
        message: coalmine::executions::engine::with_causes(&error),
        hint: error.hint(),
        is_config: error.is_config(),
    }
}
