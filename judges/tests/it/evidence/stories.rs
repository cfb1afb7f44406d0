//! What the judge says of canaries that people know.

use std::collections::BTreeMap;

use coalmine_judges::config::evidence::MetricKind;
use coalmine_judges::config::{Direction, JudgeConfig, MetricSpec, Thresholds};
use coalmine_judges::evidence::calibration::{Calibration, CalibrationScale, MetricCalibration};
use coalmine_judges::evidence::result::{Basis, EvidenceReason, MetricEvidence, Pairing, TestKind};
use coalmine_judges::judge::{Judge, JudgeInput, TrafficShare};
use coalmine_judges::judgement::{Classification, Judgement, MetricResult, Reason, Verdict};
use coalmine_judges::judges::coalmine_v1::CoalmineJudge;
use coalmine_judges::series::{Grid, HistorySeries, InstanceSeries, MetricSetPair, Series, Side};

use super::noise::Chance;

/// A canary with good defaults: points a minute apart from the same time on.
#[derive(Default)]
pub(super) struct Story {
    config: JudgeConfig,
    sets: Vec<MetricSetPair>,
    history: Vec<HistorySeries>,
    instances: Vec<InstanceSeries>,
    calibration: Option<Calibration>,
    traffic: Option<TrafficShare>,
}

fn at(start_minute: i64, values: &[f64]) -> Series {
    let grid = Grid {
        start_ms: start_minute * 60_000,
        step_ms: 60_000,
    };
    Series::new(Some(grid), values.iter().copied().map(Some))
}

impl Story {
    pub(super) fn metric(mut self, spec: MetricSpec, baseline: &[f64], canary: &[f64]) -> Self {
        self.sets.push(MetricSetPair {
            name: spec.name.clone(),
            id: spec.name.clone(),
            tags: BTreeMap::new(),
            baseline: at(0, baseline),
            canary: at(0, canary),
        });
        self.config.metrics.push(spec);
        self
    }

    fn history(mut self, name: &str, values: &[f64]) -> Self {
        self.history.push(HistorySeries {
            name: name.to_owned(),
            tags: BTreeMap::new(),
            series: at(-(values.len() as i64), values),
        });
        self
    }

    pub(super) fn judge(&self) -> Judgement {
        let mut input = JudgeInput::new(&self.config, Thresholds::default(), &self.sets)
            .unwrap()
            .with_history(&self.history)
            .with_instances(&self.instances);
        if let Some(calibration) = &self.calibration {
            input = input.with_calibration(calibration);
        }
        if let Some(traffic) = self.traffic {
            input = input.with_traffic(traffic);
        }
        CoalmineJudge.judge(&input)
    }

    /// The first metric's result, which must be of this classification.
    pub(super) fn first(&self, expected: Classification) -> MetricResult {
        let judgement = self.judge();
        let result = judgement.results[0].clone();
        assert_eq!(result.classification, expected, "{result:#?}");
        result
    }
}

pub(super) fn spec() -> MetricSpec {
    MetricSpec::new("m", ["all"])
}

pub(super) fn noise(seed: u64, n: usize, level: f64, cv: f64, r: f64) -> Vec<f64> {
    let noise = Chance(seed).autoregressive(n, r);
    noise.into_iter().map(|z| level * (cv * z).exp()).collect()
}

fn evidence(result: &MetricResult) -> &MetricEvidence {
    result.evidence.as_deref().unwrap()
}

