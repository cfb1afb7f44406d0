//! The plan of a standalone analysis: which waits, which judgements, and the window of each.
//!
//! Made once, when the execution starts; every time in it is absolute, so that nothing drifts and a plan that is read again
//! after a crash says the same. Nothing here reads a clock.
//!
//! Source of the rules: Kayenta's standalone canary analysis (`SetupAndExecuteCanariesStage`). Where we differ: a wait ends when
//! the window that it waits for has ended, also when the request names a start in the past (Kayenta then waits as long as if
//! it started now) or in the future (Kayenta then judges before there is data).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::scope::{Scope, ScopePair, Window};

/// Most judgements of one analysis: a week of one a minute.
pub const MOST_JUDGEMENTS: u64 = 10_000;

/// Most bytes of names and parameters that a plan repeats, all judgements together: 64 MiB.
pub const MOST_PLAN_BYTES: u64 = 64 << 20;

/// Distance of two points where the request names none, in seconds.
pub const DEFAULT_STEP_SECS: i64 = 60;

const MINUTE_MS: i64 = 60_000;

/// What an analysis is asked for. Numbers are as they came: negative ones are found here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// When the execution starts, in milliseconds since 1970-01-01T00:00:00Z.
    pub now_ms: i64,
    /// How long the analysis lasts; needed unless the first scope has an end.
    pub lifetime_mins: Option<i64>,
    /// How long to wait before the first window begins; absent is 0.
    pub begin_after_mins: Option<i64>,
    /// How far back each window reaches; absent or 0: all windows begin at the start and grow.
    pub lookback_mins: Option<i64>,
    /// Distance of two judgements; absent, 0 or more than the lifetime: one judgement at the end.
    pub interval_mins: Option<i64>,
    /// What is compared. Start, end and step of the first one count for all, as in Kayenta.
    pub scopes: Vec<ScopeRequest>,
}

/// What one scope name stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScopeRequest {
    /// The name that metrics use.
    pub name: String,
    /// Where the version now live is looked for.
    pub baseline: Place,
    /// Where the new version is looked for.
    pub canary: Place,
    /// How much earlier the baseline's windows are.
    pub baseline_offset_mins: i64,
    /// Where the first window starts, in milliseconds since 1970-01-01T00:00:00Z; now where absent.
    pub start_ms: Option<i64>,
    /// Where the last window ends, likewise. With an end nothing is waited for but the warm-up.
    pub end_ms: Option<i64>,
    /// Distance of two points in seconds; [`DEFAULT_STEP_SECS`] where absent.
    pub step_secs: Option<i64>,
    /// Further variables of templates, the same for both sides.
    pub parameters: BTreeMap<String, String>,
}

/// A scope without time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Server group, namespace, version or whatever the query means by it.
    pub scope: String,
    /// Region or zone.
    pub location: String,
}

/// What an analysis will do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The name of the first scope, whose baseline window Kayenta's answers show.
    pub first_scope: String,
    /// Waits and judgements in order; at least one judgement.
    pub stages: Vec<Planned>,
}

/// One stage of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Planned {
    /// Nothing happens until a time.
    #[serde(rename_all = "camelCase")]
    Wait {
        /// As Kayenta calls it: `Warmup Wait`, `Interval Wait #1`.
        name: String,
        /// When it ends, in milliseconds since 1970-01-01T00:00:00Z; may be past already.
        until_ms: i64,
    },
    /// Both sides are compared.
    #[serde(rename_all = "camelCase")]
    Judge {
        /// 1 for the first.
        number: u32,
        /// When the windows of both sides have ended, in milliseconds since 1970-01-01T00:00:00Z.
        due_ms: i64,
        /// Where and when, by scope name.
        scopes: BTreeMap<String, ScopePair>,
    },
}

