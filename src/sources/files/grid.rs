//! From rows with times to series on a grid.
//!
//! A series has equally spaced points; rows may be irregular. A point of the grid without a row is judged and reported as
//! missing, so a step must never be finer than the rows really are. The usual distance is the median one; it is *kept* by a
//! distance within a tenth of it of a whole multiple. The step is found like this:
//!
//! 1. **Exact.** The greatest common divisor of all distances is the step, and every row keeps its exact time, where it is
//!    the usual distance and half of the points have a row or three quarters of the distances are one step (long gaps), or
//!    where at least half of the distances do not keep the usual one and half of the points have a row (many short gaps), or
//!    where most do not keep it, the divisor is seen among them, and a tenth of the points have a row (rare events).
//! 2. **Rounded.** Otherwise the times jitter: the step is the average period, and each row goes to the nearest point. Half
//!    of the points must have a row, or nearly all distances keep the usual one and three quarters of them are one step. Where
//!    fewer than three quarters keep it at all, a grid with as many points as rows is tried first.
//!
//! When two rows would meet in one point of the rounded grid, as a row that was scraped twice does, nothing is merged,
//! dropped or invented: the times are refused, and so are those that fit neither rule. So is a grid of more than
//! [`MAX_SLOTS_PER_ROW`] points for each row (and more than [`MIN_SLOT_LIMIT`]). A row moves by at most half a step.
//!
//! The rows of one side share a grid, so that a row that is missing at the beginning or the end of one metric is a missing
//! point. A metric that does not lie on its side's grid, or most of whose own distances are one coarser step, keeps its own.

use coalmine_judges::series::{Grid, Series};

use super::step::Distances;

