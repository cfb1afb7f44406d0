//! How large a difference is, as one number.

use super::describe;
use super::ranks::RankCounts;

/// Mean of the canary over mean of the baseline; `None` where a mean is zero or not a finite number, or the quotient is not.
/// Source: Kayenta's `EffectSizes.meanRatio`, which answers NaN there.
#[must_use]
pub fn mean_ratio(baseline_mean: f64, canary_mean: f64) -> Option<f64> {
    if baseline_mean == 0.0 || canary_mean == 0.0 {
        return None;
    }
    Some(canary_mean / baseline_mean).filter(|ratio| ratio.is_finite())
}

/// Common-language effect size: the chance that a canary point lies above a baseline point, ties counted half. 0 to 1, 0.5 is
/// no difference. Source: McGraw & Wong (1992); U/(nm), as Kayenta's `EffectSizes.cles`.
#[must_use]
pub fn cles(counts: &RankCounts) -> f64 {
    counts.u_twice() as f64 / (2.0 * counts.pairs() as f64)
}

/// Cliff's delta: chance above minus chance below, −1 to 1. Source: Cliff (1993); `2·cles - 1`, computed from whole counts.
#[must_use]
pub fn cliffs_delta(counts: &RankCounts) -> f64 {
    let above = counts.above() as f64;
    let below = counts.below() as f64;
    (above - below) / counts.pairs() as f64
}

/// Cohen's d without sign: distance of the means over the pooled standard deviation. NaN for fewer than two values on both
/// sides together, infinite where both sides are constant and differ. Source: Cohen (1988); Kayenta's `EffectSizes.cohenD`.
#[must_use]
pub fn cohens_d(x: &[f64], y: &[f64]) -> f64 {
    let (mean_x, mean_y) = (describe::mean(x), describe::mean(y));
    let (n, m) = (x.len() as f64, y.len() as f64);
    let pooled = ((n - 1.0) * describe::variance(x, mean_x)
        + (m - 1.0) * describe::variance(y, mean_y))
        / (n + m - 2.0);
    (mean_x - mean_y).abs() / pooled.sqrt()
}
