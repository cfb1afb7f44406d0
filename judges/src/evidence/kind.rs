//! What a metric's points are, where the config does not say it.

use crate::config::evidence::{EvidenceSpec, MetricKind};

/// Counts above this are levels as well: their noise is below a sixth of them, and what counts tell beyond it is little.
const LARGE_COUNT: f64 = 50.0;

/// The kind of a metric and whether the config declares it.
///
/// Detected from all points of both sides: whole numbers that are never negative are counts where one is zero or their median is
/// at most 50; values with a denominator are proportions (counts where they are whole); everything else is a gauge. A state is
/// told from a gauge by its history alone, which the gauge's own examination does. Cost O(n).
#[must_use]
pub fn kind_of(spec: &EvidenceSpec, baseline: &[f64], canary: &[f64]) -> (MetricKind, bool) {
    if let Some(kind) = spec.kind {
        return (kind, true);
    }
    let all = || baseline.iter().chain(canary);
    let whole = all().all(|value| value.fract() == 0.0 && *value >= 0.0);
    if !whole {
        let kind = match spec.denominator {
            Some(_) => MetricKind::Proportion,
            None => MetricKind::Gauge,
        };
        return (kind, false);
    }
    let mut values: Vec<f64> = all().copied().collect();
    let middle = values.len() / 2;
    let small = match values.get(middle) {
        Some(_) => *values.select_nth_unstable_by(middle, f64::total_cmp).1 <= LARGE_COUNT,
        None => true,
    };
    let has_zero = all().any(|value| *value == 0.0);
    if small || has_zero || spec.denominator.is_some() {
        (MetricKind::Count, false)
    } else {
        (MetricKind::Gauge, false)
    }
}
