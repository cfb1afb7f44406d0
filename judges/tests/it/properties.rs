//! Properties that hold for any input.

use std::collections::BTreeMap;

use coalmine_judges::config::{
    Direction, EffectLimits, EffectMeasure, JudgeConfig, MetricSpec, NanStrategy, OutlierFactor,
    Outliers, Thresholds,
};
use coalmine_judges::judge::{Judge, JudgeInput};
use coalmine_judges::judgement::{Judgement, ScoreLabel, Verdict};
use coalmine_judges::judges::netflix_aca::NetflixAcaJudge;
use coalmine_judges::sample::Sample;
use coalmine_judges::series::{Grid, MetricSetPair, Series};
use coalmine_judges::stats::hodges_lehmann::shift_interval;
use coalmine_judges::stats::ranks::RankCounts;
use coalmine_judges::stats::select_difference::Differences;
use coalmine_judges::stats::shift_root::ShiftStatistic;
use coalmine_judges::what_if;
use proptest::prelude::*;

/// Values of every kind: continuous, few whole numbers (ties), mostly zero, huge offsets, and extremes.
fn values(count: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<f64>> {
    let count = count.into();
    prop_oneof![
        prop::collection::vec(-1e3..1e3_f64, count.clone()),
        prop::collection::vec((-4_i32..5).prop_map(f64::from), count.clone()),
        prop::collection::vec(
            prop_oneof![4 => Just(0.0), 1 => 0.0..10.0_f64],
            count.clone()
        ),
        prop::collection::vec((0_i32..50).prop_map(|k| 1e15 + f64::from(k)), count.clone()),
        prop::collection::vec(
            prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL,
            count
        ),
    ]
}

/// Values that can be scaled without reaching the ends of what a double holds.
fn tame_values(count: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<f64>> {
    let count = count.into();
    prop_oneof![
        prop::collection::vec(-1e3..1e3_f64, count.clone()),
        prop::collection::vec((-4_i32..5).prop_map(f64::from), count.clone()),
        prop::collection::vec((0_i32..50).prop_map(|k| 1e15 + f64::from(k)), count),
    ]
}

fn sample(values: &[f64]) -> Sample {
    Sample::new(values.to_vec()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_selected_difference_is_the_one_that_sorting_gives(
        x in values(1..60), y in values(1..60), share in prop::collection::vec(0.0..=1.0_f64, 1..6),
    ) {
        let mut all: Vec<f64> = x.iter().flat_map(|x| y.iter().map(move |y| x - y)).collect();
        all.sort_by(f64::total_cmp);
        let ranks: Vec<u64> = share.iter().map(|share| 1 + (share * (all.len() - 1) as f64) as u64).collect();
        let selected = Differences::new(&sample(&x), &sample(&y)).select(&ranks);
        for (rank, value) in ranks.iter().zip(selected) {
            prop_assert_eq!(value, all[*rank as usize - 1], "rank {} of {}", rank, all.len());
        }
    }

    #[test]
    fn large_samples_with_ties_are_selected_exactly(
        x in values(200..400), y in values(200..400), share in prop::collection::vec(0.0..=1.0_f64, 1..20),
    ) {
        let mut all: Vec<f64> = x.iter().flat_map(|x| y.iter().map(move |y| x - y)).collect();
        all.sort_by(f64::total_cmp);
        let ranks: Vec<u64> = share.iter().map(|share| 1 + (share * (all.len() - 1) as f64) as u64).collect();
        let selected = Differences::new(&sample(&x), &sample(&y)).select(&ranks);
        for (rank, value) in ranks.iter().zip(selected) {
            prop_assert_eq!(value, all[*rank as usize - 1], "rank {} of {}", rank, all.len());
        }
    }

    #[test]
    fn pair_counts_are_what_comparing_all_pairs_gives(x in values(1..40), y in values(1..40)) {
        let counts = RankCounts::of(&sample(&x), &sample(&y));
        let pairs = || x.iter().flat_map(|x| y.iter().map(move |y| (x, y)));
        prop_assert_eq!(counts.above(), pairs().filter(|(x, y)| x > y).count() as u64);
        prop_assert_eq!(counts.below(), pairs().filter(|(x, y)| x < y).count() as u64);
        let pooled = sample(&[x.clone(), y.clone()].concat());
        let ties: f64 = pooled.sorted().chunk_by(|a, b| a == b).map(|group| (group.len() as f64).powi(3) - group.len() as f64).sum();
        prop_assert_eq!(counts.pooled_tie_sum(), ties);
    }

    #[test]
    fn the_statistic_at_a_shift_is_what_ranking_anew_gives(
        x in values(1..40), y in values(1..40), shift in prop_oneof![-50.0..50.0_f64, (-5_i32..5).prop_map(f64::from)],
    ) {
        let (x, y) = (sample(&x), sample(&y));
        let shifted = sample(&x.sorted().iter().map(|value| value - shift).collect::<Vec<_>>());
        let counts = RankCounts::of(&shifted, &y);
        let (n, m) = (counts.n() as f64, counts.m() as f64);
        let std = ((n * m / 12.0) * ((n + m + 1.0) - counts.pooled_tie_sum() / ((n + m) * (n + m - 1.0)))).sqrt();
        let ours = ShiftStatistic::new(x.sorted(), y.sorted()).unwrap().at(shift);
        if std == 0.0 {
            prop_assert!(ours.is_err());
        } else {
            let distance = counts.u() - n * m / 2.0;
            let correction = if distance == 0.0 { 0.0 } else { 0.5_f64.copysign(distance) };
            prop_assert_eq!(ours.unwrap(), (distance - correction) / std);
        }
    }

    #[test]
    fn a_shift_that_swallows_small_values_ties_them(small in 1e-300..1e-20_f64, shift in 20.0..50.0_f64) {
        let statistic = ShiftStatistic::new(&[0.0, small], &[0.0]).unwrap().at(shift).unwrap();
        prop_assert_eq!(statistic, (-1.0 + 0.5) / 0.5_f64.sqrt());
    }

    #[test]
    fn swapping_the_sides_mirrors_the_interval(x in values(1..50), y in values(1..50)) {
        let (x, y) = (sample(&x), sample(&y));
        let (there, back) = (shift_interval(&x, &y, 0.98), shift_interval(&y, &x, 0.98));
        prop_assert_eq!((there.low, there.high, there.estimate), (-back.high, -back.low, -back.estimate));
    }

    #[test]
    fn a_higher_level_gives_a_wider_interval(x in values(2..50), y in values(2..50)) {
        let (x, y) = (sample(&x), sample(&y));
        let (narrow, wide) = (shift_interval(&x, &y, 0.95), shift_interval(&x, &y, 0.99));
        prop_assert!(wide.low <= narrow.low && narrow.high <= wide.high);
        prop_assert!(narrow.low <= narrow.estimate && narrow.estimate <= narrow.high);
    }

    #[test]
    fn another_unit_gives_the_same_interval_in_that_unit(x in tame_values(1..50), y in tame_values(1..50), power in -20_i32..20) {
        let unit = 2.0_f64.powi(power);
        let scaled = |values: &[f64]| sample(&values.iter().map(|value| value * unit).collect::<Vec<_>>());
        let (plain, other) = (shift_interval(&sample(&x), &sample(&y), 0.98), shift_interval(&scaled(&x), &scaled(&y), 0.98));
        prop_assert_eq!((plain.low * unit, plain.high * unit), (other.low, other.high));
    }
}

fn point() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        8 => (0.0..100.0_f64).prop_map(Some),
        4 => (0_i32..4).prop_map(|count| Some(f64::from(count))),
        2 => Just(None),
        1 => prop::sample::select(vec![f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.0, -0.0, f64::MAX, f64::MIN, 1e-308]).prop_map(Some),
    ]
}

fn series() -> impl Strategy<Value = Series> {
    let grid = prop::option::of(Just(Grid {
        start_ms: 0,
        step_ms: 60_000,
    }));
    (grid, prop::collection::vec(point(), 0..30))
        .prop_map(|(grid, values)| Series::new(grid, values))
}

prop_compose! {
    fn spec()(
        groups in prop::collection::vec("[abc]", 0..3),
        direction in prop::sample::select(vec![Direction::Increase, Direction::Decrease, Direction::Either]),
        nan_strategy in prop::sample::select(vec![NanStrategy::Remove, NanStrategy::Replace]),
        factor in prop::option::of(0.1..5.0_f64),
        measure in prop::sample::select(vec![EffectMeasure::MeanRatio, EffectMeasure::Cles]),
        limits in prop::collection::vec(0.2..2.0_f64, 4),
        critical in any::<bool>(), must_have_data in any::<bool>(), muted in prop::bool::weighted(0.2),
    ) -> MetricSpec {
        let outliers = factor.and_then(OutlierFactor::new).map_or(Outliers::Keep, |factor| Outliers::Remove { factor });
        let effect = EffectLimits {
            measure,
            allowed_increase: limits[0],
            allowed_decrease: limits[1],
            critical_increase: limits[2],
            critical_decrease: limits[3],
        };
        MetricSpec { groups, direction, nan_strategy, outliers, effect, critical, must_have_data, muted, ..MetricSpec::new("m", ["a"]) }
    }
}

/// A config and its pairs, one pair a metric.
fn canary() -> impl Strategy<Value = (JudgeConfig, Vec<MetricSetPair>)> {
    let metrics = prop::collection::vec((spec(), series(), series()), 0..8);
    let weights =
        prop::collection::btree_map("[abcd]".prop_map(String::from), 0.0..=60.0_f64, 0..3);
    (metrics, weights).prop_map(|(metrics, group_weights)| {
        let mut config = JudgeConfig {
            metrics: Vec::new(),
            group_weights,
        };
        let mut sets = Vec::new();
        for (index, (spec, baseline, canary)) in metrics.into_iter().enumerate() {
            let name = format!("metric {index}");
            config.metrics.push(MetricSpec {
                name: name.clone(),
                ..spec
            });
            sets.push(MetricSetPair {
                id: name.clone(),
                name,
                tags: BTreeMap::new(),
                baseline,
                canary,
            });
        }
        (config, sets)
    })
}

fn judge(config: &JudgeConfig, sets: &[MetricSetPair]) -> Judgement {
    NetflixAcaJudge.judge(&JudgeInput::new(config, Thresholds::default(), sets).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_judgement_is_whole_finite_and_repeatable((config, sets) in canary()) {
        let judgement = judge(&config, &sets);
        prop_assert_eq!(judgement.results.len(), sets.len());
        prop_assert!(judgement.score.is_finite());
        prop_assert!((0.0..=1.0).contains(&judgement.coverage));
        prop_assert!(judgement.decided_score.is_none_or(|score| (0.0..=100.0).contains(&score)));
        for result in &judgement.results {
            if let Some(shift) = result.shift {
                prop_assert!(shift.estimate.is_finite() && shift.low.is_finite() && shift.high.is_finite());
            }
            prop_assert!(result.ratio.is_none_or(f64::is_finite) && result.effect.is_none_or(f64::is_finite));
            for stats in [result.baseline.stats, result.canary.stats] {
                prop_assert!([stats.min, stats.max, stats.mean, stats.std].into_iter().flatten().all(|number| !number.is_nan()));
            }
        }
        let written = serde_json::to_string(&judgement).unwrap();
        prop_assert_eq!(&written, &serde_json::to_string(&judge(&config, &sets)).unwrap());
        prop_assert_eq!(serde_json::from_str::<Judgement>(&written).unwrap(), judgement);
    }

    #[test]
    fn the_verdict_is_never_better_than_the_scores_own_label((config, sets) in canary()) {
        let judgement = judge(&config, &sets);
        match judgement.verdict {
            Verdict::Pass => prop_assert_eq!(judgement.label, ScoreLabel::Pass),
            Verdict::Marginal => prop_assert_ne!(judgement.label, ScoreLabel::Fail),
            Verdict::Fail | Verdict::Inconclusive => {}
        }
    }

    #[test]
    fn a_critical_metric_that_is_undecided_never_passes((config, sets) in canary()) {
        let judgement = judge(&config, &sets);
        let doubt = |result: &coalmine_judges::judgement::MetricResult| result.counted() && result.spec.critical && !result.classification.decided();
        if judgement.results.iter().any(doubt) {
            prop_assert!(matches!(judgement.verdict, Verdict::Fail | Verdict::Inconclusive));
        }
    }

    #[test]
    fn a_muted_metric_changes_nothing_but_its_own_row((config, sets) in canary(), baseline in series(), canary in series()) {
        let without = judge(&config, &sets);
        let (mut config, mut sets) = (config, sets);
        config.metrics.push(MetricSpec { muted: true, critical: true, ..MetricSpec::new("silent", ["a"]) });
        sets.push(MetricSetPair { id: "silent".into(), name: "silent".into(), tags: BTreeMap::new(), baseline, canary });
        let with = judge(&config, &sets);
        prop_assert_eq!((with.score, with.verdict, with.coverage), (without.score, without.verdict, without.coverage));
        prop_assert_eq!(&with.results[..without.results.len()], &without.results[..]);
    }

    #[test]
    fn what_would_have_changed_the_verdict_can_always_be_told((config, sets) in canary(), limit in 0_usize..10) {
        let judgement = judge(&config, &sets);
        let found = what_if::explore(&judgement, limit);
        prop_assert!(found.len() <= limit);
        prop_assert!(found.iter().all(|what_if| what_if.score.is_finite()));
    }
}
