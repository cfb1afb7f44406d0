//! The steps that only releases have, with their effects: locks, drift, holds, questions.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{Cause, Decision, Hold, ReleaseEvent};
use super::operate::Looked;
use crate::config::release::spec::Limits;
use crate::drivers::DriverError;
use crate::executions::command::Command;
use crate::executions::engine::{Engine, Turn, TurnError, with_causes};
use crate::executions::event::Event;
use crate::executions::state::State;
use crate::model::ids::ExecutionId;
use crate::model::release::cluster::Place;
use crate::model::release::window::Moment;
use crate::stages::Stage;
use crate::stages::plan::{Plan, Release};
use crate::store::{Lease, LockAnswer};
use crate::strategies::{self, Drift, Found};

/// The shortest and the longest pause before it is looked again at what holds a release up, in milliseconds.
const LOOK_AGAIN_MS: (i64, i64) = (1_000, 30_000);

/// The name of the lock on a place.
#[must_use]
pub fn lock_name(place: &Place) -> String {
    format!("{}/{}/{}", place.account, place.location, place.cluster)
}

impl Engine {
    /// Makes one step that only a release has.
    pub(in crate::executions) async fn release_step(
        &self,
        lease: &Lease,
        state: State,
        command: Command,
    ) -> Result<Turn, TurnError> {
        match command {
            Command::TakeLocks => self.take_locks(lease, state).await,
            Command::OpenWindow { stage } => self.open_window(lease, state, stage).await,
            Command::LookAgain { stage } => self.look_again(lease, state, stage).await,
            Command::Ask { stage } => self.ask(lease, state, stage).await,
            Command::SettleSteps { stage } => self.settle_steps(lease, state, stage).await,
            Command::GoOn { stage, lanes } => self.go_on(lease, state, stage, &lanes).await,
            Command::Record(_)
            | Command::WaitUntil { .. }
            | Command::Collect { .. }
            | Command::Judge { .. }
            | Command::Later { .. }
            | Command::Rest => Err(TurnError::Invariant(
                "a step of every execution was taken for one of releases".to_owned(),
            )),
        }
    }

    pub(super) async fn happened(
        &self,
        lease: &Lease,
        state: State,
        event: ReleaseEvent,
    ) -> Result<Turn, TurnError> {
        self.record(lease, state, Event::Release(event)).await
    }

    /// Writes down that the release cannot go on now. Where that has lasted for `most_ms`, it is decided instead.
    pub(super) async fn hold_up(
        &self,
        lease: &Lease,
        state: State,
        held: Held,
    ) -> Result<Turn, TurnError> {
        let now_ms = self.ports().clock.now_ms();
        let since_ms = state
            .release
            .as_ref()
            .and_then(|release| match &held.step {
                Some(step) => release.held_steps.get(step),
                None => release.held_up.as_ref(),
            })
            .filter(|before| before.hold == held.hold)
            .map_or(now_ms, |before| before.since_ms);
        let lasted_ms = now_ms.saturating_sub(since_ms);
        let undecided = state
            .release
            .as_ref()
            .is_some_and(|release| release.decided.is_none());
        if let Some(most_ms) = held.most_ms
            && undecided
            && lasted_ms >= i64::try_from(most_ms).unwrap_or(i64::MAX)
        {
            let decision = if state.has_touched() {
                Decision::RolledBack
            } else {
                Decision::Refused
            };
            let event = ReleaseEvent::Decided {
                decision,
                cause: held.cause,
                reason: held.why,
                by: None,
            };
            return self.happened(lease, state, event).await;
        }
        let (shortest, longest) = LOOK_AGAIN_MS;
        let pause_ms = (lasted_ms / 4).clamp(shortest, longest);
        let until_ms = held
            .until_ms
            .map_or(now_ms.saturating_add(pause_ms), |until| {
                until.max(now_ms.saturating_add(shortest))
            });
        let event = ReleaseEvent::HeldUp {
            hold: held.hold,
            why: held.why,
            until_ms,
            step: held.step,
        };
        self.happened(lease, state, event).await
    }

