//! What a person can do with a release, and what it would take to take it back.

use super::status::{Command, RollbackLine, RollbackStatus, short_id};
use crate::config::release::spec::Strategy;
use crate::executions::release::desk::Look;
use crate::executions::release::event::Decision;
use crate::executions::state::State;
use crate::model::release::cluster::View;
use crate::stages::StageState;
use crate::stages::approve::ApproveState;
use crate::stages::operate::Purpose;
use crate::stages::plan::Release;

/// What a person can do now.
pub(super) fn commands(state: &State, release: &Release, look: &Look) -> Vec<Command> {
    let back = &look.rollback;
    let id = short_id(state.id.as_str());
    let command = |verb: &str, rest: &str, does: String| Command {
        command: format!("coalmine release {verb} {id}{rest}"),
        does,
    };
    let mut commands = Vec::new();
    if state.stuck.is_some() && state.cancel.is_none() && state.end.is_none() {
        commands.push(command("resume", "", "tries again".to_owned()));
    }
    let decided = state.release.as_ref().and_then(|it| it.decided.as_ref());
    if let Some(decided) = decided {
        let is_kept = decided.decision == Decision::Promoted
            && state.end.is_some()
            && not_kept(release, &look.views).is_none();
        if is_kept && let Some(before) = release.targets.iter().find_map(|it| it.previous.first()) {
            let does = format!("brings {} back", before.artifact.version);
            commands.push(command("rollback", "", does));
        }
        return commands;
    }
    if asked(state).is_some() {
        let then = after_question(state)
            .map_or_else(|| "goes on".to_owned(), |name| format!("goes on to {name}"));
        commands.push(command("approve", "", then));
        commands.push(command("approve", " --reject", "takes it back".to_owned()));
    } else if !back.is_empty() {
        commands.push(command("rollback", "", "takes it back".to_owned()));
    }
    let does = if back.is_empty() {
        "calls it off"
    } else {
        "calls it off, and takes it back"
    };
    commands.push(command("abort", "", does.to_owned()));
    commands
}

/// The question that waits, by the place of its stage.
pub(super) fn asked(state: &State) -> Option<usize> {
    let stage = state.current()?;
    match state.stages.get(stage)? {
        StageState::Approve(ApproveState::Asked { .. }) => Some(stage),
        StageState::Approve(
            ApproveState::NotStarted
            | ApproveState::NotNeeded { .. }
            | ApproveState::Answered { .. }
            | ApproveState::Unanswered { .. },
        )
        | StageState::Wait(_)
        | StageState::Analyze(_)
        | StageState::Operate(_) => None,
    }
}

/// The phase that follows after the question.
fn after_question(state: &State) -> Option<&str> {
    let stage = asked(state)?;
    let phases = &state.request.phases;
    let next = phases.iter().find(|phase| phase.first > stage)?;
    let is_last = state
        .late_stage(Purpose::RollBack)
        .is_some_and(|back| next.first >= back);
    (!is_last).then_some(next.name.as_str())
}

/// Why a release that was promoted cannot be taken back; `None` where all is there that served before.
fn not_kept(release: &Release, views: &[View]) -> Option<String> {
    let spec = &release.spec;
    let removes = match &spec.promotion.strategy {
        Strategy::Judge => return Some("nothing was promoted".to_owned()),
        Strategy::None => false,
        Strategy::Highlander => true,
        Strategy::RedBlack { .. } | Strategy::RollingRedBlack { .. } | Strategy::Native => {
            spec.promotion.previous.keep_ms == 0
        }
    };
    for target in &release.targets {
        let Some(before) = target.previous.first() else {
            return Some("nothing served before".to_owned());
        };
        let version = &before.artifact.version;
        if removes {
            return Some(format!(
                "{version} is not kept; a release of it brings it back"
            ));
        }
        let Some(view) = views.iter().find(|view| view.place == target.place) else {
            return Some("the place is out of reach".to_owned());
        };
        let gone = target
            .previous
            .iter()
            .find(|it| view.group(&it.name).is_none());
        if let Some(gone) = gone {
            return Some(format!(
                "{} with {version} is gone; a release of it brings it back",
                gone.name.as_str()
            ));
        }
    }
    None
}

/// What it would take to take it back.
pub(super) fn rollback(state: &State, look: &Look) -> RollbackStatus {
    let steps = &look.rollback;
    let release = state.request.release.as_deref();
    let decided = state.release.as_ref().and_then(|it| it.decided.as_ref());
    let why_not = match decided.map(|it| it.decision) {
        Some(Decision::RolledBack | Decision::CalledOff) if state.end.is_none() => {
            "it is being taken back".to_owned()
        }
        Some(Decision::RolledBack | Decision::CalledOff) => "it was taken back".to_owned(),
        Some(Decision::Refused) => "nothing was touched".to_owned(),
        Some(Decision::Superseded) => "another release has the cluster".to_owned(),
        Some(Decision::Promoted) => release
            .and_then(|release| not_kept(release, &look.views))
            .unwrap_or_default(),
        None if steps.is_empty() => "there is nothing to take back".to_owned(),
        None => String::new(),
    };
    RollbackStatus {
        ready: why_not.is_empty(),
        operations: steps.iter().map(|step| step.sentence.clone()).collect(),
        steps: steps.iter().map(RollbackLine::of).collect(),
        why_not,
    }
}
