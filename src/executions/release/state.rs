//! Where a release stands, beyond where every execution does.

use std::collections::BTreeMap;

use super::event::{Cause, Decision, Hold};
use super::gap::Gaps;
use crate::executions::state::{Cancel, State};
use crate::stages::analyze::AnalyzeState;
use crate::stages::operate::{Operate, OperateState, Purpose, StepState};
use crate::stages::{Stage, StageState};

/// What releases have and other executions do not. Made by `transition` alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReleaseState {
    /// The numbers of the locks that it holds, by name; `None` before it took them.
    pub locks: Option<BTreeMap<String, u64>>,
    /// When it took them, in milliseconds since 1970-01-01T00:00:00Z.
    pub locked_ms: Option<i64>,
    /// The release that took a place over, once one did.
    pub lost_to: Option<String>,
    /// What holds all of it up, while something does.
    pub held_up: Option<HeldUp>,
    /// What holds up single operations, by stage and step, while others go on.
    pub held_steps: BTreeMap<(usize, usize), HeldUp>,
    /// Whether the steps of the cleanup were settled after the release had lost a place.
    pub settled_after_loss: bool,
    /// A person's wish to have it taken back.
    pub rollback: Option<Cancel>,
    /// What became of it, once that is settled.
    pub decided: Option<Decided>,
    /// Windows of judgements, and looks at the canary after late ones.
    pub gaps: Gaps,
}

/// What holds a release up. Times are in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldUp {
    /// By what.
    pub hold: Hold,
    /// One sentence.
    pub why: String,
    /// Since when.
    pub since_ms: i64,
    /// The number of the first event that said so.
    pub since_seq: u64,
    /// When it looks again.
    pub until_ms: i64,
}

/// What became of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What.
    pub decision: Decision,
    /// Why.
    pub cause: Cause,
    /// Why, one sentence.
    pub reason: String,
    /// Who, where it was a person.
    pub by: Option<String>,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: i64,
    /// The stage that was the current one then.
    pub stage: usize,
}

impl ReleaseState {
    /// What holds it up, or one operation of it.
    #[must_use]
    pub fn held(&self) -> Option<&HeldUp> {
        self.held_up
            .as_ref()
            .or_else(|| self.held_steps.values().next())
    }
}

impl State {
    /// The stage of this purpose that is settled late; every release has one of each.
    #[must_use]
    pub fn late_stage(&self, purpose: Purpose) -> Option<usize> {
        self.request.stages.iter().position(
            |stage| matches!(stage, Stage::Operate(operate) if operate.purpose == purpose),
        )
    }

    /// All stages of operations, with how far they are.
    pub fn operations(&self) -> impl DoubleEndedIterator<Item = (usize, &Operate, &OperateState)> {
        self.request
            .stages
            .iter()
            .zip(&self.stages)
            .enumerate()
            .filter_map(|(place, pair)| match pair {
                (Stage::Operate(operate), StageState::Operate(state)) => {
                    Some((place, operate, state))
                }
                (Stage::Operate(_) | Stage::Wait(_) | Stage::Analyze(_) | Stage::Approve(_), _) => {
                    None
                }
            })
    }

    /// Whether somebody wants a release gone that is not decided, or it is decided: then nothing keeps it from going on.
    #[must_use]
    pub(in crate::executions) fn is_wished_away(&self) -> bool {
        let release = self.release.as_ref();
        self.cancel.is_some()
            || release.is_some_and(|it| it.rollback.is_some() || it.decided.is_some())
    }

    /// The locks that it works under, with their numbers; `None` where it has none, or knows that they are lost.
    #[must_use]
    pub fn locks_at_stake(&self) -> Option<&BTreeMap<String, u64>> {
        let release = self.release.as_ref()?;
        let at_stake = self.end.is_none() && release.lost_to.is_none();
        release.locks.as_ref().filter(|_| at_stake)
    }

    /// Whether any operation was ever intended.
    #[must_use]
    pub fn has_touched(&self) -> bool {
        self.operations()
            .any(|(_, _, state)| state.at.iter().any(|at| !matches!(at, StepState::Waiting)))
    }

    /// How many judgements of one target could not be made, in the whole release.
    #[must_use]
    pub fn failed_judgements(&self, target: usize) -> usize {
        self.analyses()
            .filter(|(analyze, _)| analyze.comparison.as_ref().map(|it| it.target) == Some(target))
            .filter(|(_, state)| matches!(state, AnalyzeState::Failed { .. }))
            .count()
    }

    /// Whether a stage was passed over: it is not done, and never will be.
    #[must_use]
    pub fn is_passed_over(&self, stage: usize) -> bool {
        let unsettled = self.current().unwrap_or(self.stages.len());
        let progress = self.stages.get(stage).map(StageState::progress);
        stage < unsettled
            && matches!(
                progress,
                Some(crate::stages::Progress::NotStarted | crate::stages::Progress::Running)
            )
    }
}
