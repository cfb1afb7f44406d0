//! What the compatible judge says of one metric: its reason, and what a reader should know before trusting it.

use std::collections::BTreeMap;

use coalmine_judges::config::{Direction, JudgeConfig, MetricSpec, Thresholds};
use coalmine_judges::judge::{Judge, JudgeInput};
use coalmine_judges::judgement::{Caution, Classification, MetricResult, Reason};
use coalmine_judges::judges::netflix_aca::NetflixAcaJudge;
use coalmine_judges::sample::Sample;
use coalmine_judges::series::{HistorySeries, MetricSetPair, Series};
use coalmine_judges::stats::hodges_lehmann::shift_interval;

use crate::canary::{Shape, sides};

/// The result of one metric with these sides.
fn judged(spec: MetricSpec, baseline: &[f64], canary: &[f64]) -> MetricResult {
    let config = JudgeConfig {
        metrics: vec![spec],
        ..JudgeConfig::default()
    };
    let sets = [MetricSetPair {
        name: "m".to_owned(),
        id: "m".to_owned(),
        tags: BTreeMap::new(),
        baseline: Series::untimed(baseline.iter().copied()),
        canary: Series::untimed(canary.iter().copied()),
    }];
    let input = JudgeInput::new(&config, Thresholds::default(), &sets).unwrap();
    NetflixAcaJudge.judge(&input).results.remove(0)
}

/// The answer, the reason and the cautions.
fn told(
    spec: MetricSpec,
    baseline: &[f64],
    canary: &[f64],
) -> (Classification, Reason, Vec<Caution>) {
    let result = judged(spec, baseline, canary);
    (result.classification, result.reason, result.cautions)
}

#[test]
fn the_reason_tells_which_rule_let_a_metric_pass() {
    let (low, high) = sides(Shape::Higher);
    let reason =
        |spec: MetricSpec, baseline: &[f64], canary: &[f64]| told(spec, baseline, canary).1;
    let spec = || MetricSpec::new("m", ["g"]);
    let only_falls = MetricSpec {
        direction: Direction::Decrease,
        ..spec()
    };
    let mut tolerant = spec();
    tolerant.effect.allowed_increase = 3.0;
    assert_eq!(reason(spec(), &low, &high), Reason::BeyondLimit);
    assert_eq!(reason(only_falls, &low, &high), Reason::DirectionNotCounted);
    assert_eq!(reason(tolerant, &low, &high), Reason::WithinLimit);
    assert_eq!(reason(spec(), &low, &low), Reason::Identical);
    assert_eq!(reason(spec(), &[1.0; 3], &[1.0; 5]), Reason::OneValue);
    let (baseline, canary) = sides(Shape::Same);
    assert_eq!(reason(spec(), &baseline, &canary), Reason::NoShift);
}

#[test]
fn cautions_name_what_a_result_should_not_be_trusted_for() {
    let cautions =
        |baseline: &[f64], canary: &[f64]| told(MetricSpec::new("m", ["g"]), baseline, canary).2;
    let (low, high) = sides(Shape::Higher);
    assert_eq!(cautions(&low, &high), []);
    assert_eq!(cautions(&low[..8], &high), []);
    assert_eq!(cautions(&low[..7], &high), [Caution::FewPoints]);
    assert_eq!(cautions(&[5.0; 10], &[7.0; 10]), [Caution::ConstantSides]);
    assert_eq!(
        cautions(&[100.0], &[101.0]),
        [Caution::FewPoints, Caution::ConstantSides]
    );
    assert_eq!(
        cautions(&low, &[high.clone(), vec![f64::INFINITY]].concat()),
        [Caution::InfiniteValues]
    );
    let holes = [vec![f64::NAN; 21], high.clone()].concat();
    assert_eq!(cautions(&low, &holes), [Caution::MostlyMissing]);
    let tiny = |values: &[f64]| {
        values
            .iter()
            .map(|value| value * 1e-7)
            .collect::<Vec<f64>>()
    };
    assert_eq!(cautions(&tiny(&low), &tiny(&high)), [Caution::UnitTooSmall]);
}

#[test]
fn an_end_of_the_interval_that_is_all_rounding_is_cautioned() {
    // Counts of which the exact interval begins at zero: the root finder stops a little beside it, and Kayenta says High.
    let counts = |counts: [usize; 3]| -> Vec<f64> {
        counts
            .iter()
            .zip([0.0, 1.0, 2.0])
            .flat_map(|(count, value)| vec![value; *count])
            .collect()
    };
    let mut cautioned = 0;
    for ones in 0..30 {
        let (classification, _, cautions) = told(
            MetricSpec::new("m", ["g"]),
            &counts([45, 12, 3]),
            &counts([40 - ones, 17 + ones, 3]),
        );
        let (x, y) = (counts([40 - ones, 17 + ones, 3]), counts([45, 12, 3]));
        let exact = shift_interval(&Sample::new(x).unwrap(), &Sample::new(y).unwrap(), 0.98);
        if classification == Classification::High && exact.low <= 0.0 {
            assert_eq!(cautions, [Caution::UnitTooSmall], "{ones} more ones");
            cautioned += 1;
        }
    }
    assert!(cautioned > 0, "no such case among those tried");
}

#[test]
fn constants_that_differ_are_judged_alike_each_time_and_by_their_number() {
    let shift = |canary: &[f64]| {
        judged(MetricSpec::new("m", ["g"]), &[7.0; 10], canary)
            .shift
            .unwrap()
    };
    assert_eq!(shift(&[14.0; 10]), shift(&[14.0; 10]));
    assert_ne!(shift(&[14.0; 10]), shift(&[14.0; 11]));
}

#[test]
fn a_judge_is_given_the_past_and_the_compatible_one_has_no_use_for_it() {
    let config = JudgeConfig {
        metrics: vec![MetricSpec::new("m", ["g"])],
        ..JudgeConfig::default()
    };
    let sets = [MetricSetPair {
        name: "m".to_owned(),
        id: "m".to_owned(),
        tags: BTreeMap::new(),
        baseline: Series::untimed([1.0, 2.0, 3.0]),
        canary: Series::untimed([2.0, 3.0, 4.0]),
    }];
    let past = |name: &str, first: f64| HistorySeries {
        name: name.to_owned(),
        tags: BTreeMap::new(),
        series: Series::untimed([first, 9.0]),
    };
    let history = [past("m", 1.0), past("unknown", 2.0), past("m", 3.0)];
    let without = JudgeInput::new(&config, Thresholds::default(), &sets).unwrap();
    assert_eq!(without.history(), []);
    let with = without.clone().with_history(&history);
    assert_eq!(with.history(), history);
    let of_m: Vec<&HistorySeries> = with.history_of("m").collect();
    assert_eq!(of_m, [&history[0], &history[2]]);
    assert_eq!(
        NetflixAcaJudge.judge(&with),
        NetflixAcaJudge.judge(&without)
    );
}
