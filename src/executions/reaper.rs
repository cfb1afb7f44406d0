//! Removes what releases left behind. Works from the owner tags that drivers find, and from nothing else: it would clean up after
//! a lost database. Several installations can share a place: what carries the name of another one is that one's business, and its
//! time limit's.
//!
//! A release cleans up after itself, whatever happens; so everything that is found here is the trace of a defect, of a database
//! that was lost, or of a person who ended things by force. It is taken out of traffic first, and production is never touched.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Mutex;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::engine::{Engine, with_causes};
use super::release::engine::lock_name;
use super::state::Status;
use crate::drivers::{Driver, DriverError, Fencing, Owned, Progress, Remedy};
use crate::model::ids::{ExecutionId, InstallationId};
use crate::model::release::cluster::{Place, Role, Share, View, Weights};
use crate::model::release::names::GroupName;
use crate::model::release::operation::{Change, OpId, Operation};
use crate::store::StoreError;

/// How the reaper works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaperSettings {
    /// From one look to the next.
    pub every: Duration,
    /// How long something is left that nobody seems to own, counted from when it was seen first: its release may be about to
    /// remove it.
    pub grace: Duration,
    /// Whether it only says what it would do.
    pub dry_run: bool,
}

impl Default for ReaperSettings {
    /// Every minute; two minutes of grace.
    fn default() -> Self {
        Self {
            every: Duration::from_secs(60),
            grace: Duration::from_secs(120),
            dry_run: false,
        }
    }
}

/// What one look came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reaped {
    /// Removed, or about to be: their end is looked at next time.
    pub removed: Vec<Owned>,
    /// Seen, and left for now.
    pub left: Vec<Owned>,
    /// What went wrong, one sentence each. It is tried again for ever.
    pub troubles: Vec<String>,
}

/// Removes what releases left behind.
#[derive(Debug)]
pub struct Reaper {
    engine: Engine,
    installation: InstallationId,
    settings: ReaperSettings,
    /// When something was seen first that nobody seems to own.
    suspects: Mutex<BTreeMap<(Place, GroupName), i64>>,
}

impl Reaper {
    /// Takes the engine whose drivers it looks through, and the name that the engine's releases leave on what they make.
    #[must_use]
    pub fn new(engine: Engine, installation: InstallationId, settings: ReaperSettings) -> Self {
        Self {
            engine,
            installation,
            settings,
            suspects: Mutex::default(),
        }
    }

