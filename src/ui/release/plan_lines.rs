//! The lines of a plan: operations, waits, judgements and questions, with how far each is.

use super::At;
use super::plan::{LineKind, LineState, PlanLine};
use crate::executions::state::State;
use crate::model::release::cluster::Capacity;
use crate::model::release::operation::Change;
use crate::stages::analyze::{Analyze, AnalyzeState};
use crate::stages::approve::{Approve, ApproveState, Choice};
use crate::stages::operate::{Operate, OperateState, StepState};
use crate::stages::plan::Plan;
use crate::stages::wait::{Until, Wait, WaitState};
use crate::stages::{Stage, StageState};

/// All lines of a plan, not numbered yet.
pub(super) fn lines(plan: &Plan, state: Option<&State>) -> Vec<PlanLine> {
    let mut lines = Vec::new();
    let mut stage = 0;
    while let Some(planned) = plan.stages.get(stage) {
        let at = state.and_then(|it| it.stages.get(stage));
        let over = state.is_some_and(|it| it.is_passed_over(stage));
        let mut next = stage + 1;
        match planned {
            Stage::Operate(operate) => {
                let at = match at {
                    Some(StageState::Operate(at)) => Some(at),
                    Some(StageState::Wait(_) | StageState::Analyze(_) | StageState::Approve(_))
                    | None => None,
                };
                lines.extend(operations(plan, operate, at, state.is_some(), over));
            }
            Stage::Wait(wait) => lines.push(waiting(wait, at, over)),
            Stage::Approve(approve) => lines.push(asking(approve, at, over)),
            Stage::Analyze(first) => {
                let mut block = vec![(first, at)];
                while let Some(Stage::Analyze(more)) = plan.stages.get(next) {
                    block.push((more, state.and_then(|it| it.stages.get(next))));
                    next += 1;
                }
                lines.push(judging(plan, &block, state, stage..next));
            }
        }
        stage = next;
    }
    lines
}

fn operations(
    plan: &Plan,
    operate: &Operate,
    at: Option<&OperateState>,
    started: bool,
    over: bool,
) -> Vec<PlanLine> {
    // What is settled late follows from what was done; before that there is nothing to list.
    let settled = at.and_then(|at| at.steps.as_deref());
    let steps = settled.unwrap_or(&operate.steps);
    let several = plan.release.targets.len() > 1;
    let mut lines = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        let mut line = PlanLine::new(LineKind::Operation, step.sentence.clone());
        line.before.clone_from(&step.before);
        line.after.clone_from(&step.after);
        line.moves_traffic = match step.operation.change {
            Change::SetTraffic { .. } | Change::Enable { .. } | Change::Disable { .. } => true,
            Change::OpenRouter { .. }
            | Change::CreateGroup { .. }
            | Change::Resize { .. }
            | Change::AwaitHealthy { .. }
            | Change::SetExpiry { .. }
            | Change::DeleteGroup { .. } => false,
        };
        line.undo = step.undo.as_ref().map_or_else(String::new, undo);
        line.longest_ms = (!operate.purpose.is_settled_late()).then_some(step.longest_ms);
        let targets = plan.release.targets.iter();
        line.target = targets
            .filter(|_| several)
            .find(|it| it.place == step.operation.place)
            .map(|it| it.name.clone());
        if started {
            let (state, moment) = match at.and_then(|at| at.at.get(place)) {
                Some(StepState::Intended { deadline_ms, .. }) => (
                    LineState::Running,
                    (!operate.purpose.is_settled_late()).then_some(At(*deadline_ms)),
                ),
                Some(StepState::Done { at_ms, .. }) => (LineState::Done, Some(At(*at_ms))),
                Some(StepState::Failed { at_ms, .. }) => (LineState::Failed, Some(At(*at_ms))),
                Some(StepState::Waiting) | None => (LineState::Later, None),
            };
            let passed = over && state == LineState::Later;
            line.state = Some(if passed { LineState::PassedOver } else { state });
            line.at = moment;
        }
        lines.push(line);
    }
    lines
}

/// What takes an operation back, in a few words.
fn undo(change: &Change) -> String {
    let size = |capacity: &Capacity| match capacity.desired {
        1 => "1 instance".to_owned(),
        _ => format!("{capacity} instances"),
    };
    match change {
        Change::OpenRouter { .. } => "open the router".to_owned(),
        Change::CreateGroup { .. } => "create it again".to_owned(),
        Change::Resize { capacity, .. } => format!("back to {}", size(capacity)),
        Change::AwaitHealthy { .. } => "wait until it is healthy".to_owned(),
        Change::SetTraffic { .. } => "traffic as before".to_owned(),
        Change::Enable { .. } => "enable it".to_owned(),
        Change::Disable { .. } => "disable it".to_owned(),
        Change::SetExpiry { lives_ms: None, .. } => "keep it".to_owned(),
        Change::SetExpiry {
            lives_ms: Some(_), ..
        } => "let it expire".to_owned(),
        Change::DeleteGroup { .. } => "remove it".to_owned(),
    }
}

