//! How an execution goes on: which event is legal in which state. What is to be done next, [`super::command`] says. Pure.

use std::mem;
use std::sync::Arc;

use thiserror::Error;

use super::event::{Ending, Event};
use super::release::state::ReleaseState;
use super::request::Request;
use super::state::{Cancel, End, State, Stuck};
use crate::analysis::task::Failure;
use crate::model::ids::ExecutionId;
use crate::stages::analyze::AnalyzeState;
use crate::stages::approve::ApproveState;
use crate::stages::operate::OperateState;
use crate::stages::wait::WaitState;
use crate::stages::{Progress, Stage, StageState};

/// An event that cannot have happened in this state.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("event {seq} (`{event}`) of execution `{id}` is not legal: {why}")]
pub struct IllegalEvent {
    /// Which execution.
    pub id: ExecutionId,
    /// The event's number.
    pub seq: u64,
    /// The event's word.
    pub event: &'static str,
    /// What contradicts it.
    pub why: String,
}

impl State {
    /// The state after the first event.
    #[must_use]
    pub fn accepted(id: ExecutionId, request: Box<Request>, at_ms: i64) -> Self {
        let stages = request.stages.iter().map(Stage::fresh).collect();
        let release = request.release.as_ref().map(|_| ReleaseState::default());
        Self {
            id,
            request: Arc::from(request),
            created_ms: at_ms,
            seq: 1,
            updated_ms: at_ms,
            stages,
            settled: 0,
            cancel: None,
            stuck: None,
            end: None,
            release,
        }
    }

    /// The state after a whole journal: events with their times, from the first on.
    ///
    /// # Errors
    /// The first event that is not legal. A journal without events has no state: `Ok(None)`.
    pub fn replay(
        id: &ExecutionId,
        journal: impl IntoIterator<Item = (i64, Event)>,
    ) -> Result<Option<Self>, IllegalEvent> {
        let mut journal = journal.into_iter();
        let mut state = match journal.next() {
            None => return Ok(None),
            Some((at_ms, Event::Accepted { request })) => {
                Self::accepted(id.clone(), request, at_ms)
            }
            Some((_, event)) => {
                return Err(IllegalEvent {
                    id: id.clone(),
                    seq: 1,
                    event: event.word(),
                    why: "a journal begins with `accepted`".to_owned(),
                });
            }
        };
        for (at_ms, event) in journal {
            state = state.apply(&event, at_ms)?;
        }
        Ok(Some(state))
    }

    /// The state after one more event, written at `at_ms`.
    ///
    /// # Errors
    /// An event that cannot have happened in this state; a time before that of the last event.
    pub fn apply(mut self, event: &Event, at_ms: i64) -> Result<Self, IllegalEvent> {
        match self.try_apply(event, at_ms) {
            Ok(()) => {
                self.settle();
                self.seq += 1;
                self.updated_ms = at_ms;
                Ok(self)
            }
            Err(why) => Err(IllegalEvent {
                seq: self.seq + 1,
                id: self.id,
                event: event.word(),
                why,
            }),
        }
    }

