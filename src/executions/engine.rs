//! Makes one step of an execution: commit the intent, do it through a port, append what came of it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use coalmine_judges::judgement::Judgement;
use coalmine_judges::series::MetricSetPair;
use thiserror::Error;
use tokio::sync::broadcast;
use tracing::{info, warn};

use super::command::Command;
use super::event::{Event, UnreadableEvent};
use super::invariants;
use super::release::event::{Cause, Decision, ReleaseEvent};
use super::release::notices;
use super::request::Request;
use super::state::State;
use super::transition::IllegalEvent;
use crate::analysis::task::Analyst;
use crate::archive::Archive;
use crate::clock::Clock;
use crate::config::server::notify::Channel;
use crate::drivers::Drivers;
use crate::model::ids::ExecutionId;
use crate::store::{Append, Entry, Lease, Store, StoreError};

/// The ports that executions work through.
#[derive(Debug, Clone)]
pub struct Ports {
    /// Keeps journals.
    pub store: Arc<dyn Store>,
    /// Keeps bundles and judgements.
    pub archive: Arc<dyn Archive>,
    /// Makes judgements.
    pub analyst: Arc<dyn Analyst>,
    /// Makes judgements of releases from the pages of the very instances that are compared.
    pub observer: Arc<dyn Analyst>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Does the operations of releases; may be empty.
    pub drivers: Drivers,
    /// Who is told of releases.
    pub channels: Arc<[Channel]>,
    /// Says a judgement in one sentence.
    pub headline: Headline,
}

/// Says a judgement of these series in one sentence, as its report does: `error rate rose 3.1x [2.4, 4.0], critical`. Pure; a port
/// because all rounding is the reports' business, and reports stand above what runs.
pub type Headline = fn(&Judgement, &[MetricSetPair]) -> String;

impl Ports {
    /// Who judges for this request.
    #[must_use]
    pub fn analyst_of(&self, request: &Request) -> &Arc<dyn Analyst> {
        match (&request.release, &request.accounts.metrics) {
            (Some(_), None) => &self.observer,
            (Some(_), Some(_)) | (None, _) => &self.analyst,
        }
    }
}

/// Something was appended to the journal of this execution, by this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which execution.
    pub id: ExecutionId,
    /// Number of its last event.
    pub seq: u64,
}

/// Makes steps. Has no state of its own but the ports.
#[derive(Debug, Clone)]
pub struct Engine {
    ports: Ports,
    changes: broadcast::Sender<Change>,
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// The next step can be made at once.
    Again(Box<State>),
    /// There is nothing to do before this moment, in milliseconds since 1970-01-01T00:00:00Z.
    Until(i64),
    /// There is nothing to do.
    Rest,
}

/// Why a step was not made. Nothing is lost: reading the journal again tells what is to be done.
#[derive(Debug, Error)]
pub enum TurnError {
    /// The journal went on without us, or the lease is gone: what was done here is dropped.
    #[error("execution `{0}` went on elsewhere")]
    Overtaken(ExecutionId),
    /// Another release took a place over.
    #[error("the lock `{lock}` is lost")]
    LostLock {
        /// Where the release stood.
        state: Box<State>,
        /// The lock.
        lock: String,
        /// Who holds it now.
        owner: Option<ExecutionId>,
    },
    /// The store does not do its work.
    #[error("cannot go on with the execution")]
    Store(#[from] StoreError),
    /// The journal has an event that cannot be read.
    #[error("the journal of execution `{id}` cannot be read")]
    Unreadable {
        /// Which execution.
        id: ExecutionId,
        /// Why.
        #[source]
        cause: UnreadableEvent,
    },
    /// The journal contradicts itself.
    #[error("the journal contradicts itself")]
    Illegal(#[from] IllegalEvent),
    /// The state would be one that must never be.
    #[error("the execution would break what must always hold: {0}")]
    Invariant(String),
    /// There is no such execution.
    #[error("there is no execution `{0}`")]
    NoExecution(ExecutionId),
}

/// How often an archive or a store that is out of reach is asked again before a step is given up: about eight minutes.
pub(super) const MOST_TRIES: u32 = 20;
/// The longest pause between two such tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often the journal is looked at for news while something is being done: news of this process come at once.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Engine {
    /// Takes the ports.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        let (changes, _) = broadcast::channel(64);
        Self { ports, changes }
    }

