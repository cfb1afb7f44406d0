//! Operations, with their effects: guards are looked at under the lock and immediately before the intent; the intent is written
//! before the effect; what is in flight is asked after, and never applied anew before it was.

use std::time::Duration;

use tracing::{info, warn};

use super::engine::{Held, lock_name};
use super::event::{Cause, Decision, Hold, ReleaseEvent};
use super::expectation::unexpected;
use super::late::is_side;
use crate::config::release::spec::GuardSpec;
use crate::drivers::{DriverError, Fencing, Progress, Remedy};
use crate::executions::engine::{Engine, Turn, TurnError, with_causes};
use crate::executions::event::Event;
use crate::executions::state::State;
use crate::guards::traffic::{self, Finding};
use crate::guards::windows::{self, Opening};
use crate::model::release::cluster::{Share, View};
use crate::model::release::operation::{Change, OpId, Operation};
use crate::model::release::step::Step;
use crate::model::release::window::{Moment, Windows};
use crate::stages::operate::{Purpose, StepState};
use crate::stages::{Stage, StageState};
use crate::store::{Lease, LockAnswer};

/// What a look at a place came to.
pub(super) enum Looked {
    /// It was seen.
    At(Box<View>),
    /// It was not.
    Away(DriverError),
}

/// How the reason begins where an operation was given up because its time was over.
pub(super) const TOO_LONG: &str = "it took too long: ";

/// How long the traffic guard may hold up a release that is not decided, in milliseconds: what it sees may be passing.
const GUARD_MS: u64 = 30_000;

/// Pauses between two looks at an operation that is in flight: the first, and the longest.
const LOOKS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// How often an operation is looked at in one step of the engine; then others have their turn.
const MOST_LOOKS: u32 = 200;

/// How long a step that must succeed is left alone after it failed, at most, in milliseconds.
const LONGEST_PAUSE_MS: i64 = 60_000;

/// Everything about one step.
struct At<'a> {
    step: &'a Step,
    state: &'a StepState,
    purpose: Purpose,
}

fn at(state: &State, stage: usize, step: usize) -> Result<At<'_>, TurnError> {
    let found = match (state.request.stages.get(stage), state.stages.get(stage)) {
        (Some(Stage::Operate(operate)), Some(StageState::Operate(progress))) => {
            let steps = progress.steps.as_deref().unwrap_or_default();
            steps
                .get(step)
                .zip(progress.at.get(step))
                .map(|(step, state)| At {
                    step,
                    state,
                    purpose: operate.purpose,
                })
        }
        (
            Some(Stage::Operate(_) | Stage::Wait(_) | Stage::Analyze(_) | Stage::Approve(_)) | None,
            _,
        ) => None,
    };
    found.ok_or_else(|| {
        TurnError::Invariant(format!(
            "stage {stage} of execution `{}` has no step {step}",
            state.id
        ))
    })
}

