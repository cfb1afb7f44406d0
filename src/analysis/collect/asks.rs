//! What has to be asked for one judgement.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::pairing::MOST_POINTS;
use super::super::task::{Failure, Task};
use super::answers::Key;
use crate::config::canary::wire::{History, Metric};
use crate::model::scope::{Scope, ScopePair, Side, Window};
use crate::sources::{Manner, MetricSource, Question, Remedy, SourceError};

/// Most points of all histories together: 4 million, 64 MB beside what is judged.
pub(super) const MOST_HISTORY_POINTS: u64 = 4_000_000;

/// What an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It is judged.
    Compare(Side),
    /// It is kept beside what is judged.
    History,
}

impl Purpose {
    pub(super) fn side(self) -> Option<Side> {
        match self {
            Self::Compare(side) => Some(side),
            Self::History => None,
        }
    }
}

/// One question, and what it is for.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// The metric's place in the config.
    pub(super) metric: usize,
    pub(super) purpose: Purpose,
    pub(super) question: Question,
    pub(super) key: Key,
}

/// All questions of a task: both sides of every metric in order, then histories. The notes tell of histories that cannot be asked
/// for.
///
/// # Errors
/// Everything that cannot be asked, at once.
pub(super) fn of(
    task: &Task,
    account: &str,
    source: &dyn MetricSource,
    manner: Manner,
) -> Result<(Vec<Ask>, Vec<String>), Vec<Failure>> {
    let templates = Arc::new(task.config.templates.clone());
    let mut maker = Maker {
        account,
        source,
        manner,
        templates,
        // Fixed here for all questions: each asks at its own time.
        believed_until_ms: match manner {
            Manner::Aligned => source.believed_until_ms(),
            Manner::Kayenta => None,
        },
    };
    let (mut asks, mut histories) = (Vec::new(), Vec::new());
    let (mut failures, mut notes) = (Vec::new(), Vec::new());
    let mut past_points = 0_u64;
    for (index, metric) in task.config.metrics.iter().enumerate() {
        let pair = match scopes(task, index, metric) {
            Ok(pair) => pair,
            Err(failure) => {
                failures.push(failure);
                continue;
            }
        };
        for side in Side::BOTH {
            match maker.ask(
                index,
                metric,
                Purpose::Compare(side),
                pair.side(side).clone(),
            ) {
                Ok(ask) => asks.push(ask),
                // What is wrong with both sides is told once.
                Err(failure) if failures.last().is_some_and(|last| same(last, &failure)) => {
                    if let Some(last) = failures.last_mut() {
                        last.side = None;
                    }
                }
                Err(failure) => failures.push(failure),
            }
        }
        let name = metric.name.as_deref().unwrap_or_default();
        let asked = match metric.history() {
            Ok(None) => continue,
            Ok(Some(history)) => {
                let scope = before(pair, &history);
                let ask = maker.ask(index, metric, Purpose::History, scope);
                ask.map_err(|failure| failure.message)
            }
            Err(message) => Err(message),
        };
        match asked {
            Ok(ask) => {
                let points = ask.question.scope.expected_points();
                past_points = past_points.saturating_add(points);
                if past_points > MOST_HISTORY_POINTS {
                    past_points -= points;
                    notes.push(format!(
                        "no history of `{name}`: with it all histories have room for more than {MOST_HISTORY_POINTS} points"
                    ));
                } else {
                    histories.push(ask);
                }
            }
            Err(message) => notes.push(format!("no history of `{name}`: {message}")),
        }
    }
    failures.extend(too_much(&asks));
    if !failures.is_empty() {
        return Err(failures);
    }
    asks.append(&mut histories);
    Ok((asks, notes))
}

fn same(one: &Failure, other: &Failure) -> bool {
    one.metric == other.metric && one.message == other.message && one.query == other.query
}

/// Where a metric is looked for.
fn scopes<'t>(task: &'t Task, index: usize, metric: &Metric) -> Result<&'t ScopePair, Failure> {
    let failure = |message: String| Failure {
        metric: Some(index),
        side: None,
        message,
        query: None,
        hint: None,
        passing: false,
    };
    let name = metric.name.as_deref().unwrap_or_default();
    let Some(scope_name) = metric.scope_name.as_deref() else {
        return Err(Failure {
            hint: Some("write `scopeName: default`".to_owned()),
            ..failure(format!("the metric `{name}` names no scope"))
        });
    };
    task.scopes.get(scope_name).ok_or_else(|| {
        let known: Vec<String> = task.scopes.keys().map(|name| format!("`{name}`")).collect();
        let known = match known.as_slice() {
            [] => "no scope".to_owned(),
            known => known.join(", "),
        };
        failure(format!(
            "the metric `{name}` asks in the scope `{scope_name}`; the request has {known}"
        ))
    })
}

