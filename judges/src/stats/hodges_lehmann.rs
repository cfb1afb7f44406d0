//! The Hodges-Lehmann shift between two samples, with an exact interval from order statistics.

use super::mann_whitney::{ExactU, u_std};
use super::normal;
use super::ranks::RankCounts;
use super::select_difference::Differences;
use crate::sample::Sample;

/// Shift `x - y` in the metric's unit: the median of all pairwise differences, and two of them as an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShiftInterval {
    /// Hodges-Lehmann estimate: the median of all differences `x[i] - y[j]`.
    pub estimate: f64,
    /// Lower end: one of the differences.
    pub low: f64,
    /// Upper end: one of the differences.
    pub high: f64,
    /// Rank of `low` among the ascending differences, from 1.
    pub low_rank: u64,
    /// Rank of `high`, from 1.
    pub high_rank: u64,
    /// Whether so few points can carry the level that was asked for. If not, the ends are the smallest and largest
    /// difference, and the interval's true level is lower.
    pub attained: bool,
}

/// The median of all nm differences `x[i] - y[j]`; the mean of the middle two where nm is even.
///
/// Equal samples give 0. Cost O((n + m) log(n + m)) in practice, without forming the differences.
/// Source: Hodges & Lehmann (1963); Hollander & Wolfe (1999), ch. 4.2.
#[must_use]
pub fn hodges_lehmann(x: &Sample, y: &Sample) -> f64 {
    let differences = Differences::new(x, y);
    let (lower, upper) = middle_ranks(differences.count());
    let middle = differences.select(&[lower, upper]);
    midpoint(middle[0], middle[1])
}

/// Estimate and two-sided interval at `confidence` (0 to 1, exclusive) by the normal approximation of the ranks, with
/// continuity correction and ties within each side.
///
/// It is what R's `wilcox.test(exact = FALSE, conf.int = TRUE)` converges to when its root finder is let run (R 4.2.2,
/// `tol.root = 1e-323`), in closed form: with N = nm, σ the standard deviation of U and T = N/2 + 1/2 + zσ, the ends are the
/// differences of rank N − ⌊T⌋ and ⌊T⌋ + 1. The estimate is the midpoint of R's plateau. Both sides constant: zero width.
#[must_use]
pub fn shift_interval(x: &Sample, y: &Sample, confidence: f64) -> ShiftInterval {
    shift_interval_with(x, y, &RankCounts::of(x, y), confidence)
}

/// [`shift_interval`] where the ranks were counted before.
#[must_use]
pub fn shift_interval_with(
    x: &Sample,
    y: &Sample,
    counts: &RankCounts,
    confidence: f64,
) -> ShiftInterval {
    let pairs = counts.pairs();
    let std = u_std(counts.n(), counts.m(), counts.own_tie_sum());
    let z = normal::two_sided_z(confidence);
    // Two constants have no spread: their one difference is the interval at any level.
    let reach = pairs as f64 / 2.0 + 0.5 + if std == 0.0 { 0.0 } else { z * std };
    // `as` saturates: a reach above nm lands on the ends.
    let whole = (reach.floor() as u64).min(pairs);
    let low_rank = (pairs - whole).max(1);
    let high_rank = (whole + 1).min(pairs);
    by_ranks(x, y, low_rank, high_rank, whole < pairs)
}

/// Estimate and exact two-sided interval; `None` where there are ties or too many points for [`ExactU`].
///
/// Agrees with R 4.2.2 `wilcox.test(exact = TRUE, conf.int = TRUE)`. Source: Bauer (1972).
#[must_use]
pub fn shift_interval_exact(x: &Sample, y: &Sample, confidence: f64) -> Option<ShiftInterval> {
    let counts = RankCounts::of(x, y);
    if counts.has_ties() {
        return None;
    }
    let distribution = ExactU::new(counts.n(), counts.m())?;
    let quantile = distribution.quantile((1.0 - confidence) / 2.0);
    let low_rank = quantile.max(1);
    let high_rank = counts.pairs() - low_rank + 1;
    Some(by_ranks(x, y, low_rank, high_rank, quantile >= 1))
}

fn by_ranks(
    x: &Sample,
    y: &Sample,
    low_rank: u64,
    high_rank: u64,
    attained: bool,
) -> ShiftInterval {
    let differences = Differences::new(x, y);
    let (lower, upper) = middle_ranks(differences.count());
    let values = differences.select(&[low_rank, lower, upper, high_rank]);
    ShiftInterval {
        low: values[0],
        estimate: midpoint(values[1], values[2]),
        high: values[3],
        low_rank,
        high_rank,
        attained,
    }
}

fn middle_ranks(count: u64) -> (u64, u64) {
    (count.div_ceil(2), count / 2 + 1)
}

/// The middle of two numbers, also where their sum would overflow.
fn midpoint(a: f64, b: f64) -> f64 {
    if a == b {
        return a;
    }
    let sum = a + b;
    if sum.is_finite() {
        sum / 2.0
    } else {
        a / 2.0 + b / 2.0
    }
}
