//! Both series over time: a mark for each point, the run of their middle on top.

use coalmine_judges::series::{MetricSetPair, Series};

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Drawn, Frame, Plane};
use super::runs::{Runs, mean, median};
use super::svg::{Ink, Svg};
use super::{Chart, Range, range};
use crate::format;

const WIDTH: u32 = 600;
const HEIGHT: u32 = 186;
const FRAME: Frame = Frame {
    left: 52.0,
    top: 8.0,
    right: 534.0,
    bottom: 150.0,
};
/// Rows of marks for missing points, below the axis.
const MISSING_BASELINE: f64 = 156.0;
const MISSING_CANARY: f64 = 162.0;
/// Points in one mean.
const BLOCK: usize = 5;
/// From here on a series is drawn as the least and the most of each stretch.
pub(crate) const ENVELOPE_FROM: usize = 5000;
/// Stretches of an envelope, and the most means of a line.
const STRETCHES: usize = 320;

/// The chart, and the words around it.
#[derive(Debug, Clone)]
pub(crate) struct SeriesChart {
    pub(crate) chart: Chart,
    /// `time in UTC`, `points in order`.
    pub(crate) across: &'static str,
}

/// Where the points of both sides stand from left to right.
enum Across {
    /// By the clock.
    Clock,
    /// By the time since each side's own start: their windows are apart.
    Elapsed,
    /// By their order.
    Order,
}

/// Draws both series; `None` where neither has a finite point.
pub(crate) fn series(set: &MetricSetPair, label: &str) -> Result<Option<SeriesChart>, String> {
    let Some(range) = range(set) else {
        return Ok(None);
    };
    let across = across(set);
    let (axis, words) = axis(set, &across);
    let y = Axis::values(range, 4);
    let mut svg = String::new();
    let sides = [
        Side::of(&set.baseline, &across, range, axis.low(), true),
        Side::of(&set.canary, &across, range, axis.low(), false),
    ];
    draw(
        Canvas::new(Svg::new(&mut svg, WIDTH, HEIGHT, label)),
        &axis,
        &y,
        &sides,
    )
    .map_err(|error| error.to_string())?;
    Ok(Some(SeriesChart {
        chart: Chart {
            svg,
            caption: caption(&sides, range),
        },
        across: words,
    }))
}

fn across(set: &MetricSetPair) -> Across {
    let span = |series: &Series| {
        let grid = series.grid()?;
        Some((grid.start_ms, grid.time_ms(series.len())))
    };
    match (span(&set.baseline), span(&set.canary)) {
        (Some(a), Some(b)) if a.0 >= b.1 || b.0 >= a.1 => {
            if set.baseline.is_empty() || set.canary.is_empty() {
                Across::Clock
            } else {
                Across::Elapsed
            }
        }
        (None, Some(_)) if !set.baseline.is_empty() => Across::Order,
        (Some(_), None) if !set.canary.is_empty() => Across::Order,
        (None, None) => Across::Order,
        (Some(_), _) | (_, Some(_)) => Across::Clock,
    }
}

fn axis(set: &MetricSetPair, across: &Across) -> (Axis, &'static str) {
    let both = [&set.baseline, &set.canary];
    let grids = || {
        both.into_iter()
            .filter(|series| !series.is_empty())
            .filter_map(|series| Some((series.grid()?, series.len())))
    };
    match across {
        Across::Order => {
            let longest = both.into_iter().map(Series::len).max().unwrap_or(0);
            (Axis::points(longest), "points in order")
        }
        Across::Elapsed => {
            let longest = grids()
                .map(|(grid, length)| grid.time_ms(length).saturating_sub(grid.start_ms))
                .max()
                .unwrap_or(0);
            let label = |time: i64| {
                Some(if time == 0 {
                    "0".to_owned()
                } else {
                    format::duration(time.unsigned_abs())
                })
            };
            (
                Axis::time(0, longest, label),
                "time since each side’s start",
            )
        }
        Across::Clock => {
            let start = grids().map(|(grid, _)| grid.start_ms).min().unwrap_or(0);
            let end = grids()
                .map(|(grid, length)| grid.time_ms(length))
                .max()
                .unwrap_or(start);
            let span = end.abs_diff(start);
            let label = move |time: i64| {
                if span < 5 * 60_000 {
                    format::clock_seconds(time)
                } else if span < 36 * 3_600_000 {
                    format::clock(time)
                } else {
                    format::day(time)
                }
            };
            (Axis::time(start, end, label), "time in UTC")
        }
    }
}

