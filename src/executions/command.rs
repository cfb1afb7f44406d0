//! What is to be done next in a state. The same state has the same command, whoever asks and how often. Pure.

use super::event::{Ending, Event};
use super::request::Kind;
use super::state::{Cancel, State};
use crate::analysis::aggregate::is_above_marginal;
use crate::archive::bundle::Told;
use crate::stages::analyze::AnalyzeState;
use crate::stages::wait::WaitState;
use crate::stages::{Stage, StageState};

/// How often collecting may be tried without an outcome before a person is asked: each such try ended with the process.
pub const MOST_ATTEMPTS: u32 = 20;

/// What is to be done next.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Append this.
    Record(Event),
    /// Nothing until then; afterwards append the end of the wait.
    WaitUntil {
        /// Which stage.
        stage: usize,
        /// The moment, in milliseconds since 1970-01-01T00:00:00Z.
        until_ms: i64,
    },
    /// Append the start of collecting, collect, and keep the bundle.
    Collect {
        /// Which stage.
        stage: usize,
    },
    /// Judge the bundle, and keep the judgement.
    Judge {
        /// Which stage.
        stage: usize,
        /// The bundle's content hash.
        bundle_id: String,
        /// What is told of the bundle.
        told: Told,
    },
    /// Lock all places of a release, and see whether they are as the plan found them.
    TakeLocks,
    /// Observe, settle where and when a judgement of a release looks, and append it.
    OpenWindow {
        /// Which stage.
        stage: usize,
    },
    /// A judgement came long after its window: observe, and append how the canary is now.
    LookAgain {
        /// Which stage.
        stage: usize,
    },
    /// Ask a person: append the question with its deadline.
    Ask {
        /// Which stage.
        stage: usize,
    },
    /// Settle the steps of a stage from what was done, and append them.
    SettleSteps {
        /// Which stage.
        stage: usize,
    },
    /// Go on with operations that do not wait for each other: look at guards and windows and append that one will be applied,
    /// or check it, apply it where it is not there, and wait for its end.
    GoOn {
        /// Which stage.
        stage: usize,
        /// One forward, and one for each place on the way back; never empty.
        lanes: Vec<Lane>,
    },
    /// Nothing until then; afterwards something.
    Later {
        /// The moment, in milliseconds since 1970-01-01T00:00:00Z.
        until_ms: i64,
        /// What.
        then: Box<Command>,
    },
    /// Nothing: it has ended, or waits for a person.
    Rest,
}

/// The next operation at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane {
    /// Which step.
    pub step: usize,
    /// Whether it is intended, and to be performed; else it is to be intended.
    pub is_intended: bool,
    /// Nothing is done with it before, in milliseconds since 1970-01-01T00:00:00Z; 0 where it can be at once.
    pub not_before_ms: i64,
}

impl State {
    /// What is to be done next. The same state has the same command, whoever asks and how often.
    #[must_use]
    pub fn command(&self) -> Command {
        if self.end.is_some() {
            return Command::Rest;
        }
        if self.release.is_some() {
            return match self.stuck {
                Some(_) if !self.is_wished_away() => Command::Rest,
                Some(_) | None => self.release_command(),
            };
        }
        if let Some(cancel) = &self.cancel {
            return ended(Ending::Canceled, cancel.sentence());
        }
        if self.stuck.is_some() {
            return Command::Rest;
        }
        if let Some(end) = self.early_end() {
            return end;
        }
        let Some(stage) = self.current() else {
            return ended(Ending::Succeeded, self.success());
        };
        self.common_command(stage)
    }

