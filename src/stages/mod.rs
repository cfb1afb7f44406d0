//! The steps that an execution is made of: one file for each kind, with what it needs to know and how far it can be. Pure.

pub mod analyze;
pub mod wait;

use serde::{Deserialize, Serialize};

use analyze::{Analyze, AnalyzeState};
use wait::{Wait, WaitState};

/// One step of an execution, as it was planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Stage {
    /// Lets time pass.
    Wait(Wait),
    /// Fetches, judges and keeps one judgement.
    Analyze(Analyze),
}

/// How far a stage is.
#[derive(Debug, Clone, PartialEq)]
pub enum StageState {
    /// Of a [`Stage::Wait`].
    Wait(WaitState),
    /// Of a [`Stage::Analyze`].
    Analyze(AnalyzeState),
}

impl Stage {
    /// How far it is before anything happened.
    #[must_use]
    pub fn fresh(&self) -> StageState {
        match self {
            Self::Wait(_) => StageState::Wait(WaitState::NotStarted),
            Self::Analyze(_) => StageState::Analyze(AnalyzeState::NotStarted),
        }
    }
}

/// The progress of a stage, whatever its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing happened yet.
    NotStarted,
    /// It is at work.
    Running,
    /// It did what it was to do.
    Done,
    /// It could not do it, and will not.
    Failed,
}

impl StageState {
    /// The progress.
    #[must_use]
    pub fn progress(&self) -> Progress {
        match self {
            Self::Wait(WaitState::NotStarted) | Self::Analyze(AnalyzeState::NotStarted) => {
                Progress::NotStarted
            }
            Self::Wait(WaitState::Waiting { .. })
            | Self::Analyze(AnalyzeState::Collecting { .. } | AnalyzeState::Collected { .. }) => {
                Progress::Running
            }
            Self::Wait(WaitState::Done { .. }) | Self::Analyze(AnalyzeState::Judged { .. }) => {
                Progress::Done
            }
            Self::Analyze(AnalyzeState::Failed { .. }) => Progress::Failed,
        }
    }
}
