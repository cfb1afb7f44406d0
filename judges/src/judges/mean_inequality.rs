//! Kayenta's simplest classifier: whichever mean is larger. No config can reach it; benchmarks compare with it.

use crate::config::{MetricSpec, NanStrategy};
use crate::judgement::Classification;
use crate::prepare::Prepared;
use crate::stats::{describe, effect};

/// What the classifier says of one metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// The answer.
    pub classification: Classification,
    /// Kayenta's critical flag.
    pub critical: bool,
    /// Mean of the canary over mean of the baseline; 1 for a pass or a failure for want of data, 0 for no data.
    pub ratio: Option<f64>,
}

/// Classifies by the means alone, however small their distance. Source: Kayenta's `MeanInequalityClassifier`.
#[must_use]
pub fn classify(spec: &MetricSpec, baseline: &Prepared, canary: &Prepared) -> Finding {
    let finding = |classification, critical, ratio| Finding {
        classification,
        critical,
        ratio,
    };
    if baseline.is_empty() || canary.is_empty() {
        return match spec.nan_strategy {
            NanStrategy::Replace => finding(Classification::Pass, false, Some(1.0)),
            NanStrategy::Remove if spec.must_have_data && !spec.critical => {
                finding(Classification::NodataFailMetric, false, Some(1.0))
            }
            NanStrategy::Remove => finding(Classification::Nodata, spec.critical, Some(0.0)),
        };
    }
    let (baseline_mean, canary_mean) = (
        describe::mean(&baseline.values),
        describe::mean(&canary.values),
    );
    let ratio = effect::mean_ratio(baseline_mean, canary_mean);
    let (rise, fall) = (
        spec.direction.counts_increase(),
        spec.direction.counts_decrease(),
    );
    if rise && canary_mean > baseline_mean {
        finding(Classification::High, spec.critical, ratio)
    } else if fall && canary_mean < baseline_mean {
        finding(Classification::Low, spec.critical, ratio)
    } else {
        finding(Classification::Pass, false, Some(1.0))
    }
}
