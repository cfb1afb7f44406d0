//! What the history says of a metric's natural variation.

use std::collections::BTreeMap;

use super::align::usable;
use super::result::{Basis, ChangeScale};
use crate::config::MetricSpec;
use crate::series::HistorySeries;
use crate::stats::autocorrelation::{inflation, lag_one_of_history, without_line};

/// With fewer points the dependence is known no better than from the window itself; the reference's number.
const FEWEST: usize = 180;

/// Length of the stretches in whose midst the history is looked at: two hours of minutes, in which a daily rhythm is a straight
/// line to within 1.4 % while the bias of the estimate is small.
const WINDOW: usize = 120;

/// What a difference between two clusters of one version looks like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Noise {
    /// Lag-one autocorrelation.
    pub(crate) r: f64,
    /// Points from which it was estimated.
    pub(crate) points: usize,
    pub(crate) basis: Basis,
    /// Differences about their slow movement, in time order; of a single series, differences between its two halves.
    pub(crate) differences: Vec<Option<f64>>,
}

/// The noise that the history of a pair shows; `None` where it is too short. Of the series of the metric those are taken whose
/// tags hold the pair's tags, or all where none do. Cost O(n log n).
pub(crate) fn noise<'a>(
    history: impl Iterator<Item = &'a HistorySeries>,
    spec: &MetricSpec,
    tags: &BTreeMap<String, String>,
    scale: ChangeScale,
) -> Option<Noise> {
    if spec.evidence.ignore_history {
        return None;
    }
    let all: Vec<&HistorySeries> = history.collect();
    let fits = |past: &&&HistorySeries| {
        tags.iter()
            .all(|(key, value)| past.tags.get(key) == Some(value))
    };
    let fitting: Vec<&HistorySeries> = all.iter().filter(fits).copied().collect();
    let chosen = if fitting.is_empty() { all } else { fitting };
    replicas(&chosen, spec, scale).or_else(|| {
        let longest = chosen
            .iter()
            .max_by_key(|past| past.series.len() - past.series.missing())?;
        single(&scaled(longest, spec, scale))
    })
}

fn scaled(past: &HistorySeries, spec: &MetricSpec, scale: ChangeScale) -> Vec<Option<f64>> {
    let values = usable(&past.series, spec, false);
    match scale {
        ChangeScale::Ratio => values
            .into_iter()
            .map(|value| value.filter(|v| *v > 0.0).map(f64::ln))
            .collect(),
        ChangeScale::Difference => values,
    }
}

/// Differences between the first and second, third and fourth series that share their times, one after the other.
fn replicas(chosen: &[&HistorySeries], spec: &MetricSpec, scale: ChangeScale) -> Option<Noise> {
    let mut differences: Vec<Option<f64>> = Vec::new();
    for pair in chosen.chunks_exact(2) {
        let [a, b] = pair else { continue };
        let (Some(first), Some(second)) = (a.series.grid(), b.series.grid()) else {
            continue;
        };
        if first != second {
            continue;
        }
        let (a, b) = (scaled(a, spec, scale), scaled(b, spec, scale));
        differences.extend(a.iter().zip(&b).map(|(a, b)| Some((*a)? - (*b)?)));
        differences.push(None);
    }
    let (r, points) = lag_one_of_history(&differences, WINDOW)?;
    (points >= FEWEST).then(|| Noise {
        r,
        points,
        basis: Basis::ReplicaHistory,
        differences: detrended(&differences),
    })
}

fn single(values: &[Option<f64>]) -> Option<Noise> {
    let (r, points) = lag_one_of_history(values, WINDOW)?;
    if points < FEWEST {
        return None;
    }
    let residuals = detrended(values);
    let half = residuals.len() / 2;
    let differences = residuals[..half]
        .iter()
        .zip(&residuals[half..])
        .map(|(a, b)| Some((*b)? - (*a)?))
        .collect();
    Some(Noise {
        r,
        points,
        basis: Basis::History,
        differences,
    })
}

fn detrended(values: &[Option<f64>]) -> Vec<Option<f64>> {
    values.chunks(WINDOW).flat_map(without_line).collect()
}

impl Noise {
    /// Standard deviation of the step from one difference to the next, from the median of its magnitude: what tells whether
    /// the history is about the same noise as the window. `None` without neighbours.
    pub(crate) fn step_spread(&self) -> Option<f64> {
        let steps = self.differences.windows(2).filter_map(|pair| match pair {
            [Some(a), Some(b)] => Some((b - a).abs()),
            _ => None,
        });
        median_spread(steps.collect())
    }

    /// Standard deviation of a difference, from the median of its magnitude, with what the lines that were taken out took with
    /// them: about twice the variance of a mean of [`WINDOW`] points.
    pub(crate) fn spread(&self) -> Option<f64> {
        let left = (1.0 - 2.0 * inflation(self.r) / WINDOW as f64).max(0.3);
        let spread = median_spread(self.differences.iter().flatten().map(|d| d.abs()).collect())?;
        Some(spread / left.sqrt())
    }

    /// Magnitudes of all differences, ascending.
    pub(crate) fn magnitudes(&self) -> Vec<f64> {
        let mut magnitudes: Vec<f64> = self.differences.iter().flatten().map(|d| d.abs()).collect();
        magnitudes.sort_unstable_by(f64::total_cmp);
        magnitudes
    }
}

/// The standard deviation of normal values whose magnitudes these are: 1.4826 times their median. `None` for none.
pub(crate) fn median_spread(mut magnitudes: Vec<f64>) -> Option<f64> {
    if magnitudes.is_empty() {
        return None;
    }
    let middle = magnitudes.len() / 2;
    let (_, median, _) = magnitudes.select_nth_unstable_by(middle, f64::total_cmp);
    Some(1.4826 * *median)
}
