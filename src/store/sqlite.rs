//! A store in one SQLite file: the embedded default. One process serves it ([`super::data_dir`] holds the lock).
//!
//! One connection writes, in `BEGIN IMMEDIATE` transactions that are on the disk when they return (write-ahead log, full sync);
//! a few others read beside it. The SQL is common to SQLite and PostgreSQL but for `PRAGMA`, `BEGIN IMMEDIATE`, `VACUUM INTO`
//! and `sqlite_master`, all of which stand in this file, `schema.rs` and `backup.rs`; PostgreSQL will need its own way to keep
//! two writers apart (row locks in `claim`, `append`, `lock` and `put_document`) and the collation `C` for ids.

mod backup;
mod documents;
mod executions;
mod failure;
mod leases;
mod lists;
mod locks;
mod outbox;
mod rows;
mod schema;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};

use super::{
    Accepted, Append, Document, DocumentKind, DueMessage, Entry, Head, HeadFilter, IdempotencyKey,
    Lease, LockAnswer, MessageStanding, MessageState, NewExecution, PutRule, Store, StoreError,
};
use crate::model::ids::ExecutionId;
use failure::failed;

/// How many connections read at the same time.
const READERS: u32 = 4;

/// The log is cut back to this size after a burst, in bytes.
const LOG_BYTES: &str = "67108864";

/// How the file is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqliteOptions {
    /// How long a call waits while somebody else, as a backup program, locks the file; then it is `Unavailable`.
    pub patience: Duration,
    /// Pages of 4 KiB that the file may have; a write that needs more finds the disk full. `None`: as many as the disk has.
    pub most_pages: Option<u32>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(5),
            most_pages: None,
        }
    }
}

/// Keeps everything in a SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    /// How a further connection is made.
    connect: SqliteConnectOptions,
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, makes it where it is absent, and brings an older schema up to date.
    ///
    /// # Errors
    /// `Unavailable` where it cannot be opened or is locked; `Broken` where it is damaged, no database of ours, or written by
    /// a newer version (then its cause is an [`super::Unusable`]).
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, SqliteOptions::default()).await
    }

    /// As [`SqliteStore::open`], otherwise than by default.
    ///
    /// # Errors
    /// Those of [`SqliteStore::open`].
    pub async fn open_with(path: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        let opening = || failed("opening the database");
        let connect = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Full)
            .pragma("journal_size_limit", LOG_BYTES)
            .busy_timeout(options.patience);
        let pool = SqlitePoolOptions::new()
            .acquire_timeout(options.patience.saturating_add(Duration::from_secs(5)))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(is_usable(connection)));
        let mut write = connect.clone();
        if let Some(pages) = options.most_pages {
            write = write.pragma("max_page_count", pages.to_string());
        }
        let writer = pool
            .clone()
            .max_connections(1)
            .connect_with(write)
            .await
            .map_err(opening())?;
        let mut connection = writer.acquire().await.map_err(opening())?;
        schema::bring_up(&mut connection).await?;
        drop(connection);
        let connect = connect.create_if_missing(false);
        let read = connect.clone().pragma("query_only", "ON");
        let readers = pool.max_connections(READERS).connect_lazy_with(read);
        Ok(Self {
            connect,
            writer,
            readers,
        })
    }

    /// Opens the file to read alone, also beside a process that serves it: nothing is made, brought up to date, or written, and what
    /// would write is `Unavailable`.
    ///
    /// # Errors
    /// As of [`SqliteStore::open`]; also `Unavailable` where there is no file, and `Broken` where its schema is an older one.
    pub async fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        let opening = || failed("opening the database");
        let patience = SqliteOptions::default().patience;
        let connect = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .pragma("query_only", "ON")
            .busy_timeout(patience);
        let pool = SqlitePoolOptions::new().acquire_timeout(patience);
        let readers = pool
            .clone()
            .max_connections(READERS)
            .connect_with(connect.clone())
            .await
            .map_err(opening())?;
        let mut connection = readers.acquire().await.map_err(opening())?;
        schema::is_present(&mut connection).await?;
        drop(connection);
        Ok(Self {
            writer: pool.max_connections(1).connect_lazy_with(connect.clone()),
            connect,
            readers,
        })
    }

    /// Waits for what is being written and closes the file; calls that come later are `Unavailable`. Without it nothing is lost,
    /// but the log stays beside the file until it is opened again.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn write(&self, doing: &'static str) -> Result<Transaction<'static, Sqlite>, StoreError> {
        let begun = self.writer.begin_with("BEGIN IMMEDIATE").await;
        begun.map_err(failed(doing))
    }
}

