//! Why a metric got its classification, in sentences.

use coalmine_judges::config::EffectMeasure;
use coalmine_judges::judgement::{Classification, MetricResult, Reason};
use coalmine_judges::judges::netflix_aca;

use crate::effect::{Effect, Limit, MeanChange, Tolerance};
use crate::format::{self, Signs};
use crate::sentence::Sentence;

mod cautions;
mod evidence;

pub(crate) use cautions::cautions;

/// The reason with its numbers, and what follows from it.
pub(crate) fn sentence(result: &MetricResult, signs: Signs) -> Sentence {
    let because = match &result.reason {
        Reason::MissingData => missing(result),
        Reason::NothingToReplace => Sentence::new().words(
            "A side has no points at all, so there is nothing that a zero could stand for. ",
        ),
        Reason::Identical => Sentence::new().words("Both sides hold the same values. "),
        Reason::OneValue => Sentence::new().words(one_value(result, signs)),
        Reason::BeyondLimit => Sentence::new()
            .words(shift(result, signs))
            .words(beyond(result, signs)),
        Reason::NoShift => Sentence::new().words(no_shift(result, signs)),
        Reason::DirectionNotCounted => Sentence::new()
            .words(shift(result, signs))
            .words(not_counted(result)),
        Reason::WithinLimit => Sentence::new()
            .words(shift(result, signs))
            .words(within(result, signs)),
        Reason::InfiniteValues => Sentence::new().words(match infinite(result) {
            Some(points) => {
                format!("{points} infinite, and this judge cannot compare infinite points. ")
            }
            None => "The differences between the points are too large for a number, so this judge cannot compare them. ".to_owned(),
        }),
        Reason::CannotCompare { cause } => Sentence::new()
            .words("The comparison failed: ")
            .name(format::clean(cause))
            .words(". "),
        Reason::Evidence { finding } => Sentence::new()
            .words(capital(&evidence::finding(result, finding)))
            .words(". "),
    };
    because
        .words("Result: ")
        .strong(result.classification.word())
        .words(consequence(result, signs))
}

/// With a capital at its beginning.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// The same in a few words, for lists: `no data from the canary`.
pub(crate) fn brief(result: &MetricResult, signs: Signs) -> Sentence {
    let effect = Effect::of(result);
    match &result.reason {
        Reason::MissingData => Sentence::new().words(format!("no data from {}", absent(result))),
        Reason::NothingToReplace => Sentence::new().words("no points at all"),
        Reason::Identical => Sentence::new().words("the same values on both sides"),
        Reason::OneValue => Sentence::new().words("one value on both sides"),
        Reason::InfiniteValues => Sentence::new().words(match infinite(result) {
            Some(points) => format!("{points} infinite"),
            None => "differences too large for a number".to_owned(),
        }),
        Reason::CannotCompare { cause } => Sentence::new()
            .words("not comparable: ")
            .name(format::clean(cause)),
        Reason::Evidence { finding } => Sentence::new().words(evidence::finding(result, finding)),
        Reason::BeyondLimit
        | Reason::NoShift
        | Reason::DirectionNotCounted
        | Reason::WithinLimit => Sentence::new().words(effect.map_or_else(
            || "no interval".to_owned(),
            |effect| {
                let mean = MeanChange::of(result)
                    .map_or_else(String::new, |mean| format!(", {}", mean.cell(signs)));
                format!("{}, {}{mean}", effect.estimate(signs), effect.span(signs))
            },
        )),
    }
}

/// What happened to a metric, to follow its name: `rose 3.1× [2.4, 4.0]`.
pub(crate) fn happened(result: &MetricResult, signs: Signs) -> Sentence {
    match result.classification {
        Classification::High | Classification::Low => match Effect::of(result) {
            Some(effect) => {
                let (verb, numbers) = effect.change(signs);
                let sentence = Sentence::new().words(format!("{verb} ")).strong(numbers);
                match MeanChange::of(result) {
                    Some(mean) => sentence.words(format!(", {}", mean.words(signs))),
                    None => sentence,
                }
            }
            None => Sentence::new().words(if result.classification == Classification::High {
                "is higher than allowed"
            } else {
                "is lower than allowed"
            }),
        },
        Classification::NodataFailMetric | Classification::Nodata => {
            Sentence::new().words(format!("has no data from {}", absent(result)))
        }
        Classification::Inconclusive | Classification::Error => Sentence::new()
            .words("could not be decided: ")
            .then_directly(brief(result, signs)),
        Classification::Pass => Sentence::new().words("passed"),
    }
}

