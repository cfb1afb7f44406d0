//! What must hold of every journal, at every moment. The same predicates run in the simulation and, in production, before
//! each append.

use super::event::Ending;
use super::release::event::Decision;
use super::release::state::ReleaseState;
use super::state::State;
use crate::stages::analyze::AnalyzeState;
use crate::stages::operate::{Purpose, StepState};
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
    let block = state.block_of(unsettled);
    let may_be_open = |stage: usize| block.is_some_and(|block| stage <= block.last);
    must(
        state
            .stages
            .iter()
            .enumerate()
            .skip(unsettled + 1)
            .all(|(stage, at)| {
                let is_open = matches!(at, StageState::Analyze(AnalyzeState::Opened { .. }));
                at.progress() == Progress::NotStarted || is_open && may_be_open(stage)
            }),
        "stages are worked on one after the other",
    );
    let progress: Vec<Progress> = state.stages.iter().map(StageState::progress).collect();
    must(
        state.release.is_some() || progress.iter().filter(|p| **p == Progress::Failed).count() <= 1,
        "nothing follows a failed stage",
    );
    if let Some(release) = &state.release {
        for what in broken_release(state, release) {
            must(false, what);
        }
    }
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
            end.ending != Ending::Succeeded || judged || state.release.is_some(),
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

/// What is wrong with a release, beyond what can be wrong with every execution.
fn broken_release(state: &State, release: &ReleaseState) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let mut must = |holds: bool, what| {
        if !holds {
            broken.push(what);
        }
    };
    let mut forward_touched_after_decision = false;
    for (_, operate, at) in state.operations() {
        let steps = at.steps.as_deref().unwrap_or_default();
        must(steps.len() == at.at.len(), "a state for each step");
        let next: Vec<usize> = at.lanes().iter().map(|(step, ..)| *step).collect();
        let next = match operate.purpose.is_settled_late() {
            true => next.as_slice(),
            false => &next[..next.len().min(1)],
        };
        let begun = at.at.iter().enumerate().filter(|(_, at)| match at {
            StepState::Waiting | StepState::Done { .. } => false,
            StepState::Intended { .. } | StepState::Failed { .. } => true,
        });
        must(
            begun.into_iter().all(|(step, _)| next.contains(&step)),
            "operations at a place are done one after the other",
        );
        let first_undone = next.first().copied().unwrap_or(at.at.len());
        must(
            operate.purpose.is_settled_late()
                || at
                    .at
                    .iter()
                    .skip(first_undone + 1)
                    .all(|at| matches!(at, StepState::Waiting)),
            "operations are done one after the other",
        );
        let touched = at.touched().count() > 0;
        must(
            !touched || release.locks.is_some(),
            "nothing is touched without its lock",
        );
        must(
            !touched || !operate.purpose.is_settled_late() || release.decided.is_some(),
            "nothing is taken back before that is decided",
        );
        if let Some(decided) = &release.decided {
            forward_touched_after_decision |= !operate.purpose.is_settled_late()
                && at.touched().any(|(_, step)| match step {
                    StepState::Intended { since_ms, .. }
                    | StepState::Done { since_ms, .. }
                    | StepState::Failed { since_ms, .. } => *since_ms > decided.at_ms,
                    StepState::Waiting => false,
                });
            must(
                decided.decision != Decision::Refused || !touched,
                "what is refused has touched nothing",
            );
            must(
                decided.decision != Decision::Promoted
                    || operate.purpose != Purpose::RollBack
                    || at.steps.is_none(),
                "what is promoted is not taken back",
            );
        }
    }
    must(
        !forward_touched_after_decision,
        "nothing goes on after the decision",
    );
    if let Some(end) = &state.end {
        let promoted = release
            .decided
            .as_ref()
            .is_some_and(|decided| decided.decision == Decision::Promoted);
        must(
            release.decided.is_some(),
            "every release that ended was decided",
        );
        must(
            (end.ending == Ending::Succeeded) == promoted,
            "a release succeeds if, and only if, it is promoted",
        );
    }
    broken
}
