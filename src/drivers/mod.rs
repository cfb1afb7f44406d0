//! Where releases happen: one driver for each kind of place, behind one port.

pub mod fake;
pub mod local;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::ids::{ExecutionId, InstallationId};
use crate::model::release::cluster::{Place, Role, View};
use crate::model::release::names::GroupName;
use crate::model::release::operation::{OpId, Operation};

/// What a driver can do. A plan uses nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Traffic can be parted by shares, whatever the sizes.
    pub shares: bool,
    /// Groups can have `min` and `max` beside `desired`.
    pub scaling: bool,
    /// The platform has a rollout of its own.
    pub native_rollout: bool,
}

/// How far an operation is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "progress",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Progress {
    /// Nothing of it is there; it must be applied.
    NotStarted,
    /// It was applied, and has not come to its end.
    InFlight {
        /// What it waits for: `2 of 3 instances are up`.
        why: String,
    },
    /// The place is as it shall be.
    Done,
    /// It cannot come to its end by itself.
    Failed {
        /// Why.
        why: String,
    },
}

/// How an error of a driver is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The same again: nothing is known of the effect, or the place is out of reach.
    Retry,
    /// Never the same again: it is refused.
    GiveUp,
}

/// Why a driver did not do what it was asked.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct DriverError {
    /// What happened, one sentence, without secrets.
    pub message: String,
    /// What follows.
    pub remedy: Remedy,
    /// What a person can do.
    pub hint: Option<String>,
    /// Why.
    #[source]
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl DriverError {
    /// An error without hint and cause.
    #[must_use]
    pub fn new(remedy: Remedy, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            remedy,
            hint: None,
            cause: None,
        }
    }
}

/// Something that an execution made and that is still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owned {
    /// Where.
    pub place: Place,
    /// Which server group.
    pub group: GroupName,
    /// What it is for.
    pub role: Role,
    /// Who made it.
    pub execution: ExecutionId,
    /// The installation whose execution that is; `None` in what was made before installations had names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<InstallationId>,
    /// When it is to be removed, in milliseconds since 1970-01-01T00:00:00Z.
    pub expires_ms: Option<i64>,
}

/// The right to change a place: the number of the lock under which it is done. A driver that can refuses a number below the
/// greatest that it has seen for the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fencing(pub u64);

/// Does operations in one kind of place.
#[async_trait]
pub trait Driver: Send + Sync + Debug {
    /// What it can do.
    fn abilities(&self) -> Abilities;

    /// Reads all of a place at once, never from a cache. A place without anything is an empty view, not an error.
    ///
    /// # Errors
    /// The place is out of reach.
    async fn observe(&self, place: &Place) -> Result<View, DriverError>;

    /// Makes the operation begin, and returns without waiting for its end. May be called again with the same `id`: an effect
    /// that is there already is left as it is. Refuses to touch what is not ours, and to remove what has traffic.
    ///
    /// # Errors
    /// `Retry` where the effect may or may not be there; `GiveUp` where it is refused, and nothing has changed.
    async fn apply(
        &self,
        operation: &Operation,
        id: &OpId,
        fencing: Fencing,
    ) -> Result<(), DriverError>;

    /// How far the operation is. Asked before it is applied, and again until it is done.
    ///
    /// # Errors
    /// The place is out of reach.
    async fn check(&self, operation: &Operation, id: &OpId) -> Result<Progress, DriverError>;

    /// Everything that any execution made and that is there, in all places of the account: by its tags, so that it is found
    /// when nothing else is known.
    ///
    /// # Errors
    /// The account is out of reach.
    async fn find_owned(&self) -> Result<Vec<Owned>, DriverError>;
}

/// The drivers of all accounts, by name.
#[derive(Debug, Clone, Default)]
pub struct Drivers {
    accounts: Arc<BTreeMap<String, Arc<dyn Driver>>>,
}

impl Drivers {
    /// Takes the accounts.
    #[must_use]
    pub fn new(accounts: impl IntoIterator<Item = (String, Arc<dyn Driver>)>) -> Self {
        Self {
            accounts: Arc::new(accounts.into_iter().collect()),
        }
    }

    /// The driver of an account.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn of(&self, account: &str) -> Result<&Arc<dyn Driver>, DriverError> {
        self.accounts.get(account).ok_or_else(|| {
            let known: Vec<&str> = self.accounts.keys().map(String::as_str).collect();
            DriverError {
                hint: Some(format!("known accounts: {known:?}")),
                ..DriverError::new(
                    Remedy::GiveUp,
                    format!("there is no deployment account `{account}`"),
                )
            }
        })
    }

    /// All accounts with their drivers.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<dyn Driver>)> {
        self.accounts
            .iter()
            .map(|(name, driver)| (name.as_str(), driver))
    }
}