pub(super) fn finding(result: &MetricResult) -> EvidenceReason {
    match &result.reason {
        Reason::Evidence { finding } => finding.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_canary_like_its_baseline_passes_and_says_what_it_ruled_out() {
    let story = Story::default().metric(
        spec(),
        &noise(1, 60, 100.0, 0.1, 0.0),
        &noise(2, 60, 100.0, 0.1, 0.0),
    );
    let result = story.first(Classification::Pass);
    assert_eq!(finding(&result), EvidenceReason::RuledOut);
    assert_eq!(evidence(&result).pairing, Pairing::Time);
    assert_eq!(story.judge().verdict, Verdict::Pass);
}

#[test]
fn a_proven_rise_below_the_tolerance_is_a_pass() {
    let rise = |factor: f64| {
        Story::default().metric(
            spec(),
            &noise(1, 60, 100.0, 0.01, 0.0),
            &noise(2, 60, factor * 100.0, 0.01, 0.0),
        )
    };
    let small = rise(1.03).first(Classification::Pass);
    assert!(evidence(&small).p < 1e-6);
    assert_eq!(
        finding(&rise(1.2).first(Classification::High)),
        EvidenceReason::Proven {
            test: TestKind::Location
        }
    );
    assert_eq!(
        finding(&rise(0.8).first(Classification::Low)),
        EvidenceReason::Proven {
            test: TestKind::Location
        }
    );
}

#[test]
fn a_rise_that_does_not_count_passes() {
    let falls = MetricSpec {
        direction: Direction::Decrease,
        ..spec()
    };
    let story = Story::default().metric(
        falls,
        &noise(1, 60, 100.0, 0.05, 0.0),
        &noise(2, 60, 150.0, 0.05, 0.0),
    );
    assert_eq!(
        finding(&story.first(Classification::Pass)),
        EvidenceReason::RuledOut
    );
}

#[test]
fn noise_too_wide_for_the_margin_is_undecided_with_the_minutes_still_needed() {
    let story = Story::default().metric(
        spec(),
        &noise(1, 20, 100.0, 0.5, 0.0),
        &noise(4, 20, 100.0, 0.5, 0.0),
    );
    let result = story.first(Classification::Inconclusive);
    let evidence = evidence(&result);
    assert!(evidence.minutes_needed.unwrap() > 10.0, "{evidence:?}");
    assert!(evidence.visible_change.unwrap() > 1.25, "{evidence:?}");
}

#[test]
fn five_points_a_side_are_never_flagged_nor_passed() {
    let story = Story::default().metric(
        spec(),
        &noise(1, 5, 100.0, 0.01, 0.0),
        &noise(2, 5, 300.0, 0.01, 0.0),
    );
    let result = story.first(Classification::Inconclusive);
    assert!(
        matches!(
            finding(&result),
            EvidenceReason::TooFewPoints { found: 5, .. } | EvidenceReason::TooDependent { .. }
        ),
        "{result:?}"
    );
}

#[test]
fn points_that_hang_together_need_history() {
    let (baseline, canary) = (
        noise(3, 60, 100.0, 0.05, 0.97),
        noise(4, 60, 100.0, 0.05, 0.97),
    );
    let story = Story::default().metric(spec(), &baseline, &canary);
    let result = story.first(Classification::Inconclusive);
    assert!(
        matches!(finding(&result), EvidenceReason::TooDependent { .. }),
        "{result:?}"
    );
    let (baseline, canary) = (
        noise(3, 60, 100.0, 0.02, 0.8),
        noise(4, 60, 100.0, 0.02, 0.8),
    );
    let story = Story::default()
        .metric(spec(), &baseline, &canary)
        .history("m", &noise(9, 720, 100.0, 0.02, 0.8));
    let result = story.first(Classification::Pass);
    assert_eq!(evidence(&result).basis, Basis::History);
    assert!(
        (evidence(&result).autocorrelation - 0.8).abs() < 0.1,
        "{result:?}"
    );
}

#[test]
fn an_incident_in_the_history_does_not_hide_a_regression() {
    let mut past = noise(9, 720, 100.0, 0.05, 0.0);
    for value in &mut past[300..380] {
        *value *= 8.0;
    }
    let story = Story::default()
        .metric(
            spec(),
            &noise(1, 60, 100.0, 0.05, 0.0),
            &noise(2, 60, 120.0, 0.05, 0.0),
        )
        .history("m", &past);
    story.first(Classification::High);
}

#[test]
fn errors_in_half_of_the_minutes_against_a_silent_baseline_are_high() {
    let canary: Vec<f64> = (0..60)
        .map(|i| if i % 2 == 0 { 500.0 } else { 0.0 })
        .collect();
    let result = Story::default()
        .metric(spec(), &[0.0; 60], &canary)
        .first(Classification::High);
    assert_eq!(evidence(&result).kind, MetricKind::Count);
}

#[test]
fn no_events_on_either_side_pass_and_name_the_rate_that_is_ruled_out() {
    let result = Story::default()
        .metric(spec(), &[0.0; 60], &[0.0; 60])
        .first(Classification::Pass);
    let EvidenceReason::NoEvents { rate } = finding(&result) else {
        panic!("{result:?}")
    };
    assert!((rate - 0.0499).abs() < 1e-3, "{rate}");
}

#[test]
fn a_few_events_are_too_few() {
    let mut canary = [0.0; 60];
    canary[7] = 1.0;
    canary[30] = 2.0;
    let result = Story::default()
        .metric(spec(), &[0.0; 60], &canary)
        .first(Classification::Inconclusive);
    assert!(
        matches!(finding(&result), EvidenceReason::TooFewEvents { .. }),
        "{result:?}"
    );
}

#[test]
fn errors_are_counted_per_request_where_the_config_names_the_requests() {
    let mut chance = Chance(5);
    let requests = |chance: &mut Chance, rate: f64| {
        (0..60).map(|_| chance.poisson(rate)).collect::<Vec<f64>>()
    };
    // A tenth of the traffic, and the same share of errors.
    let (many, few) = (
        requests(&mut chance, 20_000.0),
        requests(&mut chance, 2_000.0),
    );
    let errors = |chance: &mut Chance, requests: &[f64], share: f64| {
        requests
            .iter()
            .map(|n| chance.poisson(n * share))
            .collect::<Vec<f64>>()
    };
    let (baseline, canary) = (
        errors(&mut chance, &many, 0.01),
        errors(&mut chance, &few, 0.01),
    );
    let doubled = errors(&mut chance, &few, 0.02);
    let mut per_request = spec();
    per_request.evidence.denominator = Some("requests".to_owned());
    let mut requests = MetricSpec::new("requests", ["traffic"]);
    requests.muted = true;
    let story = |errors: &[f64]| {
        Story {
            traffic: TrafficShare::new(10.0, 1.0),
            ..Story::default()
        }
        .metric(per_request.clone(), &baseline, errors)
        .metric(requests.clone(), &many, &few)
    };
    story(&canary).first(Classification::Pass);
    story(&doubled).first(Classification::High);
    let shares = |errors: &[f64], requests: &[f64]| {
        errors
            .iter()
            .zip(requests)
            .map(|(e, n)| 100.0 - 100.0 * e / n)
            .collect::<Vec<f64>>()
    };
    let success = |errors: &[f64]| {
        let mut spec = per_request.clone();
        spec.evidence.kind = Some(MetricKind::Proportion);
        Story {
            traffic: TrafficShare::new(10.0, 1.0),
            ..Story::default()
        }
        .metric(spec, &shares(&baseline, &many), &shares(errors, &few))
        .metric(requests.clone(), &many, &few)
    };
    success(&canary).first(Classification::Pass);
    success(&doubled).first(Classification::Low);
}

#[test]
fn the_first_minutes_of_warming_up_are_left_out() {
    let mut canary = noise(2, 60, 100.0, 0.05, 0.0);
    for (index, value) in canary.iter_mut().enumerate().take(6) {
        *value *= 1.0 + 1.0 / (1.0 + index as f64);
    }
    let result = Story::default()
        .metric(spec(), &noise(1, 60, 100.0, 0.05, 0.0), &canary)
        .first(Classification::Pass);
    assert!(evidence(&result).warm_up >= 4, "{result:?}");
}

#[test]
fn sides_of_different_times_are_compared_unpaired() {
    let mut story = Story::default().metric(
        spec(),
        &noise(1, 60, 100.0, 0.05, 0.0),
        &noise(2, 60, 130.0, 0.05, 0.0),
    );
    story.sets[0].baseline = at(-10_000, &noise(1, 60, 100.0, 0.05, 0.0));
    let result = story.first(Classification::High);
    assert_eq!(evidence(&result).pairing, Pairing::None);
}

#[test]
fn a_leak_is_high_and_a_random_walk_is_not() {
    let walk = |seed: u64, drift: f64| {
        let mut chance = Chance(seed);
        let mut level = 0.0;
        (0..60)
            .map(|_| {
                level += drift + 0.002 * chance.normal();
                1e9 * f64::exp(level)
            })
            .collect::<Vec<f64>>()
    };
    let mut memory = spec();
    memory.evidence.kind = Some(MetricKind::State);
    let story =
        |drift: f64| Story::default().metric(memory.clone(), &walk(1, 0.0), &walk(2, drift));
    story(0.0).first(Classification::Pass);
    let leak = story(0.005).first(Classification::High);
    assert_eq!(
        finding(&leak),
        EvidenceReason::Proven {
            test: TestKind::Drift
        }
    );
}

#[test]
fn instances_that_differ_take_the_proof_away() {
    let (baseline, canary) = (
        noise(1, 60, 100.0, 0.02, 0.0),
        noise(2, 60, 115.0, 0.02, 0.0),
    );
    let mut story = Story::default().metric(spec(), &baseline, &canary);
    story.first(Classification::High);
    for (side, levels) in [
        (Side::Baseline, [80.0, 120.0, 100.0]),
        (Side::Canary, [140.0, 90.0, 115.0]),
    ] {
        for (index, level) in levels.into_iter().enumerate() {
            story.instances.push(InstanceSeries {
                pair: "m".to_owned(),
                side,
                instance: format!("i{index}"),
                series: at(0, &noise(20 + index as u64, 60, level, 0.02, 0.0)),
            });
        }
    }
    let result = story.first(Classification::Inconclusive);
    assert!(evidence(&result).instance_std.unwrap() > 0.1, "{result:?}");
}

#[test]
fn a_calibration_file_widens_the_interval_by_what_instances_were_measured_to_differ() {
    let story = |instance_std: f64| {
        Story {
            calibration: Some(Calibration {
                version: Calibration::VERSION,
                metrics: vec![MetricCalibration {
                    name: "m".to_owned(),
                    tags: BTreeMap::new(),
                    scale: CalibrationScale::Log,
                    instance_std,
                    degrees: 50,
                    inflation: Some(1.2),
                }],
            }),
            ..Story::default()
        }
        .metric(
            spec(),
            &noise(1, 60, 100.0, 0.02, 0.0),
            &noise(2, 60, 115.0, 0.02, 0.0),
        )
    };
    assert_eq!(
        evidence(&story(0.001).first(Classification::High)).basis,
        Basis::Calibration
    );
    story(0.2).first(Classification::Inconclusive);
}
