//! How far a release is, in the parts that people think in.

use super::At;
use super::commands::asked;
use super::status::{JudgementStatus, PhaseState, PhaseStatus};
use crate::executions::release::event::{Cause, Decision};
use crate::executions::state::State;
use crate::stages::analyze::{Analyze, AnalyzeState};
use crate::stages::approve::ApproveState;
use crate::stages::operate::Purpose;
use crate::stages::plan::Release;
use crate::stages::{Progress, Stage, StageState};

/// All phases.
pub(super) fn phases(state: &State, release: &Release) -> Vec<PhaseStatus> {
    let phases = &state.request.phases;
    let ends = phases.iter().skip(1).map(|phase| phase.first);
    let ends = ends.chain([state.stages.len()]);
    phases
        .iter()
        .zip(ends)
        .map(|(phase, end)| PhaseStatus {
            name: phase.name.clone(),
            purpose: purpose(state, phase.first, end),
            state: phase_state(state, phase.first, end),
            judgements: (phase.first..end)
                .filter_map(|stage| judgement(state, release, stage))
                .collect(),
        })
        .collect()
}

/// What the first operations of a phase are for.
fn purpose(state: &State, first: usize, end: usize) -> Option<String> {
    let (_, operate, _) = state
        .operations()
        .find(|(place, ..)| (first..end).contains(place))?;
    let word = match operate.purpose {
        Purpose::Deploy => "deploy",
        Purpose::Promote => "promote",
        Purpose::RollBack => "rollBack",
        Purpose::CleanUp => "cleanUp",
    };
    Some(word.to_owned())
}

fn phase_state(state: &State, first: usize, end: usize) -> PhaseState {
    let current = state.current();
    let release = state.release.as_ref();
    let decided = release.and_then(|it| it.decided.as_ref());
    let waits = asked(state).is_some()
        || state.stuck.is_some()
        || release.is_some_and(|it| it.held().is_some());
    if let Some(decided) = decided
        && decided.decision != Decision::Promoted
        && (first..end).contains(&stopped_at(state, decided.stage))
        && !current.is_some_and(|stage| (first..end).contains(&stage))
    {
        return PhaseState::Stopped;
    }
    match current {
        Some(stage) if stage < first => return PhaseState::Later,
        Some(stage) if stage < end => {
            return if waits {
                PhaseState::Waiting
            } else {
                PhaseState::Running
            };
        }
        Some(_) | None => {}
    }
    // What was not asked, or not taken back, did not happen.
    let happened = |stage: usize| match state.stages.get(stage) {
        Some(StageState::Approve(ApproveState::NotNeeded { .. })) | None => false,
        Some(it) => it.progress() == Progress::Done,
    };
    if (first..end).any(happened) {
        PhaseState::Done
    } else {
        PhaseState::PassedOver
    }
}

/// The stage that the release was stopped in: the one that failed, or that had the last verdict, or the one it was at.
fn stopped_at(state: &State, decided_at: usize) -> usize {
    let before = state.stages.get(..decided_at).unwrap_or_default();
    let failed = before.iter().position(|at| match at {
        StageState::Operate(_) | StageState::Approve(_) => at.progress() == Progress::Failed,
        StageState::Wait(_) | StageState::Analyze(_) => false,
    });
    let judged = before.len().checked_sub(1).filter(|last| {
        let by_verdict = state
            .release
            .as_ref()
            .and_then(|it| it.decided.as_ref())
            .is_some_and(|it| match it.cause {
                Cause::Verdict | Cause::NoVerdict => true,
                Cause::Person
                | Cause::NoAnswer
                | Cause::Operation
                | Cause::Time
                | Cause::NotAllowed => false,
            });
        by_verdict && matches!(before.get(*last), Some(StageState::Analyze(_)))
    });
    failed.or(judged).unwrap_or(decided_at)
}

fn judgement(state: &State, release: &Release, stage: usize) -> Option<JudgementStatus> {
    let (analyze, at) = match (state.request.stages.get(stage)?, state.stages.get(stage)?) {
        (Stage::Analyze(analyze), StageState::Analyze(at)) => (analyze, at),
        (Stage::Analyze(_) | Stage::Wait(_) | Stage::Approve(_) | Stage::Operate(_), _) => {
            return None;
        }
    };
    let comparison = analyze.comparison.as_ref();
    let several = release.targets.len() > 1;
    let target = comparison.and_then(|it| release.targets.get(it.target));
    Some(JudgementStatus {
        number: analyze.number,
        in_block: comparison.map_or(1, |it| it.in_block),
        target: target.filter(|_| several).map(|it| it.name.clone()),
        verdict: at.outcome().map(|it| it.verdict.word().to_owned()),
        score: at.outcome().map(|it| it.score),
        failure: failure(at),
        at: at.ended_ms().map(At),
        report: at.outcome().map(|_| report(state, analyze)),
    })
}

fn failure(at: &AnalyzeState) -> Option<String> {
    match at {
        AnalyzeState::Failed { failures, .. } => {
            let first = failures.first();
            Some(first.map_or_else(|| "no reason".to_owned(), |it| it.message.clone()))
        }
        AnalyzeState::NotStarted
        | AnalyzeState::Opened { .. }
        | AnalyzeState::Collecting { .. }
        | AnalyzeState::Collected { .. }
        | AnalyzeState::Judged { .. } => None,
    }
}

fn report(state: &State, analyze: &Analyze) -> String {
    format!("/reports/{}", state.judgement_name(analyze))
}

/// What the operations of a stage are for, as one word before a sentence.
pub(super) fn doing(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Deploy => "Deploying",
        Purpose::Promote => "Promoting",
        Purpose::RollBack => "Rolling back",
        Purpose::CleanUp => "Cleaning up",
    }
}