/// One side, ready to be drawn: x and y of what it shows.
struct Side {
    baseline: bool,
    dots: Vec<(f64, f64)>,
    /// Least and most of each stretch, in runs without holes; empty for short series.
    envelope: Vec<Vec<(f64, f64, f64)>>,
    /// The middle, in runs without holes.
    middle: Vec<Vec<(f64, f64)>>,
    missing: Vec<f64>,
    points: usize,
    block: usize,
    present: usize,
}

impl Side {
    fn of(series: &Series, across: &Across, range: Range, start: f64, baseline: bool) -> Self {
        let values = series.values();
        let place = |index: usize| match (across, series.grid()) {
            (Across::Clock, Some(grid)) => grid.time_ms(index) as f64,
            (Across::Elapsed, Some(grid)) => {
                start + grid.time_ms(index).saturating_sub(grid.start_ms) as f64
            }
            (_, _) => index as f64 + 1.0,
        };
        let long = values.len() > ENVELOPE_FROM;
        let block = if values.len() <= 3 * BLOCK {
            1
        } else {
            BLOCK.max(values.len().div_ceil(STRETCHES))
        };
        let finite = |value: &Option<f64>| value.filter(|value| value.is_finite());
        let mut middle = Runs::default();
        let mut envelope = Runs::default();
        for (index, stretch) in values.chunks(block).enumerate() {
            let first = index * block;
            let mut there: Vec<f64> = stretch.iter().filter_map(finite).collect();
            if there.is_empty() {
                middle.end();
                envelope.end();
                continue;
            }
            let x = (place(first) + place(first + stretch.len() - 1)) / 2.0;
            there.sort_unstable_by(f64::total_cmp);
            middle.add((
                x,
                if range.heavy {
                    median(&there)
                } else {
                    mean(&there)
                },
            ));
            envelope.add((x, there[0], there[there.len() - 1]));
        }
        let present = values.iter().filter(|value| value.is_some()).count();
        Self {
            baseline,
            dots: if long {
                Vec::new()
            } else {
                values
                    .iter()
                    .enumerate()
                    .filter_map(|(index, value)| Some((place(index), finite(value)?)))
                    .collect()
            },
            envelope: if long { envelope.done() } else { Vec::new() },
            middle: middle.done(),
            missing: values
                .iter()
                .enumerate()
                .filter(|(_, value)| value.is_none())
                .map(|(index, _)| place(index))
                .collect(),
            points: values.len(),
            block,
            present,
        }
    }
}

