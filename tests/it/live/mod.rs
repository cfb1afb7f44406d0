//! Judging series of a metric store from the command line: the real Prometheus with known distributions, and a scripted one with
//! faults.

mod arguments;
mod faults;
mod fetching;
mod judging;
mod recipe;
mod scraped;
mod service;

use std::fmt::Write as _;

use crate::cli::Folder;
use crate::real_prometheus::{RealPrometheus, Setup};

/// `2024-05-01T12:00:00Z`, when the program of the tests runs.
pub(crate) const NOW_SECS: i64 = 1_714_564_800;

/// A series of gauges every 15 s over the last two hours; where `value` has none, the sample is missing. It gets the seconds since
/// the window of an hour begins, which is negative before.
pub(crate) fn gauge(text: &mut String, series: &str, value: impl Fn(i64) -> Option<f64>) {
    for at in (-3600..=3600).step_by(15) {
        if let Some(value) = value(at) {
            writeln!(text, "{series} {value} {}", NOW_SECS - 3600 + at).unwrap();
        }
    }
}

/// Whole numbers from `from` to `to`, each as often as the others, in an order that looks like chance and never changes.
pub(crate) fn between(from: u64, to: u64, seed: u64) -> impl Fn(i64) -> Option<f64> {
    move |at| {
        let seed = seed.wrapping_mul(1 << 32).wrapping_add_signed(at);
        Some(fastrand::Rng::with_seed(seed).u64(from..=to) as f64)
    }
}

/// The distributions of Kayenta's own integration tests (40 to 44 against 39 to 45, 10 to 19 against 20 to 22), a canary without
/// data, and one whose data began late.
pub(crate) fn data() -> String {
    let mut text = "# TYPE requests_ms gauge\n".to_owned();
    for (scope, from, to) in [
        ("like-baseline", 40, 44),
        ("like-canary", 39, 45),
        ("rose-baseline", 10, 19),
        ("rose-canary", 20, 22),
    ] {
        let series = format!("requests_ms{{version=\"{scope}\"}}");
        gauge(&mut text, &series, between(from, to, from));
    }
    let late = between(40, 44, 7);
    gauge(&mut text, "requests_ms{version=\"late-canary\"}", |at| {
        late(at).filter(|_| at >= 2400)
    });
    text.push_str("# TYPE errors gauge\n");
    for (scope, from, to) in [
        ("like-baseline", 3, 9),
        ("like-canary", 3, 9),
        ("rose-baseline", 3, 9),
        ("rose-canary", 3, 9),
        ("late-canary", 3, 9),
    ] {
        gauge(
            &mut text,
            &format!("errors{{version=\"{scope}\"}}"),
            between(from, to, scope.len() as u64),
        );
    }
    text.push_str("# EOF\n");
    text
}

/// Two metrics in groups of their own; `requests` has the further settings.
pub(crate) fn config(requests: &str) -> String {
    let metric = |name: &str, group: &str, query: &str, settings: &str| {
        format!(
            "  - name: {name}\n    groups: [{group}]\n    scopeName: default\n    query: {{ type: prometheus, customInlineTemplate: 'PromQL:{query}' }}\n    analysisConfigurations:\n      canary: {{ direction: either{settings} }}\n"
        )
    };
    format!(
        "name: web\napplications: [web]\njudge: {{ name: NetflixACAJudge-v1.0 }}\nmetrics:\n{}{}classifier:\n  groupWeights: {{ Speed: 50, Errors: 50 }}\n",
        metric(
            "requests",
            "Speed",
            "avg(last_over_time(requests_ms{version=\"${scope}\"}[1m]))",
            requests
        ),
        metric(
            "errors",
            "Errors",
            "avg(last_over_time(errors{version=\"${scope}\"}[1m]))",
            ""
        ),
    )
}

/// A Prometheus with the data, and a folder with configs.
pub(crate) struct Stage {
    pub(crate) folder: Folder,
    pub(crate) prometheus: RealPrometheus,
}

impl Stage {
    /// `None` where there is no Prometheus.
    pub(crate) fn set() -> Option<Self> {
        let prometheus = RealPrometheus::start(&Setup {
            data: Some(data()),
            ..Setup::default()
        })?;
        let server = format!(
            "version: coalmine/v1\naccounts:\n  - {{ type: prometheus, name: prod, baseUrl: '{}' }}\n",
            prometheus.url()
        );
        let folder = Folder::new()
            .file("web.yaml", config(""))
            .file("critical.yaml", config(", critical: true"))
            .file(
                "muted.yaml",
                // One group for both, so that no weight is lost.
                config(", critical: true, muted: true")
                    .replace("[Speed]", "[Errors]")
                    .replace("Speed: 50, Errors: 50", "Errors: 100"),
            )
            .file("server.yaml", server);
        Some(Self { folder, prometheus })
    }

    /// What the program says about the last hour of two versions; `arguments` name a config and whatever else.
    pub(crate) fn run(
        &self,
        verb: &str,
        versions: [&str; 2],
        arguments: &str,
    ) -> (i32, String, String) {
        let [baseline, canary] = versions;
        self.folder.run(&format!(
            "{verb} --source prod --server-config server.yaml --baseline {baseline} --canary {canary} --lookback 1h {arguments}"
        ))
    }

    /// The judgement as Kayenta writes it.
    pub(crate) fn judge(&self, versions: [&str; 2], config: &str) -> Judged {
        let (exit, stdout, stderr) = self.run(
            "judge",
            versions,
            &format!("--config {config} --format json"),
        );
        let result: serde_json::Value = serde_json::from_str(&stdout)
            .unwrap_or_else(|_| panic!("exit {exit}\n{stdout}{stderr}"));
        Judged {
            exit,
            result,
            stderr,
        }
    }
}

/// A judgement on Kayenta's wire.
pub(crate) struct Judged {
    pub(crate) exit: i32,
    pub(crate) result: serde_json::Value,
    pub(crate) stderr: String,
}

impl Judged {
    pub(crate) fn score(&self) -> f64 {
        self.result["score"]["score"].as_f64().unwrap()
    }

    pub(crate) fn class(&self, metric: &str) -> &str {
        let results = self.result["results"].as_array().unwrap();
        let result = results.iter().find(|result| result["name"] == metric);
        result.unwrap()["classification"].as_str().unwrap()
    }
}
