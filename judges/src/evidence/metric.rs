//! One metric from its series to what its tests found.

use super::align::{Aligned, Sides, align, usable};
use super::calibration::CalibrationScale;
use super::examined::Examined;
use super::gauge::{self, Around, STATE, scale_of};
use super::history;
use super::instances;
use super::kind::kind_of;
use super::level::Between;
use super::result::{ChangeScale, EvidenceReason, Pairing};
use super::{count, state};
use crate::config::MetricSpec;
use crate::config::evidence::MetricKind;
use crate::judge::{JudgeInput, MetricPair};
use crate::judgement::{Caution, Classification, Reason, SideSummary};
use crate::series::Series;
use crate::stats::describe;
use crate::stats::event_share::Step;

/// A metric after its examination.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    pub(crate) baseline: SideSummary,
    pub(crate) canary: SideSummary,
    pub(crate) cautions: Vec<Caution>,
    /// What its tests found; absent where there was nothing to test.
    pub(crate) examined: Option<Examined>,
    /// The answer where no test is needed.
    pub(crate) settled: Option<(Classification, Reason)>,
}

/// Looks at one pair. Cost as that of its kind.
pub(crate) fn look(input: &JudgeInput<'_>, pair: &MetricPair<'_>) -> Looked {
    let spec = pair.spec;
    let (mut baseline, mut canary) = (
        points(&pair.set.baseline, spec),
        points(&pair.set.canary, spec),
    );
    let (kind, declared) = kind_of(&spec.evidence, &present(&baseline), &present(&canary));
    let events = matches!(kind, MetricKind::Count | MetricKind::Proportion);
    if events {
        baseline = usable(&pair.set.baseline, spec, true);
        canary = usable(&pair.set.canary, spec, true);
    }
    let mut looked = Looked {
        baseline: summary(&pair.set.baseline, &baseline),
        canary: summary(&pair.set.canary, &canary),
        cautions: Vec::new(),
        examined: None,
        settled: None,
    };
    looked.cautions = cautions(&looked);
    looked.settled = settled(spec, &looked, &baseline, &canary);
    if looked.settled.is_some() {
        return looked;
    }
    let denominators = denominators(input, pair);
    let aligned = align(
        Sides {
            baseline: &pair.set.baseline,
            canary: &pair.set.canary,
            exposure: denominators,
        },
        &baseline,
        &canary,
    );
    looked.examined = match kind {
        MetricKind::Gauge => gauge_or_state(input, pair, aligned, declared),
        MetricKind::State => state::examine(&aligned, spec, declared),
        MetricKind::Count => count::examine(&aligned, spec, (kind, declared), share(input)),
        MetricKind::Proportion if denominators.is_some() => {
            examine_shares(aligned, spec, declared, share(input))
        }
        // Without its denominator a share is a level like any other.
        MetricKind::Proportion => gauge_or_state(input, pair, aligned, declared),
    };
    if looked.examined.is_none() {
        let found = looked.baseline.stats.count.min(looked.canary.stats.count);
        let finding = EvidenceReason::TooFewPoints {
            found,
            needed: 8.max(found + 1),
        };
        looked.settled = Some((Classification::Inconclusive, Reason::Evidence { finding }));
    }
    looked
}

fn points(series: &Series, spec: &MetricSpec) -> Vec<Option<f64>> {
    usable(series, spec, false)
}

fn present(values: &[Option<f64>]) -> Vec<f64> {
    values.iter().flatten().copied().collect()
}

fn share(input: &JudgeInput<'_>) -> f64 {
    input.traffic().map_or(0.5, |traffic| traffic.canary())
}

fn summary(series: &Series, values: &[Option<f64>]) -> SideSummary {
    let kept = present(values);
    let infinite = series.present().filter(|value| value.is_infinite()).count();
    let there = series.len() - series.missing();
    SideSummary {
        points: series.len(),
        missing: series.missing(),
        removed: there.saturating_sub(infinite).saturating_sub(kept.len()),
        infinite,
        stats: describe::summary(&kept),
    }
}

fn cautions(looked: &Looked) -> Vec<Caution> {
    let sides = [&looked.baseline, &looked.canary];
    let mut cautions = Vec::new();
    if sides.iter().any(|side| side.infinite > 0) {
        cautions.push(Caution::InfiniteValues);
    }
    if sides
        .iter()
        .any(|side| side.missing == side.points && side.stats.count > 0)
    {
        cautions.push(Caution::AllReplaced);
    } else if sides.iter().any(|side| side.missing * 2 > side.points) {
        cautions.push(Caution::MostlyMissing);
    }
    cautions
}

