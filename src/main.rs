//! The command line.

use std::process::ExitCode;

use coalmine::app;
use coalmine::cli::{self, ServeError};

fn main() -> ExitCode {
    cli::main(|config, ready| {
        app::serve(config, ready).map_err(|error| ServeError {
            message: coalmine::executions::engine::with_causes(&error),
            hint: error.hint(),
            is_config: error.is_config(),
        })
    })
}
