//! Ports that fail: before the effect, or after it, so that the caller cannot know whether it took place. Each yields before
//! and after its effect, so that a step can be cut off there.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use coalmine::archive::bundle::Bundle;
use coalmine::archive::{Archive, ArchiveError, JudgementRecord};
use coalmine::model::ids::ExecutionId;
use coalmine::store::memory::MemoryStore;
use coalmine::store::{
    Accepted, Append, Document, DocumentKind, DueMessage, Entry, Head, HeadFilter, IdempotencyKey,
    Lease, LockAnswer, MessageState, NewExecution, PutRule, Store, StoreError,
};
use tokio::task::yield_now;

/// Chance, shared by all ports of one run.
#[derive(Debug, Clone)]
pub(super) struct Chance {
    rng: Arc<Mutex<fastrand::Rng>>,
    calm: Arc<AtomicBool>,
    outage: Arc<AtomicBool>,
    had_outage: Arc<AtomicBool>,
}

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))),
            calm: Arc::default(),
            outage: Arc::default(),
            had_outage: Arc::default(),
        }
    }

    /// From now on nothing fails any more.
    pub(super) fn calm(&self) {
        self.calm.store(true, Ordering::SeqCst);
    }

    /// Begins or ends a time in which the archive cannot be reached at all.
    pub(super) fn turn_outage(&self) {
        self.outage.fetch_xor(true, Ordering::SeqCst);
        self.had_outage.store(true, Ordering::SeqCst);
    }

    pub(super) fn had_outage(&self) -> bool {
        self.had_outage.load(Ordering::SeqCst)
    }

    fn archive_fails(&self) -> bool {
        self.fails(8)
            || self.fails(if self.outage.load(Ordering::SeqCst) {
                100
            } else {
                0
            })
    }

    pub(super) fn below(&self, limit: u64) -> u64 {
        self.rng.lock().unwrap().u64(..limit)
    }

    /// True in `percent` of 100 cases, and never once calm.
    pub(super) fn fails(&self, percent: u64) -> bool {
        !self.calm.load(Ordering::SeqCst) && self.below(100) < percent
    }
}

fn out_of_reach() -> Box<dyn std::error::Error + Send + Sync> {
    Box::new(io::Error::other("simulated"))
}

/// A memory store behind faults.
#[derive(Debug)]
pub(super) struct FaultyStore {
    pub(super) inner: Arc<MemoryStore>,
    pub(super) chance: Chance,
}

