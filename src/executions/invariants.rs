//! What must hold of every journal, at every moment. The same predicates run in the simulation and, in production, before
//! each append.

use super::event::Ending;
use super::state::State;
use crate::stages::analyze::AnalyzeState;
use crate::stages::wait::WaitState;
use crate::stages::{Progress, Stage, StageState};

/// Everything that is wrong with `state`; empty where all is well.
#[must_use]
pub fn broken(state: &State) -> Vec<String> {
    let mut broken = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            broken.push(format!("execution `{}`: {what}", state.id));
        }
    };
    must(
        state.stages.len() == state.request.stages.len(),
        "a state for each stage",
    );
    must(state.created_ms <= state.updated_ms, "time never goes back");
    let unsettled = state.current().unwrap_or(state.stages.len());
    must(
        state
            .stages
            .iter()
            .skip(unsettled + 1)
            .all(|s| s.progress() == Progress::NotStarted),
        "stages are worked on one after the other",
    );
    let progress: Vec<Progress> = state.stages.iter().map(StageState::progress).collect();
    must(
        progress.iter().filter(|p| **p == Progress::Failed).count() <= 1,
        "nothing follows a failed stage",
    );
    for (stage, at) in state.request.stages.iter().zip(&state.stages) {
        if let (
            Stage::Wait(wait),
            StageState::Wait(WaitState::Done {
                started_ms,
                ended_ms,
            }),
        ) = (stage, at)
        {
            must(
                *ended_ms >= wait.ends_ms(*started_ms),
                "a wait never ends early",
            );
        }
        if let StageState::Analyze(AnalyzeState::Judged { bundle_id, .. }) = at {
            must(!bundle_id.is_empty(), "every judgement has a bundle");
        }
    }
    if let Some(end) = &state.end {
        let judged = state.analyses().all(|(_, at)| at.outcome().is_some());
        must(
            end.ending != Ending::Succeeded || judged,
            "no evidence is never success",
        );
        must(
            end.ending != Ending::Canceled || state.cancel.is_some(),
            "nothing is canceled that nobody called off",
        );
        must(state.stuck.is_none(), "what has ended is not stuck");
        must(state.due_ms().is_none(), "what has ended is never due");
    } else if state.stuck.is_none() {
        must(
            state.due_ms().is_some(),
            "what has not ended is due, or stuck",
        );
    }
    broken
}
