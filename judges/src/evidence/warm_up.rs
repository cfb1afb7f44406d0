//! Whether the canary was still warming up when the window began.

use super::align::Aligned;
use super::gauge::scaled;
use super::history::median_spread;
use super::result::{ChangeScale, Pairing};
use crate::stats::quantile::quantile_r7;

/// A leading point is one of warming up when it stands so many standard deviations off the rest.
const OFF: f64 = 3.0;
/// Of all points, at most this share can be warming up: more would be a change that went away, and that is for a person.
const LARGEST_SHARE: f64 = 0.25;
/// One point is chance; two in a row on one side are not.
const FEWEST: usize = 2;

/// The pairs without those at the beginning during which the difference was still far off where it settled: the longest leading
/// run, on one side, beyond three robust standard deviations of the rest. And how many were left out. Cost O(n).
pub(crate) fn left_out(aligned: Aligned, scale: ChangeScale) -> (Aligned, usize) {
    if aligned.pairing == Pairing::None {
        return (aligned, 0);
    }
    let differences = scaled(&aligned, scale).differences;
    let count = leading(&differences);
    if count == 0 {
        (aligned, 0)
    } else {
        (aligned.without_first(count), count)
    }
}

fn leading(differences: &[f64]) -> usize {
    let most = (differences.len() as f64 * LARGEST_SHARE) as usize;
    if most < FEWEST {
        return 0;
    }
    let mut rest = differences[most..].to_vec();
    rest.sort_unstable_by(f64::total_cmp);
    let middle = quantile_r7(&rest, 0.5);
    let Some(spread) = median_spread(rest.iter().map(|d| (d - middle).abs()).collect()) else {
        return 0;
    };
    if spread <= 0.0 {
        return 0;
    }
    let above = differences[0] > middle;
    let off = |d: &&f64| (**d > middle) == above && (**d - middle).abs() > OFF * spread;
    let run = differences.iter().take(most + 1).take_while(off).count();
    if (FEWEST..=most).contains(&run) {
        run
    } else {
        0
    }
}