    /// Looks again and again, until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        loop {
            let reaped = self.look().await;
            for trouble in &reaped.troubles {
                warn!("the reaper could not do its work: {trouble}");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.settings.every) => {}
            }
        }
    }

    /// Looks once at all accounts.
    pub async fn look(&self) -> Reaped {
        let mut reaped = Reaped::default();
        let mut seen = Vec::new();
        let drivers = self.engine.ports().drivers.clone();
        for (account, driver) in drivers.iter() {
            match driver.find_owned().await {
                Ok(owned) => {
                    for owned in owned {
                        seen.push((owned.place.clone(), owned.group.clone()));
                        self.consider(driver.as_ref(), owned, &mut reaped).await;
                    }
                }
                Err(error) => reaped
                    .troubles
                    .push(format!("account `{account}`: {}", with_causes(&error))),
            }
        }
        let mut suspects = self
            .suspects
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        suspects.retain(|suspect, _| seen.contains(suspect));
        #[expect(
            clippy::cast_precision_loss,
            reason = "a count of things that people look at"
        )]
        metrics::gauge!("coalmine_leaked_resources").set(suspects.len() as f64);
        reaped
    }

    async fn consider(&self, driver: &dyn Driver, owned: Owned, reaped: &mut Reaped) {
        let is_ours = owned.installation.as_ref() == Some(&self.installation);
        if !is_ours && owned.installation.is_some() {
            return;
        }
        let now_ms = self.engine.ports().clock.now_ms();
        let expired = owned
            .expires_ms
            .is_some_and(|expires_ms| expires_ms <= now_ms);
        let abandoned = match owned.role {
            // Production is removed by its release, or where its release said until when it is kept.
            Role::Production => false,
            Role::Baseline | Role::Canary => {
                match self.is_abandoned(&owned.execution, is_ours).await {
                    Ok(abandoned) => abandoned,
                    // What is not known is not removed.
                    Err(error) => {
                        reaped.troubles.push(with_causes(&error));
                        return;
                    }
                }
            }
        };
        if !expired && !abandoned {
            return;
        }
        let suspect = (owned.place.clone(), owned.group.clone());
        let since_ms = {
            let mut suspects = self
                .suspects
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            *suspects.entry(suspect).or_insert(now_ms)
        };
        let grace_ms = i64::try_from(self.settings.grace.as_millis()).unwrap_or(i64::MAX);
        if now_ms.saturating_sub(since_ms) < grace_ms || self.settings.dry_run {
            reaped.left.push(owned);
            return;
        }
        match self.remove(driver, &owned).await {
            Ok(true) => {
                info!(
                    "removed `{}`, left by execution `{}`",
                    owned.group, owned.execution
                );
                reaped.removed.push(owned);
            }
            Ok(false) => reaped.left.push(owned),
            Err(error) => {
                reaped.troubles.push(format!("`{}`: {error}", owned.group));
                reaped.left.push(owned);
            }
        }
    }

    /// Whether the execution has ended without removing what it made.
    async fn is_abandoned(
        &self,
        execution: &ExecutionId,
        is_ours: bool,
    ) -> Result<bool, StoreError> {
        let head = self.engine.ports().store.head(execution).await?;
        // One of ours that is unknown was in a database that is lost: an execution is stored before it makes anything. One of whom
        // nothing says that it is ours may be at work elsewhere: then its time limit decides.
        Ok(head.map_or(is_ours, |head| {
            Status::ALL
                .iter()
                .any(|status| status.is_complete() && status.word() == head.status)
        }))
    }

    /// Takes a group out of traffic and removes it; `false` where that must wait.
    async fn remove(&self, driver: &dyn Driver, owned: &Owned) -> Result<bool, String> {
        let name = lock_name(&owned.place);
        let store = &self.engine.ports().store;
        let told = |error: StoreError| with_causes(&error);
        let away = |error: DriverError| with_causes(&error);
        let seen = driver.observe(&owned.place).await.map_err(away)?.fencing;
        // Not taken: a release that begins meanwhile has a greater number, and what is done here is refused from then on.
        let Some(fencing) = store.fence(&name, seen).await.map_err(told)? else {
            // A release is at work there: it, or a later look.
            return Ok(false);
        };
        let removed = self.remove_locked(driver, owned, Fencing(fencing)).await;
        removed.map_err(|error| with_causes(&error))
    }

    async fn remove_locked(
        &self,
        driver: &dyn Driver,
        owned: &Owned,
        fencing: Fencing,
    ) -> Result<bool, DriverError> {
        let view = driver.observe(&owned.place).await?;
        let mut changes = Vec::new();
        if view.share(&owned.group) != Share::NONE {
            let Some(weights) = without(&view, owned) else {
                // Production that serves, or nobody else who could.
                return Ok(false);
            };
            changes.push(Change::SetTraffic { weights });
        }
        let group = owned.group.clone();
        changes.push(Change::Disable {
            group: group.clone(),
        });
        changes.push(Change::DeleteGroup { group });
        for (step, change) in (0_u32..).zip(changes) {
            let operation = Operation {
                place: owned.place.clone(),
                change,
            };
            let id = OpId {
                execution: owned.execution.clone(),
                stage: u32::MAX,
                step,
            };
            if driver.check(&operation, &id).await? == Progress::NotStarted {
                driver.apply(&operation, &id, fencing).await?;
            }
            match driver.check(&operation, &id).await? {
                Progress::Done => {}
                Progress::Failed { why } => {
                    return Err(DriverError::new(Remedy::Retry, why));
                }
                // The next look goes on from here.
                Progress::NotStarted | Progress::InFlight { .. } => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// The traffic without a group: its share goes to the production that is up, in the proportions that it has. `None` where there
/// is none, or where the group is production itself.
fn without(view: &View, owned: &Owned) -> Option<Weights> {
    if owned.role == Role::Production {
        return None;
    }
    let serving: Vec<(&GroupName, u32)> = view
        .groups
        .iter()
        .filter(|group| group.role == Role::Production && group.enabled && group.up() > 0)
        .map(|group| (&group.name, view.share(&group.name).basis_points()))
        .filter(|(_, share)| *share > 0)
        .collect();
    let router = view.router.as_ref()?;
    let mut weights = router.weights.clone();
    let freed = weights
        .insert(owned.group.clone(), Share::NONE)?
        .basis_points();
    let total: u32 = serving.iter().map(|(_, share)| share).sum();
    let (last, first) = serving.split_last()?;
    let mut left = freed;
    for (name, share) in first {
        let part = u64::from(freed) * u64::from(*share) / u64::from(total.max(1));
        let part = u32::try_from(part).unwrap_or(0);
        left = left.saturating_sub(part);
        weights.insert((*name).clone(), Share::new(share.saturating_add(part))?);
    }
    weights.insert(last.0.clone(), Share::new(last.1.saturating_add(left))?);
    weights.remove(&owned.group);
    Some(weights)
}
