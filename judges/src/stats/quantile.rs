//! Quantiles.

/// The quantile at `p` (0 to 1) of ascending values by linear interpolation between order statistics.
///
/// Position `h = 1 + (n - 1)p`, counted from 1; one value is every quantile; `p` outside 0 to 1 is moved to the nearer end.
/// NaN for no values or NaN `p`. Infinite neighbours can give NaN. Source: type 7 of Hyndman & Fan (1996), R's default
/// `quantile`; the arithmetic is that of `Percentile` (`R_7`) of Apache Commons Math 3.6.
///
/// ```
/// use coalmine_judges::stats::quantile::quantile_r7;
/// assert_eq!(quantile_r7(&[1.0, 2.0, 3.0, 4.0], 0.5), 2.5);
/// assert!(quantile_r7(&[], 0.5).is_nan());
/// ```
#[must_use]
pub fn quantile_r7(ascending: &[f64], p: f64) -> f64 {
    if ascending.is_empty() || p.is_nan() {
        return f64::NAN;
    }
    let n = ascending.len();
    let position = if p <= 0.0 {
        0.0
    } else if p >= 1.0 {
        n as f64
    } else {
        1.0 + (n - 1) as f64 * p
    };
    let below = position.floor();
    if position < 1.0 {
        return ascending[0];
    }
    if position >= n as f64 {
        return ascending[n - 1];
    }
    // In 1 to n − 1 here, so the cast is exact.
    let index = below as usize;
    let (lower, upper) = (ascending[index - 1], ascending[index]);
    lower + (position - below) * (upper - lower)
}
