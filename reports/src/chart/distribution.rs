//! Both distributions on one scale: density, box, and a tick for each point.

use coalmine_judges::series::{MetricSetPair, Series};
use coalmine_judges::stats::quantile::quantile_r7;

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Drawn, Frame};
use super::svg::{Ink, Svg};
use super::{Chart, Range, range};

const WIDTH: u32 = 420;
const HEIGHT: u32 = 190;
const FRAME: Frame = Frame {
    left: 58.0,
    top: 6.0,
    right: 410.0,
    bottom: 158.0,
};
/// Foot of the densities, and the rows of the boxes.
const DENSITY_FOOT: f64 = 92.0;
const BASELINE_ROW: f64 = 106.0;
const CANARY_ROW: f64 = 136.0;
/// Cells into which points are counted before they are smoothed.
const CELLS: usize = 256;
/// More ticks than this on a side are thinned.
const TICKS: usize = 1000;
/// Fewer points have no density.
const DENSITY_FROM: usize = 5;

/// Draws both distributions; `None` where neither side has a finite point.
pub(crate) fn distributions(set: &MetricSetPair, label: &str) -> Result<Option<Chart>, String> {
    let Some(range) = range(set) else {
        return Ok(None);
    };
    let axis = Axis::values(roomy(range), 4);
    let sides = [Side::of(&set.baseline, &axis), Side::of(&set.canary, &axis)];
    let mut svg = String::new();
    draw(
        &Canvas::new(Svg::new(&mut svg, WIDTH, HEIGHT, label)),
        &axis,
        &sides,
    )
    .map_err(|error| error.to_string())?;
    let mut caption = if sides.iter().any(|side| !side.density.is_empty()) {
        "density, box at 5, 25, 50, 75, 95%".to_owned()
    } else {
        "box at 5, 25, 50, 75, 95%".to_owned()
    };
    let thinned = sides.iter().any(|side| side.thinned);
    caption.push_str(if thinned {
        ", ticks for every few points"
    } else {
        ", one tick a point"
    });
    if range.heavy {
        caption.push_str(", logarithmic");
    }
    Ok(Some(Chart { svg, caption }))
}

/// Room for the tails of a density, which reach beyond the points; but not below zero where no point does.
fn roomy(range: Range) -> Range {
    if range.heavy || range.low == range.high {
        return range;
    }
    let room = (range.high * 0.5 - range.low * 0.5) * 0.16;
    let least = if range.low >= 0.0 { 0.0 } else { f64::MIN };
    Range {
        low: (range.low - room).max(least),
        high: (range.high + room).min(f64::MAX),
        heavy: false,
    }
}

/// One side's positions on the axis, 0 to 1.
struct Side {
    /// Height at each cell's middle, such that the area is 1.
    density: Vec<f64>,
    /// At 5, 25, 50, 75 and 95%.
    quantiles: Option<[f64; 5]>,
    ticks: Vec<f64>,
    thinned: bool,
}

impl Side {
    fn of(series: &Series, axis: &Axis) -> Self {
        let mut values: Vec<f64> = series.present().filter(|value| value.is_finite()).collect();
        values.sort_unstable_by(f64::total_cmp);
        let positions: Vec<f64> = values.iter().map(|value| axis.position(*value)).collect();
        let every = positions.len().div_ceil(TICKS).max(1);
        Self {
            density: density(&positions),
            quantiles: (!values.is_empty()).then(|| {
                [0.05, 0.25, 0.5, 0.75, 0.95].map(|p| {
                    let value = quantile_r7(&values, p);
                    axis.position(value)
                })
            }),
            ticks: positions.iter().copied().step_by(every).collect(),
            thinned: every > 1,
        }
    }
}

/// A Gaussian density of ascending positions in 0 to 1, one height a cell; empty for few points. The bandwidth is
/// Silverman's rule, 0.9 · min(s, IQR / 1.34) · n^(−1/5) (Silverman 1986, eq. 3.31), and at least one cell.
fn density(positions: &[f64]) -> Vec<f64> {
    let count = positions.len();
    if count < DENSITY_FROM {
        return Vec::new();
    }
    let cell = 1.0 / CELLS as f64;
    let mean = positions.iter().sum::<f64>() / count as f64;
    let squares: f64 = positions
        .iter()
        .map(|position| (position - mean).powi(2))
        .sum();
    let deviation = (squares / (count - 1) as f64).sqrt();
    let quartiles = quantile_r7(positions, 0.75) - quantile_r7(positions, 0.25);
    let spread = if quartiles > 0.0 {
        deviation.min(quartiles / 1.34)
    } else {
        deviation
    };
    let bandwidth = (0.9 * spread * (count as f64).powf(-0.2)).max(cell);
    let mut counts = [0_u32; CELLS];
    for position in positions {
        let index = ((position * CELLS as f64) as usize).min(CELLS - 1);
        counts[index] += 1;
    }
    let reach = (3.5 * bandwidth / cell).ceil() as usize;
    let kernel: Vec<f64> = (0..=reach)
        .map(|distance| (-0.5 * (distance as f64 * cell / bandwidth).powi(2)).exp())
        .collect();
    let mut heights = vec![0.0; CELLS];
    for (index, number) in counts.iter().enumerate().filter(|(_, number)| **number > 0) {
        let from = index.saturating_sub(reach);
        let to = (index + reach).min(CELLS - 1);
        for (at, height) in heights.iter_mut().enumerate().take(to + 1).skip(from) {
            *height += f64::from(*number) * kernel[at.abs_diff(index)];
        }
    }
    let total: f64 = heights.iter().sum::<f64>() * cell;
    heights.iter_mut().for_each(|height| *height /= total);
    heights
}

