//! What is known of the time before the canary.

use std::collections::BTreeMap;

use coalmine_judges::series::Series;

/// One series of the live cluster before the canary, from which its natural variation can be learned.
#[derive(Debug, Clone, PartialEq)]
pub struct HistorySeries {
    /// The metric's name.
    pub name: String,
    /// What tells it from others of the same metric.
    pub tags: BTreeMap<String, String>,
    /// The points.
    pub series: Series,
}
