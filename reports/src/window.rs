//! When the series were recorded.

use coalmine_judges::series::{MetricSetPair, Series};

use crate::format;

/// When both sides were recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    /// With date, length and step: `12 Mar 2026, 11:00 to 12:30 UTC: 90 min, step 60 s`.
    pub(crate) long: Long,
    /// To end a sentence that named the sides: `11:00 to 12:30 UTC`.
    pub(crate) short: String,
}

/// The window, once where both sides have the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Long {
    Both(String),
    Apart { baseline: String, canary: String },
}

impl Window {
    /// `None` where the series carry no times, or only times outside of the calendar.
    pub(crate) fn of(sets: &[MetricSetPair]) -> Option<Self> {
        let baseline = Span::of(sets.iter().map(|set| &set.baseline));
        let canary = Span::of(sets.iter().map(|set| &set.canary));
        match (baseline, canary) {
            (None, None) => None,
            (Some(span), other) | (other, Some(span))
                if other.is_none_or(|other| other == span) =>
            {
                let untimed = |series: &Series| !series.is_empty() && series.grid().is_none();
                let of = |side: &dyn Fn(&MetricSetPair) -> &Series| {
                    sets.iter().any(|set| untimed(side(set)))
                };
                // A side that is empty or absent was asked for the same window; one without times may be of any.
                if baseline.is_none() && of(&|set| &set.baseline)
                    || canary.is_none() && of(&|set| &set.canary)
                {
                    return Self::apart(baseline, canary);
                }
                Some(Self {
                    long: Long::Both(span.long()?),
                    short: format!("{} UTC", span.short(span.one_day())?),
                })
            }
            (baseline, canary) => Self::apart(baseline, canary),
        }
    }

    fn apart(baseline: Option<Span>, canary: Option<Span>) -> Option<Self> {
        const UNTIMED: &str = "without times";
        let one_day = match (baseline, canary) {
            (Some(baseline), Some(canary)) => baseline.and(canary).one_day(),
            (Some(span), None) | (None, Some(span)) => span.one_day(),
            (None, None) => return None,
        };
        let long = |span: Option<Span>| span.map_or(Some(UNTIMED.to_owned()), Span::long);
        let short = |span: Option<Span>| match span {
            Some(span) => Some(format!("{} UTC", span.short(one_day)?)),
            None => Some(UNTIMED.to_owned()),
        };
        let (of_baseline, of_canary) = (short(baseline)?, short(canary)?);
        let short = match (baseline, canary) {
            (Some(baseline), Some(canary)) if of_baseline == of_canary => {
                format!("{of_canary}, {} against {}", canary.step(), baseline.step())
            }
            _ => format!("canary {of_canary}, baseline {of_baseline}"),
        };
        Some(Self {
            long: Long::Apart {
                baseline: long(baseline)?,
                canary: long(canary)?,
            },
            short,
        })
    }
}

/// First start, last end and the steps of some series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: i64,
    end: i64,
    /// The least and the largest step.
    steps: (u64, u64),
}

