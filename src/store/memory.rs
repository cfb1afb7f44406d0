//! A store that lives as long as the process: for tests, simulations and trying out.

mod locks;
mod outbox;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use self::locks::Locks;
use self::outbox::Outbox;
use super::append::entries_before;
use super::{
    Accepted, Append, Document, DocumentKind, DueMessage, Entry, Head, HeadFilter, IdempotencyKey,
    Lease, LockAnswer, MessageStanding, MessageState, NOT_ENDED, NewExecution, PutRule, Store,
    StoreError, shares_name,
};
use crate::model::ids::ExecutionId;

/// Keeps everything in memory; nothing outlives it. Every call is one short critical section.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    executions: BTreeMap<ExecutionId, Execution>,
    /// When what is due, so that neither a claim nor a list looks at what has ended.
    due: BTreeSet<(i64, ExecutionId)>,
    made: BTreeSet<(i64, ExecutionId)>,
    ended: BTreeSet<(i64, ExecutionId)>,
    keys: BTreeMap<String, (String, ExecutionId)>,
    documents: BTreeMap<(DocumentKind, String), Document>,
    locks: Locks,
    outbox: Outbox,
}

#[derive(Debug)]
struct Execution {
    head: Head,
    journal: Vec<Entry>,
    /// The number of the newest claim, also of one that was given back.
    fencing: u64,
    /// Who holds it, and until when.
    held: Option<(String, i64)>,
    key: Option<String>,
}

