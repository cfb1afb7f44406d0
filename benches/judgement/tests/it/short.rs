//! The short form of the benchmark: every required number in so few runs that it fits into the tests.
//!
//! A number fails where a judge that just reaches it would come out so far on the wrong side in less than one of 10,000
//! benchmarks. As the seeds are fixed, the outcome is too: it fails because of the judge and not by chance.

use coalmine_benchmark::catalogue;
use coalmine_benchmark::contender::Contender;
use coalmine_benchmark::run::run;
use coalmine_benchmark::scenario::{Scenario, Trial};
use coalmine_judges::judge::Judge;
use coalmine_judges::judges::netflix_aca::NetflixAcaJudge;

use crate::broken;

/// Probability of a measured number that is no excuse any more.
const EXCUSABLE: f64 = 1e-4;

/// Runs of scenarios that are asked once, that are watched, and that are disguised.
#[derive(Clone, Copy)]
struct Size {
    once: u64,
    watched: u64,
    disguised: u64,
}

/// What the tests of a judge that works can afford.
const SHORT: Size = Size {
    once: 60,
    watched: 10,
    disguised: 12,
};

/// Enough for what is broken.
const TINY: Size = Size {
    once: 30,
    watched: 4,
    disguised: 8,
};

/// For each judge the required numbers that it cannot be squared with, as `scenario: measure bound`; of the scenarios whose
/// name starts with one of `of`.
fn missed(contenders: &[Contender], size: Size, of: &[&str]) -> Vec<Vec<String>> {
    let of_trial = |trial: fn(Trial) -> bool| {
        let mut scenarios = catalogue::required();
        scenarios.retain(|scenario| {
            trial(scenario.trial) && of.iter().any(|name| scenario.name.starts_with(name))
        });
        scenarios
    };
    let parts: [(Vec<Scenario>, u64); 3] = [
        (of_trial(|trial| trial == Trial::Once), size.once),
        (of_trial(|trial| trial == Trial::EveryMinute), size.watched),
        (
            of_trial(|trial| matches!(trial, Trial::Disguised(_))),
            size.disguised,
        ),
    ];
    let mut missed = vec![Vec::new(); contenders.len()];
    for (scenarios, runs) in parts {
        assert!(!scenarios.is_empty());
        let tallies = run(&scenarios, contenders, runs, 2, &|_, _, _| {});
        for (scenario, tallies) in scenarios.iter().zip(&tallies) {
            for (goal, judge) in scenario
                .goals
                .iter()
                .flat_map(|goal| (0..contenders.len()).map(move |judge| (goal, judge)))
            {
                let rate = tallies[judge].rate(goal.measure);
                if goal.bound.excuse(rate) < EXCUSABLE {
                    missed[judge].push(format!(
                        "{}: {}, found {} of {}",
                        scenario.name,
                        goal.words(),
                        rate.hits,
                        rate.of
                    ));
                }
            }
        }
    }
    missed
}

/// Whether something that starts with `scenario` was missed.
fn names(missed: &[String], scenario: &str) -> bool {
    missed.iter().any(|line| line.starts_with(scenario))
}

/// Names of scenarios whose numbers are not reached yet; whoever reaches one takes it out.
const NOT_YET: [&str; 3] = [
    // One live series tells too little of noise that is nearly a random walk: 15 % of 60 runs at a tolerance of 5 %.
    "healthy: AR(0.9), 12 h of the live cluster",
    // Nor does it tell a load that both sides share from noise that they do not: 8 % of 60 runs.
    "passing: CV 20 %, AR(0.6), 12 h of the live cluster",
    // 76 % of 300 runs.
    "faulty: errors, 1 a minute, flat load, × 10 in 6 minutes",
];