impl Plan {
    /// The judgements in order: number, due time and scopes.
    pub fn judgements(&self) -> impl Iterator<Item = (u32, i64, &BTreeMap<String, ScopePair>)> {
        self.stages.iter().filter_map(|stage| match stage {
            Planned::Wait { .. } => None,
            Planned::Judge {
                number,
                due_ms,
                scopes,
            } => Some((*number, *due_ms, scopes)),
        })
    }
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanProblem {
    /// There is nothing to compare. Kayenta's words.
    #[error("Canary StageExecution configuration must contain at least one scope.")]
    NoScope,
    /// Two scopes have the same name, so that metrics could mean either.
    #[error("the scope name `{0}` is given twice; expected a name of its own for each scope")]
    DuplicateScope(String),
    /// It would never end.
    #[error(
        "found neither a lifetime nor an end time; expected `lifetimeDurationMins` or `endTimeIso` of the first scope"
    )]
    NoLifetime,
    /// No window has any room.
    #[error("the lifetime is {found_mins} minutes; expected at least one whole minute")]
    NoTime {
        /// The whole minutes that there are.
        found_mins: i64,
    },
    /// The end lies before the start.
    #[error("the end time is {early_ms} ms before the start; expected a later one")]
    EndsEarly {
        /// By how much.
        early_ms: u64,
    },
    /// A number that must not be negative is.
    #[error("`{field}` is {found}; expected at least {least}")]
    TooSmall {
        /// Kayenta's name of the field.
        field: &'static str,
        /// What was found.
        found: i64,
        /// The smallest that can be meant.
        least: i64,
    },
    /// More judgements than anyone looks at.
    #[error("the plan has {found} judgements; expected at most {MOST_JUDGEMENTS}")]
    TooManyJudgements {
        /// How many there would be.
        found: u64,
    },
    /// Scopes with so much text that repeating it for each judgement fills the memory.
    #[error(
        "the scopes have {bytes} bytes of text for {judgements} judgements; expected at most {MOST_PLAN_BYTES} together"
    )]
    TooMuchText {
        /// Of one judgement.
        bytes: u64,
        /// How many judgements.
        judgements: u64,
    },
    /// A time before the year -9999 or after 9999.
    #[error("a window of scope `{scope}` lies outside of the years -9999 to 9999")]
    OutOfTime {
        /// Whose.
        scope: String,
    },
}