/// A full disk, among others, makes SQLite end a transaction by itself; sqlx counts it as open for ever after, and could neither
/// begin nor end another one. Such a connection is replaced.
async fn is_usable(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // A dropped transaction is rolled back before the answer to this comes.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

#[async_trait]
impl Store for SqliteStore {
    async fn accept(&self, new: &NewExecution) -> Result<Accepted, StoreError> {
        self.accept_one(new).await
    }

    async fn started_by(&self, key: &IdempotencyKey) -> Result<Option<ExecutionId>, StoreError> {
        self.key_known(key).await
    }

    async fn append(&self, append: Append<'_>) -> Result<(), StoreError> {
        self.append_all(append).await
    }

    async fn journal(&self, id: &ExecutionId, after: u64) -> Result<Vec<Entry>, StoreError> {
        self.entries_after(id, after).await
    }

    async fn head(&self, id: &ExecutionId) -> Result<Option<Head>, StoreError> {
        self.head_of(id).await
    }

    async fn heads(&self, filter: &HeadFilter) -> Result<Vec<Head>, StoreError> {
        self.list(filter).await
    }

    async fn count_by_status(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.tally().await
    }

    async fn claim(
        &self,
        worker: &str,
        now_ms: i64,
        until_ms: i64,
        most: u64,
    ) -> Result<Vec<Lease>, StoreError> {
        self.claim_due(worker, now_ms, until_ms, most).await
    }

    async fn renew(&self, lease: &Lease, until_ms: i64) -> Result<Lease, StoreError> {
        self.renew_until(lease, until_ms).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.give_back(lease).await
    }

    async fn release_all(&self) -> Result<(), StoreError> {
        self.give_all_back().await
    }

    async fn next_due_ms(&self) -> Result<Option<i64>, StoreError> {
        self.first_due().await
    }

    async fn lock(
        &self,
        name: &str,
        owner: &ExecutionId,
        preempt: bool,
        seen: u64,
    ) -> Result<LockAnswer, StoreError> {
        self.take_lock(name, owner, preempt, seen).await
    }

    async fn fence(&self, name: &str, seen: u64) -> Result<Option<u64>, StoreError> {
        self.fence_lock(name, seen).await
    }

    async fn lock_owner(&self, name: &str) -> Result<Option<(ExecutionId, u64)>, StoreError> {
        self.owner_of_lock(name).await
    }

    async fn unlock(&self, owner: &ExecutionId) -> Result<(), StoreError> {
        self.free_locks(owner).await
    }

    async fn messages_due(&self, now_ms: i64, most: u64) -> Result<Vec<DueMessage>, StoreError> {
        self.list_due(now_ms, most).await
    }

    async fn message_delivered(&self, key: &str, at_ms: i64) -> Result<(), StoreError> {
        let standing = MessageStanding::Delivered { at_ms };
        self.tried(key, standing, None).await
    }

    async fn message_failed(&self, key: &str, next_ms: i64, error: &str) -> Result<(), StoreError> {
        let standing = MessageStanding::Waiting { due_ms: next_ms };
        self.tried(key, standing, Some(error)).await
    }

    async fn message_given_up(&self, key: &str, at_ms: i64, error: &str) -> Result<(), StoreError> {
        let standing = MessageStanding::GivenUp { at_ms };
        self.tried(key, standing, Some(error)).await
    }

    async fn messages(&self, execution: &ExecutionId) -> Result<Vec<MessageState>, StoreError> {
        self.messages_of(execution).await
    }

    async fn expired(
        &self,
        ended_before_ms: i64,
        skip: u64,
        most: u64,
    ) -> Result<Vec<Head>, StoreError> {
        self.list_expired(ended_before_ms, skip, most).await
    }

    async fn forget(&self, ids: &[ExecutionId]) -> Result<Vec<Head>, StoreError> {
        self.forget_ended(ids).await
    }

    async fn put_document(&self, document: &Document, rule: PutRule) -> Result<(), StoreError> {
        self.keep_document(document, rule).await
    }

    async fn document(&self, kind: DocumentKind, id: &str) -> Result<Option<Document>, StoreError> {
        self.one_document(kind, id).await
    }

    async fn documents(
        &self,
        kind: DocumentKind,
        applications: &[String],
    ) -> Result<Vec<Document>, StoreError> {
        self.list_documents(kind, applications).await
    }

    async fn delete_document(&self, kind: DocumentKind, id: &str) -> Result<(), StoreError> {
        self.remove_document(kind, id).await
    }

    /// Reads, and writes as much as a small entry needs: a full disk answers every question and keeps nothing.
    async fn check(&self) -> Result<(), StoreError> {
        self.tally().await?;
        self.try_writing().await
    }
}
