//! What must hold whatever the data.

use std::collections::BTreeMap;

use coalmine_judges::config::evidence::Allowance;
use coalmine_judges::config::{Direction, JudgeConfig, MetricSpec, Thresholds};
use coalmine_judges::judge::{Judge, JudgeInput};
use coalmine_judges::judgement::{Classification, Judgement};
use coalmine_judges::judges::coalmine_v1::CoalmineJudge;
use coalmine_judges::series::{Grid, MetricSetPair, Series};
use proptest::prelude::*;

use super::noise::Chance;

const GRID: Grid = Grid {
    start_ms: 0,
    step_ms: 60_000,
};

type Sides = (Vec<Option<f64>>, Vec<Option<f64>>);

fn judge(metrics: &[(MetricSpec, Sides)]) -> Judgement {
    let config = JudgeConfig {
        metrics: metrics.iter().map(|(spec, _)| spec.clone()).collect(),
        ..JudgeConfig::default()
    };
    let sets: Vec<MetricSetPair> = metrics
        .iter()
        .map(|(spec, (baseline, canary))| MetricSetPair {
            name: spec.name.clone(),
            id: spec.name.clone(),
            tags: BTreeMap::new(),
            baseline: Series::new(Some(GRID), baseline.iter().copied()),
            canary: Series::new(Some(GRID), canary.iter().copied()),
        })
        .collect();
    CoalmineJudge.judge(&JudgeInput::new(&config, Thresholds::default(), &sets).unwrap())
}

/// Sides with noise of this size and dependence, the canary moved by `factor`, one point in twenty missing.
fn sides(seed: u64, n: usize, cv: f64, r: f64, factor: f64) -> Sides {
    let mut chance = Chance(seed);
    let mut side = |factor: f64| {
        let noise = chance.autoregressive(n, r);
        let points = noise.into_iter().map(|z| 250.0 * factor * (cv * z).exp());
        points
            .collect::<Vec<f64>>()
            .into_iter()
            .map(|value| (chance.uniform() > 0.05).then_some(value))
            .collect()
    };
    (side(1.0), side(factor))
}

fn times(side: &[Option<f64>], scale: f64) -> Vec<Option<f64>> {
    side.iter().map(|value| value.map(|v| v * scale)).collect()
}

fn scene() -> impl Strategy<Value = Sides> {
    (
        any::<u64>(),
        4..90_usize,
        0.01..0.5_f64,
        0.0..0.9_f64,
        0.6..1.6_f64,
    )
        .prop_map(|(seed, n, cv, r, factor)| sides(seed, n, cv, r, factor))
}

fn spec() -> MetricSpec {
    MetricSpec::new("m", ["all"])
}

proptest! {
    #[test]
    fn the_unit_does_not_matter((baseline, canary) in scene()) {
        let found = judge(&[(spec(), (baseline.clone(), canary.clone()))]);
        for power in [-8, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 6] {
            let scale = 10.0_f64.powi(power);
            let scaled = judge(&[(spec(), (times(&baseline, scale), times(&canary, scale)))]);
            prop_assert_eq!(scaled.results[0].classification, found.results[0].classification, "1e{}", power);
            prop_assert_eq!(scaled.verdict, found.verdict);
        }
    }

    #[test]
    fn the_unit_of_a_signed_metric_does_not_matter((baseline, canary) in scene()) {
        let shift = |side: &[Option<f64>]| side.iter().map(|value| value.map(|v| v - 250.0)).collect::<Vec<_>>();
        let (baseline, canary) = (shift(&baseline), shift(&canary));
        let found = judge(&[(spec(), (baseline.clone(), canary.clone()))]);
        for power in [-8, -5, -3, 2, 6] {
            let scale = 10.0_f64.powi(power);
            let scaled = judge(&[(spec(), (times(&baseline, scale), times(&canary, scale)))]);
            prop_assert_eq!(scaled.results[0].classification, found.results[0].classification, "1e{}", power);
        }
    }

    #[test]
    fn sides_exchanged_with_their_limits_mirror_the_answer((baseline, canary) in scene(), up in 0.02..0.4_f64, down in 0.02..0.4_f64, direction in 0..3) {
        let direction = [Direction::Increase, Direction::Decrease, Direction::Either][direction as usize];
        let mut there = spec();
        there.direction = direction;
        there.evidence.tolerance = Allowance { increase: Allowance::ratio(up).increase, decrease: Allowance::ratio(down).decrease };
        let mut back = there.clone();
        back.direction = direction.mirrored();
        back.evidence.tolerance = there.evidence.tolerance.mirrored();
        let found = judge(&[(there, (baseline.clone(), canary.clone()))]);
        let mirrored = judge(&[(back, (canary, baseline))]);
        let expected = match found.results[0].classification {
            Classification::High => Classification::Low,
            Classification::Low => Classification::High,
            other => other,
        };
        prop_assert_eq!(mirrored.results[0].classification, expected);
    }

    #[test]
    fn the_order_of_metrics_does_not_matter(scenes in prop::collection::vec(scene(), 2..6)) {
        let named = |index: usize| MetricSpec::new(format!("m{index}"), ["all"]);
        let metrics: Vec<(MetricSpec, Sides)> = scenes.into_iter().enumerate().map(|(i, s)| (named(i), s)).collect();
        let there = judge(&metrics);
        let reversed: Vec<(MetricSpec, Sides)> = metrics.iter().rev().cloned().collect();
        let mut back = judge(&reversed).results;
        back.reverse();
        prop_assert_eq!(&there.results, &back);
    }

    #[test]
    fn a_judgement_is_finite_and_loads_as_it_was_written(
        baseline in prop::collection::vec(prop::option::of(any::<f64>()), 0..40),
        canary in prop::collection::vec(prop::option::of(any::<f64>()), 0..40),
    ) {
        let judgement = judge(&[(spec(), (baseline, canary))]);
        let text = serde_json::to_string(&judgement).unwrap();
        prop_assert!(!text.contains("NaN"));
        let loaded: Judgement = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(loaded, judgement);
    }
}