impl Sentence {
    fn then_directly(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

fn absent(result: &MetricResult) -> &'static str {
    match (
        result.baseline.stats.count == 0,
        result.canary.stats.count == 0,
    ) {
        (true, true) => "either side",
        (true, false) => "the baseline",
        (false, _) => "the canary",
    }
}

fn missing(result: &MetricResult) -> Sentence {
    let there = |points: usize, missing: usize| {
        let present = points.saturating_sub(missing);
        if points == 0 {
            "no points".to_owned()
        } else {
            format!(
                "{} of {} points",
                format::count(present),
                format::count(points)
            )
        }
    };
    let text = format!(
        "There is no data from {}: the baseline returned {}, the canary {}. An absent series is not a zero. ",
        absent(result),
        there(result.baseline.points, result.baseline.missing),
        there(result.canary.points, result.canary.missing),
    );
    Sentence::new().words(text)
}

fn one_value(result: &MetricResult, signs: Signs) -> String {
    match result.baseline.stats.mean {
        Some(value) => format!("All points of both sides are {}. ", signs.value(value)),
        None => "All points of both sides are one value. ".to_owned(),
    }
}

/// Which points are infinite, up to the verb; `None` where none are.
fn infinite(result: &MetricResult) -> Option<String> {
    let side = |number: usize, of: &str| {
        let points = format::counted(number, "point", "points");
        format!("{points} of the {of}")
    };
    let (baseline, canary) = (result.baseline.infinite, result.canary.infinite);
    match (baseline, canary) {
        (0, 0) => None,
        (_, 0) => Some(format!("{} {}", side(baseline, "baseline"), be(baseline))),
        (0, _) => Some(format!("{} {}", side(canary, "canary"), be(canary))),
        (_, _) => Some(format!(
            "{} and {} are",
            side(baseline, "baseline"),
            side(canary, "canary")
        )),
    }
}

fn be(number: usize) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

fn shift(result: &MetricResult, signs: Signs) -> String {
    let Some(effect) = Effect::of(result) else {
        return "The sides differ, but the shift has no finite value. ".to_owned();
    };
    let side = if effect.absolute.estimate >= 0.0 {
        "above"
    } else {
        "below"
    };
    let by = match effect.relative {
        Some(relative) => signs.percent_unsigned(relative.estimate),
        None => signs.value(effect.absolute.estimate.abs()),
    };
    let from_zero = if effect.relative.is_none() {
        ", whose mean is zero or too near to it for a percentage"
    } else {
        ""
    };
    let interval = if effect.crossed {
        format!(
            "{}, and it compares each with zero as it is",
            effect.crossed_ends(signs, "the")
        )
    } else {
        format!(
            "the {} interval runs from {}",
            effect.level(),
            effect.span_words(signs)
        )
    };
    format!("The canary lies {by} {side} the baseline{from_zero}: {interval}. ")
}

impl Effect {
    /// How far from zero the judge wants an end of the interval, before it calls the shift one.
    fn asked_for(self, signs: Signs) -> String {
        let share = netflix_aca::SETTINGS.tolerance;
        let bound = match self.relative {
            Some(relative) => signs.percent_unsigned(relative.estimate.abs() * share),
            None => signs.value(self.absolute.estimate.abs() * share),
        };
        format!("a quarter of the shift ({bound})")
    }

    /// The ends as the judge used them: its lower one lies above its upper one.
    fn crossed_ends(self, signs: Signs, the: &str) -> String {
        let (lower, upper) = match self.relative {
            Some(relative) => (signs.percent(relative.high), signs.percent(relative.low)),
            None => (
                signs.signed(self.absolute.high),
                signs.signed(self.absolute.low),
            ),
        };
        format!(
            "{the} ends of the judge’s {} interval are crossed, the lower at {lower} and the upper at {upper}",
            self.level()
        )
    }

