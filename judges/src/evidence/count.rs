//! Counts and proportions: whether the canary has more than its share of the events.

use super::align::Aligned;
use super::bounds::bounds;
use super::examined::{Examined, Tested};
use super::gauge::EQUIVALENCE_TAIL;
use super::level::{Between, Dependence, Level, Uncertain};
use super::result::{
    Basis, ChangeEstimate, ChangeScale, EvidenceReason, Pairing, TestKind, TestOutcome,
};
use crate::config::MetricSpec;
use crate::config::evidence::MetricKind;
use crate::stats::describe;
use crate::stats::event_share::{EventShare, Step};
use crate::stats::signs;

/// Shares of the metric's error level.
const EVENTS_SHARE: f64 = 0.6;
const TYPICAL_SHARE: f64 = 0.25;
const INCIDENCE_SHARE: f64 = 0.15;

/// With fewer events even all of them on one side prove nothing at 2 %, two directions and a share of 0.4: 2·2⁻⁸ > 0.008.
const FEWEST_EVENTS: f64 = 9.0;
/// A dispersion that was estimated from fewer steps with events is no estimate.
const FEWEST_STEPS: usize = 10;

/// Examines events. `share` is the canary's share of the traffic; a denominator, where there is one, stands in for it point by
/// point. Cost O(n²) up to 128 points, O(n log n) above.
pub(crate) fn examine(
    aligned: &Aligned,
    spec: &MetricSpec,
    kind: (MetricKind, bool),
    share: f64,
) -> Option<Examined> {
    let steps = steps(aligned, share);
    let points = aligned.points();
    let (tolerance, margin) = bounds(&spec.evidence, kind.0, ChangeScale::Ratio, level(aligned));
    let mut examined = Examined {
        kind: kind.0,
        declared: kind.1,
        scale: ChangeScale::Ratio,
        pairing: aligned.pairing,
        points,
        warm_up: 0,
        basis: Basis::Window,
        autocorrelation: 0.0,
        inflation: 1.0,
        effective: points as f64,
        instance_std: None,
        tolerance,
        margin,
        change: ChangeEstimate {
            estimate: None,
            low: None,
            high: None,
            confidence: 1.0 - 2.0 * EQUIVALENCE_TAIL,
        },
        tests: Vec::new(),
        width: None,
        uncertain: None,
        step_minutes: aligned.step_minutes,
        obstacle: None,
        passes: None,
        complement: false,
        signs_only: false,
    };
    let Some(events) = EventShare::of(&steps).map(|events| spread_of_sides(events, aligned)) else {
        // The rule of three at 95 %: no event in n points leaves room for −ln(0.05)/n a point.
        let rate = -EQUIVALENCE_TAIL.ln() / points.max(1) as f64;
        examined.passes = Some(EvidenceReason::NoEvents { rate });
        return (points > 0).then_some(examined);
    };
    let (estimate, low, high) = events.ratio(EQUIVALENCE_TAIL);
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    examined.change.estimate = finite(estimate);
    examined.change.low = finite(low);
    examined.change.high = finite(high);
    let large = (estimate > tolerance.high, estimate < tolerance.low);
    let total = events.canary + events.baseline;
    if events.steps >= FEWEST_STEPS || events.dispersion <= 1.0 {
        examined.tests.push(Tested {
            outcome: TestOutcome {
                test: TestKind::Events,
                share: EVENTS_SHARE,
                p_rise: events.p_more(),
                p_fall: events.p_fewer(),
                estimate: events.distance(),
            },
            large_rise: large.0,
            large_fall: large.1,
        });
    }
    if aligned.pairing != Pairing::None {
        examined.tests.extend(typical(&steps, large));
        examined.tests.extend(incidence(&steps, large));
    }
    let given: f64 = examined.tests.iter().map(|t| t.outcome.share).sum();
    for tested in &mut examined.tests {
        tested.outcome.share /= given;
    }
    if total < FEWEST_EVENTS {
        examined.obstacle = Some(EvidenceReason::TooFewEvents {
            found: total,
            needed: FEWEST_EVENTS,
        });
    }
    let half = 1.645
        * (events.dispersion * (1.0 / (events.canary + 0.5) + 1.0 / (events.baseline + 0.5)))
            .sqrt();
    examined.width = Some((half, margin.high.ln().min(-margin.low.ln())));
    Some(examined)
}

