//! The way back and the cleanup, with their effects: which steps they have follows from what was done and from what is there,
//! and each place goes on by itself.

use std::time::Duration;

use super::engine::{Held, lock_name, no_release};
use super::event::{Cause, Decision, Hold, ReleaseEvent};
use crate::executions::command::Lane;
use crate::executions::engine::{Engine, Turn, TurnError};
use crate::executions::state::State;
use crate::model::release::cluster::View;
use crate::model::release::operation::Operation;
use crate::model::release::step::Step;
use crate::stages::Stage;
use crate::stages::operate::Purpose;
use crate::stages::plan::Release;
use crate::store::{Lease, LockAnswer};
use crate::strategies::{self, Outcome, Touched};

impl Engine {
    /// Settles the steps of a stage from what was done and what is there.
    pub(super) async fn settle_steps(
        &self,
        lease: &Lease,
        state: State,
        stage: usize,
    ) -> Result<Turn, TurnError> {
        let Some(release) = state.request.release.clone() else {
            return Err(no_release(&state));
        };
        let present = self.present(&release).await;
        let cleans = matches!(
            state.request.stages.get(stage),
            Some(Stage::Operate(operate)) if operate.purpose == Purpose::CleanUp
        );
        let is_lost = state
            .release
            .as_ref()
            .is_some_and(|it| it.lost_to.is_some());
        let unseen = release.targets.iter().zip(&present);
        let unseen = unseen.filter(|(_, view)| view.is_none()).map(|it| it.0);
        if let Some(target) = unseen.take(usize::from(cleans && is_lost)).next() {
            // What is left of it there decides what it has to do, and it is settled once.
            let held = Held {
                hold: Hold::Driver,
                why: format!("target `{}` is out of reach", target.name),
                until_ms: None,
                most_ms: None,
                cause: Cause::Operation,
                step: None,
            };
            return self.hold_up(lease, state, held).await;
        }
        let steps = if cleans && is_lost {
            match self.master_again(&state, &release, &present).await? {
                Ok(is_ours) => {
                    // What was seen before the place was ours may have changed since.
                    let present = match is_ours.contains(&true) {
                        true => self.present(&release).await,
                        false => present,
                    };
                    strategies::superseded(
                        &release,
                        is_promoted(&state),
                        &state.touched_steps(),
                        &present,
                        &is_ours,
                    )
                }
                Err(held) => return self.hold_up(lease, state, held).await,
            }
        } else {
            state
                .late_steps(stage, &present)
                .ok_or_else(|| no_release(&state))?
        };
        let event = ReleaseEvent::StepsSettled { stage, steps };
        self.happened(lease, state, event).await
    }

    /// What is there, target by target; `None` where that cannot be seen now.
    async fn present(&self, release: &Release) -> Vec<Option<View>> {
        let looks = release.targets.iter().map(|target| async {
            let found = self.find([&target.place]).await.ok()?;
            found.into_iter().next().map(|found| found.view)
        });
        futures_util::future::join_all(looks).await
    }

    /// For each target, whether the release needed to be, and is, its master again after it had lost it; or what it waits for.
    async fn master_again(
        &self,
        state: &State,
        release: &Release,
        present: &[Option<View>],
    ) -> Result<Result<Vec<bool>, Held>, TurnError> {
        let owing =
            strategies::is_owing(release, is_promoted(state), &state.touched_steps(), present);
        let mut is_ours = vec![false; release.targets.len()];
        // In one order for all, as at the start of every release.
        let mut places: Vec<(usize, String)> = release
            .targets
            .iter()
            .enumerate()
            .filter(|(place, _)| owing.get(*place).copied().unwrap_or_default())
            .map(|(place, target)| (place, lock_name(&target.place)))
            .collect();
        places.sort_by(|(_, a), (_, b)| a.cmp(b));
        for (place, name) in places {
            let seen = present.get(place).and_then(Option::as_ref);
            let seen = seen.map_or(0, |view| view.fencing);
            match self
                .ports()
                .store
                .lock(&name, &state.id, false, seen)
                .await?
            {
                LockAnswer::Taken { .. } => {
                    if let Some(ours) = is_ours.get_mut(place) {
                        *ours = true;
                    }
                }
                LockAnswer::Held { owner } => {
                    // Nobody waits for what this one took meanwhile.
                    self.ports().store.unlock(&state.id).await?;
                    return Ok(Err(Held {
                        hold: Hold::Lock,
                        why: format!(
                            "release `{owner}` is at work on `{name}`; what this one left in production is taken out after it"
                        ),
                        until_ms: None,
                        most_ms: None,
                        cause: Cause::NotAllowed,
                        step: None,
                    }));
                }
            }
        }
        Ok(Ok(is_ours))
    }

