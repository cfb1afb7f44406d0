//! The Hodges-Lehmann centre of one sample: order statistics of its Walsh averages.

use super::select_difference::Differences;
use crate::sample::Sample;

/// Up to so many values the averages are formed one by one.
const FORMED: usize = 128;

/// Centre and two order statistics of the Walsh averages (a + b)/2 of all pairs, each value with itself included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Centre {
    /// Median of the averages: the centre of symmetry.
    pub estimate: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// How many standard deviations of the signed-rank statistic the ends stand from its mean: what was asked for, or less
    /// where so few points cannot carry it.
    pub reach: f64,
}

/// Centre with the interval that the signed-rank test leaves at `z` standard deviations, by its normal approximation.
///
/// The ends are the averages of rank k and N + 1 − k with N = n(n+1)/2 and k = ⌊N/2 − z√(n(n+1)(2n+1)/24)⌋, at least 1. One value
/// is its own centre with zero width; none gives `None`. Up to 128 values exact in O(n²); above by search among the n² sums of
/// ordered pairs, O(n log n), whose ranks differ from those of the averages by less than 1/n of them.
/// Source: Tukey (1949); Hollander & Wolfe (1999), ch. 3.2; agrees with R 4.2.2 `wilcox.test(d, conf.int = TRUE)` but for its
/// root finder.
#[must_use]
pub fn centre(values: &[f64], z: f64) -> Option<Centre> {
    let n = values.len();
    if n == 0 || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let count = n as f64;
    let pairs = n * (n + 1) / 2;
    let std = (count * (count + 1.0) * (2.0 * count + 1.0) / 24.0).sqrt();
    let middle = pairs as f64 / 2.0;
    let rank = ((middle - z * std).floor().max(1.0) as usize).min(pairs.div_ceil(2));
    let reach = z.min((middle - rank as f64 + 1.0) / std);
    let (estimate, low, high) = if n <= FORMED {
        formed(values, rank, pairs)
    } else {
        searched(values, rank, pairs)?
    };
    Some(Centre {
        estimate,
        low,
        high,
        reach,
    })
}

fn formed(values: &[f64], rank: usize, pairs: usize) -> (f64, f64, f64) {
    let mut averages = Vec::with_capacity(pairs);
    for (index, a) in values.iter().enumerate() {
        averages.extend(values[..=index].iter().map(|b| (a + b) / 2.0));
    }
    let (lower, upper) = (pairs.div_ceil(2) - 1, pairs / 2);
    let (below, median, above) = averages.select_nth_unstable_by(lower, f64::total_cmp);
    let median = *median;
    let least_above = above.iter().copied().fold(f64::INFINITY, f64::min);
    let second = if upper == lower { median } else { least_above };
    let low = if rank - 1 < lower {
        *below.select_nth_unstable_by(rank - 1, f64::total_cmp).1
    } else {
        median
    };
    let high_rank = pairs - rank;
    let high = if high_rank > lower {
        *above
            .select_nth_unstable_by(high_rank - lower - 1, f64::total_cmp)
            .1
    } else {
        median
    };
    (f64::midpoint(median, second), low, high)
}

/// The sums a + b are the differences a − (−b); each pair stands among them twice, each value with itself once.
fn searched(values: &[f64], rank: usize, pairs: usize) -> Option<(f64, f64, f64)> {
    let x = Sample::new(values.to_vec())?;
    let y = Sample::new(values.iter().map(|value| -value).collect())?;
    let sums = Differences::new(&x, &y);
    let all = sums.count();
    let share = |rank: usize| ((rank as f64 / pairs as f64) * all as f64).round() as u64;
    let (low, high) = (share(rank).max(1), share(pairs - rank + 1).clamp(1, all));
    let found = sums.select(&[low, all.div_ceil(2), all / 2 + 1, high]);
    Some((
        f64::midpoint(found[1] / 2.0, found[2] / 2.0),
        found[0] / 2.0,
        found[3] / 2.0,
    ))
}
