//! What must outlive the process: the port [`Store`], and one file for each kind of database.
//!
//! A store keeps journals of executions (append-only), leases on them, and documents. It knows nothing of what stands in a
//! journal. Every implementation passes `tests/it/store_contract.rs`.

pub mod data_dir;
pub mod memory;
pub mod sqlite;
mod unusable;

use std::fmt::Debug;

use async_trait::async_trait;
use coalmine_judges::judgement::Verdict;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::ids::ExecutionId;
pub use unusable::Unusable;

/// One event of a journal, as it is kept. Events of one execution are numbered 1, 2, 3 … without a hole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub seq: u64,
    /// When it was written, in milliseconds since 1970-01-01T00:00:00Z; never before the entry before it.
    pub at_ms: i64,
    /// The event, versioned JSON.
    pub body: String,
}

/// Where an execution stands, for lists and for the worker that looks for work. A fold over the journal, written in the same
/// transaction, so that no list needs to read journals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// Which execution.
    pub id: ExecutionId,
    /// What it is for: `canary` or `analysis`.
    pub kind: String,
    /// Never empty.
    pub application: String,
    /// Lower-case word of the state of work: `not_started`, `running`, `succeeded`, `terminal`, `canceled`, `suspended`.
    pub status: String,
    /// Number of its last event.
    pub seq: u64,
    /// When it was accepted, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_ms: i64,
    /// When its last event was written.
    pub updated_ms: i64,
    /// When it ended; `None` while it has not.
    pub ended_ms: Option<i64>,
    /// When a worker should look at it next; `None` where it has ended or waits for a person.
    pub due_ms: Option<i64>,
    /// The verdict of the last judgement.
    pub verdict: Option<Verdict>,
    /// The score of the last judgement, 0 to 100.
    pub score: Option<f64>,
    /// The canary config's name; may be empty.
    pub config_name: String,
    /// One sentence on where it stands.
    pub sentence: String,
}

/// An execution that is to be accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct NewExecution {
    /// Where it stands: after its first entry.
    pub head: Head,
    /// The first entry, number 1.
    pub first: Entry,
    /// The client's key, where it gave one.
    pub idempotency: Option<IdempotencyKey>,
}

/// A client's promise that two requests are the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The client's text.
    pub key: String,
    /// A hash of the request, so that the same key with another request is noticed.
    pub fingerprint: String,
}

/// What became of a [`NewExecution`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It is kept.
    New,
    /// The same request came before, and this is its execution; nothing was kept.
    Before(ExecutionId),
}

/// The right to write into one execution's journal, until `until_ms`. `fencing` grows with every claim: a worker that slept
/// through its lease has a lower number than the journal and cannot write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Which execution.
    pub id: ExecutionId,
    /// Who holds it.
    pub worker: String,
    /// The number of the claim.
    pub fencing: u64,
    /// When it ends, in milliseconds since 1970-01-01T00:00:00Z.
    pub until_ms: i64,
}

/// Which executions a list shall have; newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeadFilter {
    /// Only of this application.
    pub application: Option<String>,
    /// Only with one of these status words; all where empty.
    pub statuses: Vec<String>,
    /// Only of these kinds; all where empty.
    pub kinds: Vec<String>,
    /// How many to pass over.
    pub skip: u64,
    /// How many at most.
    pub most: u64,
}

/// Kind of a [`Document`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// A canary config.
    CanaryConfig,
    /// A list of metric sets.
    MetricSetList,
    /// A list of metric set pairs.
    MetricSetPairList,
    /// A finished canary that a client archived.
    CanaryArchive,
}

impl DocumentKind {
    /// The word under which it is kept; never changes.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::CanaryConfig => "canary_config",
            Self::MetricSetList => "metric_set_list",
            Self::MetricSetPairList => "metric_set_pair_list",
            Self::CanaryArchive => "canary_archive",
        }
    }

    /// What it is called in a sentence.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::CanaryConfig => "canary config",
            Self::MetricSetList => "metric set list",
            Self::MetricSetPairList => "metric set pair list",
            Self::CanaryArchive => "archived canary",
        }
    }
}

/// A JSON text with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub kind: DocumentKind,
    /// Unique within its kind.
    pub id: String,
    /// A name for people; may be empty. Within an application two canary configs never have the same name.
    pub name: String,
    /// The applications that it belongs to.
    pub applications: Vec<String>,
    /// When it was kept first, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_ms: i64,
    /// When it was kept last.
    pub updated_ms: i64,
    /// The text.
    pub body: String,
}

/// What must hold before a document is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutRule {
    /// There is none with this id yet.
    Create,
    /// There is one with this id.
    Replace,
}

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
            | Self::NotFound { .. }
            | Self::Exists { .. }
            | Self::NameTaken { .. }
            | Self::KeyReused(_) => None,
        }
    }
}

