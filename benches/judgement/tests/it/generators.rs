//! The generators: the same for the same name, and with the moments that they promise.

use coalmine_benchmark::catalogue;
use coalmine_benchmark::chance::Chance;
use coalmine_benchmark::contender::Contender;
use coalmine_benchmark::generate::Past;
use coalmine_benchmark::generate::count::{Count, Process};
use coalmine_benchmark::generate::gauge::{Change, Gauge};
use coalmine_benchmark::generate::load::Load;
use coalmine_benchmark::generate::noise::Noise;
use coalmine_benchmark::run::run;

const DRAWS: usize = 40_000;

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / values.len() as f64
}

fn draws(name: &str, mut draw: impl FnMut(&mut Chance) -> f64) -> Vec<f64> {
    let mut chance = Chance::of(name, 0);
    (0..DRAWS).map(|_| draw(&mut chance)).collect()
}

/// Mean and variance within five standard errors, taken from the values themselves.
fn check(name: &str, values: &[f64], expected_mean: f64, expected_variance: f64) {
    let (mean, variance) = (mean(values), variance(values));
    let count = values.len() as f64;
    let fourth = values
        .iter()
        .map(|value| (value - mean).powi(4))
        .sum::<f64>()
        / count;
    let mean_error = (variance / count).sqrt();
    let variance_error = ((fourth - variance * variance) / count).sqrt();
    assert!(
        (mean - expected_mean).abs() < 5.0 * mean_error,
        "{name}: mean {mean}, not {expected_mean}"
    );
    assert!(
        (variance - expected_variance).abs() < 5.0 * variance_error,
        "{name}: variance {variance}, not {expected_variance}"
    );
}

#[test]
fn distributions_have_the_moments_that_they_promise() {
    check(
        "uniform",
        &draws("uniform", Chance::uniform),
        0.5,
        1.0 / 12.0,
    );
    check("normal", &draws("normal", Chance::normal), 0.0, 1.0);
    for shape in [0.4, 1.0, 5.0] {
        check(
            "gamma",
            &draws("gamma", |chance| chance.gamma(shape)),
            shape,
            shape,
        );
    }
    for rate in [0.05, 3.0, 50.0] {
        check(
            "poisson",
            &draws("poisson", |chance| chance.poisson(rate) as f64),
            rate,
            rate,
        );
    }
    check(
        "binomial",
        &draws("binomial", |chance| chance.binomial(40, 0.3) as f64),
        12.0,
        8.4,
    );
    check(
        "geometric",
        &draws("geometric", |chance| chance.geometric(10.0) as f64),
        10.0,
        90.0,
    );
    check(
        "t(8)",
        &draws("t", |chance| chance.student_t(8.0)),
        0.0,
        8.0 / 6.0,
    );
    check(
        "chosen",
        &draws("choose", |chance| chance.choose(1, 4)[0] as f64),
        1.5,
        1.25,
    );
}

#[test]
fn numbers_at_the_ends_of_their_range_are_no_surprise() {
    let mut chance = Chance::of("ends", 0);
    assert_eq!(chance.poisson(0.0), 0);
    assert_eq!(chance.poisson(-1.0), 0);
    assert_eq!(chance.binomial(10, 0.0), 0);
    assert_eq!(chance.binomial(10, 1.0), 10);
    assert_eq!(chance.geometric(1.0), 1);
    assert_eq!(chance.below(0), 0);
    assert_eq!(chance.choose(9, 3), [0, 1, 2]);
}

#[test]
fn noise_keeps_of_a_deviation_what_it_says() {
    for rho in [0.0, 0.3, 0.6, 0.9] {
        let noise = Noise::ar(rho).deviations(DRAWS, &mut Chance::of("noise", 0));
        let both = noise
            .windows(2)
            .map(|pair| pair[0] * pair[1])
            .collect::<Vec<f64>>();
        let found = mean(&both) / variance(&noise);
        assert!((found - rho).abs() < 0.03, "{found}, not {rho}");
    }
    // Scaled to the quartiles of a normal variable: half of the points lie within 0.6745.
    let mut student = Noise::STUDENT.deviations(DRAWS, &mut Chance::of("student", 0));
    student.sort_by(f64::total_cmp);
    assert!(
        (student[DRAWS * 3 / 4] - 0.6745).abs() < 0.02,
        "{}",
        student[DRAWS * 3 / 4]
    );
    let heavy = Noise::heavy(0.6).deviations(DRAWS, &mut Chance::of("heavy", 0));
    assert!((variance(&heavy) - 1.0).abs() < 0.1);
}

#[test]
fn both_sides_and_the_past_share_the_load_and_nothing_else() {
    let gauge = Gauge::healthy(0.01)
        .load(Load::Wandering)
        .past(Past::REPLICAS_12_H);
    let points = gauge.points(&mut Chance::of("shared", 0));
    let ratio =
        |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a / b).collect() };
    for ratios in [
        ratio(&points.canary, &points.baseline),
        ratio(&points.past[0], &points.past[1]),
    ] {
        assert!((mean(&ratios) - 1.0).abs() < 0.01);
        assert!(variance(&ratios) < 0.0004 && variance(&ratios) > 0.00001);
    }
    assert!(variance(&points.past[0]) > 100.0, "the load does not move");
    assert_eq!((points.past[0].len(), points.canary.len()), (720, 60));
}