    /// The ports.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Follows what this process appends. A slow follower misses some, and must read journals then.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Tells followers of a change.
    pub(super) fn changed(&self, id: &ExecutionId, seq: u64) {
        // Without followers nobody needs to know.
        let _ = self.changes.send(Change {
            id: id.clone(),
            seq,
        });
    }

    /// Where an execution stands, by its journal.
    ///
    /// # Errors
    /// `NoExecution`, `Store`, `Unreadable`, `Illegal`.
    pub async fn load(&self, id: &ExecutionId) -> Result<State, TurnError> {
        let entries = self.ports.store.journal(id, 0).await?;
        let mut events = Vec::with_capacity(entries.len());
        for entry in entries {
            events.push((entry.at_ms, read(id, &entry)?));
        }
        State::replay(id, events)?.ok_or_else(|| TurnError::NoExecution(id.clone()))
    }

    /// Makes one step.
    ///
    /// # Errors
    /// All; after any of them the caller reads the journal again.
    pub async fn step(&self, lease: &Lease, state: State) -> Result<Turn, TurnError> {
        let mut command = state.command();
        if let Some(event) = self.lasted_too_long(&state, &command) {
            command = Command::Record(event);
        }
        if let Some(event) = self.lost_lock(&state, &command).await? {
            command = Command::Record(event);
        }
        while let Command::Later { until_ms, then } = command {
            if self.ports.clock.now_ms() < until_ms {
                return Ok(Turn::Until(until_ms));
            }
            command = *then;
        }
        match command {
            Command::Rest => Ok(Turn::Rest),
            Command::Record(event) => self.record(lease, state, event).await,
            Command::WaitUntil { stage, until_ms } => {
                if self.ports.clock.now_ms() < until_ms {
                    return Ok(Turn::Until(until_ms));
                }
                self.record(lease, state, Event::WaitEnded { stage }).await
            }
            Command::Collect { stage } => self.collect(lease, state, stage).await,
            Command::Judge {
                stage,
                bundle_id,
                told,
            } => self.judge(lease, state, stage, bundle_id, told).await,
            Command::TakeLocks
            | Command::OpenWindow { .. }
            | Command::LookAgain { .. }
            | Command::Ask { .. }
            | Command::SettleSteps { .. }
            | Command::GoOn { .. }
            | Command::Later { .. } => self.release_step(lease, state, command).await,
        }
    }

    /// What tells that another release took a place over, where it did and that is not known yet. Looked at before every step,
    /// so that what is in flight is not mistaken for what the place refuses.
    async fn lost_lock(
        &self,
        state: &State,
        command: &Command,
    ) -> Result<Option<Event>, TurnError> {
        let Some(locks) = state.locks_at_stake() else {
            return Ok(None);
        };
        if matches!(command, Command::Rest) {
            return Ok(None);
        }
        for (lock, number) in locks {
            let owner = self.ports.store.lock_owner(lock).await?;
            let ours = owner
                .as_ref()
                .is_some_and(|(owner, found)| *owner == state.id && found == number);
            if !ours {
                let holder = owner.map_or_else(|| "nobody".to_owned(), |(id, _)| id.to_string());
                return Ok(Some(Event::Release(ReleaseEvent::LockLost {
                    lock: lock.clone(),
                    holder,
                })));
            }
        }
        Ok(None)
    }

    /// The end of a release that lasted too long, unless it is about to be decided anyway.
    fn lasted_too_long(&self, state: &State, command: &Command) -> Option<Event> {
        let ends_ms = state.ends_by_ms()?;
        let is_decision = matches!(
            command,
            Command::Record(Event::Release(ReleaseEvent::Decided { .. }))
        );
        if is_decision || self.ports.clock.now_ms() < ends_ms {
            return None;
        }
        let decision = if state.has_touched() {
            Decision::RolledBack
        } else {
            Decision::Refused
        };
        Some(Event::Release(ReleaseEvent::Decided {
            decision,
            cause: Cause::Time,
            reason: format!("it lasted too long: {}", state.sentence()),
            by: None,
        }))
    }

    pub(super) async fn record(
        &self,
        lease: &Lease,
        state: State,
        event: Event,
    ) -> Result<Turn, TurnError> {
        let state = self.append(Some(lease), state, event).await?;
        Ok(Turn::Again(Box::new(state)))
    }

