//! How a release goes on: which of its events is legal in which state. Pure.

use std::sync::Arc;

use super::event::{Decision, ReleaseEvent};
use super::state::{Decided, HeldUp, ReleaseState};
use crate::executions::state::{Cancel, State};
use crate::stages::analyze::AnalyzeState;
use crate::stages::approve::{ApproveState, Choice};
use crate::stages::operate::{OperateState, Purpose, StepState};
use crate::stages::{Stage, StageState};

impl State {
    /// Takes one event of a release.
    pub(in crate::executions) fn try_apply_release(
        &mut self,
        event: &ReleaseEvent,
        at_ms: i64,
    ) -> Result<(), String> {
        if self.release.is_none() {
            return Err("the execution is no release".to_owned());
        }
        match event {
            ReleaseEvent::LocksTaken { fencing } => {
                let release = self.release_mut()?;
                if release.locks.is_some() {
                    return Err("the locks were taken before".to_owned());
                }
                release.locks = Some(fencing.clone());
                release.locked_ms = Some(at_ms);
                release.held_up = None;
            }
            ReleaseEvent::LockLost { holder, .. } => {
                let release = self.release_mut()?;
                release.lost_to.get_or_insert_with(|| holder.clone());
                release.held_up = None;
                release.held_steps.clear();
                // Production is the other's now: nothing of it is taken back any more.
                let back = self.late_stage(Purpose::RollBack);
                if back.is_some() && self.current() == back {
                    self.settled += 1;
                }
            }
            ReleaseEvent::HeldUp {
                hold,
                why,
                until_ms,
                step,
            } => {
                if let Some((stage, step)) = step
                    && !matches!(self.step_mut(*stage, *step)?, StepState::Waiting)
                {
                    return Err("what was intended is not held up".to_owned());
                }
                let seq = self.seq + 1;
                let release = self.release_mut()?;
                let before = match step {
                    Some(step) => release.held_steps.get(step),
                    None => release.held_up.as_ref(),
                };
                let (since_ms, since_seq) = before
                    .filter(|before| before.hold == *hold)
                    .map_or((at_ms, seq), |before| (before.since_ms, before.since_seq));
                let held = HeldUp {
                    hold: *hold,
                    why: why.clone(),
                    since_ms,
                    since_seq,
                    until_ms: *until_ms,
                };
                match step {
                    Some(step) => {
                        release.held_steps.insert(*step, held);
                    }
                    None => release.held_up = Some(held),
                }
            }
            ReleaseEvent::StepsSettled { stage, steps } => {
                let late = self.late(*stage)?;
                let planned = match self.request.stages.get(*stage) {
                    Some(Stage::Operate(operate)) => operate.steps.clone(),
                    Some(Stage::Wait(_) | Stage::Analyze(_) | Stage::Approve(_)) | None => {
                        return Err(format!("stage {stage} has no operations"));
                    }
                };
                if !late && planned != *steps {
                    return Err("the steps are not those of the plan".to_owned());
                }
                let state = self.operate_mut(*stage)?;
                if state.steps.is_some() {
                    return Err("the steps were settled before".to_owned());
                }
                *state = OperateState {
                    started_ms: Some(at_ms),
                    at: vec![StepState::Waiting; steps.len()],
                    steps: Some(Arc::from(steps.as_slice())),
                };
                let release = self.release_mut()?;
                release.settled_after_loss = release.lost_to.is_some();
                release.held_up = None;
            }
            ReleaseEvent::OperationIntended {
                stage,
                step,
                deadline_ms,
                ..
            } => {
                self.must_hold_locks(*stage)?;
                let at = self.step_mut(*stage, *step)?;
                *at = match at {
                    StepState::Waiting => StepState::Intended {
                        since_ms: at_ms,
                        deadline_ms: *deadline_ms,
                        failures: 0,
                        not_before_ms: at_ms,
                        trouble: None,
                    },
                    StepState::Intended { .. }
                    | StepState::Done { .. }
                    | StepState::Failed { .. } => {
                        return Err("the operation was intended before".to_owned());
                    }
                };
                let release = self.release_mut()?;
                release.held_up = None;
                release.held_steps.remove(&(*stage, *step));
            }
            ReleaseEvent::OperationDone { stage, step } => {
                let at = self.step_mut(*stage, *step)?;
                let since_ms = intended(at)?;
                *at = StepState::Done { since_ms, at_ms };
                self.release_mut()?.held_up = None;
            }
            ReleaseEvent::OperationFailed {
                stage,
                step,
                why,
                again_ms,
            } => {
                let late = self.late(*stage)?;
                if late && again_ms.is_none() {
                    return Err("what takes back and cleans up is never given up".to_owned());
                }
                let at = self.step_mut(*stage, *step)?;
                let since = intended(at)?;
                *at = match (again_ms, &*at) {
                    (
                        Some(again_ms),
                        StepState::Intended {
                            deadline_ms,
                            failures,
                            ..
                        },
                    ) => StepState::Intended {
                        since_ms: since,
                        deadline_ms: *deadline_ms,
                        failures: failures.saturating_add(1),
                        not_before_ms: *again_ms,
                        trouble: Some(why.clone()),
                    },
                    (Some(_) | None, _) => StepState::Failed {
                        since_ms: since,
                        at_ms,
                        why: why.clone(),
                    },
                };
            }
            ReleaseEvent::WindowOpened {
                stage,
                scopes,
                until_ms,
                ..
            } => {
                let state = self.window_mut(*stage)?;
                let AnalyzeState::NotStarted = state else {
                    return Err("the window was opened before".to_owned());
                };
                *state = AnalyzeState::Opened {
                    started_ms: at_ms,
                    scopes: Arc::new(scopes.clone()),
                    until_ms: *until_ms,
                };
                let release = self.release_mut()?;
                release.held_up = None;
                release.gaps.windows.insert(*stage, *until_ms);
            }
            ReleaseEvent::LookedAgain { stage, trouble } => {
                if self.unseen() != Some(*stage) {
                    return Err(format!("no look is due after the judgement of {stage}"));
                }
                let release = self.release_mut()?;
                release.held_up = None;
                release.gaps.looks.insert(*stage, trouble.clone());
            }
            ReleaseEvent::NotAsked { stage } => {
                let when = match self.request.stages.get(*stage) {
                    Some(Stage::Approve(approve)) => approve.when.clone(),
                    Some(Stage::Wait(_) | Stage::Analyze(_) | Stage::Operate(_)) | None => {
                        return Err(format!("stage {stage} is no question"));
                    }
                };
                if self.must_ask(*stage, &when) {
                    return Err("the question must be asked".to_owned());
                }
                let state = self.approve_mut(*stage)?;
                let ApproveState::NotStarted = state else {
                    return Err(format!("the question is {state:?}"));
                };
                *state = ApproveState::NotNeeded { at_ms };
            }
            ReleaseEvent::Asked { stage, deadline_ms } => {
                let state = self.approve_mut(*stage)?;
                let ApproveState::NotStarted = state else {
                    return Err(format!("the question is {state:?}"));
                };
                *state = ApproveState::Asked {
                    since_ms: at_ms,
                    deadline_ms: *deadline_ms,
                    overdue: false,
                };
            }
            ReleaseEvent::Answered {
                stage,
                choice,
                by,
                reason,
            } => {
                let state = self.approve_mut(*stage)?;
                let ApproveState::Asked {
                    since_ms,
                    deadline_ms,
                    overdue,
                } = *state
                else {
                    return Err("nothing is asked".to_owned());
                };
                if at_ms > deadline_ms && !overdue {
                    return Err("the time for an answer is over".to_owned());
                }
                *state = ApproveState::Answered {
                    since_ms,
                    at_ms,
                    choice: *choice,
                    by: by.clone(),
                    reason: reason.clone(),
                };
            }
            ReleaseEvent::AnswerOverdue { stage } => {
                use crate::config::release::spec::WithoutAnswer;
                let then = match self.request.stages.get(*stage) {
                    Some(Stage::Approve(approve)) => approve.without_answer,
                    Some(Stage::Wait(_) | Stage::Analyze(_) | Stage::Operate(_)) | None => {
                        return Err(format!("stage {stage} is no question"));
                    }
                };
                let state = self.approve_mut(*stage)?;
                let ApproveState::Asked {
                    since_ms,
                    deadline_ms,
                    overdue: false,
                } = *state
                else {
                    return Err("nothing is awaited".to_owned());
                };
                if at_ms < deadline_ms {
                    return Err("the answer has time left".to_owned());
                }
                *state = match then {
                    WithoutAnswer::RollBack => ApproveState::Unanswered { since_ms, at_ms },
                    WithoutAnswer::KeepWaiting => ApproveState::Asked {
                        since_ms,
                        deadline_ms,
                        overdue: true,
                    },
                };
            }
            ReleaseEvent::RollbackRequested { by, reason } => {
                let release = self.release_mut()?;
                if release.decided.is_some() {
                    return Err("the release is decided".to_owned());
                }
                release.rollback.get_or_insert(Cancel {
                    by: by.clone(),
                    reason: reason.clone(),
                });
            }
            ReleaseEvent::Decided {
                decision,
                cause,
                reason,
                by,
            } => {
                let back = self
                    .late_stage(Purpose::RollBack)
                    .ok_or("the release has no stage that takes back")?;
                let stage = self.current().unwrap_or(self.stages.len());
                if self.release_mut()?.decided.is_some() {
                    return Err("the release was decided before".to_owned());
                }
                match decision {
                    Decision::Promoted if stage != back => {
                        return Err("not all stages are done".to_owned());
                    }
                    Decision::Refused if self.has_touched() => {
                        return Err("something was touched".to_owned());
                    }
                    Decision::Promoted
                    | Decision::Refused
                    | Decision::RolledBack
                    | Decision::CalledOff
                    | Decision::Superseded => {}
                }
                // What another release holds is not ours to take back; where nothing was touched, nothing needs time.
                let next = match decision {
                    Decision::RolledBack | Decision::CalledOff => back,
                    Decision::Promoted | Decision::Superseded => back + 1,
                    Decision::Refused => self
                        .late_stage(Purpose::CleanUp)
                        .ok_or("the release has no stage that cleans up")?,
                };
                self.settled = next;
                // What it was stuck on is not tried any more.
                self.stuck = None;
                let release = self.release_mut()?;
                release.held_up = None;
                release.decided = Some(Decided {
                    decision: *decision,
                    cause: *cause,
                    reason: reason.clone(),
                    by: by.clone(),
                    at_ms,
                    stage,
                });
            }
        }
        Ok(())
    }

