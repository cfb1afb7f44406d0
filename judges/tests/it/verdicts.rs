//! The verdict is Kayenta's where Kayenta is right, and safe where it is not.

use std::collections::BTreeMap;

use coalmine_judges::config::{JudgeConfig, MetricSpec, NanStrategy, Thresholds};
use coalmine_judges::judge::{Judge, JudgeInput, Refusal};
use coalmine_judges::judgement::{
    Classification, Judgement, Reason, ScoreLabel, Verdict, VerdictReason,
};
use coalmine_judges::judges::netflix_aca::NetflixAcaJudge;
use coalmine_judges::series::{MetricSetPair, Series};
use coalmine_judges::what_if::{self, Change};

/// How a metric of the tests comes out.
#[derive(Clone, Copy)]
enum Shape {
    Same,
    Higher,
    Lower,
    NoData,
    Infinite,
    /// One point a side whose noise ties: Kayenta's Error.
    Tied,
}

fn sides(shape: Shape) -> (Vec<f64>, Vec<f64>) {
    let level = |base: f64| {
        (0..20)
            .map(|i| base + f64::from(i * 7 % 20) / 10.0)
            .collect::<Vec<f64>>()
    };
    match shape {
        Shape::Same => (level(100.0), level(100.05)),
        Shape::Higher => (level(100.0), level(150.0)),
        Shape::Lower => (level(100.0), level(50.0)),
        Shape::NoData => (level(100.0), Vec::new()),
        Shape::Infinite => (level(100.0), [level(100.0), vec![f64::INFINITY]].concat()),
        Shape::Tied => (vec![100.0], vec![101.0]),
    }
}

/// A canary under construction: metrics with shapes, in groups with weights.
#[derive(Default)]
struct Canary {
    config: JudgeConfig,
    sets: Vec<MetricSetPair>,
}

impl Canary {
    fn metric(self, name: &str, group: &str, shape: Shape) -> Self {
        self.metric_as(MetricSpec::new(name, [group]), shape)
    }

    fn critical(self, name: &str, group: &str, shape: Shape) -> Self {
        self.metric_as(
            MetricSpec {
                critical: true,
                ..MetricSpec::new(name, [group])
            },
            shape,
        )
    }

    fn metric_as(mut self, spec: MetricSpec, shape: Shape) -> Self {
        let (baseline, canary) = sides(shape);
        self.sets.push(MetricSetPair {
            name: spec.name.clone(),
            id: spec.name.clone(),
            tags: BTreeMap::new(),
            baseline: Series::untimed(baseline),
            canary: Series::untimed(canary),
        });
        self.config.metrics.push(spec);
        self
    }

    fn weight(mut self, group: &str, percent: f64) -> Self {
        self.config.group_weights.insert(group.to_owned(), percent);
        self
    }

    fn judge(&self) -> Judgement {
        NetflixAcaJudge
            .judge(&JudgeInput::new(&self.config, Thresholds::default(), &self.sets).unwrap())
    }
}

/// Judges and compares: Kayenta's score and label, then our verdict and its reason.
fn check(
    canary: &Canary,
    score: f64,
    label: ScoreLabel,
    verdict: Verdict,
    reason: VerdictReason,
) -> Judgement {
    let judgement = canary.judge();
    let found = (
        judgement.score,
        judgement.label,
        judgement.verdict,
        judgement.reason.clone(),
    );
    assert_eq!(
        found,
        (score, label, verdict, reason),
        "results: {:?}",
        judgement.results
    );
    judgement
}

#[test]
fn a_canary_like_its_baseline_passes() {
    let canary = Canary::default()
        .metric("latency", "g", Shape::Same)
        .metric("errors", "g", Shape::Same);
    check(
        &canary,
        100.0,
        ScoreLabel::Pass,
        Verdict::Pass,
        VerdictReason::ScoreReached,
    );
}

#[test]
fn a_critical_metric_that_rose_fails_the_canary() {
    let canary = Canary::default()
        .metric("latency", "g", Shape::Same)
        .critical("errors", "g", Shape::Higher);
    let reason = VerdictReason::CriticalMetric { result: 1 };
    let judgement = check(&canary, 0.0, ScoreLabel::Fail, Verdict::Fail, reason);
    assert_eq!(
        judgement.score_reason,
        "Canary Failed: The metric errors was classified as High (Critical)"
    );
}

