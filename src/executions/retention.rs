//! Forgets executions that ended long ago, with their judgements and the bundles that nothing else rests on.

use std::collections::BTreeSet;
use std::time::Duration;

use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::engine::{Ports, TurnError, read};
use super::event::Event;
use super::state::{State, Status, judgement_name};
use crate::archive::ArchiveError;
use crate::model::ids::ExecutionId;
use crate::store::{DocumentKind, HeadFilter, StoreError};

/// How many executions are forgotten in one transaction.
const BATCH: u64 = 50;
/// How often a sweep begins.
const SWEEP_EVERY: Duration = Duration::from_secs(15 * 60);
/// How long a plan can be started after it was shown: a week.
const PLANS_MS: i64 = 7 * 86_400_000;
/// Every how many sweeps the archive is searched for bundles that nothing names: once a day.
const ORPHANS_EVERY: u64 = 24 * 4;

/// Forgets, again and again.
#[derive(Debug, Clone)]
pub struct Retention {
    ports: Ports,
    keep: Option<Duration>,
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
    /// Keeps ended executions for as long as `keep` after their end; for ever where it is `None`. Plans of releases, which are
    /// made to be started soon, go after a week in any case: a release that was started has its own.
    #[must_use]
    pub fn new(ports: Ports, keep: impl Into<Option<Duration>>) -> Self {
        Self {
            ports,
            keep: keep.into(),
        }
    }

    /// Sweeps until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        for round in 0_u64.. {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.sweep_and_tell(round) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(SWEEP_EVERY) => {}
            }
        }
    }

    async fn sweep_and_tell(&self, round: u64) {
        match self.sweep().await {
            Ok(0) => {}
            Ok(forgotten) => info!(forgotten, "forgot {forgotten} executions"),
            Err(error) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot forget old executions"
                );
            }
        }
        match self.sweep_plans().await {
            Ok(0) => {}
            Ok(removed) => info!(removed, "removed {removed} plans that are old"),
            Err(error) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot remove old plans"
                );
            }
        }
        if self.keep.is_some() && round.is_multiple_of(ORPHANS_EVERY) {
            match self.sweep_orphans().await {
                Ok(0) => {}
                Ok(removed) => info!(removed, "removed {removed} bundles that nothing names"),
                Err(error) => {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        "cannot look for old bundles"
                    );
                }
            }
        }
    }

    /// Forgets everything that is old enough, and says how many executions that were. The archive is cleaned first, so that a
    /// sweep that is cut off leaves nothing that nobody knows of. What cannot be removed now stays until the next sweep, and
    /// keeps nothing else from going.
    ///
    /// # Errors
    /// `Store`.
    pub async fn sweep(&self) -> Result<u64, SweepError> {
        let Some(keep) = self.keep else {
            return Ok(0);
        };
        let keep_ms = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let before_ms = self.ports.clock.now_ms().saturating_sub(keep_ms);
        let (mut forgotten, mut left) = (0, 0);
        loop {
            let heads = self.ports.store.expired(before_ms, left, BATCH).await?;
            if heads.is_empty() {
                return Ok(forgotten);
            }
            let mut clean = Vec::with_capacity(heads.len());
            for head in heads {
                let kept = self.kept(&head.id).await?;
                match self
                    .ports
                    .archive
                    .remove(&kept.judgements, &kept.bundles)
                    .await
                {
                    Ok(()) => clean.push(head.id),
                    Err(error) => {
                        left += 1;
                        let error = &error as &dyn std::error::Error;
                        warn!(execution.id = %head.id, error, "cannot remove what an old execution kept");
                    }
                }
            }
            let gone = self.ports.store.forget(&clean).await?.len() as u64;
            forgotten += gone;
            metrics::counter!("coalmine_executions_forgotten_total").increment(gone);
        }
    }

    /// Removes the bundles that neither a judgement nor an execution that has not ended needs, and says how many.
    ///
    /// # Errors
    /// All.
    pub async fn sweep_orphans(&self) -> Result<u64, SweepError> {
        let unfinished = Status::ALL
            .into_iter()
            .filter(|status| !status.is_complete());
        // All at once: pages of a list that grows and shrinks miss some.
        let filter = HeadFilter {
            statuses: unfinished.map(|status| status.word().to_owned()).collect(),
            most: u64::MAX,
            ..HeadFilter::default()
        };
        let mut named = BTreeSet::new();
        for head in self.ports.store.heads(&filter).await? {
            named.extend(self.kept(&head.id).await?.bundles);
        }
        Ok(self.ports.archive.remove_orphans(&named).await?)
    }

    /// Removes plans of releases that are older than a week, and says how many.
    ///
    /// # Errors
    /// `Store`.
    pub async fn sweep_plans(&self) -> Result<u64, SweepError> {
        let store = &self.ports.store;
        let before_ms = self.ports.clock.now_ms().saturating_sub(PLANS_MS);
        let mut removed = 0;
        for plan in store.documents(DocumentKind::ReleasePlan, &[]).await? {
            if plan.updated_ms >= before_ms {
                continue;
            }
            match store
                .delete_document(DocumentKind::ReleasePlan, &plan.id)
                .await
            {
                Ok(()) => removed += 1,
                Err(StoreError::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(removed)
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
