//! What driver and supervisor say to each other: JSON over HTTP on a socket of this machine.

use serde::{Deserialize, Serialize};

use crate::drivers::{DriverError, Fencing, Remedy};
use crate::model::ids::InstallationId;
use crate::model::release::operation::{OpId, Operation};

/// Who answers.
pub(super) const HELLO: &str = "/v1/hello";
/// Body: a place; answer: a view.
pub(super) const OBSERVE: &str = "/v1/observe";
/// Body: [`Apply`]; answer: nothing.
pub(super) const APPLY: &str = "/v1/apply";
/// Body: [`Check`]; answer: a progress.
pub(super) const CHECK: &str = "/v1/check";
/// Answer: all groups with owners.
pub(super) const OWNED: &str = "/v1/owned";
/// Ends everything that is held, then the supervisor.
pub(super) const STOP: &str = "/v1/stop";

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Hello {
    /// Its process.
    pub(super) pid: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Apply {
    pub(super) operation: Operation,
    pub(super) id: OpId,
    pub(super) fencing: Fencing,
    /// Whose mark a group that is made gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) installation: Option<InstallationId>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Check {
    pub(super) operation: Operation,
    pub(super) id: OpId,
}

/// Why it was not done.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Whether the same may be tried again.
    pub(super) retry: bool,
}

impl From<Refusal> for DriverError {
    fn from(refusal: Refusal) -> Self {
        let remedy = if refusal.retry {
            Remedy::Retry
        } else {
            Remedy::GiveUp
        };
        Self {
            hint: refusal.hint,
            ..Self::new(remedy, refusal.message)
        }
    }
}

impl Refusal {
    /// Never the same again.
    pub(super) fn never(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            retry: false,
        }
    }

    /// Not now.
    pub(super) fn not_now(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            retry: true,
        }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}
