//! The command line.

use std::process::ExitCode;

use coalmine::app::{self, AppError};
use coalmine::cli::{self, Parts, RunningEngine, ServeError};
use coalmine::executions::engine::with_causes;

fn main() -> ExitCode {
    cli::main(Parts {
        serve: |config, ready| app::serve(config, ready).map_err(told),
        own_engine: |config, engine| {
            Box::pin(async move {
                let running = app::own_engine(config, engine).await.map_err(told)?;
                Ok(RunningEngine {
                    url: format!("http://{}", running.address),
                    token: running.token.clone(),
                    data_dir: running.folder.clone(),
                    ended: running.ended.clone(),
                    stop: Box::new(|| Box::pin(async { running.end().await.map_err(told) })),
                })
            })
        },
        collector: |config| app::collector_of(config).map_err(told),
    })
}

fn told(error: AppError) -> ServeError {
    ServeError::new(with_causes(&error), error.hint(), error.is_config())
}
