//! The effect of one metric and the tolerance it is held against, in numbers and in words.

use coalmine_judges::config::{EffectMeasure, MetricSpec};
use coalmine_judges::judgement::MetricResult;

use crate::format::Signs;

mod mean;

pub(crate) use mean::MeanChange;

/// An estimate with its interval, ends in order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    pub(crate) estimate: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Interval {
    fn divided_by(self, level: f64) -> Option<Self> {
        let divided = Self {
            estimate: self.estimate / level,
            low: self.low / level,
            high: self.high / level,
        };
        let finite = [divided.estimate, divided.low, divided.high]
            .iter()
            .all(|value| value.is_finite());
        finite.then_some(divided)
    }

    pub(crate) fn holds_zero(self) -> bool {
        self.low <= 0.0 && self.high >= 0.0
    }
}

/// The shift of one metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Effect {
    /// In the metric's unit.
    pub(crate) absolute: Interval,
    /// As a fraction of the baseline's mean; absent where that is zero, or so small that the fraction has no value.
    pub(crate) relative: Option<Interval>,
    /// Whether the judge found the lower end above the upper one.
    pub(crate) crossed: bool,
    /// Confidence level of the interval, in 0 to 1.
    pub(crate) confidence: f64,
    /// Whether the baseline's mean is above zero, so that a ratio has a meaning.
    positive: bool,
}

impl Effect {
    /// The effect of a result; `None` where nothing was compared.
    pub(crate) fn of(result: &MetricResult) -> Option<Self> {
        let shift = result.shift?;
        let absolute = Interval {
            estimate: shift.estimate,
            low: shift.low.min(shift.high),
            high: shift.low.max(shift.high),
        };
        let mean = result.baseline.stats.mean.filter(|mean| mean.is_finite());
        let relative = mean
            .filter(|mean| *mean != 0.0)
            .and_then(|mean| absolute.divided_by(mean.abs()));
        Some(Self {
            absolute,
            relative,
            crossed: shift.low > shift.high,
            confidence: shift.confidence,
            positive: mean.is_some_and(|mean| mean > 0.0),
        })
    }

    /// The level of the interval: `98%`.
    pub(crate) fn level(self) -> String {
        // It is a round number of per cent; rounding takes away binary noise.
        format!("{}%", (self.confidence * 1e4).round() / 100.0)
    }

    /// `+13.0%`, or the shift in the metric's unit.
    pub(crate) fn estimate(self, signs: Signs) -> String {
        match self.relative {
            Some(relative) => signs.percent(relative.estimate),
            None => signs.signed(self.absolute.estimate),
        }
    }

    /// `[+12.5, +13.4]`.
    pub(crate) fn interval(self, signs: Signs) -> String {
        match self.relative {
            Some(relative) => signs.percent_interval(relative.low, relative.high),
            None => format!("[{}]", self.ends(signs, ", ")),
        }
    }

    /// `+12.5 to +13.4`.
    pub(crate) fn span(self, signs: Signs) -> String {
        match self.relative {
            Some(relative) => format!(
                "{} to {}",
                signs.percent_end(relative.low),
                signs.percent_end(relative.high)
            ),
            None => self.ends(signs, " to "),
        }
    }

    /// `between −1.2% and +3.4%`.
    pub(crate) fn between(self, signs: Signs) -> String {
        match self.relative {
            Some(relative) => format!(
                "between {} and {}",
                signs.percent(relative.low),
                signs.percent(relative.high)
            ),
            None => format!("between {}", self.ends(signs, " and ")),
        }
    }

    fn ends(self, signs: Signs, between: &str) -> String {
        format!(
            "{}{between}{}",
            signs.signed(self.absolute.low),
            signs.signed(self.absolute.high)
        )
    }

    /// The ends in the metric's unit without the sign that a verb says; with it where they lie on both sides of zero.
    fn unsigned_ends(self, signs: Signs) -> String {
        if self.absolute.holds_zero() {
            return format!("[{}]", self.ends(signs, ", "));
        }
        let (low, high) = (self.absolute.low.abs(), self.absolute.high.abs());
        format!(
            "[{}, {}]",
            signs.value(low.min(high)),
            signs.value(low.max(high))
        )
    }

