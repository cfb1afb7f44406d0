//! Metric set pairs, as they are written and as they are read.

use std::collections::BTreeMap;

use coalmine_judges::series::{self, Grid, Series};
use serde::{Deserialize, Serialize};

use super::{Double, Scalar};
use crate::model::query::SentQueries;

/// Something that both sides have.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Sides<T> {
    /// The baseline.
    pub control: T,
    /// The canary.
    pub experiment: T,
}

/// A metric set pair as it is written in a pair list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricSetPair {
    /// The metric's name.
    pub name: String,
    /// Names the pair.
    pub id: String,
    /// What tells it from others of the same metric.
    pub tags: BTreeMap<String, String>,
    /// The points of both sides; missing ones are NaN.
    pub values: Sides<Vec<Double>>,
    /// Where the points stand in time, where that is known.
    pub scopes: Scopes,
    /// The queries as sent.
    pub attributes: Sides<BTreeMap<String, String>>,
}

/// Where the points of both sides stand in time, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Scopes {
    /// The baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<MetricSetScope>,
    /// The canary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment: Option<MetricSetScope>,
}

impl MetricSetPair {
    /// Our pair as Kayenta writes it.
    #[must_use]
    pub fn of(set: &series::MetricSetPair, sent: &SentQueries) -> Self {
        let values = |series: &Series| {
            let points = series.values().iter();
            points.map(|v| Double(v.unwrap_or(f64::NAN))).collect()
        };
        let attributes = |query: &Option<String>| {
            let query = query.iter();
            query
                .map(|query| ("query".to_owned(), query.clone()))
                .collect()
        };
        Self {
            name: set.name.clone(),
            id: set.id.clone(),
            tags: set.tags.clone(),
            values: Sides {
                control: values(&set.baseline),
                experiment: values(&set.canary),
            },
            scopes: Scopes {
                control: set.baseline.grid().map(Into::into),
                experiment: set.canary.grid().map(Into::into),
            },
            attributes: Sides {
                control: attributes(&sent.baseline),
                experiment: attributes(&sent.canary),
            },
        }
    }
}

/// Where the points of one side stand in time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricSetScope {
    /// Time of the first point, RFC 3339.
    pub start_time_iso: String,
    /// The same, in milliseconds since 1970-01-01T00:00:00Z.
    pub start_time_millis: i64,
    /// Distance of two points in milliseconds.
    pub step_millis: u64,
}

impl From<Grid> for MetricSetScope {
    fn from(grid: Grid) -> Self {
        Self {
            start_time_iso: jiff::Timestamp::from_millisecond(grid.start_ms)
                .map(|time| time.to_string())
                .unwrap_or_default(),
            start_time_millis: grid.start_ms,
            step_millis: grid.step_ms,
        }
    }
}

/// A metric set pair as it is read: everything that can be absent is optional, unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ReadPair {
    /// The metric's name; the one field that is needed beside the values.
    pub name: Option<String>,
    /// Names the pair.
    pub id: Option<String>,
    /// What tells it from others of the same metric.
    pub tags: Option<BTreeMap<String, Option<String>>>,
    /// The points of both sides.
    pub values: Option<ReadSides<Vec<Scalar>>>,
    /// Where the points stand in time.
    pub scopes: Option<ReadSides<ReadScope>>,
    /// What is known of the queries.
    pub attributes: Option<ReadSides<BTreeMap<String, serde_json::Value>>>,
}

/// Something that both sides may have.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ReadSides<T> {
    /// The baseline.
    #[serde(default = "none")]
    pub control: Option<T>,
    /// The canary.
    #[serde(default = "none")]
    pub experiment: Option<T>,
}

fn none<T>() -> Option<T> {
    None
}

/// Where the points of one side stand in time, as it is read.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReadScope {
    /// Time of the first point, RFC 3339.
    pub start_time_iso: Option<String>,
    /// The same, in milliseconds since 1970-01-01T00:00:00Z; wins over the text.
    pub start_time_millis: Scalar,
    /// Distance of two points in milliseconds.
    pub step_millis: Scalar,
}
