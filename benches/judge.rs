//! How fast the compatible judge and the rank statistics are, beside the time of sorting the same points.
//!
//! `cargo bench --bench judge` ends with a table. Machines differ, so the ratio to `sort_unstable` in the same run is what
//! to compare; docs/architecture.md states the numbers to hold.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints and may stop"
)]

use std::hint::black_box;
use std::path::PathBuf;

use coalmine_judges::config::{JudgeConfig, MetricSpec, Thresholds};
use coalmine_judges::judge::{Judge, JudgeInput};
use coalmine_judges::judges::netflix_aca::NetflixAcaJudge;
use coalmine_judges::sample::Sample;
use coalmine_judges::series::{MetricSetPair, Series};
use coalmine_judges::stats::hodges_lehmann::shift_interval_with;
use coalmine_judges::stats::ranks::RankCounts;
use criterion::{BatchSize, Criterion};

const SIZES: [usize; 4] = [60, 1_000, 10_000, 100_000];

/// Metrics of one judgement, so that what a judgement costs once is shared as in a real canary.
const METRICS: usize = 10;

/// Different inputs that the measured code sees in turn, so that the branch predictor cannot learn one of them.
const INPUTS: usize = 64;

/// A seeded stream of numbers that look like latencies: `100 + 15·noise`, the canary 3 % higher. The noise is the sum of
/// twelve uniform numbers, which is close to normal.
struct Points(u64);

impl Points {
    fn uniform(&mut self) -> f64 {
        // SplitMix64 (Steele, Lea & Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn side(&mut self, size: usize, level: f64) -> Vec<f64> {
        (0..size)
            .map(|_| {
                let noise: f64 = (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0;
                level + 15.0 * noise
            })
            .collect()
    }
}

fn inputs(size: usize) -> Vec<(Vec<f64>, Vec<f64>)> {
    let mut points = Points(size as u64);
    let count = (INPUTS * 1_000 / size).clamp(2, INPUTS);
    (0..count)
        .map(|_| (points.side(size, 100.0), points.side(size, 103.0)))
        .collect()
}

const SORT: &str = "sort both sides";
const RANKS: &str = "ranks, shift and exact interval";
const JUDGE: &str = "compatible judge, ten metrics";

fn bench(criterion: &mut Criterion, size: usize) {
    let mut group = criterion.benchmark_group(size.to_string());
    let inputs = inputs(size);
    let mut turn = inputs.iter().cycle();
    group.bench_function(SORT, |bencher| {
        bencher.iter_batched(
            || turn.next().unwrap().clone(),
            |(mut baseline, mut canary)| {
                baseline.sort_unstable_by(f64::total_cmp);
                canary.sort_unstable_by(f64::total_cmp);
                (baseline, canary)
            },
            BatchSize::SmallInput,
        );
    });
    let mut turn = inputs.iter().cycle();
    group.bench_function(RANKS, |bencher| {
        bencher.iter_batched(
            || turn.next().unwrap().clone(),
            |(baseline, canary)| {
                let (x, y) = (Sample::new(canary).unwrap(), Sample::new(baseline).unwrap());
                let counts = RankCounts::of(&x, &y);
                (counts, shift_interval_with(&x, &y, &counts, 0.98))
            },
            BatchSize::SmallInput,
        );
    });
    let specs = (0..METRICS).map(|metric| MetricSpec::new(format!("metric {metric}"), ["g"]));
    let config = JudgeConfig {
        metrics: specs.collect(),
        ..JudgeConfig::default()
    };
    let pair = |(metric, (baseline, canary)): (usize, &(Vec<f64>, Vec<f64>))| MetricSetPair {
        name: format!("metric {metric}"),
        id: format!("metric {metric}"),
        tags: Default::default(),
        baseline: Series::untimed(baseline.iter().copied()),
        canary: Series::untimed(canary.iter().copied()),
    };
    let judgements = inputs.len().div_ceil(METRICS);
    let sets: Vec<Vec<MetricSetPair>> = (0..judgements)
        .map(|judgement| {
            let shifted = inputs.iter().cycle().skip(judgement * METRICS);
            shifted.take(METRICS).enumerate().map(pair).collect()
        })
        .collect();
    let mut turn = sets.iter().cycle();
    group.bench_function(JUDGE, |bencher| {
        bencher.iter_batched(
            || turn.next().unwrap(),
            |sets| {
                let input = JudgeInput::new(&config, Thresholds::default(), sets).unwrap();
                NetflixAcaJudge.judge(black_box(&input))
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// Median of a measured function in microseconds, as the harness stored it; `None` when a filter left it out.
fn median_us(size: usize, name: &str) -> Option<f64> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let file = target
        .join("criterion")
        .join(size.to_string())
        .join(name)
        .join("new/estimates.json");
    let estimates: serde_json::Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    Some(estimates["median"]["point_estimate"].as_f64()? / 1_000.0)
}

fn print_table() {
    println!(
        "\n{:>8}  {:<34} {:>12} {:>10}",
        "points", "what", "median, µs", "× sorting"
    );
    for size in SIZES {
        let rows = [
            (SORT, SORT, 1),
            (RANKS, RANKS, 1),
            (JUDGE, "compatible judge, a metric", METRICS),
        ];
        for (name, title, metrics) in rows {
            if let (Some(median), Some(sorting)) = (median_us(size, name), median_us(size, SORT)) {
                let median = median / metrics as f64;
                println!(
                    "{size:>8}  {title:<34} {median:>12.1} {:>10.1}",
                    median / sorting
                );
            }
        }
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(std::time::Duration::from_millis(500))
        .measurement_time(std::time::Duration::from_secs(2))
        .configure_from_args();
    for size in SIZES {
        bench(&mut criterion, size);
    }
    criterion.final_summary();
    print_table();
}
