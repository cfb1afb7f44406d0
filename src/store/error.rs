//! What can go wrong in a store.

use thiserror::Error;

use super::Unusable;
use crate::model::ids::ExecutionId;

/// Why a store did not do what it was asked. After an error nothing has changed, but for [`StoreError::Unavailable`] and
/// [`StoreError::Broken`], where a change may have been kept: read before repeating.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Somebody else appended first.
    #[error("the journal of execution `{id}` has {found} entries; expected {expected}")]
    Conflict {
        /// Which execution.
        id: ExecutionId,
        /// Entries that are there.
        found: u64,
        /// Entries that the writer knew of.
        expected: u64,
    },
    /// The lease was taken over by another worker, or given back.
    #[error("the lease on execution `{0}` is lost")]
    LostLease(ExecutionId),
    /// A lock that the writer relied on is not its own any more.
    #[error("the lock `{name}` is lost, {}", held_by(owner.as_ref()))]
    LostLock {
        /// The lock.
        name: String,
        /// Who has it now; the writer itself where its number is an old one; `None` where it is free.
        owner: Option<ExecutionId>,
    },
    /// There is nothing with this name.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Its name.
        id: String,
    },
    /// There is one with this name already.
    #[error("the {what} `{id}` exists already")]
    Exists {
        /// What was to be made.
        what: &'static str,
        /// Its name.
        id: String,
    },
    /// A document of this name is there in a shared application.
    #[error("the name `{name}` is taken in the applications {applications:?}")]
    NameTaken {
        /// The name.
        name: String,
        /// The applications of the document that has it.
        applications: Vec<String>,
    },
    /// The idempotency key came before with another request.
    #[error("the idempotency key `{0}` came before with another request")]
    KeyReused(String),
    /// Busy, full or out of reach: try again later.
    #[error("the store is out of reach while {doing}")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Damaged, or written by a newer version: a person must look.
    #[error("the store cannot be used while {doing}")]
    Broken {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// What to do about it; `None` where the error itself says it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unavailable { .. } => {
                Some("is the disk full or read-only, or does another program hold the database?")
            }
            Self::Broken { cause, .. } => cause.downcast_ref().map(Unusable::hint),
            Self::Conflict { .. }
            | Self::LostLease(_)
            | Self::LostLock { .. }
            | Self::NotFound { .. }
            | Self::Exists { .. }
            | Self::NameTaken { .. }
            | Self::KeyReused(_) => None,
        }
    }
}

fn held_by(owner: Option<&ExecutionId>) -> String {
    owner.map_or_else(
        || "and nobody has it".to_owned(),
        |owner| format!("execution `{owner}` has it"),
    )
}
