//! Score and verdict of the evidence judge.
//!
//! The score is the weighted share of the decided metrics that passed; groups and weights keep their meaning. What is undecided,
//! missing or failed to be compared lowers the coverage, never raises the score.

use std::collections::BTreeMap;

use super::{decided, groups, tally};
use crate::config::Thresholds;
use crate::judgement::{Judgement, MetricResult, ScoreLabel, Verdict, VerdictReason};

/// Below this share of decided weight there is no Pass.
pub const ENOUGH_COVERAGE: f64 = 0.8;

/// Scores the results and derives the verdict. Cost O(results × groups of each).
///
/// In this order: a critical metric that failed is Fail; a score below marginal is Fail; an undecided critical metric, or less
/// than 80 % of the weight decided, is Inconclusive; any other failed metric is Marginal at best; else Pass.
#[must_use]
pub fn judgement(
    judge: &str,
    results: Vec<MetricResult>,
    group_weights: &BTreeMap<String, f64>,
    thresholds: Thresholds,
) -> Judgement {
    let mut groups = groups(&tally(&results), group_weights);
    for group in &mut groups {
        let count = group.passed + group.failed;
        group.score = if count == 0 {
            0.0
        } else {
            100.0 * group.passed as f64 / count as f64
        };
    }
    let (decided_score, coverage) = decided(&groups);
    let score = decided_score.unwrap_or(0.0);
    let label = ScoreLabel::of(score, thresholds);
    let (verdict, reason) = verdict(&results, decided_score, coverage, thresholds);
    Judgement {
        version: Judgement::VERSION,
        judge: judge.to_owned(),
        thresholds,
        group_weights: group_weights.clone(),
        results,
        groups,
        score,
        score_reason: String::new(),
        decided_score,
        coverage,
        label,
        verdict,
        reason,
        evidence: None,
    }
}

fn verdict(
    results: &[MetricResult],
    decided_score: Option<f64>,
    coverage: f64,
    thresholds: Thresholds,
) -> (Verdict, VerdictReason) {
    let first = |wanted: &dyn Fn(&MetricResult) -> bool| {
        results
            .iter()
            .position(|result| result.counted() && wanted(result))
    };
    let critical_failure = |result: &MetricResult| {
        let missing = result.spec.must_have_data && !result.decided();
        result.spec.critical
            && (result.classification.failed()
                || missing && result.baseline.stats.count * result.canary.stats.count == 0)
    };
    if let Some(result) = first(&critical_failure) {
        return (Verdict::Fail, VerdictReason::CriticalMetric { result });
    }
    let Some(score) = decided_score else {
        let counted = results.iter().any(MetricResult::counted);
        let reason = if counted {
            VerdictReason::NothingDecided
        } else {
            VerdictReason::NothingCounted
        };
        return (Verdict::Inconclusive, reason);
    };
    let label = ScoreLabel::of(score, thresholds);
    if label == ScoreLabel::Fail {
        return (Verdict::Fail, VerdictReason::ScoreBelow);
    }
    let undecided_critical = |result: &MetricResult| result.spec.critical && !result.decided();
    if let Some(result) = first(&undecided_critical) {
        return (
            Verdict::Inconclusive,
            VerdictReason::CriticalUndecided { result },
        );
    }
    if coverage < ENOUGH_COVERAGE {
        return (Verdict::Inconclusive, VerdictReason::TooLittleDecided);
    }
    let failed = |result: &MetricResult| result.classification.failed();
    match (first(&failed), label) {
        (_, ScoreLabel::Marginal | ScoreLabel::Fail) => {
            (Verdict::Marginal, VerdictReason::ScoreBetween)
        }
        (Some(result), ScoreLabel::Pass) => {
            (Verdict::Marginal, VerdictReason::MetricFailed { result })
        }
        (None, ScoreLabel::Pass) => (Verdict::Pass, VerdictReason::ScoreReached),
    }
}