    fn try_apply(&mut self, event: &Event, at_ms: i64) -> Result<(), String> {
        if at_ms < self.updated_ms {
            let back = self.updated_ms.abs_diff(at_ms);
            return Err(format!("it is {back} ms older than the event before it"));
        }
        if self.end.is_some() {
            return Err("the execution has ended".to_owned());
        }
        match event {
            Event::Accepted { .. } => return Err("the execution was accepted before".to_owned()),
            Event::WaitStarted { stage } => {
                let state = self.wait_mut(*stage)?;
                let WaitState::NotStarted = *state else {
                    return Err(format!("the wait is {state:?}"));
                };
                *state = WaitState::Waiting { started_ms: at_ms };
            }
            Event::WaitEnded { stage } => {
                let wait = match self.request.stages.get(*stage) {
                    Some(Stage::Wait(wait)) => wait.clone(),
                    Some(Stage::Analyze(_) | Stage::Approve(_) | Stage::Operate(_)) | None => {
                        return Err(format!("stage {stage} is no wait"));
                    }
                };
                let state = self.wait_mut(*stage)?;
                let WaitState::Waiting { started_ms } = *state else {
                    return Err(format!("the wait is {state:?}"));
                };
                let until_ms = wait.ends_ms(started_ms);
                if at_ms < until_ms {
                    return Err(format!(
                        "the wait goes on for {} ms",
                        until_ms.abs_diff(at_ms)
                    ));
                }
                *state = WaitState::Done {
                    started_ms,
                    ended_ms: at_ms,
                };
            }
            Event::CollectionStarted { stage } => {
                let state = self.analyze_mut(*stage)?;
                *state = match &*state {
                    AnalyzeState::NotStarted => AnalyzeState::Collecting {
                        started_ms: at_ms,
                        attempts: 1,
                        scopes: None,
                    },
                    AnalyzeState::Opened { until_ms, .. } if at_ms < *until_ms => {
                        return Err("the window has not ended".to_owned());
                    }
                    AnalyzeState::Opened {
                        started_ms, scopes, ..
                    } => AnalyzeState::Collecting {
                        started_ms: *started_ms,
                        attempts: 1,
                        scopes: Some(Arc::clone(scopes)),
                    },
                    AnalyzeState::Collecting {
                        started_ms,
                        attempts,
                        scopes,
                    } => AnalyzeState::Collecting {
                        started_ms: *started_ms,
                        attempts: attempts + 1,
                        scopes: scopes.clone(),
                    },
                    AnalyzeState::Collected { .. }
                    | AnalyzeState::Judged { .. }
                    | AnalyzeState::Failed { .. } => {
                        return Err("the series were collected before".to_owned());
                    }
                };
            }
            Event::Collected {
                stage,
                bundle_id,
                told,
            } => {
                let state = self.analyze_mut(*stage)?;
                let started_ms = collecting(state)?;
                let (bundle_id, told) = (bundle_id.clone(), told.clone());
                *state = AnalyzeState::Collected {
                    started_ms,
                    bundle_id,
                    told,
                };
            }
            Event::CollectionFailed { stage, failures } => {
                if failures.is_empty() {
                    return Err("a failure without a reason".to_owned());
                }
                let state = self.analyze_mut(*stage)?;
                let started_ms = collecting(state)?;
                *state = failed(started_ms, at_ms, None, failures.clone());
            }
            Event::Judged { stage, outcome } => {
                let state = self.analyze_mut(*stage)?;
                let (started_ms, bundle_id) = collected(state)?;
                *state = AnalyzeState::Judged {
                    started_ms,
                    ended_ms: at_ms,
                    bundle_id,
                    outcome: outcome.clone(),
                };
            }
            Event::JudgingFailed { stage, failure } => {
                let state = self.analyze_mut(*stage)?;
                let (started_ms, bundle_id) = collected(state)?;
                *state = failed(started_ms, at_ms, Some(bundle_id), vec![failure.clone()]);
            }
            Event::CancelRequested { by, reason } => {
                // A second request changes nothing.
                let first = Cancel {
                    by: by.clone(),
                    reason: reason.clone(),
                };
                self.cancel.get_or_insert(first);
            }
            Event::GotStuck { stage, error } => {
                self.running()?;
                if *stage >= self.stages.len() {
                    return Err(format!("there is no stage {stage}"));
                }
                self.stuck = Some(Stuck {
                    stage: *stage,
                    error: error.clone(),
                });
            }
            Event::Resumed { .. } => {
                if self.stuck.take().is_none() {
                    return Err("the execution is not stuck".to_owned());
                }
                for state in &mut self.stages {
                    if let StageState::Analyze(AnalyzeState::Collecting { attempts, .. }) = state {
                        *attempts = 0;
                    }
                }
            }
            Event::Release(event) => self.try_apply_release(event, at_ms)?,
            Event::Ended { ending, sentence } => {
                self.may_end(*ending)?;
                self.stuck = None;
                let sentence = sentence.clone();
                self.end = Some(End {
                    ending: *ending,
                    sentence,
                    at_ms,
                });
            }
        }
        Ok(())
    }

    /// No evidence is never success: only an execution whose stages are all done has succeeded, and only one that somebody
    /// called off is canceled.
    fn may_end(&self, ending: Ending) -> Result<(), String> {
        if let Some(release) = &self.release {
            return match &release.decided {
                Some(_) if self.current().is_none() => Ok(()),
                Some(_) => Err("it is not cleaned up".to_owned()),
                None => Err("the release is not decided".to_owned()),
            };
        }
        let all_done = self
            .stages
            .iter()
            .all(|state| state.progress() == Progress::Done);
        match ending {
            Ending::Succeeded if !all_done => Err("not all stages are done".to_owned()),
            Ending::Canceled if self.cancel.is_none() => Err("nobody called it off".to_owned()),
            Ending::Succeeded | Ending::Canceled | Ending::Terminal => Ok(()),
        }
    }

