//! How much instances of one version differ, beyond the noise of their points.

use super::level::Between;
use super::result::ChangeScale;
use crate::series::{InstanceSeries, Side};
use crate::stats::quantile::quantile_r7;

/// The variance that instances add to the difference of the sides, on the scale of the comparison: σ²(1/k + 1/k'), σ² the
/// variance of the instances' median levels within each side, pooled. `None` where no side has two instances. The noise of the
/// medians themselves is in it, so that it is rather too large.
pub(crate) fn between(
    instances: &[InstanceSeries],
    pair: &str,
    scale: ChangeScale,
) -> Option<Between> {
    let levels = |side: Side| {
        instances
            .iter()
            .filter(|instance| instance.pair == pair && instance.side == side)
            .filter_map(|instance| median(instance, scale))
            .collect::<Vec<f64>>()
    };
    let sides = [levels(Side::Baseline), levels(Side::Canary)];
    let (mut squares, mut degrees) = (0.0, 0.0);
    for levels in &sides {
        let mean = levels.iter().sum::<f64>() / levels.len().max(1) as f64;
        squares += levels
            .iter()
            .map(|level| (level - mean).powi(2))
            .sum::<f64>();
        degrees += levels.len().saturating_sub(1) as f64;
    }
    if degrees < 1.0 || sides.iter().any(Vec::is_empty) {
        return None;
    }
    let shares: f64 = sides.iter().map(|levels| 1.0 / levels.len() as f64).sum();
    Some(Between {
        variance: squares / degrees * shares,
        degrees,
    })
}

/// Instances of a pair on each side, baseline first; 1 where none are known.
pub(crate) fn counts(instances: &[InstanceSeries], pair: &str) -> (f64, f64) {
    let count = |side: Side| {
        let of_side = instances
            .iter()
            .filter(|i| i.pair == pair && i.side == side);
        of_side.count().max(1) as f64
    };
    (count(Side::Baseline), count(Side::Canary))
}

fn median(instance: &InstanceSeries, scale: ChangeScale) -> Option<f64> {
    let mut values: Vec<f64> = instance
        .series
        .present()
        .filter(|v| v.is_finite())
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = quantile_r7(&values, 0.5);
    match scale {
        ChangeScale::Ratio => (middle > 0.0).then(|| middle.ln()),
        ChangeScale::Difference => middle.is_finite().then_some(middle),
    }
}