    async fn take_locks(&self, lease: &Lease, state: State) -> Result<Turn, TurnError> {
        let Some(plan) = state.request.plan() else {
            return Err(no_release(&state));
        };
        let limits = plan.release.spec.limits.clone();
        // Before anything is locked: nobody else needs to wait for a window of ours.
        if let Some(held) = self.closed(&plan.release.spec.windows, &[Moment::Start]) {
            return self.hold_up(lease, state, held).await;
        }
        // In one order for all, so that two releases never hold one lock each and wait for the other's.
        let names: BTreeSet<String> = plan
            .release
            .targets
            .iter()
            .map(|target| lock_name(&target.place))
            .collect();
        let places = plan.release.targets.iter().map(|target| &target.place);
        let found = match self.find(places).await {
            Ok(found) => found,
            Err(error) => return self.driver_away(lease, state, &error, &limits, None).await,
        };
        // A release that takes over from others does not do so for what cannot be done.
        if state.request.preempts
            && let gone = told(strategies::gone(&plan, &found))
            && !gone.is_empty()
        {
            return self.not_as_planned(lease, state, &gone).await;
        }
        if state.request.preempts
            && let Some(wider) = self.wider(&plan.release, &state.id).await?
        {
            let event = ReleaseEvent::Decided {
                decision: Decision::Refused,
                cause: Cause::NotAllowed,
                reason: wider,
                by: None,
            };
            return self.happened(lease, state, event).await;
        }
        let mut seen = BTreeMap::new();
        for found in &found {
            seen.insert(lock_name(&found.view.place), found.view.fencing);
        }
        let mut fencing = BTreeMap::new();
        for name in names {
            let preempts = state.request.preempts;
            let seen = seen.get(&name).copied().unwrap_or(0);
            let lock = self.ports().store.lock(&name, &state.id, preempts, seen);
            match lock.await? {
                LockAnswer::Taken { fencing: number } => {
                    fencing.insert(name, number);
                }
                LockAnswer::Held { owner } => {
                    self.ports().store.unlock(&state.id).await?;
                    let held = Held {
                        hold: Hold::Lock,
                        why: format!("release `{owner}` is at work on `{name}`"),
                        until_ms: None,
                        most_ms: Some(limits.lock_ms),
                        cause: Cause::NotAllowed,
                        step: None,
                    };
                    return self.hold_up(lease, state, held).await;
                }
            }
        }
        if state.request.preempts {
            // It brings back a state and takes over from whoever was changing it: what it found is no condition.
            let event = ReleaseEvent::LocksTaken { fencing };
            return self.happened(lease, state, event).await;
        }
        match self.drift(&plan).await {
            Err(error) => self.driver_away(lease, state, &error, &limits, None).await,
            Ok(found) if found.is_empty() => {
                let event = ReleaseEvent::LocksTaken { fencing };
                self.happened(lease, state, event).await
            }
            Ok(found) => self.not_as_planned(lease, state, &found).await,
        }
    }

    /// Why a release that takes over from others may not: one of them is at work at more places than it would take over, and
    /// what that began there nobody would bring to an end. `asks` is not looked at.
    ///
    /// # Errors
    /// As for reading journals.
    pub(super) async fn wider(
        &self,
        release: &Release,
        asks: &ExecutionId,
    ) -> Result<Option<String>, TurnError> {
        let taken: BTreeSet<String> = release
            .targets
            .iter()
            .map(|target| lock_name(&target.place))
            .collect();
        for name in &taken {
            let Some((owner, _)) = self.ports().store.lock_owner(name).await? else {
                continue;
            };
            if owner == *asks {
                continue;
            }
            let other = self.load(&owner).await?;
            let locks = other.locks_at_stake().into_iter().flatten();
            let more: Vec<String> = locks
                .filter(|(lock, _)| !taken.contains(*lock))
                .map(|(lock, _)| format!("`{lock}`"))
                .collect();
            if !more.is_empty() {
                return Ok(Some(format!(
                    "release `{owner}` is at work on `{name}`, and on {} too, which would stay as it is half-way (hint: take that one back first: `coalmine release rollback {owner}`)",
                    more.join(", ")
                )));
            }
        }
        Ok(None)
    }

