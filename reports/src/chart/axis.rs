//! One dimension of a chart: what it shows, where its ticks stand and what they say.

use std::ops::Range as Span;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

use super::Range;
use crate::format::{self, Signs};

/// Where a value stands: straight, or by its logarithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    Linear,
    Log,
}

/// One dimension of a chart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    scale: Scale,
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// For values: from zero where the lowest is not far above it, else with a little room at both ends.
    pub(super) fn values(range: Range, ticks: usize) -> Self {
        let Range { low, high, heavy } = range;
        if heavy {
            return Self::logarithmic(low, high);
        }
        let (low, high) = if low == high {
            let room = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
            (low - room, high + room)
        } else if low >= 0.0 && low <= high * 0.45 {
            (0.0, high + high * 0.04)
        } else {
            // Halves, because the whole span of doubles has no double.
            let room = (high * 0.5 - low * 0.5) * 0.12;
            (low - room, high + room)
        };
        Self::linear(low.max(f64::MIN), high.min(f64::MAX), ticks)
    }

    /// From `low` to `high` as they are.
    pub(super) fn linear(low: f64, high: f64, ticks: usize) -> Self {
        let ticks = nice_ticks(low, high, ticks);
        Self {
            low,
            high,
            scale: Scale::Linear,
            ticks,
        }
    }

    fn logarithmic(low: f64, high: f64) -> Self {
        let (low, high) = (low / 1.15, (high * 1.15).min(f64::MAX));
        let (first, last) = (low.log10().ceil() as i32, high.log10().floor() as i32);
        let every = ((last - first) / 5 + 1).max(1);
        let mut ticks: Vec<f64> = (first..=last)
            .step_by(every.unsigned_abs() as usize)
            .map(|power| 10f64.powi(power))
            .collect();
        if ticks.len() < 2 {
            // Less than two decades: fill in between.
            ticks = (first - 1..=last)
                .flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)))
                .filter(|tick| (low..=high).contains(tick))
                .collect();
        }
        Self {
            low,
            high,
            scale: Scale::Log,
            ticks: ticks
                .into_iter()
                .map(|tick| (tick, Signs::PAGE.value(tick)))
                .collect(),
        }
    }

    /// For times in milliseconds, or for durations since a start; with ticks at round moments.
    pub(super) fn time(start_ms: i64, end_ms: i64, label: impl Fn(i64) -> Option<String>) -> Self {
        let end_ms = end_ms.max(start_ms.saturating_add(1));
        let step = time_step(end_ms.abs_diff(start_ms));
        let mut ticks = Vec::new();
        let mut at = i128::from(start_ms).div_euclid(step) * step;
        if at < i128::from(start_ms) {
            at += step;
        }
        while at <= i128::from(end_ms) {
            if let Some(text) = i64::try_from(at).ok().and_then(&label) {
                ticks.push((at as f64, text));
            }
            at += step;
        }
        Self {
            low: start_ms as f64,
            high: (end_ms as f64).max(f64::from_bits((start_ms as f64).to_bits() + 1)),
            scale: Scale::Linear,
            ticks,
        }
    }

    /// For numbers of points, counted from 1.
    pub(super) fn points(count: usize) -> Self {
        let high = count.max(2) as f64;
        let mut axis = Self::linear(1.0, high, 5);
        axis.ticks
            .retain(|(tick, _)| tick.fract() == 0.0 && *tick >= 1.0);
        for (tick, label) in &mut axis.ticks {
            *label = format::thousands(*tick);
        }
        axis
    }

    pub(super) fn high(&self) -> f64 {
        self.high
    }

    pub(super) fn low(&self) -> f64 {
        self.low
    }

    /// Where a value stands, 0 at the low end and 1 at the high one; cut to that.
    pub(super) fn position(&self, value: f64) -> f64 {
        let position = match self.scale {
            Scale::Linear => (value * 0.5 - self.low * 0.5) / (self.high * 0.5 - self.low * 0.5),
            Scale::Log => {
                if value <= 0.0 {
                    return 0.0;
                }
                (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
            }
        };
        if position.is_nan() {
            0.5
        } else {
            position.clamp(0.0, 1.0)
        }
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let width = f64::from(limit.1) - f64::from(limit.0);
        limit.0 + (self.position(*value) * width).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(tick, _)| *tick).collect()
    }

    fn range(&self) -> Span<f64> {
        self.low..self.high
    }
}

/// Round values between `low` and `high`, about `wanted` of them, with as many digits as their distance needs.
fn nice_ticks(low: f64, high: f64, wanted: usize) -> Vec<(f64, String)> {
    let span = high - low;
    if !span.is_finite() || span < f64::MIN_POSITIVE {
        // No step between them has a double: name the ends, and zero between them.
        return [low, 0.0, high]
            .into_iter()
            .filter(|tick| *tick != 0.0 || (low < 0.0 && high > 0.0))
            .map(|tick| (tick, Signs::PAGE.value(tick)))
            .collect();
    }
    let rough = span / wanted as f64;
    let power = 10f64.powi(rough.log10().floor() as i32);
    let digit = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .find(|digit| digit * power >= rough * 0.999)
        .unwrap_or(10.0);
    let step = digit * power;
    let (first, last) = ((low / step - 1e-6).ceil(), (high / step + 1e-6).floor());
    if !(step.is_normal() && first.is_finite() && last - first < 20.0 && low + step > low) {
        return vec![
            (low, Signs::PAGE.value(low)),
            (high, Signs::PAGE.value(high)),
        ];
    }
    let mut ticks = Vec::new();
    let mut index = first;
    while index <= last {
        // Zero has no sign on an axis.
        let value = if index == 0.0 { 0.0 } else { index * step };
        ticks.push((value, tick_label(value, step, low.abs().max(high.abs()))));
        index += 1.0;
    }
    ticks
}

