//! Asks a person, with a deadline; silence is never a yes.

use coalmine_judges::judgement::Verdict;
use serde::{Deserialize, Serialize};

use crate::config::release::spec::WithoutAnswer;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Approve {
    /// The verdicts that make the question necessary; always where empty. A judgement that could not be made counts as
    /// Inconclusive.
    #[serde(default)]
    pub when: Vec<Verdict>,
    /// What the person should look at; may be empty.
    #[serde(default)]
    pub instructions: String,
    /// Who may answer; anybody where empty.
    #[serde(default)]
    pub who: Vec<String>,
    /// How long the answer may take, in milliseconds.
    pub deadline_ms: u64,
    /// What happens then.
    pub without_answer: WithoutAnswer,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Choice {
    /// Go on.
    Approve,
    /// Take it back.
    Reject,
}

impl Choice {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }
}

/// How far the question is. Times are in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApproveState {
    /// Nothing happened yet.
    NotStarted,
    /// The verdict made the question needless.
    NotNeeded {
        /// When that was seen.
        at_ms: i64,
    },
    /// It was asked.
    Asked {
        /// When.
        since_ms: i64,
        /// Until when an answer is awaited.
        deadline_ms: i64,
        /// Whether that has passed, and it goes on waiting.
        overdue: bool,
    },
    /// Somebody answered.
    Answered {
        /// When it was asked.
        since_ms: i64,
        /// When the answer came.
        at_ms: i64,
        /// The answer.
        choice: Choice,
        /// Whose.
        by: String,
        /// Why, in their words; may be empty.
        reason: String,
    },
    /// Nobody answered in time, and the release is taken back.
    Unanswered {
        /// When it was asked.
        since_ms: i64,
        /// When the time was over.
        at_ms: i64,
    },
}
