//! Whether one of two paired samples varies more than the other.

use super::student;

/// Rank correlation of difference and sum: positive where the first sample varies more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpreadComparison {
    /// Spearman's correlation of (x − y) and (x + y), −1 to 1.
    pub correlation: f64,
    /// Fisher's z of it in standard errors.
    pub z: f64,
    degrees: f64,
}

impl SpreadComparison {
    /// One-sided chance that the first sample seems to vary so much more by accident.
    #[must_use]
    pub fn p_more(&self) -> f64 {
        student::survival(self.z, self.degrees)
    }

    /// The same for so much less.
    #[must_use]
    pub fn p_less(&self) -> f64 {
        student::survival(-self.z, self.degrees)
    }
}

/// Compares the spread of `x` and `y`, pair by pair. What both share (load) cancels in the difference, so that it cannot make
/// the correlation. `inflation` is the factor by which dependence raises its variance; 1.5 for first differences of white
/// noise, whose neighbours have correlation −1/2: 1 + 2·(1/2)². Ties get mid-ranks. `None` below eight pairs, and where all
/// differences or all sums are equal. Cost O(n log n).
///
/// Sources: Pitman (1939) and Morgan (1939) for the identity; the variance 1.06/(n − 3) of Fisher's z of a rank correlation:
/// Fieller, Hartley & Pearson (1957).
#[must_use]
pub fn compare(x: &[f64], y: &[f64], inflation: f64) -> Option<SpreadComparison> {
    const FEWEST: usize = 8;
    let n = x.len().min(y.len());
    if n < FEWEST {
        return None;
    }
    let differences: Vec<f64> = x.iter().zip(y).map(|(x, y)| x - y).collect();
    let sums: Vec<f64> = x.iter().zip(y).map(|(x, y)| x + y).collect();
    let correlation = correlation(&mid_ranks(&differences), &mid_ranks(&sums))?;
    // A perfect correlation of n ranks is as good as the next to perfect one.
    let within = correlation.clamp(-1.0 + 1.0 / (n * n) as f64, 1.0 - 1.0 / (n * n) as f64);
    let points = n as f64 / inflation;
    let error = (1.06 * inflation / (n as f64 - 3.0 * inflation).max(1.0)).sqrt();
    Some(SpreadComparison {
        correlation,
        z: within.atanh() / error,
        degrees: (points - 2.0).max(1.0),
    })
}

/// Ranks from 1; equal values share the mean of theirs.
fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    while first < order.len() {
        let value = values[order[first]];
        let tied = order[first..]
            .iter()
            .take_while(|index| values[**index] == value)
            .count()
            .max(1);
        let rank = first as f64 + (tied as f64 + 1.0) / 2.0;
        for index in &order[first..first + tied] {
            ranks[*index] = rank;
        }
        first += tied;
    }
    ranks
}

fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let middle = (a.len() as f64 + 1.0) / 2.0;
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - middle, b - middle);
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    let size = (aa * bb).sqrt();
    (size > 0.0).then(|| ab / size)
}

/// The ratio of the medians of two sets of magnitudes; `None` where the lower one is zero.
#[must_use]
pub fn median_ratio(x: &[f64], y: &[f64]) -> Option<f64> {
    let median = |values: &[f64]| {
        let mut magnitudes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
        let middle = magnitudes.len().checked_sub(1)? / 2;
        Some(*magnitudes.select_nth_unstable_by(middle, f64::total_cmp).1)
    };
    let (x, y) = (median(x)?, median(y)?);
    (y > 0.0 && x > 0.0)
        .then(|| x / y)
        .filter(|ratio| ratio.is_finite())
}
