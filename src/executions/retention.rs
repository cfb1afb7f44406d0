//! Forgets executions that ended long ago, with their judgements and the bundles that nothing else rests on.

use std::time::Duration;

use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::engine::{Ports, TurnError, read};
use super::event::Event;
use super::state::{State, judgement_name};
use crate::archive::ArchiveError;
use crate::model::ids::ExecutionId;
use crate::store::StoreError;

/// How many executions are forgotten in one transaction.
const BATCH: u64 = 50;
/// How often a sweep begins.
const SWEEP_EVERY: Duration = Duration::from_secs(15 * 60);

/// Forgets, again and again.
#[derive(Debug, Clone)]
pub struct Retention {
    ports: Ports,
    keep: Duration,
}

/// Why a sweep broke off. The next one goes on where it stopped.
#[derive(Debug, Error)]
pub enum SweepError {
    /// The store does not do its work.
    #[error("cannot forget executions")]
    Store(#[from] StoreError),
    /// The archive does not do its work.
    #[error("cannot remove old bundles and judgements")]
    Archive(#[from] ArchiveError),
}

/// What the archive keeps of one execution.
#[derive(Debug, Default)]
struct Kept {
    judgements: Vec<String>,
    bundles: Vec<String>,
}

impl Retention {
    /// Keeps ended executions for as long as `keep` after their end.
    #[must_use]
    pub fn new(ports: Ports, keep: Duration) -> Self {
        Self { ports, keep }
    }

    /// Sweeps until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => {}
                swept = self.sweep() => match swept {
                    Ok(0) => {}
                    Ok(forgotten) => info!(forgotten, "forgot {forgotten} executions"),
                    Err(error) => warn!(error = &error as &dyn std::error::Error, "cannot forget old executions"),
                },
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(SWEEP_EVERY) => {}
            }
        }
    }

    /// Forgets everything that is old enough, and says how many executions that were. The archive is cleaned first, so that a
    /// sweep that is cut off leaves nothing that nobody knows of.
    ///
    /// # Errors
    /// All.
    pub async fn sweep(&self) -> Result<u64, SweepError> {
        let keep_ms = i64::try_from(self.keep.as_millis()).unwrap_or(i64::MAX);
        let before_ms = self.ports.clock.now_ms().saturating_sub(keep_ms);
        let mut forgotten = 0;
        loop {
            let heads = self.ports.store.expired(before_ms, BATCH).await?;
            if heads.is_empty() {
                return Ok(forgotten);
            }
            for head in &heads {
                let kept = self.kept(&head.id).await?;
                self.ports
                    .archive
                    .remove(&kept.judgements, &kept.bundles)
                    .await?;
            }
            let count = heads.len() as u64;
            forgotten += self.ports.store.forget(before_ms, count).await?.len() as u64;
            metrics::counter!("coalmine_executions_forgotten_total").increment(count);
        }
    }

    /// By the journal. One that cannot be read any more is forgotten all the same; what it kept stays in the archive.
    async fn kept(&self, id: &ExecutionId) -> Result<Kept, StoreError> {
        let entries = self.ports.store.journal(id, 0).await?;
        let events: Result<Vec<(i64, Event)>, TurnError> = entries
            .iter()
            .map(|entry| Ok((entry.at_ms, read(id, entry)?)))
            .collect();
        let state = events.map(|events| State::replay(id, events));
        let Ok(Ok(Some(state))) = state else {
            warn!(execution.id = %id, "the journal of execution `{id}` cannot be read; its bundles stay");
            return Ok(Kept::default());
        };
        let mut kept = Kept::default();
        for (analyze, at) in state.analyses() {
            if let Some(bundle) = at.bundle_id() {
                kept.bundles.push(bundle.to_owned());
                // The judgement may be there even where nothing speaks of it: the process ended just before.
                kept.judgements.push(judgement_name(id, analyze.number));
            }
        }
        Ok(kept)
    }
}