    fn release_mut(&mut self) -> Result<&mut ReleaseState, String> {
        self.release
            .as_mut()
            .ok_or_else(|| "the execution is no release".to_owned())
    }

    /// Whether the steps of a stage follow from what was done.
    fn late(&self, stage: usize) -> Result<bool, String> {
        match self.request.stages.get(stage) {
            Some(Stage::Operate(operate)) => Ok(operate.purpose.is_settled_late()),
            Some(Stage::Wait(_) | Stage::Analyze(_) | Stage::Approve(_)) | None => {
                Err(format!("stage {stage} has no operations"))
            }
        }
    }

    fn must_hold_locks(&self, stage: usize) -> Result<(), String> {
        let release = self.release.as_ref().ok_or("the execution is no release")?;
        let cleans = match self.request.stages.get(stage) {
            Some(Stage::Operate(operate)) => operate.purpose == Purpose::CleanUp,
            Some(Stage::Wait(_) | Stage::Analyze(_) | Stage::Approve(_)) | None => false,
        };
        if release.locks.is_none() {
            return Err("nothing is locked".to_owned());
        }
        if release.lost_to.is_some() && !cleans {
            return Err("the locks are lost".to_owned());
        }
        Ok(())
    }

    /// A judgement of the current block whose window may be opened: the current one, or the first of another target.
    fn window_mut(&mut self, stage: usize) -> Result<&mut AnalyzeState, String> {
        let current = self.current();
        if current == Some(stage) || !self.unopened().contains(&stage) {
            return self.analyze_mut(stage);
        }
        let current = current.ok_or("nothing is to be judged any more")?;
        self.analyze_mut(current)?;
        match self.stages.get_mut(stage) {
            Some(StageState::Analyze(state)) => Ok(state),
            Some(StageState::Wait(_) | StageState::Approve(_) | StageState::Operate(_)) | None => {
                Err(format!("stage {stage} is no analysis"))
            }
        }
    }

