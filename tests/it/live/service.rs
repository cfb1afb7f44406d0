//! The same distributions through the service: posted as pipelines post them, fetched from the real Prometheus.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{NOW_SECS, config, data};
use crate::real_prometheus::{RealPrometheus, Setup};
use crate::serve::server::{Server, until};

/// A server whose one account is a Prometheus with the data.
struct Service {
    server: Server,
    _prometheus: RealPrometheus,
    _folder: TempDir,
}

impl Service {
    fn start() -> Option<Self> {
        let prometheus = RealPrometheus::start(&Setup {
            data: Some(data()),
            ..Setup::default()
        })?;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("server.yaml"),
            format!(
                "version: coalmine/v1\nlisten: 127.0.0.1:0\ndataDir: data\naccounts:\n- {{ type: prometheus, name: prod, baseUrl: '{}' }}\n",
                prometheus.url()
            ),
        )
        .unwrap();
        let server = Server::start(folder.path());
        Some(Self {
            server,
            _prometheus: prometheus,
            _folder: folder,
        })
    }

    /// Posts, and gives the answer when it is complete.
    #[track_caller]
    fn complete(&self, path: &str, id: &str, body: &Value) -> Value {
        let posted = self.server.post(
            &format!("{path}?application=web&metricsAccountName=prod"),
            body,
        );
        assert_eq!(posted.status, 200, "{posted:?}");
        let id = posted.json()[id].as_str().unwrap().to_owned();
        until(|| {
            let status = self.server.get(&format!("{path}/{id}")).json();
            (status["complete"] == true).then_some(status)
        })
    }

    /// One judgement of the last hour: its status, score and the class of `requests`.
    #[track_caller]
    fn canary(&self, [baseline, canary]: [&str; 2], settings: &str) -> (Value, Value, Value) {
        let scope = |scope: &str| json!({ "scope": scope, "location": "", "step": 60, "start": iso(3600), "end": iso(0) });
        let body = json!({
            "canaryConfig": wire(settings),
            "executionRequest": {
                "scopes": { "default": { "controlScope": scope(baseline), "experimentScope": scope(canary) } },
                "thresholds": { "pass": 95, "marginal": 75 },
            },
        });
        let mut status = self.complete("/canary", "canaryExecutionId", &body);
        let result = &mut status["result"]["judgeResult"];
        let results = result["results"].as_array().unwrap();
        let requests = results
            .iter()
            .find(|result| result["name"] == "requests")
            .unwrap();
        let class = requests["classification"].clone();
        (
            status["status"].clone(),
            status["result"]["judgeResult"]["score"]["score"].clone(),
            class,
        )
    }

    /// Three judgements over the last hour, each from its begin.
    #[track_caller]
    fn analysis(&self, [baseline, canary]: [&str; 2]) -> Value {
        let body = json!({
            "canaryConfig": wire(", critical: true"),
            "executionRequest": {
                "scopes": [{
                    "scopeName": "default", "controlScope": baseline, "experimentScope": canary,
                    "startTimeIso": iso(3600), "endTimeIso": iso(0), "step": 60,
                }],
                "thresholds": { "pass": 95, "marginal": 75 },
                "analysisIntervalMins": 20,
            },
        });
        self.complete(
            "/standalone_canary_analysis",
            "canaryAnalysisExecutionId",
            &body,
        )
    }
}

fn iso(before_secs: i64) -> String {
    jiff::Timestamp::from_second(NOW_SECS - before_secs)
        .unwrap()
        .to_string()
}

/// The config of the command line's stories, as pipelines post it.
fn wire(settings: &str) -> Value {
    let text = config(settings);
    let (config, _) =
        coalmine::config::canary::load_wire(&text, coalmine::config::Strictness::Strict)
            .unwrap_or_else(|problems| panic!("{problems}"));
    serde_json::to_value(config).unwrap()
}

#[test]
fn a_posted_canary_is_judged_as_from_the_command_line() {
    let Some(service) = Service::start() else {
        return;
    };
    let done: Value = "succeeded".into();
    let like = ["like-baseline", "like-canary"];
    let rose = ["rose-baseline", "rose-canary"];
    for (versions, settings, score, class) in [
        (like, ", critical: true", 100.0, "Pass"),
        (rose, ", critical: true", 0.0, "High"),
        (rose, "", 50.0, "High"),
        (
            ["like-baseline", "late-canary"],
            ", critical: true",
            100.0,
            "Pass",
        ),
    ] {
        let expect = (done.clone(), score.into(), class.into());
        assert_eq!(
            service.canary(versions, settings),
            expect,
            "{versions:?}{settings}"
        );
    }
    // Muted: out of the score, and told all the same.
    let (_, _, class) = service.canary(rose, ", critical: true, muted: true");
    assert_eq!(class, "High");
    // No data is a score that no client takes for success.
    let (status, score, class) = service.canary(["like-baseline", "nobody"], ", critical: true");
    assert_eq!((status, class), (done, "Nodata".into()));
    assert!(score.as_f64().unwrap() < 75.0, "{score}");
}

#[test]
fn a_posted_analysis_of_a_past_hour_judges_at_each_interval() {
    let Some(service) = Service::start() else {
        return;
    };
    let good = service.analysis(["like-baseline", "like-canary"]);
    assert_eq!(good["status"], "succeeded", "{good:#}");
    let result = &good["canaryAnalysisExecutionResult"];
    assert_eq!(result["didPassThresholds"], true);
    assert_eq!(result["canaryScores"], json!([100.0, 100.0, 100.0]));
    // The first judgement that fails is the last one.
    let bad = service.analysis(["rose-baseline", "rose-canary"]);
    assert_eq!(bad["status"], "terminal", "{bad:#}");
    let result = &bad["canaryAnalysisExecutionResult"];
    assert_eq!(result["didPassThresholds"], false);
    assert_eq!(result["canaryScores"], json!([0.0]));
    let query =
        bad["canaryAnalysisExecutionResult"]["canaryExecutionResults"][0]["result"]["judgeResult"]
            ["results"][0]["name"]
            .as_str();
    assert_eq!(query, Some("requests"));
}
