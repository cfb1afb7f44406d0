//! `NetflixACAJudge-v1.0`: Kayenta's judge, to the bit.
//!
//! Each metric is prepared, compared by the Mann-Whitney shift interval and classified; groups and total are weighted sums.
//! The whole recipe stands in Kayenta's `NetflixACAJudge`, `MannWhitneyClassifier` and `WeightedSumScorer` (2025-04).
//!
//! Two things differ. The noise on constants is seeded from the data. And where Kayenta says Pass without having compared
//! anything (infinite points, or no points to replace), the classification here is Inconclusive; the wire format of the API
//! still says what Kayenta says, and the verdict is never better than Kayenta's.

use super::noise;
use crate::config::{EffectMeasure, MetricSpec, NanStrategy};
use crate::judge::{Judge, JudgeInput, MetricPair};
use crate::judgement::{Caution, Classification, Judgement, MetricResult, Reason, ShiftEstimate};
use crate::prepare::{Prepared, ascending, prepare};
use crate::score;
use crate::stats::shift_root::{NoInterval, RootInterval, ShiftStatistic};
use crate::stats::{describe, effect, normal, ranks};

/// The name by which configs ask for it.
pub const NAME: &str = "NetflixACAJudge-v1.0";

/// Kayenta's hard-coded settings.
pub const SETTINGS: Settings = Settings {
    tolerance: 0.25,
    confidence: 0.98,
};

/// The two numbers that Kayenta's classifier takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// An end of the interval must be this share of the estimated shift away from zero.
    pub tolerance: f64,
    /// Level of the interval, 0 to 1.
    pub confidence: f64,
}

/// Below this many points on a side the normal approximation of ranks is poor.
const FEW_POINTS: usize = 8;

/// An end of the interval closer to zero than this may be rounding of the root finder, whose absolute tolerance is 1e-4.
const SMALL_SHIFT: f64 = 1e-3;

/// Kayenta's judge.
#[derive(Debug, Clone, Copy, Default)]
pub struct NetflixAcaJudge;

impl Judge for NetflixAcaJudge {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Cost O(n log n) a metric for ordinary data; see [`ShiftStatistic::interval`] for values of very different magnitudes.
    fn judge(&self, input: &JudgeInput<'_>) -> Judgement {
        let results = input
            .pairs()
            .iter()
            .map(|pair| judge_metric(pair))
            .collect();
        score::judgement(
            NAME,
            results,
            &input.config().group_weights,
            input.thresholds(),
        )
    }
}

fn judge_metric(pair: &MetricPair<'_>) -> MetricResult {
    let spec = pair.spec;
    let baseline = prepare(&pair.set.baseline, spec.nan_strategy, spec.outliers);
    let canary = prepare(&pair.set.canary, spec.nan_strategy, spec.outliers);
    let finding = classify(spec, &baseline, &canary, SETTINGS);
    let cautions = cautions(&baseline, &canary, &finding);
    MetricResult {
        id: pair.set.id.clone(),
        tags: pair.set.tags.clone(),
        spec: spec.clone(),
        classification: finding.classification,
        reason: finding.reason,
        critical: finding.critical,
        baseline: baseline.summary,
        canary: canary.summary,
        shift: finding
            .interval
            .and_then(|interval| estimate(interval, SETTINGS.confidence)),
        ratio: finding.ratio,
        effect: finding.effect,
        cautions,
        evidence: None,
    }
}

/// What the classifier says of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The answer; Inconclusive where Kayenta says Pass without a comparison.
    pub classification: Classification,
    /// Why.
    pub reason: Reason,
    /// Kayenta's critical flag of the result.
    pub critical: bool,
    /// The interval, where it was computed.
    pub interval: Option<RootInterval>,
    /// Mean of the canary over mean of the baseline.
    pub ratio: Option<f64>,
    /// The effect on the scale of the config's measure.
    pub effect: Option<f64>,
}

impl Finding {
    fn plain(classification: Classification, reason: Reason) -> Self {
        Self {
            classification,
            reason,
            critical: false,
            interval: None,
            ratio: None,
            effect: None,
        }
    }
}

/// Classifies one metric from its prepared sides. The rules are tried in Kayenta's order.
#[must_use]
pub fn classify(
    spec: &MetricSpec,
    baseline: &Prepared,
    canary: &Prepared,
    settings: Settings,
) -> Finding {
    if baseline.is_empty() || canary.is_empty() {
        return without_data(spec);
    }
    if baseline.ascending == canary.ascending {
        return Finding {
            ratio: Some(1.0),
            ..Finding::plain(Classification::Pass, Reason::Identical)
        };
    }
    if baseline.is_constant() && canary.is_constant() && baseline.values[0] == canary.values[0] {
        return Finding {
            ratio: Some(1.0),
            ..Finding::plain(Classification::Pass, Reason::OneValue)
        };
    }
    if baseline.summary.infinite + canary.summary.infinite > 0 {
        return Finding::plain(Classification::Inconclusive, Reason::InfiniteValues);
    }
    if baseline.is_constant() && canary.is_constant() {
        let (noisy_baseline, noisy_canary) = noise::add(&baseline.values, &canary.values);
        compare(
            spec,
            &noisy_baseline,
            &noisy_canary,
            &ascending(&noisy_baseline),
            &ascending(&noisy_canary),
            settings,
        )
    } else {
        compare(
            spec,
            &baseline.values,
            &canary.values,
            &baseline.ascending,
            &canary.ascending,
            settings,
        )
    }
}

