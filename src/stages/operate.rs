//! Performs operations, one after the other: each is intended, applied, and read back before the next. On the way back and in
//! the cleanup that holds for each place by itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::release::step::Step;

/// What the operations of a stage are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Purpose {
    /// Baseline and canary, their sizes and their traffic.
    Deploy,
    /// The new version takes over.
    Promote,
    /// What was done is taken back. Its steps are settled when it begins, from what was done.
    RollBack,
    /// Nothing is left behind. Its steps are settled when it begins, likewise.
    CleanUp,
}

/// A stage of operations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operate {
    /// What for.
    pub purpose: Purpose,
    /// In their order; empty where they are settled later.
    #[serde(default)]
    pub steps: Vec<Step>,
}

impl Purpose {
    /// Whether the operations follow from what was done, and are tried until they succeed.
    #[must_use]
    pub fn is_settled_late(self) -> bool {
        match self {
            Self::Deploy | Self::Promote => false,
            Self::RollBack | Self::CleanUp => true,
        }
    }
}

/// How far one step is. Times are in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// Nothing happened yet.
    Waiting,
    /// It was written down that it will be applied; it may have been.
    Intended {
        /// When that was first.
        since_ms: i64,
        /// When it is given up; restarts do not move it.
        deadline_ms: i64,
        /// How often it failed since.
        failures: u32,
        /// It is not tried again before.
        not_before_ms: i64,
        /// The last failure.
        trouble: Option<String>,
    },
    /// The place is as it shall be, and that was read back.
    Done {
        /// When it was intended first.
        since_ms: i64,
        /// When it was seen.
        at_ms: i64,
    },
    /// It was given up; its effect may be there.
    Failed {
        /// When it was intended first.
        since_ms: i64,
        /// When it was given up.
        at_ms: i64,
        /// Why.
        why: String,
    },
}

/// How far a stage of operations is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OperateState {
    /// When it began.
    pub started_ms: Option<i64>,
    /// The steps, as planned or as settled when it began; `None` before.
    pub steps: Option<Arc<[Step]>>,
    /// How far each is; as long as `steps`.
    pub at: Vec<StepState>,
}

impl OperateState {
    /// The first step that is not done, with how far it is; `None` where all are, or none is settled.
    #[must_use]
    pub fn current(&self) -> Option<(usize, &Step, &StepState)> {
        let steps = self.steps.as_deref()?;
        let place = self
            .at
            .iter()
            .position(|at| !matches!(at, StepState::Done { .. }))?;
        Some((place, steps.get(place)?, self.at.get(place)?))
    }

    /// At each place, the first step that is not done, with how far it is; in the order of the list. What is taken back at one
    /// place does not wait for another.
    #[must_use]
    pub fn lanes(&self) -> Vec<(usize, &Step, &StepState)> {
        let mut places = BTreeSet::new();
        let steps = self.steps.as_deref().unwrap_or_default();
        let undone = steps
            .iter()
            .zip(&self.at)
            .enumerate()
            .filter(|(_, (_, at))| !matches!(at, StepState::Done { .. }));
        undone
            .filter(|(_, (step, _))| places.insert(&step.operation.place))
            .map(|(number, (step, at))| (number, step, at))
            .collect()
    }

    /// The steps whose effect is there or may be: all that were ever intended.
    pub fn touched(&self) -> impl DoubleEndedIterator<Item = (&Step, &StepState)> {
        let steps = self.steps.as_deref().unwrap_or_default();
        steps
            .iter()
            .zip(&self.at)
            .filter(|(_, at)| !matches!(at, StepState::Waiting))
    }
}