impl Execution {
    fn is_held_by(&self, lease: &Lease) -> bool {
        let worker = self.held.as_ref().map(|(worker, _)| worker);
        self.head.id == lease.id && self.fencing == lease.fencing && worker == Some(&lease.worker)
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A call that panicked while it held the state has not changed half of it: all that can fail comes before the first change.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn started_by(&self, key: &IdempotencyKey) -> Result<Option<ExecutionId>, StoreError> {
        match self.keys.get(&key.key) {
            None => Ok(None),
            Some((fingerprint, id)) if *fingerprint == key.fingerprint => Ok(Some(id.clone())),
            Some(_) => Err(StoreError::KeyReused(key.key.clone())),
        }
    }

    fn index(&mut self, head: &Head) {
        self.made.insert((head.created_ms, head.id.clone()));
        if let Some(due_ms) = head.due_ms {
            self.due.insert((due_ms, head.id.clone()));
        }
        if let Some(ended_ms) = head.ended_ms {
            self.ended.insert((ended_ms, head.id.clone()));
        }
    }

    fn unindex(&mut self, head: &Head) {
        self.made.remove(&(head.created_ms, head.id.clone()));
        if let Some(due_ms) = head.due_ms {
            self.due.remove(&(due_ms, head.id.clone()));
        }
        if let Some(ended_ms) = head.ended_ms {
            self.ended.remove(&(ended_ms, head.id.clone()));
        }
    }

    fn tried(&mut self, key: &str, standing: MessageStanding, error: Option<&str>) {
        let executions = &self.executions;
        let is_kept = |id: &ExecutionId| executions.contains_key(id);
        self.outbox.tried(key, standing, error, is_kept);
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn accept(&self, new: &NewExecution) -> Result<Accepted, StoreError> {
        entries_before(std::slice::from_ref(&new.first), &new.head)?;
        let mut state = self.state();
        if let Some(key) = &new.idempotency
            && let Some(id) = state.started_by(key)?
        {
            return Ok(Accepted::Before(id));
        }
        let id = &new.head.id;
        if state.executions.contains_key(id) {
            return Err(StoreError::Exists {
                what: "execution",
                id: id.to_string(),
            });
        }
        if let Some(IdempotencyKey { key, fingerprint }) = &new.idempotency {
            let value = (fingerprint.clone(), id.clone());
            state.keys.insert(key.clone(), value);
        }
        state.index(&new.head);
        let execution = Execution {
            head: new.head.clone(),
            journal: vec![new.first.clone()],
            fencing: 0,
            held: None,
            key: new.idempotency.as_ref().map(|key| key.key.clone()),
        };
        state.executions.insert(id.clone(), execution);
        Ok(Accepted::New)
    }

    async fn started_by(&self, key: &IdempotencyKey) -> Result<Option<ExecutionId>, StoreError> {
        self.state().started_by(key)
    }

    async fn append(&self, append: Append<'_>) -> Result<(), StoreError> {
        let expected = append.entries_before()?;
        let head = append.head;
        let mut state = self.state();
        let State {
            executions,
            locks,
            outbox,
            ..
        } = &mut *state;
        let Some(execution) = executions.get_mut(&head.id) else {
            return Err(StoreError::NotFound {
                what: "execution",
                id: head.id.to_string(),
            });
        };
        if append
            .lease
            .is_some_and(|lease| !execution.is_held_by(lease))
        {
            return Err(StoreError::LostLease(head.id.clone()));
        }
        let found = execution.head.seq;
        if found != expected {
            return Err(StoreError::Conflict {
                id: head.id.clone(),
                found,
                expected,
            });
        }
        locks.must_be_held(&head.id, append.locks)?;
        if head.ended_ms.is_some() {
            locks.free(&head.id);
        }
        outbox.put(append.messages);
        execution.journal.extend_from_slice(append.entries);
        let before = std::mem::replace(&mut execution.head, head.clone());
        state.unindex(&before);
        state.index(head);
        Ok(())
    }

    async fn journal(&self, id: &ExecutionId, after: u64) -> Result<Vec<Entry>, StoreError> {
        let state = self.state();
        let Some(execution) = state.executions.get(id) else {
            return Ok(Vec::new());
        };
        let known = usize::try_from(after).unwrap_or(usize::MAX);
        let journal = &execution.journal;
        Ok(journal[known.min(journal.len())..].to_vec())
    }

    async fn head(&self, id: &ExecutionId) -> Result<Option<Head>, StoreError> {
        let state = self.state();
        Ok(state.executions.get(id).map(|it| it.head.clone()))
    }

    async fn heads(&self, filter: &HeadFilter) -> Result<Vec<Head>, StoreError> {
        let state = self.state();
        let any_or = |words: &[String], word: &String| words.is_empty() || words.contains(word);
        let wanted = |head: &&Head| {
            let application = filter.application.as_ref();
            application.is_none_or(|it| *it == head.application)
                && any_or(&filter.statuses, &head.status)
                && any_or(&filter.kinds, &head.kind)
        };
        let newest = state.made.iter().rev();
        Ok(newest
            .filter_map(|(_, id)| state.executions.get(id).map(|it| &it.head))
            .filter(wanted)
            .skip(usize::try_from(filter.skip).unwrap_or(usize::MAX))
            .take(usize::try_from(filter.most).unwrap_or(usize::MAX))
            .cloned()
            .collect())
    }

    async fn count_by_status(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let state = self.state();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for execution in state.executions.values() {
            *counts.entry(&execution.head.status).or_default() += 1;
        }
        let owned = |(status, count): (&str, u64)| (status.to_owned(), count);
        Ok(counts.into_iter().map(owned).collect())
    }

    async fn claim(
        &self,
        worker: &str,
        now_ms: i64,
        until_ms: i64,
        most: u64,
    ) -> Result<Vec<Lease>, StoreError> {
        let mut state = self.state();
        let State {
            executions, due, ..
        } = &mut *state;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut leases = Vec::new();
        for (_, id) in due.iter().take_while(|(due_ms, _)| *due_ms <= now_ms) {
            if leases.len() == most {
                break;
            }
            let Some(execution) = executions.get_mut(id) else {
                continue;
            };
            let held_until = execution.held.as_ref().map(|(_, until_ms)| *until_ms);
            if held_until.is_some_and(|until_ms| until_ms > now_ms) {
                continue;
            }
            execution.fencing += 1;
            execution.held = Some((worker.to_owned(), until_ms));
            leases.push(Lease {
                id: id.clone(),
                worker: worker.to_owned(),
                fencing: execution.fencing,
                until_ms,
            });
        }
        Ok(leases)
    }

    async fn renew(&self, lease: &Lease, until_ms: i64) -> Result<Lease, StoreError> {
        let mut state = self.state();
        match state.executions.get_mut(&lease.id) {
            Some(execution) if execution.is_held_by(lease) => {
                execution.held = Some((lease.worker.clone(), until_ms));
                Ok(Lease {
                    until_ms,
                    ..lease.clone()
                })
            }
            Some(_) | None => Err(StoreError::LostLease(lease.id.clone())),
        }
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let mut state = self.state();
        if let Some(execution) = state.executions.get_mut(&lease.id)
            && execution.is_held_by(lease)
        {
            execution.held = None;
        }
        Ok(())
    }

    async fn release_all(&self) -> Result<(), StoreError> {
        for execution in self.state().executions.values_mut() {
            execution.held = None;
        }
        Ok(())
    }

    async fn next_due_ms(&self) -> Result<Option<i64>, StoreError> {
        Ok(self.state().due.first().map(|(due_ms, _)| *due_ms))
    }

    async fn lock(
        &self,
        name: &str,
        owner: &ExecutionId,
        preempt: bool,
    ) -> Result<LockAnswer, StoreError> {
        let mut state = self.state();
        match state.executions.get(owner) {
            Some(execution) if execution.head.ended_ms.is_none() => {
                Ok(state.locks.take(name, owner, preempt))
            }
            Some(_) | None => Err(StoreError::NotFound {
                what: NOT_ENDED,
                id: owner.to_string(),
            }),
        }
    }

    async fn lock_owner(&self, name: &str) -> Result<Option<(ExecutionId, u64)>, StoreError> {
        Ok(self.state().locks.owner(name))
    }

    async fn unlock(&self, owner: &ExecutionId) -> Result<(), StoreError> {
        self.state().locks.free(owner);
        Ok(())
    }

    async fn messages_due(&self, now_ms: i64, most: u64) -> Result<Vec<DueMessage>, StoreError> {
        Ok(self.state().outbox.due(now_ms, most))
    }

    async fn message_delivered(&self, key: &str, at_ms: i64) -> Result<(), StoreError> {
        let standing = MessageStanding::Delivered { at_ms };
        self.state().tried(key, standing, None);
        Ok(())
    }

    async fn message_failed(&self, key: &str, next_ms: i64, error: &str) -> Result<(), StoreError> {
        let standing = MessageStanding::Waiting { due_ms: next_ms };
        self.state().tried(key, standing, Some(error));
        Ok(())
    }

    async fn message_given_up(&self, key: &str, at_ms: i64, error: &str) -> Result<(), StoreError> {
        let standing = MessageStanding::GivenUp { at_ms };
        self.state().tried(key, standing, Some(error));
        Ok(())
    }

    async fn messages(&self, execution: &ExecutionId) -> Result<Vec<MessageState>, StoreError> {
        Ok(self.state().outbox.of(execution))
    }

    async fn expired(
        &self,
        ended_before_ms: i64,
        skip: u64,
        most: u64,
    ) -> Result<Vec<Head>, StoreError> {
        let state = self.state();
        let old = state.ended.iter();
        let old = old.take_while(|(ended_ms, _)| *ended_ms < ended_before_ms);
        let old = old.filter_map(|(_, id)| state.executions.get(id));
        let old = old.skip(usize::try_from(skip).unwrap_or(usize::MAX));
        let old = old.take(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(old.map(|execution| execution.head.clone()).collect())
    }

    async fn forget(&self, ids: &[ExecutionId]) -> Result<Vec<Head>, StoreError> {
        let mut state = self.state();
        let mut gone = Vec::new();
        for id in ids {
            let known = state.executions.get(id);
            if known.is_none_or(|execution| execution.head.ended_ms.is_none()) {
                continue;
            }
            if let Some(execution) = state.executions.remove(id) {
                state.unindex(&execution.head);
                if let Some(key) = execution.key {
                    state.keys.remove(&key);
                }
                state.locks.free(id);
                state.outbox.forget(id);
                gone.push(execution.head);
            }
        }
        Ok(gone)
    }

    async fn put_document(&self, document: &Document, rule: PutRule) -> Result<(), StoreError> {
        let mut state = self.state();
        let place = (document.kind, document.id.clone());
        let (what, id) = (document.kind.noun(), document.id.clone());
        match (rule, state.documents.contains_key(&place)) {
            (PutRule::Create, true) => return Err(StoreError::Exists { what, id }),
            (PutRule::Replace, false) => return Err(StoreError::NotFound { what, id }),
            (PutRule::Create, false) | (PutRule::Replace, true) => {}
        }
        if let Some(other) = state
            .documents
            .values()
            .find(|other| shares_name(other, document))
        {
            return Err(StoreError::NameTaken {
                name: other.name.clone(),
                applications: other.applications.clone(),
            });
        }
        state.documents.insert(place, document.clone());
        Ok(())
    }

    async fn document(&self, kind: DocumentKind, id: &str) -> Result<Option<Document>, StoreError> {
        let state = self.state();
        Ok(state.documents.get(&(kind, id.to_owned())).cloned())
    }

    async fn documents(
        &self,
        kind: DocumentKind,
        applications: &[String],
    ) -> Result<Vec<Document>, StoreError> {
        let state = self.state();
        let wanted = |document: &&Document| {
            let mut own = document.applications.iter();
            document.kind == kind
                && (applications.is_empty() || own.any(|it| applications.contains(it)))
        };
        let without_body = |document: &Document| Document {
            body: String::new(),
            id: document.id.clone(),
            name: document.name.clone(),
            applications: document.applications.clone(),
            ..*document
        };
        let documents = state.documents.values().filter(wanted);
        Ok(documents.map(without_body).collect())
    }

    async fn delete_document(&self, kind: DocumentKind, id: &str) -> Result<(), StoreError> {
        let removed = self.state().documents.remove(&(kind, id.to_owned()));
        removed.map(drop).ok_or_else(|| StoreError::NotFound {
            what: kind.noun(),
            id: id.to_owned(),
        })
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
