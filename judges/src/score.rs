//! Scores of groups, the total, and the verdict.
//!
//! The score is Kayenta's weighted sum, to the last digit. The verdict starts from what the score says and is made safe:
//! it is Pass or Marginal only where the score's own label is at least as good, nothing that is undecided counts in favour of the canary, and where too
//! little was decided the answer is Inconclusive.

pub mod by_evidence;

use std::collections::BTreeMap;

use crate::config::Thresholds;
use crate::judgement::{
    Classification, GroupScore, Judgement, MetricResult, ScoreLabel, Verdict, VerdictReason,
};

/// Up to this share of decided weight there is no verdict; Kayenta's own rule is the same share of results without data.
const TOO_LITTLE_COVERAGE: f64 = 0.5;

/// Scores the results and derives the verdict. Cost O(results × groups of each).
#[must_use]
pub fn judgement(
    judge: &str,
    results: Vec<MetricResult>,
    group_weights: &BTreeMap<String, f64>,
    thresholds: Thresholds,
) -> Judgement {
    let tallies = tally(&results);
    let groups = groups(&tallies, group_weights);
    let total = kayenta_total(&results, &groups, &tallies);
    let label = ScoreLabel::of(total.score, thresholds);
    let (decided_score, coverage) = decided(&groups);
    let evidence = Evidence {
        results: &results,
        weighted_sum: total.weighted_sum,
        label,
        decided_score,
        coverage,
    };
    let (verdict, reason) = evidence.verdict(thresholds);
    Judgement {
        version: Judgement::VERSION,
        judge: judge.to_owned(),
        thresholds,
        group_weights: group_weights.clone(),
        results,
        groups,
        score: total.score,
        score_reason: total.reason,
        decided_score,
        coverage,
        label,
        verdict,
        reason,
        evidence: None,
    }
}

/// Scores changed results again by the rules of the judge that made `judgement`.
#[must_use]
pub fn again(judgement: &Judgement, results: Vec<MetricResult>) -> Judgement {
    let score = if judgement.judge == crate::judges::coalmine_v1::NAME {
        by_evidence::judgement
    } else {
        self::judgement
    };
    score(
        &judgement.judge,
        results,
        &judgement.group_weights,
        judgement.thresholds,
    )
}

/// How the results of one group came out.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    passed: usize,
    failed: usize,
    undecided: usize,
    /// Results that passed as Kayenta counts.
    kayenta_passed: usize,
    /// Results that Kayenta counts at all.
    kayenta_counted: usize,
}

fn tally(results: &[MetricResult]) -> BTreeMap<&str, Tally> {
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for result in results.iter().filter(|result| result.counted()) {
        // A group that a metric lists twice counts once, as in Kayenta, which filters by membership.
        for (index, group) in result.spec.groups.iter().enumerate() {
            if result.spec.groups[..index].contains(group) {
                continue;
            }
            let tally = tallies.entry(group).or_default();
            if !result.decided() {
                tally.undecided += 1;
            } else if result.classification.failed() {
                tally.failed += 1;
            } else {
                tally.passed += 1;
            }
            let in_kayenta = result.kayenta_classification();
            tally.kayenta_passed += usize::from(in_kayenta == Classification::Pass);
            tally.kayenta_counted += usize::from(in_kayenta.decided());
        }
    }
    tallies
}

/// Groups without a configured weight share what the configured ones leave of 100, which may be negative.
fn groups(
    tallies: &BTreeMap<&str, Tally>,
    group_weights: &BTreeMap<String, f64>,
) -> Vec<GroupScore> {
    let unweighted = tallies
        .keys()
        .filter(|name| !group_weights.contains_key(**name))
        .count();
    let left = leftover_weight(group_weights, unweighted);
    tallies
        .iter()
        .map(|(&name, tally)| {
            let configured = group_weights.get(name).copied();
            let score = if tally.kayenta_counted == 0 {
                0.0
            } else {
                (tally.kayenta_passed as f64 / tally.kayenta_counted as f64) * 100.0
            };
            GroupScore {
                name: name.to_owned(),
                score,
                weight: bounded(configured.unwrap_or(left)),
                weighted: configured.is_some(),
                passed: tally.passed,
                failed: tally.failed,
                undecided: tally.undecided,
            }
        })
        .collect()
}

