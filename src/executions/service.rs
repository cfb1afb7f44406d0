//! What everybody else talks to: start executions, look at them, call them off.

use std::fmt::Debug;
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::broadcast;

use super::engine::{Change, Engine, TurnError, read};
use super::event::Event;
use super::request::Request;
use super::state::{State, judgement_name};
use crate::archive::ArchiveError;
use crate::archive::bundle::Saved;
use crate::model::clean::clean;
use crate::model::ids::ExecutionId;
use crate::store::{Accepted, Entry, Head, HeadFilter, IdempotencyKey, NewExecution, StoreError};

/// Longest name, and longest reason, that the journal keeps of somebody who calls an execution off, in characters. Journal, list
/// and pages carry them for ever.
pub const LONGEST_WORDS: usize = 200;

/// Makes ids.
pub trait IdSource: Debug + Send + Sync {
    /// A new id, never given before; `now_ms` is in milliseconds since 1970-01-01T00:00:00Z.
    fn next_id(&self, now_ms: i64) -> ExecutionId;
}

/// ULIDs: time and 80 bits of chance.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ulids;

impl IdSource for Ulids {
    fn next_id(&self, now_ms: i64) -> ExecutionId {
        let millis = u64::try_from(now_ms).unwrap_or_default();
        let chance = u128::from(fastrand::u64(..)) << 64 | u128::from(fastrand::u64(..));
        ExecutionId::new(ulid::Ulid::from_parts(millis, chance).to_string())
    }
}

/// Starts, shows and cancels executions. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Executions {
    engine: Engine,
    ids: Arc<dyn IdSource>,
    limits: Limits,
}

/// What is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Executions that have not ended.
    pub most_unfinished: u64,
}

impl Default for Limits {
    /// 10,000 unfinished executions.
    fn default() -> Self {
        Self {
            most_unfinished: 10_000,
        }
    }
}

/// An execution that was started, now or before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Its id.
    pub id: ExecutionId,
    /// Whether an earlier request with the same idempotency key started it.
    pub before: bool,
}

/// Why an execution was not started.
#[derive(Debug, Error)]
pub enum StartError {
    /// There are too many that have not ended.
    #[error("{unfinished} executions have not ended; at most {most} may run at once")]
    TooMany {
        /// How many there are.
        unfinished: u64,
        /// How many there may be.
        most: u64,
    },
    /// The idempotency key came before with another request, or the store does not do its work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The request cannot be written down.
    #[error("the request cannot be written as JSON")]
    Unwritable(#[from] serde_json::Error),
}

/// What came of a request to call an execution off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    /// It will end.
    Requested,
    /// It had ended, or was called off before; nothing changed.
    NothingToDo,
}