impl Span {
    /// Of all series that have points and times.
    fn of<'a>(series: impl Iterator<Item = &'a Series>) -> Option<Self> {
        series
            .filter(|series| !series.is_empty())
            .filter_map(|series| {
                let grid = series.grid()?;
                Some(Self {
                    start: grid.start_ms,
                    end: grid.time_ms(series.len()),
                    steps: (grid.step_ms, grid.step_ms),
                })
            })
            .reduce(Self::and)
    }

    fn and(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
            steps: (
                self.steps.0.min(other.steps.0),
                self.steps.1.max(other.steps.1),
            ),
        }
    }

    fn one_day(self) -> bool {
        format::date(self.start) == format::date(self.end)
    }

    fn long(self) -> Option<String> {
        let lasted = format::duration(self.end.abs_diff(self.start));
        let day = if self.one_day() {
            format!("{}, ", format::date(self.start)?)
        } else {
            String::new()
        };
        Some(format!(
            "{day}{} UTC: {lasted}, {}",
            self.short(self.one_day())?,
            self.step()
        ))
    }

    /// `step 60 s`, `steps 10 s to 60 s`.
    fn step(self) -> String {
        let (least, largest) = self.steps;
        if least == largest {
            format!("step {}", format::duration(least))
        } else {
            format!(
                "steps {} to {}",
                format::duration(least),
                format::duration(largest)
            )
        }
    }

    /// `11:00 to 12:30`; with the days unless all that is told is of one day.
    fn short(self, one_day: bool) -> Option<String> {
        let fine = self.steps.0 < 60_000 && self.end.abs_diff(self.start) < 600_000;
        let clock = |time| {
            if fine {
                format::clock_seconds(time)
            } else {
                format::clock(time)
            }
        };
        let (from, to) = (clock(self.start)?, clock(self.end)?);
        if one_day {
            return Some(format!("{from} to {to}"));
        }
        let (from_day, to_day) = (format::date(self.start)?, format::date(self.end)?);
        Some(if from_day == to_day {
            format!("{from_day}, {from} to {to}")
        } else {
            format!("{from_day}, {from} to {to_day}, {to}")
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use coalmine_judges::series::Grid;

    use super::*;

    const MAY_1: i64 = 1_714_564_800_000;
    const WEEK: i64 = 7 * 86_400_000;

    /// Grids as start, step in seconds and number of points.
    fn check(
        baseline: Option<(i64, u64, usize)>,
        canary: Option<(i64, u64, usize)>,
        short: &str,
        long: Long,
    ) {
        let series = |grid: Option<(i64, u64, usize)>| match grid {
            Some((start_ms, step, points)) => Series::new(
                Some(Grid {
                    start_ms,
                    step_ms: step * 1000,
                }),
                vec![Some(1.0); points],
            ),
            None => Series::untimed([1.0, 2.0]),
        };
        let set = MetricSetPair {
            name: "m".to_owned(),
            id: "1".to_owned(),
            tags: BTreeMap::new(),
            baseline: series(baseline),
            canary: series(canary),
        };
        let window = Window::of(&[set]).expect("the series carry times");
        assert_eq!((window.short.as_str(), window.long), (short, long));
    }

    #[test]
    fn sides_of_the_same_times_have_one_window() {
        check(
            Some((MAY_1, 60, 10)),
            Some((MAY_1, 60, 10)),
            "12:00 to 12:10 UTC",
            Long::Both("1 May 2024, 12:00 to 12:10 UTC: 10 min, step 60 s".to_owned()),
        );
        // A side without points was asked for the same times.
        check(
            Some((MAY_1, 60, 10)),
            Some((MAY_1, 60, 0)),
            "12:00 to 12:10 UTC",
            Long::Both("1 May 2024, 12:00 to 12:10 UTC: 10 min, step 60 s".to_owned()),
        );
        check(
            Some((MAY_1, 3600, 15)),
            Some((MAY_1, 3600, 15)),
            "1 May 2024, 12:00 to 2 May 2024, 03:00 UTC",
            Long::Both("1 May 2024, 12:00 to 2 May 2024, 03:00 UTC: 15 h, step 60 min".to_owned()),
        );
    }

    #[test]
    fn sides_of_different_times_have_two_windows() {
        check(
            Some((MAY_1, 60, 10)),
            Some((MAY_1 + WEEK, 10, 6)),
            "canary 8 May 2024, 12:00:00 to 12:01:00 UTC, baseline 1 May 2024, 12:00 to 12:10 UTC",
            Long::Apart {
                baseline: "1 May 2024, 12:00 to 12:10 UTC: 10 min, step 60 s".to_owned(),
                canary: "8 May 2024, 12:00:00 to 12:01:00 UTC: 60 s, step 10 s".to_owned(),
            },
        );
        check(
            Some((MAY_1, 60, 20)),
            Some((MAY_1, 120, 10)),
            "12:00 to 12:20 UTC, step 2 min against step 60 s",
            Long::Apart {
                baseline: "1 May 2024, 12:00 to 12:20 UTC: 20 min, step 60 s".to_owned(),
                canary: "1 May 2024, 12:00 to 12:20 UTC: 20 min, step 2 min".to_owned(),
            },
        );
        check(
            None,
            Some((MAY_1, 60, 10)),
            "canary 12:00 to 12:10 UTC, baseline without times",
            Long::Apart {
                baseline: "without times".to_owned(),
                canary: "1 May 2024, 12:00 to 12:10 UTC: 10 min, step 60 s".to_owned(),
            },
        );
    }
}
