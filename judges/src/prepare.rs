//! Preparation of one side: what becomes of missing points and outliers.

use crate::config::{NanStrategy, Outliers};
use crate::judgement::SideSummary;
use crate::series::Series;
use crate::stats::describe;
use crate::stats::outliers::iqr_fences;

/// The points of one side that are judged, in the order in which they were read, and a copy in ascending order.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// In the order of the series; not NaN, but infinite values may be among them.
    pub values: Vec<f64>,
    /// Ascending.
    pub ascending: Vec<f64>,
    /// What was there and what was left out.
    pub summary: SideSummary,
}

impl Prepared {
    /// Whether nothing is left to judge.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether all points are one value; false for no points.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        match (self.ascending.first(), self.ascending.last()) {
            (Some(first), Some(last)) => first == last,
            _ => false,
        }
    }
}

/// Prepares one side. Missing points are left out or become zero; then points outside the interquartile fences are left
/// out, if the config asks for it (fences with reduced sensitivity, see [`iqr_fences`]). Cost O(n log n).
/// Source: Kayenta's `Transforms`; each side on its own, never pooled.
#[must_use]
pub fn prepare(series: &Series, nan_strategy: NanStrategy, outliers: Outliers) -> Prepared {
    let mut values: Vec<f64> = match nan_strategy {
        NanStrategy::Remove => series.present().collect(),
        NanStrategy::Replace => series
            .values()
            .iter()
            .map(|value| value.unwrap_or(0.0))
            .collect(),
    };
    let missing = series.missing();
    let mut ascending = ascending(&values);
    let mut removed = 0;
    if let Outliers::Remove { factor } = outliers {
        let fences = iqr_fences(&ascending, factor.get(), true);
        let before = values.len();
        values.retain(|value| !fences.excludes(*value));
        removed = before - values.len();
        if removed > 0 {
            ascending.retain(|value| !fences.excludes(*value));
        }
    }
    let infinite = values.iter().filter(|value| value.is_infinite()).count();
    let summary = SideSummary {
        points: series.len(),
        missing,
        removed,
        infinite,
        stats: describe::summary(&values),
    };
    Prepared {
        values,
        ascending,
        summary,
    }
}

/// A copy in ascending order.
pub(crate) fn ascending(values: &[f64]) -> Vec<f64> {
    let mut ascending = values.to_vec();
    ascending.sort_unstable_by(f64::total_cmp);
    ascending
}
