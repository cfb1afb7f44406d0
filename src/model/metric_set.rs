//! Series of one side, as a source returned them.

use std::collections::BTreeMap;

/// One series of one metric and one side. A missing point is `None`; infinite values stay.
///
/// Kayenta calls this a metric set. Times are the source's own, not the request's: `start_ms` is the time of the first
/// point. A source that found nothing returns one set without values that has the scope's own window and step, so that pairing
/// knows how many points are missing.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSet {
    /// The metric's name.
    pub name: String,
    /// What tells it from other series of the same metric.
    pub tags: BTreeMap<String, String>,
    /// Time of the first point, in milliseconds since 1970-01-01T00:00:00Z.
    pub start_ms: i64,
    /// Where the series ends, likewise.
    pub end_ms: i64,
    /// Distance of two points in milliseconds; 0 where it is not known.
    pub step_ms: u64,
    /// The points in order.
    pub values: Vec<Option<f64>>,
    /// Words about it; `query` is the query as sent.
    pub attributes: BTreeMap<String, String>,
}

impl MetricSet {
    /// Name and tags as Kayenta writes them where it looks for the counterpart of a set: `cpu -> {zone:a}`, tags in order.
    #[must_use]
    pub fn key(&self) -> String {
        let tags: Vec<String> = self
            .tags
            .iter()
            .map(|(key, value)| format!("{key}:{value}"))
            .collect();
        format!("{} -> {{{}}}", self.name, tags.join(", "))
    }
}