/// Plans an analysis.
///
/// # Errors
/// Everything that is wrong with the request, at once; never an empty list.
pub fn plan(request: &Request) -> Result<Plan, Vec<PlanProblem>> {
    let mut problems = check(request);
    let frame = match Frame::of(request) {
        Ok(frame) => Some(frame),
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    if let Some(frame) = &frame {
        problems.extend(frame.too_large(request));
        if problems.is_empty() {
            match frame.stages(request) {
                Ok(plan) => return Ok(plan),
                Err(scope) => problems.push(PlanProblem::OutOfTime { scope }),
            }
        }
    }
    Err(problems)
}

/// What is wrong whatever the times are.
fn check(request: &Request) -> Vec<PlanProblem> {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    let mut twice = BTreeSet::new();
    for scope in &request.scopes {
        if !seen.insert(scope.name.as_str()) && twice.insert(scope.name.as_str()) {
            problems.push(PlanProblem::DuplicateScope(scope.name.clone()));
        }
    }
    let step = request.scopes.first().and_then(|scope| scope.step_secs);
    for (field, found, least) in [
        ("beginAfterMins", request.begin_after_mins, 0),
        ("lookbackMins", request.lookback_mins, 0),
        ("analysisIntervalMins", request.interval_mins, 0),
        ("step", step, 1),
    ] {
        if let Some(found) = found.filter(|found| *found < least) {
            problems.push(PlanProblem::TooSmall {
                field,
                found,
                least,
            });
        }
    }
    problems
}

/// The times that all scopes share, in wide numbers so that nothing overflows before it is checked.
struct Frame {
    start_ms: i128,
    ends: bool,
    interval_ms: i128,
    begin_after_ms: i128,
    lookback_ms: i128,
    judgements: u64,
    step_secs: u64,
}

impl Frame {
    fn of(request: &Request) -> Result<Self, PlanProblem> {
        let first = request.scopes.first().ok_or(PlanProblem::NoScope)?;
        let start_ms = first.start_ms.unwrap_or(request.now_ms);
        let lifetime_mins = match (first.end_ms, request.lifetime_mins) {
            (Some(end_ms), _) if end_ms < start_ms => {
                return Err(PlanProblem::EndsEarly {
                    early_ms: start_ms.abs_diff(end_ms),
                });
            }
            (Some(end_ms), _) => {
                let minutes = end_ms.abs_diff(start_ms) / MINUTE_MS.unsigned_abs();
                i64::try_from(minutes).unwrap_or(i64::MAX)
            }
            (None, Some(minutes)) => minutes,
            (None, None) => return Err(PlanProblem::NoLifetime),
        };
        if lifetime_mins < 1 {
            return Err(PlanProblem::NoTime {
                found_mins: lifetime_mins,
            });
        }
        let interval_mins = request
            .interval_mins
            .filter(|minutes| (1..=lifetime_mins).contains(minutes))
            .unwrap_or(lifetime_mins);
        let ms = |minutes: i64| i128::from(minutes) * i128::from(MINUTE_MS);
        Ok(Self {
            start_ms: start_ms.into(),
            ends: first.end_ms.is_some(),
            interval_ms: ms(interval_mins),
            begin_after_ms: ms(request.begin_after_mins.unwrap_or(0)),
            lookback_ms: ms(request.lookback_mins.unwrap_or(0)),
            judgements: (lifetime_mins / interval_mins).unsigned_abs(),
            step_secs: first.step_secs.unwrap_or(DEFAULT_STEP_SECS).unsigned_abs(),
        })
    }

    fn too_large(&self, request: &Request) -> Option<PlanProblem> {
        if self.judgements > MOST_JUDGEMENTS {
            return Some(PlanProblem::TooManyJudgements {
                found: self.judgements,
            });
        }
        let bytes = request.scopes.iter().map(text_bytes).sum::<u64>();
        (bytes.saturating_mul(self.judgements) > MOST_PLAN_BYTES).then_some(
            PlanProblem::TooMuchText {
                bytes,
                judgements: self.judgements,
            },
        )
    }

    /// The canary's window of judgement `number` in milliseconds, before any offset.
    fn window_ms(&self, number: u32) -> (i128, i128) {
        let warm_up = if self.ends { 0 } else { self.begin_after_ms };
        let start = self.start_ms + warm_up;
        let end = start + i128::from(number) * self.interval_ms;
        if self.lookback_ms > 0 {
            (end - self.lookback_ms, end)
        } else {
            (start, end)
        }
    }

    /// The stages; an error names the scope whose window no calendar has.
    fn stages(&self, request: &Request) -> Result<Plan, String> {
        let first_scope = request.scopes.first().map(|scope| scope.name.clone());
        let first_scope = first_scope.unwrap_or_default();
        let out_of_time = || first_scope.clone();
        let mut stages = Vec::new();
        if self.begin_after_ms > 0 {
            let from = if self.ends {
                request.now_ms.into()
            } else {
                self.start_ms
            };
            stages.push(Planned::Wait {
                name: "Warmup Wait".to_owned(),
                until_ms: time(from + self.begin_after_ms).ok_or_else(out_of_time)?,
            });
        }
        for number in 1..=u32::try_from(self.judgements).unwrap_or(u32::MAX) {
            let (start, end) = self.window_ms(number);
            if !self.ends {
                stages.push(Planned::Wait {
                    name: format!("Interval Wait #{number}"),
                    until_ms: time(end).ok_or_else(out_of_time)?,
                });
            }
            let mut scopes = BTreeMap::new();
            let mut due_ms = i64::MIN;
            for scope in &request.scopes {
                let pair = self.pair(scope, start, end).ok_or(&scope.name)?;
                for side in [&pair.baseline, &pair.canary] {
                    due_ms = due_ms.max(side.window.end_ms());
                }
                scopes.insert(scope.name.clone(), pair);
            }
            stages.push(Planned::Judge {
                number,
                due_ms,
                scopes,
            });
        }
        Ok(Plan {
            first_scope,
            stages,
        })
    }

    fn pair(&self, scope: &ScopeRequest, start: i128, end: i128) -> Option<ScopePair> {
        let offset = i128::from(scope.baseline_offset_mins) * i128::from(MINUTE_MS);
        let side = |place: &Place, offset: i128| {
            Some(Scope {
                scope: place.scope.clone(),
                location: place.location.clone(),
                window: Window::new(time(start - offset)?, time(end - offset)?).ok()?,
                step_secs: self.step_secs,
                parameters: scope.parameters.clone(),
            })
        };
        Some(ScopePair {
            baseline: side(&scope.baseline, offset)?,
            canary: side(&scope.canary, 0)?,
        })
    }
}

/// A time that a calendar has.
fn time(ms: i128) -> Option<i64> {
    let ms = i64::try_from(ms).ok()?;
    Timestamp::from_millisecond(ms).ok().map(|_| ms)
}

fn text_bytes(scope: &ScopeRequest) -> u64 {
    let places = [&scope.baseline, &scope.canary];
    let of_places = places.map(|place| place.scope.len() + place.location.len());
    let of_parameters = scope
        .parameters
        .iter()
        .map(|(key, value)| 2 * (key.len() + value.len()));
    let bytes = scope.name.len() + of_places.iter().sum::<usize>() + of_parameters.sum::<usize>();
    bytes as u64
}
