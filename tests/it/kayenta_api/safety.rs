//! Where Kayenta is wrong: compatible in shape, safe in substance.

use coalmine::api::ApiSettings;
use serde_json::{Value, json};

use super::argo;
use super::service::{Service, analysis_request, config_of, request};

fn safe() -> Service {
    Service::with(ApiSettings {
        safe_scores: true,
        ..ApiSettings::default()
    })
}

/// Three metrics of which two have no points, which become zeros though there must be some: Kayenta passes them, and our verdict does not.
fn mostly_without_data() -> Value {
    let mut config = config_of(&["latency", "rare-a", "rare-b"]);
    for metric in config["metrics"].as_array_mut().unwrap() {
        let canary = &mut metric["analysisConfigurations"]["canary"];
        canary["nanStrategy"] = "replace".into();
        canary["mustHaveData"] = true.into();
    }
    config
}

async fn canary(service: &Service, config: &Value) -> super::service::Reply {
    let body =
        json!({"canaryConfig": config, "executionRequest": request("web-baseline", "web-canary")});
    let id = service.canary_of("/canary", &body).await;
    service.get(&format!("/canary/{id}")).await
}

#[tokio::test]
async fn by_default_the_body_is_kayentas_and_the_verdict_stands_in_a_header() {
    let service = Service::new();
    let reply = canary(&service, &mostly_without_data()).await;
    assert_eq!(reply.header("coalmine-verdict"), Some("Inconclusive"));
    assert_eq!(
        reply.header("coalmine-report"),
        Some("/reports/01TEST00000000000000000001")
    );
    let score = &reply.ok()["result"]["judgeResult"]["score"];
    assert_eq!(
        *score,
        json!({"score": 100.0, "classification": "Pass", "classificationReason": ""})
    );
}

#[tokio::test]
async fn safe_scores_lie_in_the_verdicts_zone_and_say_why() {
    let service = safe();
    let reply = canary(&service, &mostly_without_data()).await;
    assert_eq!(reply.header("coalmine-verdict"), Some("Inconclusive"));
    let body = reply.ok();
    let score = &body["result"]["judgeResult"]["score"];
    assert_eq!(score["score"], 74.0);
    assert_eq!(score["classification"], "Marginal");
    assert_eq!(
        score["classificationReason"],
        "Coalmine moved the score from 100 to 74, because the verdict is Inconclusive: too little could be decided"
    );
    assert_eq!(argo::phase(&body, 75, 50), "Inconclusive");
}

#[tokio::test]
async fn a_score_that_agrees_with_the_verdict_is_left_alone() {
    let (plain, safe) = (Service::new(), safe());
    for config in [config_of(&["latency"]), config_of(&["bad"])] {
        let plain = canary(&plain, &config).await.ok();
        let safe = canary(&safe, &config).await.ok();
        assert_eq!(plain["result"], safe["result"]);
    }
}

#[tokio::test]
async fn before_there_is_a_judgement_there_is_no_verdict() {
    let service = Service::new();
    let body = json!({"canaryConfig": config_of(&["latency"]), "executionRequest": request("web-baseline", "web-dead")});
    let id = service.post("/canary", &body).await.ok()["canaryExecutionId"].clone();
    let path = format!("/canary/{}", id.as_str().unwrap());
    for _ in 0..2 {
        let reply = service.get(&path).await;
        assert_eq!(reply.header("coalmine-verdict"), None);
        assert_eq!(reply.header("coalmine-report"), None);
        service.work_to_the_end().await;
    }
}

