//! Prometheus, and the stores that speak its API: Thanos, Mimir, Cortex, VictoriaMetrics.
//!
//! One `fetch` is one question: `query` writes it, `range` says for which moments, `ask` sends it in as few requests as it
//! takes, `failure` tells answers from errors, `series` lays the points out. A request is not repeated, but where another form
//! of it may succeed: a shorter range, GET instead of POST, a token read again.
//!
//! A store may repeat stale points, leave some out, cut them, or give parts of an answer as the whole. Where that can be
//! avoided it is; where not, a warning stands beside the data. Under [`Manner::Kayenta`] it is only warned about.

mod account;
mod ask;
mod credentials;
mod diagnose;
mod failure;
mod fuzz;
mod http;
mod probe;
mod promql;
pub mod query;
mod quoting;
mod range;
mod reply;
mod response;
mod series;
mod tls;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::StatusCode;

use self::http::Http;
use self::probe::{Kept, Traits};
use self::promql::{Outline, Reading};
use self::range::{NoRange, Range};
use self::series::{About, Joined, Laid};
use crate::clock::{Clock, SystemClock};
use crate::sources::{Fetched, Manner, MetricSource, Question, Remedy, SourceError};

pub use account::{Account, Auth, OnWarning, Tls};
pub use fuzz::{fuzz_query, fuzz_reply};

/// One account of Prometheus. All users share its limits, its connections, and what is known about the store.
#[derive(Debug)]
pub struct PrometheusSource {
    http: Http,
    traits: Kept<Traits>,
    names: Kept<Vec<String>>,
}

impl PrometheusSource {
    /// Takes an account. Nothing is sent, and no file is read, before the first question.
    ///
    /// # Errors
    /// An address that is none, or that holds credentials; half of a client certificate.
    pub fn new(account: Account) -> Result<Self, SourceError> {
        Self::with_clock(account, Arc::new(SystemClock))
    }

