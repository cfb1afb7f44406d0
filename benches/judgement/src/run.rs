//! Runs scenarios on several threads. What comes out does not depend on how many there are.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::contender::Contender;
use crate::scenario::{Scenario, Trial, UNITS};
use crate::tally::Tally;

/// Runs that are done at a stretch.
const STRETCH: u64 = 50;

/// A stretch of one scenario's runs.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    scenario: usize,
    first: u64,
    end: u64,
}

/// Told after each stretch, from any thread: how much of how much work is done, in no unit, and what was worked on.
pub type Progress<'a> = dyn Fn(u64, u64, &str) + Sync + 'a;

/// Runs each scenario `runs` times for each contender: the tallies of each scenario, in the order of the contenders.
///
/// A thread that panics, because a judge does, lets the panic through when all others are done.
#[must_use]
pub fn run(
    scenarios: &[Scenario],
    contenders: &[Contender],
    runs: u64,
    threads: usize,
    progress: &Progress<'_>,
) -> Vec<Vec<Tally>> {
    let stretches = stretches(scenarios, runs);
    let work: Vec<u64> = scenarios.iter().map(work).collect();
    let whole: u64 = stretches
        .iter()
        .map(|stretch| work[stretch.scenario] * (stretch.end - stretch.first))
        .sum();
    let next = AtomicUsize::new(0);
    let done = Mutex::new((0_u64, BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some(stretch) = stretches.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let scenario = &scenarios[stretch.scenario];
                    let tallies = tallies(scenario, contenders, *stretch);
                    let mut done = match done.lock() {
                        Ok(done) => done,
                        Err(poisoned) => poisoned.into_inner(),
                    };
                    done.0 += work[stretch.scenario] * (stretch.end - stretch.first);
                    done.1.insert((stretch.scenario, stretch.first), tallies);
                    progress(done.0, whole, &scenario.name);
                }
            });
        }
    });
    let (_, parts) = match done.into_inner() {
        Ok(done) => done,
        Err(poisoned) => poisoned.into_inner(),
    };
    let mut whole = vec![vec![Tally::default(); contenders.len()]; scenarios.len()];
    for ((scenario, _), tallies) in parts {
        for (sum, part) in whole[scenario].iter_mut().zip(&tallies) {
            sum.append(part);
        }
    }
    whole
}

fn stretches(scenarios: &[Scenario], runs: u64) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    for (scenario, what) in scenarios.iter().enumerate() {
        let runs = what.runs(runs);
        let mut first = 0;
        while first < runs {
            let end = (first + STRETCH).min(runs);
            stretches.push(Stretch {
                scenario,
                first,
                end,
            });
            first = end;
        }
    }
    stretches
}

fn tallies(scenario: &Scenario, contenders: &[Contender], stretch: Stretch) -> Vec<Tally> {
    let mut tallies = vec![Tally::default(); contenders.len()];
    for run in stretch.first..stretch.end {
        let case = scenario.case(run);
        for (tally, contender) in tallies.iter_mut().zip(contenders) {
            tally.add(scenario, contender, &case);
        }
    }
    tallies
}

/// How much work a run is, about: points that are judged, and a tenth for each point of the past.
fn work(scenario: &Scenario) -> u64 {
    let case = scenario.case(0);
    let metrics = case.sets.len() as u64;
    let minutes = case.minutes() as u64;
    let past: usize = case.history.iter().map(|past| past.series.len()).sum();
    let looks = match scenario.trial {
        Trial::Once => 1,
        Trial::EveryMinute => minutes.div_ceil(2),
        Trial::Disguised(_) => 1 + UNITS.len() as u64,
    };
    metrics * minutes * looks + past as u64 / 10
}
