//! Lets time pass, until a moment that is settled at the latest when the wait begins: a restart does not make it longer.

use serde::{Deserialize, Serialize};

/// What to wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wait {
    /// What people read: `Warmup Wait`, `Interval Wait #3`.
    pub name: String,
    /// Until when.
    #[serde(flatten)]
    pub until: Until,
}

/// Until when to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum Until {
    /// A moment that was settled when the execution was planned, in milliseconds since 1970-01-01T00:00:00Z.
    Moment {
        /// The moment.
        until_ms: i64,
    },
    /// So many milliseconds after the wait began.
    After {
        /// How many.
        after_ms: u64,
    },
}

impl Wait {
    /// When the wait is over that began at `started_ms`, both in milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn ends_ms(&self, started_ms: i64) -> i64 {
        match self.until {
            Until::Moment { until_ms } => until_ms,
            Until::After { after_ms } => {
                started_ms.saturating_add(i64::try_from(after_ms).unwrap_or(i64::MAX))
            }
        }
    }
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