/// Of the watched scenarios those that the short form has time for.
const WATCHED: [&str; 7] = [
    "watched, healthy: AR(0.3), no history",
    "watched, healthy: AR(0.6), 12 h of the live cluster",
    "watched, healthy: AR(0.9), 12 h of two replicas",
    "watched, healthy: heavy-tailed AR(0.9), 12 h of two replicas",
    "watched, events, 20 a minute on both sides together, each side's own gamma(1): no change",
    "watched, events, 20 a minute on both sides together, each side's own bursts of 10: no change",
    "watched, events, 200 a minute on both sides together, each side's own bursts of 10: no change",
];

#[test]
fn judges_that_the_numbers_are_about_hold_them() {
    let mut contenders = Contender::all();
    contenders.retain(Contender::is_required);
    assert!(!contenders.is_empty());
    let of = ["healthy: ", "passing: ", "faulty: ", "same: "]
        .into_iter()
        .chain(WATCHED)
        .collect::<Vec<&str>>();
    for (contender, mut missed) in contenders.iter().zip(missed(&contenders, SHORT, &of)) {
        let name = contender.name();
        missed.retain(|line| !NOT_YET.iter().any(|known| line.starts_with(known)));
        assert!(missed.is_empty(), "{name} misses:\n{}", missed.join("\n"));
    }
}

/// A judge with scenarios that it must be caught at, and others that it must not.
type Suspect = (
    Box<dyn Judge>,
    &'static [&'static str],
    &'static [&'static str],
);

#[test]
fn a_broken_judge_is_seen() {
    const UNITS: &str = "same: twelve units from 1e-8 to 1e6, no history";
    const TWICE: &str = "same: asked twice, no history";
    const MIRROR: &str = "same: sides and limits exchanged, no history";
    const WATCHED_HEALTHY: &str = "watched, healthy: independent noise, no history";
    const HEALTHY: &str = "healthy: independent noise, no history";
    const PASSING: &str = "passing: CV 5 %, independent noise";
    let suspects: [Suspect; 7] = [
        (
            broken::alarmist(),
            &[HEALTHY, PASSING, WATCHED_HEALTHY],
            &["faulty: +", "faulty: errors", TWICE],
        ),
        (
            broken::sleeper(),
            &["faulty: +", "faulty: errors, 1 "],
            &[HEALTHY, PASSING, WATCHED_HEALTHY],
        ),
        (
            broken::silent(),
            &["faulty: +"],
            &[HEALTHY, WATCHED_HEALTHY],
        ),
        (
            broken::bound_to_a_unit(),
            &[UNITS, WATCHED_HEALTHY],
            &[TWICE],
        ),
        (
            broken::one_eyed(),
            &[MIRROR, WATCHED_HEALTHY],
            &[UNITS, TWICE],
        ),
        (broken::fickle(), &[TWICE], &[]),
        // It is known where Kayenta's judge does not reach the numbers.
        (
            Box::new(NetflixAcaJudge),
            &[
                "healthy: AR(0.6), no history",
                "faulty: errors, 1 ",
                "faulty: spread × 3, CV 5 %",
                UNITS,
            ],
            &[HEALTHY, PASSING, TWICE],
        ),
    ];
    let of: Vec<&str> = suspects
        .iter()
        .flat_map(|(_, wrong, right)| wrong.iter().chain(right.iter()).copied())
        .collect();
    let (judges, expected): (Vec<_>, Vec<_>) = suspects
        .into_iter()
        .map(|(judge, wrong, right)| (Contender::required(judge), (wrong, right)))
        .unzip();
    let missed = missed(&judges, TINY, &of);
    for ((judge, (wrong, right)), missed) in judges.iter().zip(expected).zip(missed) {
        let name = judge.name();
        for scenario in wrong {
            assert!(
                names(&missed, scenario),
                "{name} should miss `{scenario}`: {missed:#?}"
            );
        }
        for scenario in right {
            assert!(
                !names(&missed, scenario),
                "{name} should not miss `{scenario}`: {missed:#?}"
            );
        }
    }
}
