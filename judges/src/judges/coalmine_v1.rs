//! `CoalmineJudge-v1`: the evidence judge.
//!
//! Every metric is examined by its kind; Holm's procedure shares 2 % of error among all metrics of a canary; each is then High or
//! Low (proven and large enough), Pass (a change beyond the margin is ruled out) or Inconclusive. `docs/judge.md` says exactly
//! what is computed. It never adds noise, never takes missing data for good, and never says Pass for want of evidence.

use crate::evidence::examined::{Examined, as_reason};
use crate::evidence::metric::{Looked, look};
use crate::evidence::result::{ChangeScale, MetricEvidence};
use crate::judge::{Judge, JudgeInput, MetricPair};
use crate::judgement::{Classification, Judgement, MetricResult, Reason, ShiftEstimate};
use crate::score::by_evidence;
use crate::stats::{effect, holm};

/// The name by which configs ask for it.
pub const NAME: &str = "CoalmineJudge-v1";

/// The chance that a canary without any change is flagged, over all its metrics. Kayenta's intervals have the same level for
/// each metric.
pub const ALPHA: f64 = 0.02;

/// The evidence judge.
#[derive(Debug, Clone, Copy, Default)]
pub struct CoalmineJudge;

impl Judge for CoalmineJudge {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Cost O(n²) a metric up to 128 points a side, O(n log n) above.
    fn judge(&self, input: &JudgeInput<'_>) -> Judgement {
        let looked: Vec<Looked> = input.pairs().iter().map(|pair| look(input, pair)).collect();
        let levels = levels(input, &looked);
        let results = input
            .pairs()
            .iter()
            .zip(looked)
            .zip(levels)
            .map(|((pair, looked), level)| result(pair, looked, level))
            .collect();
        by_evidence::judgement(
            NAME,
            results,
            &input.config().group_weights,
            input.thresholds(),
        )
    }
}

/// The level of each metric. Muted metrics take no part: they get the level that they would have had as one more.
fn levels(input: &JudgeInput<'_>, looked: &[Looked]) -> Vec<f64> {
    let p = |index: usize| {
        let examined: Option<&Examined> = looked[index].examined.as_ref();
        examined.map_or(1.0, |found| found.p(input.pairs()[index].spec.direction))
    };
    let counted: Vec<usize> = (0..looked.len())
        .filter(|index| !input.pairs()[*index].spec.muted && looked[*index].examined.is_some())
        .collect();
    let values: Vec<f64> = counted.iter().map(|index| p(*index)).collect();
    let found = holm::levels(&values, ALPHA, values.len());
    let mut levels = vec![ALPHA / (counted.len() + 1) as f64; looked.len()];
    for (index, level) in counted.into_iter().zip(found) {
        levels[index] = level;
    }
    levels
}

fn result(pair: &MetricPair<'_>, looked: Looked, level: f64) -> MetricResult {
    let direction = pair.spec.direction;
    let (classification, reason) = match (&looked.settled, &looked.examined) {
        (Some((classification, reason)), _) => (*classification, reason.clone()),
        (None, Some(examined)) => {
            let (classification, finding) = examined.classify(direction, level);
            (classification, as_reason(finding))
        }
        (None, None) => (Classification::Inconclusive, Reason::MissingData),
    };
    let evidence = looked
        .examined
        .map(|examined| examined.evidence(direction, level));
    let ratio = match (looked.baseline.stats.mean, looked.canary.stats.mean) {
        (Some(baseline), Some(canary)) => effect::mean_ratio(baseline, canary),
        (Some(_) | None, None) | (None, Some(_)) => None,
    };
    MetricResult {
        id: pair.set.id.clone(),
        tags: pair.set.tags.clone(),
        spec: pair.spec.clone(),
        classification,
        reason,
        critical: pair.spec.critical && classification.failed(),
        shift: evidence
            .as_ref()
            .and_then(|evidence| shift(evidence, looked.baseline.stats.mean?)),
        baseline: looked.baseline,
        canary: looked.canary,
        ratio,
        effect: ratio,
        cautions: looked.cautions,
        evidence: evidence.map(Box::new),
    }
}

/// The change in the metric's unit, for charts that draw it there: a ratio is applied to the baseline's mean.
fn shift(evidence: &MetricEvidence, mean: f64) -> Option<ShiftEstimate> {
    let unit = |change: f64| match evidence.scale {
        ChangeScale::Ratio => (change - 1.0) * mean,
        ChangeScale::Difference => change,
    };
    let change = evidence.change;
    let (estimate, low, high) = (
        unit(change.estimate?),
        unit(change.low?),
        unit(change.high?),
    );
    let finite = estimate.is_finite() && low.is_finite() && high.is_finite();
    finite.then_some(ShiftEstimate {
        estimate,
        low,
        high,
        confidence: change.confidence,
    })
}
