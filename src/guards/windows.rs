//! Whether a moment lies in a deployment window, and when the next one opens.

use thiserror::Error;

use crate::model::release::window::{Moment, Windows};

/// A rule that cannot be read: a time zone that is not known, a day that is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct BadZone {
    /// What is wrong, with the value.
    pub message: String,
}

/// Whether something may be done now. Times are in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// Yes.
    Open {
        /// Until when; `None` where that never ends.
        closes_ms: Option<i64>,
    },
    /// No.
    Closed {
        /// When it opens; `None` where it does not within a year.
        opens_ms: Option<i64>,
        /// Why it is closed, one sentence.
        why: String,
    },
}

/// Whether `moment` may come at `now_ms`, in milliseconds since 1970-01-01T00:00:00Z. A rollback asks nobody.
///
/// # Errors
/// A rule that cannot be read.
pub fn opening(windows: &Windows, moment: Moment, now_ms: i64) -> Result<Opening, BadZone> {
    let concerned = windows
        .rules
        .iter()
        .any(|rule| rule.moments.contains(&moment));
    if !concerned && windows.blackouts.is_empty() {
        return Ok(Opening::Open { closes_ms: None });
    }
    let _ = now_ms;
    Err(BadZone {
        message: "windows cannot be read yet".to_owned(),
    })
}
