//! What comes next, and what it waits for.

use super::At;
use super::commands::asked;
use super::status::{HeldBy, Next, OperationStatus, Question};
use crate::config::release::spec::WithoutAnswer;
use crate::executions::release::event::Hold;
use crate::executions::release::state::ReleaseState;
use crate::executions::state::State;
use crate::stages::analyze::AnalyzeState;
use crate::stages::approve::ApproveState;
use crate::stages::operate::StepState;
use crate::stages::wait::WaitState;
use crate::stages::{Stage, StageState};

/// What comes next at a known moment.
pub(super) fn next(state: &State) -> Option<Next> {
    if state.end.is_some() || state.stuck.is_some() {
        return None;
    }
    let stage = state.current()?;
    match (state.request.stages.get(stage)?, state.stages.get(stage)?) {
        (Stage::Wait(wait), StageState::Wait(WaitState::Waiting { started_ms })) => Some(Next {
            what: wait.name.clone(),
            count: String::new(),
            since: At(*started_ms),
            at: At(wait.ends_ms(*started_ms)),
        }),
        (
            Stage::Analyze(analyze),
            StageState::Analyze(AnalyzeState::Opened {
                started_ms,
                until_ms,
                ..
            }),
        ) => Some(Next {
            what: "Next judgement".to_owned(),
            count: analyze.comparison.as_ref().map_or_else(String::new, |it| {
                format!("{} of {}", it.in_block, it.of_block)
            }),
            since: At(*started_ms),
            at: At(*until_ms),
        }),
        (Stage::Wait(_) | Stage::Analyze(_) | Stage::Approve(_) | Stage::Operate(_), _) => None,
    }
}

/// The question that it waits with.
pub(super) fn question(state: &State) -> Option<Question> {
    let stage = asked(state)?;
    match (state.request.stages.get(stage)?, state.stages.get(stage)?) {
        (
            Stage::Approve(approve),
            StageState::Approve(ApproveState::Asked {
                since_ms,
                deadline_ms,
                overdue,
            }),
        ) => Some(Question {
            asked_at: At(*since_ms),
            deadline: At(*deadline_ms),
            overdue: *overdue,
            without_answer: match approve.without_answer {
                WithoutAnswer::RollBack => "rollBack",
                WithoutAnswer::KeepWaiting => "keepWaiting",
            }
            .to_owned(),
            ends_by: state.ends_by_ms().map(At),
            who: approve.who.clone(),
            instructions: approve.instructions.clone(),
        }),
        (Stage::Wait(_) | Stage::Analyze(_) | Stage::Approve(_) | Stage::Operate(_), _) => None,
    }
}

/// What holds it up.
pub(super) fn held_by(release: &ReleaseState) -> Option<HeldBy> {
    let held = release.held()?;
    let hold = match held.hold {
        Hold::Lock => "lock",
        Hold::Window => "window",
        Hold::Guard => "guard",
        Hold::Driver => "driver",
        Hold::NotComparable => "notComparable",
    };
    Some(HeldBy {
        hold: hold.to_owned(),
        why: held.why.clone(),
        since: At(held.since_ms),
        looks_again_at: At(held.until_ms),
    })
}

/// The operation that is being done, or comes next in its stage.
pub(super) fn operation(state: &State) -> Option<OperationStatus> {
    if state.end.is_some() {
        return None;
    }
    let stage = state.current()?;
    let (_, operate, at) = state.operations().find(|(place, ..)| *place == stage)?;
    let (place, step, step_state) = at.current()?;
    let all = at.steps.as_deref().map_or(0, <[_]>::len);
    let mut status = OperationStatus {
        sentence: step.sentence.clone(),
        count: format!("{} of {all}", place + 1),
        since: None,
        deadline: None,
        failures: 0,
        trouble: None,
    };
    match step_state {
        StepState::Waiting | StepState::Done { .. } => {}
        StepState::Intended {
            since_ms,
            deadline_ms,
            failures,
            trouble,
            ..
        } => {
            status.since = Some(At(*since_ms));
            status.deadline = (!operate.purpose.is_settled_late()).then_some(At(*deadline_ms));
            status.failures = *failures;
            status.trouble.clone_from(trouble);
        }
        StepState::Failed { since_ms, why, .. } => {
            status.since = Some(At(*since_ms));
            status.trouble = Some(why.clone());
        }
    }
    Some(status)
}
