//! The steps that an execution is made of: one file for each kind, with what it needs to know and how far it can be. Pure.

pub mod analyze;
pub mod approve;
pub mod operate;
pub mod plan;
pub mod wait;

use serde::{Deserialize, Serialize};

use analyze::{Analyze, AnalyzeState};
use approve::{Approve, ApproveState};
use operate::{Operate, OperateState, StepState};
use wait::{Wait, WaitState};

/// One step of an execution, as it was planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Stage {
    /// Lets time pass.
    Wait(Wait),
    /// Fetches, judges and keeps one judgement.
    Analyze(Analyze),
    /// Asks a person.
    Approve(Approve),
    /// Performs operations.
    Operate(Operate),
}

/// How far a stage is.
#[derive(Debug, Clone, PartialEq)]
pub enum StageState {
    /// Of a [`Stage::Wait`].
    Wait(WaitState),
    /// Of a [`Stage::Analyze`].
    Analyze(AnalyzeState),
    /// Of a [`Stage::Approve`].
    Approve(ApproveState),
    /// Of a [`Stage::Operate`].
    Operate(OperateState),
}

impl Stage {
    /// How far it is before anything happened.
    #[must_use]
    pub fn fresh(&self) -> StageState {
        match self {
            Self::Wait(_) => StageState::Wait(WaitState::NotStarted),
            Self::Analyze(_) => StageState::Analyze(AnalyzeState::NotStarted),
            Self::Approve(_) => StageState::Approve(ApproveState::NotStarted),
            Self::Operate(_) => StageState::Operate(OperateState::default()),
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
            Self::Wait(state) => match state {
                WaitState::NotStarted => Progress::NotStarted,
                WaitState::Waiting { .. } => Progress::Running,
                WaitState::Done { .. } => Progress::Done,
            },
            Self::Analyze(state) => match state {
                AnalyzeState::NotStarted => Progress::NotStarted,
                AnalyzeState::Opened { .. }
                | AnalyzeState::Collecting { .. }
                | AnalyzeState::Collected { .. } => Progress::Running,
                AnalyzeState::Judged { .. } => Progress::Done,
                AnalyzeState::Failed { .. } => Progress::Failed,
            },
            Self::Approve(state) => match state {
                ApproveState::NotStarted => Progress::NotStarted,
                ApproveState::Asked { .. } => Progress::Running,
                ApproveState::NotNeeded { .. } => Progress::Done,
                ApproveState::Answered { choice, .. } => match choice {
                    approve::Choice::Approve => Progress::Done,
                    approve::Choice::Reject => Progress::Failed,
                },
                ApproveState::Unanswered { .. } => Progress::Failed,
            },
            Self::Operate(state) => {
                let failed = |at: &StepState| matches!(at, StepState::Failed { .. });
                match (&state.steps, state.current()) {
                    (None, _) => Progress::NotStarted,
                    (Some(_), None) => Progress::Done,
                    (Some(_), Some(_)) if state.at.iter().any(failed) => Progress::Failed,
                    (Some(_), Some(_)) => Progress::Running,
                }
            }
        }
    }
}
