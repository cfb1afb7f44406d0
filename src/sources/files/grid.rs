//! From rows with times to series on a grid.
//!
//! A series has equally spaced points; rows may be irregular. The step is found like this:
//!
//! 1. **Exact.** The greatest common divisor of all distances is the step when it looks like one: the smallest distance is
//!    at most twice the divisor, or at least half of the grid's points have a row. Then every row keeps its exact time.
//! 2. **Rounded.** Otherwise the times jitter: the step is the average period (span over the number of median distances
//!    in it), and each row goes to the nearest point of the grid. When two rows would meet in one point, the step is
//!    divided by 2, 3, 4 … until they do not; the smallest distance always suffices.
//!
//! No two rows are ever merged and none is dropped; a row moves by at most half a step. A grid of more than
//! [`MAX_SLOTS_PER_ROW`] points for each row (and more than [`MIN_SLOT_LIMIT`]) is refused: then the times are wrong.
//!
//! The rows of one side share a grid, so that a row that is missing at the beginning or the end of one metric is a missing
//! point. A metric that does not lie on its side's grid, or that is regular by itself at a coarser step over the whole
//! time, keeps its own.

use coalmine_judges::series::{Grid, Series};

/// From how many points of the grid for each row on a grid is refused.
pub const MAX_SLOTS_PER_ROW: u64 = 64;
/// A grid of at most so many points is never refused.
pub const MIN_SLOT_LIMIT: u64 = 100_000;
/// The step of a single row, for which any step is right: one minute, as most metric stores have.
pub const STEP_OF_ONE_ROW_MS: u64 = 60_000;
/// The coarsest step is divided by at most this number before the smallest distance is taken.
const MAX_DIVISOR: u64 = 64;

/// A grid with an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Start and step.
    pub grid: Grid,
    /// Number of points.
    pub len: usize,
}

/// Times that no sane grid holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uneven {
    /// Number of rows.
    pub rows: usize,
    /// The step that would keep them apart, in milliseconds.
    pub step_ms: u64,
    /// Number of points that the grid would have.
    pub slots: u64,
}

impl Span {
    /// The point nearest to `time_ms`; the later one where two are equally near. `None` outside of the grid.
    #[must_use]
    pub fn slot(&self, time_ms: i64) -> Option<usize> {
        let slot = slot(self.grid, time_ms)?;
        (slot < self.len as u64).then_some(usize::try_from(slot).ok()?)
    }

    /// Whether `time_ms` is exactly the time of a point.
    fn holds(&self, time_ms: i64) -> bool {
        self.slot(time_ms)
            .is_some_and(|slot| self.grid.time_ms(slot) == time_ms)
    }

    /// The series of `rows` (time and value; NaN is a missing point). Rows outside of the grid are not in it.
    #[must_use]
    pub fn lay(&self, rows: impl IntoIterator<Item = (i64, f64)>) -> Series {
        let mut values = vec![None; self.len];
        for (time_ms, value) in rows {
            if let Some(slot) = self.slot(time_ms) {
                values[slot] = Some(value);
            }
        }
        Series::new(Some(self.grid), values)
    }
}

fn slot(grid: Grid, time_ms: i64) -> Option<u64> {
    let offset = i128::from(time_ms) - i128::from(grid.start_ms);
    let step = i128::from(grid.step_ms.max(1));
    u64::try_from((2 * offset + step).div_euclid(2 * step)).ok()
}

