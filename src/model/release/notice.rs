//! What somebody outside is told of a release: the body of a message, as a webhook gets it.

use coalmine_judges::judgement::Verdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::ids::ExecutionId;

/// Version of the JSON that this code writes.
pub const VERSION: u32 = 1;

/// What happened.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum NoticeEvent {
    /// It is settled what becomes of the release.
    Decided,
    /// A person is asked.
    Asked,
    /// Something holds the release up.
    HeldUp,
    /// It cannot go on by itself, and waits for a person.
    Stuck,
}

impl NoticeEvent {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Asked => "asked",
            Self::HeldUp => "heldUp",
            Self::Stuck => "stuck",
        }
    }
}

/// One piece of news of a release. Times are RFC 3339 in UTC, as [`moment`] writes them. Absent is what does not apply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// Version of this format, [`VERSION`].
    pub version: u32,
    /// The release.
    pub execution: ExecutionId,
    /// Its application.
    pub application: String,
    /// What happened.
    pub event: NoticeEvent,
    /// The same, as one sentence for people.
    pub title: String,
    /// What became of it: `promoted`, `rolledBack`, `calledOff`, `refused`, `superseded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// Why, for programs: the words of the journal's `cause`, or what holds it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Who decided, where it was a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The verdict of the last judgement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Its score, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The address of its report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// Until when an answer is awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// The commands that a person can go on with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answer_commands: Vec<String>,
    /// When it happened.
    pub at: String,
}

impl Notice {
    /// The body of a message.
    ///
    /// # Errors
    /// A score that is no finite number.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Reads what [`Notice::to_json`] of this version or an older one wrote.
    ///
    /// # Errors
    /// JSON that is no notice.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z as RFC 3339, to the second; empty for a time that no calendar has.
#[must_use]
pub fn moment(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| String::new(), |at| format!("{at:.0}"))
}
