//! What must outlive the process: the port [`Store`], and one file for each kind of database.
//!
//! A store keeps journals of executions (append-only), leases on them, the locks that they hold, the messages that they send
//! (an outbox), and documents. It knows nothing of what stands in a journal or in a message. Every implementation passes `tests/it/store_contract.rs`.

mod append;
pub mod data_dir;
mod error;
mod installation;
pub mod memory;
mod message;
pub mod sqlite;
mod unusable;

use std::fmt::Debug;

use async_trait::async_trait;
use coalmine_judges::judgement::Verdict;
use serde::{Deserialize, Serialize};

use crate::model::ids::ExecutionId;
pub use append::Append;
pub use error::StoreError;
pub use message::{DueMessage, Message, MessageStanding, MessageState};
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

/// What came of asking for a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockAnswer {
    /// The asker has it.
    Taken {
        /// The number of the taking: greater than every earlier one of this lock, and the same again for who has it already.
        fencing: u64,
    },
    /// Another execution has it; nothing changed.
    Held {
        /// Which.
        owner: ExecutionId,
    },
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
    /// The plan of a release, by its hash.
    ReleasePlan,
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
            Self::ReleasePlan => "release_plan",
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
            Self::ReleasePlan => "release plan",
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

    /// The execution that a request with this key started; `None` where the key is new.
    ///
    /// # Errors
    /// `KeyReused` where it came with another request; `Unavailable`, `Broken`.
    async fn started_by(&self, key: &IdempotencyKey) -> Result<Option<ExecutionId>, StoreError>;

    /// Appends entries and messages, and replaces the head; see [`Append`] for what must hold. A head that has ended frees all
    /// locks of the execution.
    ///
    /// # Errors
    /// The first that holds of `NotFound`; `LostLease`; `Conflict` where the journal does not end just before the first of
    /// the entries; `LostLock` (so who is told of it knows the newest state). `Unavailable`; `Broken`, also where the entries
    /// are not numbered as said or a message is of another execution.
    async fn append(&self, append: Append<'_>) -> Result<(), StoreError>;

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

    /// Takes the lock `name` for an execution that has not ended. A lock has no end of its own: it belongs to its owner until
    /// that gives it back, ends or is forgotten, or until another pre-empts it. Asking again is no new taking. A new taking gets
    /// a number above `seen`, which is the greatest that the place knows: it may know more than a store that was lost.
    ///
    /// # Errors
    /// `NotFound` where the execution is unknown or has ended; `Unavailable`, `Broken`.
    async fn lock(
        &self,
        name: &str,
        owner: &ExecutionId,
        preempt: bool,
        seen: u64,
    ) -> Result<LockAnswer, StoreError>;

    /// A number above every earlier one of the lock, and above `seen`, without taking it; `None` while somebody has it. Whoever
    /// takes it afterwards has a greater one.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn fence(&self, name: &str, seen: u64) -> Result<Option<u64>, StoreError>;

    /// Who has the lock, and by which number; `None` where it is free.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn lock_owner(&self, name: &str) -> Result<Option<(ExecutionId, u64)>, StoreError>;

    /// Frees all locks of an execution; their numbers go on from where they are.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn unlock(&self, owner: &ExecutionId) -> Result<(), StoreError>;

    /// At most `most` messages that are due at `now_ms`, longest due first (the smaller key first where they are due at the same
    /// time). They stay due until it is told what became of them.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn messages_due(&self, now_ms: i64, most: u64) -> Result<Vec<DueMessage>, StoreError>;

    /// A message was delivered at `at_ms`. This and the two that follow change only a message that waits; one that is settled
    /// or unknown stays as it is.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn message_delivered(&self, key: &str, at_ms: i64) -> Result<(), StoreError>;

    /// A message could not be delivered, and is due again at `next_ms`.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn message_failed(&self, key: &str, next_ms: i64, error: &str) -> Result<(), StoreError>;

    /// A message could not be delivered, and is not tried again.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn message_given_up(&self, key: &str, at_ms: i64, error: &str) -> Result<(), StoreError>;

    /// The messages of an execution, oldest first (then by key).
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn messages(&self, execution: &ExecutionId) -> Result<Vec<MessageState>, StoreError>;

    /// At most `most` executions that ended before `ended_before_ms`, oldest first, after the first `skip` of them.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn expired(
        &self,
        ended_before_ms: i64,
        skip: u64,
        most: u64,
    ) -> Result<Vec<Head>, StoreError>;

    /// Removes those of `ids` that have ended, with their journals, leases, locks, idempotency keys and settled messages, and
    /// returns their last heads. Messages that still wait stay until they are settled, and go then. Other executions, and
    /// unknown ones, stay as they are.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn forget(&self, ids: &[ExecutionId]) -> Result<Vec<Head>, StoreError>;

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

/// What there is none of, where a lock is asked for.
const NOT_ENDED: &str = "execution that has not ended, named";

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
