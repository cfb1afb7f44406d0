//! Gauges: whether the level, the extremes or the spread moved.

use super::align::Aligned;
use super::bounds::bounds;
use super::examined::{Examined, Tested};
use super::history::{Noise, median_spread};
use super::level::{Between, Dependence, Level, Uncertain};
use super::result::{
    Basis, ChangeEstimate, ChangeScale, EvidenceReason, Limits, Pairing, TestKind, TestOutcome,
};
use super::warm_up;
use crate::config::MetricSpec;
use crate::config::evidence::MetricKind;
use crate::stats::autocorrelation::inflation;
use crate::stats::pitman_morgan;
use crate::stats::quantile::quantile_r7;
use crate::stats::signs;

/// The equivalence test is made at 5 % in each direction, the convention of bioequivalence (TOST, Schuirmann 1987): its interval has
/// 90 % confidence.
pub(crate) const EQUIVALENCE_TAIL: f64 = 0.05;

/// Without history fewer effective points than this carry no verdict: the estimate of their dependence is worth too little.
const FEWEST_EFFECTIVE: f64 = 8.0;

/// Shares of the metric's error level. Extremes get a fifth: nine leading points of one sign in 60 have a chance of 2·2⁻⁹, which a
/// fifth of 2 % just admits. The test of spread is sharp and needs no more than a tenth; the level keeps the rest.
const TAIL_SHARE: f64 = 0.2;
const SPREAD_SHARE: f64 = 0.1;

/// What the dependence of neighbouring steps does to the variance of their rank correlation.
const STEPS_OF_NOISE: f64 = 1.5;

/// A spread counts when it is half as large again, or two thirds.
const SPREAD_TOLERANCE: f64 = 1.5;
/// Extremes count when they are more than this share of the points.
const TAIL_TOLERANCE: f64 = 0.03;

/// Share of the history's differences that are extreme, both signs together.
const EXTREME: f64 = 0.01;

/// From this autocorrelation of the history on a level carries on from point to point: it is a state.
pub(crate) const STATE: f64 = 0.95;

/// What a gauge is examined with.
pub(crate) struct Around<'a> {
    pub(crate) spec: &'a MetricSpec,
    pub(crate) declared: bool,
    pub(crate) noise: Option<&'a Noise>,
    pub(crate) between: Between,
    pub(crate) calibrated_inflation: Option<f64>,
}

/// The scale on which a gauge is compared: ratios where every point is above zero.
pub(crate) fn scale_of(aligned: &Aligned) -> ChangeScale {
    let mut all = aligned.baseline.iter().chain(&aligned.canary);
    if all.all(|value| *value > 0.0) {
        ChangeScale::Ratio
    } else {
        ChangeScale::Difference
    }
}

/// The values on the scale of the comparison, and what one unit of it is in the metric's unit (1 for ratios).
pub(crate) struct Scaled {
    pub(crate) baseline: Vec<f64>,
    pub(crate) canary: Vec<f64>,
    /// Canary less baseline where paired, else empty.
    pub(crate) differences: Vec<f64>,
    pub(crate) unit: f64,
}

/// Logarithms for ratios; for differences, units of the spread of all points. Rounded to multiples of 2⁻³⁶, so that values which
/// are equal but for the rounding of their unit stay equal.
pub(crate) fn scaled(aligned: &Aligned, scale: ChangeScale) -> Scaled {
    let snap = |value: f64| {
        const GRID: f64 = 68_719_476_736.0;
        (value * GRID).round() / GRID
    };
    match scale {
        ChangeScale::Ratio => {
            let logs = |values: &[f64]| values.iter().map(|v| snap(v.ln())).collect::<Vec<f64>>();
            let pairs = aligned.canary.iter().zip(&aligned.baseline);
            let differences = if aligned.pairing == Pairing::None {
                Vec::new()
            } else {
                pairs.map(|(c, b)| snap(log_ratio(*c, *b))).collect()
            };
            Scaled {
                baseline: logs(&aligned.baseline),
                canary: logs(&aligned.canary),
                differences,
                unit: 1.0,
            }
        }
        ChangeScale::Difference => {
            let unit = unit(aligned);
            let inverse =
                |values: &[f64]| values.iter().map(|v| snap(v / unit)).collect::<Vec<f64>>();
            let pairs = aligned.canary.iter().zip(&aligned.baseline);
            let differences = if aligned.pairing == Pairing::None {
                Vec::new()
            } else {
                pairs.map(|(c, b)| snap((c - b) / unit)).collect()
            };
            Scaled {
                baseline: inverse(&aligned.baseline),
                canary: inverse(&aligned.canary),
                differences,
                unit,
            }
        }
    }
}