    fn running(&self) -> Result<(), String> {
        match &self.stuck {
            Some(stuck) => Err(format!("the execution is stuck: {}", stuck.error)),
            None => Ok(()),
        }
    }

    /// Stages are worked on one after the other: the one that may change is the first that is not settled.
    pub(super) fn current_mut(&mut self, stage: usize) -> Result<&mut StageState, String> {
        self.running()?;
        // A release that was called off is taken back, stage by stage.
        if self.cancel.is_some() && self.release.is_none() {
            return Err("the execution was called off".to_owned());
        }
        let current = self.current();
        if current != Some(stage) {
            return Err(format!("stage {stage} is not the current one, {current:?}"));
        }
        self.stages
            .get_mut(stage)
            .ok_or_else(|| format!("there is no stage {stage}"))
    }

    fn wait_mut(&mut self, stage: usize) -> Result<&mut WaitState, String> {
        match self.current_mut(stage)? {
            StageState::Wait(state) => Ok(state),
            StageState::Analyze(_) | StageState::Approve(_) | StageState::Operate(_) => {
                Err(format!("stage {stage} is no wait"))
            }
        }
    }

    pub(super) fn analyze_mut(&mut self, stage: usize) -> Result<&mut AnalyzeState, String> {
        match self.current_mut(stage)? {
            StageState::Analyze(state) => Ok(state),
            StageState::Wait(_) | StageState::Approve(_) | StageState::Operate(_) => {
                Err(format!("stage {stage} is no analysis"))
            }
        }
    }

    pub(super) fn approve_mut(&mut self, stage: usize) -> Result<&mut ApproveState, String> {
        match self.current_mut(stage)? {
            StageState::Approve(state) => Ok(state),
            StageState::Wait(_) | StageState::Analyze(_) | StageState::Operate(_) => {
                Err(format!("stage {stage} is no question"))
            }
        }
    }

    pub(super) fn operate_mut(&mut self, stage: usize) -> Result<&mut OperateState, String> {
        match self.current_mut(stage)? {
            StageState::Operate(state) => Ok(state),
            StageState::Wait(_) | StageState::Analyze(_) | StageState::Approve(_) => {
                Err(format!("stage {stage} has no operations"))
            }
        }
    }

    /// The place of the first stage that is not settled.
    #[must_use]
    pub fn current(&self) -> Option<usize> {
        (self.settled < self.stages.len()).then_some(self.settled)
    }

    fn settle(&mut self) {
        while let Some(state) = self.stages.get(self.settled) {
            match state.progress() {
                Progress::NotStarted | Progress::Running => return,
                Progress::Done | Progress::Failed => self.settled += 1,
            }
        }
    }
}

fn collecting(state: &AnalyzeState) -> Result<i64, String> {
    match state {
        AnalyzeState::Collecting { started_ms, .. } => Ok(*started_ms),
        AnalyzeState::NotStarted
        | AnalyzeState::Opened { .. }
        | AnalyzeState::Collected { .. }
        | AnalyzeState::Judged { .. }
        | AnalyzeState::Failed { .. } => Err("nothing is being collected".to_owned()),
    }
}

fn collected(state: &mut AnalyzeState) -> Result<(i64, String), String> {
    match state {
        AnalyzeState::Collected {
            started_ms,
            bundle_id,
            ..
        } => Ok((*started_ms, mem::take(bundle_id))),
        AnalyzeState::NotStarted
        | AnalyzeState::Opened { .. }
        | AnalyzeState::Collecting { .. }
        | AnalyzeState::Judged { .. }
        | AnalyzeState::Failed { .. } => Err("there is no bundle to judge".to_owned()),
    }
}

fn failed(
    started_ms: i64,
    ended_ms: i64,
    bundle_id: Option<String>,
    failures: Vec<Failure>,
) -> AnalyzeState {
    AnalyzeState::Failed {
        started_ms,
        ended_ms,
        bundle_id,
        failures,
    }
}