#[test]
fn a_change_is_done_to_the_canary_alone() {
    let changed = |change| {
        let gauge = Gauge::healthy(1e-6).change(change);
        let points = gauge.points(&mut Chance::of("changed", 0));
        assert!(
            points
                .baseline
                .iter()
                .all(|value| (value - 100.0).abs() < 0.01)
        );
        points.canary
    };
    let count = |values: &[f64], level: f64| {
        values
            .iter()
            .filter(|value| (*value / level - 1.0).abs() < 1e-3)
            .count()
    };
    assert_eq!(count(&changed(Change::None), 100.0), 60);
    assert_eq!(count(&changed(Change::Step(1.1)), 110.0), 60);
    let late = changed(Change::LateStep(1.5));
    assert_eq!(
        (count(&late[..30], 100.0), count(&late[30..], 150.0)),
        (30, 30)
    );
    let tail = changed(Change::Tail(0.15, 10.0));
    assert_eq!((count(&tail, 1000.0), count(&tail, 100.0)), (9, 51));
    let bimodal = changed(Change::Bimodal(0.5));
    assert_eq!((count(&bimodal, 150.0), count(&bimodal, 50.0)), (30, 30));
    let ramp = changed(Change::Ramp(1.6));
    assert_eq!(
        (count(&ramp[..1], 100.0), count(&ramp[59..], 160.0)),
        (1, 1)
    );
}

#[test]
fn events_come_at_their_rate_and_in_their_manner() {
    let (rate, minutes) = (10.0, 20_000);
    for (process, dispersion) in [
        (Process::Poisson, 1.0),
        (Process::OwnGamma(1.0), 11.0),
        // Compound: mean of the squared size over the mean size, 190 / 10.
        (Process::Bursts(10.0), 19.0),
    ] {
        let count = Count {
            minutes,
            ..Count::healthy(rate).process(process)
        };
        let points = count.points(0, &mut Chance::of("events", 0));
        let found = variance(&points.canary) / mean(&points.canary);
        assert!((mean(&points.canary) - rate).abs() < 0.5, "{process:?}");
        assert!(
            (found / dispersion - 1.0).abs() < 0.1,
            "{process:?}: {found}, not {dispersion}"
        );
    }
}

#[test]
fn the_same_name_and_run_make_the_same_canary_on_every_machine() {
    let bits: Vec<u64> = {
        let mut chance = Chance::of("golden", 3);
        vec![
            chance.uniform().to_bits(),
            chance.normal().to_bits(),
            chance.gamma(0.7).to_bits(),
            chance.poisson(30.0),
            chance.geometric(5.0),
        ]
    };
    // Written down once; whoever changes what is drawn raises `VERSION` in `chance.rs` and writes down the new ones.
    assert_eq!(bits, GOLDEN);
    let other = Chance::of("golden", 4).uniform().to_bits();
    assert_ne!(bits[0], other);
}

const GOLDEN: [u64; 5] = [
    4_579_048_686_453_207_392,
    13_829_416_815_939_509_418,
    4_587_023_441_472_562_949,
    31,
    1,
];

#[test]
fn what_comes_out_does_not_depend_on_the_number_of_threads() {
    let mut scenarios = catalogue::all();
    scenarios.retain(|scenario| scenario.name.contains("AR(0.6), CV 20 %"));
    assert!(scenarios.len() > 10);
    let contenders = [Contender::netflix_aca()];
    let with = |threads| run(&scenarios, &contenders, 120, threads, &|_, _, _| {});
    assert_eq!(with(1), with(3));
}

#[test]
fn every_scenario_has_a_name_of_its_own_and_makes_whole_canaries() {
    let mut scenarios = catalogue::all();
    for scenario in &scenarios {
        let case = scenario.case(1);
        assert!(!case.sets.is_empty(), "{}", scenario.name);
        assert_eq!(
            case.sets.len(),
            case.config.metrics.len(),
            "{}",
            scenario.name
        );
        assert_eq!(
            case.sets.len(),
            case.smallest_visible.len(),
            "{}",
            scenario.name
        );
        for set in &case.sets {
            assert!(
                set.baseline.missing() < set.baseline.len(),
                "{}",
                scenario.name
            );
            assert!(set.canary.missing() < set.canary.len(), "{}", scenario.name);
        }
        if let Some(healthy) = &scenario.matched_with {
            assert!(
                scenarios
                    .iter()
                    .any(|other| other.name == *healthy && !other.faulty),
                "{healthy}"
            );
        }
    }
    let count = scenarios.len();
    scenarios.sort_by(|a, b| a.name.cmp(&b.name));
    scenarios.dedup_by(|a, b| a.name == b.name);
    assert_eq!(scenarios.len(), count);
}

#[test]
fn the_recorded_windows_are_all_there() {
    let scenarios = catalogue::all();
    let runs = |name: &str| {
        let scenario = scenarios
            .iter()
            .find(|scenario| scenario.name == name)
            .unwrap();
        scenario.runs(u64::MAX)
    };
    assert_eq!(runs("recorded: clean, no history"), 468);
    assert_eq!(runs("recorded: CPU faults, no history"), 19);
    assert_eq!(
        runs("recorded: network, return and exception faults, no history"),
        17
    );
}