/// Keeps executions and documents.
///
/// Promises: what a call returned `Ok` for survives the loss of power; every call is atomic; entries never change.
#[async_trait]
pub trait Store: Send + Sync + Debug {
    /// Accepts an execution: head, first entry and idempotency key in one transaction.
    ///
    /// # Errors
    /// `Exists` for a known id, `KeyReused`, `Unavailable`, `Broken` (also for an entry that is not number 1).
    async fn accept(&self, new: &NewExecution) -> Result<Accepted, StoreError>;

    /// Appends `entries`, numbered from `head.seq - entries.len() + 1` on, and replaces the head. With a lease, only if it is
    /// still the newest claim (its end need not be checked: an older claim cannot write once there is a newer one) and was not
    /// given back. Without entries only the head is replaced.
    ///
    /// # Errors
    /// The first that holds of `NotFound`; `LostLease`; `Conflict` where the journal does not end just before the first of
    /// `entries`. `Unavailable`; `Broken`, also where the entries are not numbered as said.
    async fn append(
        &self,
        lease: Option<&Lease>,
        entries: &[Entry],
        head: &Head,
    ) -> Result<(), StoreError>;

    /// The entries with numbers above `after`, in order; empty where there are none or no such execution.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn journal(&self, id: &ExecutionId, after: u64) -> Result<Vec<Entry>, StoreError>;

    /// Where the execution stands.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn head(&self, id: &ExecutionId) -> Result<Option<Head>, StoreError>;

    /// Lists executions, newest first (the greater id first where they were made in the same millisecond).
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn heads(&self, filter: &HeadFilter) -> Result<Vec<Head>, StoreError>;

    /// How many executions there are with each status word that occurs, by word.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn count_by_status(&self) -> Result<Vec<(String, u64)>, StoreError>;

    /// Takes leases until `until_ms` on at most `most` executions that are due at `now_ms` and are not leased beyond it,
    /// longest due first (the smaller id first where they are due at the same time). Two workers never get the same one.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn claim(
        &self,
        worker: &str,
        now_ms: i64,
        until_ms: i64,
        most: u64,
    ) -> Result<Vec<Lease>, StoreError>;

    /// Makes a lease end at `until_ms`.
    ///
    /// # Errors
    /// `LostLease`, `Unavailable`, `Broken`.
    async fn renew(&self, lease: &Lease, until_ms: i64) -> Result<Lease, StoreError>;

    /// Gives a lease back; an execution that is due can then be claimed again. A lost lease is no error.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Ends all leases; for a process that knows that it is the only one.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn release_all(&self) -> Result<(), StoreError>;

    /// When the next execution is due; `None` where nothing is left to do. Leased ones count.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn next_due_ms(&self) -> Result<Option<i64>, StoreError>;

    /// At most `most` executions that ended before `ended_before_ms`, oldest first: those that [`forget`](Self::forget) would
    /// remove.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn expired(&self, ended_before_ms: i64, most: u64) -> Result<Vec<Head>, StoreError>;

    /// Removes at most `most` executions that ended before `ended_before_ms`, longest ended first, with their journals, leases
    /// and idempotency keys, and returns their last heads in this order.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn forget(&self, ended_before_ms: i64, most: u64) -> Result<Vec<Head>, StoreError>;

    /// Keeps a document. `created_ms` of one that is replaced is the caller's.
    ///
    /// # Errors
    /// `Exists` or `NotFound` by `rule`; `NameTaken` for a canary config (unless its name is empty); `Unavailable`, `Broken`.
    async fn put_document(&self, document: &Document, rule: PutRule) -> Result<(), StoreError>;

    /// The document, if there is one.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn document(&self, kind: DocumentKind, id: &str) -> Result<Option<Document>, StoreError>;

    /// All documents of a kind, by id, with empty bodies. With applications, only those that belong to one of them.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn documents(
        &self,
        kind: DocumentKind,
        applications: &[String],
    ) -> Result<Vec<Document>, StoreError>;

    /// Removes a document.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`, `Broken`.
    async fn delete_document(&self, kind: DocumentKind, id: &str) -> Result<(), StoreError>;

    /// Whether the store answers.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn check(&self) -> Result<(), StoreError>;
}

/// How many entries the journal must have before these: they are numbered without a hole and end at the head's number.
fn entries_before(entries: &[Entry], head: &Head) -> Result<u64, StoreError> {
    let count = entries.len() as u64;
    let before = head.seq.checked_sub(count);
    match before {
        Some(before) if entries.iter().map(|it| it.seq).eq(before + 1..=head.seq) => Ok(before),
        Some(_) | None => Err(StoreError::Broken {
            doing: "numbering entries",
            cause: format!(
                "found entries numbered {:?}; expected {count} in a row that end at the head's number {}",
                entries.iter().map(|it| it.seq).collect::<Vec<u64>>(),
                head.seq
            )
            .into(),
        }),
    }
}

/// Whether a canary config has the name that `document` wants in an application of it.
fn shares_name(other: &Document, document: &Document) -> bool {
    let mut own = other.applications.iter();
    document.kind == DocumentKind::CanaryConfig
        && other.kind == document.kind
        && other.id != document.id
        && !document.name.is_empty()
        && other.name == document.name
        && own.any(|it| document.applications.contains(it))
}
