//! What the evidence judge may be told of one metric. Everything is optional: what is left out is detected or has a default by
//! kind, and the judgement shows what was used.

use serde::{Deserialize, Serialize};

use super::Direction;

/// What the points of a metric are, which decides how they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MetricKind {
    /// A level measured anew at each point: latency, CPU, payload size. Compared by ratio where all points are positive, else
    /// by difference.
    Gauge,
    /// A level that carries on from point to point: memory, queue length, pool size.
    State,
    /// Events in each step: errors, requests, restarts. Whole numbers, never negative.
    Count,
    /// A share of a denominator: errors per request, success rate; in 0 to 1, or in percent.
    Proportion,
}

impl MetricKind {
    /// The word for it, as in configs and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::State => "state",
            Self::Count => "count",
            Self::Proportion => "proportion",
        }
    }
}

/// A size of change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// A share of the baseline's level: 0.1 is a rise to 1.1 times it, or a fall to the 1.1th part. Finite and above zero.
    Ratio(f64),
    /// In the metric's own unit; finite and above zero.
    Absolute(f64),
}

/// A size of change for either direction; what is absent has the default of the metric's kind.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Allowance {
    /// For a rise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub increase: Option<Change>,
    /// For a fall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decrease: Option<Change>,
}

impl Allowance {
    /// The same share of the baseline's level for both directions.
    #[must_use]
    pub fn ratio(share: f64) -> Self {
        Self::both(Change::Ratio(share))
    }

    /// The same size in the metric's unit for both directions.
    #[must_use]
    pub fn absolute(size: f64) -> Self {
        Self::both(Change::Absolute(size))
    }

    fn both(change: Change) -> Self {
        Self {
            increase: Some(change),
            decrease: Some(change),
        }
    }

    /// Rise and fall exchanged.
    #[must_use]
    pub fn mirrored(self) -> Self {
        Self {
            increase: self.decrease,
            decrease: self.increase,
        }
    }
}

/// What the config says of one metric to the evidence judge (`analysisConfigurations.coalmine`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceSpec {
    /// What the points are; detected where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<MetricKind>,
    /// The smallest change worth stopping for: a proven change with a smaller estimate is no High or Low.
    #[serde(default)]
    pub tolerance: Allowance,
    /// The largest change that a Pass may leave possible.
    #[serde(default)]
    pub margin: Allowance,
    /// Name of the metric whose points are the denominators of this one: the pair of that name with equal tags, or its only
    /// pair. Of a proportion these are its trials; of a count, what it is counted per (its traffic).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denominator: Option<String>,
    /// Whether history is left aside although there is some, for instance because it holds an incident.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ignore_history: bool,
}

impl EvidenceSpec {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Direction {
    /// Rise and fall exchanged.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Increase => Self::Decrease,
            Self::Decrease => Self::Increase,
            Self::Either => Self::Either,
        }
    }
}
