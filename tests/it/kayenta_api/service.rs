//! A whole service without sockets: the router, a store and an archive in memory, a metric store whose series are known, the
//! real judge, and a clock that is set by hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use coalmine::analysis::collect::Collector;
use coalmine::analysis::judge_run::Analysis;
use coalmine::api::edge::{self, guard::Access};
use coalmine::api::own::OwnState;
use coalmine::api::own::health::Health;
use coalmine::api::{ApiSettings, ApiState};
use coalmine::archive::Archive;
use coalmine::archive::memory::MemoryArchive;
use coalmine::clock::{Clock, VirtualClock};
use coalmine::executions::engine::{Engine, Ports, Turn};
use coalmine::executions::release::desk::ReleaseDesk;
use coalmine::executions::release::office::Office;
use coalmine::executions::service::{Executions, IdSource, Limits};
use coalmine::model::ids::ExecutionId;
use coalmine::model::metric_set::MetricSet;
use coalmine::sources::{Fetched, MetricSource, Question, Remedy, SourceError, Sources};
use coalmine::store::Store;
use coalmine::store::memory::MemoryStore;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// 2020-01-01T00:00:00Z.
pub(super) const NEW_YEAR_MS: i64 = 1_577_836_800_000;
pub(super) const MINUTE_MS: i64 = 60_000;
/// Largest body in bytes.
pub(super) const BODY_BYTES: usize = 2 << 20;
/// Where the server seems to listen.
const ADDRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 8090);

/// Ids in the order in which they are given: `01TEST00000000000000000001`.
#[derive(Debug, Default)]
struct Counted(AtomicU64);

impl IdSource for Counted {
    fn next_id(&self, _: i64) -> ExecutionId {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        ExecutionId::new(format!("01TEST{number:020}"))
    }
}

/// The metric store. What a series is like follows from names: the scope `…-dead` is refused, `…-busy` is out of reach, `…-empty`
/// has no points, `…-bad` is three times as high; so is the canary of a metric that is called `bad…`. A metric called `rare…` has
/// no points.
#[derive(Debug)]
struct KnownSeries;

impl KnownSeries {
    fn values(question: &Question) -> Result<Vec<f64>, SourceError> {
        let scope = question.scope.scope.as_str();
        let failed = |remedy, message: &str| SourceError {
            query: Some(Self::query(question)),
            hint: Some("look at the store".to_owned()),
            ..SourceError::new(remedy, message)
        };
        if scope.ends_with("-dead") {
            return Err(failed(Remedy::Mend, "bad_data: parse error at char 3"));
        }
        if scope.ends_with("-busy") {
            return Err(failed(Remedy::Retry { after: None }, "connection refused"));
        }
        if scope.ends_with("-empty") || question.metric.starts_with("rare") {
            return Ok(Vec::new());
        }
        let is_canary = !scope.contains("baseline");
        let high = scope.ends_with("-bad") || question.metric.starts_with("bad") && is_canary;
        let factor = if high { 3.0 } else { 1.0 };
        let shift = u64::from(is_canary) * 5;
        let points = 0..question.scope.expected_points().min(60);
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let value = |index: u64| factor * (100.0 + ((index * 7 + shift) % 13) as f64);
        Ok(points.map(value).collect())
    }

    fn query(question: &Question) -> String {
        let template = question.query.inline_template().unwrap_or("none");
        template.replace("${scope}", &question.scope.scope)
    }
}

#[async_trait]
impl MetricSource for KnownSeries {
    fn kind(&self) -> &'static str {
        "prometheus"
    }

    fn render(&self, question: &Question) -> Result<String, SourceError> {
        Ok(Self::query(question))
    }

    async fn fetch(&self, question: &Question) -> Result<Fetched, SourceError> {
        let values = Self::values(question)?;
        let window = question.scope.window;
        Ok(Fetched {
            points: values.len() as u64,
            expected_points: question.scope.expected_points(),
            sets: vec![MetricSet {
                name: question.metric.clone(),
                tags: BTreeMap::new(),
                start_ms: window.start_ms(),
                end_ms: window.end_ms(),
                step_ms: question.scope.step_secs * 1000,
                values: values.into_iter().map(Some).collect(),
                attributes: BTreeMap::new(),
            }],
            query: Self::query(question),
            warnings: Vec::new(),
            build: None,
        })
    }

    async fn metric_names(&self, filter: &str) -> Result<Vec<String>, SourceError> {
        if filter == "busy" {
            return Err(SourceError::new(
                Remedy::Retry { after: None },
                "connection refused",
            ));
        }
        let names = ["http_requests_total", "latency_seconds", "up"];
        let filter = filter.to_lowercase();
        let names = names.into_iter().filter(|name| name.contains(&filter));
        Ok(names.map(str::to_owned).collect())
    }

    async fn check(&self) -> Result<(), SourceError> {
        Ok(())
    }
}