    /// What happened, as a verb and a number with its interval: `rose` and `3.1× [2.4, 4.0]`.
    pub(crate) fn change(self, signs: Signs) -> (&'static str, String) {
        let rose = self.absolute.estimate >= 0.0;
        let verb = if rose { "rose" } else { "fell" };
        let Some(relative) = self.relative else {
            return (
                if rose { "rose by" } else { "fell by" },
                format!(
                    "{} {} from zero",
                    signs.value(self.absolute.estimate.abs()),
                    self.unsigned_ends(signs)
                ),
            );
        };
        if rose && self.positive && relative.estimate >= 1.0 {
            return (
                verb,
                format!(
                    "{} {}",
                    signs.ratio(1.0 + relative.estimate),
                    signs.ratio_interval(1.0 + relative.low, 1.0 + relative.high)
                ),
            );
        }
        if relative.holds_zero() {
            return (
                "changed by",
                format!("{} {}", self.estimate(signs), self.interval(signs)),
            );
        }
        // The verb says the direction, so the numbers go without their sign, the smaller one first.
        let ends = if rose {
            (relative.low, relative.high)
        } else {
            (relative.high, relative.low)
        };
        (
            verb,
            format!(
                "{} {}",
                signs.percent_unsigned(relative.estimate),
                signs.percent_interval_unsigned(ends.0, ends.1)
            ),
        )
    }
}

/// What one side of a tolerance allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Limit {
    /// A change to this side does not count.
    NotCounted,
    /// No limit is set: any significant change counts.
    Any,
    /// Changes up to this are allowed; a fraction of the baseline, or a chance for the common-language effect size.
    At(f64),
}

/// How much a metric may change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tolerance {
    measure: EffectMeasure,
    pub(crate) up: Limit,
    pub(crate) down: Limit,
}

impl Tolerance {
    pub(crate) fn of(spec: &MetricSpec) -> Self {
        let neutral = spec.effect.measure.neutral();
        let offset = match spec.effect.measure {
            EffectMeasure::MeanRatio => neutral,
            EffectMeasure::Cles => 0.0,
        };
        // An unlimited change never counts, so it is as if the direction did not.
        let limit = |counts: bool, allowed: f64, is_set: bool| match () {
            () if !counts || allowed.is_infinite() => Limit::NotCounted,
            () if is_set => Limit::At(allowed - offset),
            () => Limit::Any,
        };
        let (up, down) = (spec.effect.allowed_increase, spec.effect.allowed_decrease);
        Self {
            measure: spec.effect.measure,
            up: limit(spec.direction.counts_increase(), up, up > neutral),
            down: limit(spec.direction.counts_decrease(), down, down < neutral),
        }
    }

    /// Whether there is a limit on a side that counts.
    pub(crate) fn is_set(self) -> bool {
        matches!(self.up, Limit::At(_)) || matches!(self.down, Limit::At(_))
    }

    /// The ends of the band on the axis of relative effects; `None` where there is none to draw. An end that is absent is open.
    pub(crate) fn band(self) -> Option<(Option<f64>, Option<f64>)> {
        let end = |limit: Limit| match limit {
            Limit::NotCounted => None,
            Limit::Any => Some(0.0),
            Limit::At(fraction) => Some(fraction),
        };
        (self.measure == EffectMeasure::MeanRatio && self.is_set())
            .then(|| (end(self.down), end(self.up)))
    }

    /// `at most +50%`, `within ±5%`, `none set`.
    pub(crate) fn words(self, signs: Signs) -> String {
        match self.measure {
            EffectMeasure::MeanRatio => self.ratio_words(signs),
            EffectMeasure::Cles => self.chance_words(signs),
        }
    }