/// The answers that need no test.
fn settled(
    spec: &MetricSpec,
    looked: &Looked,
    baseline: &[Option<f64>],
    canary: &[Option<f64>],
) -> Option<(Classification, Reason)> {
    let largest = |side: &SideSummary| {
        let end = |value: Option<f64>| value.unwrap_or(f64::INFINITY).abs();
        end(side.stats.min).max(end(side.stats.max))
    };
    let too_large = largest(&looked.baseline).max(largest(&looked.canary)) > LARGEST;
    if looked.baseline.infinite + looked.canary.infinite > 0 || too_large {
        return Some((Classification::Inconclusive, Reason::InfiniteValues));
    }
    if looked.baseline.stats.count == 0 || looked.canary.stats.count == 0 {
        let classification = if spec.must_have_data && !spec.critical {
            Classification::NodataFailMetric
        } else {
            Classification::Nodata
        };
        return Some((classification, Reason::MissingData));
    }
    let (baseline, canary) = (present(baseline), present(canary));
    let one_value = |values: &[f64]| values.iter().all(|value| *value == values[0]);
    if one_value(&baseline) && one_value(&canary) && baseline[0] == canary[0] {
        // Zero events are examined as events: the rate that they rule out is worth knowing.
        let constant_level = baseline[0] != 0.0 && spec.evidence.denominator.is_none();
        return (constant_level && baseline.len().min(canary.len()) >= FEW)
            .then_some((Classification::Pass, Reason::OneValue));
    }
    None
}

/// Squares of larger values overflow.
const LARGEST: f64 = 1e150;

/// Fewer equal points than this are no evidence that they stay equal.
const FEW: usize = 8;

/// Series of the denominators, baseline first.
fn denominators<'a>(
    input: &JudgeInput<'a>,
    pair: &MetricPair<'a>,
) -> Option<(&'a Series, &'a Series)> {
    let name = pair.spec.evidence.denominator.as_deref()?;
    let mut named = input.pairs().iter().filter(|other| other.set.name == name);
    let same_tags = named.clone().find(|other| other.set.tags == pair.set.tags);
    let found = same_tags.or_else(|| {
        let only = named.next()?;
        named.next().is_none().then_some(only)
    })?;
    Some((&found.set.baseline, &found.set.canary))
}

/// Examines shares of their denominators as events: those of the rarer outcome, since a change of it is the one that matters (a
/// success rate that falls from 99.9 to 99.8 % has twice the failures). Percent where a value is above 1.
fn examine_shares(
    mut aligned: Aligned,
    spec: &MetricSpec,
    declared: bool,
    share: f64,
) -> Option<Examined> {
    let all = || aligned.baseline.iter().chain(&aligned.canary);
    let count = all().count().max(1) as f64;
    let complement = all().sum::<f64>() / whole(&aligned) / count > 0.5;
    to_events(&mut aligned, complement);
    let mut inner = spec.clone();
    if complement {
        inner.evidence.tolerance = spec.evidence.tolerance.mirrored();
        inner.evidence.margin = spec.evidence.margin.mirrored();
    }
    let examined = count::examine(&aligned, &inner, (MetricKind::Proportion, declared), share)?;
    Some(Examined {
        complement,
        ..examined
    })
}

/// What a share of one is written as: 100 where any value is above 1.
fn whole(aligned: &Aligned) -> f64 {
    let mut all = aligned.baseline.iter().chain(&aligned.canary);
    if all.any(|value| *value > 1.0) {
        100.0
    } else {
        1.0
    }
}

fn to_events(aligned: &mut Aligned, complement: bool) {
    let whole = whole(aligned);
    for (index, (below_baseline, below_canary)) in aligned.exposure.iter().enumerate() {
        for (value, trials) in [
            (&mut aligned.baseline[index], below_baseline),
            (&mut aligned.canary[index], below_canary),
        ] {
            let part = (*value / whole).clamp(0.0, 1.0);
            let events = trials * if complement { 1.0 - part } else { part };
            // Whole to within the rounding of the share.
            let close = (events - events.round()).abs() < 1e-6 * trials.max(1.0);
            *value = if close { events.round() } else { events };
        }
    }
}

