//! Charts as SVG that takes its colours from the page.
//!
//! Plotters maps and draws; [`svg`] writes what it draws with class names for colours, so that one chart works in light,
//! dark and print. Coordinates are in tenths of a unit. Texts are never measured: each has room for its longest likely form.

mod axis;
mod canvas;
mod distribution;
mod runs;
mod series;
mod shift;
mod svg;

pub(crate) use distribution::distributions;
pub(crate) use series::{SeriesChart, series};
pub(crate) use shift::shift;

use coalmine_judges::series::MetricSetPair;

/// A drawn chart and what its caption says beyond its title.
#[derive(Debug, Clone)]
pub(crate) struct Chart {
    pub(crate) svg: String,
    pub(crate) caption: String,
}

/// What an axis of values must show, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// A tail so heavy that the axis is logarithmic and the middle is a median.
    pub(crate) heavy: bool,
}

/// The largest value may be this many times the median before a tail counts as heavy.
const HEAVY: f64 = 20.0;

/// The range of both sides, finite points only; `None` where there are none.
pub(crate) fn range(set: &MetricSetPair) -> Option<Range> {
    let mut values: Vec<f64> = set
        .baseline
        .present()
        .chain(set.canary.present())
        .filter(|value| value.is_finite())
        .collect();
    if values.is_empty() {
        return None;
    }
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let middle = values.len() / 2;
    let (_, median, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    Some(Range {
        low,
        high,
        heavy: low > 0.0 && high / *median > HEAVY,
    })
}
