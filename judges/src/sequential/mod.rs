//! Evidence that may be looked at after every point, and acted upon at any of them.
//!
//! Each metric gathers an e-value: a number whose mean is at most 1 while there is no change, at whatever point one stops. Their
//! weighted mean over the canary is one as well, whatever the metrics have to do with one another, so that a healthy canary ever
//! reaches 1/α with a chance of at most α. Nothing here forgets: a point is taken once, and the state that one look hands to the
//! next is plain data.

pub(crate) mod advance;
pub(crate) mod combine;
pub(crate) mod count;
pub(crate) mod gauge;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use count::CountState;
use gauge::GaugeState;

/// The chance that a healthy canary is flagged at any look by evidence over time: half of the canary's 2 %. The other half is
/// for the one look at the end.
pub const ALPHA: f64 = 0.01;

/// What one look hands on to the next. Plain data: it may be written down between looks and read back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceState {
    /// Version of this format.
    pub version: u32,
    /// Looks that were taken.
    pub looks: u32,
    /// Natural logarithm of the largest e-value of the canary that any look found; an alarm stays one.
    pub largest: f64,
    /// What each pair gathered, by its id.
    pub metrics: BTreeMap<String, MetricState>,
    /// The evidence at each look.
    pub line: Vec<EvidencePoint>,
}

impl EvidenceState {
    /// Version of the format that this code reads and writes.
    pub const VERSION: u32 = 1;

    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            version: Self::VERSION,
            looks: 0,
            largest: 0.0,
            metrics: BTreeMap::new(),
            line: Vec::new(),
        }
    }

    /// Whether the canary's evidence ever reached 1/α.
    #[must_use]
    pub fn alarmed(&self) -> bool {
        self.largest >= -ALPHA.ln()
    }
}

impl Default for EvidenceState {
    fn default() -> Self {
        Self::new()
    }
}

/// The canary's evidence at one look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidencePoint {
    /// Number of the look, from 1.
    pub look: u32,
    /// Time of the last point that was seen, in milliseconds since 1970-01-01T00:00:00Z; absent without times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<i64>,
    /// Natural logarithm of the canary's e-value.
    pub log_e: f64,
    /// The same as a score: 100 where there is no evidence against the canary, 0 where it reaches 1/α:
    /// 100·(1 − ln⁺E/ln(1/α)).
    pub score: f64,
}

/// What one pair gathered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricState {
    /// Time of the last point that was taken (its position where no times are known). Later looks take later points only.
    pub until: i64,
    /// Points that were taken.
    pub points: u32,
    /// Natural logarithm of its e-value now.
    pub log_e: f64,
    /// What it is made of.
    pub gathered: Gathered,
}

/// What an e-value is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Gathered {
    /// Of levels.
    Gauge(GaugeState),
    /// Of events.
    Count(CountState),
}
