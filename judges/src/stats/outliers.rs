//! Which points are outliers.

use super::describe;
use super::quantile::quantile_r7;

/// Values outside of which a point is an outlier; a NaN fence marks nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fences {
    /// Points strictly below are outliers.
    pub low: f64,
    /// Points strictly above are outliers.
    pub high: f64,
}

impl Fences {
    /// Whether `value` lies outside.
    #[must_use]
    pub fn excludes(&self, value: f64) -> bool {
        value < self.low || value > self.high
    }
}

/// Interquartile fences `q1 - f(q3 - q1)` and `q3 + f(q3 - q1)` of ascending values.
///
/// With `reduce_sensitivity` they are moved out to the 1st and 99th percentile, so that at most about 1 % a side can ever be
/// an outlier. NaN fences for no values. Source: Tukey (1977); Kayenta's `IQRDetector`.
#[must_use]
pub fn iqr_fences(ascending: &[f64], factor: f64, reduce_sensitivity: bool) -> Fences {
    let (q1, q3) = (quantile_r7(ascending, 0.25), quantile_r7(ascending, 0.75));
    let range = q3 - q1;
    let (mut low, mut high) = (q1 - factor * range, q3 + factor * range);
    if reduce_sensitivity {
        low = least(quantile_r7(ascending, 0.01), low);
        high = -least(-quantile_r7(ascending, 0.99), -high);
    }
    Fences { low, high }
}

/// Marks the values with `|v - mean| > k·σ`, σ the standard deviation with denominator n. Nothing for no values.
/// Source: Kayenta's `KSigmaDetector`, which no config can reach.
#[must_use]
pub fn k_sigma_outliers(values: &[f64], k: f64) -> Vec<bool> {
    let mean = describe::mean(values);
    let limit = describe::population_std(values, mean) * k;
    values
        .iter()
        .map(|value| (value - mean).abs() > limit)
        .collect()
}

/// The smaller of two numbers, NaN if one is NaN (Rust's own `min` would hide it).
fn least(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.min(b)
    }
}
