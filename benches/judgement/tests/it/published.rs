//! The generators make what they say: the compatible judge comes out as it did in measurements of Kayenta's own classes and
//! rule, made with other generators, other chance and another language.

use coalmine_benchmark::catalogue;
use coalmine_benchmark::contender::Contender;
use coalmine_benchmark::run::run;

const RUNS: u64 = 400;

/// Share that was published, in how many runs, of the scenario.
const PUBLISHED: [(&str, f64, u64); 11] = [
    (
        "grid: flat load, independent noise, CV 20 %: no change",
        0.003,
        4_000,
    ),
    ("grid: flat load, AR(0.3), CV 20 %: no change", 0.024, 4_000),
    ("grid: flat load, AR(0.6), CV 20 %: no change", 0.12, 4_000),
    ("grid: flat load, AR(0.9), CV 20 %: no change", 0.465, 4_000),
    (
        "grid: flat load, independent noise, CV 20 %: +10 %",
        0.27,
        200,
    ),
    (
        "grid: flat load, independent noise, CV 20 %: +20 %",
        0.97,
        200,
    ),
    (
        "grid: flat load, independent noise, CV 40 %: +20 %",
        0.26,
        300,
    ),
    (
        "grid: flat load, independent noise, CV 20 %: +50 % from the middle on",
        0.9,
        200,
    ),
    (
        "grid: flat load, independent noise, CV 20 %: 15 % of the minutes × 10",
        0.03,
        200,
    ),
    (
        "grid: flat load, independent noise, CV 20 %: spread × 3",
        0.0,
        200,
    ),
    (
        "grid: flat load, independent noise, CV 20 %: bimodal ± 50 %",
        0.03,
        200,
    ),
];

#[test]
fn the_compatible_judge_comes_out_as_published() {
    let mut scenarios = catalogue::all();
    scenarios.retain(|scenario| PUBLISHED.iter().any(|(name, ..)| scenario.name == *name));
    assert_eq!(scenarios.len(), PUBLISHED.len());
    let tallies = run(
        &scenarios,
        &[Contender::netflix_aca()],
        RUNS,
        2,
        &|_, _, _| {},
    );
    for (name, published, of) in PUBLISHED {
        let index = scenarios
            .iter()
            .position(|scenario| scenario.name == name)
            .unwrap();
        let measured = tallies[index][0].flagged as f64 / RUNS as f64;
        // Four standard errors of a difference; a share near 0 or 1 is known to no more than three runs.
        let pooled = ((measured * RUNS as f64 + published * of as f64) / (RUNS + of) as f64)
            .clamp(3.0 / RUNS as f64, 1.0 - 3.0 / RUNS as f64);
        let error = (pooled * (1.0 - pooled) * (1.0 / RUNS as f64 + 1.0 / of as f64)).sqrt();
        assert!(
            (measured - published).abs() <= 4.0 * error,
            "{name}: {measured}, published {published}, standard error {error}"
        );
    }
}