/// ln(c/b) without overflow or underflow of the quotient.
fn log_ratio(c: f64, b: f64) -> f64 {
    let quotient = c / b;
    if quotient.is_normal() {
        quotient.ln()
    } else {
        c.ln() - b.ln()
    }
}

/// The interquartile range of all points, or their largest magnitude where it is zero; 1 where all are zero.
fn unit(aligned: &Aligned) -> f64 {
    let mut all: Vec<f64> = aligned
        .baseline
        .iter()
        .chain(&aligned.canary)
        .copied()
        .collect();
    all.sort_unstable_by(f64::total_cmp);
    let range = quantile_r7(&all, 0.75) - quantile_r7(&all, 0.25);
    let largest = all
        .iter()
        .fold(0.0_f64, |largest, value| largest.max(value.abs()));
    // A range below the resolution of the largest value is none.
    let fits = |size: &f64| *size > 1e-12 * largest && *size > 0.0 && size.is_finite();
    [range, largest].into_iter().find(fits).unwrap_or(1.0)
}

/// What the baseline's level is taken for when shares of it are turned into differences: its median magnitude, or twice its
/// interquartile range where that is more (a signed level may lie anywhere about zero).
fn magnitude(baseline: &[f64]) -> f64 {
    let mut values = baseline.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    let range = quantile_r7(&values, 0.75) - quantile_r7(&values, 0.25);
    quantile_r7(&values, 0.5).abs().max(2.0 * range)
}

/// Examines a gauge. Cost O(n²) up to 128 pairs, O(n log n) above.
pub(crate) fn examine(aligned: Aligned, around: &Around<'_>) -> Option<Examined> {
    let scale = scale_of(&aligned);
    let (aligned, warm) = warm_up::left_out(aligned, scale);
    let values = scaled(&aligned, scale);
    let paired = aligned.pairing != Pairing::None;
    let level = if paired {
        Level::of_pairs(&values.differences)?
    } else {
        Level::of_samples(&values.canary, &values.baseline)?
    };
    let in_window = if paired {
        Dependence::in_window(&[&values.differences])
    } else {
        Dependence::in_window(&[&values.canary, &values.baseline])
    };
    let dependence = dependence(&values, in_window, around);
    let between = Between {
        variance: (around.between.variance.sqrt() / values.unit).powi(2),
        ..around.between
    };
    let uncertain = Uncertain::of(level, dependence, between);
    let (tolerance, margin) = bounds(
        &around.spec.evidence,
        MetricKind::Gauge,
        scale,
        magnitude(&aligned.baseline),
    );
    let inner = |limit: f64| match scale {
        ChangeScale::Ratio => limit.ln(),
        ChangeScale::Difference => limit / values.unit,
    };
    let mut tests = vec![Tested {
        outcome: TestOutcome {
            test: TestKind::Location,
            share: 1.0,
            p_rise: uncertain.p_above(0.0),
            p_fall: uncertain.p_below(0.0),
            estimate: level.estimate,
        },
        large_rise: level.estimate > inner(tolerance.high),
        large_fall: level.estimate < inner(tolerance.low),
    }];
    if paired {
        let tail = tail(
            &values.differences,
            in_window.r,
            around.noise.filter(|_| dependence.basis != Basis::Window),
        );
        tests.push(tail);
    }
    tests.extend(spread(&values, paired));
    tests[0].outcome.share = 1.0 - tests[1..].iter().map(|t| t.outcome.share).sum::<f64>();

    let reach = uncertain.reach(EQUIVALENCE_TAIL);
    let outer = |inner: f64| {
        let value = match scale {
            ChangeScale::Ratio => inner.exp(),
            ChangeScale::Difference => inner * values.unit,
        };
        Some(value).filter(|value| value.is_finite())
    };
    let n = level.points;
    let effective = dependence.effective(n);
    let short = dependence.basis == Basis::Window && effective < FEWEST_EFFECTIVE;
    let obstacle = short.then_some(EvidenceReason::TooDependent {
        effective,
        needed: FEWEST_EFFECTIVE,
    });
    Some(Examined {
        kind: MetricKind::Gauge,
        declared: around.declared,
        scale,
        pairing: aligned.pairing,
        points: aligned.points(),
        warm_up: warm,
        basis: dependence.basis,
        autocorrelation: dependence.r.clamp(-1.0, 1.0),
        inflation: inflation(dependence.r),
        effective,
        instance_std: (around.between.variance > 0.0).then(|| around.between.variance.sqrt()),
        tolerance,
        margin,
        change: ChangeEstimate {
            estimate: outer(level.estimate),
            low: outer(level.estimate - reach),
            high: outer(level.estimate + reach),
            confidence: 1.0 - 2.0 * EQUIVALENCE_TAIL,
        },
        tests,
        width: room(around.spec, margin).map(|room| (reach, inner_room(room, scale, values.unit))),
        uncertain: Some(uncertain),
        step_minutes: aligned.step_minutes,
        obstacle,
        passes: None,
        complement: false,
        signs_only: true,
    })
}