/// The time before the comparison, in the place that has a past.
fn before(pair: &ScopePair, history: &History) -> Scope {
    let (baseline, canary) = (&pair.baseline, &pair.canary);
    let end_ms = baseline.window.start_ms().min(canary.window.start_ms());
    let start_ms = end_ms.saturating_sub(i64::from(history.hours) * 3_600_000);
    let or = |own: &Option<String>, other: &String| own.clone().unwrap_or_else(|| other.clone());
    Scope {
        scope: or(&history.scope, &baseline.scope),
        location: or(&history.location, &baseline.location),
        window: Window::new(start_ms, end_ms).unwrap_or(baseline.window),
        step_secs: baseline.step_secs,
        parameters: baseline.parameters.clone(),
    }
}

/// Windows with room for more points than a judgement can hold are refused before anything is asked.
fn too_much(asks: &[Ask]) -> Option<Failure> {
    let points = asks
        .iter()
        .map(|ask| ask.question.scope.expected_points())
        .fold(0_u64, u64::saturating_add);
    (points > MOST_POINTS).then(|| Failure {
        metric: None,
        side: None,
        message: format!(
            "the windows have room for {points} points of all metrics together; expected at most {MOST_POINTS}"
        ),
        query: None,
        hint: Some("ask for a shorter window or a longer step".to_owned()),
        passing: false,
    })
}

/// Where a window is cut, if at all, on the grid of its step: judgements of about the same time share answers.
fn cut(scope: &Scope, believed_until_ms: Option<i64>) -> Option<i64> {
    let step_ms = i64::try_from(scope.step_secs.saturating_mul(1000)).ok()?;
    let until_ms = believed_until_ms.filter(|until| *until < scope.window.end_ms())?;
    let beyond_ms = until_ms.checked_rem_euclid(step_ms)?;
    Some(until_ms.saturating_sub(beyond_ms))
}

struct Maker<'a> {
    account: &'a str,
    source: &'a dyn MetricSource,
    manner: Manner,
    templates: Arc<BTreeMap<String, String>>,
    believed_until_ms: Option<i64>,
}

impl Maker<'_> {
    fn ask(
        &mut self,
        index: usize,
        metric: &Metric,
        purpose: Purpose,
        scope: Scope,
    ) -> Result<Ask, Failure> {
        let name = metric.name.clone().unwrap_or_default();
        let failure = |message: String, hint: &str| Failure {
            metric: Some(index),
            side: purpose.side(),
            message,
            query: None,
            hint: Some(hint.to_owned()),
            passing: false,
        };
        let Some(query) = &metric.query else {
            return Err(failure(
                format!("the metric `{name}` has no query"),
                "only series from files can be judged without",
            ));
        };
        if !self.source.accepts(query) {
            return Err(failure(
                format!(
                    "the metric `{name}` is asked of `{}`, and the account `{}` is of `{}`",
                    query.kind(),
                    self.account,
                    self.source.kind()
                ),
                "name another account, or write the query for this one",
            ));
        }
        let settled_ms = cut(&scope, self.believed_until_ms);
        let question = Question {
            metric: name,
            query: query.clone(),
            templates: Arc::clone(&self.templates),
            scope,
            manner: self.manner,
            settled_ms,
        };
        match self.source.render(&question) {
            Ok(rendered) => Ok(Ask {
                metric: index,
                purpose,
                key: Key {
                    account: self.account.to_owned(),
                    manner: self.manner,
                    query: rendered,
                    scope: question.scope.clone(),
                    settled_ms,
                },
                question,
            }),
            Err(error) => Err(failed(index, purpose, &error, None)),
        }
    }
}

/// A source's error as what kept the judgement from being made; `after` says how long it was tried.
pub(super) fn failed(
    metric: usize,
    purpose: Purpose,
    error: &SourceError,
    after: Option<&str>,
) -> Failure {
    let mut message = String::new();
    if let Some(after) = after {
        message.push_str(after);
        message.push_str(": ");
    }
    message.push_str(&error.message);
    let mut cause = std::error::Error::source(error);
    while let Some(below) = cause {
        message.push_str(": ");
        message.push_str(&below.to_string());
        cause = below.source();
    }
    Failure {
        metric: Some(metric),
        side: purpose.side(),
        message,
        query: error.query.clone(),
        hint: error.hint.clone(),
        passing: after.is_some() || error.remedy == Remedy::Later,
    }
}
