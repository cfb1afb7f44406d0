//! Tells the analyst what is planned, for the sake of sources that know only the present: they must begin to look before a
//! judgement asks.

use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::engine::{Engine, TurnError};
use super::state::Status;
use crate::model::ids::ExecutionId;
use crate::store::HeadFilter;

/// How many unfinished executions are read at once.
const PAGE: u64 = 500;

/// Tells of everything that has not ended, and then of each execution as it is accepted, until `stop`.
pub async fn run(engine: Engine, stop: CancellationToken) {
    let mut changes = engine.changes();
    let mut all = true;
    while !stop.is_cancelled() {
        if all {
            all = false;
            if let Err(error) = watch_all(&engine).await {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot tell sources what is planned"
                );
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            change = changes.recv() => match change {
                Ok(change) if change.seq == 1 => tell(&engine, &change.id).await,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => all = true,
                Err(RecvError::Closed) => return,
            },
        }
    }
}

async fn watch_all(engine: &Engine) -> Result<(), TurnError> {
    let unfinished = Status::ALL.iter().filter(|status| !status.is_complete());
    let mut filter = HeadFilter {
        statuses: unfinished.map(|status| status.word().to_owned()).collect(),
        most: PAGE,
        ..HeadFilter::default()
    };
    loop {
        let heads = engine.ports().store.heads(&filter).await?;
        for head in &heads {
            tell(engine, &head.id).await;
        }
        if (heads.len() as u64) < PAGE {
            return Ok(());
        }
        filter.skip += PAGE;
    }
}

async fn tell(engine: &Engine, id: &ExecutionId) {
    match engine.load(id).await {
        Ok(state) => {
            for (analyze, at) in state.analyses() {
                if at.ended_ms().is_none() {
                    let task = state.request.task(analyze);
                    engine.ports().analyst.watch(&task).await;
                }
            }
        }
        Err(TurnError::NoExecution(_)) => {}
        Err(error) => warn!(
            execution.id = %id, error = &error as &dyn std::error::Error,
            "cannot tell sources what execution `{id}` will ask"
        ),
    }
}