    /// The same with another clock, which tells what is too young to be believed.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_clock(account: Account, clock: Arc<dyn Clock>) -> Result<Self, SourceError> {
        Ok(Self {
            http: Http::new(account, clock)?,
            traits: Kept::default(),
            names: Kept::default(),
        })
    }

    fn name(&self) -> &str {
        &self.http.account().name
    }

    /// The latest moment whose points are believed.
    fn settled_ms(&self) -> i64 {
        let settle_ms = i64::from(self.http.account().settle_secs) * 1000;
        self.http.now_ms().saturating_sub(settle_ms)
    }

    fn range(&self, question: &Question) -> Result<Range, SourceError> {
        let scope = &question.scope;
        let error = |remedy, what: String| {
            let message = format!(
                "account `{}`: metric `{}`: {what}",
                self.name(),
                question.metric
            );
            SourceError::new(remedy, message)
        };
        let range = Range::of(scope, question.manner, self.settled_ms());
        let range = range.map(|range| match (question.manner, question.settled_ms) {
            (Manner::Aligned, Some(ms)) => range.cut(ms),
            (Manner::Aligned, None) | (Manner::Kayenta, _) => range,
        });
        range.map_err(|none| match none {
            NoRange::Step => error(
                Remedy::Mend,
                format!(
                    "found a step of {} s; expected at least 1 s",
                    scope.step_secs
                ),
            ),
            NoRange::TooMany(points) => error(
                Remedy::Mend,
                format!(
                    "the window has room for {points} points; expected at most {}",
                    range::MAX_POINTS_IN_ALL
                ),
            ),
            NoRange::BetweenPoints => error(
                Remedy::Mend,
                format!(
                    "the window of {} ms holds no multiple of the step of {} s",
                    scope.window.length_ms(),
                    scope.step_secs
                ),
            ),
            NoRange::TooYoung(ms) => error(
                Remedy::Retry {
                    after: Some(std::time::Duration::from_millis(ms)),
                },
                format!(
                    "the window is too young: its first point can be believed in {} s",
                    ms.div_ceil(1000)
                ),
            ),
        })
    }

    /// Refuses several series where one was meant; Kayenta takes them as several.
    fn several(
        &self,
        question: &Question,
        outline: &Outline,
        joined: &Joined,
    ) -> Result<Option<String>, SourceError> {
        if joined.len() < 2 || outline.groups {
            return Ok(None);
        }
        let what = format!(
            "the query gives {} series; expected 1, or labels to keep apart by `by (…)`: they differ in {}",
            joined.len(),
            differing(joined)
        );
        match question.manner {
            Manner::Kayenta => Ok(Some(what)),
            Manner::Aligned => {
                let message = format!(
                    "account `{}`: metric `{}`: {what}",
                    self.name(),
                    question.metric
                );
                let mut error = SourceError::new(Remedy::Mend, message);
                error.hint =
                    Some("aggregate with `sum(…)`, `avg(…)` or `sum by (…) (…)`".to_owned());
                Err(error)
            }
        }
    }

    /// Why the answer is empty or has holes, as far as the store can tell.
    async fn diagnosis(&self, outline: &Outline, range: Range, laid: &Laid) -> Vec<String> {
        if laid.points == 0 && laid.not_numbers == 0 {
            return diagnose::nothing_came(&self.http, outline, range).await;
        }
        let room = range.expected_points(Manner::Aligned) * laid.sets.len() as u64;
        match laid.points + laid.not_numbers < room {
            true => diagnose::holes(&self.http, outline, range).await,
            false => Vec::new(),
        }
    }

    fn remarks(
        &self,
        question: &Question,
        outline: &Outline,
        range: Range,
        laid: &Laid,
    ) -> Vec<String> {
        let settled_ms = self.settled_ms();
        let mut remarks = range::remarks(range, question.scope.window, question.manner, settled_ms);
        let (skew_ms, believed) = match self.http.skew_ms() {
            Ok(skew_ms) => (skew_ms, "is"),
            Err(skew_ms) => (skew_ms, "seems, and is not believed to be,"),
        };
        let skew_secs = skew_ms / 1000;
        if skew_secs.saturating_abs() >= 5 {
            let way = if skew_secs > 0 { "ahead of" } else { "behind" };
            remarks.push(format!(
                "the store's clock {believed} {} s {way} ours",
                skew_secs.unsigned_abs()
            ));
        }
        let step_secs = question.scope.step_secs;
        let bare = outline
            .selectors
            .iter()
            .find(|s| s.reading == Reading::Bare);
        if let Some(bare) = bare.filter(|_| step_secs < 300 && laid.longest_repeat >= 3) {
            remarks.push(format!(
                "`{}` is read bare and {} points in a row are equal: Prometheus repeats the last sample for up to 5 minutes; `last_over_time(…[{step_secs}s])` does not",
                failure::shorten(&bare.text), laid.longest_repeat
            ));
        }
        let first = laid.first_ms.unwrap_or(range.start_ms);
        let late_ms = first.saturating_sub(range.start_ms);
        if late_ms > range.step_ms.saturating_mul(2) {
            remarks.push(format!(
                "the first point is {} s after the window's start: the metric began later, or the store does not keep data so long",
                late_ms / 1000
            ));
        }
        for (count, what) in [
            (laid.not_numbers, "not a number (NaN): missing, that is"),
            (laid.infinite, "infinite"),
            (
                laid.off_grid,
                "at another moment than asked for, and left out",
            ),
        ] {
            match count {
                0 => {}
                1 => remarks.push(format!("1 point is {what}")),
                _ => remarks.push(format!("{count} points are {what}")),
            }
        }
        remarks
    }
}

