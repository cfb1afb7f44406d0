//! Kayenta's form of what went wrong.

use serde::Serialize;
use utoipa::ToSchema;

use super::times::iso;
use crate::analysis::task::Failure;
use crate::config::canary::wire::CanaryConfig;
use crate::model::scope::Side;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionBody {
    /// What kind of thing went wrong.
    pub exception_type: String,
    /// The stage in which it did.
    pub operation: String,
    /// What happened.
    pub details: ExceptionDetails,
    /// When, RFC 3339.
    pub timestamp: String,
    /// Whether the same request may succeed later.
    pub should_retry: bool,
}

/// What happened, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExceptionDetails {
    /// All of it in one line.
    pub error: String,
    /// One sentence for each failure.
    pub errors: Vec<String>,
}

/// An exception of a stage.
pub(super) fn exception(
    kind: &str,
    operation: &str,
    errors: Vec<String>,
    at_ms: i64,
    should_retry: bool,
) -> ExceptionBody {
    let error = match errors.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    };
    ExceptionBody {
        exception_type: kind.to_owned(),
        operation: operation.to_owned(),
        details: ExceptionDetails { error, errors },
        timestamp: iso(at_ms),
        should_retry,
    }
}

/// The exception of a judgement that could not be made. `collected` tells whether the series were there.
pub(super) fn of_failures(
    failures: &[Failure],
    config: &CanaryConfig,
    collected: bool,
    at_ms: i64,
) -> ExceptionBody {
    let operation = match (collected, failures.first()) {
        (true, _) => "judge".to_owned(),
        (false, None) => "setupContext".to_owned(),
        (false, Some(first)) => match first.metric {
            Some(metric) => fetch_stage(metric, first.side.unwrap_or(Side::Baseline)),
            None => "setupContext".to_owned(),
        },
    };
    let kind = match collected {
        true => "JudgingFailed",
        false => "FetchingFailed",
    };
    let errors = failures.iter().map(|it| sentence(it, config)).collect();
    let should_retry = !failures.is_empty() && failures.iter().all(|failure| failure.passing);
    exception(kind, &operation, errors, at_ms, should_retry)
}

/// The stage that fetches one side of a metric.
pub(super) fn fetch_stage(metric: usize, side: Side) -> String {
    match side {
        Side::Baseline => format!("fetchControl{metric}"),
        Side::Canary => format!("fetchExperiment{metric}"),
    }
}

fn sentence(failure: &Failure, config: &CanaryConfig) -> String {
    let mut text = String::new();
    if let Some(metric) = failure.metric {
        let name = config.metrics.get(metric);
        let name = name.and_then(|metric| metric.name.as_deref());
        text.push_str(&format!("metric `{}`", name.unwrap_or("?")));
        match failure.side {
            Some(Side::Baseline) => text.push_str(", control"),
            Some(Side::Canary) => text.push_str(", experiment"),
            None => {}
        }
        text.push_str(": ");
    }
    text.push_str(&failure.message);
    if let Some(query) = &failure.query {
        text.push_str(&format!("; query: {query}"));
    }
    if let Some(hint) = failure.hint.as_deref().filter(|hint| !hint.is_empty()) {
        text.push_str(&format!("; {hint}"));
    }
    text
}