/// The nearer of the limits that count.
fn room(spec: &MetricSpec, margin: Limits) -> Option<Limits> {
    let (rise, fall) = (
        spec.direction.counts_increase(),
        spec.direction.counts_decrease(),
    );
    (rise || fall).then_some(margin)
}

fn inner_room(margin: Limits, scale: ChangeScale, unit: f64) -> f64 {
    match scale {
        ChangeScale::Ratio => margin.high.ln().min(-margin.low.ln()),
        ChangeScale::Difference => margin.high.min(-margin.low) / unit,
    }
}

/// The dependence that is used: the calibration's, the history's where it is about the same noise, else the window's.
fn dependence(values: &Scaled, in_window: Dependence, around: &Around<'_>) -> Dependence {
    if let Some(inflated) = around.calibrated_inflation {
        let r = (inflated - 1.0) / (inflated + 1.0);
        return Dependence::known(r, 1_000, Basis::Calibration);
    }
    let Some(noise) = around.noise else {
        return in_window;
    };
    let known = Dependence::known(noise.r, noise.points, noise.basis);
    let steps = values
        .differences
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs());
    let spreads = (noise.step_spread(), median_spread(steps.collect()));
    let (Some(of_history), Some(of_window)) = spreads else {
        return known;
    };
    let of_window = of_window * values.unit;
    if noise.basis == Basis::History && of_history > OTHER_NOISE * of_window {
        return in_window;
    }
    let alike = of_history < OTHER_NOISE * of_window && of_window < OTHER_NOISE * of_history;
    Dependence {
        point_variance: noise
            .spread()
            .filter(|_| alike)
            .map(|spread| (spread / values.unit).powi(2)),
        ..known
    }
}

/// A single series holds load that both sides share. Where its steps are so much larger than those of the difference, its dependence
/// is that of the load. And where the steps of either are so much larger, the noise is not the same.
const OTHER_NOISE: f64 = 1.25;

