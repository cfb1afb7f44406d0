//! What canaries without a change were measured to show: the calibration file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Measured A/A variation of some metrics. Written from many splits of production instances that all run one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Calibration {
    /// Version of this format: [`Calibration::VERSION`].
    pub version: u32,
    /// One entry a metric, or a metric and tags.
    pub metrics: Vec<MetricCalibration>,
}

impl Calibration {
    /// Version of the format that this code reads and writes.
    pub const VERSION: u32 = 1;

    /// The entry for a pair: of those with its name whose tags are all among the pair's, the one with the most tags.
    #[must_use]
    pub fn of(&self, metric: &str, tags: &BTreeMap<String, String>) -> Option<&MetricCalibration> {
        let fits = |entry: &&MetricCalibration| {
            let mut wanted = entry.tags.iter();
            entry.name == metric && wanted.all(|(key, value)| tags.get(key) == Some(value))
        };
        self.metrics
            .iter()
            .filter(fits)
            .max_by_key(|entry| entry.tags.len())
    }
}

/// Measured A/A variation of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetricCalibration {
    /// The metric's name.
    pub name: String,
    /// Only for pairs with these tags; empty: for all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// What the standard deviation below is measured in.
    pub scale: CalibrationScale,
    /// Standard deviation of the level from instance to instance of one version, beyond what the noise within a window explains.
    pub instance_std: f64,
    /// Instances from which it was estimated, less one for each group that was centred: its degrees of freedom, at least 1.
    pub degrees: u32,
    /// Factor by which dependence between the points of a window raises the variance of its level, at least 1; absent where
    /// it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inflation: Option<f64>,
}

/// What a calibrated standard deviation is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CalibrationScale {
    /// Natural logarithms of the level: 0.1 is about 10 %.
    Log,
    /// The metric's own unit.
    Unit,
}