impl Engine {
    /// Looks at the guards and writes down that the operation will be applied.
    pub(super) async fn intend(
        &self,
        lease: &Lease,
        state: State,
        stage: usize,
        step: usize,
    ) -> Result<Turn, TurnError> {
        let found = at(&state, stage, step)?;
        let (purpose, planned) = (found.purpose, found.step.clone());
        let one = purpose.is_settled_late().then_some((stage, step));
        let Some(spec) = state.request.release.as_ref().map(|it| it.spec.clone()) else {
            return Err(TurnError::Invariant("no release".to_owned()));
        };
        if let Some(held) = self.window(&state, purpose, stage, step, &spec.windows) {
            return self.hold_up(lease, state, held).await;
        }
        let view = match self.look(&planned.operation.place).await {
            Looked::At(view) => view,
            Looked::Away(error) => {
                return self
                    .driver_away(lease, state, &error, &spec.limits, one)
                    .await;
            }
        };
        if !purpose.is_settled_late()
            && !state.request.preempts
            && let Some(expect) = &planned.expect
            && let Some(why) = unexpected(&state, &view, expect)
        {
            let decision = if state.has_touched() {
                Decision::RolledBack
            } else {
                Decision::Refused
            };
            let event = ReleaseEvent::Decided {
                decision,
                cause: Cause::NotAllowed,
                reason: format!("somebody else changed the place: {why}"),
                by: None,
            };
            return self.happened(lease, state, event).await;
        }
        let found = if self
            .is_anothers(&state, purpose, &planned.operation)
            .await?
        {
            // It will not be applied: the place has another master.
            Finding::NotConcerned
        } else {
            guarded(&view, &planned.operation.change, purpose, &spec.guard)
        };
        let guard = match found {
            Finding::Holds { sentence } => sentence,
            Finding::NotConcerned => String::new(),
            Finding::Denied { sentence } => {
                metrics::counter!("coalmine_guard_denials_total").increment(1);
                warn!(execution.id = %state.id, "denied: {sentence}");
                let held = Held {
                    hold: Hold::Guard,
                    why: format!("the traffic guard denies it: {sentence}"),
                    until_ms: None,
                    most_ms: Some(GUARD_MS),
                    cause: Cause::NotAllowed,
                    step: one,
                };
                return self.hold_up(lease, state, held).await;
            }
        };
        let now_ms = self.ports().clock.now_ms().max(state.updated_ms);
        let longest_ms = i64::try_from(planned.longest_ms).unwrap_or(i64::MAX);
        let event = Event::Release(ReleaseEvent::OperationIntended {
            stage,
            step,
            deadline_ms: now_ms.saturating_add(longest_ms),
            guard,
        });
        // Whose baseline and canary are removed holds no lock any more where another release took it over.
        let locks = match purpose {
            Purpose::CleanUp => Vec::new(),
            Purpose::Deploy | Purpose::Promote | Purpose::RollBack => held_locks(&state),
        };
        match self.append_under(Some(lease), &locks, state, event).await {
            Ok(state) => Ok(Turn::Again(Box::new(state))),
            Err(TurnError::LostLock { state, lock, owner }) => {
                let holder = owner.map_or_else(|| "nobody".to_owned(), |id| id.to_string());
                let event = ReleaseEvent::LockLost { lock, holder };
                self.happened(lease, *state, event).await
            }
            Err(error) => Err(error),
        }
    }

    /// The window that is closed for a step, if one is.
    fn window(
        &self,
        state: &State,
        purpose: Purpose,
        stage: usize,
        step: usize,
        rules: &Windows,
    ) -> Option<Held> {
        let promoted_before = state
            .operations()
            .any(|(place, operate, _)| place < stage && operate.purpose == Purpose::Promote);
        let mut moments = Vec::new();
        match purpose {
            Purpose::Deploy | Purpose::Promote if !state.has_touched() => {
                moments.push(Moment::Start);
            }
            Purpose::Deploy | Purpose::Promote | Purpose::RollBack | Purpose::CleanUp => {}
        }
        // Once a promotion has begun, it is not stopped half-way by a window that closes.
        if purpose == Purpose::Promote && step == 0 && !promoted_before {
            moments.push(Moment::Promote);
        }
        self.closed(rules, &moments)
    }

    /// The first of the moments for which no window is open.
    pub(super) fn closed(&self, rules: &Windows, moments: &[Moment]) -> Option<Held> {
        let now_ms = self.ports().clock.now_ms();
        let (why, until_ms) =
            moments
                .iter()
                .find_map(|moment| match windows::opening(rules, *moment, now_ms) {
                    Ok(Opening::Open { .. }) => None,
                    Ok(Opening::Closed { opens_ms, why }) => Some((why, opens_ms)),
                    // A rule that cannot be read opens nothing.
                    Err(bad) => Some((bad.to_string(), None)),
                })?;
        Some(Held {
            hold: Hold::Window,
            why,
            until_ms,
            most_ms: None,
            cause: Cause::NotAllowed,
            step: None,
        })
    }