/// From how many points of the grid for each row on a grid is refused.
pub const MAX_SLOTS_PER_ROW: u64 = 64;
/// A grid of at most so many points is never refused.
pub const MIN_SLOT_LIMIT: u64 = 100_000;
/// The step of a single row, for which any step is right: one minute, as most metric stores have.
pub const STEP_OF_ONE_ROW_MS: u64 = 60_000;
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
pub enum Uneven {
    /// Two rows stand closer than the others, and only a step that nobody measured in would keep them apart.
    Crowded {
        /// The index of the earlier of the two; the other one follows.
        first: usize,
        /// Their distance in milliseconds.
        apart_ms: u64,
        /// The usual distance in milliseconds.
        usual_ms: u64,
    },
    /// The grid would be absurdly large.
    Endless {
        /// Number of rows.
        rows: usize,
        /// The step in milliseconds.
        step_ms: u64,
        /// Number of points that the grid would have.
        slots: u64,
    },
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

/// The grid of `times_ms`, which ascend without equal neighbours; `None` for no times. Cost O(n).
///
/// # Errors
/// Times so uneven that a grid would hold points that were never measured, or absurdly many.
pub fn fit(times_ms: &[i64]) -> Result<Option<Span>, Uneven> {
    let (Some(&start_ms), Some(&last)) = (times_ms.first(), times_ms.last()) else {
        return Ok(None);
    };
    if start_ms == last {
        return Ok(Some(Span {
            grid: Grid {
                start_ms,
                step_ms: STEP_OF_ONE_ROW_MS,
            },
            len: 1,
        }));
    }
    let distances = Distances::of(times_ms);
    let step_ms = distances
        .exact_step()
        .or_else(|| distances.rounded_step(times_ms))
        .ok_or_else(|| distances.crowded(times_ms))?;
    let grid = Grid { start_ms, step_ms };
    let slots = slots(times_ms, step_ms);
    let rows = times_ms.len() as u64;
    let limit = rows.saturating_mul(MAX_SLOTS_PER_ROW).max(MIN_SLOT_LIMIT);
    match usize::try_from(slots) {
        Ok(len) if slots <= limit => Ok(Some(Span { grid, len })),
        Ok(_) | Err(_) => Err(Uneven::Endless {
            rows: times_ms.len(),
            step_ms,
            slots,
        }),
    }
}

/// The number of points that a grid with this step has between the first and the last of the times.
pub(super) fn slots(times_ms: &[i64], step_ms: u64) -> u64 {
    let (Some(&start_ms), Some(&last)) = (times_ms.first(), times_ms.last()) else {
        return 0;
    };
    slot(Grid { start_ms, step_ms }, last)
        .unwrap_or(u64::MAX)
        .saturating_add(1)
}

/// Whether no two of the times are nearest to the same point of a grid with this step.
pub(super) fn keeps_apart(times_ms: &[i64], step_ms: u64) -> bool {
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

/// The grids of all series of one side, from the times of each (ascending, without equal neighbours); the error of each
/// series that no sane grid holds.
#[must_use]
pub fn fit_side(series: &[&[i64]]) -> Vec<Result<Option<Span>, Uneven>> {
    let shared = shared_span(series);
    series
        .iter()
        .map(|times_ms| match (fit(times_ms), shared) {
            (Ok(Some(own)), Some(shared)) if joins(&shared, &own, times_ms) => Ok(Some(shared)),
            // Rows too far apart for a grid of their own may still be rare events on the side's grid.
            (Err(_), Some(shared)) if on(&shared, times_ms) => Ok(Some(shared)),
            (own, _) => own,
        })
        .collect()
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
    // Mostly one coarser step from row to row: a slower metric, not one with missing points.
    let single = times_ms
        .windows(2)
        .filter(|pair| pair[1].abs_diff(pair[0]) == own.grid.step_ms)
        .count();
    single * 2 < times_ms.len()
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
    fn jitter_of_a_fifth_of_the_step_leads_to_no_hole_and_no_refusal() {
        let mut state = 1_u64;
        for len in [2_usize, 3, 5, 10, 60, 1000, 5000] {
            for _ in 0..20 {
                let times: Vec<i64> = (0..len as i64)
                    .map(|i| {
                        state = state
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1);
                        i * 60_000 + (state >> 33) as i64 % 24_001 - 12_000
                    })
                    .collect();
                let found = fit(&times).map(|span| span.map(|span| span.len));
                assert_eq!(found, Ok(Some(len)), "{times:?}");
            }
        }
    }

    fn check_crowded(times_s: &[i64], first: usize, apart_s: u64, usual_s: u64) {
        let times: Vec<i64> = times_s.iter().map(|t| t * 1000).collect();
        let expect = Uneven::Crowded {
            first,
            apart_ms: apart_s * 1000,
            usual_ms: usual_s * 1000,
        };
        assert_eq!(fit(&times), Err(expect), "{times_s:?}");
    }

    #[test]
    fn a_row_between_the_others_is_refused_and_invents_no_holes() {
        check_crowded(&[0, 61, 119, 133, 180], 2, 14, 58);
        for rows in [4, 10, 30, 200] {
            for place in [0, 1, rows / 2, rows - 2] {
                for apart in [1, 7, 29, 30] {
                    let mut times: Vec<i64> = (0..rows).map(|i| i * 60_000).collect();
                    times.push(place * 60_000 + apart * 1000);
                    times.sort_unstable();
                    // So few rows may just as well jitter, or be half a step apart with holes.
                    if rows == 4 && apart >= 29 {
                        continue;
                    }
                    let found = fit(&times);
                    assert!(
                        matches!(found, Err(Uneven::Crowded { .. })),
                        "{rows} rows, one more {apart} s after row {place}: {found:?}"
                    );
                }
            }
        }
        // Each row twice.
        check_crowded(&[0, 1, 60, 61, 120, 121], 0, 1, 1);
        check_crowded(&[0, 1, 60, 61, 120, 121, 180], 0, 1, 59);
    }

    #[test]
    fn real_holes_are_kept_however_long() {
        let bursts: Vec<i64> = (0..10).chain(200..210).map(|i| i * 60_000).collect();
        let span = fit(&bursts).ok().flatten();
        assert_eq!(span.map(|s| (s.grid.step_ms, s.len)), Some((60_000, 210)));
        let jittered: Vec<i64> = bursts
            .iter()
            .enumerate()
            .map(|(i, t)| t + (i as i64 * 7919) % 900)
            .collect();
        let span = fit(&jittered).ok().flatten();
        assert_eq!(span.map(|s| s.len), Some(210));
        // Rare events: any whole number of minutes apart.
        let rare: Vec<i64> = [0, 3, 4, 9, 11, 16, 17, 24, 27, 28, 33]
            .map(|i| i * 60_000)
            .to_vec();
        let span = fit(&rare).ok().flatten();
        assert_eq!(span.map(|s| (s.grid.step_ms, s.len)), Some((60_000, 34)));
    }

    #[test]
    fn absurd_times_are_refused() {
        let day = 86_400_000;
        assert!(fit(&[0, 1, 400 * day]).is_err());
        let distant: Vec<i64> = (0..20).chain([400 * day]).collect();
        assert_eq!(
            fit(&distant),
            Err(Uneven::Endless {
                rows: 21,
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
                .into_iter()
                .filter_map(|span| span.ok().flatten())
                .map(|span| (span.grid.start_ms, span.grid.step_ms, span.len))
                .collect()
        };
        let whole = (0, 60_000, 60);
        assert_eq!(
            shape(&[&minutes, &late, &rare, &slow]),
            [whole, whole, whole, (0, 300_000, 12)]
        );
        assert_eq!(shape(&[&minutes, &shifted]), [whole, (7, 60_000, 60)]);
        // Of a slower metric only what is missing is a hole.
        let slow_with_hole = [slow[..5].to_vec(), slow[6..].to_vec()].concat();
        assert_eq!(
            shape(&[&minutes, &slow_with_hole]),
            [whole, (0, 300_000, 12)]
        );
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
                Err(Uneven::Crowded { first, apart_ms, usual_ms }) => {
                    prop_assert_eq!(times[first + 1].abs_diff(times[first]), apart_ms);
                    prop_assert!(apart_ms <= usual_ms);
                }
                Err(Uneven::Endless { slots, .. }) => prop_assert!(slots > MIN_SLOT_LIMIT),
            }
        }
    }
}
