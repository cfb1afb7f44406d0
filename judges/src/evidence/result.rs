//! What the evidence judge says of one metric, in numbers.

use serde::{Deserialize, Serialize};

use crate::config::evidence::MetricKind;

/// What a change is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeScale {
    /// Canary over baseline; 1 is no change.
    Ratio,
    /// Canary less baseline, in the metric's unit; 0 is no change.
    Difference,
}

/// How the points of both sides were put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Pairing {
    /// Points of the same time.
    Time,
    /// Points of the same position, since no times are known and both sides are equally long.
    Order,
    /// Not at all: the sides have too few times in common.
    None,
}

/// From what the dependence between neighbouring points was learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Basis {
    /// Differences between replicas in the history.
    ReplicaHistory,
    /// One live series of the history, about its own slow movement.
    History,
    /// The judged points themselves.
    Window,
    /// The calibration file.
    Calibration,
}

/// A test that a metric was put to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TestKind {
    /// Whether the level moved.
    Location,
    /// Whether extreme points came to one side.
    Tail,
    /// Whether the points of one side vary more.
    Spread,
    /// Whether one side has more events.
    Events,
    /// Whether one side has more events in most steps.
    TypicalEvents,
    /// Whether one side has events in more steps.
    Incidence,
    /// Whether the difference grew over the window.
    Drift,
    /// Evidence gathered over all looks.
    Sequential,
}

/// A test and its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestOutcome {
    /// Which one.
    pub test: TestKind,
    /// Its share of the metric's error level, 0 to 1.
    pub share: f64,
    /// Chance of as much by accident, for a rise and for a fall each, before shares.
    pub p_rise: f64,
    /// The same for a fall.
    pub p_fall: f64,
    /// Its own measure of the change, on a scale where 0 is none.
    pub estimate: f64,
}

/// A measured change with an interval, on the metric's change scale. An end may be infinite (`None`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeEstimate {
    /// The change; absent where it is infinite.
    pub estimate: Option<f64>,
    /// Lower end; absent where nothing is ruled out below.
    pub low: Option<f64>,
    /// Upper end; absent where nothing is ruled out above.
    pub high: Option<f64>,
    /// Level of the interval, 0 to 1.
    pub confidence: f64,
}

/// Two limits on the change scale, one on each side of no change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Below no change.
    pub low: f64,
    /// Above no change.
    pub high: f64,
}

/// All that the classification of a metric rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricEvidence {
    /// What the points were taken for.
    pub kind: MetricKind,
    /// Whether the config says so.
    pub declared: bool,
    /// What change is measured in.
    pub scale: ChangeScale,
    /// Whether change, limits and tests are those of the other outcome of a share: failures where most trials succeed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub complement: bool,
    /// How points were put together.
    pub pairing: Pairing,
    /// Points a side (pairs where paired) that were compared.
    pub points: usize,
    /// Leading points left out because the canary was still warming up.
    pub warm_up: usize,
    /// From what dependence was learned.
    pub basis: Basis,
    /// Lag-one autocorrelation that was used.
    pub autocorrelation: f64,
    /// Factor by which it raises the variance of the level.
    pub inflation: f64,
    /// Points, less what dependence takes away.
    pub effective_points: f64,
    /// Standard deviation that instances add to the change (in logarithms where the scale is a ratio); absent where unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_std: Option<f64>,
    /// The smallest change that counts.
    pub tolerance: Limits,
    /// What a Pass must have ruled out.
    pub margin: Limits,
    /// The change, with the interval that a Pass needs inside the margin.
    pub change: ChangeEstimate,
    /// The tests, in the order of their shares.
    pub tests: Vec<TestOutcome>,
    /// Their joint p-value for the directions that count.
    pub p: f64,
    /// The level that `p` had to be at or below, corrected for all metrics.
    pub level: f64,
    /// The smallest rise (ratio or difference) that would have been found four times out of five.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visible_change: Option<f64>,
    /// Points of the same kind still needed until an interval of this width about no change fits into the margin; absent where
    /// it does, or no number of points can do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points_needed: Option<f64>,
    /// The same in minutes, where the points have times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes_needed: Option<f64>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Why the evidence judge classified a metric as it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "finding"
)]
pub enum EvidenceReason {
    /// A change is proven by this test, and it is larger than the tolerance (High, Low).
    Proven {
        /// The test with the smallest p-value.
        test: TestKind,
    },
    /// A change beyond the margin is ruled out (Pass).
    RuledOut,
    /// No events on either side; a rate above this for each point is ruled out (Pass).
    NoEvents {
        /// Events a point.
        rate: f64,
    },
    /// Fewer points than can carry the level (Inconclusive).
    TooFewPoints {
        /// Points that there were.
        found: usize,
        /// Points that are needed.
        needed: usize,
    },
    /// The points depend on one another so much that they count for too few, and there is no history (Inconclusive).
    TooDependent {
        /// Points that they count for.
        effective: f64,
        /// What is needed.
        needed: f64,
    },
    /// Fewer events than can be told apart (Inconclusive).
    TooFewEvents {
        /// Events on both sides together.
        found: f64,
        /// What is needed.
        needed: f64,
    },
    /// The interval reaches beyond the margin (Inconclusive).
    TooWide,
    /// The change may be larger than the margin: the estimate itself is beyond the tolerance, but it is not proven (Inconclusive).
    Suspected,
    /// A change is proven, but it is not shown to be within the margin, nor is its estimate beyond the tolerance (Inconclusive).
    SmallButUnbounded,
    /// The sides did not get the traffic that they should have, so their events cannot be compared (Inconclusive).
    TrafficSplit {
        /// The canary's share of the requests.
        found: f64,
        /// What it should have been.
        expected: f64,
    },
}
