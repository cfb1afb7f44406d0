//! The shift with its interval, in the metric's unit, against the tolerance.

use coalmine_judges::judgement::MetricResult;

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Drawn, Frame};
use super::svg::{Ink, Svg};
use super::{Chart, Range};
use crate::effect::{Effect, Tolerance};
use crate::format::Signs;
use crate::metric::Kind;

const WIDTH: u32 = 600;
const HEIGHT: u32 = 86;
const FRAME: Frame = Frame {
    left: 14.0,
    top: 6.0,
    right: 586.0,
    bottom: 58.0,
};

/// Draws the shift; `None` where nothing was compared.
pub(crate) fn shift(result: &MetricResult, label: &str) -> Result<Option<Chart>, String> {
    let Some(effect) = Effect::of(result) else {
        return Ok(None);
    };
    let mean = result
        .baseline
        .stats
        .mean
        .filter(|mean| mean.is_finite() && *mean != 0.0);
    // The tolerance is a share of the baseline's mean; where that is negative, a rise is still to the right.
    let band = Tolerance::of(&result.spec)
        .band()
        .zip(mean)
        .map(|((low, high), mean)| {
            (
                low.map(|low| low * mean.abs()),
                high.map(|high| high * mean.abs()),
            )
        });
    let axis = axis(effect, band);
    let mut svg = String::new();
    draw(
        &Canvas::new(Svg::new(&mut svg, WIDTH, HEIGHT, label)),
        &axis,
        effect,
        band,
        Kind::of(result),
    )
    .map_err(|error| error.to_string())?;
    let signs = Signs::PAGE;
    let caption = format!(
        "{} [{}, {}]",
        signs.signed(effect.absolute.estimate),
        signs.signed(effect.absolute.low),
        signs.signed(effect.absolute.high)
    );
    Ok(Some(Chart { svg, caption }))
}

type Band = Option<(Option<f64>, Option<f64>)>;

fn axis(effect: Effect, band: Band) -> Axis {
    let ends = band.map_or([None, None], |(low, high)| [low, high]);
    let shown: Vec<f64> = [
        effect.absolute.low,
        effect.absolute.high,
        effect.absolute.estimate,
        0.0,
    ]
    .into_iter()
    .chain(ends.into_iter().flatten())
    .filter(|value| value.is_finite())
    .collect();
    let low = shown.iter().copied().fold(f64::INFINITY, f64::min);
    let high = shown.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let range = Range {
        low,
        high,
        heavy: false,
    };
    if low == high {
        return Axis::values(range, 5);
    }
    // Zero is a place here like any other, so there is room on both sides of it.
    let room = (high * 0.5 - low * 0.5) * 0.16;
    Axis::linear((low - room).max(f64::MIN), (high + room).min(f64::MAX), 6)
}

fn draw(canvas: &Canvas<'_>, axis: &Axis, effect: Effect, band: Band, kind: Kind) -> Drawn {
    let across = |value: f64| FRAME.left + axis.position(value) * (FRAME.right - FRAME.left);
    if let Some((low, high)) = band {
        let (left, right) = (
            across(low.unwrap_or_else(|| axis.low())),
            across(high.unwrap_or_else(|| axis.high())),
        );
        let (top, bottom) = (FRAME.top + 8.0, FRAME.bottom - 8.0);
        canvas.area(
            Ink::Band,
            [(left, top), (right, top), (right, bottom), (left, bottom)],
        )?;
        for end in [low, high].into_iter().flatten() {
            canvas.line(Ink::Limit, [(across(end), top), (across(end), bottom)])?;
        }
    }
    canvas.line(
        Ink::Axis,
        [(FRAME.left, FRAME.bottom), (FRAME.right, FRAME.bottom)],
    )?;
    for (tick, _) in &axis.ticks {
        canvas.line(
            Ink::Axis,
            [
                (across(*tick), FRAME.bottom),
                (across(*tick), FRAME.bottom + 4.0),
            ],
        )?;
    }
    canvas.line(
        Ink::Zero,
        [(across(0.0), FRAME.top), (across(0.0), FRAME.bottom)],
    )?;
    for (tick, label) in &axis.ticks {
        let label = if *tick > 0.0 {
            format!("+{label}")
        } else {
            label.clone()
        };
        canvas.text(
            Ink::Label,
            Anchor::Middle,
            (across(*tick), f64::from(HEIGHT) - 10.0),
            &label,
        )?;
    }
    let middle = (FRAME.top + FRAME.bottom) / 2.0;
    canvas.line(
        Ink::Interval,
        [
            (across(effect.absolute.low), middle),
            (across(effect.absolute.high), middle),
        ],
    )?;
    mark(canvas, kind, (across(effect.absolute.estimate), middle))
}

/// The mark of a result, as on the shared axis.
fn mark(canvas: &Canvas<'_>, kind: Kind, (x, y): (f64, f64)) -> Drawn {
    match kind {
        Kind::High => canvas.area(
            Ink::Mark,
            [(x, y - 6.2), (x + 6.0, y + 4.6), (x - 6.0, y + 4.6)],
        ),
        Kind::Low => canvas.area(
            Ink::Mark,
            [(x, y + 6.2), (x + 6.0, y - 4.6), (x - 6.0, y - 4.6)],
        ),
        Kind::Pass => canvas.area(Ink::Mark, circle(x, y, 4.6)),
        Kind::Muted => {
            canvas.area(Ink::OpenMark, circle(x, y, 4.6))?;
            canvas.line(Ink::OpenMark, [(x - 3.2, y + 3.2), (x + 3.2, y - 3.2)])
        }
        Kind::NodataFail | Kind::Error | Kind::Inconclusive | Kind::Nodata => canvas.area(
            Ink::OpenMark,
            [(x, y - 5.6), (x + 5.6, y), (x, y + 5.6), (x - 5.6, y)],
        ),
    }
}

/// A circle as a polygon fine enough for its size.
fn circle(x: f64, y: f64, radius: f64) -> Vec<(f64, f64)> {
    (0..20)
        .map(|index| {
            let angle = f64::from(index) * std::f64::consts::TAU / 20.0;
            (x + radius * angle.cos(), y + radius * angle.sin())
        })
        .collect()
}
