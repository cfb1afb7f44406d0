//! The source `prometheus`: every fault of the list P1-P37, by its number.
//!
//! Most faults come from a scripted server; what Prometheus itself does is asked of a real one, in `real`.

mod access;
mod answers;
mod queries;
mod real;
mod requests;
mod transport;
mod vectors;

use std::collections::BTreeMap;
use std::sync::Arc;

use coalmine::clock::FixedClock;
use coalmine::config::canary::wire::Query;
use coalmine::model::scope::{Scope, Window};
use coalmine::sources::prometheus::{Account, PrometheusSource};
use coalmine::sources::{Fetched, Manner, MetricSource, Question, Remedy, SourceError};
use serde_json::{Value, json};

use crate::scripted_http::{Reply, ScriptedHttp, Seen};

/// 2026-01-01T00:00:00Z, where all windows start, in milliseconds.
const START: i64 = 1_767_225_600_000;

/// A day later, long after all windows.
const NOW: i64 = START + 86_400_000;

/// A question with good defaults: `avg(up)` over ten minutes by the minute, aligned.
struct Ask(Question);

impl Ask {
    fn promql(query: &str) -> Self {
        Self::of(&json!({ "customInlineTemplate": format!("PromQL:{query}") }))
    }

    fn of(query: &Value) -> Self {
        let mut query = query.clone();
        query["type"] = json!("prometheus");
        Self(Question {
            metric: "errors".to_owned(),
            query: serde_json::from_value::<Query>(query).unwrap(),
            templates: Arc::new(BTreeMap::new()),
            scope: Scope {
                scope: "web-v002".to_owned(),
                location: "eu-1".to_owned(),
                window: Window::new(START, START + 600_000).unwrap(),
                step_secs: 60,
                parameters: BTreeMap::new(),
            },
            manner: Manner::Aligned,
            settled_ms: None,
        })
    }

    fn plain() -> Self {
        Self::promql("avg(rate(x[5m]))")
    }

    fn like_kayenta(mut self) -> Self {
        self.0.manner = Manner::Kayenta;
        self
    }

    fn scope(mut self, scope: &str) -> Self {
        self.0.scope.scope = scope.to_owned();
        self
    }

    fn parameter(mut self, name: &str, value: &str) -> Self {
        self.0
            .scope
            .parameters
            .insert(name.to_owned(), value.to_owned());
        self
    }

    /// From `start_ms` to `end_ms` after [`START`].
    fn window(mut self, start_ms: i64, end_ms: i64, step_secs: u64) -> Self {
        self.0.scope.window = Window::new(START + start_ms, START + end_ms).unwrap();
        self.0.scope.step_secs = step_secs;
        self
    }

    async fn of_source(&self, source: &PrometheusSource) -> Result<Fetched, SourceError> {
        source.fetch(&self.0).await
    }

    /// Asks a server that answers range queries so, and everything else with 404.
    async fn answered(&self, reply: Reply) -> Result<Fetched, SourceError> {
        let server = range_server(move |_| reply.clone());
        self.of_source(&source(&server)).await
    }

    fn query(&self) -> Result<String, SourceError> {
        PrometheusSource::new(Account::new("prom", "http://127.0.0.1:1"))
            .unwrap()
            .render(&self.0)
    }
}

/// A server that answers range queries by `script`, and everything else with 404.
fn range_server(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> ScriptedHttp {
    ScriptedHttp::start(
        move |seen| match seen.path.ends_with("/api/v1/query_range") {
            true => script(seen),
            false => Reply::new(404, "not here"),
        },
    )
}

/// The queries that a server got.
fn asked(server: &ScriptedHttp) -> Vec<Seen> {
    server.seen_at("/api/v1/query_range")
}

fn account(server: &ScriptedHttp) -> Account {
    Account::new("prom", server.url())
}

fn source(server: &ScriptedHttp) -> PrometheusSource {
    source_of(account(server))
}

fn source_of(account: Account) -> PrometheusSource {
    PrometheusSource::with_clock(account, Arc::new(FixedClock(NOW))).unwrap()
}

/// An answer with these series; times in seconds after [`START`].
fn matrix(series: &[(Value, &[(f64, &str)])]) -> String {
    let result: Vec<Value> = series
        .iter()
        .map(|(labels, points)| {
            let values: Vec<Value> = points
                .iter()
                .map(|(at, value)| json!([START as f64 / 1000.0 + at, value]))
                .collect();
            json!({ "metric": labels, "values": values })
        })
        .collect();
    success(json!({ "resultType": "matrix", "result": result })).to_string()
}

fn success(data: Value) -> Value {
    json!({ "status": "success", "data": data })
}

/// One series with a point each minute from 0 to 10: 0, 1, 2, …
fn eleven_points() -> String {
    let texts: Vec<String> = (0..11).map(|n| n.to_string()).collect();
    let points: Vec<(f64, &str)> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| (60.0 * n as f64, text.as_str()))
        .collect();
    matrix(&[(json!({}), &points)])
}

fn full() -> Reply {
    Reply::new(200, eleven_points())
}

fn refused(status: u16, kind: &str, text: &str) -> Reply {
    let body = json!({ "status": "error", "errorType": kind, "error": text });
    Reply::new(status, body.to_string())
}

/// The values of the one set.
fn values(fetched: &Fetched) -> &[Option<f64>] {
    let [set] = fetched.sets.as_slice() else {
        panic!("expected one set, found {:#?}", fetched.sets);
    };
    &set.values
}

fn is_retry(error: &SourceError) -> bool {
    matches!(error.remedy, Remedy::Retry { .. })
}

/// The whole of an error: message, hint, and what lies beneath.
fn told(error: &SourceError) -> String {
    let mut text = error.message.clone();
    let mut cause = std::error::Error::source(error);
    while let Some(why) = cause {
        text.push_str(&format!(" / {why}"));
        cause = why.source();
    }
    format!("{text} / {}", error.hint.as_deref().unwrap_or("no hint"))
}

#[track_caller]
fn assert_warned(fetched: &Fetched, part: &str) {
    assert!(
        fetched
            .warnings
            .iter()
            .any(|warning| warning.contains(part)),
        "no warning says `{part}`: {:#?}",
        fetched.warnings
    );
}