#[tokio::test]
async fn a_failed_fetch_says_which_query_of_which_side_failed_and_why() {
    let service = Service::new();
    let id = service.canary("web-baseline", "web-dead").await;
    let body = service.get(&format!("/canary/{id}")).await.ok();
    assert_eq!(
        (&body["status"], &body["complete"]),
        (&json!("terminal"), &json!(true))
    );
    assert_eq!(body.get("result"), None);
    assert_eq!(
        body["stageStatus"],
        json!({
            "setupContext": "succeeded", "fetchControl0": "succeeded", "fetchControl1": "succeeded",
            "fetchExperiment0": "terminal", "fetchExperiment1": "terminal",
            "mixMetrics": "not_started", "judge": "not_started",
        })
    );
    let exception = &body["exception"];
    assert_eq!(exception["operation"], "fetchExperiment0");
    assert_eq!(exception["shouldRetry"], false);
    let error = exception["details"]["errors"][0].as_str().unwrap();
    for part in [
        "metric `latency`",
        "experiment",
        "parse error at char 3",
        "web-dead",
        "look at the store",
    ] {
        assert!(error.contains(part), "`{error}` lacks `{part}`");
    }
}

#[tokio::test]
async fn an_analysis_without_thresholds_passes_only_what_was_judged() {
    let service = Service::new();
    let mut request = analysis_request("web-baseline", "web-dead");
    request.as_object_mut().unwrap().remove("thresholds");
    let id = service.analysis(&config_of(&["latency"]), &request).await;
    let reply = service
        .get(&format!("/standalone_canary_analysis/{id}"))
        .await;
    assert_eq!(reply.header("coalmine-verdict"), None);
    let body = reply.ok();
    let result = &body["canaryAnalysisExecutionResult"];
    assert_eq!(result["didPassThresholds"], false);
    assert_eq!(result["canaryScores"], json!([0.0]));
    assert_eq!(
        result["canaryScoreMessage"],
        "There were no successful canary judgements to aggregate"
    );
    assert_eq!(body["executionStatus"], "TERMINAL");
}

#[tokio::test]
async fn with_safe_scores_an_undecided_analysis_does_not_pass() {
    for (thresholds, message) in [
        (
            json!({"pass": 75, "marginal": 50}),
            "Final canary score 74.0 is below the pass score threshold.",
        ),
        (
            json!({}),
            "The verdict of the last judgement is Inconclusive.",
        ),
    ] {
        let service = safe();
        let mut request = analysis_request("web-baseline", "web-canary");
        request["thresholds"] = thresholds;
        let id = service.analysis(&mostly_without_data(), &request).await;
        let body = service
            .get(&format!("/standalone_canary_analysis/{id}"))
            .await
            .ok();
        let result = &body["canaryAnalysisExecutionResult"];
        assert_eq!(result["didPassThresholds"], false);
        assert_eq!(result["canaryScoreMessage"], message);
    }
}

#[tokio::test]
async fn a_canary_whose_window_is_not_over_is_judged_when_it_is() {
    let service = Service::new();
    let mut request = request("web-baseline", "web-canary");
    for side in ["controlScope", "experimentScope"] {
        let scope = &mut request["scopes"]["default"][side];
        scope["start"] = "2020-01-01T00:01:00Z".into();
        scope["end"] = "2020-01-01T00:05:00Z".into();
    }
    let body = json!({"canaryConfig": config_of(&["latency"]), "executionRequest": request});
    let posted = service.post("/canary", &body).await.ok();
    let id = posted["canaryExecutionId"].as_str().unwrap();
    service.work(20).await;
    let waiting = service.get(&format!("/canary/{id}")).await;
    assert_eq!(waiting.header("coalmine-verdict"), None);
    let waiting = waiting.ok();
    assert_eq!(
        (&waiting["complete"], &waiting["status"]),
        (&false.into(), &"running".into())
    );
    assert!(waiting.get("result").is_none());
    service.clock.pass(5 * super::service::MINUTE_MS);
    service.work(20).await;
    let judged = service.get(&format!("/canary/{id}")).await.ok();
    assert_eq!(
        (&judged["complete"], &judged["status"]),
        (&true.into(), &"succeeded".into())
    );
    assert!(judged["result"]["judgeResult"]["score"]["score"].is_number());
}