fn waiting(wait: &Wait, at: Option<&StageState>, over: bool) -> PlanLine {
    let mut line = PlanLine::new(LineKind::Wait, format!("Wait: {}", wait.name));
    line.after = match wait.until {
        Until::After { after_ms } => super::times::duration(after_ms),
        Until::Moment { .. } => String::new(),
    };
    let (state, moment) = match at {
        Some(StageState::Wait(WaitState::Waiting { started_ms })) => {
            (LineState::Running, Some(At(wait.ends_ms(*started_ms))))
        }
        Some(StageState::Wait(WaitState::Done { ended_ms, .. })) => {
            (LineState::Done, Some(At(*ended_ms)))
        }
        Some(StageState::Wait(WaitState::NotStarted)) if over => (LineState::PassedOver, None),
        Some(StageState::Wait(WaitState::NotStarted)) => (LineState::Later, None),
        Some(StageState::Analyze(_) | StageState::Approve(_) | StageState::Operate(_)) | None => {
            return line;
        }
    };
    line.state = Some(if over && state == LineState::Running {
        LineState::PassedOver
    } else {
        state
    });
    line.at = moment;
    line
}

fn asking(approve: &Approve, at: Option<&StageState>, over: bool) -> PlanLine {
    let when: Vec<&str> = approve.when.iter().map(|it| it.word()).collect();
    let sentence = match when.as_slice() {
        [] => "Ask a person".to_owned(),
        words => format!("Ask, if {}", words.join(" or ")),
    };
    let mut line = PlanLine::new(LineKind::Ask, sentence);
    line.who.clone_from(&approve.who);
    let (state, moment, after) = match at {
        Some(StageState::Approve(at)) => match at {
            ApproveState::NotStarted if over => (LineState::PassedOver, None, String::new()),
            ApproveState::NotStarted => (LineState::Later, None, String::new()),
            ApproveState::NotNeeded { at_ms } => (
                LineState::PassedOver,
                Some(At(*at_ms)),
                "not necessary".to_owned(),
            ),
            ApproveState::Asked { deadline_ms, .. } => {
                let state = if over {
                    LineState::PassedOver
                } else {
                    LineState::Waiting
                };
                (state, Some(At(*deadline_ms)), "no answer yet".to_owned())
            }
            ApproveState::Answered {
                at_ms, choice, by, ..
            } => {
                let (state, word) = match choice {
                    Choice::Approve => (LineState::Done, "approved"),
                    Choice::Reject => (LineState::Failed, "rejected"),
                };
                (state, Some(At(*at_ms)), format!("{word} by {by}"))
            }
            ApproveState::Unanswered { at_ms, .. } => (
                LineState::Failed,
                Some(At(*at_ms)),
                "nobody answered".to_owned(),
            ),
        },
        Some(StageState::Wait(_) | StageState::Analyze(_) | StageState::Operate(_)) | None => {
            let longest = super::times::duration(approve.deadline_ms);
            line.after = format!("{longest} to answer");
            return line;
        }
    };
    line.after = after;
    line.state = Some(state);
    line.at = moment;
    line
}

fn judging(
    plan: &Plan,
    block: &[(&Analyze, Option<&StageState>)],
    state: Option<&State>,
    stages: std::ops::Range<usize>,
) -> PlanLine {
    let comparison = |it: &Analyze| it.comparison.clone();
    let each = block
        .iter()
        .filter_map(|(it, _)| comparison(it))
        .map(|it| it.of_block)
        .max();
    let times = match each {
        Some(1) | None if block.len() == 1 => "once".to_owned(),
        Some(times) => format!("{times} times"),
        None => format!("{} times", block.len()),
    };
    let mut line = PlanLine::new(LineKind::Judge, format!("Judge, {times}"));
    let against = block.first().and_then(|(it, _)| comparison(it));
    if let Some(against) = against {
        let targets = plan.release.targets.get(against.target);
        let is_baseline = targets.is_some_and(|it| it.baseline.as_ref() == Some(&against.baseline));
        if !is_baseline {
            line.after = format!("against {}", against.baseline.as_str());
        }
    }
    let Some(state) = state else {
        return line;
    };
    let mut made = 0;
    let mut last_at = None;
    let mut opened = None;
    for (_, at) in block {
        if let Some(StageState::Analyze(at)) = at {
            if let Some(ended) = at.ended_ms() {
                made += 1;
                last_at = Some(At(ended));
            }
            if let AnalyzeState::Opened { until_ms, .. } = at {
                opened = Some(At(*until_ms));
            }
        }
    }
    let outcome = block.iter().rev().find_map(|(_, at)| match at {
        Some(StageState::Analyze(at)) => at.outcome(),
        Some(StageState::Wait(_) | StageState::Approve(_) | StageState::Operate(_)) | None => None,
    });
    if let Some(outcome) = outcome {
        let score = super::layout::score(outcome.score);
        let verdict = outcome.verdict.word();
        line.after = if made == block.len() {
            format!("{verdict} {score}")
        } else {
            format!("{made} of {}, {verdict} {score}", block.len())
        };
    }
    let current = state.current().is_some_and(|it| stages.contains(&it));
    line.state = Some(if current {
        LineState::Running
    } else if made == block.len() {
        LineState::Done
    } else if state.current().is_none_or(|it| it >= stages.end) {
        match made {
            0 => LineState::PassedOver,
            _ => LineState::Failed,
        }
    } else {
        LineState::Later
    });
    line.at = if current { opened.or(last_at) } else { last_at };
    line
}
