//! State gauges: memory, queues, pools. Their level carries on from point to point, so that only its changes are independent.

use super::align::Aligned;
use super::bounds::bounds;
use super::examined::{Examined, Tested};
use super::gauge::{EQUIVALENCE_TAIL, scale_of, scaled};
use super::level::{Between, Dependence, Level, Uncertain};
use super::result::{Basis, ChangeEstimate, ChangeScale, Pairing, TestKind, TestOutcome};
use crate::config::MetricSpec;
use crate::config::evidence::MetricKind;
use crate::stats::autocorrelation::inflation;

/// Examines a state by how much the difference between the sides grew over the window, against the first point: the centre of
/// the steps of the difference, times their number. `None` for fewer than three pairs. Cost as a gauge's.
///
/// What the sides differed in at the start is the instances' own (a cache that was warm) and is not judged.
pub(crate) fn examine(aligned: &Aligned, spec: &MetricSpec, declared: bool) -> Option<Examined> {
    if aligned.pairing == Pairing::None || aligned.points() < 3 {
        return None;
    }
    let scale = scale_of(aligned);
    let values = scaled(aligned, scale);
    let steps: Vec<f64> = values
        .differences
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .collect();
    let count = steps.len() as f64;
    let one = Level::of_pairs(&steps)?;
    let level = Level {
        estimate: one.estimate * count,
        std_error: one.std_error * count,
        points: count,
    };
    let dependence = Dependence::in_window(&[&steps]);
    let uncertain = Uncertain::of(level, dependence, Between::default());
    let first = aligned.baseline.first().copied().unwrap_or(0.0);
    let (tolerance, margin) = bounds(&spec.evidence, MetricKind::State, scale, first);
    let inner = |limit: f64| match scale {
        ChangeScale::Ratio => limit.ln(),
        ChangeScale::Difference => limit / values.unit,
    };
    let outer = |inner: f64| {
        let value = match scale {
            ChangeScale::Ratio => inner.exp(),
            ChangeScale::Difference => inner * values.unit,
        };
        Some(value).filter(|value| value.is_finite())
    };
    let reach = uncertain.reach(EQUIVALENCE_TAIL);
    let room = inner(margin.high).min(-inner(margin.low));
    let inflated = inflation(dependence.r);
    Some(Examined {
        kind: MetricKind::State,
        declared,
        scale,
        pairing: aligned.pairing,
        points: aligned.points(),
        warm_up: 0,
        basis: Basis::Window,
        autocorrelation: dependence.r.clamp(-1.0, 1.0),
        inflation: inflated,
        effective: dependence.effective(count),
        instance_std: None,
        tolerance,
        margin,
        change: ChangeEstimate {
            estimate: outer(level.estimate),
            low: outer(level.estimate - reach),
            high: outer(level.estimate + reach),
            confidence: 1.0 - 2.0 * EQUIVALENCE_TAIL,
        },
        tests: vec![Tested {
            outcome: TestOutcome {
                test: TestKind::Drift,
                share: 1.0,
                p_rise: uncertain.p_above(0.0),
                p_fall: uncertain.p_below(0.0),
                estimate: level.estimate,
            },
            large_rise: level.estimate > inner(tolerance.high),
            large_fall: level.estimate < inner(tolerance.low),
        }],
        width: Some((reach, room)),
        uncertain: Some(uncertain),
        step_minutes: aligned.step_minutes,
        obstacle: None,
        passes: None,
        complement: false,
        signs_only: true,
    })
}
