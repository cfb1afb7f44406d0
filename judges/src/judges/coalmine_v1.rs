//! `CoalmineJudge-v1`: the evidence judge.
//!
//! Every metric is examined by its kind; Holm's procedure shares 2 % of error among all metrics of a canary; each is then High or
//! Low (proven and large enough), Pass (a change beyond the margin is ruled out) or Inconclusive. `docs/judge.md` says exactly
//! what is computed. It never adds noise, never takes missing data for good, and never says Pass for want of evidence.

use crate::config::Direction;
use crate::evidence::examined::{Examined, as_reason};
use crate::evidence::metric::{Looked, look};
use crate::evidence::result::{ChangeScale, EvidenceReason, MetricEvidence};
use crate::judge::{Judge, JudgeInput, Looks, MetricPair};
use crate::judgement::{Classification, Judgement, MetricResult, Reason, ShiftEstimate};
use crate::score::by_evidence;
use crate::sequential;
use crate::sequential::advance::{Advanced, advance};
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
        let (mode, state) = match input.looks() {
            Looks::Once => (Mode::Once, None),
            Looks::Repeated { carried, last } => {
                let Advanced { state, culprits } = advance(input, &looked, carried);
                (Mode::Repeated { culprits, last }, Some(state))
            }
        };
        let levels = levels(input, &looked, mode.alpha());
        let results = input
            .pairs()
            .iter()
            .zip(looked)
            .zip(levels)
            .enumerate()
            .map(|(index, ((pair, looked), level))| result(pair, looked, level, &mode, index))
            .collect();
        let judgement = by_evidence::judgement(
            NAME,
            results,
            &input.config().group_weights,
            input.thresholds(),
        );
        Judgement {
            evidence: state,
            ..judgement
        }
    }
}

/// What the answers of this look may rest on.
enum Mode {
    Once,
    Repeated {
        /// Of each pair, whether evidence over time proves a change, and whether it is a rise.
        culprits: Vec<Option<bool>>,
        last: bool,
    },
}

impl Mode {
    /// The level of the tests of one look. In repeated looks half of it is spent on the evidence over time.
    fn alpha(&self) -> f64 {
        match self {
            Self::Once => ALPHA,
            Self::Repeated { .. } => ALPHA - sequential::ALPHA,
        }
    }

    fn classify(
        &self,
        index: usize,
        examined: &Examined,
        direction: Direction,
        level: f64,
    ) -> (Classification, EvidenceReason) {
        match self {
            Self::Once => examined.classify(direction, level),
            Self::Repeated {
                culprits,
                last: false,
            } => examined.classify_early(direction, culprits[index], sequential::ALPHA),
            Self::Repeated {
                culprits,
                last: true,
            } => examined
                .classify_culprit(culprits[index])
                .unwrap_or_else(|| examined.classify(direction, level)),
        }
    }
}

/// The level of each metric. Muted metrics take no part: they get the level that they would have had as one more.
fn levels(input: &JudgeInput<'_>, looked: &[Looked], alpha: f64) -> Vec<f64> {
    let p = |index: usize| {
        let examined: Option<&Examined> = looked[index].examined.as_ref();
        examined.map_or(1.0, |found| found.p(input.pairs()[index].spec.direction))
    };
    let counted: Vec<usize> = (0..looked.len())
        .filter(|index| !input.pairs()[*index].spec.muted && looked[*index].examined.is_some())
        .collect();
    let values: Vec<f64> = counted.iter().map(|index| p(*index)).collect();
    let found = holm::levels(&values, alpha, values.len());
    let mut levels = vec![alpha / (counted.len() + 1) as f64; looked.len()];
    for (index, level) in counted.into_iter().zip(found) {
        levels[index] = level;
    }
    levels
}

fn result(
    pair: &MetricPair<'_>,
    looked: Looked,
    level: f64,
    mode: &Mode,
    index: usize,
) -> MetricResult {
    let direction = pair.spec.direction;
    let (classification, reason) = match (&looked.settled, &looked.examined) {
        (Some((classification, reason)), _) => (*classification, reason.clone()),
        (None, Some(examined)) => {
            let (classification, finding) = mode.classify(index, examined, direction, level);
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