/// A tick's value, with the digits that tell it from its neighbours and no more.
fn tick_label(value: f64, step: f64, largest: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let decimals_of = |step: f64| {
        let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
        // A step of 2.5 needs one digit more.
        let scaled = step * 10f64.powi(decimals as i32);
        decimals + usize::from((scaled - scaled.round()).abs() > 1e-6)
    };
    let signed = |text: String| {
        if value < 0.0 {
            format!("\u{2212}{text}")
        } else {
            text
        }
    };
    let size = value.abs();
    for (scale, letter) in [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1.0, "")] {
        if largest >= scale && largest < scale * 1e6 && (scale > 1.0 || largest >= 1e-3) {
            let decimals = decimals_of(step / scale);
            if decimals > 6 {
                break;
            }
            let text = if decimals == 0 {
                format::thousands(size / scale)
            } else {
                format!("{:.decimals$}", size / scale)
            };
            return signed(format!("{text}{letter}"));
        }
    }
    if (1e-3..1e6).contains(&largest) {
        let decimals = decimals_of(step);
        if decimals <= 6 {
            return signed(if decimals == 0 {
                format::thousands(size)
            } else {
                format!("{size:.decimals$}")
            });
        }
    }
    let digits = ((size / step).log10().max(0.0) + 1.0).min(6.0) as usize;
    let text = format!("{size:.digits$e}");
    let (number, power) = text.split_once('e').unwrap_or((&text, "0"));
    let number = if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    };
    signed(format!("{number}e{}", power.replace('-', "\u{2212}")))
}

const SECOND: i128 = 1000;
const MINUTE: i128 = 60 * SECOND;
const HOUR: i128 = 60 * MINUTE;
const DAY: i128 = 24 * HOUR;

/// A round step such that a span has five at most.
fn time_step(span_ms: u64) -> i128 {
    let steps = [
        1,
        10,
        100,
        SECOND,
        2 * SECOND,
        5 * SECOND,
        15 * SECOND,
        30 * SECOND,
        MINUTE,
        2 * MINUTE,
        5 * MINUTE,
        10 * MINUTE,
        15 * MINUTE,
        30 * MINUTE,
        HOUR,
        2 * HOUR,
        3 * HOUR,
        6 * HOUR,
        12 * HOUR,
        DAY,
        2 * DAY,
        7 * DAY,
        30 * DAY,
        365 * DAY,
    ];
    let least = i128::from(span_ms).div_euclid(5).max(1);
    steps
        .into_iter()
        .find(|step| *step > least)
        .unwrap_or_else(|| (least / (365 * DAY) + 1) * 365 * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(low: f64, high: f64, expected: &[&str]) {
        let labels: Vec<String> = nice_ticks(low, high, 4)
            .into_iter()
            .map(|(_, label)| label)
            .collect();
        assert_eq!(labels, expected, "{low} to {high}");
    }

    #[test]
    fn ticks_are_round_and_have_the_digits_they_need() {
        check(0.0, 2.3, &["0", "1", "2"]);
        check(
            0.0,
            1.0,
            &["0.00", "0.25", "0.50", "0.75", "1.00"].map(|t| if t == "0.00" { "0" } else { t }),
        );
        check(1400.0, 1640.0, &["1,400", "1,500", "1,600"]);
        check(1.0001, 1.0004, &["1.0001", "1.0002", "1.0003", "1.0004"]);
        check(0.0, 3e9, &["0", "1 G", "2 G", "3 G"]);
        check(
            0.0,
            4e-7,
            &[
                "0",
                "1e\u{2212}7",
                "2e\u{2212}7",
                "3e\u{2212}7",
                "4e\u{2212}7",
            ],
        );
        check(-1.7e308, 1.7e308, &["\u{2212}1.70e308", "0", "1.70e308"]);
    }

    #[test]
    fn any_two_doubles_make_an_axis_with_few_ticks() {
        for (low, high) in [
            (5e-324, 1e-320),
            (1e-300, 1.1e-300),
            (1e300, 1.000_000_000_000_001e300),
            (0.0, f64::MAX),
            (-1e-5, 1e15),
            (1e15, 1e15 + 2.0),
        ] {
            let axis = Axis::values(
                Range {
                    low,
                    high,
                    heavy: false,
                },
                4,
            );
            assert!(
                (1..=12).contains(&axis.ticks.len()),
                "{low} {high}: {:?}",
                axis.ticks
            );
            assert!(axis.position(low) <= axis.position(high));
            assert!(
                axis.ticks
                    .iter()
                    .all(|(_, label)| label.chars().count() <= 12),
                "{:?}",
                axis.ticks
            );
        }
    }

    #[test]
    fn times_have_at_most_six_round_ticks() {
        for minutes in [1, 7, 30, 90, 600, 6000, 600_000] {
            let axis = Axis::time(0, minutes * 60_000, |time| Some(time.to_string()));
            assert!(
                (2..=6).contains(&axis.ticks.len()),
                "{minutes}: {:?}",
                axis.ticks
            );
        }
    }
}