/// The grid of `times_ms`, which ascend without equal neighbours; `None` for no times. Cost O(n), times the number of
/// divisors tried where they jitter.
///
/// # Errors
/// Times so uneven that the grid would be absurdly large.
pub fn fit(times_ms: &[i64]) -> Result<Option<Span>, Uneven> {
    let (Some(&first), Some(&last)) = (times_ms.first(), times_ms.last()) else {
        return Ok(None);
    };
    if first == last {
        return Ok(Some(Span {
            grid: Grid {
                start_ms: first,
                step_ms: STEP_OF_ONE_ROW_MS,
            },
            len: 1,
        }));
    }
    let mut distances: Vec<u64> = times_ms
        .windows(2)
        .map(|pair| pair[1].abs_diff(pair[0]))
        .collect();
    let divisor = distances.iter().copied().fold(0, greatest_common_divisor);
    let smallest = distances.iter().copied().min().unwrap_or(divisor);
    let extent = last.abs_diff(first);
    let rows = times_ms.len() as u64;
    let step_ms = if smallest <= divisor.saturating_mul(2) || extent / divisor < rows * 2 {
        divisor
    } else {
        let middle = distances.len() / 2;
        let median = *distances.select_nth_unstable(middle).1;
        let periods: u64 = distances
            .iter()
            .map(|distance| ((distance + median / 2) / median).max(1))
            .sum();
        let average = ((extent + periods / 2) / periods).max(1);
        (1..=MAX_DIVISOR)
            .map(|divisor| average / divisor)
            .take_while(|step| *step > smallest)
            .find(|step| keeps_apart(times_ms, *step))
            .unwrap_or(smallest)
    };
    let grid = Grid {
        start_ms: first,
        step_ms,
    };
    let slots = slot(grid, last).unwrap_or(u64::MAX).saturating_add(1);
    let limit = rows.saturating_mul(MAX_SLOTS_PER_ROW).max(MIN_SLOT_LIMIT);
    match usize::try_from(slots) {
        Ok(len) if slots <= limit => Ok(Some(Span { grid, len })),
        Ok(_) | Err(_) => Err(Uneven {
            rows: times_ms.len(),
            step_ms,
            slots,
        }),
    }
}

