//! The command line.

use std::process::ExitCode;

use coalmine::app::{self, AppError};
use coalmine::cli::{self, EngineUse, Parts, RunningEngine, ServeError};

fn main() -> ExitCode {
    cli::main(Parts {
        serve: |config, ready| app::serve(config, ready).map_err(told),
        own_engine: |config, engine| {
            Box::pin(async move {
                let engine = match engine {
                    EngineUse::Plan => app::EngineUse::Plan,
                    EngineUse::Run => app::EngineUse::Run,
                };
                let running = app::own_engine(config, engine).await.map_err(told)?;
                Ok(RunningEngine {
                    url: format!("http://{}", running.address),
                    token: running.token.clone(),
                    ended: running.ended.clone(),
                    stop: Box::new(|| Box::pin(async { running.end().await.map_err(told) })),
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