    /// The first judgement of each target in the current block, where its window is not open: they all begin together.
    pub(super) fn unopened(&self) -> Vec<usize> {
        let Some(block) = self.current().and_then(|stage| self.block_of(stage)) else {
            return Vec::new();
        };
        let stages = self.request.stages.iter().zip(&self.stages).enumerate();
        stages
            .take(block.last + 1)
            .skip(block.first)
            .filter(|(_, (stage, at))| {
                let comparison = match stage {
                    Stage::Analyze(analyze) => analyze.comparison.as_ref(),
                    Stage::Wait(_) | Stage::Approve(_) | Stage::Operate(_) => None,
                };
                comparison.is_some_and(|it| it.in_block == 1)
                    && matches!(at, StageState::Analyze(AnalyzeState::NotStarted))
            })
            .map(|(stage, _)| stage)
            .collect()
    }

    fn step_mut(&mut self, stage: usize, step: usize) -> Result<&mut StepState, String> {
        let late = self.late(stage)?;
        let state = self.operate_mut(stage)?;
        let mut next: Vec<usize> = state.lanes().iter().map(|(step, ..)| *step).collect();
        if !late {
            next.truncate(1);
        }
        if !next.contains(&step) {
            return Err(format!("step {step} is not one of the next, {next:?}"));
        }
        state
            .at
            .get_mut(step)
            .ok_or_else(|| format!("there is no step {step}"))
    }
}

fn intended(at: &StepState) -> Result<i64, String> {
    match at {
        StepState::Intended { since_ms, .. } => Ok(*since_ms),
        StepState::Waiting | StepState::Done { .. } | StepState::Failed { .. } => {
            Err("the operation was not intended".to_owned())
        }
    }
}

impl Choice {
    /// Both, the one that goes on first.
    pub const BOTH: [Self; 2] = [Self::Approve, Self::Reject];
}