    /// Goes on at each place by itself: intends what can be intended, and performs what is intended, all at once, until the
    /// first of them comes to an end or another is due.
    pub(super) async fn go_on(
        &self,
        lease: &Lease,
        state: State,
        stage: usize,
        lanes: &[Lane],
    ) -> Result<Turn, TurnError> {
        let now_ms = self.ports().clock.now_ms();
        let (due, later): (Vec<&Lane>, Vec<&Lane>) =
            lanes.iter().partition(|lane| lane.not_before_ms <= now_ms);
        if let Some(lane) = due.iter().find(|lane| !lane.is_intended) {
            return self.intend(lease, state, stage, lane.step).await;
        }
        let next_ms = later.iter().map(|lane| lane.not_before_ms).min();
        if due.is_empty() {
            return Ok(next_ms.map_or(Turn::Rest, Turn::Until));
        }
        // Dropping the others is like a crash: they are asked after before they are applied again.
        let all = due
            .iter()
            .map(|lane| Box::pin(self.attempt(&state, stage, lane.step)));
        let first = futures_util::future::select_all(all);
        let ended = match next_ms {
            None => first.await.0?,
            Some(next_ms) => {
                let pause_ms = u64::try_from(next_ms.saturating_sub(now_ms)).unwrap_or(0);
                tokio::select! {
                    biased;
                    (ended, ..) = first => ended?,
                    () = tokio::time::sleep(Duration::from_millis(pause_ms)) => {
                        return Ok(Turn::Until(next_ms));
                    }
                }
            }
        };
        match ended {
            Some(event) => self.happened(lease, state, event).await,
            None => Ok(Turn::Until(
                self.ports().clock.now_ms().saturating_add(1_000),
            )),
        }
    }

    /// Whether an operation of the cleanup concerns what another release has taken over: everything but our baseline and canary,
    /// unless this release is master of the place again.
    pub(super) async fn is_anothers(
        &self,
        state: &State,
        purpose: Purpose,
        operation: &Operation,
    ) -> Result<bool, TurnError> {
        let Some(release) = state.release.as_ref().filter(|it| it.lost_to.is_some()) else {
            return Ok(false);
        };
        if purpose != Purpose::CleanUp || is_side(state, operation) {
            return Ok(false);
        }
        // What was settled while production was ours rests on what is not so any more.
        if !release.settled_after_loss {
            return Ok(true);
        }
        let name = lock_name(&operation.place);
        Ok(
            match self.ports().store.lock(&name, &state.id, false, 0).await? {
                LockAnswer::Taken { .. } => false,
                LockAnswer::Held { .. } => true,
            },
        )
    }
}

fn is_promoted(state: &State) -> bool {
    let decided = state.release.as_ref().and_then(|it| it.decided.as_ref());
    decided.is_some_and(|it| it.decision == Decision::Promoted)
}

/// Whether an operation concerns the release's own baseline or canary.
pub(super) fn is_side(state: &State, operation: &Operation) -> bool {
    let Some(group) = operation.change.group() else {
        return false;
    };
    state.request.release.iter().any(|release| {
        release.targets.iter().any(|target| {
            target.place == operation.place
                && [&target.baseline, &target.canary]
                    .into_iter()
                    .flatten()
                    .any(|it| it == group)
        })
    })
}

impl State {
    /// All steps that were ever intended.
    #[must_use]
    pub fn touched_steps(&self) -> Vec<Touched<'_>> {
        let mut touched = Vec::new();
        for (_, operate, at) in self.operations() {
            touched.extend(at.touched().map(|(step, _)| Touched {
                step,
                purpose: operate.purpose,
            }));
        }
        touched
    }

    /// The steps that take back or clean up, as they follow from what was done so far and from what is there, target by target,
    /// where that is known; `None` where `stage` is no such stage. Shown at any time, and executed once they are settled.
    #[must_use]
    pub fn late_steps(&self, stage: usize, present: &[Option<View>]) -> Option<Vec<Step>> {
        let release = self.request.release.as_deref()?;
        let Some(Stage::Operate(operate)) = self.request.stages.get(stage) else {
            return None;
        };
        let touched = self.touched_steps();
        match operate.purpose {
            Purpose::RollBack => Some(strategies::rollback(release, &touched, present)),
            Purpose::CleanUp => {
                let release_state = self.release.as_ref()?;
                let decided = release_state.decided.as_ref();
                let outcome = match decided.map(|it| it.decision) {
                    // Production is another's now, whatever was decided before.
                    _ if release_state.lost_to.is_some() => Outcome::Superseded,
                    Some(Decision::Promoted) => Outcome::Promoted,
                    Some(Decision::Refused) => Outcome::Untouched,
                    Some(Decision::Superseded) => Outcome::Superseded,
                    Some(Decision::RolledBack | Decision::CalledOff) | None => Outcome::TakenBack,
                };
                Some(strategies::cleanup(release, outcome, &touched, present))
            }
            Purpose::Deploy | Purpose::Promote => None,
        }
    }
}
