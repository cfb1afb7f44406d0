//! Tells the analyst what is planned, for the sake of sources that know only the present: they must begin to look before a
//! judgement asks.

use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::engine::{Engine, TurnError};
use super::state::Status;
use crate::analysis::task::Task;
use crate::executions::state::State;
use crate::model::ids::ExecutionId;
use crate::model::scope::ScopePair;
use crate::stages::{Stage, StageState};
use crate::store::HeadFilter;

/// Tells of everything that has not ended, and then of each execution as it is accepted, until `stop`. What a release will ask is
/// not known then: its engine tells of each window as it opens.
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
    // All at once: pages of a list that grows and shrinks miss some.
    let filter = HeadFilter {
        statuses: unfinished.map(|status| status.word().to_owned()).collect(),
        most: u64::MAX,
        ..HeadFilter::default()
    };
    for head in engine.ports().store.heads(&filter).await? {
        tell(engine, &head.id).await;
    }
    Ok(())
}

/// What the sources should look at from now on; empty where nothing will be asked any more, or it is not settled what.
pub(super) fn watched(state: &State) -> Vec<Task> {
    if state.release.is_none() {
        // The window of the last judgement reaches as far as any.
        let last = state.analyses().next_back();
        let last = last.filter(|(_, at)| at.ended_ms().is_none());
        return last
            .map(|(analyze, _)| state.request.task(analyze, None))
            .into_iter()
            .collect();
    }
    let Some(block) = state.current().and_then(|stage| state.block_of(stage)) else {
        return Vec::new();
    };
    let in_block = || {
        let stages = state.request.stages.iter().zip(&state.stages);
        stages
            .take(block.last + 1)
            .skip(block.first)
            .filter_map(|pair| match pair {
                (Stage::Analyze(analyze), StageState::Analyze(at)) => {
                    Some((analyze, at, analyze.comparison.as_ref()?))
                }
                (Stage::Analyze(_) | Stage::Wait(_) | Stage::Approve(_) | Stage::Operate(_), _) => {
                    None
                }
            })
    };
    // The windows of a block begin together, and the last one of each target reaches as far as any.
    let open = in_block().filter_map(|(analyze, at, comparison)| {
        let scopes = at.opened()?;
        let of_target = in_block().filter(|(.., it)| it.target == comparison.target);
        let last_ms = of_target.map(|(.., it)| it.after_ms).max()?;
        let longer_ms = last_ms.saturating_sub(comparison.after_ms);
        let mut task = state.request.task(analyze, Some(scopes));
        for scope in task.scopes.values_mut().flat_map(ScopePair::sides_mut) {
            scope.window = scope.window.longer_by_ms(longer_ms);
        }
        Some(task)
    });
    open.collect()
}

async fn tell(engine: &Engine, id: &ExecutionId) {
    match engine.load(id).await {
        Ok(state) => {
            let analyst = engine.ports().analyst_of(&state.request);
            for task in watched(&state) {
                analyst.watch(&task).await;
            }
        }
        Err(TurnError::NoExecution(_)) => {}
        Err(error) => warn!(
            execution.id = %id, error = &error as &dyn std::error::Error,
            "cannot tell sources what execution `{id}` will ask"
        ),
    }
}