    /// What waits and judgements do next, in every kind of execution.
    pub(super) fn common_command(&self, stage: usize) -> Command {
        match (self.request.stages.get(stage), self.stages.get(stage)) {
            (Some(Stage::Wait(wait)), Some(StageState::Wait(state))) => match state {
                WaitState::NotStarted => Command::Record(Event::WaitStarted { stage }),
                WaitState::Waiting { started_ms } => Command::WaitUntil {
                    stage,
                    until_ms: wait.ends_ms(*started_ms),
                },
                WaitState::Done { .. } => Command::Rest,
            },
            (Some(Stage::Analyze(_)), Some(StageState::Analyze(state))) => match state {
                AnalyzeState::Collecting { attempts, .. } if *attempts >= MOST_ATTEMPTS => {
                    Command::Record(Event::GotStuck {
                        stage,
                        error: format!(
                            "the process ended {attempts} times while it collected the series"
                        ),
                    })
                }
                AnalyzeState::NotStarted | AnalyzeState::Collecting { .. } => {
                    Command::Collect { stage }
                }
                AnalyzeState::Opened { until_ms, .. } => Command::Later {
                    until_ms: *until_ms,
                    then: Box::new(Command::Collect { stage }),
                },
                AnalyzeState::Collected {
                    bundle_id, told, ..
                } => Command::Judge {
                    stage,
                    bundle_id: bundle_id.clone(),
                    told: told.clone(),
                },
                AnalyzeState::Judged { .. } | AnalyzeState::Failed { .. } => Command::Rest,
            },
            (
                Some(Stage::Wait(_) | Stage::Analyze(_) | Stage::Approve(_) | Stage::Operate(_))
                | None,
                _,
            ) => Command::Rest,
        }
    }

    /// A judgement that could not be made ends the execution; so does, in an analysis, one that is not above marginal.
    fn early_end(&self) -> Option<Command> {
        for (analyze, state) in self.analyses() {
            if let AnalyzeState::Failed { failures, .. } = state {
                let what = failures
                    .first()
                    .map_or("no reason", |failure| failure.message.as_str());
                let more = match failures.len() {
                    0 | 1 => String::new(),
                    many => format!(" (and {} more)", many - 1),
                };
                let sentence = format!("no verdict: {what}{more}");
                return Some(ended(Ending::Terminal, sentence));
            }
            let (Kind::Analysis, Some(outcome)) = (self.request.kind, state.outcome()) else {
                continue;
            };
            if !is_above_marginal(outcome.deciding_score(), self.request.thresholds.marginal) {
                let number = analyze.number;
                let sentence = format!(
                    "judgement {number} ended with {}, score {}, which is not above marginal",
                    outcome.verdict.word(),
                    outcome.deciding_score()
                );
                return Some(ended(Ending::Terminal, sentence));
            }
        }
        None
    }

    fn success(&self) -> String {
        match self.last_outcome() {
            Some((_, outcome)) => {
                format!("{}, score {}", outcome.verdict.word(), outcome.score)
            }
            None => "nothing was to be judged".to_owned(),
        }
    }

    /// When a worker should look at it next; `None` where there is nothing to do. What can be done at once has been due since
    /// 1970, so that a clock that is turned back does not hold it up.
    #[must_use]
    pub fn due_ms(&self) -> Option<i64> {
        let due_ms = match self.command() {
            Command::Rest => None,
            Command::WaitUntil { until_ms, .. } | Command::Later { until_ms, .. } => Some(until_ms),
            Command::GoOn { lanes, .. } => lanes.iter().map(|lane| lane.not_before_ms).min(),
            Command::Record(_)
            | Command::Collect { .. }
            | Command::Judge { .. }
            | Command::TakeLocks
            | Command::OpenWindow { .. }
            | Command::LookAgain { .. }
            | Command::Ask { .. }
            | Command::SettleSteps { .. } => Some(0),
        };
        // A release that waits is looked at when it has lasted too long.
        match (due_ms, self.ends_by_ms()) {
            (Some(due_ms), Some(ends_ms)) => Some(due_ms.min(ends_ms)),
            (due_ms, ends_ms) => due_ms.or(ends_ms),
        }
    }
}

impl Cancel {
    fn sentence(&self) -> String {
        if self.reason.is_empty() {
            format!("called off by {}", self.by)
        } else {
            format!("called off by {}: {}", self.by, self.reason)
        }
    }
}

fn ended(ending: Ending, sentence: String) -> Command {
    Command::Record(Event::Ended { ending, sentence })
}
