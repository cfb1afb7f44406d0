//! One judgement of an execution, seen as the canary execution that Kayenta would have made of it. Pure.

use std::collections::BTreeMap;

use crate::executions::request::Kind;
use crate::executions::state::{State, Status, judgement_name};
use crate::model::scope::Side;
use crate::stages::analyze::{Analyze, AnalyzeState};

use super::canary_request::of_judgement;
use super::exception::{ExceptionBody, exception, fetch_stage, of_failures};
use super::times::duration;

/// A judgement as a canary execution.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) state: &'a State,
    pub(super) analyze: &'a Analyze,
    pub(super) progress: &'a AnalyzeState,
    /// Its place among the stages.
    place: usize,
}

/// When a run was queued, started and ended, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) build_ms: i64,
    pub(super) start_ms: Option<i64>,
    pub(super) end_ms: Option<i64>,
}

impl<'a> Run<'a> {
    /// All judgements of an execution, in order.
    pub(super) fn all(state: &'a State) -> impl DoubleEndedIterator<Item = Self> {
        let places: Vec<usize> = state.request.analyses().map(|(place, _)| place).collect();
        let runs: Vec<Self> = state
            .analyses()
            .zip(places)
            .map(|((analyze, progress), place)| Self {
                state,
                analyze,
                progress,
                place,
            })
            .collect();
        runs.into_iter()
    }

    /// Whether anything happened.
    pub(super) fn has_begun(self) -> bool {
        *self.progress != AnalyzeState::NotStarted
    }

    /// The id under which it is known: the execution's own for a canary, a child's for an analysis.
    pub(super) fn id(self) -> String {
        match self.state.request.kind {
            Kind::Canary => self.state.id.to_string(),
            Kind::Analysis | Kind::Release => judgement_name(&self.state.id, self.analyze.number),
        }
    }

    /// The state of work.
    pub(super) fn status(self) -> Status {
        match self.state.request.kind {
            Kind::Canary => self.state.status(),
            Kind::Analysis | Kind::Release => match self.progress {
                AnalyzeState::Judged { .. } => Status::Succeeded,
                AnalyzeState::Failed { .. } => Status::Terminal,
                AnalyzeState::NotStarted
                | AnalyzeState::Opened { .. }
                | AnalyzeState::Collecting { .. }
                | AnalyzeState::Collected { .. } => match self.state.status() {
                    Status::Canceled => Status::Canceled,
                    Status::Terminal => Status::Terminal,
                    Status::Suspended if self.is_stuck() => Status::Suspended,
                    Status::NotStarted
                    | Status::Running
                    | Status::Suspended
                    | Status::Succeeded => match self.has_begun() {
                        true => Status::Running,
                        false => Status::NotStarted,
                    },
                },
            },
        }
    }

    fn is_stuck(self) -> bool {
        let stuck = self.state.stuck.as_ref();
        stuck.is_some_and(|stuck| stuck.stage == self.place)
    }

    pub(super) fn times(self) -> Times {
        let ended_ms = self.state.end.as_ref().map(|end| end.at_ms);
        match self.state.request.kind {
            Kind::Canary => Times {
                build_ms: self.state.created_ms,
                start_ms: self.state.started_ms(),
                end_ms: ended_ms,
            },
            Kind::Analysis | Kind::Release => Times {
                build_ms: self.progress.started_ms().unwrap_or(self.state.created_ms),
                start_ms: self.progress.started_ms(),
                end_ms: self.progress.ended_ms().or(ended_ms),
            },
        }
    }

    /// The status word of each of Kayenta's stages.
    pub(super) fn stage_status(self) -> BTreeMap<String, &'static str> {
        let under_way = match self.status() {
            Status::Canceled => "canceled",
            Status::Suspended => "suspended",
            Status::Terminal => "terminal",
            Status::NotStarted | Status::Running | Status::Succeeded => "running",
        };
        let (setup, fetch, mix, judge) = match self.progress {
            AnalyzeState::NotStarted | AnalyzeState::Opened { .. } => {
                ("not_started", "not_started", "not_started", "not_started")
            }
            AnalyzeState::Collecting { .. } => {
                ("succeeded", under_way, "not_started", "not_started")
            }
            AnalyzeState::Collected { .. } => ("succeeded", "succeeded", "succeeded", under_way),
            AnalyzeState::Judged { .. } => ("succeeded", "succeeded", "succeeded", "succeeded"),
            AnalyzeState::Failed { bundle_id, .. } => match bundle_id {
                Some(_) => ("succeeded", "succeeded", "succeeded", "terminal"),
                None => ("succeeded", "succeeded", "not_started", "not_started"),
            },
        };
        let mut stages = BTreeMap::new();
        let mut add = |name: String, word| stages.insert(name, word);
        add("setupContext".to_owned(), setup);
        add("mixMetrics".to_owned(), mix);
        add("judge".to_owned(), judge);
        for metric in 0..self.state.request.config.metrics.len() {
            for side in Side::BOTH {
                let word = if self.fetch_failed(metric, side) {
                    "terminal"
                } else {
                    fetch
                };
                add(fetch_stage(metric, side), word);
            }
        }
        stages
    }

    /// Whether one of the failures is about this side of this metric.
    fn fetch_failed(self, metric: usize, side: Side) -> bool {
        let AnalyzeState::Failed {
            bundle_id: None,
            failures,
            ..
        } = self.progress
        else {
            return false;
        };
        failures.iter().any(|failure| {
            failure.metric.is_none_or(|it| it == metric) && failure.side.is_none_or(|it| it == side)
        })
    }

    /// What kept it from being judged.
    pub(super) fn exception(self) -> Option<ExceptionBody> {
        if let AnalyzeState::Failed {
            ended_ms,
            bundle_id,
            failures,
            ..
        } = self.progress
        {
            let config = &self.state.request.config;
            let collected = bundle_id.is_some();
            return Some(of_failures(failures, config, collected, *ended_ms));
        }
        let stuck = self.state.stuck.as_ref()?;
        self.is_stuck().then(|| {
            let errors = vec![stuck.error.clone()];
            exception("Stuck", "judge", errors, self.state.updated_ms, true)
        })
    }

    /// How long the windows are, if all are equally long.
    pub(super) fn canary_duration(self) -> Option<String> {
        let mut lengths = self
            .analyze
            .scopes
            .values()
            .flat_map(|pair| Side::BOTH.map(|side| pair.side(side).window.length_ms()));
        let first = lengths.next()?;
        lengths
            .all(|length| length == first)
            .then(|| duration(first))
    }

    /// The execution request that it answers.
    pub(super) fn execution_request(self) -> serde_json::Value {
        let request = &self.state.request;
        match request.kind {
            Kind::Canary => request.echo.clone(),
            Kind::Analysis | Kind::Release => {
                of_judgement(&self.analyze.scopes, request.thresholds)
            }
        }
    }
}
