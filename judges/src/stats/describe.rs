//! Mean, standard deviation and extremes.

use crate::judgement::SideStats;

/// Arithmetic mean by two passes: `m + Σ(v - m)/n` with `m = Σv/n`. NaN for no values and where infinities cancel.
/// Source: `Mean` of Apache Commons Math 3.6, so that the last bit agrees with Kayenta; the order of `values` matters to it.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let first = values.iter().sum::<f64>() / n;
    let correction: f64 = values.iter().map(|value| value - first).sum();
    first + correction / n
}

/// Variance with denominator n − 1 by the corrected two-pass formula `(Σd² - (Σd)²/n)/(n - 1)`, `d = v - mean`.
/// 0 for one value, NaN for none. Source: `Variance` of Apache Commons Math 3.6 (Chan, Golub & LeVeque 1983, formula 1.7).
#[must_use]
pub fn variance(values: &[f64], mean: f64) -> f64 {
    match values.len() {
        0 => f64::NAN,
        1 => 0.0,
        count => {
            let n = count as f64;
            let (mut squares, mut sum) = (0.0, 0.0);
            for value in values {
                let deviation = value - mean;
                squares += deviation * deviation;
                sum += deviation;
            }
            (squares - (sum * sum / n)) / (n - 1.0)
        }
    }
}

/// Standard deviation of the whole population (denominator n); NaN for no values.
#[must_use]
pub fn population_std(values: &[f64], mean: f64) -> f64 {
    let n = values.len() as f64;
    let (mut squares, mut sum) = (0.0, 0.0);
    for value in values {
        let deviation = value - mean;
        squares += deviation * deviation;
        sum += deviation;
    }
    ((squares - (sum * sum / n)) / n).sqrt()
}

/// Summary of one side; all zero for no values. Cost O(n).
#[must_use]
pub fn summary(values: &[f64]) -> SideStats {
    if values.is_empty() {
        return SideStats {
            count: 0,
            min: Some(0.0),
            max: Some(0.0),
            mean: Some(0.0),
            std: Some(0.0),
        };
    }
    let known = |value: f64| (!value.is_nan()).then_some(value);
    let mean = mean(values);
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    for &value in values {
        min = min.min(value);
        max = max.max(value);
    }
    SideStats {
        count: values.len(),
        min: known(min),
        max: known(max),
        mean: known(mean),
        std: known(variance(values, mean).sqrt()),
    }
}