/// Whether no two of the times are nearest to the same point of a grid with this step.
fn keeps_apart(times_ms: &[i64], step_ms: u64) -> bool {
    let Some(&start_ms) = times_ms.first() else {
        return true;
    };
    let grid = Grid { start_ms, step_ms };
    let mut before = None;
    for &time_ms in times_ms {
        let here = slot(grid, time_ms);
        if here == before {
            return false;
        }
        before = here;
    }
    true
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The grids of all series of one side, from the times of each (ascending, without equal neighbours).
///
/// # Errors
/// The index of the first series that no sane grid holds, and why.
pub fn fit_side(series: &[&[i64]]) -> Result<Vec<Option<Span>>, (usize, Uneven)> {
    let shared = shared_span(series);
    let mut spans = Vec::with_capacity(series.len());
    for (index, times_ms) in series.iter().enumerate() {
        let own = match fit(times_ms) {
            Ok(own) => own,
            // Rows too far apart for a grid of their own may still be rare events on the side's grid.
            Err(uneven) => match shared {
                Some(shared) if on(&shared, times_ms) => Some(shared),
                Some(_) | None => return Err((index, uneven)),
            },
        };
        spans.push(own.map(|own| match shared {
            Some(shared) if joins(&shared, &own, times_ms) => shared,
            Some(_) | None => own,
        }));
    }
    Ok(spans)
}

/// The grid of all times of a side together, where there is one that does not waste memory.
fn shared_span(series: &[&[i64]]) -> Option<Span> {
    let filled: Vec<&&[i64]> = series.iter().filter(|times| !times.is_empty()).collect();
    let first = filled.first()?;
    if filled.iter().all(|times| times == first) {
        return fit(first).ok().flatten();
    }
    let mut all: Vec<i64> = filled
        .iter()
        .flat_map(|times| times.iter().copied())
        .collect();
    let rows = all.len() as u64;
    all.sort_unstable();
    all.dedup();
    let shared = fit(&all).ok().flatten()?;
    let points = (shared.len as u64).saturating_mul(filled.len() as u64);
    (points <= rows.saturating_mul(MAX_SLOTS_PER_ROW).max(MIN_SLOT_LIMIT)).then_some(shared)
}

/// Whether a series is put on its side's grid rather than on its own.
fn joins(shared: &Span, own: &Span, times_ms: &[i64]) -> bool {
    if !on(shared, times_ms) {
        return false;
    }
    if own.grid.step_ms <= shared.grid.step_ms || times_ms.len() < 3 {
        return true;
    }
    // Regular at a coarser step from end to end: a slower metric, not one with missing points.
    let regular = own.len == times_ms.len();
    let extent = |span: &Span| (span.len as u64 - 1).saturating_mul(span.grid.step_ms);
    let whole = extent(shared).saturating_sub(extent(own)) < own.grid.step_ms.saturating_mul(2);
    !(regular && whole)
}

fn on(shared: &Span, times_ms: &[i64]) -> bool {
    times_ms.iter().all(|time_ms| shared.holds(*time_ms))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(times_s: &[f64], step_s: f64, slots: &[usize]) {
        #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
        let times: Vec<i64> = times_s
            .iter()
            .map(|t| (t * 1000.0).round() as i64)
            .collect();
        let span = fit(&times).ok().flatten();
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let found = span.map(|span| {
            let slots: Vec<Option<usize>> = times.iter().map(|t| span.slot(*t)).collect();
            (span.grid.step_ms as f64 / 1000.0, slots)
        });
        let expect = Some((step_s, slots.iter().copied().map(Some).collect::<Vec<_>>()));
        assert_eq!(found, expect, "{times_s:?}");
    }

    #[test]
    fn regular_times_keep_their_step_and_holes() {
        check(&[0.0, 60.0, 120.0], 60.0, &[0, 1, 2]);
        check(&[0.0, 60.0, 240.0, 300.0], 60.0, &[0, 1, 4, 5]);
        check(&[0.0, 120.0, 300.0], 60.0, &[0, 2, 5]);
        check(&[7.0], 60.0, &[0]);
        check(&[7.0, 8.0], 1.0, &[0, 1]);
    }

    #[test]
    fn jitter_is_rounded_away() {
        check(&[0.0, 59.0, 120.0, 181.0, 240.0], 60.0, &[0, 1, 2, 3, 4]);
        check(
            &[0.0, 60.003, 119.998, 240.001, 300.002],
            60.0,
            &[0, 1, 2, 4, 5],
        );
    }

    #[test]
    fn a_slow_drift_never_leads_to_a_hole() {
        let times: Vec<i64> = (0..20_000).map(|i| i * 60_007 + (i % 7) * 11).collect();
        let span = fit(&times).ok().flatten();
        assert_eq!(span.map(|span| span.len), Some(times.len()));
    }

    #[test]
    fn two_rows_close_to_each_other_are_kept_apart_by_a_finer_step() {
        check(&[0.0, 61.0, 119.0, 133.0, 180.0], 22.5, &[0, 3, 5, 6, 8]);
    }

    #[test]
    fn absurd_times_are_refused() {
        let day = 86_400_000;
        let uneven = fit(&[0, 1, 400 * day]);
        assert_eq!(
            uneven,
            Err(Uneven {
                rows: 3,
                step_ms: 1,
                slots: 400 * 86_400_000 + 1
            })
        );
        assert!(fit(&[i64::MIN, 0, 1, i64::MAX]).is_err());
    }

    #[test]
    fn metrics_of_a_side_share_a_grid_unless_one_is_slower_by_itself() {
        let minutes: Vec<i64> = (0..60).map(|i| i * 60_000).collect();
        let late: Vec<i64> = minutes[5..50].to_vec();
        let rare = [180_000, 540_000, 1_620_000];
        let slow: Vec<i64> = (0..12).map(|i| i * 300_000).collect();
        let shifted: Vec<i64> = (0..60).map(|i| i * 60_000 + 7).collect();
        let shape = |series: &[&[i64]]| -> Vec<(i64, u64, usize)> {
            fit_side(series)
                .unwrap_or_default()
                .into_iter()
                .flatten()
                .map(|span| (span.grid.start_ms, span.grid.step_ms, span.len))
                .collect()
        };
        let whole = (0, 60_000, 60);
        assert_eq!(
            shape(&[&minutes, &late, &rare, &slow]),
            [whole, whole, whole, (0, 300_000, 12)]
        );
        assert_eq!(shape(&[&minutes, &shifted]), [whole, (7, 60_000, 60)]);
    }

    proptest! {
        #[test]
        fn every_row_has_a_point_of_its_own_within_half_a_step(
            times in proptest::collection::btree_set(
                prop_oneof![-5_000_i64..5_000, (0_i64..200).prop_map(|i| i * 60_000), -20_000_000_i64..20_000_000],
                0..60,
            )
        ) {
            let times: Vec<i64> = times.into_iter().collect();
            match fit(&times) {
                Ok(None) => prop_assert!(times.is_empty()),
                Ok(Some(span)) => {
                    let mut before = None;
                    for time in &times {
                        let slot = span.slot(*time);
                        prop_assert!(slot.is_some());
                        prop_assert!(slot > before, "two rows share slot {slot:?}");
                        before = slot;
                        let moved = span.grid.time_ms(slot.unwrap_or(0)).abs_diff(*time);
                        prop_assert!(moved * 2 <= span.grid.step_ms);
                    }
                }
                Err(uneven) => prop_assert!(uneven.slots > MIN_SLOT_LIMIT),
            }
        }
    }
}
