//! What judging costs. The only part of the benchmark that reads a clock.

use std::hint::black_box;
use std::time::Instant;

use crate::case::{Case, Wish};
use crate::catalogue::CVS;
use crate::chance::Chance;
use crate::contender::Contender;
use crate::generate::gauge::{Change, Gauge};
use crate::generate::load::Load;

/// What a gauge metric of 60 points a side may cost the judge that the numbers are about, in microseconds.
pub const MOST_MICROSECONDS: f64 = 25.0;

/// Sorting 60 points a side takes this long on the machine that [`MOST_MICROSECONDS`] is stated for.
pub const SORTING_MICROSECONDS: f64 = 1.0;

/// Metrics of one judgement, which share what a judgement costs once.
const METRICS: usize = 10;

/// Different canaries that are judged in turn, so that the branch predictor cannot learn one of them.
const CANARIES: u64 = 64;

/// Rounds through all canaries.
const ROUNDS: usize = 31;

/// Median times in microseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Times {
    /// Sorting both sides of one metric.
    pub sorting: f64,
    /// Judging one gauge metric, for each contender.
    pub metric: Vec<f64>,
}

/// Measures on one thread; takes well under a second in a release build.
#[must_use]
pub fn measure(contenders: &[Contender]) -> Times {
    let cases: Vec<Case> = (0..CANARIES).map(canary).collect();
    let points = |case: &Case| -> Vec<Vec<f64>> {
        let sides = case
            .sets
            .iter()
            .flat_map(|set| [&set.baseline, &set.canary]);
        sides.map(|side| side.present().collect()).collect()
    };
    let sorting = median(&cases, points, |mut sides| {
        for side in &mut sides {
            side.sort_unstable_by(f64::total_cmp);
        }
        black_box(&sides);
        sides
    });
    let metric = contenders
        .iter()
        .map(|contender| {
            median(
                &cases,
                |case| case,
                |case| contender.answer(black_box(case)),
            )
        })
        .collect();
    Times { sorting, metric }
}

/// Gauges of all loads and variations, half of them changed.
fn canary(run: u64) -> Case {
    let mut chance = Chance::of("timing", run);
    let mut case = Case::default();
    for index in 0..METRICS {
        let gauge =
            Gauge::healthy(CVS[index % CVS.len()]).load(Load::ALL[index / 2 % Load::ALL.len()]);
        let change = if index % 2 == 0 {
            Change::None
        } else {
            Change::Step(1.1)
        };
        let points = gauge.change(change).points(&mut chance);
        case.add(&format!("gauge {index}"), points, Wish::default());
    }
    case
}

/// Microseconds for one metric of the median canary; preparing and dropping do not count. Each canary is timed alone: what else runs on the machine interrupts few
/// of them, and the median does not see it.
#[expect(
    clippy::disallowed_methods,
    reason = "measuring time needs a clock; nothing else here has one"
)]
fn median<'a, T, U>(
    cases: &'a [Case],
    prepare: impl Fn(&'a Case) -> T,
    run: impl Fn(T) -> U,
) -> f64 {
    let rounds = (0..ROUNDS).flat_map(|_| cases);
    let mut times: Vec<f64> = rounds
        .map(|case| {
            let input = prepare(case);
            let start = Instant::now();
            let output = black_box(run(input));
            let time = start.elapsed();
            drop(output);
            time.as_secs_f64()
        })
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2] * 1e6 / METRICS as f64
}