    fn ratio_words(self, signs: Signs) -> String {
        match (self.up, self.down) {
            (Limit::At(up), Limit::NotCounted) => format!("at most {}", signs.limit(up)),
            (Limit::NotCounted, Limit::At(down)) => format!("at least {}", signs.limit(down)),
            (Limit::At(up), Limit::At(down)) if (up + down).abs() < 1e-9 => {
                format!("within {}", signs.within(up))
            }
            (Limit::At(up), Limit::At(down)) => {
                format!("{} to {}", signs.limit(down), signs.limit(up))
            }
            (Limit::At(up), Limit::Any) => {
                format!("at most {}, any fall counts", signs.limit(up))
            }
            (Limit::Any, Limit::At(down)) => {
                format!("at least {}, any rise counts", signs.limit(down))
            }
            (Limit::NotCounted, Limit::NotCounted) => "no change counts".to_owned(),
            (Limit::Any, Limit::Any | Limit::NotCounted) | (Limit::NotCounted, Limit::Any) => {
                "none set".to_owned()
            }
        }
    }

    fn chance_words(self, signs: Signs) -> String {
        let chance = "chance of a higher point";
        match (self.up, self.down) {
            (Limit::At(up), Limit::At(down)) => {
                format!("{chance} {} to {}", signs.effect(down), signs.effect(up))
            }
            (Limit::At(up), Limit::NotCounted | Limit::Any) => {
                format!("{chance} at most {}", signs.effect(up))
            }
            (Limit::NotCounted | Limit::Any, Limit::At(down)) => {
                format!("{chance} at least {}", signs.effect(down))
            }
            (Limit::NotCounted, Limit::NotCounted) => "no change counts".to_owned(),
            (Limit::Any, Limit::Any | Limit::NotCounted) | (Limit::NotCounted, Limit::Any) => {
                "none set".to_owned()
            }
        }
    }
}

/// The axis that all effects of a page share: asinh(effect / 5%), from −50% to +400%.
pub(crate) mod axis {
    const LOW: f64 = -0.5;
    const HIGH: f64 = 4.0;
    const KNEE: f64 = 0.05;

    /// Its ticks, as fractions; those of `true` stand only where there is room.
    pub(crate) const TICKS: [(f64, bool); 12] = [
        (-0.5, false),
        (-0.2, true),
        (-0.1, false),
        (-0.05, true),
        (0.0, false),
        (0.05, true),
        (0.1, false),
        (0.2, true),
        (0.5, false),
        (1.0, true),
        (2.0, true),
        (4.0, false),
    ];

    /// Where an effect stands, 0 at the left end and 1 at the right one; outside of that, off the axis.
    pub(crate) fn position(fraction: f64) -> f64 {
        let stretched = |value: f64| (value / KNEE).asinh();
        (stretched(fraction) - stretched(LOW)) / (stretched(HIGH) - stretched(LOW))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coalmine_judges::config::{Direction, EffectLimits};

    fn check(direction: Direction, up: f64, down: f64, words: &str) {
        let mut spec = MetricSpec::new("m", ["g"]);
        spec.direction = direction;
        spec.effect = EffectLimits {
            allowed_increase: up,
            allowed_decrease: down,
            ..EffectLimits::default()
        };
        assert_eq!(Tolerance::of(&spec).words(Signs::TERMINAL), words);
    }

    #[test]
    fn a_tolerance_says_only_the_sides_that_count() {
        check(Direction::Increase, 1.5, 0.9, "at most +50%");
        check(Direction::Decrease, 1.5, 0.97, "at least -3%");
        check(Direction::Either, 1.05, 0.95, "within ±5%");
        check(Direction::Either, 1.1, 0.95, "-5% to +10%");
        check(Direction::Either, 1.1, 1.0, "at most +10%, any fall counts");
        check(Direction::Either, 1.0, 1.0, "none set");
        check(Direction::Increase, 1.0, 0.5, "none set");
        check(Direction::Increase, f64::INFINITY, 1.0, "no change counts");
    }

    #[test]
    fn the_axis_is_stretched_near_zero_and_ends_where_it_says() {
        assert!(axis::position(-0.5).abs() < 1e-12 && (axis::position(4.0) - 1.0).abs() < 1e-12);
        let zero = axis::position(0.0);
        assert!((zero - 0.371).abs() < 0.001, "{zero}");
        assert!(axis::position(0.05) - zero > 0.1);
    }
}
