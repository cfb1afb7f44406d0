//! Puts the points of both sides together by their times.

use super::result::Pairing;
use crate::config::{MetricSpec, NanStrategy, Outliers};
use crate::prepare::ascending;
use crate::series::Series;
use crate::stats::outliers::iqr_fences;

/// Below this many common times pairing gains nothing over comparing the sides as they are.
const FEWEST_PAIRS: usize = 5;

/// The points of both sides that are compared; equally many, and of the same times, where they are paired.
#[derive(Debug, Clone, PartialEq)]
pub struct Aligned {
    /// How they were put together.
    pub pairing: Pairing,
    /// Points of the version now live, in order of time; finite.
    pub baseline: Vec<f64>,
    /// Points of the new version.
    pub canary: Vec<f64>,
    /// Points of the denominators, in the same order; empty where there are none.
    pub exposure: Vec<(f64, f64)>,
    /// Time of each point in milliseconds, or its position where no times are known; of the canary where not paired.
    pub times: Vec<i64>,
    /// Distance between points in minutes; absent without times.
    pub step_minutes: Option<f64>,
}

impl Aligned {
    /// Points a side that a comparison rests on: pairs, or the smaller side.
    #[must_use]
    pub fn points(&self) -> usize {
        self.baseline.len().min(self.canary.len())
    }

    /// The same without the first `count` pairs.
    #[must_use]
    pub fn without_first(mut self, count: usize) -> Self {
        self.baseline.drain(..count);
        self.canary.drain(..count);
        self.times.drain(..count);
        if !self.exposure.is_empty() {
            self.exposure.drain(..count);
        }
        self
    }
}

/// The points of one series that are compared: missing ones as the config says (`zero_missing` for kinds where a missing point
/// can mean zero), outliers left out where it asks for it, infinite ones left out.
#[must_use]
pub fn usable(series: &Series, spec: &MetricSpec, zero_missing: bool) -> Vec<Option<f64>> {
    let replace = zero_missing && spec.nan_strategy == NanStrategy::Replace;
    let mut values: Vec<Option<f64>> = series
        .values()
        .iter()
        .map(|value| {
            if replace {
                Some(value.unwrap_or(0.0))
            } else {
                *value
            }
        })
        // Adding zero turns −0 into 0, so that equal values are equal to the bit.
        .map(|value| value.filter(|v| v.is_finite()).map(|v| v + 0.0))
        .collect();
    if let Outliers::Remove { factor } = spec.outliers {
        let present: Vec<f64> = values.iter().flatten().copied().collect();
        let fences = iqr_fences(&ascending(&present), factor.get(), true);
        for value in &mut values {
            *value = value.filter(|v| !fences.excludes(*v));
        }
    }
    values
}

/// What is put together: the two sides, and the two denominators where there are any.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// The series from which the points came, for their times.
    pub baseline: &'a Series,
    /// The same of the canary.
    pub canary: &'a Series,
    /// Denominators of baseline and canary.
    pub exposure: Option<(&'a Series, &'a Series)>,
}

/// Pairs the points of equal times (of equal positions where neither side has times and both are equally long). A point whose
/// partner or denominator is missing is left out. Series of different steps, or with few times in common, stay unpaired.
/// Cost O(n).
#[must_use]
pub fn align(sides: Sides<'_>, baseline: &[Option<f64>], canary: &[Option<f64>]) -> Aligned {
    let Some((pairing, offset)) = offset(sides.baseline, sides.canary) else {
        return unpaired(sides, baseline, canary);
    };
    let mut aligned = Aligned {
        pairing,
        baseline: Vec::with_capacity(canary.len()),
        canary: Vec::with_capacity(canary.len()),
        exposure: Vec::new(),
        times: Vec::with_capacity(canary.len()),
        step_minutes: step_minutes(sides.canary),
    };
    for (index, value) in canary.iter().enumerate() {
        let other = shifted(index, offset).and_then(|at| baseline.get(at).copied().flatten());
        let (Some(canary), Some(baseline)) = (*value, other) else {
            continue;
        };
        if let Some((below_baseline, below_canary)) = sides.exposure {
            let exposed = |of: &Series, beside: &Series, at: usize| {
                let shift = self::offset(of, beside)?.1;
                let value = of.values().get(shifted(at, shift)?).copied().flatten()?;
                (value.is_finite() && value >= 0.0).then_some(value)
            };
            let pair = (
                exposed(below_baseline, sides.canary, index),
                exposed(below_canary, sides.canary, index),
            );
            let (Some(b), Some(c)) = pair else { continue };
            aligned.exposure.push((b, c));
        }
        aligned.baseline.push(baseline);
        aligned.canary.push(canary);
        aligned.times.push(time(sides.canary, index));
    }
    if aligned.points() < FEWEST_PAIRS && sides.exposure.is_none() {
        return unpaired(sides, baseline, canary);
    }
    aligned
}

fn unpaired(sides: Sides<'_>, baseline: &[Option<f64>], canary: &[Option<f64>]) -> Aligned {
    let present = |values: &[Option<f64>]| values.iter().flatten().copied().collect::<Vec<f64>>();
    let times = canary
        .iter()
        .enumerate()
        .filter(|(_, value)| value.is_some())
        .map(|(index, _)| time(sides.canary, index));
    Aligned {
        pairing: Pairing::None,
        baseline: present(baseline),
        canary: present(canary),
        exposure: Vec::new(),
        times: times.collect(),
        step_minutes: step_minutes(sides.canary),
    }
}

/// How a pair of series is paired, and what is added to a position in `beside` to get that of the same time in `of`.
fn offset(of: &Series, beside: &Series) -> Option<(Pairing, i64)> {
    match (of.grid(), beside.grid()) {
        (None, None) => (of.len() == beside.len()).then_some((Pairing::Order, 0)),
        (Some(of), Some(beside)) if of.step_ms == beside.step_ms => {
            let step = i64::try_from(of.step_ms).ok()?.max(1);
            let apart = beside.start_ms.checked_sub(of.start_ms)?;
            (apart % step == 0).then_some((Pairing::Time, apart / step))
        }
        (Some(_), Some(_) | None) | (None, Some(_)) => None,
    }
}

fn shifted(index: usize, offset: i64) -> Option<usize> {
    usize::try_from(i64::try_from(index).ok()?.checked_add(offset)?).ok()
}

fn time(series: &Series, index: usize) -> i64 {
    series
        .grid()
        .map_or(i64::try_from(index).unwrap_or(i64::MAX), |grid| {
            grid.time_ms(index)
        })
}

fn step_minutes(series: &Series) -> Option<f64> {
    series.grid().map(|grid| grid.step_ms as f64 / 60_000.0)
}
