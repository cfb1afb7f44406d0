//! The ratio of the means, where it decided and the shift does not show that.

use coalmine_judges::config::EffectMeasure;
use coalmine_judges::judgement::{Classification, MetricResult, Reason};

use super::{Effect, Limit, Tolerance};
use crate::format::Signs;

/// The change of the mean, where a limit on it decided and the shift lies on the other side of that limit. The shift alone would
/// then make the result look wrong: outliers move a mean, and hardly the shift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MeanChange {
    /// Ratio of the means less one.
    pub(crate) fraction: f64,
    limit: f64,
    /// Whether the baseline's mean is above zero: below it a rise has a ratio below one.
    positive: bool,
}

impl MeanChange {
    pub(crate) fn of(result: &MetricResult) -> Option<Self> {
        let beyond = match result.reason {
            Reason::BeyondLimit => true,
            Reason::WithinLimit => false,
            Reason::MissingData
            | Reason::NothingToReplace
            | Reason::Identical
            | Reason::OneValue
            | Reason::NoShift
            | Reason::DirectionNotCounted
            | Reason::InfiniteValues
            | Reason::CannotCompare { .. }
            | Reason::Evidence { .. } => return None,
        };
        let effect = Effect::of(result)?;
        let shift = effect.relative?.estimate;
        let tolerance = Tolerance::of(&result.spec);
        let rise = match result.classification {
            Classification::High => true,
            Classification::Low => false,
            Classification::Pass
            | Classification::Inconclusive
            | Classification::Nodata
            | Classification::NodataFailMetric
            | Classification::Error => shift >= 0.0,
        };
        let limit = match if rise { tolerance.up } else { tolerance.down } {
            Limit::At(limit) if tolerance.measure == EffectMeasure::MeanRatio => limit,
            Limit::At(_) | Limit::Any | Limit::NotCounted => return None,
        };
        let shift_beyond = if rise { shift >= limit } else { shift <= limit };
        let fraction = result.ratio? - 1.0;
        (beyond != shift_beyond && fraction.is_finite()).then_some(Self {
            fraction,
            limit,
            positive: effect.positive,
        })
    }

    /// To stand before a tolerance: `mean +50%`.
    pub(crate) fn cell(self, signs: Signs) -> String {
        if self.positive {
            let change = signs.percent_beside(self.fraction, self.limit, true);
            format!("mean {change}")
        } else {
            self.ratio(signs)
        }
    }

    /// To follow what happened to the metric: `its mean 50%`, `its mean 3.1×`.
    pub(crate) fn words(self, signs: Signs) -> String {
        if !self.positive {
            return self.ratio(signs);
        }
        if self.fraction >= 1.0 {
            return format!("its mean {}", signs.ratio(1.0 + self.fraction));
        }
        let change = signs.percent_beside(self.fraction, self.limit, false);
        format!("its mean {change}")
    }

    fn ratio(self, signs: Signs) -> String {
        let (ratio, _) = signs.effect_beside(1.0 + self.fraction, 1.0 + self.limit);
        format!("ratio of the means {ratio}")
    }
}
