//! Any bytes as one metric: never a panic, never NaN, and the exact interval is made of differences that exist.

use std::collections::BTreeMap;

use coalmine_judges::config::{
    Direction, EffectLimits, EffectMeasure, JudgeConfig, MetricSpec, NanStrategy, OutlierFactor,
    Outliers, Thresholds,
};
use coalmine_judges::judge::{Judge, JudgeInput};
use coalmine_judges::judgement::{ScoreLabel, Verdict};
use coalmine_judges::judges::netflix_aca::NetflixAcaJudge;
use coalmine_judges::sample::Sample;
use coalmine_judges::series::{MetricSetPair, Series};
use coalmine_judges::stats::hodges_lehmann::shift_interval;
use coalmine_judges::what_if;

/// The first byte holds the switches of the metric, the second the number of baseline points; then points of eight bytes.
pub(crate) fn judge(data: &[u8]) {
    let [switches, baseline_points, points @ ..] = data else {
        return;
    };
    let points: Vec<f64> = points
        .chunks_exact(8)
        .map(|bytes| f64::from_le_bytes(bytes.try_into().expect("a chunk has eight bytes")))
        .collect();
    let (baseline, canary) = points.split_at(usize::from(*baseline_points).min(points.len()));
    check_judgement(*switches, baseline, canary);
    check_interval(baseline, canary);
}

fn spec(switches: u8) -> MetricSpec {
    let on = |bit: u8| switches & (1 << bit) != 0;
    let measure = if on(0) {
        EffectMeasure::Cles
    } else {
        EffectMeasure::MeanRatio
    };
    MetricSpec {
        direction: match (on(1), on(2)) {
            (true, false) => Direction::Increase,
            (false, true) => Direction::Decrease,
            _ => Direction::Either,
        },
        nan_strategy: if on(3) {
            NanStrategy::Replace
        } else {
            NanStrategy::Remove
        },
        outliers: if on(4) {
            Outliers::Remove {
                factor: OutlierFactor::DEFAULT,
            }
        } else {
            Outliers::Keep
        },
        effect: EffectLimits {
            allowed_increase: if on(5) { 1.1 } else { 0.5 },
            ..EffectLimits::defaults(measure)
        },
        critical: on(6),
        must_have_data: on(7),
        ..MetricSpec::new("metric", ["group"])
    }
}

fn check_judgement(switches: u8, baseline: &[f64], canary: &[f64]) {
    let config = JudgeConfig {
        metrics: vec![spec(switches)],
        group_weights: BTreeMap::new(),
    };
    let sets = [MetricSetPair {
        name: "metric".to_owned(),
        id: "metric".to_owned(),
        tags: BTreeMap::new(),
        baseline: Series::untimed(baseline.iter().copied()),
        canary: Series::untimed(canary.iter().copied()),
    }];
    let input =
        JudgeInput::new(&config, Thresholds::default(), &sets).expect("the pair has a metric");
    let judgement = NetflixAcaJudge.judge(&input);
    assert_eq!(
        judgement,
        NetflixAcaJudge.judge(&input),
        "the same input gave another judgement"
    );
    assert_eq!(judgement.results.len(), 1);
    let result = &judgement.results[0];
    let shift = result
        .shift
        .map(|shift| [shift.estimate, shift.low, shift.high]);
    let numbers = shift
        .into_iter()
        .flatten()
        .chain(result.ratio)
        .chain(result.effect);
    assert!(
        numbers
            .chain([judgement.score, judgement.coverage])
            .all(f64::is_finite)
    );
    assert!(judgement.verdict != Verdict::Pass || judgement.label == ScoreLabel::Pass);
    assert!(what_if::explore(&judgement, 4).len() <= 4);
}

fn check_interval(baseline: &[f64], canary: &[f64]) {
    let (Some(x), Some(y)) = (Sample::new(canary.to_vec()), Sample::new(baseline.to_vec())) else {
        return;
    };
    let interval = shift_interval(&x, &y, 0.98);
    let exists = |wanted: f64| {
        canary
            .iter()
            .any(|x| baseline.iter().any(|y| x - y == wanted))
    };
    assert!(exists(interval.low) && exists(interval.high));
    assert!(interval.low <= interval.high);
}
