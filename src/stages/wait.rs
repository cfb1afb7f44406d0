//! Lets time pass, until a moment that was settled when the execution was planned: a restart does not make it longer.

use serde::{Deserialize, Serialize};

/// What to wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wait {
    /// What people read: `Warmup Wait`, `Interval Wait #3`.
    pub name: String,
    /// The moment, in milliseconds since 1970-01-01T00:00:00Z.
    pub until_ms: i64,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitState {
    /// Nothing happened yet.
    NotStarted,
    /// It waits.
    Waiting {
        /// Since when, in milliseconds since 1970-01-01T00:00:00Z.
        started_ms: i64,
    },
    /// The moment has come.
    Done {
        /// When it started.
        started_ms: i64,
        /// When it was noticed.
        ended_ms: i64,
    },
}