impl FaultyStore {
    async fn faulty<T>(
        &self,
        doing: &'static str,
        percent: u64,
        effect: impl AsyncFnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let unavailable = || StoreError::Unavailable {
            doing,
            cause: out_of_reach(),
        };
        yield_now().await;
        if self.chance.fails(percent) {
            return Err(unavailable());
        }
        let answer = effect().await;
        yield_now().await;
        if self.chance.fails(percent) {
            return Err(unavailable());
        }
        answer
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn accept(&self, new: &NewExecution) -> Result<Accepted, StoreError> {
        self.faulty("accepting", 5, async || self.inner.accept(new).await)
            .await
    }
    async fn started_by(&self, key: &IdempotencyKey) -> Result<Option<ExecutionId>, StoreError> {
        self.faulty("reading", 3, async || self.inner.started_by(key).await)
            .await
    }
    async fn append(&self, append: Append<'_>) -> Result<(), StoreError> {
        let append = async || self.inner.append(append).await;
        self.faulty("appending", 8, append).await
    }
    async fn journal(&self, id: &ExecutionId, after: u64) -> Result<Vec<Entry>, StoreError> {
        self.faulty("reading", 3, async || self.inner.journal(id, after).await)
            .await
    }
    async fn head(&self, id: &ExecutionId) -> Result<Option<Head>, StoreError> {
        self.faulty("reading", 3, async || self.inner.head(id).await)
            .await
    }
    async fn heads(&self, filter: &HeadFilter) -> Result<Vec<Head>, StoreError> {
        self.inner.heads(filter).await
    }
    async fn count_by_status(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.inner.count_by_status().await
    }
    async fn claim(
        &self,
        worker: &str,
        now_ms: i64,
        until_ms: i64,
        most: u64,
    ) -> Result<Vec<Lease>, StoreError> {
        let claim = async || self.inner.claim(worker, now_ms, until_ms, most).await;
        self.faulty("claiming", 5, claim).await
    }
    async fn renew(&self, lease: &Lease, until_ms: i64) -> Result<Lease, StoreError> {
        self.faulty("renewing", 5, async || {
            self.inner.renew(lease, until_ms).await
        })
        .await
    }
    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.faulty("releasing", 5, async || self.inner.release(lease).await)
            .await
    }
    async fn release_all(&self) -> Result<(), StoreError> {
        self.inner.release_all().await
    }
    async fn next_due_ms(&self) -> Result<Option<i64>, StoreError> {
        self.inner.next_due_ms().await
    }
    async fn lock(
        &self,
        name: &str,
        owner: &ExecutionId,
        preempt: bool,
    ) -> Result<LockAnswer, StoreError> {
        let lock = async || self.inner.lock(name, owner, preempt).await;
        self.faulty("locking", 5, lock).await
    }
    async fn lock_owner(&self, name: &str) -> Result<Option<(ExecutionId, u64)>, StoreError> {
        self.faulty("reading", 3, async || self.inner.lock_owner(name).await)
            .await
    }
    async fn unlock(&self, owner: &ExecutionId) -> Result<(), StoreError> {
        self.faulty("unlocking", 5, async || self.inner.unlock(owner).await)
            .await
    }
    async fn messages_due(&self, now_ms: i64, most: u64) -> Result<Vec<DueMessage>, StoreError> {
        self.inner.messages_due(now_ms, most).await
    }
    async fn message_delivered(&self, key: &str, at_ms: i64) -> Result<(), StoreError> {
        self.inner.message_delivered(key, at_ms).await
    }
    async fn message_failed(&self, key: &str, next_ms: i64, error: &str) -> Result<(), StoreError> {
        self.inner.message_failed(key, next_ms, error).await
    }
    async fn message_given_up(&self, key: &str, at_ms: i64, error: &str) -> Result<(), StoreError> {
        self.inner.message_given_up(key, at_ms, error).await
    }
    async fn messages(&self, execution: &ExecutionId) -> Result<Vec<MessageState>, StoreError> {
        self.inner.messages(execution).await
    }
    async fn expired(
        &self,
        ended_before_ms: i64,
        skip: u64,
        most: u64,
    ) -> Result<Vec<Head>, StoreError> {
        self.inner.expired(ended_before_ms, skip, most).await
    }
    async fn forget(&self, ids: &[ExecutionId]) -> Result<Vec<Head>, StoreError> {
        self.faulty("forgetting", 5, async || self.inner.forget(ids).await)
            .await
    }
    async fn put_document(&self, document: &Document, rule: PutRule) -> Result<(), StoreError> {
        self.inner.put_document(document, rule).await
    }
    async fn document(&self, kind: DocumentKind, id: &str) -> Result<Option<Document>, StoreError> {
        self.inner.document(kind, id).await
    }
    async fn documents(
        &self,
        kind: DocumentKind,
        applications: &[String],
    ) -> Result<Vec<Document>, StoreError> {
        self.inner.documents(kind, applications).await
    }
    async fn delete_document(&self, kind: DocumentKind, id: &str) -> Result<(), StoreError> {
        self.inner.delete_document(kind, id).await
    }
    async fn check(&self) -> Result<(), StoreError> {
        self.inner.check().await
    }
}

