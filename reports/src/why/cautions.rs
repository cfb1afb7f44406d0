//! What a reader should know before trusting a result.

use coalmine_judges::config::NanStrategy;
use coalmine_judges::judgement::{Caution, MetricResult, Reason};
use coalmine_judges::prepare::prepare;
use coalmine_judges::sample::Sample;
use coalmine_judges::series::MetricSetPair;
use coalmine_judges::stats::hodges_lehmann::shift_interval;

use super::infinite;
use crate::effect::Effect;
use crate::format::{self, Signs};

/// The same shift and interval from order statistics, which no unit changes; `None` where the series are not at hand or hold
/// what it cannot take.
fn exact(result: &MetricResult, set: Option<&MetricSetPair>, signs: Signs) -> Option<String> {
    let set = set?;
    let side = |series| {
        let prepared = prepare(series, result.spec.nan_strategy, result.spec.outliers);
        Sample::new(prepared.values)
    };
    let confidence = result.shift?.confidence;
    let interval = shift_interval(&side(&set.canary)?, &side(&set.baseline)?, confidence);
    let mean = result
        .baseline
        .stats
        .mean
        .filter(|mean| *mean != 0.0 && mean.is_finite())?
        .abs();
    Some(format!(
        " By order statistics the shift is {} {}.",
        signs.percent(interval.estimate / mean),
        signs.percent_interval(interval.low / mean, interval.high / mean)
    ))
}

/// What a reader should know before trusting the result, and what to do about it.
pub(crate) fn cautions(
    result: &MetricResult,
    set: Option<&MetricSetPair>,
    signs: Signs,
) -> Vec<String> {
    let mut texts: Vec<String> = result
        .cautions
        .iter()
        // The reason says that already, and which side it is.
        .filter(|caution| {
            **caution != Caution::MostlyMissing || result.reason != Reason::MissingData
        })
        .map(|caution| match caution {
            Caution::FewPoints => "Few points: a side has fewer than 8, so the interval is only a rough one. Judge a longer window, or with a smaller step.".to_owned(),
            Caution::UnitTooSmall => format!(
                "Small unit: the judge’s root finder is exact to about 0.0001 in the metric’s unit, and the end of its interval that decides is no larger. Use a smaller unit, for example milliseconds instead of seconds.{}",
                exact(result, set, signs).unwrap_or_default()
            ),
            Caution::ConstantSides => "Constant: each side holds one value only, so the judge adds noise before it compares, and the interval rests on that noise. Check that the metric is still written.".to_owned(),
            Caution::InfiniteValues => format!("Infinite points: {} infinite. Look for a division by zero in the query.", infinite(result).unwrap_or_else(|| "some are".to_owned())),
            Caution::AllReplaced => "Nothing measured: every point of a side is missing and was taken for zero, as the config asks. Check that the metric is written there at all.".to_owned(),
            Caution::MostlyMissing => "Mostly missing: more than half of the points of a side are not there. Compare the query’s step with how often the metric is written.".to_owned(),
        })
        .collect();
    let effect = Effect::of(result);
    if effect.is_some_and(|effect| effect.crossed) {
        texts.push("Crossed ends: the judge’s root finder put the lower end of the interval above the upper one. They are shown in order.".to_owned());
    }
    if let Some(effect) = effect
        && effect.relative.is_none()
    {
        texts.push(format!(
            "No percentage: the baseline’s mean is zero or too near to it. The shift is {} in the metric’s unit.",
            signs.signed(effect.absolute.estimate)
        ));
    }
    let replaced = result.baseline.missing + result.canary.missing;
    if result.spec.nan_strategy == NanStrategy::Replace && replaced > 0 {
        texts.push(format!(
            "Replaced: {} judged as zero, as the config asks.",
            format::counted(replaced, "missing point was", "missing points were")
        ));
    }
    texts
}
