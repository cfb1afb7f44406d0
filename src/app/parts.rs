//! What the command line is given.

use super::{AppError, collector_of, local, own_engine, serve};
use crate::cli::{LocalParts, Parts, RunningEngine, ServeError};
use crate::executions::engine::with_causes;

/// Everything that verbs run and do not know by name.
#[must_use]
pub fn parts() -> Parts {
    Parts {
        serve: |config, ready| serve(config, ready).map_err(told),
        own_engine: |config, engine| {
            Box::pin(async move {
                let running = own_engine(config, engine).await.map_err(told)?;
                Ok(RunningEngine {
                    url: format!("http://{}", running.address),
                    token: running.token.clone(),
                    data_dir: running.folder.clone(),
                    ended: running.ended.clone(),
                    stop: Box::new(|| Box::pin(async { running.end().await.map_err(told) })),
                })
            })
        },
        local: LocalParts {
            supervise: |dir, grace| local::supervise(&dir, grace).map_err(told),
            held: |dir| Box::pin(async move { local::held(&dir).await.map_err(told) }),
            end: |dir, longest| {
                Box::pin(async move { local::end(&dir, longest).await.map_err(told) })
            },
        },
        collector: |config| collector_of(config).map_err(told),
    }
}

fn told(error: AppError) -> ServeError {
    ServeError::new(with_causes(&error), error.hint(), error.is_config())
}