fn gauge_or_state(
    input: &JudgeInput<'_>,
    pair: &MetricPair<'_>,
    aligned: Aligned,
    declared: bool,
) -> Option<Examined> {
    let spec = pair.spec;
    let scale = scale_of(&aligned);
    let noise = history::noise(
        input.history_of(&pair.set.name),
        spec,
        &pair.set.tags,
        scale,
    );
    if !declared && noise.as_ref().is_some_and(|noise| noise.r >= STATE) {
        return state::examine(&aligned, spec, false);
    }
    let calibrated = input
        .calibration()
        .and_then(|calibration| calibration.of(&pair.set.name, &pair.set.tags));
    let (k, l) = instances::counts(input.instances(), &pair.set.id);
    let same_scale = |wanted: CalibrationScale| match (wanted, scale) {
        (CalibrationScale::Log, ChangeScale::Ratio)
        | (CalibrationScale::Unit, ChangeScale::Difference) => true,
        (CalibrationScale::Log, ChangeScale::Difference)
        | (CalibrationScale::Unit, ChangeScale::Ratio) => false,
    };
    let usable =
        calibrated.filter(|entry| same_scale(entry.scale) && entry.instance_std.is_finite());
    let between = match usable {
        Some(entry) => Some(Between {
            variance: entry.instance_std * entry.instance_std * (1.0 / k + 1.0 / l),
            degrees: f64::from(entry.degrees.max(1)),
        }),
        None => instances::between(input.instances(), &pair.set.id, scale),
    };
    gauge::examine(
        aligned,
        &Around {
            spec,
            declared,
            noise: noise.as_ref(),
            between: between.unwrap_or_default(),
            calibrated_inflation: usable
                .and_then(|entry| entry.inflation)
                .filter(|inflation| *inflation >= 1.0 && inflation.is_finite()),
        },
    )
}

/// Differences of a gauge in time, on the scale of its history.
pub(crate) struct Levels {
    /// Time (or position) and canary less baseline.
    pub(crate) differences: Vec<(i64, f64)>,
    /// Time between two points.
    pub(crate) step: i64,
}

/// The paired differences of a gauge and the noise of its history; `None` where the sides are not paired.
pub(crate) fn levels_of(
    input: &JudgeInput<'_>,
    pair: &MetricPair<'_>,
) -> Option<(Levels, Option<history::Noise>)> {
    let spec = pair.spec;
    let (baseline, canary) = (
        points(&pair.set.baseline, spec),
        points(&pair.set.canary, spec),
    );
    let aligned = align(
        Sides {
            baseline: &pair.set.baseline,
            canary: &pair.set.canary,
            exposure: None,
        },
        &baseline,
        &canary,
    );
    if aligned.pairing == Pairing::None {
        return None;
    }
    let scale = scale_of(&aligned);
    let values = gauge::scaled(&aligned, scale);
    let past = input.history_of(&pair.set.name);
    let noise = history::noise(past, spec, &pair.set.tags, scale);
    let times = aligned.times.iter().copied();
    let differences = times.zip(values.differences.iter().map(|d| d * values.unit));
    let step = pair
        .set
        .canary
        .grid()
        .map_or(1, |grid| i64::try_from(grid.step_ms).unwrap_or(i64::MAX));
    let levels = Levels {
        differences: differences.collect(),
        step,
    };
    Some((levels, noise))
}

/// Events of both sides in time.
pub(crate) struct Events {
    /// Time (or position) and events of each step.
    pub(crate) steps: Vec<(i64, Step)>,
}

/// The events of a count, or of a share with its denominator; `None` where the sides are not paired.
pub(crate) fn as_events(
    input: &JudgeInput<'_>,
    pair: &MetricPair<'_>,
    examined: &Examined,
) -> Option<Events> {
    let spec = pair.spec;
    let (baseline, canary) = (
        usable(&pair.set.baseline, spec, true),
        usable(&pair.set.canary, spec, true),
    );
    let mut aligned = align(
        Sides {
            baseline: &pair.set.baseline,
            canary: &pair.set.canary,
            exposure: denominators(input, pair),
        },
        &baseline,
        &canary,
    );
    if aligned.pairing == Pairing::None {
        return None;
    }
    if examined.kind == MetricKind::Proportion {
        to_events(&mut aligned, examined.complement);
    }
    let times = aligned.times.clone();
    let steps = count::steps(&aligned, share(input));
    Some(Events {
        steps: times.into_iter().zip(steps).collect(),
    })
}