    /// Runs `work`, unless the journal goes on without us: somebody called the execution off.
    pub(super) async fn unless_overtaken<T>(
        &self,
        state: &State,
        work: impl Future<Output = T>,
    ) -> Result<T, TurnError> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = self.overtaken(state) => Err(TurnError::Overtaken(state.id.clone())),
        }
    }

    async fn overtaken(&self, state: &State) {
        let mut changes = self.changes.subscribe();
        loop {
            let ahead = match self.ports.store.head(&state.id).await {
                Ok(head) => head.is_none_or(|head| head.seq != state.seq),
                // What cannot be read now can be read later.
                Err(_) => false,
            };
            if ahead {
                return;
            }
            let news = async {
                while let Ok(change) = changes.recv().await {
                    if change.id == state.id && change.seq > state.seq {
                        return;
                    }
                }
            };
            let _ = tokio::time::timeout(LOOK_EVERY, news).await;
        }
    }

    /// Appends an event, and gives the state after it. A store that is out of reach may have kept the event all the same: the
    /// journal tells.
    ///
    /// # Errors
    /// All. `Overtaken` where somebody else appended first.
    pub(super) async fn append(
        &self,
        lease: Option<&Lease>,
        state: State,
        event: Event,
    ) -> Result<State, TurnError> {
        self.append_under(lease, &[], state, event).await
    }

    /// The same, only while the execution holds `locks`, by their numbers.
    ///
    /// # Errors
    /// All. `LostLock` where another release took a place over; then nothing was appended.
    pub(super) async fn append_under(
        &self,
        lease: Option<&Lease>,
        locks: &[(String, u64)],
        state: State,
        event: Event,
    ) -> Result<State, TurnError> {
        let id = state.id.clone();
        let at_ms = self.ports.clock.now_ms().max(state.updated_ms);
        let before = (!locks.is_empty()).then(|| Box::new(state.clone()));
        let next = state.apply(&event, at_ms)?;
        let broken = invariants::broken(&next);
        if !broken.is_empty() {
            metrics::counter!("coalmine_invariants_broken_total").increment(1);
            return Err(TurnError::Invariant(broken.join("; ")));
        }
        let body = event.to_json().map_err(|error| TurnError::Unreadable {
            id: id.clone(),
            cause: UnreadableEvent::Malformed(error.to_string()),
        })?;
        let entry = Entry {
            seq: next.seq,
            at_ms,
            body,
        };
        let head = next.head();
        let messages = notices::messages(&next, &event, &self.ports.channels);
        let mut tries = 1;
        loop {
            match self
                .ports
                .store
                .append(Append {
                    lease,
                    locks,
                    messages: &messages,
                    ..Append::new(std::slice::from_ref(&entry), &head)
                })
                .await
            {
                Ok(()) => break,
                Err(StoreError::LostLock { name, owner }) => {
                    return Err(match before {
                        Some(state) => TurnError::LostLock {
                            state,
                            lock: name,
                            owner,
                        },
                        None => TurnError::Overtaken(id),
                    });
                }
                Err(StoreError::Conflict { .. } | StoreError::LostLease(_)) => {
                    return Err(TurnError::Overtaken(id));
                }
                Err(error @ StoreError::Unavailable { .. }) if tries < MOST_TRIES => {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        tries, "the store is out of reach"
                    );
                    tokio::time::sleep(pause(tries)).await;
                    tries += 1;
                    match self.ports.store.journal(&id, entry.seq - 1).await {
                        Ok(since) => match since.first() {
                            Some(kept) if *kept == entry => break,
                            Some(_) => return Err(TurnError::Overtaken(id)),
                            None => {}
                        },
                        Err(StoreError::Unavailable { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(end) = &next.end {
            let status = next.status().word();
            metrics::counter!("coalmine_executions_ended_total", "status" => status).increment(1);
            info!(
                execution.id = %id, status,
                "ended: execution `{id}` is {status}: {}", end.sentence
            );
        }
        self.changed(&id, next.seq);
        Ok(next)
    }
}

/// Reads one entry of a journal.
///
/// # Errors
/// `Unreadable`.
pub fn read(id: &ExecutionId, entry: &Entry) -> Result<Event, TurnError> {
    Event::from_json(&entry.body).map_err(|cause| TurnError::Unreadable {
        id: id.clone(),
        cause,
    })
}

/// 1, 2, 4 … seconds, at most [`LONGEST_PAUSE`].
pub(super) fn pause(tries: u32) -> Duration {
    let secs = 1_u64 << (tries - 1).min(10);
    Duration::from_secs(secs).min(LONGEST_PAUSE)
}

/// An error and everything beneath it, in one line.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(beneath) = cause {
        text.push_str(": ");
        text.push_str(&beneath.to_string());
        cause = beneath.source();
    }
    text
}
