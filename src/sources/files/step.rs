//! Which step a series has, from the distances of its rows; [`super::grid`] says why.

use super::grid::{Uneven, keeps_apart, slots};

/// Points for each row up to which an exact grid of rare events is believed.
const MAX_SLOTS_PER_RARE_ROW: u64 = 10;

/// Fewer distances than this do not tell rare events from a row that does not belong there.
const MIN_RARE_DISTANCES: u64 = 4;

/// What the distances of neighbouring rows say about the step; at least one distance.
pub(super) struct Distances {
    count: u64,
    /// The greatest common divisor.
    divisor: u64,
    smallest: u64,
    /// The median, the upper one of two; the mean where there are two.
    usual: u64,
    /// How many are exactly the divisor.
    divisors: u64,
    /// How many keep the usual distance.
    keeping: u64,
    /// How many of those are one step.
    single: u64,
    /// The mean of those, which is nearer to the period than the median is.
    period: u64,
    /// From the first row to the last.
    extent: u64,
}

impl Distances {
    pub(super) fn of(times_ms: &[i64]) -> Self {
        let mut distances: Vec<u64> = times_ms
            .windows(2)
            .map(|pair| pair[1].abs_diff(pair[0]))
            .collect();
        let middle = distances.len() / 2;
        let median = *distances.select_nth_unstable(middle).1;
        // Of two distances neither is usual; their mean is.
        let usual = match distances.as_slice() {
            [one, other] => one / 2 + other / 2 + (one % 2 + other % 2) / 2,
            _ => median,
        };
        let number = |count: usize| count as u64;
        let divisor = distances.iter().copied().fold(0, greatest_common_divisor);
        let keeping = distances.iter().filter(|d| periods(**d, usual).is_some());
        let single = || distances.iter().filter(|d| periods(**d, usual) == Some(1));
        let sum = single().fold(0_u64, |sum, d| sum.saturating_add(*d));
        let singles = number(single().count());
        Self {
            count: number(distances.len()),
            divisor,
            smallest: distances.iter().copied().min().unwrap_or(usual),
            usual,
            divisors: number(distances.iter().filter(|d| **d == divisor).count()),
            keeping: number(keeping.count()),
            single: singles,
            period: sum.checked_div(singles).unwrap_or(usual),
            extent: distances.iter().fold(0, |sum, d| sum.saturating_add(*d)),
        }
    }

    fn rows(&self) -> u64 {
        self.count + 1
    }

    /// The divisor, where the holes of its grid are real.
    pub(super) fn exact_step(&self) -> Option<u64> {
        let slots = (self.extent / self.divisor).saturating_add(1);
        let half_full = slots <= self.rows() * 2;
        let needing = self.count - self.keeping;
        let real = if self.usual == self.divisor {
            half_full || self.divisors * 4 >= self.count * 3
        } else {
            let many_gaps = half_full && needing * 2 >= self.count;
            let rare_events = self.count >= MIN_RARE_DISTANCES
                && self.smallest <= self.divisor.saturating_mul(2)
                && needing * 2 > self.count
                && slots <= self.rows().saturating_mul(MAX_SLOTS_PER_RARE_ROW);
            many_gaps || rare_events
        };
        real.then_some(self.divisor)
    }

    /// The average period, where it keeps all rows apart and the holes of its grid are real.
    pub(super) fn rounded_step(&self, times_ms: &[i64]) -> Option<u64> {
        let average = |periods: u64| (self.extent.saturating_add(periods / 2) / periods).max(1);
        // Where the distances say little, a period for each row is tried first: it leaves no hole that could be wrong.
        let without_holes = average(self.count);
        if self.keeping * 4 < self.count * 3 && keeps_apart(times_ms, without_holes) {
            return Some(without_holes);
        }
        let long_gaps = self.keeping * 10 >= self.count * 9 && self.single * 4 >= self.count * 3;
        let counted = average(self.periods_from_first_to_last(times_ms));
        let half_full = slots(times_ms, counted) <= self.rows() * 2;
        ((half_full || long_gaps) && keeps_apart(times_ms, counted)).then_some(counted)
    }

    /// Counted from each row that keeps the usual distance to the next that does, so that a row in between, which belongs
    /// to no period, does not count as one. At least 1.
    fn periods_from_first_to_last(&self, times_ms: &[i64]) -> u64 {
        let rounded = |distance: u64| {
            let rest = distance % self.period;
            distance / self.period + u64::from(rest >= self.period.div_ceil(2))
        };
        let mut sum = 0_u64;
        let mut anchor = times_ms.first().copied().unwrap_or_default();
        for &time_ms in times_ms {
            let distance = time_ms.abs_diff(anchor);
            // Over a long gap the errors of the period add up: the nearest multiple is the best that is known.
            if distance / 8 > self.period || periods(distance, self.period).is_some() {
                sum += rounded(distance);
                anchor = time_ms;
            }
        }
        let last = times_ms.last().copied().unwrap_or(anchor);
        (sum + rounded(last.abs_diff(anchor))).max(1)
    }

    pub(super) fn crowded(&self, times_ms: &[i64]) -> Uneven {
        let first = times_ms
            .windows(2)
            .position(|pair| pair[1].abs_diff(pair[0]) == self.smallest)
            .unwrap_or_default();
        Uneven::Crowded {
            first,
            apart_ms: self.smallest,
            usual_ms: self.usual,
        }
    }
}

/// How many times `usual` a distance is, where it is within a tenth of `usual` of such a multiple.
fn periods(distance: u64, usual: u64) -> Option<u64> {
    let below = distance / usual;
    let rest = distance % usual;
    let tolerance = usual / 10;
    let periods = if rest <= tolerance {
        below
    } else if usual - rest <= tolerance {
        below + 1
    } else {
        0
    };
    (periods > 0).then_some(periods)
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
