//! The verdict is Kayenta's where Kayenta is right, and safe where it is not.

use coalmine_judges::config::{Direction, JudgeConfig, MetricSpec, NanStrategy, Thresholds};
use coalmine_judges::judge::{JudgeInput, Refusal};
use coalmine_judges::judgement::{
    Caution, Classification, Judgement, Reason, ScoreLabel, Verdict, VerdictReason,
};
use coalmine_judges::series::Series;

use crate::canary::{Canary, Shape};

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

#[test]
fn half_of_the_weight_undecided_is_inconclusive_and_a_little_less_is_not() {
    let canary = |errors| {
        Canary::default()
            .weight("speed", 100.0 - errors)
            .weight("errors", errors)
            .metric("p50", "speed", Shape::Same)
            .metric("p99", "speed", Shape::Same)
            .metric("5xx", "errors", Shape::Tied)
    };
    check(
        &canary(50.0),
        100.0,
        ScoreLabel::Pass,
        Verdict::Inconclusive,
        VerdictReason::TooLittleDecided,
    );
    check(
        &canary(49.0),
        100.0,
        ScoreLabel::Pass,
        Verdict::Pass,
        VerdictReason::ScoreReached,
    );
}

#[test]
fn half_of_the_metrics_undecided_is_inconclusive() {
    let canary = Canary::default()
        .weight("speed", 90.0)
        .weight("errors", 10.0)
        .metric("p50", "speed", Shape::Same)
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
fn half_of_the_metrics_without_data_fails_in_kayenta_only() {
    let canary =
        Canary::default()
            .metric("p50", "g", Shape::Same)
            .metric("5xx", "g", Shape::NoData);
    let judgement = check(
        &canary,
        0.0,
        ScoreLabel::Fail,
        Verdict::Inconclusive,
        VerdictReason::TooLittleDecided,
    );
    assert_eq!(
        judgement.score_reason,
        "Canary Failed: 50% or more metrics returned NODATA"
    );
}

#[test]
fn missing_data_that_must_be_there_fails_a_critical_metric_too() {
    let spec = MetricSpec {
        critical: true,
        must_have_data: true,
        ..MetricSpec::new("errors", ["g"])
    };
    let canary = Canary::default()
        .metric_as(spec, Shape::NoData)
        .metric("p50", "g", Shape::Same)
        .metric("p99", "g", Shape::Same);
    let reason = VerdictReason::CriticalMetric { result: 0 };
    let judgement = check(&canary, 0.0, ScoreLabel::Fail, Verdict::Fail, reason);
    assert_eq!(judgement.results[0].classification, Classification::Nodata);
}

#[test]
fn a_group_that_a_metric_names_twice_counts_it_once() {
    let canary = Canary::default()
        .metric_as(MetricSpec::new("p50", ["g", "g"]), Shape::Higher)
        .metric("p99", "g", Shape::Same);
    let judgement = check(
        &canary,
        50.0,
        ScoreLabel::Fail,
        Verdict::Fail,
        VerdictReason::ScoreBelow,
    );
    assert_eq!(
        (judgement.groups[0].passed, judgement.groups[0].failed),
        (1, 1)
    );
}

#[test]
fn weights_beyond_all_measure_leave_every_number_finite() {
    for weight in [1e308, 1.7e308, -1e308, f64::INFINITY, f64::NAN] {
        let canary = Canary::default()
            .weight("a", weight)
            .weight("b", weight)
            .metric("p50", "a", Shape::Same)
            .metric("p99", "c", Shape::Same);
        let judgement = canary.judge();
        let weights = judgement.groups.iter().map(|group| group.weight);
        let numbers = weights
            .chain([judgement.score, judgement.coverage])
            .chain(judgement.decided_score);
        assert!(
            numbers.into_iter().all(f64::is_finite),
            "{weight}: {judgement:?}"
        );
    }
}

#[test]
fn all_muted_scores_zero_and_no_negative_zero() {
    let muted = MetricSpec {
        muted: true,
        ..MetricSpec::new("a", ["g"])
    };
    let judgement = Canary::default().metric_as(muted, Shape::Same).judge();
    assert_eq!(judgement.score.to_bits(), 0.0_f64.to_bits());
}

#[test]
fn a_long_list_of_unknown_metrics_is_cut_short() {
    let mut canary = Canary::default();
    for index in 0..9 {
        canary = canary.metric(&format!("m{index}"), "g", Shape::Same);
    }
    let refusal =
        JudgeInput::new(&JudgeConfig::default(), Thresholds::default(), &canary.sets).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "Could not find metric config for m0, m1, m2, m3, m4 and 4 more"
    );
}

#[test]
fn missing_points_taken_for_zero_are_no_data_where_data_must_be_there() {
    let missing = |must_have_data| {
        let spec = MetricSpec {
            nan_strategy: NanStrategy::Replace,
            direction: Direction::Increase,
            critical: true,
            must_have_data,
            ..MetricSpec::new("errors", ["g"])
        };
        let mut canary = Canary::default()
            .metric_as(spec, Shape::Same)
            .metric("p50", "g", Shape::Same)
            .metric("p99", "g", Shape::Same);
        canary.sets[0].canary = Series::untimed([f64::NAN; 20]);
        canary
    };
    // A counter that is not written when nothing happened: the config says that this is zero, and the result says so too.
    let judgement = check(
        &missing(false),
        100.0,
        ScoreLabel::Pass,
        Verdict::Pass,
        VerdictReason::ScoreReached,
    );
    assert_eq!(judgement.results[0].cautions, [Caution::AllReplaced]);
    let reason = VerdictReason::CriticalUndecided { result: 0 };
    check(
        &missing(true),
        100.0,
        ScoreLabel::Pass,
        Verdict::Inconclusive,
        reason,
    );
}
