//! One judgement that is to be made, and the port that makes it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use coalmine_judges::config::Thresholds;
use coalmine_judges::judgement::Judgement;
use serde::{Deserialize, Serialize};

use crate::archive::bundle::{Bundle, Told};
use crate::config::canary::wire::CanaryConfig;
use crate::model::scope::{ScopePair, Side};

/// Everything that one judgement needs to know before it looks at any data.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The application, for people.
    pub application: String,
    /// The config as it was posted or stored.
    pub config: Arc<CanaryConfig>,
    /// The account of the metric store; the first one where it is absent.
    pub account: Option<String>,
    /// The scores that decide.
    pub thresholds: Thresholds,
    /// Where and when, by the scope name that metrics use.
    pub scopes: BTreeMap<String, ScopePair>,
}

/// What was collected for one judgement: the input, and words about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Collected {
    /// The input.
    pub bundle: Bundle,
    /// What is told of it.
    pub told: Told,
}

/// One thing that kept a judgement from being made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Which metric of the config, by its place; `None` where it concerns them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<usize>,
    /// Which side; `None` where it concerns both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// What happened, one sentence; without secrets.
    pub message: String,
    /// The query, as far as it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// What a person can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether the same request may succeed later: the store was out of reach, or too busy.
    #[serde(default)]
    pub passing: bool,
}

impl Failure {
    /// A failure of the whole judgement, that the same request will meet again.
    #[must_use]
    pub fn general(message: impl Into<String>) -> Self {
        Self {
            metric: None,
            side: None,
            message: message.into(),
            query: None,
            hint: None,
            passing: false,
        }
    }
}

/// Makes judgements.
#[async_trait]
pub trait Analyst: Send + Sync + Debug {
    /// Fetches both sides of all metrics and makes the bundle. Retries within its own deadline; dropping the future stops it.
    /// A metric that has no data is in the bundle without points.
    ///
    /// # Errors
    /// All failures at once, never an empty list. One metric that cannot be fetched means that there is no bundle: no verdict.
    async fn collect(&self, task: &Task) -> Result<Collected, Vec<Failure>>;

    /// Judges a bundle. Deterministic: the same bundle has the same judgement.
    ///
    /// # Errors
    /// Why it cannot be judged.
    fn judge(&self, bundle: &Bundle) -> Result<Judgement, Failure>;

    /// Tells the sources that `task` will be collected when its windows have ended, so that one that sees only the present can
    /// begin to look. For an execution whose windows are to come: when it begins, and whenever it is taken up again. Cheap;
    /// doing it twice changes nothing.
    async fn watch(&self, _task: &Task) {}
}

/// Makes no judgement: where nothing is to be judged, or nothing can be.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAnalyst;

#[async_trait]
impl Analyst for NoAnalyst {
    async fn collect(&self, _task: &Task) -> Result<Collected, Vec<Failure>> {
        Err(vec![Failure::general("there is nothing that judges here")])
    }

    fn judge(&self, _bundle: &Bundle) -> Result<Judgement, Failure> {
        Err(Failure::general("there is nothing that judges here"))
    }
}