    async fn not_as_planned(
        &self,
        lease: &Lease,
        state: State,
        drifts: &[String],
    ) -> Result<Turn, TurnError> {
        let event = ReleaseEvent::Decided {
            decision: Decision::Refused,
            cause: Cause::NotAllowed,
            reason: format!(
                "the place is not as the plan found it: {}; make a new plan",
                drifts.join("; ")
            ),
            by: None,
        };
        self.happened(lease, state, event).await
    }

    /// What changed since the plan was made.
    async fn drift(&self, plan: &Plan) -> Result<Vec<String>, DriverError> {
        let found = self
            .find(plan.release.targets.iter().map(|it| &it.place))
            .await?;
        Ok(told(strategies::drift(plan, &found)))
    }

    /// Looks at places, all at once.
    ///
    /// # Errors
    /// The first driver that is out of reach.
    pub async fn find<'a>(
        &self,
        places: impl IntoIterator<Item = &'a Place>,
    ) -> Result<Vec<Found>, DriverError> {
        let looks = places.into_iter().map(|place| async move {
            let driver = self.ports().drivers.of(&place.account)?;
            Ok(Found {
                view: driver.observe(place).await?,
                abilities: driver.abilities(),
            })
        });
        futures_util::future::try_join_all(looks).await
    }

    pub(super) async fn driver_away(
        &self,
        lease: &Lease,
        state: State,
        error: &DriverError,
        limits: &Limits,
        step: Option<(usize, usize)>,
    ) -> Result<Turn, TurnError> {
        let held = Held {
            hold: Hold::Driver,
            why: with_causes(error),
            until_ms: None,
            most_ms: Some(limits.operation_ms),
            cause: Cause::Operation,
            step,
        };
        self.hold_up(lease, state, held).await
    }

    async fn ask(&self, lease: &Lease, state: State, stage: usize) -> Result<Turn, TurnError> {
        let Some(Stage::Approve(approve)) = state.request.stages.get(stage) else {
            return Err(no_release(&state));
        };
        let time_ms = i64::try_from(approve.deadline_ms).unwrap_or(i64::MAX);
        let now_ms = self.ports().clock.now_ms().max(state.updated_ms);
        let event = ReleaseEvent::Asked {
            stage,
            deadline_ms: now_ms.saturating_add(time_ms),
        };
        self.happened(lease, state, event).await
    }

    /// Observes a place for an operation, and says how to go on where it cannot be done.
    pub(super) async fn look(&self, place: &Place) -> Looked {
        match self.find([place]).await {
            Ok(found) => match found.into_iter().next() {
                Some(found) => Looked::At(Box::new(found.view)),
                None => Looked::Away(DriverError::new(
                    crate::drivers::Remedy::Retry,
                    "the driver answered nothing",
                )),
            },
            Err(error) => Looked::Away(error),
        }
    }
}

/// What holds a release up, before it is written down.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) hold: Hold,
    pub(super) why: String,
    /// When it is known to be over, in milliseconds since 1970-01-01T00:00:00Z.
    pub(super) until_ms: Option<i64>,
    /// After how many milliseconds an undecided release gives up.
    pub(super) most_ms: Option<u64>,
    /// Why it is decided then.
    pub(super) cause: Cause,
    /// The one operation that is held up, where others go on: its stage and its step.
    pub(super) step: Option<(usize, usize)>,
}

fn told(drifts: Vec<Drift>) -> Vec<String> {
    drifts
        .into_iter()
        .map(|drift| format!("target `{}`: {}", drift.target, drift.sentence))
        .collect()
}

pub(super) fn no_release(state: &State) -> TurnError {
    TurnError::Invariant(format!(
        "execution `{}` has no such stage of a release",
        state.id
    ))
}
