//! What happens to a release, beyond what happens to every execution.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::release::step::Step;
use crate::model::scope::ScopePair;
use crate::stages::approve::Choice;

/// What became of a release. Each has exactly one decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Decision {
    /// The new version serves; or, where nothing was to be promoted, it passed.
    Promoted,
    /// It was taken back, because of a judgement, an answer, a time that was over, or something that could not be done.
    RolledBack,
    /// Somebody called it off, and what had been done was taken back.
    CalledOff,
    /// It was not allowed to begin: nothing was touched.
    Refused,
    /// Another release took the cluster over; its own baseline and canary are removed, production is the other's.
    Superseded,
}

impl Decision {
    /// The words for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::RolledBack => "rolled back",
            Self::CalledOff => "called off",
            Self::Refused => "refused",
            Self::Superseded => "superseded",
        }
    }
}

/// Why a release was decided as it was, as far as programs care; the sentence says the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// The verdict.
    Verdict,
    /// A person.
    Person,
    /// Nobody answered in time.
    NoAnswer,
    /// There was no verdict: nothing was learnt, or series could not be had.
    NoVerdict,
    /// An operation could not be done, or not in time.
    Operation,
    /// The release lasted too long.
    Time,
    /// A guard, a window, a lock, or a place that is not as the plan found it.
    NotAllowed,
}

/// What holds a release up, while it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Hold {
    /// Another release of the same cluster.
    Lock,
    /// A deployment window.
    Window,
    /// The traffic guard.
    Guard,
    /// The driver is out of reach.
    Driver,
    /// Baseline and canary are not alike yet, or traffic is not confirmed.
    NotComparable,
}

impl Hold {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Window => "window",
            Self::Guard => "guard",
            Self::Driver => "driver",
            Self::NotComparable => "not comparable",
        }
    }
}

/// One thing that happened. Times are in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "what",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ReleaseEvent {
    /// All places are locked, and are as the plan found them.
    LocksTaken {
        /// The number of each lock, by its name.
        fencing: BTreeMap<String, u64>,
    },
    /// Another release took a place over.
    LockLost {
        /// The lock's name.
        lock: String,
        /// The other release.
        holder: String,
    },
    /// It cannot go on now, and will look again.
    HeldUp {
        /// By what.
        hold: Hold,
        /// One sentence.
        why: String,
        /// When it looks again.
        until_ms: i64,
        /// The one operation that is held up, where others go on: its stage and its step.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<(usize, usize)>,
    },
    /// The steps of a stage are settled: from the plan, or from what was done.
    StepsSettled {
        /// Which stage.
        stage: usize,
        /// The steps; empty where there is nothing to do.
        steps: Vec<Step>,
    },
    /// An operation is about to be applied; always written before it is.
    OperationIntended {
        /// Which stage.
        stage: usize,
        /// Which step.
        step: usize,
        /// When it is given up.
        deadline_ms: i64,
        /// What the guard found, one sentence; empty where it had nothing to look at.
        guard: String,
    },
    /// The place is as the operation says, and that was read back.
    OperationDone {
        /// Which stage.
        stage: usize,
        /// Which step.
        step: usize,
    },
    /// An operation did not come to its end.
    OperationFailed {
        /// Which stage.
        stage: usize,
        /// Which step.
        step: usize,
        /// Why, with the last lines of a process that does not come up.
        why: String,
        /// When it is tried again; `None` where it is given up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again_ms: Option<i64>,
    },
    /// Where and when to look is settled for a judgement.
    WindowOpened {
        /// Which stage.
        stage: usize,
        /// Where and when.
        scopes: BTreeMap<String, ScopePair>,
        /// When the last window ends.
        until_ms: i64,
        /// What has come to differ between the two since the first window of its block, one sentence each.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        differences: Vec<String>,
    },
    /// A judgement was made long after its window, and the canary was looked at before anything follows from it.
    LookedAgain {
        /// Which stage.
        stage: usize,
        /// What is wrong with it; `None` where it is there and well.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trouble: Option<String>,
    },
    /// The verdict made a question needless.
    NotAsked {
        /// Which stage.
        stage: usize,
    },
    /// A person is asked.
    Asked {
        /// Which stage.
        stage: usize,
        /// Until when.
        deadline_ms: i64,
    },
    /// A person answered.
    Answered {
        /// Which stage.
        stage: usize,
        /// What.
        choice: Choice,
        /// Who.
        by: String,
        /// Why, in their words; may be empty.
        reason: String,
    },
    /// Nobody answered in time.
    AnswerOverdue {
        /// Which stage.
        stage: usize,
    },
    /// A person wants it taken back.
    RollbackRequested {
        /// Who.
        by: String,
        /// Why, in their words; may be empty.
        reason: String,
    },
    /// It is settled what becomes of it.
    Decided {
        /// What.
        decision: Decision,
        /// Why.
        cause: Cause,
        /// Why, one sentence: the same in status, report and messages.
        reason: String,
        /// Who, where it was a person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
}

impl ReleaseEvent {
    /// The word under which the event is shown to clients that follow an execution.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::LocksTaken { .. } => "locksTaken",
            Self::LockLost { .. } => "lockLost",
            Self::HeldUp { .. } => "heldUp",
            Self::StepsSettled { .. } => "stepsSettled",
            Self::OperationIntended { .. } => "operationIntended",
            Self::OperationDone { .. } => "operationDone",
            Self::OperationFailed { .. } => "operationFailed",
            Self::WindowOpened { .. } => "windowOpened",
            Self::LookedAgain { .. } => "lookedAgain",
            Self::NotAsked { .. } => "notAsked",
            Self::Asked { .. } => "asked",
            Self::Answered { .. } => "answered",
            Self::AnswerOverdue { .. } => "answerOverdue",
            Self::RollbackRequested { .. } => "rollbackRequested",
            Self::Decided { .. } => "decided",
        }
    }
}