/// Why a judgement cannot be shown.
#[derive(Debug, Error)]
pub enum ShowError {
    /// The execution cannot be read.
    #[error(transparent)]
    Execution(#[from] TurnError),
    /// Bundle or judgement cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// They do not belong together.
    #[error("the judgement in the archive is damaged")]
    Damaged(#[from] crate::archive::bundle::SavedError),
}

impl Executions {
    /// Takes an engine.
    #[must_use]
    pub fn new(engine: Engine, ids: Arc<dyn IdSource>, limits: Limits) -> Self {
        Self {
            engine,
            ids,
            limits,
        }
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Accepts a request. When this returns, the execution survives everything.
    ///
    /// # Errors
    /// All.
    pub async fn start(
        &self,
        request: Request,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Started, StartError> {
        let ports = self.engine.ports();
        if let Some(key) = &idempotency
            && let Some(before) = self.started_by(key).await?
        {
            return Ok(before);
        }
        self.check_room().await?;
        let now_ms = ports.clock.now_ms();
        let id = self.ids.next_id(now_ms);
        let request = Box::new(request);
        let body = Event::Accepted {
            request: request.clone(),
        }
        .to_json()?;
        let state = State::accepted(id.clone(), request, now_ms);
        let new = NewExecution {
            head: state.head(),
            first: Entry {
                seq: 1,
                at_ms: now_ms,
                body,
            },
            idempotency,
        };
        Ok(match ports.store.accept(&new).await? {
            Accepted::New => {
                let kind = state.request.kind.word();
                metrics::counter!("coalmine_executions_started_total", "kind" => kind).increment(1);
                tracing::info!(execution.id = %id, kind, "accepted: execution `{id}`");
                self.engine.changed(&id, 1);
                Started { id, before: false }
            }
            Accepted::Before(id) => Started { id, before: true },
        })
    }

    /// What a request with this key started before. A client that repeats itself should hear this before anything else, also where
    /// the request would be refused by now.
    ///
    /// # Errors
    /// `KeyReused` where the key came with another request; what else the store can say.
    pub async fn started_by(&self, key: &IdempotencyKey) -> Result<Option<Started>, StoreError> {
        let id = self.engine.ports().store.started_by(key).await?;
        Ok(id.map(|id| Started { id, before: true }))
    }

    async fn check_room(&self) -> Result<(), StartError> {
        use super::state::Status;
        let counts = self.engine.ports().store.count_by_status().await?;
        let complete = |word: &str| {
            Status::ALL
                .iter()
                .any(|status| status.word() == word && status.is_complete())
        };
        let unfinished = counts
            .iter()
            .filter(|(word, _)| !complete(word))
            .map(|(_, n)| n)
            .sum();
        let most = self.limits.most_unfinished;
        if unfinished >= most {
            return Err(StartError::TooMany { unfinished, most });
        }
        Ok(())
    }

    /// Where an execution stands; `None` where there is none with this id.
    ///
    /// # Errors
    /// Those of [`Engine::load`] but `NoExecution`.
    pub async fn find(&self, id: &ExecutionId) -> Result<Option<State>, TurnError> {
        match self.engine.load(id).await {
            Ok(state) => Ok(Some(state)),
            Err(TurnError::NoExecution(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The events of an execution with numbers above `after`, with their numbers and times in milliseconds since
    /// 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// `Store`, `Unreadable`.
    pub async fn events(
        &self,
        id: &ExecutionId,
        after: u64,
    ) -> Result<Vec<(u64, i64, Event)>, TurnError> {
        let entries = self.engine.ports().store.journal(id, after).await?;
        entries
            .iter()
            .map(|entry| Ok((entry.seq, entry.at_ms, read(id, entry)?)))
            .collect()
    }

    /// Follows what happens. A change without number (0) means: look again.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.engine.changes()
    }

    /// Lists executions, newest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self, filter: &HeadFilter) -> Result<Vec<Head>, StoreError> {
        self.engine.ports().store.heads(filter).await
    }

    /// Calls an execution off. It ends within a second if a worker is there. Of name and reason at most [`LONGEST_WORDS`]
    /// characters are kept.
    ///
    /// # Errors
    /// `NoExecution`; everything else that the engine can say.
    pub async fn cancel(
        &self,
        id: &ExecutionId,
        by: &str,
        reason: &str,
    ) -> Result<CancelOutcome, TurnError> {
        loop {
            let state = self.engine.load(id).await?;
            if state.end.is_some() || state.cancel.is_some() {
                return Ok(CancelOutcome::NothingToDo);
            }
            let event = Event::CancelRequested {
                by: kept(by, LONGEST_WORDS),
                reason: kept(reason, LONGEST_WORDS),
            };
            match self.engine.append(None, state, event).await {
                Ok(_) => return Ok(CancelOutcome::Requested),
                // It went on meanwhile; its journal grows only a few times, so this ends.
                Err(TurnError::Overtaken(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Lets an execution that is stuck try again. `false` where it is not stuck. `by` may carry a reason: at most twice
    /// [`LONGEST_WORDS`] characters are kept.
    ///
    /// # Errors
    /// `NoExecution`; everything else that the engine can say.
    pub async fn resume(&self, id: &ExecutionId, by: &str) -> Result<bool, TurnError> {
        loop {
            let state = self.engine.load(id).await?;
            if state.stuck.is_none() || state.end.is_some() {
                return Ok(false);
            }
            let by = kept(by, 2 * LONGEST_WORDS);
            match self.engine.append(None, state, Event::Resumed { by }).await {
                Ok(_) => return Ok(true),
                Err(TurnError::Overtaken(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Judgement `number` of an execution, with its bundle; `None` where it is not there (yet).
    ///
    /// # Errors
    /// An archive that is out of reach or damaged.
    pub async fn saved(&self, id: &ExecutionId, number: u32) -> Result<Option<Saved>, ShowError> {
        let archive = &self.engine.ports().archive;
        let record = match archive.judgement(&judgement_name(id, number)).await {
            Ok(record) => record,
            Err(ArchiveError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let bundle = archive.bundle(&record.bundle_id).await?;
        Ok(Some(Saved::assemble(bundle, record)?))
    }
}

/// What a person said, fit to be kept and shown: cut after `most` characters, nothing hidden in it.
pub(super) fn kept(text: &str, most: usize) -> String {
    let text = text.trim();
    let mut kept: String = text.chars().take(most).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    clean(&kept)
}
