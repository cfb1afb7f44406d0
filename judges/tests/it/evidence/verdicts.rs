//! What becomes of a canary whose metrics are answered.

use coalmine_judges::config::MetricSpec;
use coalmine_judges::config::evidence::Allowance;
use coalmine_judges::evidence::result::EvidenceReason;
use coalmine_judges::judgement::{Classification, Verdict, VerdictReason};

use super::noise::Chance;
use super::stories::{Story, finding, noise, spec};

#[test]
fn an_ordinary_high_caps_the_verdict_and_a_critical_one_fails_it() {
    let named = |name: &str| MetricSpec::new(name, ["all"]);
    let story = |critical: bool| {
        let bad = MetricSpec {
            critical,
            ..named("bad")
        };
        (1..30).fold(
            Story::default().metric(
                bad,
                &noise(1, 60, 100.0, 0.05, 0.0),
                &noise(2, 60, 140.0, 0.05, 0.0),
            ),
            |story, i| {
                story.metric(
                    named(&format!("good{i}")),
                    &noise(100 + i, 60, 100.0, 0.05, 0.0),
                    &noise(200 + i, 60, 100.0, 0.05, 0.0),
                )
            },
        )
    };
    let capped = story(false).judge();
    assert_eq!(
        (capped.verdict, &capped.reason),
        (
            Verdict::Marginal,
            &VerdictReason::MetricFailed { result: 0 }
        ),
        "{capped:?}"
    );
    assert!(capped.score > 95.0);
    assert_eq!(story(true).judge().verdict, Verdict::Fail);
}

#[test]
fn what_cannot_be_decided_lowers_the_coverage_and_never_raises_the_score() {
    let named = |name: &str| MetricSpec::new(name, ["all"]);
    let good = |story: Story, i: u64| {
        story.metric(
            named(&format!("good{i}")),
            &noise(100 + i, 60, 100.0, 0.05, 0.0),
            &noise(200 + i, 60, 100.0, 0.05, 0.0),
        )
    };
    let missing = (0..3).fold(Story::default(), good).metric(
        named("gone"),
        &noise(1, 60, 100.0, 0.05, 0.0),
        &[],
    );
    let judgement = missing.judge();
    assert_eq!(
        (judgement.verdict, &judgement.reason),
        (Verdict::Inconclusive, &VerdictReason::TooLittleDecided)
    );
    assert!(
        (judgement.coverage - 0.75).abs() < 1e-9 && judgement.score == 100.0,
        "{judgement:?}"
    );
}

#[test]
fn a_tolerance_of_its_own_counts() {
    let story = |tolerance: f64| {
        let mut spec = spec();
        spec.evidence.tolerance = Allowance::ratio(tolerance);
        Story::default().metric(
            spec,
            &noise(1, 60, 100.0, 0.03, 0.0),
            &noise(2, 60, 107.0, 0.03, 0.0),
        )
    };
    story(0.05).first(Classification::High);
    story(0.1).first(Classification::Pass);
}

#[test]
fn a_canary_that_got_the_wrong_share_of_traffic_has_no_verdict_on_its_events() {
    let mut chance = Chance(8);
    let mut events = |rate: f64| (0..60).map(|_| chance.poisson(rate)).collect::<Vec<f64>>();
    let (requests, fewer) = (events(1_000.0), events(600.0));
    let (errors, same) = (events(10.0), events(10.0));
    let mut per_request = MetricSpec::new("rate", ["all"]);
    per_request.evidence.denominator = Some("requests".to_owned());
    let story = |canary: &[f64]| {
        Story::default()
            .metric(spec(), &errors, &same)
            .metric(per_request.clone(), &errors, &same)
            .metric(MetricSpec::new("requests", ["traffic"]), &requests, canary)
    };
    let result = story(&fewer).first(Classification::Inconclusive);
    let EvidenceReason::TrafficSplit { found, expected } = finding(&result) else {
        panic!("{result:?}")
    };
    assert!((found - 0.375).abs() < 0.01 && expected == 0.5);
    assert_eq!(
        story(&fewer).judge().results[1].classification,
        Classification::High
    );
    story(&requests).first(Classification::Pass);
}
