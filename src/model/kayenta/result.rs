//! The result of a judge.

use std::collections::BTreeMap;

use coalmine_judges::judgement::{Judgement, MetricResult, Reason, SideStats, SideSummary};
use serde::Serialize;

use super::Double;

/// Kayenta's result of a judge.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryJudgeResult {
    /// Name of the judge.
    pub judge_name: String,
    /// One for each metric set pair, in their order, muted ones included.
    pub results: Vec<CanaryAnalysisResult>,
    /// One for each group.
    pub group_scores: Vec<CanaryJudgeGroupScore>,
    /// The total.
    pub score: CanaryJudgeScore,
}

/// Kayenta's result of one metric set pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryAnalysisResult {
    /// The metric's name.
    pub name: String,
    /// The pair's tags.
    pub tags: BTreeMap<String, String>,
    /// The pair's id.
    pub id: String,
    /// `Pass`, `High`, `Low`, `Nodata`, `NodataFailMetric` or `Error`.
    pub classification: &'static str,
    /// Why; omitted where Kayenta gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification_reason: Option<String>,
    /// The metric's groups.
    pub groups: Vec<String>,
    /// Statistics of the canary.
    pub experiment_metadata: SideMetadata,
    /// Statistics of the baseline.
    pub control_metadata: SideMetadata,
    /// The ratio of the means; omitted for `Error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_metadata: Option<ResultMetadata>,
    /// Whether it alone fails the canary.
    pub critical: bool,
    /// Whether it counts in no score.
    pub muted: bool,
}

/// Kayenta's wrapping of one side's statistics.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SideMetadata {
    /// The statistics.
    pub stats: Stats,
}

/// Kayenta's statistics of one side after preparation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stats {
    /// Smallest value.
    pub min: Double,
    /// Largest value.
    pub max: Double,
    /// Arithmetic mean.
    pub mean: Double,
    /// Standard deviation, denominator n − 1.
    pub std: Double,
    /// Number of values.
    pub count: usize,
}

/// Kayenta's ratio of the means.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ResultMetadata {
    /// Mean of the canary over mean of the baseline.
    pub ratio: Double,
}

/// Kayenta's score of a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryJudgeGroupScore {
    /// The group's name.
    pub name: String,
    /// 0 to 100.
    pub score: Double,
    /// Always empty.
    pub classification: &'static str,
    /// Always empty.
    pub classification_reason: &'static str,
}

/// Kayenta's total score.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryJudgeScore {
    /// 0 to 100.
    pub score: Double,
    /// `Pass`, `Marginal` or `Fail`.
    pub classification: &'static str,
    /// Why; empty where there is no reason.
    pub classification_reason: String,
}

impl From<&Judgement> for CanaryJudgeResult {
    /// What Kayenta would have answered: the label of the score alone, and no `Inconclusive`.
    fn from(judgement: &Judgement) -> Self {
        Self {
            judge_name: judgement.judge.clone(),
            results: judgement.results.iter().map(Into::into).collect(),
            group_scores: judgement
                .groups
                .iter()
                .map(|group| CanaryJudgeGroupScore {
                    name: group.name.clone(),
                    score: group.score.into(),
                    classification: "",
                    classification_reason: "",
                })
                .collect(),
            score: CanaryJudgeScore {
                score: judgement.score.into(),
                classification: judgement.label.word(),
                classification_reason: judgement.score_reason.clone(),
            },
        }
    }
}

impl From<&MetricResult> for CanaryAnalysisResult {
    fn from(result: &MetricResult) -> Self {
        Self {
            name: result.spec.name.clone(),
            tags: result.tags.clone(),
            id: result.id.clone(),
            classification: result.kayenta_classification().word(),
            classification_reason: result.kayenta_reason(),
            groups: result.spec.groups.clone(),
            experiment_metadata: (&result.canary).into(),
            control_metadata: (&result.baseline).into(),
            result_metadata: ratio(result).map(|ratio| ResultMetadata {
                ratio: Double(ratio),
            }),
            critical: result.critical,
            muted: result.spec.muted,
        }
    }
}

impl From<&SideSummary> for SideMetadata {
    fn from(side: &SideSummary) -> Self {
        let SideStats {
            count,
            min,
            max,
            mean,
            std,
        } = side.stats;
        let double = |value: Option<f64>| Double(value.unwrap_or(f64::NAN));
        Self {
            stats: Stats {
                min: double(min),
                max: double(max),
                mean: double(mean),
                std: double(std),
                count,
            },
        }
    }
}

/// Kayenta's ratio: 1 where it compared nothing, NaN where the division has no value, absent for an error.
fn ratio(result: &MetricResult) -> Option<f64> {
    match result.reason {
        Reason::MissingData | Reason::NothingToReplace | Reason::Identical | Reason::OneValue => {
            Some(1.0)
        }
        Reason::CannotCompare { .. } => None,
        Reason::BeyondLimit
        | Reason::Evidence { .. }
        | Reason::NoShift
        | Reason::DirectionNotCounted
        | Reason::WithinLimit
        | Reason::InfiniteValues => Some(result.ratio.unwrap_or_else(|| ratio_of_means(result))),
    }
}

/// The division where the judgement keeps no ratio because a mean is zero or not finite.
fn ratio_of_means(result: &MetricResult) -> f64 {
    match (result.canary.stats.mean, result.baseline.stats.mean) {
        (Some(canary), Some(baseline)) if canary != 0.0 && baseline != 0.0 => canary / baseline,
        _ => f64::NAN,
    }
}
