//! What a release does next. The same state has the same command, whoever asks and how often. Pure.

use std::collections::BTreeMap;

use super::event::{Decision, ReleaseEvent};
use super::state::{HeldUp, ReleaseState};
use crate::executions::command::{Command, Lane};
use crate::executions::event::{Ending, Event};
use crate::executions::state::State;
use crate::stages::analyze::AnalyzeState;
use crate::stages::approve::ApproveState;
use crate::stages::operate::{Operate, OperateState, StepState};
use crate::stages::{Stage, StageState};

impl State {
    /// What a release does next.
    pub(in crate::executions) fn release_command(&self) -> Command {
        let Some(release) = &self.release else {
            return Command::Rest;
        };
        if release.decided.is_none()
            && let Some(event) = self.decision()
        {
            return Command::Record(Event::Release(event));
        }
        let command = self.undisturbed_command(release);
        match &release.held_up {
            Some(held) => Command::Later {
                until_ms: held.until_ms,
                then: Box::new(command),
            },
            None => command,
        }
    }

    fn undisturbed_command(&self, release: &ReleaseState) -> Command {
        if release.locks.is_none() && release.decided.is_none() {
            return Command::TakeLocks;
        }
        if release.decided.is_none()
            && let Some(stage) = self.unseen()
        {
            return Command::LookAgain { stage };
        }
        let Some(stage) = self.current() else {
            return match &release.decided {
                Some(decided) => Command::Record(Event::Ended {
                    ending: match decided.decision {
                        Decision::Promoted => Ending::Succeeded,
                        Decision::CalledOff => Ending::Canceled,
                        Decision::RolledBack | Decision::Refused | Decision::Superseded => {
                            Ending::Terminal
                        }
                    },
                    sentence: format!("{}: {}", decided.decision.words(), decided.reason),
                }),
                None => Command::Rest,
            };
        };
        match (self.request.stages.get(stage), self.stages.get(stage)) {
            (Some(Stage::Operate(operate)), Some(StageState::Operate(state))) => {
                operate_command(stage, operate, state, &release.held_steps)
            }
            (Some(Stage::Approve(approve)), Some(StageState::Approve(state))) => match state {
                ApproveState::NotStarted if self.must_ask(stage, &approve.when) => {
                    Command::Ask { stage }
                }
                ApproveState::NotStarted => {
                    Command::Record(Event::Release(ReleaseEvent::NotAsked { stage }))
                }
                ApproveState::Asked {
                    deadline_ms,
                    overdue: false,
                    ..
                } => Command::Later {
                    until_ms: *deadline_ms,
                    then: Box::new(Command::Record(Event::Release(
                        ReleaseEvent::AnswerOverdue { stage },
                    ))),
                },
                ApproveState::Asked { overdue: true, .. }
                | ApproveState::NotNeeded { .. }
                | ApproveState::Answered { .. }
                | ApproveState::Unanswered { .. } => Command::Rest,
            },
            (Some(Stage::Analyze(_)), Some(StageState::Analyze(at))) => {
                match (at, self.unopened().first()) {
                    (AnalyzeState::NotStarted, _) => Command::OpenWindow { stage },
                    (_, Some(first)) => Command::OpenWindow { stage: *first },
                    (_, None) => self.common_command(stage),
                }
            }
            (
                Some(Stage::Wait(_) | Stage::Analyze(_) | Stage::Approve(_) | Stage::Operate(_))
                | None,
                _,
            ) => self.common_command(stage),
        }
    }

    /// When a release that is not decided lasts too long, in milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn ends_by_ms(&self) -> Option<i64> {
        let release = self.release.as_ref()?;
        let undecided = release.decided.is_none();
        let most = i64::try_from(self.spec()?.limits.release_ms).unwrap_or(i64::MAX);
        // Waiting for a window or for another release has limits of its own.
        let began_ms = release.locked_ms?;
        (undecided && self.end.is_none()).then(|| began_ms.saturating_add(most))
    }
}

fn operate_command(
    stage: usize,
    operate: &Operate,
    state: &OperateState,
    held: &BTreeMap<(usize, usize), HeldUp>,
) -> Command {
    let is_late = operate.purpose.is_settled_late();
    if state.steps.is_none() {
        return if is_late {
            Command::SettleSteps { stage }
        } else {
            Command::Record(Event::Release(ReleaseEvent::StepsSettled {
                stage,
                steps: operate.steps.clone(),
            }))
        };
    }
    // Forward, one operation is done after the other; on the way back each place goes on by itself.
    let most = if is_late { usize::MAX } else { 1 };
    let next = state.lanes().into_iter().take(most);
    let lanes: Vec<Lane> = next
        .filter_map(|(step, _, at)| match at {
            StepState::Waiting => Some(Lane {
                step,
                is_intended: false,
                not_before_ms: held.get(&(stage, step)).map_or(0, |held| held.until_ms),
            }),
            StepState::Intended {
                failures,
                not_before_ms,
                ..
            } => Some(Lane {
                step,
                is_intended: true,
                not_before_ms: if *failures == 0 { 0 } else { *not_before_ms },
            }),
            StepState::Done { .. } | StepState::Failed { .. } => None,
        })
        .collect();
    match lanes.is_empty() {
        true => Command::Rest,
        false => Command::GoOn { stage, lanes },
    }
}