fn draw(canvas: &Canvas<'_>, axis: &Axis, sides: &[Side; 2]) -> Drawn {
    let across = |position: f64| FRAME.left + position * (FRAME.right - FRAME.left);
    for (tick, _) in &axis.ticks {
        let at = across(axis.position(*tick));
        canvas.line(Ink::Grid, [(at, FRAME.top), (at, FRAME.bottom)])?;
    }
    canvas.line(
        Ink::Axis,
        [(FRAME.left, FRAME.bottom), (FRAME.right, FRAME.bottom)],
    )?;
    for (tick, _) in &axis.ticks {
        let at = across(axis.position(*tick));
        canvas.line(Ink::Axis, [(at, FRAME.bottom), (at, FRAME.bottom + 4.0)])?;
    }
    for (tick, label) in &axis.ticks {
        let at = across(axis.position(*tick));
        canvas.text(
            Ink::Label,
            Anchor::Middle,
            (at, f64::from(HEIGHT) - 14.0),
            label,
        )?;
    }
    let highest = sides
        .iter()
        .flat_map(|side| side.density.iter().copied())
        .fold(0.0, f64::max);
    for (side, [area, outline, ..]) in sides.iter().zip(INKS) {
        outline_density(canvas, side, highest, area, outline, &across)?;
    }
    for ((side, [_, outline, ticks, boxed, label]), (row, name)) in sides
        .iter()
        .zip(INKS)
        .zip([(BASELINE_ROW, "baseline"), (CANARY_ROW, "canary")])
    {
        canvas.text(label, Anchor::End, (FRAME.left - 6.0, row + 4.0), name)?;
        quartile_box(canvas, side, row, boxed, outline, &across)?;
        let mut drawn = f64::NEG_INFINITY;
        for tick in &side.ticks {
            let at = across(*tick);
            if at - drawn >= 0.1 {
                canvas.line(ticks, [(at, row + 9.0), (at, row + 14.0)])?;
                drawn = at;
            }
        }
    }
    Ok(())
}

/// Area, outline, ticks, box and label of each side.
const INKS: [[Ink; 5]; 2] = [
    [
        Ink::BaselineArea,
        Ink::BaselineLine,
        Ink::BaselineTicks,
        Ink::BaselineBox,
        Ink::BaselineLabel,
    ],
    [
        Ink::CanaryArea,
        Ink::CanaryLine,
        Ink::CanaryTicks,
        Ink::CanaryBox,
        Ink::CanaryLabel,
    ],
];

fn outline_density(
    canvas: &Canvas<'_>,
    side: &Side,
    highest: f64,
    area: Ink,
    outline: Ink,
    across: &dyn Fn(f64) -> f64,
) -> Drawn {
    if side.density.is_empty() || highest <= 0.0 {
        return Ok(());
    }
    // Cells so low that they would draw the axis again are left out.
    let visible = |height: &f64| *height / highest > 0.004;
    let first = side.density.iter().position(visible).unwrap_or(0);
    let last = side.density.iter().rposition(visible).unwrap_or(0);
    let middle = |index: usize| across((index as f64 + 0.5) / CELLS as f64);
    let mut points = vec![(middle(first), DENSITY_FOOT)];
    // Every second cell is smooth enough for the eye.
    for (index, height) in side.density.iter().enumerate().take(last + 1).skip(first) {
        if index % 2 == 0 || index == last {
            let up = height / highest * (DENSITY_FOOT - FRAME.top);
            points.push((middle(index), DENSITY_FOOT - up));
        }
    }
    points.push((middle(last), DENSITY_FOOT));
    canvas.area(area, points.clone())?;
    canvas.line(outline, points)
}

fn quartile_box(
    canvas: &Canvas<'_>,
    side: &Side,
    row: f64,
    boxed: Ink,
    outline: Ink,
    across: &dyn Fn(f64) -> f64,
) -> Drawn {
    let Some([p5, p25, p50, p75, p95]) = side.quantiles.map(|quantiles| quantiles.map(across))
    else {
        return canvas.text(
            Ink::Label,
            Anchor::Start,
            (FRAME.left + 4.0, row + 4.0),
            "no points",
        );
    };
    canvas.line(boxed, [(p5, row), (p25, row)])?;
    canvas.line(boxed, [(p75, row), (p95, row)])?;
    canvas.area(
        boxed,
        [
            (p25, row - 5.0),
            (p75, row - 5.0),
            (p75, row + 5.0),
            (p25, row + 5.0),
        ],
    )?;
    canvas.line(outline, [(p50, row - 6.5), (p50, row + 6.5)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_density_has_area_one_and_its_top_where_the_points_are() {
        let positions: Vec<f64> = (0..100)
            .map(|index| 0.4 + 0.001 * f64::from(index))
            .collect();
        let heights = density(&positions);
        let area: f64 = heights.iter().sum::<f64>() / CELLS as f64;
        assert!((area - 1.0).abs() < 1e-9, "{area}");
        let top = heights
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(b.1))
            .map(|(index, _)| index);
        assert!(
            top.is_some_and(|index| (100..130).contains(&index)),
            "{top:?}"
        );
    }

    #[test]
    fn a_constant_has_a_density_and_few_points_have_none() {
        assert!(density(&[0.5; 20]).iter().all(|height| height.is_finite()));
        assert!(density(&[0.1, 0.2, 0.3, 0.4]).is_empty());
    }
}