/// The weight of each of `unweighted` groups without a configured one: their share of what the configured ones leave of 100.
/// Negative where these add up to more; 0 for no such group.
#[must_use]
pub fn leftover_weight(group_weights: &BTreeMap<String, f64>, unweighted: usize) -> f64 {
    if unweighted == 0 {
        return 0.0;
    }
    (100.0 - group_weights.values().sum::<f64>()) / unweighted as f64
}

/// A config reader refuses weights that are not percentages of anything; a caller of the crate may still hand them over, and
/// sums must stay finite.
fn bounded(weight: f64) -> f64 {
    const LARGEST: f64 = 1e9;
    if weight.is_nan() {
        0.0
    } else {
        weight.clamp(-LARGEST, LARGEST)
    }
}

/// Kayenta's total.
struct Total {
    score: f64,
    reason: String,
    /// The sum before the rules that set it to zero.
    weighted_sum: f64,
}

fn kayenta_total(
    results: &[MetricResult],
    groups: &[GroupScore],
    tallies: &BTreeMap<&str, Tally>,
) -> Total {
    let sum: f64 = groups
        .iter()
        .map(|group| {
            let counted = tallies
                .get(group.name.as_str())
                .is_some_and(|tally| tally.kayenta_counted > 0);
            // A group without data gets full credit: Kayenta's rule, which the verdict does not follow.
            let score = if counted { group.score } else { 100.0 };
            score * (group.weight / 100.0)
        })
        .sum();
    let weighted_sum = round_half_up_to_cents(sum);
    let counted: Vec<&MetricResult> = results.iter().filter(|result| result.counted()).collect();
    let critical = counted
        .iter()
        .find(|result| result.critical && result.kayenta_classification() != Classification::Pass);
    if let Some(result) = critical {
        let reason = format!(
            "Canary Failed: {}",
            result.kayenta_reason().unwrap_or_else(|| "null".to_owned())
        );
        return Total {
            score: 0.0,
            reason,
            weighted_sum,
        };
    }
    let no_data = counted
        .iter()
        .filter(|result| result.kayenta_classification() == Classification::Nodata)
        .count();
    if !counted.is_empty() && no_data * 2 >= counted.len() {
        let reason = "Canary Failed: 50% or more metrics returned NODATA".to_owned();
        return Total {
            score: 0.0,
            reason,
            weighted_sum,
        };
    }
    Total {
        score: weighted_sum,
        reason: String::new(),
        weighted_sum,
    }
}

/// Score over what was decided alone, and the share of the weight that was decided. A negative weight counts as none.
fn decided(groups: &[GroupScore]) -> (Option<f64>, f64) {
    let (mut present, mut covered, mut reached, mut possible) = (0.0, 0.0, 0.0, 0.0);
    for group in groups {
        let weight = group.weight.max(0.0);
        let decided = group.passed + group.failed;
        present += weight;
        if decided > 0 {
            covered += weight * decided as f64 / (decided + group.undecided) as f64;
            possible += weight;
            reached += weight * group.passed as f64 / decided as f64;
        }
    }
    let score = (possible > 0.0).then(|| round_half_up_to_cents(100.0 * reached / possible));
    let coverage = if present > 0.0 {
        (covered / present).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (score, coverage)
}

/// What the verdict is derived from.
struct Evidence<'a> {
    results: &'a [MetricResult],
    weighted_sum: f64,
    label: ScoreLabel,
    decided_score: Option<f64>,
    coverage: f64,
}