/// A side has nothing to judge. What becomes of it depends on the strategy for missing points: with `replace` Kayenta passes
/// a side that has no points at all.
fn without_data(spec: &MetricSpec) -> Finding {
    match spec.nan_strategy {
        NanStrategy::Replace => {
            Finding::plain(Classification::Inconclusive, Reason::NothingToReplace)
        }
        NanStrategy::Remove if spec.must_have_data && !spec.critical => {
            Finding::plain(Classification::NodataFailMetric, Reason::MissingData)
        }
        NanStrategy::Remove => Finding {
            critical: spec.critical,
            ..Finding::plain(Classification::Nodata, Reason::MissingData)
        },
    }
}

fn compare(
    spec: &MetricSpec,
    baseline: &[f64],
    canary: &[f64],
    baseline_ascending: &[f64],
    canary_ascending: &[f64],
    settings: Settings,
) -> Finding {
    let z = normal::two_sided_z(settings.confidence);
    let statistic = ShiftStatistic::new(canary_ascending, baseline_ascending);
    let interval = match statistic
        .ok_or(NoInterval::AllTied)
        .and_then(|it| it.interval(z))
    {
        Ok(interval) => interval,
        // Kayenta's search ends nowhere then, and it says Pass as it does for infinite points.
        Err(NoInterval::Overflow) => {
            return Finding::plain(Classification::Inconclusive, Reason::InfiniteValues);
        }
        Err(NoInterval::AllTied) => {
            let cause = "each side is one value, and two values cannot be ranked".to_owned();
            return Finding::plain(Classification::Error, Reason::CannotCompare { cause });
        }
    };
    let ratio = effect::mean_ratio(describe::mean(baseline), describe::mean(canary));
    let effect = match spec.effect.measure {
        EffectMeasure::MeanRatio => ratio,
        EffectMeasure::Cles => Some(effect::cles(&ranks::RankCounts::of_ascending(
            canary_ascending,
            baseline_ascending,
        ))),
    };
    let (classification, reason) = decide(spec, &interval, effect, settings.tolerance);
    let critical = spec.critical
        && match classification {
            Classification::High => {
                effect.is_none_or(|effect| effect >= spec.effect.critical_increase)
            }
            Classification::Low => {
                effect.is_none_or(|effect| effect <= spec.effect.critical_decrease)
            }
            Classification::Pass
            | Classification::Inconclusive
            | Classification::Nodata
            | Classification::NodataFailMetric
            | Classification::Error => false,
        };
    Finding {
        classification,
        reason,
        critical,
        interval: Some(interval),
        ratio,
        effect,
    }
}

/// An effect without a value (a mean of zero) does not hold a change back: Kayenta's rule.
fn decide(
    spec: &MetricSpec,
    interval: &RootInterval,
    effect: Option<f64>,
    tolerance: f64,
) -> (Classification, Reason) {
    let bound = tolerance * interval.estimate.abs();
    let (above, below) = (interval.low > bound, interval.high < -bound);
    let large_rise = effect.is_none_or(|effect| effect >= spec.effect.allowed_increase);
    let large_fall = effect.is_none_or(|effect| effect <= spec.effect.allowed_decrease);
    if spec.direction.counts_increase() && above && large_rise {
        return (Classification::High, Reason::BeyondLimit);
    }
    if spec.direction.counts_decrease() && below && large_fall {
        return (Classification::Low, Reason::BeyondLimit);
    }
    let counted =
        (above && spec.direction.counts_increase()) || (below && spec.direction.counts_decrease());
    let reason = if counted {
        Reason::WithinLimit
    } else if above || below {
        Reason::DirectionNotCounted
    } else {
        Reason::NoShift
    };
    (Classification::Pass, reason)
}

/// Only finite numbers leave the judge: differences of huge values can overflow.
fn estimate(interval: RootInterval, confidence: f64) -> Option<ShiftEstimate> {
    let RootInterval {
        estimate,
        low,
        high,
    } = interval;
    let finite = estimate.is_finite() && low.is_finite() && high.is_finite();
    finite.then_some(ShiftEstimate {
        estimate,
        low,
        high,
        confidence,
    })
}

fn cautions(baseline: &Prepared, canary: &Prepared, finding: &Finding) -> Vec<Caution> {
    let sides = [baseline, canary];
    let mut cautions = Vec::new();
    if sides.iter().any(|side| side.summary.infinite > 0) {
        cautions.push(Caution::InfiniteValues);
    }
    let all_missing =
        |side: &&Prepared| side.summary.missing == side.summary.points && !side.is_empty();
    if sides.iter().any(all_missing) {
        cautions.push(Caution::AllReplaced);
    } else if sides
        .iter()
        .any(|side| side.summary.missing * 2 > side.summary.points)
    {
        cautions.push(Caution::MostlyMissing);
    }
    let compared = finding.interval.is_some() || finding.classification == Classification::Error;
    if compared && sides.iter().any(|side| side.values.len() < FEW_POINTS) {
        cautions.push(Caution::FewPoints);
    }
    if compared && sides.iter().all(|side| side.is_constant()) {
        cautions.push(Caution::ConstantSides);
    }
    if finding
        .interval
        .is_some_and(|interval| is_rounding(&interval, finding.classification))
    {
        cautions.push(Caution::UnitTooSmall);
    }
    cautions
}

/// Whether the root finder's own tolerance may have decided: the end that decides is too close to zero, or all of the
/// interval is. Exactly zero is an honest answer for tied data.
fn is_rounding(interval: &RootInterval, classification: Classification) -> bool {
    let is_small = |end: f64| end != 0.0 && end.abs() < SMALL_SHIFT;
    match classification {
        Classification::High => is_small(interval.low),
        Classification::Low => is_small(interval.high),
        Classification::Pass
        | Classification::Inconclusive
        | Classification::Nodata
        | Classification::NodataFailMetric
        | Classification::Error => {
            let widest = interval.low.abs().max(interval.high.abs());
            is_small(widest)
        }
    }
}
