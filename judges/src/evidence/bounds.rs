//! Tolerance and margin of a metric: from its config, or by kind.

use super::result::{ChangeScale, Limits};
use crate::config::evidence::{Allowance, Change, EvidenceSpec, MetricKind};

/// Defaults of one kind, as shares of the baseline's level.
struct Defaults {
    tolerance: f64,
    margin: f64,
}

/// Levels: users notice a tenth; a quarter is what an hour of ordinary noise can rule out. Counts: an hour with one event a
/// minute has 60 events a side, whose ratio is known to within a third at best, so a doubling is what it can rule out.
fn defaults(kind: MetricKind) -> Defaults {
    match kind {
        MetricKind::Gauge | MetricKind::State => Defaults {
            tolerance: 0.10,
            margin: 0.25,
        },
        MetricKind::Count | MetricKind::Proportion => Defaults {
            tolerance: 0.25,
            margin: 1.0,
        },
    }
}

/// Tolerance and margin on the metric's change scale. `level` is the baseline's typical magnitude, by which ratios are turned
/// into differences and differences into ratios. A margin that is left out is at least the tolerance.
#[must_use]
pub fn bounds(
    spec: &EvidenceSpec,
    kind: MetricKind,
    scale: ChangeScale,
    level: f64,
) -> (Limits, Limits) {
    let default = defaults(kind);
    let tolerance = limits(spec.tolerance, default.tolerance, scale, level);
    let margin = limits(spec.margin, default.margin, scale, level);
    let widened = Limits {
        low: if spec.margin.decrease.is_none() {
            margin.low.min(tolerance.low)
        } else {
            margin.low
        },
        high: if spec.margin.increase.is_none() {
            margin.high.max(tolerance.high)
        } else {
            margin.high
        },
    };
    (tolerance, widened)
}

fn limits(allowance: Allowance, share: f64, scale: ChangeScale, level: f64) -> Limits {
    let rise = allowance.increase.unwrap_or(Change::Ratio(share));
    let fall = allowance.decrease.unwrap_or(Change::Ratio(share));
    let level = level.abs().max(f64::MIN_POSITIVE);
    match scale {
        ChangeScale::Ratio => {
            let share = |change: Change| match change {
                Change::Ratio(share) => share,
                Change::Absolute(size) => size / level,
            };
            Limits {
                low: 1.0 / (1.0 + share(fall)),
                high: 1.0 + share(rise),
            }
        }
        ChangeScale::Difference => {
            let size = |change: Change, up: bool| match change {
                Change::Ratio(share) if up => level * share,
                Change::Ratio(share) => level * (share / (1.0 + share)),
                Change::Absolute(size) => size,
            };
            Limits {
                low: -size(fall, false),
                high: size(rise, true),
            }
        }
    }
}
