//! How long it takes to fetch 200 metrics of both sides from a local Prometheus, and to judge them.
//!
//! `cargo bench --bench fetch` starts Debian's `prometheus` with an hour of data of its own, asks it as a judgement would, ten times
//! with nothing kept in between, and prints the times. To hold: less than 2 s.
#![allow(
    missing_docs,
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints and may stop, and uses a part of the tests' Prometheus"
)]

#[path = "../tests/it/real_prometheus.rs"]
mod real_prometheus;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use coalmine::analysis::collect::Collector;
use coalmine::analysis::judge_run::Analysis;
use coalmine::analysis::task::{Analyst, Task};
use coalmine::clock::SystemClock;
use coalmine::config::Strictness;
use coalmine::config::canary::load_wire;
use coalmine::model::scope::{Scope, ScopePair, Window};
use coalmine::sources::prometheus::{Account, PrometheusSource};
use coalmine::sources::{MetricSource, Sources};
use coalmine_judges::config::Thresholds;
use real_prometheus::{RealPrometheus, Setup};

const METRICS: usize = 200;
const ROUNDS: usize = 10;
/// `2024-05-01T12:00:00Z`.
const END_SECS: i64 = 1_714_564_800;

/// Two counters of errors and requests for each metric and version, a sample every 15 s.
fn data() -> String {
    let mut text = String::new();
    for metric in 0..METRICS {
        let mut chance = fastrand::Rng::with_seed(metric as u64);
        writeln!(text, "# TYPE m{metric} counter").unwrap();
        for version in ["v1", "v2"] {
            let mut total = 0;
            for at in (0..=3900).step_by(15) {
                total += chance.u64(90..=110);
                let time = END_SECS - 3900 + at;
                writeln!(
                    text,
                    "m{metric}_total{{version=\"{version}\"}} {total} {time}"
                )
                .unwrap();
            }
        }
    }
    text.push_str("# EOF\n");
    text
}

fn task() -> Task {
    let metrics: Vec<String> = (0..METRICS)
        .map(|metric| {
            format!(
                "{{name: m{metric}, groups: [g], scopeName: default, query: {{type: prometheus, customInlineTemplate: 'PromQL:sum(rate(m{metric}_total{{version=\"${{scope}}\"}}[2m]))'}}}}"
            )
        })
        .collect();
    let text = format!(
        "{{name: c, applications: [web], metrics: [{}], classifier: {{groupWeights: {{g: 100}}}}}}",
        metrics.join(", ")
    );
    let (config, _) = load_wire(&text, Strictness::Lenient).unwrap_or_else(|p| panic!("{p}"));
    let scope = |scope: &str| Scope {
        scope: scope.to_owned(),
        location: String::new(),
        window: Window::new((END_SECS - 3600) * 1000, END_SECS * 1000).unwrap(),
        step_secs: 60,
        parameters: BTreeMap::new(),
    };
    let pair = ScopePair {
        baseline: scope("v1"),
        canary: scope("v2"),
    };
    Task {
        application: "web".to_owned(),
        config: Arc::new(config),
        account: None,
        thresholds: Thresholds::default(),
        scopes: BTreeMap::from([("default".to_owned(), pair)]),
    }
}

fn main() {
    // `cargo test --benches` runs it too; there it only has to compile.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let setup = Setup {
        data: Some(data()),
        ..Setup::default()
    };
    let Some(prometheus) = RealPrometheus::start(&setup) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let task = task();
    let (mut fetching, mut judging) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let source: Arc<dyn MetricSource> =
            Arc::new(PrometheusSource::new(Account::new("local", prometheus.url())).unwrap());
        let sources = Arc::new(Sources::new(vec![("local".to_owned(), source)]));
        let analyst = Analysis::new(Arc::new(Collector::new(sources, Arc::new(SystemClock))));
        let began = Instant::now();
        let collected = runtime.block_on(analyst.collect(&task)).unwrap();
        fetching.push(began.elapsed());
        assert_eq!(collected.bundle.sets.len(), METRICS);
        assert!(
            collected
                .bundle
                .sets
                .iter()
                .all(|set| set.canary.len() >= 60)
        );
        let began = Instant::now();
        analyst.judge(&collected.bundle).unwrap();
        judging.push(began.elapsed());
    }
    println!(
        "{METRICS} metrics, both sides, 61 points each, from a local Prometheus, {ROUNDS} rounds"
    );
    for (what, times) in [("fetch", &mut fetching), ("judge", &mut judging)] {
        times.sort();
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        println!(
            "{what}: median {:.0} ms, slowest {:.0} ms",
            ms(times[ROUNDS / 2]),
            ms(times[ROUNDS - 1])
        );
    }
}
