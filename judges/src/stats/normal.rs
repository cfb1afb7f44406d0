//! The standard normal distribution.

use std::f64::consts::SQRT_2;

use libm::erfc;
use statrs::distribution::{ContinuousCDF, Normal};

/// Probability that a standard normal variable is at most `z`. Relative error below 1e-12 in the lower tail as well, down to
/// the smallest normal double. Source: `erfc` of libm 0.2 (FreeBSD's, error below 1 unit in the last place; that of statrs
/// 0.19 is off by 1e-9); agrees with R 4.2.2 `pnorm(z)`.
#[must_use]
pub fn cdf(z: f64) -> f64 {
    0.5 * erfc(-z / SQRT_2)
}

/// Probability that a standard normal variable is above `z`; the mirror image of [`cdf`], exact in the upper tail.
#[must_use]
pub fn survival(z: f64) -> f64 {
    0.5 * erfc(z / SQRT_2)
}

/// The `z` with `cdf(z) = p`; -∞ at 0, +∞ at 1, NaN outside 0 to 1. Source: statrs 0.19 `Normal::inverse_cdf`.
#[must_use]
pub fn quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    Normal::standard().inverse_cdf(p)
}

/// The `z` that a two-sided interval of this confidence needs: `quantile(1 - (1 - confidence) / 2)`. A confidence outside 0
/// to 1 is moved to the nearer end, NaN to 1, so `z` is never negative; it is infinite at 1.
///
/// The two levels that Kayenta's judge and its tests use are given as the doubles that R 4.2.2 (`qnorm`) and Commons Math
/// compute, since the compatible interval depends on the last bit.
#[must_use]
pub fn two_sided_z(confidence: f64) -> f64 {
    const Z_98: f64 = 2.326_347_874_040_841;
    const Z_95: f64 = 1.959_963_984_540_054;
    if confidence.to_bits() == 0.98_f64.to_bits() {
        Z_98
    } else if confidence.to_bits() == 0.95_f64.to_bits() {
        Z_95
    } else {
        let within = if confidence.is_nan() {
            1.0
        } else {
            confidence.clamp(0.0, 1.0)
        };
        let alpha = 1.0 - within;
        quantile(1.0 - alpha / 2.0)
    }
}
