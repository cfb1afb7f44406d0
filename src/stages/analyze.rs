//! Makes one judgement: collect both sides, keep the bundle, judge it, keep the judgement. In this order, so that no
//! judgement is without its bundle and nothing follows from a judgement that is not kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use coalmine_judges::judgement::{Judgement, ScoreLabel, Verdict};
use serde::{Deserialize, Serialize};

use super::plan::Comparison;
use crate::analysis::task::Failure;
use crate::analysis::zone;
use crate::archive::bundle::Told;
use crate::model::scope::ScopePair;

/// What to judge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Analyze {
    /// 1 for the first judgement of the execution, then counted on.
    pub number: u32,
    /// Where and when, by the scope name that metrics use. Empty where that is settled when it begins.
    #[serde(default)]
    pub scopes: BTreeMap<String, ScopePair>,
    /// The server groups that a release compares: then where and when follow from what is observed as it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
}

/// How far it is. Times are in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, PartialEq)]
pub enum AnalyzeState {
    /// Nothing happened yet.
    NotStarted,
    /// Where and when are settled, and the end of the window is awaited.
    Opened {
        /// When that was.
        started_ms: i64,
        /// Where and when.
        scopes: Arc<BTreeMap<String, ScopePair>>,
        /// The last end of a window.
        until_ms: i64,
    },
    /// The series are being fetched, or were when the process ended.
    Collecting {
        /// When it was tried first.
        started_ms: i64,
        /// How often it was tried.
        attempts: u32,
        /// Where and when, where that was settled as it began.
        scopes: Option<Arc<BTreeMap<String, ScopePair>>>,
    },
    /// The bundle is kept.
    Collected {
        /// When collecting was tried first.
        started_ms: i64,
        /// The bundle's content hash.
        bundle_id: String,
        /// What is told of it.
        told: Told,
    },
    /// The judgement is kept.
    Judged {
        /// When collecting was tried first.
        started_ms: i64,
        /// When it was judged.
        ended_ms: i64,
        /// The bundle's content hash.
        bundle_id: String,
        /// What it came to.
        outcome: Outcome,
    },
    /// There is no judgement, and will be none.
    Failed {
        /// When collecting was tried first.
        started_ms: i64,
        /// When that was settled.
        ended_ms: i64,
        /// The bundle's content hash, where the failure came after it was kept.
        bundle_id: Option<String>,
        /// Why; never empty.
        failures: Vec<Failure>,
    },
}

impl AnalyzeState {
    /// When it was tried first.
    #[must_use]
    pub fn started_ms(&self) -> Option<i64> {
        match self {
            Self::NotStarted => None,
            Self::Opened { started_ms, .. }
            | Self::Collecting { started_ms, .. }
            | Self::Collected { started_ms, .. }
            | Self::Judged { started_ms, .. }
            | Self::Failed { started_ms, .. } => Some(*started_ms),
        }
    }

    /// Where and when, where that was settled as it began and it has not been collected.
    #[must_use]
    pub fn opened(&self) -> Option<&Arc<BTreeMap<String, ScopePair>>> {
        match self {
            Self::Opened { scopes, .. } => Some(scopes),
            Self::Collecting { scopes, .. } => scopes.as_ref(),
            Self::NotStarted
            | Self::Collected { .. }
            | Self::Judged { .. }
            | Self::Failed { .. } => None,
        }
    }

    /// When it was settled, for or against.
    #[must_use]
    pub fn ended_ms(&self) -> Option<i64> {
        match self {
            Self::NotStarted
            | Self::Opened { .. }
            | Self::Collecting { .. }
            | Self::Collected { .. } => None,
            Self::Judged { ended_ms, .. } | Self::Failed { ended_ms, .. } => Some(*ended_ms),
        }
    }

    /// The bundle's content hash, once it is kept.
    #[must_use]
    pub fn bundle_id(&self) -> Option<&str> {
        match self {
            Self::NotStarted | Self::Opened { .. } | Self::Collecting { .. } => None,
            Self::Collected { bundle_id, .. } | Self::Judged { bundle_id, .. } => Some(bundle_id),
            Self::Failed { bundle_id, .. } => bundle_id.as_deref(),
        }
    }

    /// What it came to.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Judged { outcome, .. } => Some(outcome),
            Self::NotStarted
            | Self::Opened { .. }
            | Self::Collecting { .. }
            | Self::Collected { .. }
            | Self::Failed { .. } => None,
        }
    }
}

/// The part of a judgement that decides how an execution goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The answer, by the safe rules.
    pub verdict: Verdict,
    /// The judge's score, 0 to 100.
    pub score: f64,
    /// The score that clients decide by, where it was moved into the verdict's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_score: Option<f64>,
    /// What the thresholds make of the score alone.
    pub label: ScoreLabel,
    /// The verdict as the report says it: `error rate rose 3.1x [2.4, 4.0], critical`. Empty in journals that are older than it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub headline: String,
    /// Fewest points that a counted metric has on the baseline's side after preparation; `None` without metrics.
    pub fewest_baseline_points: Option<u64>,
}

impl Outcome {
    /// The score that clients and early stops decide by.
    #[must_use]
    pub fn deciding_score(&self) -> f64 {
        self.moved_score.unwrap_or(self.score)
    }

    /// One sentence: which judgement, its verdict and what it rests on.
    #[must_use]
    pub fn sentence(&self, number: u32) -> String {
        let (verdict, score) = (self.verdict.word(), self.score);
        match self.headline.as_str() {
            "" => format!("judgement {number} is {verdict}, score {score}"),
            headline => format!("judgement {number} is {verdict}, score {score}: {headline}"),
        }
    }

    /// What matters of `judgement`, with the score moved into the verdict's zone where it `follows_verdict`.
    #[must_use]
    pub fn of(judgement: &Judgement, follows_verdict: bool) -> Self {
        let moved = || zone::moved(judgement.score, judgement.verdict, judgement.thresholds);
        let counts = judgement
            .results
            .iter()
            .map(|result| result.baseline.stats.count as u64);
        Self {
            verdict: judgement.verdict,
            score: judgement.score,
            moved_score: follows_verdict.then(moved).flatten(),
            label: judgement.label,
            headline: String::new(),
            fewest_baseline_points: counts.min(),
        }
    }
}
