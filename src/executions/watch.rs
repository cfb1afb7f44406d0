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
use crate::stages::analyze::Analyze;
use crate::stages::{Stage, StageState};
use crate::store::HeadFilter;

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

/// What the sources should look at from now on; `None` where nothing will be asked any more, or it is not settled what.
fn watched(state: &State) -> Option<Task> {
    if state.release.is_none() {
        // The window of the last judgement reaches as far as any.
        let (analyze, at) = state.analyses().next_back()?;
        return at
            .ended_ms()
            .is_none()
            .then(|| state.request.task(analyze, None));
    }
    // The windows of a block begin together, and the last one of it reaches as far as any.
    let place = state.current()?;
    let last = state.block_of(place)?.last;
    let (Stage::Analyze(analyze), StageState::Analyze(at)) =
        (state.request.stages.get(place)?, state.stages.get(place)?)
    else {
        return None;
    };
    let Stage::Analyze(last) = state.request.stages.get(last)? else {
        return None;
    };
    let more = |analyze: &Analyze| analyze.comparison.as_ref().map(|it| it.after_ms);
    let longer_ms = more(last)?.saturating_sub(more(analyze)?);
    let mut task = state.request.task(analyze, at.opened().map(|it| &**it));
    for scope in task.scopes.values_mut().flat_map(ScopePair::sides_mut) {
        scope.window = scope.window.longer_by_ms(longer_ms);
    }
    Some(task)
}

/// Tells of one execution. A release is told of by its engine whenever it opens a window, because that settles what is read.
pub(super) async fn tell(engine: &Engine, id: &ExecutionId) {
    match engine.load(id).await {
        Ok(state) => {
            if let Some(task) = watched(&state) {
                let analyst = engine.ports().analyst_of(&state.request);
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