    fn span_words(self, signs: Signs) -> String {
        match self.relative {
            Some(relative) => format!(
                "{} to {}",
                signs.percent(relative.low),
                signs.percent(relative.high)
            ),
            None => self.span(signs),
        }
    }
}

fn no_shift(result: &MetricResult, signs: Signs) -> String {
    let Some(effect) = Effect::of(result) else {
        return "The shift has no finite value. ".to_owned();
    };
    if effect.crossed {
        return format!(
            "{}. Neither is on its side of zero by {}, which the judge asks for. ",
            effect.crossed_ends(signs, "The"),
            effect.asked_for(signs)
        );
    }
    let text = if effect.absolute.holds_zero() {
        "holds zero, so no shift is shown".to_owned()
    } else {
        format!(
            "is clear of zero by less than {}, which the judge asks for",
            effect.asked_for(signs)
        )
    };
    format!(
        "The {} interval of the shift {text}. Changes {} fit the data. ",
        effect.level(),
        effect.between(signs)
    )
}

fn beyond(result: &MetricResult, signs: Signs) -> String {
    let high = result.classification == Classification::High;
    let tolerance = Tolerance::of(&result.spec);
    let (limit, allowed) = if high {
        (tolerance.up, result.spec.effect.allowed_increase)
    } else {
        (tolerance.down, result.spec.effect.allowed_decrease)
    };
    let change = if high { "rise" } else { "fall" };
    match (limit, result.effect) {
        (Limit::At(_), Some(effect)) => {
            let (effect, allowed) = signs.effect_beside(effect, allowed);
            format!(
                "{} is {effect} and reaches the limit of {allowed}. ",
                measured(result, true),
            )
        }
        (Limit::At(_), None) => format!(
            "{} has no value here, so the limit of {} cannot hold it back. ",
            measured(result, true),
            signs.effect(allowed)
        ),
        (Limit::Any | Limit::NotCounted, _) => {
            format!("No tolerance is set, so any significant {change} counts. ")
        }
    }
}

fn within(result: &MetricResult, signs: Signs) -> String {
    let rose = result.shift.is_some_and(|shift| shift.estimate >= 0.0);
    let limit = if rose {
        result.spec.effect.allowed_increase
    } else {
        result.spec.effect.allowed_decrease
    };
    match result.effect {
        Some(effect) => {
            let (effect, limit) = signs.effect_beside(effect, limit);
            format!(
                "{} is {effect} and does not reach the limit of {limit}. ",
                measured(result, true),
            )
        }
        None => format!("The limit of {} is not reached. ", signs.effect(limit)),
    }
}

/// The name of the effect's measure.
fn measured(result: &MetricResult, capital: bool) -> &'static str {
    match (result.spec.effect.measure, capital) {
        (EffectMeasure::MeanRatio, true) => "The ratio of the means",
        (EffectMeasure::MeanRatio, false) => "the ratio of the means",
        (EffectMeasure::Cles, true) => "The chance that a canary point lies above a baseline point",
        (EffectMeasure::Cles, false) => {
            "the chance that a canary point lies above a baseline point"
        }
    }
}

fn not_counted(result: &MetricResult) -> &'static str {
    if result.spec.direction.counts_increase() {
        "Only a rise counts for this metric. "
    } else {
        "Only a fall counts for this metric. "
    }
}

/// What the classification means for the verdict; begins in the middle of a sentence and ends with a full stop.
fn consequence(result: &MetricResult, signs: Signs) -> String {
    if result.spec.muted {
        return ", but the metric is muted and does not count.".to_owned();
    }
    match result.classification {
        Classification::High | Classification::Low if result.critical => {
            ". The metric is critical, so the verdict is Fail.".to_owned()
        }
        Classification::High | Classification::Low if result.spec.critical => {
            let limit = if result.classification == Classification::High {
                result.spec.effect.critical_increase
            } else {
                result.spec.effect.critical_decrease
            };
            format!(
                ". The metric is critical, but {} does not reach its critical limit of {}, so it counts like any other.",
                measured(result, false),
                signs.effect(limit)
            )
        }
        Classification::High | Classification::Low if result.spec.groups.is_empty() => {
            ". It belongs to no group, so it costs no points.".to_owned()
        }
        Classification::High | Classification::Low => {
            ". Not critical: it costs points in its group.".to_owned()
        }
        Classification::NodataFailMetric => {
            ". The metric must have data, so this counts as a failure.".to_owned()
        }
        Classification::Nodata | Classification::Inconclusive | Classification::Error
            if result.spec.critical =>
        {
            ", and left out of the score. The metric is critical, so the canary cannot pass without it.".to_owned()
        }
        Classification::Nodata => {
            ". The metric need not have data, so it is left out of the score.".to_owned()
        }
        Classification::Inconclusive | Classification::Error => {
            ", and left out of the score.".to_owned()
        }
        Classification::Pass => ".".to_owned(),
    }
}