    /// Works on one operation for a while; `None` where it came to no end.
    pub(super) async fn attempt(
        &self,
        state: &State,
        stage: usize,
        step: usize,
    ) -> Result<Option<ReleaseEvent>, TurnError> {
        let found = at(state, stage, step)?;
        let StepState::Intended {
            deadline_ms,
            failures,
            ..
        } = *found.state
        else {
            return Err(TurnError::Invariant(
                "an operation without an intent".to_owned(),
            ));
        };
        let (purpose, operation) = (found.purpose, found.step.operation.clone());
        let id = op_id(state, stage, step);
        let end = self
            .bring_to_end(state, purpose, &operation, &id, deadline_ms)
            .await?;
        Ok(match end {
            End::Done => {
                info!(execution.id = %state.id, "done: {}", found.step.sentence);
                Some(ReleaseEvent::OperationDone { stage, step })
            }
            End::NotYet => None,
            End::Failed(why) => {
                warn!(execution.id = %state.id, "failed: {}: {why}", found.step.sentence);
                let again_ms = purpose.is_settled_late().then(|| {
                    let pause_ms = (1_000_i64 << failures.min(10)).min(LONGEST_PAUSE_MS);
                    self.ports()
                        .clock
                        .now_ms()
                        .max(state.updated_ms)
                        .saturating_add(pause_ms)
                });
                Some(ReleaseEvent::OperationFailed {
                    stage,
                    step,
                    why,
                    again_ms,
                })
            }
        })
    }

    async fn bring_to_end(
        &self,
        state: &State,
        purpose: Purpose,
        operation: &Operation,
        id: &OpId,
        deadline_ms: i64,
    ) -> Result<End, TurnError> {
        let driver = match self.ports().drivers.of(&operation.place.account) {
            Ok(driver) => driver,
            Err(error) => return Ok(End::Failed(with_causes(&error))),
        };
        if self.is_anothers(state, purpose, operation).await? {
            return Ok(End::Done);
        }
        let rule = state.spec().map(|spec| spec.guard.clone());
        let Some(fencing) = self.fencing(state, purpose, operation).await? else {
            return Ok(End::Done);
        };
        let mut why = "nothing is known of it yet".to_owned();
        let mut pause = LOOKS.0;
        for _ in 0..MOST_LOOKS {
            let progress = self
                .unless_overtaken(state, driver.check(operation, id))
                .await?;
            match progress {
                Ok(Progress::Done) => return Ok(End::Done),
                Ok(Progress::Failed { why }) => {
                    return Ok(self.unless_gone(purpose, operation, why).await);
                }
                Ok(Progress::InFlight { why: waits }) => why = waits,
                Ok(Progress::NotStarted) => {
                    // The intent may be old: a process that was away for an hour finds another place.
                    let is_late = self.ports().clock.now_ms() >= deadline_ms;
                    if is_late && !purpose.is_settled_late() {
                        return Ok(End::Failed(format!(
                            "its time was over before it was done: {why}"
                        )));
                    }
                    match self.denied(operation, purpose, rule.as_ref()).await {
                        Ok(None) => {}
                        Ok(Some(sentence)) => {
                            return Ok(End::Failed(format!(
                                "the traffic guard denies it: {sentence}"
                            )));
                        }
                        Err(error) => {
                            why = told(&error);
                            self.unless_overtaken(state, tokio::time::sleep(pause))
                                .await?;
                            pause = (pause * 2).min(LOOKS.1);
                            continue;
                        }
                    }
                    // Not cut off by a person's wish: an effect that comes after its undoing would stay.
                    match driver.apply(operation, id, fencing).await {
                        Ok(()) => "it was applied".clone_into(&mut why),
                        Err(error) if error.remedy == Remedy::GiveUp => {
                            let why = told(&error);
                            return Ok(self.unless_gone(purpose, operation, why).await);
                        }
                        Err(error) => why = told(&error),
                    }
                }
                Err(error) if error.remedy == Remedy::GiveUp => {
                    return Ok(self.unless_gone(purpose, operation, told(&error)).await);
                }
                Err(error) => why = told(&error),
            }
            // What must succeed is looked at anew after each deadline, and said to be late.
            if self.ports().clock.now_ms() >= deadline_ms && !purpose.is_settled_late() {
                return Ok(End::Failed(format!("{TOO_LONG}{why}")));
            }
            self.unless_overtaken(state, tokio::time::sleep(pause))
                .await?;
            pause = (pause * 2).min(LOOKS.1);
        }
        if self.ports().clock.now_ms() >= deadline_ms && purpose.is_settled_late() {
            return Ok(End::Failed(format!("it takes long: {why}")));
        }
        Ok(End::NotYet)
    }

