//! A real Prometheus that scrapes a generator while the program waits for enough of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::config;
use crate::cli::Folder;
use crate::real_prometheus::{RealPrometheus, Setup};
use crate::scripted_http::{Reply, ScriptedHttp};

/// Longest wait for the scrapes.
const BOUND: Duration = Duration::from_secs(60);

#[test]
fn live_canaries_are_judged_by_what_was_scraped_just_now() {
    let scrapes = AtomicU64::new(0);
    let generator = ScriptedHttp::start(move |_| {
        let mut chance = fastrand::Rng::with_seed(scrapes.fetch_add(1, Ordering::SeqCst));
        let mut page = String::from("# TYPE requests_ms gauge\n# TYPE errors gauge\n");
        for (version, from, to) in [("v1", 40, 44), ("v2", 39, 45), ("v3", 60, 62)] {
            let value = chance.u64(from..=to);
            page.push_str(&format!("requests_ms{{version=\"{version}\"}} {value}\n"));
            page.push_str(&format!(
                "errors{{version=\"{version}\"}} {}\n",
                chance.u64(3..=9)
            ));
        }
        Reply::new(200, page).with("Content-Type", "text/plain; version=0.0.4")
    });
    let target = generator.url().replace("http://", "");
    let prometheus = RealPrometheus::start(&Setup {
        config: Some(format!(
            "global: {{ scrape_interval: 500ms, scrape_timeout: 400ms }}\nscrape_configs:\n  - job_name: generator\n    static_configs: [{{ targets: ['{target}'] }}]\n"
        )),
        ..Setup::default()
    });
    let Some(prometheus) = prometheus else { return };
    let began = Instant::now();
    while generator.seen_at("/metrics").len() < 25 {
        assert!(began.elapsed() < BOUND, "no scrapes");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let folder = Folder::new().file(
        "web.yaml",
        config(", critical: true").replace("[1m]", "[2s]"),
    );
    let judge = |canary: &str| {
        let arguments = format!(
            "judge --prometheus {} --config web.yaml --baseline v1 --canary {canary} --lookback 10s --step 1s --format json",
            prometheus.url()
        );
        // The present of the machine, and not the one of other tests.
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_coalmine"))
            .args(arguments.split_whitespace())
            .current_dir(folder.path("."))
            .env_clear()
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let result: serde_json::Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{stderr}"));
        (output.status.code(), result["score"]["score"].as_f64())
    };
    assert_eq!(judge("v2"), (Some(0), Some(100.0)));
    assert_eq!(judge("v3"), (Some(1), Some(0.0)));
}