/// An archive in memory behind faults.
#[derive(Debug)]
pub(super) struct FaultyArchive {
    pub(super) chance: Chance,
    pub(super) bundles: Mutex<BTreeMap<String, Bundle>>,
    pub(super) judgements: Mutex<BTreeMap<String, JudgementRecord>>,
    full: AtomicBool,
    held: Mutex<Option<String>>,
}

impl FaultyArchive {
    pub(super) fn new(chance: Chance) -> Self {
        Self {
            chance,
            bundles: Mutex::default(),
            judgements: Mutex::default(),
            full: AtomicBool::new(false),
            held: Mutex::default(),
        }
    }

    /// The judgement that cannot be removed.
    pub(super) fn hold_on_to(&self, name: Option<String>) {
        *self.held.lock().unwrap() = name;
    }

    /// Whether nothing can be kept or read, calm or not.
    pub(super) fn fill(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    async fn faulty<T>(&self, effect: impl FnOnce() -> T) -> Result<T, ArchiveError> {
        let unavailable = || ArchiveError::Unavailable {
            doing: "keeping",
            cause: out_of_reach(),
        };
        yield_now().await;
        if self.full.load(Ordering::SeqCst) || self.chance.archive_fails() {
            return Err(unavailable());
        }
        let answer = effect();
        yield_now().await;
        if self.chance.archive_fails() {
            return Err(unavailable());
        }
        Ok(answer)
    }
}

#[async_trait]
impl Archive for FaultyArchive {
    async fn put_bundle(&self, bundle: &Bundle) -> Result<String, ArchiveError> {
        let id = bundle.id().unwrap();
        let keep = || {
            self.bundles
                .lock()
                .unwrap()
                .insert(id.clone(), bundle.clone())
        };
        self.faulty(keep).await.map(|_| id)
    }
    async fn bundle(&self, id: &str) -> Result<Bundle, ArchiveError> {
        let found = self
            .faulty(|| self.bundles.lock().unwrap().get(id).cloned())
            .await?;
        found.ok_or_else(|| ArchiveError::NotFound {
            what: "bundle",
            id: id.to_owned(),
        })
    }
    async fn put_judgement(
        &self,
        name: &str,
        record: &JudgementRecord,
    ) -> Result<(), ArchiveError> {
        let keep = || {
            self.judgements
                .lock()
                .unwrap()
                .insert(name.to_owned(), record.clone());
        };
        self.faulty(keep).await
    }
    async fn judgement(&self, name: &str) -> Result<JudgementRecord, ArchiveError> {
        let found = self
            .faulty(|| self.judgements.lock().unwrap().get(name).cloned())
            .await?;
        found.ok_or_else(|| ArchiveError::NotFound {
            what: "judgement",
            id: name.to_owned(),
        })
    }
    async fn remove(&self, judgements: &[String], bundles: &[String]) -> Result<(), ArchiveError> {
        if self
            .held
            .lock()
            .unwrap()
            .as_ref()
            .is_some_and(|held| judgements.contains(held))
        {
            return Err(ArchiveError::Unavailable {
                doing: "removing",
                cause: out_of_reach(),
            });
        }
        judgements.iter().for_each(|name| {
            self.judgements.lock().unwrap().remove(name);
        });
        for id in bundles {
            let judgements = self.judgements.lock().unwrap();
            if judgements.values().all(|record| record.bundle_id != *id) {
                self.bundles.lock().unwrap().remove(id);
            }
        }
        Ok(())
    }
    async fn check(&self) -> Result<(), ArchiveError> {
        Ok(())
    }
    async fn remove_orphans(&self, named: &BTreeSet<String>) -> Result<u64, ArchiveError> {
        let judgements = self.judgements.lock().unwrap();
        let used: BTreeSet<&String> = judgements.values().map(|it| &it.bundle_id).collect();
        let mut bundles = self.bundles.lock().unwrap();
        let before = bundles.len();
        bundles.retain(|id, _| used.contains(id) || named.contains(id));
        Ok((before - bundles.len()) as u64)
    }
}