fn draw(canvas: Canvas<'_>, x: &Axis, y: &Axis, sides: &[Side]) -> Drawn {
    let across = |value: f64| FRAME.left + x.position(value) * (FRAME.right - FRAME.left);
    let up = |value: f64| FRAME.bottom - y.position(value) * (FRAME.bottom - FRAME.top);
    for (tick, _) in &y.ticks {
        canvas.line(
            Ink::Grid,
            [(FRAME.left, up(*tick)), (FRAME.right, up(*tick))],
        )?;
    }
    canvas.line(
        Ink::Axis,
        [(FRAME.left, FRAME.bottom), (FRAME.right, FRAME.bottom)],
    )?;
    for (tick, _) in &x.ticks {
        canvas.line(
            Ink::Axis,
            [
                (across(*tick), FRAME.bottom),
                (across(*tick), FRAME.bottom + 4.0),
            ],
        )?;
    }
    for (tick, label) in &y.ticks {
        canvas.text(
            Ink::Label,
            Anchor::End,
            (FRAME.left - 6.0, up(*tick) + 4.0),
            label,
        )?;
    }
    for (tick, label) in &x.ticks {
        canvas.text(
            Ink::Label,
            Anchor::Middle,
            (across(*tick), f64::from(HEIGHT) - 6.0),
            label,
        )?;
    }
    let plane = canvas.plane(x.clone(), y.clone(), FRAME);
    for side in sides {
        points(&plane, side)?;
    }
    for side in sides {
        let ink = if side.baseline {
            Ink::BaselineLine
        } else {
            Ink::CanaryLine
        };
        for run in side.middle.iter().filter(|run| run.len() > 1) {
            plane.line(ink, run.clone())?;
        }
        let (ink, row) = if side.baseline {
            (Ink::BaselineTicks, MISSING_BASELINE)
        } else {
            (Ink::CanaryTicks, MISSING_CANARY)
        };
        let mut drawn = f64::NEG_INFINITY;
        for missing in &side.missing {
            let at = across(*missing);
            // Marks that would cover each other are one mark.
            if at - drawn >= 0.5 {
                canvas.line(ink, [(at, row), (at, row + 4.0)])?;
                drawn = at;
            }
        }
    }
    ends(&canvas, &up, sides)
}

fn points(plane: &Plane<'_>, side: &Side) -> Drawn {
    let (dots, area) = if side.baseline {
        (Ink::BaselineDots, Ink::BaselineArea)
    } else {
        (Ink::CanaryDots, Ink::CanaryArea)
    };
    plane.dots(dots, side.dots.iter().copied())?;
    for run in side.envelope.iter().filter(|run| run.len() > 1) {
        let above = run.iter().map(|(x, _, most)| (*x, *most));
        let below = run.iter().rev().map(|(x, least, _)| (*x, *least));
        plane.area(area, above.chain(below).collect())?;
    }
    Ok(())
}

/// Names of the sides beside the ends of their lines, apart from each other.
fn ends(canvas: &Canvas<'_>, up: &dyn Fn(f64) -> f64, sides: &[Side]) -> Drawn {
    let end = |side: &Side| {
        let last = side.middle.last()?.last()?;
        Some(up(last.1) + 4.0)
    };
    let mut rows: Vec<(f64, &Side)> = sides
        .iter()
        .filter_map(|side| Some((end(side)?, side)))
        .collect();
    if let [(first, _), (second, _)] = &mut rows[..] {
        const APART: f64 = 18.0;
        let missing = APART - (*first - *second).abs();
        if missing > 0.0 {
            let sign = if first <= second { -1.0 } else { 1.0 };
            *first += sign * missing / 2.0;
            *second -= sign * missing / 2.0;
        }
    }
    for (row, side) in rows {
        let (ink, name) = if side.baseline {
            (Ink::BaselineLabel, "baseline")
        } else {
            (Ink::CanaryLabel, "canary")
        };
        let row = row.clamp(FRAME.top + 6.0, FRAME.bottom + 2.0);
        canvas.text(ink, Anchor::Start, (FRAME.right + 6.0, row), name)?;
    }
    Ok(())
}

fn caption(sides: &[Side], range: Range) -> String {
    let longest = sides.iter().map(|side| side.points).max().unwrap_or(0);
    let block = sides.iter().map(|side| side.block).max().unwrap_or(1);
    let middle = if range.heavy { "medians" } else { "means" };
    let mut caption = if longest > ENVELOPE_FROM {
        format!("areas from the least to the most, lines are {block}-point {middle}")
    } else if block == 1 {
        "one mark a point".to_owned()
    } else {
        format!("one mark a point, lines are {block}-point {middle}")
    };
    if range.heavy {
        caption.push_str(", logarithmic");
    }
    if sides.iter().any(|side| side.present < side.points) {
        caption.push_str("; marks below the axis are missing points");
    }
    caption
}
