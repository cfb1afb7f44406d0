//! One look: takes the new points of every pair and says what the evidence now is.

use super::combine::{canary, e_bh};
use super::count::CountState;
use super::gauge::{GaugeState, Reference, WARM_UP};
use super::{ALPHA, EvidencePoint, EvidenceState, Gathered, MetricState};
use crate::config::Direction;
use crate::config::evidence::MetricKind;
use crate::evidence::examined::Examined;
use crate::evidence::metric::{Events, Looked, as_events, levels_of};
use crate::judge::JudgeInput;

/// What one look adds to the judgement.
pub(crate) struct Advanced {
    pub(crate) state: EvidenceState,
    /// Of each pair: whether its evidence is part of what proves a change, and whether it is a rise.
    pub(crate) culprits: Vec<Option<bool>>,
}

/// Takes the points that are new since `carried`. Cost O(new points × log history) and one alignment of each pair.
pub(crate) fn advance(
    input: &JudgeInput<'_>,
    looked: &[Looked],
    carried: Option<&EvidenceState>,
) -> Advanced {
    let mut state = carried
        .filter(|state| state.version == EvidenceState::VERSION)
        .cloned()
        .unwrap_or_default();
    let mut logs = Vec::with_capacity(looked.len());
    let mut rises = Vec::with_capacity(looked.len());
    let mut last = None;
    for (pair, looked) in input.pairs().iter().zip(looked) {
        let before = state.metrics.remove(&pair.set.id);
        let after = match &looked.examined {
            Some(examined) => pair_after(input, pair, examined, before),
            None => before,
        };
        let (log_e, rise) = after.as_ref().map_or((0.0, true), |metric| {
            (
                metric.log_e,
                match &metric.gathered {
                    Gathered::Gauge(gauge) => gauge.sum > 0.0,
                    Gathered::Count(count) => count.rises(),
                },
            )
        });
        logs.push(log_e);
        let complement = looked.examined.as_ref().is_some_and(|e| e.complement);
        rises.push(rise != complement);
        if let Some(metric) = after {
            if pair.set.canary.grid().is_some() {
                last = last.max(Some(metric.until));
            }
            state.metrics.insert(pair.set.id.clone(), metric);
        }
    }
    let specs: Vec<_> = input
        .pairs()
        .iter()
        .zip(&logs)
        .map(|(pair, log)| (pair.spec, *log))
        .collect();
    let log_e = canary(&specs, &input.config().group_weights);
    state.looks += 1;
    state.largest = state.largest.max(log_e);
    state.line.push(EvidencePoint {
        look: state.looks,
        time_ms: last,
        log_e,
        score: score(log_e),
    });
    let culprits = culprits(input, &state, &logs, &rises);
    Advanced { state, culprits }
}

/// 100·(1 − ln⁺E/ln(1/α)), 0 to 100.
fn score(log_e: f64) -> f64 {
    100.0 * (1.0 - (log_e.max(0.0) / -ALPHA.ln()).min(1.0))
}

/// The metrics that e-BH names; and where the canary as a whole is proven without that, the one with the most evidence.
fn culprits(
    input: &JudgeInput<'_>,
    state: &EvidenceState,
    logs: &[f64],
    rises: &[bool],
) -> Vec<Option<bool>> {
    let counted: Vec<usize> = (0..logs.len())
        .filter(|index| !input.pairs()[*index].spec.muted)
        .collect();
    let values: Vec<f64> = counted.iter().map(|index| logs[*index]).collect();
    let mut named: Vec<usize> = e_bh(&values, ALPHA)
        .into_iter()
        .map(|place| counted[place])
        .collect();
    // The false discoveries of e-BH are counted among all canaries only if no metric is named without the canary's alarm.
    if !state.alarmed() {
        named.clear();
    } else if named.is_empty() {
        named.extend(
            counted
                .iter()
                .copied()
                .max_by(|a, b| logs[*a].total_cmp(&logs[*b])),
        );
    }
    let mut culprits = vec![None; logs.len()];
    for index in named {
        culprits[index] = Some(rises[index]);
    }
    culprits
}

fn pair_after(
    input: &JudgeInput<'_>,
    pair: &crate::judge::MetricPair<'_>,
    examined: &Examined,
    before: Option<MetricState>,
) -> Option<MetricState> {
    let direction = if examined.complement {
        pair.spec.direction.mirrored()
    } else {
        pair.spec.direction
    };
    // A kind that was detected otherwise at the first look stays what it was.
    let events = match &before {
        Some(MetricState {
            gathered: Gathered::Count(_),
            ..
        }) => true,
        Some(MetricState {
            gathered: Gathered::Gauge(_),
            ..
        }) => false,
        None => {
            matches!(examined.kind, MetricKind::Count | MetricKind::Proportion)
                && !(examined.kind == MetricKind::Proportion
                    && pair.spec.evidence.denominator.is_none())
        }
    };
    if events {
        count_after(&as_events(input, pair, examined)?, direction, before)
    } else if examined.kind == MetricKind::State {
        before
    } else {
        gauge_after(input, pair, direction, before)
    }
}

fn count_after(
    events: &Events,
    direction: Direction,
    before: Option<MetricState>,
) -> Option<MetricState> {
    let mut metric = before.unwrap_or(MetricState {
        until: i64::MIN,
        points: 0,
        log_e: 0.0,
        gathered: Gathered::Count(CountState::default()),
    });
    let Gathered::Count(count) = &mut metric.gathered else {
        return None;
    };
    for (at, step) in &events.steps {
        if *at > metric.until {
            count.take(step);
            metric.until = *at;
            metric.points += 1;
        }
    }
    metric.log_e = count.log_e(direction);
    Some(metric)
}

/// Without history there is nothing to tell surprise from, and no evidence is gathered.
fn gauge_after(
    input: &JudgeInput<'_>,
    pair: &crate::judge::MetricPair<'_>,
    direction: Direction,
    before: Option<MetricState>,
) -> Option<MetricState> {
    let (levels, noise) = levels_of(input, pair)?;
    let Some(reference) = noise.as_ref().and_then(Reference::of) else {
        return before;
    };
    let mut metric = before.unwrap_or(MetricState {
        until: i64::MIN,
        points: 0,
        log_e: 0.0,
        gathered: Gathered::Gauge(GaugeState::default()),
    });
    let Gathered::Gauge(gauge) = &mut metric.gathered else {
        return None;
    };
    for (at, difference) in &levels.differences {
        if *at > metric.until {
            gauge.take(
                *difference,
                *at,
                levels.step,
                &reference,
                metric.points >= WARM_UP,
            );
            metric.until = *at;
            metric.points += 1;
        }
    }
    metric.log_e = gauge.log_e(direction);
    Some(metric)
}