#[test]
fn a_score_between_the_thresholds_is_marginal() {
    let mut canary = Canary::default().metric("memory", "g", Shape::Lower);
    for name in ["a", "b", "c", "d"] {
        canary = canary.metric(name, "g", Shape::Same);
    }
    check(
        &canary,
        80.0,
        ScoreLabel::Marginal,
        Verdict::Marginal,
        VerdictReason::ScoreBetween,
    );
}

#[test]
fn a_critical_metric_that_cannot_be_judged_is_no_pass_although_kayenta_says_so() {
    let canary = Canary::default()
        .metric("latency", "g", Shape::Same)
        .critical("errors", "g", Shape::Tied);
    let reason = VerdictReason::CriticalUndecided { result: 1 };
    let judgement = check(
        &canary,
        100.0,
        ScoreLabel::Pass,
        Verdict::Inconclusive,
        reason,
    );
    assert_eq!(judgement.results[1].classification, Classification::Error);
}

#[test]
fn a_critical_metric_without_data_is_doubt_and_no_proof() {
    let canary = Canary::default()
        .metric("latency", "g", Shape::Same)
        .metric("cpu", "g", Shape::Same)
        .critical("errors", "g", Shape::NoData);
    let reason = VerdictReason::CriticalUndecided { result: 2 };
    check(
        &canary,
        0.0,
        ScoreLabel::Fail,
        Verdict::Inconclusive,
        reason,
    );
}

#[test]
fn one_infinite_point_does_not_wave_a_metric_through() {
    let canary = Canary::default()
        .critical("latency", "g", Shape::Infinite)
        .metric("cpu", "g", Shape::Same);
    let reason = VerdictReason::CriticalUndecided { result: 0 };
    let judgement = check(
        &canary,
        100.0,
        ScoreLabel::Pass,
        Verdict::Inconclusive,
        reason,
    );
    assert_eq!(judgement.results[0].reason, Reason::InfiniteValues);
    assert_eq!(
        judgement.results[0].kayenta_classification(),
        Classification::Pass
    );
}

#[test]
fn a_side_without_points_does_not_pass_by_replacing_nothing_with_zero() {
    let spec = MetricSpec {
        nan_strategy: NanStrategy::Replace,
        critical: true,
        ..MetricSpec::new("errors", ["g"])
    };
    let canary = Canary::default()
        .metric_as(spec, Shape::NoData)
        .metric("cpu", "g", Shape::Same);
    let reason = VerdictReason::CriticalUndecided { result: 0 };
    check(
        &canary,
        100.0,
        ScoreLabel::Pass,
        Verdict::Inconclusive,
        reason,
    );
}

#[test]
fn a_group_without_a_decision_earns_no_credit_in_the_verdict() {
    let canary = Canary::default()
        .weight("speed", 40.0)
        .weight("errors", 60.0)
        .metric("p50", "speed", Shape::Same)
        .metric("p99", "speed", Shape::Higher)
        .metric("5xx", "errors", Shape::Tied);
    // Kayenta: 50 of 40 and the full 60 make 80, Marginal. What was decided reached 50.
    let judgement = check(
        &canary,
        80.0,
        ScoreLabel::Marginal,
        Verdict::Fail,
        VerdictReason::DecidedScoreLower,
    );
    assert_eq!(judgement.decided_score, Some(50.0));
    assert_eq!(judgement.coverage, 0.4);
}

#[test]
fn little_decided_weight_is_inconclusive() {
    let canary = Canary::default()
        .weight("speed", 20.0)
        .weight("errors", 80.0)
        .metric("p50", "speed", Shape::Same)
        .metric("p99", "speed", Shape::Same)
        .metric("5xx", "errors", Shape::Tied);
    check(
        &canary,
        100.0,
        ScoreLabel::Pass,
        Verdict::Inconclusive,
        VerdictReason::TooLittleDecided,
    );
}

#[test]
fn nothing_decided_is_inconclusive_and_no_failure() {
    let canary = Canary::default()
        .metric("a", "g", Shape::NoData)
        .metric("b", "g", Shape::NoData);
    check(
        &canary,
        0.0,
        ScoreLabel::Fail,
        Verdict::Inconclusive,
        VerdictReason::NothingDecided,
    );
}

