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

/// Rounds through all canaries; the median round counts.
const ROUNDS: usize = 31;

/// Median times in microseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Times {
    /// Sorting both sides of one metric, copying included.
    pub sorting: f64,
    /// Judging one gauge metric, for each contender.
    pub metric: Vec<f64>,
}

/// Measures on one thread; takes well under a second in a release build.
#[must_use]
pub fn measure(contenders: &[Contender]) -> Times {
    let cases: Vec<Case> = (0..CANARIES).map(canary).collect();
    let sorting = median_round(|| {
        for case in &cases {
            for set in &case.sets {
                for side in [&set.baseline, &set.canary] {
                    let mut values: Vec<f64> = side.present().collect();
                    values.sort_unstable_by(f64::total_cmp);
                    black_box(values);
                }
            }
        }
    });
    let metric = contenders
        .iter()
        .map(|contender| {
            median_round(|| {
                for case in &cases {
                    black_box(contender.answer(black_box(case)));
                }
            })
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

/// Microseconds for one metric of the median round.
#[expect(
    clippy::disallowed_methods,
    reason = "measuring time needs a clock; nothing else here has one"
)]
fn median_round(mut round: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            round();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    times[ROUNDS / 2] * 1e6 / (CANARIES as f64 * METRICS as f64)
}