/// Events and exposure of each step; unpaired sides are one step.
pub(crate) fn steps(aligned: &Aligned, share: f64) -> Vec<Step> {
    if aligned.pairing == Pairing::None {
        let (n, m) = (aligned.canary.len() as f64, aligned.baseline.len() as f64);
        let exposure = n * share / (n * share + m * (1.0 - share));
        return vec![Step {
            canary: aligned.canary.iter().sum(),
            baseline: aligned.baseline.iter().sum(),
            share: exposure,
        }];
    }
    let pairs = aligned.canary.iter().zip(&aligned.baseline).enumerate();
    pairs
        .map(|(index, (canary, baseline))| {
            let share = match aligned.exposure.get(index) {
                Some((below_baseline, below_canary)) => {
                    below_canary / (below_baseline + below_canary)
                }
                None => share,
            };
            // Without exposure on a side there is nothing to share; such a step counts as one without events.
            let shared = share > 0.0 && share < 1.0;
            let events = |value: f64| if shared { value.max(0.0) } else { 0.0 };
            Step {
                canary: events(*canary),
                baseline: events(*baseline),
                share: if shared { share } else { 0.5 },
            }
        })
        .collect()
}

/// Sides that are not paired are one step, which shows no dispersion; that of the points within each side stands in for it
/// (variance over mean, Fano 1947), shared load and all.
fn spread_of_sides(events: EventShare, aligned: &Aligned) -> EventShare {
    if aligned.pairing != Pairing::None {
        return events;
    }
    let fano = |values: &[f64]| {
        let mean = describe::mean(values);
        if mean > 0.0 {
            describe::variance(values, mean) / mean
        } else {
            0.0
        }
    };
    let (canary, baseline) = (&aligned.canary, &aligned.baseline);
    EventShare {
        dispersion: fano(canary).max(fano(baseline)).max(1.0),
        steps: (canary.len() + baseline.len()).saturating_sub(1),
        ..events
    }
}

/// Whether most steps have more events on one side: the level of canary/share − baseline/(1 − share), by signed ranks.
fn typical(steps: &[Step], large: (bool, bool)) -> Option<Tested> {
    let differences: Vec<f64> = steps
        .iter()
        .filter(|step| step.canary + step.baseline > 0.0)
        .map(|step| {
            // Square roots of rates: their noise does not grow with the rate.
            (step.canary / step.share).sqrt() - (step.baseline / (1.0 - step.share)).sqrt()
        })
        .collect();
    if differences.len() < FEWEST_STEPS {
        return None;
    }
    let level = Level::of_pairs(&differences)?;
    if level.std_error <= 0.0 {
        return None;
    }
    let dependence = Dependence::in_window(&[&differences]);
    let uncertain = Uncertain::of(level, dependence, Between::default());
    Some(Tested {
        outcome: TestOutcome {
            test: TestKind::TypicalEvents,
            share: TYPICAL_SHARE,
            p_rise: uncertain.p_above(0.0),
            p_fall: uncertain.p_below(0.0),
            estimate: level.estimate,
        },
        large_rise: large.0,
        large_fall: large.1,
    })
}

/// Whether one side has events in more steps than the other: McNemar's exact test on the steps in which only one has. Only where
/// both have the same exposure.
fn incidence(steps: &[Step], large: (bool, bool)) -> Option<Tested> {
    let even = |step: &Step| (step.share - 0.5).abs() < 1e-9;
    if !steps.iter().all(even) {
        return None;
    }
    let only_canary = steps
        .iter()
        .filter(|s| s.canary > 0.0 && s.baseline == 0.0)
        .count();
    let only_baseline = steps
        .iter()
        .filter(|s| s.baseline > 0.0 && s.canary == 0.0)
        .count();
    Some(Tested {
        outcome: TestOutcome {
            test: TestKind::Incidence,
            share: INCIDENCE_SHARE,
            p_rise: signs::coin_at_least(only_canary, only_baseline),
            p_fall: signs::coin_at_least(only_baseline, only_canary),
            estimate: (only_canary as f64 - only_baseline as f64) / steps.len() as f64,
        },
        large_rise: large.0,
        large_fall: large.1,
    })
}

/// Events a point of the baseline, for limits in absolute numbers.
fn level(aligned: &Aligned) -> f64 {
    aligned.baseline.iter().sum::<f64>() / aligned.baseline.len().max(1) as f64
}