/// The labels whose values differ between series, with two of their values.
fn differing(joined: &Joined) -> String {
    let mut all = joined.labels();
    let Some(first) = all.next() else {
        return "nothing".to_owned();
    };
    let mut found: Vec<String> = Vec::new();
    for other in all {
        for label in first.keys().chain(other.keys()) {
            let (one, two) = (first.get(label), other.get(label));
            let known = found
                .iter()
                .any(|known| known.starts_with(&format!("`{label}`")));
            if one != two && !known && found.len() < 5 {
                let or_none = |value: Option<&String>| {
                    value.map_or_else(String::new, |value| failure::shorten(value))
                };
                found.push(format!(
                    "`{label}` (`{}`, `{}`)",
                    or_none(one),
                    or_none(two)
                ));
            }
        }
    }
    match found.is_empty() {
        true => "nothing".to_owned(),
        false => found.join(", "),
    }
}

#[async_trait]
impl MetricSource for PrometheusSource {
    fn kind(&self) -> &'static str {
        "prometheus"
    }

    fn believed_until_ms(&self) -> Option<i64> {
        Some(self.settled_ms())
    }

    fn render(&self, question: &Question) -> Result<String, SourceError> {
        query::build(question, &self.http.account().scope_label).map_err(|why| {
            let message = format!(
                "account `{}`: metric `{}`: {why}",
                self.name(),
                question.metric
            );
            let mut error = SourceError::new(Remedy::Mend, message);
            error.cause = std::error::Error::source(&why).map(|cause| cause.to_string().into());
            error
        })
    }

    async fn fetch(&self, question: &Question) -> Result<Fetched, SourceError> {
        let query = self.render(question)?;
        let range = self.range(question)?;
        let traits = async { Ok::<_, SourceError>(probe::traits(&self.http).await) };
        let traits = self.traits.get(traits).await?;
        let (joined, mut warnings) = ask::range(&self.http, &query, range).await?;
        let outline = promql::outline(&query);
        warnings.extend(
            self.several(question, &outline, &joined)
                .map_err(|mut error| {
                    error.query = Some(query.clone());
                    error
                })?,
        );
        let labels = joined.labels().flat_map(|labels| labels.keys());
        let replica = labels
            .map(String::as_str)
            .find(|label| series::REPLICA_LABELS.contains(label));
        if let Some(label) = replica {
            warnings.push(format!(
                "the series carry `{label}`: two Prometheus may scrape the same targets, and each would count twice"
            ));
        }
        warnings.extend(diagnose::replicas(
            &query,
            &outline,
            traits.replica_label.as_deref(),
        ));
        let about = About {
            metric: &question.metric,
            query: &query,
            range,
            window: question.scope.window,
            manner: question.manner,
        };
        let laid = series::lay(about, joined);
        warnings.extend(self.remarks(question, &outline, range, &laid));
        warnings.extend(self.diagnosis(&outline, range, &laid).await);
        Ok(Fetched {
            points: laid.points,
            expected_points: range.expected_points(question.manner) * laid.sets.len() as u64,
            sets: laid.sets,
            query,
            warnings,
            build: traits.build.clone(),
        })
    }

    async fn metric_names(&self, filter: &str) -> Result<Vec<String>, SourceError> {
        let names = self.names.get(probe::names(&self.http)).await?;
        let filter = filter.to_lowercase();
        let found = names
            .iter()
            .filter(|name| name.to_lowercase().contains(&filter));
        Ok(found.cloned().collect())
    }

    async fn check(&self) -> Result<(), SourceError> {
        let answer = self.http.get("/-/healthy", &Vec::new()).await?;
        let status = answer.status;
        if status.is_success() && !answer.is_html {
            return Ok(());
        }
        if failure::is_retryable(status.as_u16()) && status != StatusCode::NOT_IMPLEMENTED {
            let message = format!(
                "account `{}`: `/-/healthy` answers with {status}",
                self.name()
            );
            let after = answer.retry_after;
            return Err(SourceError::new(Remedy::Retry { after }, message));
        }
        // Stores behind a prefix and read-only proxies have no such page.
        ask::instant_values(&self.http, "vector(1)", self.http.now_ms()).await?;
        Ok(())
    }
}
