//! Time series as they were read, before any preparation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Where the points of a [`Series`] stand in time: point `i` belongs to `start_ms + i * step_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grid {
    /// Time of the first point, in milliseconds since 1970-01-01T00:00:00Z.
    pub start_ms: i64,
    /// Distance between two points in milliseconds; at least 1.
    pub step_ms: u64,
}

impl Grid {
    /// Time of point `index`, in milliseconds since 1970-01-01T00:00:00Z; saturates at the ends of `i64`.
    #[must_use]
    pub fn time_ms(&self, index: usize) -> i64 {
        let offset = i128::from(self.step_ms) * index as i128;
        let time = i128::from(self.start_ms) + offset;
        i64::try_from(time).unwrap_or(i64::MAX)
    }
}

/// One series of equally spaced points. A missing point is `None`: never zero and never NaN.
///
/// Infinite values may stand in it; preparation decides what becomes of them. The grid is absent where the input carried no
/// times (Kayenta's pair lists without scopes): then only the order of the points is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    grid: Option<Grid>,
    values: Vec<Option<f64>>,
}

impl Series {
    /// Makes a series; a NaN among `values` becomes a missing point.
    #[must_use]
    pub fn new(grid: Option<Grid>, values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let values = values
            .into_iter()
            .map(|value| value.filter(|v| !v.is_nan()))
            .collect();
        Self { grid, values }
    }

    /// Makes a series without times from plain numbers; NaN becomes a missing point.
    #[must_use]
    pub fn untimed(values: impl IntoIterator<Item = f64>) -> Self {
        Self::new(None, values.into_iter().map(Some))
    }

    /// Where the points stand in time, if that is known.
    #[must_use]
    pub fn grid(&self) -> Option<Grid> {
        self.grid
    }

    /// All points in order, missing ones as `None`.
    #[must_use]
    pub fn values(&self) -> &[Option<f64>] {
        &self.values
    }

    /// The points that are there, in order; infinite values included.
    pub fn present(&self) -> impl Iterator<Item = f64> + '_ {
        self.values.iter().copied().flatten()
    }

    /// Number of points, missing ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether the series has no points at all, not even missing ones.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Number of missing points.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.values.iter().filter(|value| value.is_none()).count()
    }
}

/// One series of the live version before the canary, from which its natural variation can be learned.
///
/// Several series of one metric whose times overlap are taken for replicas of one another: differences between them are what
/// a baseline and a canary of one version would show. Of a single series only the variation around its own slow movement is used.
#[derive(Debug, Clone, PartialEq)]
pub struct HistorySeries {
    /// The metric's name; joins the series with its [`crate::config::MetricSpec`].
    pub name: String,
    /// What tells it from others of the same metric; need not be the tags of any pair.
    pub tags: BTreeMap<String, String>,
    /// The points.
    pub series: Series,
}

/// One of the two that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// The version now live.
    Baseline,
    /// The new version.
    Canary,
}

/// One instance's share of a pair's side. From these the judge learns how much instances of one version differ.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceSeries {
    /// Id of the [`MetricSetPair`] whose side the instance belongs to.
    pub pair: String,
    /// The side.
    pub side: Side,
    /// Names the instance within its side.
    pub instance: String,
    /// Its points, in the unit of the pair's series.
    pub series: Series,
}

/// One metric's baseline and canary series, as read. Several sets may carry the same name with different tags.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSetPair {
    /// The metric's name; joins the pair with its [`crate::config::MetricSpec`].
    pub name: String,
    /// Names this pair among all pairs of a judgement.
    pub id: String,
    /// What tells this pair from others of the same metric; empty where a metric has one pair.
    pub tags: BTreeMap<String, String>,
    /// The version now live.
    pub baseline: Series,
    /// The new version.
    pub canary: Series,
}
