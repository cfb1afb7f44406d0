//! The command line.

use std::process::ExitCode;

use coalmine::app::{self, AppError};
use coalmine::cli::{self, Parts, RunningEngine, ServeError};

fn main() -> ExitCode {
    cli::main(Parts {
        serve: |config, ready| app::serve(config, ready).map_err(told),
        own_engine: |config| {
            Box::pin(async {
                let running = app::own_engine(config).await.map_err(told)?;
                Ok(RunningEngine {
                    url: format!("http://{}", running.address),
                    token: running.token.clone(),
                    stop: Box::new(|| Box::pin(running.end())),
                })
            })
        },
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