/// Whether the extremes came to one side: with history, more points than it lets expect lie beyond its extremes; without, the lead
/// of one sign among the largest differences.
fn tail(differences: &[f64], r: f64, noise: Option<&Noise>) -> Tested {
    let mut ascending = differences.to_vec();
    ascending.sort_unstable_by(f64::total_cmp);
    let middle = quantile_r7(&ascending, 0.5);
    let centred: Vec<f64> = differences.iter().map(|d| d - middle).collect();
    // A weak dependence does not string extremes together.
    let dependence = (2.0 * r).clamp(0.0, 1.0);
    let (mut p_rise, mut p_fall) = (1.0, 1.0);
    let mut excess = 0.0;
    let n = centred.len() as f64;
    if let Some(lead) = signs::lead(&centred, dependence) {
        let p = lead.p_one_sided();
        if lead.positive {
            p_rise = p;
        } else {
            p_fall = p;
        }
        let signed = if lead.positive { 1.0 } else { -1.0 };
        excess = signed * lead.count as f64 / n;
    }
    if let Some(noise) = noise {
        let magnitudes = noise.magnitudes();
        let limit = quantile_r7(&magnitudes, 1.0 - EXTREME);
        let beyond_in_history = magnitudes.iter().filter(|m| **m > limit).count();
        // Half of them to each sign, and one more for what the history may have missed.
        let chance = (beyond_in_history as f64 / 2.0 + 1.0) / (magnitudes.len() as f64 + 1.0);
        let above = clusters(&centred, dependence, |d| d > limit);
        let below = clusters(&centred, dependence, |d| d < -limit);
        let p = |hits: f64| signs::at_least(hits.floor() as usize, centred.len(), chance);
        // Two ways of looking: the better one, twice.
        p_rise = (2.0 * f64::min(p_rise, p(above))).min(1.0);
        p_fall = (2.0 * f64::min(p_fall, p(below))).min(1.0);
        if p_rise.min(p_fall) < 1.0 {
            excess = if above >= below {
                above / n
            } else {
                -below / n
            };
        }
    }
    Tested {
        outcome: TestOutcome {
            test: TestKind::Tail,
            share: TAIL_SHARE,
            p_rise,
            p_fall,
            estimate: excess,
        },
        large_rise: excess > TAIL_TOLERANCE,
        large_fall: excess < -TAIL_TOLERANCE,
    }
}

/// How many values fulfil `is`; one whose neighbour in time does too counts 1 − `dependence`.
fn clusters(values: &[f64], dependence: f64, is: impl Fn(f64) -> bool) -> f64 {
    let (mut credit, mut before) = (0.0, false);
    for value in values {
        let here = is(*value);
        if here {
            credit += if before { 1.0 - dependence } else { 1.0 };
        }
        before = here;
    }
    credit
}

/// Whether one side varies more, by the steps from point to point, in which what both sides share is small. `None` where a side
/// never moves. Where the sides are not paired: the level of ln|Δcanary| − ln|Δbaseline| without steps of zero, `None` where
/// these are more than a fifth.
fn spread(values: &Scaled, paired: bool) -> Option<Tested> {
    let steps = |side: &[f64]| {
        side.windows(2)
            .map(|pair| pair[1] - pair[0])
            .collect::<Vec<f64>>()
    };
    let (canary, baseline) = (steps(&values.canary), steps(&values.baseline));
    let (estimate, p_rise, p_fall) = if paired {
        let found = pitman_morgan::compare(&canary, &baseline, STEPS_OF_NOISE)?;
        let ratio = pitman_morgan::median_ratio(&canary, &baseline)?;
        (ratio.ln(), found.p_more(), found.p_less())
    } else {
        let logs = |steps: &[f64]| {
            let kept: Vec<f64> = steps
                .iter()
                .filter(|s| **s != 0.0)
                .map(|s| s.abs().ln())
                .collect();
            (kept.len() * 5 >= steps.len() * 4).then_some(kept)
        };
        let (canary, baseline) = (logs(&canary)?, logs(&baseline)?);
        let dependence = Dependence::in_window(&[&canary, &baseline]);
        let level = Level::of_samples(&canary, &baseline)?;
        let uncertain = Uncertain::of(level, dependence, Between::default());
        (
            level.estimate,
            uncertain.p_above(0.0),
            uncertain.p_below(0.0),
        )
    };
    let tolerance = SPREAD_TOLERANCE.ln();
    Some(Tested {
        outcome: TestOutcome {
            test: TestKind::Spread,
            share: SPREAD_SHARE,
            p_rise,
            p_fall,
            estimate,
        },
        large_rise: estimate > tolerance,
        large_fall: estimate < -tolerance,
    })
}