/// Everything that the server serves, with its guards and limits.
fn served(api: ApiState, desk: Option<Arc<dyn ReleaseDesk>>) -> Router {
    let desk = desk.unwrap_or_else(|| Arc::new(Office::new(api.executions.clone())));
    let state = OwnState {
        desk,
        api,
        health: Arc::new(Health::new(false)),
        metrics: PrometheusBuilder::new().build_recorder().handle(),
        streams: Arc::new(Semaphore::new(8)),
        stop: CancellationToken::new(),
        needs_token: false,
    };
    let settings = edge::Settings {
        access: Arc::new(Access::new(ADDRESS.into(), None, &[])),
        allowed_origins: vec!["https://deck.example".to_owned()],
        body_bytes: BODY_BYTES,
        request_time: Duration::from_secs(30),
        concurrent_requests: 256,
    };
    edge::router(state, &settings)
}

/// The service.
pub(crate) struct Service {
    router: Router,
    pub(crate) clock: Arc<VirtualClock>,
    store: Arc<MemoryStore>,
    executions: Executions,
}

fn known_series() -> Sources {
    let source: Arc<dyn MetricSource> = Arc::new(KnownSeries);
    Sources::new(vec![("prom".to_owned(), source)])
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("`{}` is no JSON: {error}", self.text))
    }

    /// The body of an answer that must be 200.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// The message of a refusal with this status.
    pub(crate) fn refused(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        let body = self.json();
        let only_message = body.as_object().is_some_and(|body| body.len() == 1);
        assert!(only_message, "{body}");
        body["message"].as_str().unwrap().to_owned()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Service {
    pub(super) fn new() -> Self {
        Self::with(ApiSettings::default())
    }

    pub(super) fn with(settings: ApiSettings) -> Self {
        Self::serving(settings, known_series(), Limits::default())
    }

    /// With another archive.
    pub(super) fn keeping(archive: Arc<dyn Archive>) -> Self {
        let settings = ApiSettings::default();
        Self::whole(settings, known_series(), Limits::default(), archive, None)
    }

    /// With a desk for releases.
    pub(crate) fn with_desk(desk: Arc<dyn ReleaseDesk>) -> Self {
        let archive = Arc::new(MemoryArchive::new());
        let settings = ApiSettings::default();
        Self::whole(
            settings,
            known_series(),
            Limits::default(),
            archive,
            Some(desk),
        )
    }

    /// Where executions are started.
    pub(crate) fn executions(&self) -> &Executions {
        &self.executions
    }

    /// With room for so many unfinished executions.
    pub(super) fn limited(most_unfinished: u64) -> Self {
        let limits = Limits { most_unfinished };
        Self::serving(ApiSettings::default(), known_series(), limits)
    }

    pub(super) fn serving(settings: ApiSettings, sources: Sources, limits: Limits) -> Self {
        let archive = Arc::new(MemoryArchive::new());
        Self::whole(settings, sources, limits, archive, None)
    }

    fn whole(
        settings: ApiSettings,
        sources: Sources,
        limits: Limits,
        archive: Arc<dyn Archive>,
        desk: Option<Arc<dyn ReleaseDesk>>,
    ) -> Self {
        let clock = Arc::new(VirtualClock::new(NEW_YEAR_MS));
        let store = Arc::new(MemoryStore::new());
        let collector = Collector::new(Arc::new(sources.clone()), Arc::clone(&clock) as _);
        let engine = Engine::new(Ports {
            headline: coalmine_reports::headline,
            store: Arc::clone(&store) as _,
            archive,
            observer: Arc::new(coalmine::analysis::task::NoAnalyst),
            drivers: coalmine::drivers::Drivers::default(),
            channels: Arc::from([]),
            analyst: Arc::new(Analysis::new(Arc::new(collector))),
            clock: Arc::clone(&clock) as _,
        });
        let executions = Executions::new(engine, Arc::new(Counted::default()), limits);
        let api = ApiState {
            executions: executions.clone(),
            sources,
            settings: Arc::new(settings),
        };
        Self {
            router: served(api, desk),
            clock,
            store,
            executions,
        }
    }

    /// Sends bytes.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Reply {
        let method: Method = method.parse().unwrap();
        let mut request = Request::builder().method(method).uri(path);
        if headers.iter().all(|(name, _)| *name != "host") {
            request = request.header("host", "127.0.0.1:8090");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Reply {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        let json = [("content-type", "application/json")];
        self.send("POST", path, &json, body.to_string()).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Reply {
        let json = [("content-type", "application/json")];
        self.send("PUT", path, &json, body.to_string()).await
    }

    pub(super) async fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, &[], Body::empty()).await
    }

    /// Does everything that is due, as a worker would. At most `steps` steps of each execution.
    pub(super) async fn work(&self, steps: usize) {
        let now_ms = self.clock.now_ms();
        let engine = self.executions.engine();
        let until_ms = now_ms + MINUTE_MS;
        let leases = self.store.claim("worker", now_ms, until_ms, 1000).await;
        for lease in leases.unwrap() {
            let mut state = engine.load(&lease.id).await.unwrap();
            for _ in 0..steps {
                match engine.step(&lease, state).await.unwrap() {
                    Turn::Again(next) => state = *next,
                    Turn::Until(_) | Turn::Rest => break,
                }
            }
            self.store.release(&lease).await.unwrap();
        }
    }

    /// Does everything that there is to do, and turns the clock on whenever something waits.
    pub(super) async fn work_to_the_end(&self) {
        for _ in 0..1000 {
            self.work(1000).await;
            match self.store.next_due_ms().await.unwrap() {
                None => return,
                Some(due_ms) => self.clock.set(due_ms.max(self.clock.now_ms())),
            }
        }
        panic!("there is always something left to do");
    }

    /// Starts a canary between two scopes, and works until it has ended.
    pub(super) async fn canary(&self, baseline: &str, canary: &str) -> String {
        let body = json!({"canaryConfig": config(), "executionRequest": request(baseline, canary)});
        self.canary_of("/canary", &body).await
    }

    pub(super) async fn canary_of(&self, path: &str, body: &Value) -> String {
        let started = self.post(path, body).await.ok();
        self.work_to_the_end().await;
        started["canaryExecutionId"].as_str().unwrap().to_owned()
    }

    /// Starts an analysis, and works until it has ended.
    pub(super) async fn analysis(&self, config: &Value, request: &Value) -> String {
        let body = json!({"canaryConfig": config, "executionRequest": request});
        let started = self.post("/standalone_canary_analysis", &body).await.ok();
        self.work_to_the_end().await;
        let id = started["canaryAnalysisExecutionId"].as_str();
        id.unwrap().to_owned()
    }

    /// Stores a config.
    pub(super) async fn stored(&self, config: &Value) -> String {
        let kept = self.post("/canaryConfig", config).await.ok();
        kept["canaryConfigId"].as_str().unwrap().to_owned()
    }
}

/// A config with these metrics, all in one group.
pub(super) fn config_of(metrics: &[&str]) -> Value {
    let metric = |name: &&str| {
        json!({
            "name": name, "scopeName": "default", "groups": ["g"],
            "query": {"type": "prometheus", "customInlineTemplate": format!("PromQL:{name}{{v=\"${{scope}}\"}}")},
            "analysisConfigurations": {"canary": {"direction": "increase"}},
        })
    };
    json!({
        "name": "web-golden-signals", "description": "", "configVersion": "1", "applications": ["web"],
        "judge": {"name": "NetflixACAJudge-v1.0", "judgeConfigurations": {}},
        "metrics": metrics.iter().map(metric).collect::<Vec<_>>(),
        "templates": {}, "classifier": {"groupWeights": {"g": 100}},
    })
}

/// Two metrics: `latency` and `errors`.
pub(super) fn config() -> Value {
    config_of(&["latency", "errors"])
}

/// One hour up to the new year.
pub(super) fn request(baseline: &str, canary: &str) -> Value {
    let scope = |name: &str| {
        json!({
            "scope": name, "location": "eu",
            "start": "2019-12-31T23:00:00Z", "end": "2020-01-01T00:00:00Z", "step": 60,
            "extendedScopeParams": {"namespace": "prod"},
        })
    };
    json!({
        "scopes": {"default": {"controlScope": scope(baseline), "experimentScope": scope(canary)}},
        "thresholds": {"pass": 75, "marginal": 50},
    })
}

/// Judgements every quarter of an hour for an hour.
pub(super) fn analysis_request(baseline: &str, canary: &str) -> Value {
    json!({
        "scopes": [{
            "scopeName": "default", "controlScope": baseline, "controlLocation": "eu",
            "experimentScope": canary, "experimentLocation": "eu", "step": 10,
            "extendedScopeParams": {"namespace": "prod"},
        }],
        "thresholds": {"pass": 75, "marginal": 50},
        "lifetimeDurationMins": 60, "analysisIntervalMins": 15, "beginAfterMins": 5, "lookbackMins": 0,
    })
}

/// `value` with everything replaced that differs from run to run: hashes and random ids.
pub(super) fn masked(value: &Value) -> Value {
    match value {
        Value::String(text) if is_hash(text) => "<hash>".into(),
        Value::String(text) if is_uuid(text) => "<uuid>".into(),
        Value::Array(items) => items.iter().map(masked).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), masked(value)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}
