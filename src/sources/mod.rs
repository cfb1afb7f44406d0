//! Where series come from: the port [`MetricSource`], and one folder for each kind of metric store.
//!
//! A source asks once and answers once: retries, deadlines, concurrency and caching stand around the port
//! (`analysis::collect`). A source never judges, never pairs, and never turns a failure into missing points.

pub mod files;
pub mod prometheus;
pub mod scrape;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::config::canary::wire::Query;
use crate::model::metric_set::MetricSet;
use crate::model::scope::Scope;

/// How faithful to Kayenta a question is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Manner {
    /// Query text, window and points as Kayenta has them; what it gets wrong is only warned about. Belongs to
    /// `NetflixACAJudge-v1.0`.
    Kayenta,
    /// The window aligned to the step, holes kept as holes on one grid, bare gauges guarded against repeated stale values.
    Aligned,
}

/// One metric of one side, to be asked of a source. Two equal questions have the same answer, so that one fetch can serve both.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The metric's name in the canary config.
    pub metric: String,
    /// How to read it.
    pub query: Query,
    /// The config's templates, by name.
    pub templates: Arc<BTreeMap<String, String>>,
    /// Where and when.
    pub scope: Scope,
    /// How faithful to Kayenta.
    pub manner: Manner,
    /// Where an aligned window is cut, in milliseconds since 1970-01-01T00:00:00Z: points after it are too young to be believed.
    /// The same for all questions of one judgement, so that its sides are cut alike. `None` leaves it to the source.
    pub settled_ms: Option<i64>,
}

/// What a source found.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetched {
    /// At least one: a source that found nothing returns one set without values, with the scope's window and step.
    pub sets: Vec<MetricSet>,
    /// The query as sent.
    pub query: String,
    /// Points that are there, over all sets.
    pub points: u64,
    /// Points that the window has room for, over all sets.
    pub expected_points: u64,
    /// What a reader of the judgement should know, one sentence each.
    pub warnings: Vec<String>,
    /// Name and version of the store, where it tells.
    pub build: Option<String>,
}

impl Fetched {
    /// Share of the expected points that are there, 0 to 1; 1 where none were expected.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of points are far below 2^53"
    )]
    pub fn coverage(&self) -> f64 {
        if self.expected_points == 0 {
            return 1.0;
        }
        (self.points as f64 / self.expected_points as f64).min(1.0)
    }
}

/// What the caller of a source can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Ask again later; not before `after`, where the store named a time.
    Retry {
        /// How long to wait at least.
        after: Option<Duration>,
    },
    /// The same may succeed another time, but asking again now would only add to what the store suffers from.
    Later,
    /// Mend the config, the request or the account; asking again gives the same error.
    Mend,
    /// Nothing helps: this metric cannot be had from this store.
    GiveUp,
}

/// Why a source has no answer. The message says what was asked of what, what was found and what was expected; it never holds a
/// secret. A cause is in `source()`, and not repeated in the message.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct SourceError {
    /// What happened.
    pub message: String,
    /// What the caller can do.
    pub remedy: Remedy,
    /// The query, as far as it was made.
    pub query: Option<String>,
    /// What a person can do about it.
    pub hint: Option<String>,
    /// What lies beneath.
    #[source]
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SourceError {
    /// An error without query, hint and cause.
    #[must_use]
    pub fn new(remedy: Remedy, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            remedy,
            query: None,
            hint: None,
            cause: None,
        }
    }
}

/// Reads series from one account of one kind of metric store.
#[async_trait]
pub trait MetricSource: Send + Sync + std::fmt::Debug {
    /// The word for the kind of store, as `type` in a query names it: `prometheus`.
    fn kind(&self) -> &'static str;

    /// Whether this source can answer queries of the kind of `query`: those of its own kind.
    fn accepts(&self, query: &Query) -> bool {
        query.kind() == self.kind()
    }

    /// The latest moment whose points are believed now, in milliseconds since 1970-01-01T00:00:00Z; `None` where all are.
    fn believed_until_ms(&self) -> Option<i64> {
        None
    }

    /// Tells the source that `question` will be asked at the end of its window, so that a source that sees only the present
    /// can begin to look. Called when an execution with windows to come begins and whenever it is taken up again; telling it
    /// twice changes nothing. Sends nothing that must be waited for.
    async fn watch(&self, _question: &Question) {}

    /// The text that [`fetch`](Self::fetch) would send; sends nothing. Two questions with equal scope, manner, cut and text have the
    /// same answer but for the metric's name.
    ///
    /// # Errors
    /// A query that cannot be made.
    fn render(&self, question: &Question) -> Result<String, SourceError>;

    /// Asks once. Dropping the future stops the work. The caller limits the time.
    ///
    /// # Errors
    /// Everything that is no answer; "no data" is an answer.
    async fn fetch(&self, question: &Question) -> Result<Fetched, SourceError>;

    /// Names of metrics that contain `filter`, whatever the case, sorted.
    ///
    /// # Errors
    /// Everything that is no answer.
    async fn metric_names(&self, filter: &str) -> Result<Vec<String>, SourceError>;

    /// Whether the store answers at all.
    ///
    /// # Errors
    /// Why it does not.
    async fn check(&self) -> Result<(), SourceError>;
}

/// All accounts of metric stores, in the order of the server config.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    accounts: Vec<(String, Arc<dyn MetricSource>)>,
}

/// An account that cannot be found; the texts are Kayenta's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnknownAccount {
    /// No account has this name.
    #[error("Unable to resolve account {0}.")]
    Name(String),
    /// There is no account at all.
    #[error("Unable to resolve account of type METRICS_STORE.")]
    None,
}

impl Sources {
    /// Takes accounts; of two with the same name the first counts.
    #[must_use]
    pub fn new(accounts: Vec<(String, Arc<dyn MetricSource>)>) -> Self {
        Self { accounts }
    }

    /// The account called `name`; without a name, or with an empty one, the first account of all.
    ///
    /// # Errors
    /// An unknown name; no account at all.
    pub fn resolve(
        &self,
        name: Option<&str>,
    ) -> Result<(&str, &Arc<dyn MetricSource>), UnknownAccount> {
        let found = match name.filter(|name| !name.is_empty()) {
            Some(name) => {
                let found = self.accounts.iter().find(|(known, _)| known == name);
                found.ok_or_else(|| UnknownAccount::Name(name.to_owned()))?
            }
            None => self.accounts.first().ok_or(UnknownAccount::None)?,
        };
        Ok((found.0.as_str(), &found.1))
    }

    /// All accounts, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<dyn MetricSource>)> {
        self.accounts
            .iter()
            .map(|(name, source)| (name.as_str(), source))
    }
}