#[test]
fn nothing_to_count_is_inconclusive() {
    check(
        &Canary::default(),
        0.0,
        ScoreLabel::Fail,
        Verdict::Inconclusive,
        VerdictReason::NothingCounted,
    );
    let muted = MetricSpec {
        muted: true,
        ..MetricSpec::new("a", ["g"])
    };
    let canary = Canary::default().metric_as(muted, Shape::Higher);
    check(
        &canary,
        0.0,
        ScoreLabel::Fail,
        Verdict::Inconclusive,
        VerdictReason::NothingCounted,
    );
    let groupless = Canary::default().metric_as(MetricSpec::new("a", [] as [&str; 0]), Shape::Same);
    check(
        &groupless,
        0.0,
        ScoreLabel::Fail,
        Verdict::Inconclusive,
        VerdictReason::NothingCounted,
    );
}

#[test]
fn weight_of_a_group_without_metrics_is_lost_as_in_kayenta() {
    let canary = Canary::default()
        .weight("a", 70.0)
        .weight("b", 30.0)
        .metric("p50", "a", Shape::Same);
    check(
        &canary,
        70.0,
        ScoreLabel::Fail,
        Verdict::Fail,
        VerdictReason::ScoreBelow,
    );
}

#[test]
fn proof_of_failure_weighs_more_than_missing_data() {
    let canary = Canary::default()
        .metric("p50", "g", Shape::Higher)
        .metric("a", "g", Shape::NoData)
        .metric("b", "g", Shape::NoData);
    check(
        &canary,
        0.0,
        ScoreLabel::Fail,
        Verdict::Fail,
        VerdictReason::ScoreBelow,
    );
}

#[test]
fn pairs_without_a_metric_are_refused_all_at_once() {
    let canary = Canary::default()
        .metric("a", "g", Shape::Same)
        .metric("b", "g", Shape::Same);
    let refusal =
        JudgeInput::new(&JudgeConfig::default(), Thresholds::default(), &canary.sets).unwrap_err();
    assert_eq!(
        refusal,
        Refusal::UnknownMetrics(vec!["a".to_owned(), "b".to_owned()])
    );
    assert_eq!(refusal.to_string(), "Could not find metric config for a, b");
}

#[test]
fn the_judgement_tells_what_would_have_changed_it() {
    let canary = Canary::default()
        .metric("p50", "g", Shape::Same)
        .metric("p99", "g", Shape::Same)
        .critical("errors", "g", Shape::Higher)
        .metric_as(
            MetricSpec {
                muted: true,
                ..MetricSpec::new("memory", ["g"])
            },
            Shape::Higher,
        );
    let found = what_if::explore(&canary.judge(), 10);
    let told: Vec<(Change, f64, Verdict)> = found
        .into_iter()
        .map(|what_if| (what_if.change, what_if.score, what_if.verdict))
        .collect();
    assert_eq!(
        told,
        [
            (Change::Passed(2), 100.0, Verdict::Pass),
            (Change::NotCritical(2), 66.67, Verdict::Fail),
            (Change::NotMuted(3), 0.0, Verdict::Fail),
        ]
    );
}

#[test]
fn a_pass_tells_which_failure_would_have_cost_most() {
    let canary = Canary::default()
        .weight("speed", 20.0)
        .weight("errors", 80.0)
        .metric("p50", "speed", Shape::Same)
        .metric("5xx", "errors", Shape::Same);
    let found = what_if::explore(&canary.judge(), 10);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].change.clone(), found[0].score, found[0].verdict),
        (Change::Failed(1), 20.0, Verdict::Fail)
    );
}

#[test]
fn a_negative_leftover_weight_earns_nothing_in_the_verdict() {
    // Kayenta gives the unweighted group -50: its failure adds nothing, and its success would cost points.
    let canary = Canary::default()
        .weight("a", 150.0)
        .metric("p50", "a", Shape::Same)
        .metric("p99", "b", Shape::Higher);
    let judgement = check(
        &canary,
        150.0,
        ScoreLabel::Pass,
        Verdict::Pass,
        VerdictReason::ScoreReached,
    );
    assert_eq!(
        (judgement.decided_score, judgement.coverage),
        (Some(100.0), 1.0)
    );
}
