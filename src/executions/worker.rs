//! Looks for executions that are due, holds leases on them, and makes their steps. Several may work on one store.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::engine::{Engine, Turn, TurnError, with_causes};
use crate::store::{Lease, StoreError};

/// How a worker works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerSettings {
    /// Its name; no two workers of one store have the same.
    pub name: String,
    /// How long a lease lasts. It is renewed after a third of that; a worker that died is replaced after all of it.
    pub lease: Duration,
    /// How many executions it works on at once. Waiting ones do not count.
    pub most: u64,
    /// How long it sleeps at most before it looks for work again.
    pub look_every: Duration,
}

/// Looks for work until it is stopped.
#[derive(Debug, Clone)]
pub struct Worker {
    engine: Engine,
    settings: Arc<WorkerSettings>,
}

impl Worker {
    /// Takes an engine.
    #[must_use]
    pub fn new(engine: Engine, settings: WorkerSettings) -> Self {
        Self {
            engine,
            settings: Arc::new(settings),
        }
    }

    /// Works until `stop`. Then what is being done is dropped, which loses nothing, and leases are given back.
    pub async fn run(&self, stop: CancellationToken) {
        let mut changes = self.engine.changes();
        let mut at_work: JoinSet<()> = JoinSet::new();
        let engine = self.engine.clone();
        at_work.spawn(async move {
            if let Err(failure) = engine.watch_unfinished().await {
                warn!(
                    error = &failure as &dyn std::error::Error,
                    "cannot look for what waits"
                );
            }
        });
        while !stop.is_cancelled() {
            let free = self.settings.most.saturating_sub(at_work.len() as u64);
            let pause = match self.claim(free).await {
                Ok(leases) => {
                    for lease in leases {
                        let (worker, stop) = (self.clone(), stop.clone());
                        at_work.spawn(async move { worker.hold(lease, stop).await });
                    }
                    self.pause().await
                }
                Err(failure) => {
                    warn!(
                        error = &failure as &dyn std::error::Error,
                        "cannot look for work"
                    );
                    self.settings.look_every
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(pause) => {}
                // Lagging behind is news, too.
                _ = changes.recv() => {}
                Some(ended) = at_work.join_next() => if let Err(failure) = ended {
                    error!(error = &failure as &dyn std::error::Error, "the work on an execution broke off");
                },
            }
        }
        while at_work.join_next().await.is_some() {}
    }

    async fn claim(&self, most: u64) -> Result<Vec<Lease>, StoreError> {
        if most == 0 {
            return Ok(Vec::new());
        }
        let ports = self.engine.ports();
        let now_ms = ports.clock.now_ms();
        let until_ms = now_ms.saturating_add(self.lease_ms());
        ports
            .store
            .claim(&self.settings.name, now_ms, until_ms, most)
            .await
    }

    fn lease_ms(&self) -> i64 {
        i64::try_from(self.settings.lease.as_millis()).unwrap_or(i64::MAX)
    }

    /// Until the next execution is due, but never longer than it takes to notice a clock that was set.
    async fn pause(&self) -> Duration {
        let ports = self.engine.ports();
        let Ok(Some(due_ms)) = ports.store.next_due_ms().await else {
            return self.settings.look_every;
        };
        let left = due_ms.saturating_sub(ports.clock.now_ms());
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        // What is due and still there is leased, or cannot be taken on now: no reason to spin.
        if left.is_zero() {
            self.settings.look_every
        } else {
            left.min(self.settings.look_every)
        }
    }

    /// Works on one execution for as long as there is something to do, and keeps the lease alive meanwhile.
    async fn hold(&self, lease: Lease, stop: CancellationToken) {
        let id = lease.id.clone();
        let outcome = tokio::select! {
            outcome = self.work(&lease) => Some(outcome),
            () = self.keep(lease.clone()) => None,
            () = stop.cancelled() => Some(Ok(())),
        };
        let give_back = match outcome {
            Some(Ok(())) => true,
            // Somebody else has it.
            None => false,
            // The lease runs out by itself, so that the next try comes after a pause.
            Some(Err(failure)) => {
                error!(execution.id = %id, "cannot work on execution `{id}`: {}", with_causes(&failure));
                metrics::counter!("coalmine_turn_errors_total").increment(1);
                false
            }
        };
        if give_back && let Err(failure) = self.engine.ports().store.release(&lease).await {
            warn!(
                error = &failure as &dyn std::error::Error,
                "cannot give back the lease on execution `{id}`"
            );
        }
        // The one who looks for work sleeps by what it knew before.
        self.engine.changed(&id, 0);
    }

    async fn work(&self, lease: &Lease) -> Result<(), TurnError> {
        loop {
            let mut state = self.engine.load(&lease.id).await?;
            self.engine.watch(&state).await;
            loop {
                match self.engine.step(lease, state).await {
                    Ok(Turn::Again(next)) => state = *next,
                    Ok(Turn::Until(_) | Turn::Rest) => return Ok(()),
                    // Somebody called it off, or the lease is gone: the next claim or append tells which.
                    Err(TurnError::Overtaken(_)) if self.still_holds(lease).await? => break,
                    Err(TurnError::Overtaken(_)) => return Ok(()),
                    Err(failure) => return Err(failure),
                }
            }
        }
    }

    async fn still_holds(&self, lease: &Lease) -> Result<bool, TurnError> {
        let ports = self.engine.ports();
        let until_ms = ports.clock.now_ms().saturating_add(self.lease_ms());
        match ports.store.renew(lease, until_ms).await {
            Ok(_) => Ok(true),
            Err(StoreError::LostLease(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Renews the lease again and again; returns when it is lost.
    async fn keep(&self, mut lease: Lease) {
        let mut ticks = interval(self.settings.lease / 3);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            ticks.tick().await;
            let ports = self.engine.ports();
            let until_ms = ports.clock.now_ms().saturating_add(self.lease_ms());
            match ports.store.renew(&lease, until_ms).await {
                Ok(renewed) => lease = renewed,
                Err(StoreError::LostLease(_)) => return,
                Err(failure) => {
                    warn!(
                        error = &failure as &dyn std::error::Error,
                        "cannot renew a lease"
                    );
                }
            }
        }
    }
}