    /// What the traffic guard has against an operation now.
    async fn denied(
        &self,
        operation: &Operation,
        purpose: Purpose,
        rule: Option<&GuardSpec>,
    ) -> Result<Option<String>, DriverError> {
        let Some(rule) = rule else {
            return Ok(Some("there is no rule".to_owned()));
        };
        match self.look(&operation.place).await {
            Looked::Away(error) => Err(error),
            Looked::At(view) => Ok(match guarded(&view, &operation.change, purpose, rule) {
                Finding::Holds { .. } | Finding::NotConcerned => None,
                Finding::Denied { sentence } => Some(sentence),
            }),
        }
    }

    /// What became of an operation that failed. On the way back nothing is asked of a server group that is gone: its steps were
    /// settled before that was known.
    async fn unless_gone(&self, purpose: Purpose, operation: &Operation, why: String) -> End {
        let group = match &operation.change {
            Change::Enable { group }
            | Change::Disable { group }
            | Change::Resize { group, .. }
            | Change::AwaitHealthy { group, .. }
            | Change::SetExpiry { group, .. }
            | Change::DeleteGroup { group } => group,
            Change::OpenRouter { .. } | Change::CreateGroup { .. } | Change::SetTraffic { .. } => {
                return End::Failed(why);
            }
        };
        if !purpose.is_settled_late() {
            return End::Failed(why);
        }
        match self.look(&operation.place).await {
            Looked::At(view) if view.group(group).is_none() => End::Done,
            Looked::At(_) | Looked::Away(_) => End::Failed(why),
        }
    }

    /// The number under which a place is changed; `None` where that is another's by now. A release that lost its lock removes
    /// its own baseline and canary under the newest, and changes production only while it is master again.
    async fn fencing(
        &self,
        state: &State,
        purpose: Purpose,
        operation: &Operation,
    ) -> Result<Option<Fencing>, TurnError> {
        let name = lock_name(&operation.place);
        let is_lost = state
            .release
            .as_ref()
            .is_some_and(|it| it.lost_to.is_some());
        if purpose == Purpose::CleanUp && is_lost {
            let store = &self.ports().store;
            let number = match store.lock(&name, &state.id, false, 0).await? {
                LockAnswer::Taken { fencing } => fencing,
                LockAnswer::Held { .. } if !is_side(state, operation) => return Ok(None),
                LockAnswer::Held { .. } => {
                    let owner = store.lock_owner(&name).await?;
                    owner.map_or(0, |(_, number)| number)
                }
            };
            return Ok(Some(Fencing(number)));
        }
        let held = held_locks(state);
        let number = held.iter().find(|(lock, _)| *lock == name);
        Ok(Some(Fencing(number.map_or(0, |(_, number)| *number))))
    }
}

/// What the traffic guard finds. The way back is bound by the absolute minimum alone: production that lost an instance meanwhile
/// must not have to stay with a version that is worse.
fn guarded(view: &View, change: &Change, purpose: Purpose, rule: &GuardSpec) -> Finding {
    match purpose {
        Purpose::RollBack => traffic::traffic(
            view,
            change,
            &GuardSpec {
                least_share: Share::NONE,
                ..rule.clone()
            },
        ),
        Purpose::Deploy | Purpose::Promote | Purpose::CleanUp => {
            traffic::traffic(view, change, rule)
        }
    }
}

enum End {
    Done,
    NotYet,
    Failed(String),
}

fn told(error: &DriverError) -> String {
    with_causes(error)
}

/// The name of one operation: the same in every attempt.
fn op_id(state: &State, stage: usize, step: usize) -> OpId {
    OpId {
        execution: state.id.clone(),
        stage: u32::try_from(stage).unwrap_or(u32::MAX),
        step: u32::try_from(step).unwrap_or(u32::MAX),
    }
}

fn held_locks(state: &State) -> Vec<(String, u64)> {
    let locks = state.release.as_ref().and_then(|it| it.locks.as_ref());
    locks
        .into_iter()
        .flatten()
        .map(|(name, number)| (name.clone(), *number))
        .collect()
}
