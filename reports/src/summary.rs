//! Summary statistics of both sides, and their change.

use coalmine_judges::judgement::{MetricResult, SideSummary};
use coalmine_judges::prepare::prepare;
use coalmine_judges::series::MetricSetPair;
use coalmine_judges::stats::quantile::quantile_r7;

use crate::format::{self, Signs};

/// One line of the table of summary statistics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SummaryRow {
    pub(crate) label: &'static str,
    pub(crate) baseline: String,
    pub(crate) canary: String,
    pub(crate) change: String,
}

/// All lines. Median and 95th percentile are those of the points that were judged.
pub(crate) fn rows(
    result: &MetricResult,
    set: Option<&MetricSetPair>,
    signs: Signs,
) -> Vec<SummaryRow> {
    let (baseline, canary) = (&result.baseline, &result.canary);
    let counts = |label, number: fn(&SideSummary) -> usize| SummaryRow {
        label,
        baseline: format::count(number(baseline)),
        canary: format::count(number(canary)),
        change: String::new(),
    };
    let mut rows = vec![
        counts("Points used", |side| side.stats.count),
        counts("Points missing", |side| side.missing),
        counts("Removed as outliers", |side| side.removed),
    ];
    if baseline.infinite + canary.infinite > 0 {
        rows.push(counts("Infinite points", |side| side.infinite));
    }
    let present = |side: &SideSummary, value: Option<f64>| value.filter(|_| side.stats.count > 0);
    let mut values = |label, of_baseline: Option<f64>, of_canary: Option<f64>| {
        rows.push(SummaryRow {
            label,
            baseline: statistic(of_baseline, signs),
            canary: statistic(of_canary, signs),
            change: change(of_baseline, of_canary, signs),
        });
    };
    values(
        "Mean",
        present(baseline, baseline.stats.mean),
        present(canary, canary.stats.mean),
    );
    let quantiles = set.map(|set| {
        let of = |series| prepare(series, result.spec.nan_strategy, result.spec.outliers).ascending;
        (of(&set.baseline), of(&set.canary))
    });
    let quantile = |p: f64| {
        let of = |ascending: &[f64]| {
            let value = quantile_r7(ascending, p);
            (!ascending.is_empty() && !value.is_nan()).then_some(value)
        };
        match &quantiles {
            Some((baseline, canary)) => (of(baseline), of(canary)),
            None => (None, None),
        }
    };
    let (median, tail) = (quantile(0.5), quantile(0.95));
    values("Median", median.0, median.1);
    values(
        "Standard deviation",
        present(baseline, baseline.stats.std),
        present(canary, canary.stats.std),
    );
    values("95th percentile", tail.0, tail.1);
    values(
        "Smallest",
        present(baseline, baseline.stats.min),
        present(canary, canary.stats.min),
    );
    values(
        "Largest",
        present(baseline, baseline.stats.max),
        present(canary, canary.stats.max),
    );
    rows
}

/// The change of a statistic in percent of the baseline's.
fn change(baseline: Option<f64>, canary: Option<f64>, signs: Signs) -> String {
    let (Some(baseline), Some(canary)) = (baseline, canary) else {
        return String::new();
    };
    let fraction = (canary - baseline) / baseline.abs();
    // Less than that is the rounding of sums, not a change.
    if baseline == canary || fraction.abs() < 1e-9 {
        return signs.percent(0.0);
    }
    if baseline == 0.0 {
        "from zero".to_owned()
    } else if fraction.is_finite() {
        signs.percent(fraction)
    } else {
        String::new()
    }
}

/// A statistic that may have no value.
pub(crate) fn statistic(value: Option<f64>, signs: Signs) -> String {
    value.map_or_else(|| "none".to_owned(), |value| signs.value(value))
}