impl Evidence<'_> {
    /// Proof of a failure comes first, then doubt, then what the score says.
    fn verdict(&self, thresholds: Thresholds) -> (Verdict, VerdictReason) {
        let first = |wanted: &dyn Fn(&MetricResult) -> bool| {
            self.results
                .iter()
                .position(|result| result.counted() && wanted(result))
        };
        // Missing data that the config calls a failure is one, also where Kayenta's word for it is Nodata.
        let is_critical_failure = |result: &MetricResult| {
            let missing =
                result.classification == Classification::Nodata && result.spec.must_have_data;
            result.critical && (result.classification.failed() || missing)
        };
        if let Some(result) = first(&is_critical_failure) {
            return (Verdict::Fail, VerdictReason::CriticalMetric { result });
        }
        let counted = self
            .results
            .iter()
            .filter(|result| result.counted())
            .count();
        let undecided = self
            .results
            .iter()
            .filter(|result| result.counted() && !result.decided())
            .count();
        let is_critical_doubt = |result: &MetricResult| result.spec.critical && !result.decided();
        if let Some(score) = self.decided_score
            && ScoreLabel::of(score, thresholds) == ScoreLabel::Fail
        {
            let reason = match ScoreLabel::of(self.weighted_sum, thresholds) {
                ScoreLabel::Fail => VerdictReason::ScoreBelow,
                ScoreLabel::Pass | ScoreLabel::Marginal => VerdictReason::DecidedScoreLower,
            };
            return (Verdict::Fail, reason);
        }
        if let Some(result) = first(&is_critical_doubt) {
            return (
                Verdict::Inconclusive,
                VerdictReason::CriticalUndecided { result },
            );
        }
        if counted > 0 && undecided == counted {
            return (Verdict::Inconclusive, VerdictReason::NothingDecided);
        }
        let Some(score) = self.decided_score else {
            return (Verdict::Inconclusive, VerdictReason::NothingCounted);
        };
        if undecided * 2 >= counted || self.coverage <= TOO_LITTLE_COVERAGE {
            return (Verdict::Inconclusive, VerdictReason::TooLittleDecided);
        }
        match (self.label, ScoreLabel::of(score, thresholds)) {
            (ScoreLabel::Fail, _) => (Verdict::Fail, VerdictReason::ScoreBelow),
            // Taken above; an answer stands here so that no rule depends on the order of the others.
            (ScoreLabel::Pass | ScoreLabel::Marginal, ScoreLabel::Fail) => {
                (Verdict::Fail, VerdictReason::DecidedScoreLower)
            }
            (ScoreLabel::Marginal, ScoreLabel::Pass | ScoreLabel::Marginal) => {
                (Verdict::Marginal, VerdictReason::ScoreBetween)
            }
            (ScoreLabel::Pass, ScoreLabel::Marginal) => {
                (Verdict::Marginal, VerdictReason::DecidedScoreLower)
            }
            (ScoreLabel::Pass, ScoreLabel::Pass) => (Verdict::Pass, VerdictReason::ScoreReached),
        }
    }
}

/// Rounds to two decimals as Java's `BigDecimal(Double.toString(v)).setScale(2, HALF_UP)`: by the shortest decimal text that
/// names the double, halves away from zero. Source: Kayenta's `WeightedSumScorer`.
fn round_half_up_to_cents(value: f64) -> f64 {
    if !value.is_finite() {
        return 0.0;
    }
    let text = value.abs().to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let digit =
        |index: usize| f64::from(decimals.as_bytes().get(index).map_or(0, |byte| byte - b'0'));
    let up = if digit(2) >= 5.0 { 1.0 } else { 0.0 };
    let cents = whole.parse::<f64>().unwrap_or(0.0) * 100.0 + digit(0) * 10.0 + digit(1) + up;
    // Adding zero turns the negative zero of an empty sum into zero.
    (cents / 100.0).copysign(value) + 0.0
}

#[cfg(test)]
mod tests {
    use super::round_half_up_to_cents;

    #[test]
    fn a_score_is_rounded_by_its_decimal_text() {
        for (value, rounded) in [
            (33.333_333_333_333_33, 33.33),
            (66.666_666_666_666_67, 66.67),
            (1.005, 1.01),
            (2.675, 2.68),
            (0.0, 0.0),
            (100.0, 100.0),
            (-12.345, -12.35),
            (99.995, 100.0),
            (1e-7, 0.0),
            (-0.0, 0.0),
            (-0.002, 0.0),
        ] {
            let ours = round_half_up_to_cents(value);
            assert_eq!(
                ours.to_bits(),
                f64::to_bits(rounded),
                "{value} became {ours}"
            );
        }
    }
}
