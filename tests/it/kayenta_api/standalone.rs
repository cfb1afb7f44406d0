//! Standalone analyses, from the plan to the final word.

use serde_json::{Value, json};

use super::service::{MINUTE_MS, Service, analysis_request, config, config_of};

/// Type, name and status of all stages.
fn stages(body: &Value) -> Vec<String> {
    let stages = body["stageStatus"].as_array().unwrap().iter();
    let word = |stage: &Value, key: &str| stage[key].as_str().unwrap().to_owned();
    stages
        .map(|stage| match stage["type"].as_str().unwrap() {
            kind @ ("setupAndExecuteCanariesStage" | "generateCanaryAnalysisResultStage") => {
                format!("{kind} {}", word(stage, "status"))
            }
            _ => format!("{} {}", word(stage, "name"), word(stage, "status")),
        })
        .collect()
}

async fn show(service: &Service, id: &str) -> Value {
    service
        .get(&format!("/standalone_canary_analysis/{id}"))
        .await
        .ok()
}

#[tokio::test]
async fn a_good_canary_is_judged_four_times_and_passes() {
    let service = Service::new();
    let id = service
        .analysis(&config(), &analysis_request("web-baseline", "web-canary"))
        .await;
    let body = show(&service, &id).await;
    assert_eq!(
        stages(&body),
        [
            "setupAndExecuteCanariesStage SUCCEEDED",
            "Warmup Wait SUCCEEDED",
            "Interval Wait #1 SUCCEEDED",
            "Run Canary #1 SUCCEEDED",
            "Interval Wait #2 SUCCEEDED",
            "Run Canary #2 SUCCEEDED",
            "Interval Wait #3 SUCCEEDED",
            "Run Canary #3 SUCCEEDED",
            "Interval Wait #4 SUCCEEDED",
            "Run Canary #4 SUCCEEDED",
            "generateCanaryAnalysisResultStage SUCCEEDED",
        ]
    );
    let result = &body["canaryAnalysisExecutionResult"];
    assert_eq!(result["didPassThresholds"], true);
    assert_eq!(result["hasWarnings"], false);
    assert_eq!(result["canaryScores"], json!([100.0, 100.0, 100.0, 100.0]));
    assert_eq!(
        result["canaryScoreMessage"],
        "Final canary score 100.0 met or exceeded the pass score threshold."
    );
    assert_eq!(
        body["endTimeIso"], "2020-01-01T01:05:00Z",
        "an hour after the warm-up"
    );
    let first = &result["canaryExecutionResults"][0];
    assert_eq!(first["judgementStartTimeIso"], "2020-01-01T00:05:00Z");
    assert_eq!(first["judgementEndTimeIso"], "2020-01-01T00:20:00Z");
}

#[tokio::test]
async fn a_bad_canary_is_stopped_early_and_the_rest_is_gone() {
    let service = Service::new();
    let id = service
        .analysis(&config(), &analysis_request("web-baseline", "web-bad"))
        .await;
    let body = show(&service, &id).await;
    assert_eq!(
        stages(&body),
        [
            "setupAndExecuteCanariesStage TERMINAL",
            "Warmup Wait SUCCEEDED",
            "Interval Wait #1 SUCCEEDED",
            "Run Canary #1 TERMINAL",
            "generateCanaryAnalysisResultStage SUCCEEDED",
        ]
    );
    assert_eq!(body["executionStatus"], "TERMINAL");
    assert_eq!(
        body["exception"]["details"]["error"],
        "Canary score is not above the marginal score threshold."
    );
    let result = &body["canaryAnalysisExecutionResult"];
    assert_eq!(result["didPassThresholds"], false);
    assert_eq!(
        result["canaryScoreMessage"],
        "Final canary score 0.0 is not above the marginal score threshold."
    );
    let judgement = &result["canaryExecutionResults"][0];
    assert_eq!(
        judgement["executionStatus"], "SUCCEEDED",
        "the judgement itself was made"
    );
    assert_eq!(
        service.get(&format!("/canary/{id}-1")).await.ok()["status"],
        "succeeded"
    );
    service.get(&format!("/canary/{id}-2")).await.refused(404);
}

#[tokio::test]
async fn few_points_are_warned_about() {
    let service = Service::new();
    let mut request = analysis_request("web-baseline", "web-canary");
    request["scopes"][0]["step"] = 60.into();
    let id = service.analysis(&config(), &request).await;
    let result = &show(&service, &id).await["canaryAnalysisExecutionResult"];
    assert_eq!(result["hasWarnings"], true);
    assert_eq!(
        result["canaryExecutionResults"][0]["warnings"],
        json!([
            "One of the metrics returned fewer than 50 data points, which can reduce confidence in the final canary score."
        ])
    );
}

#[tokio::test]
async fn past_windows_are_judged_at_once_and_coming_ones_when_they_are_over() {
    let service = Service::new();
    let mut request = analysis_request("web-baseline", "web-canary");
    request["scopes"][0]["startTimeIso"] = "2019-12-31T23:45:00Z".into();
    request["scopes"][0]["endTimeIso"] = "2020-01-01T00:15:00Z".into();
    request["beginAfterMins"] = 0.into();
    let body = json!({"canaryConfig": config(), "executionRequest": request});
    let started = service
        .post("/standalone_canary_analysis", &body)
        .await
        .ok();
    let id = started["canaryAnalysisExecutionId"].as_str().unwrap();
    service.work(100).await;
    assert_eq!(
        stages(&show(&service, id).await),
        [
            "setupAndExecuteCanariesStage RUNNING",
            "Run Canary #1 SUCCEEDED",
            "Interval Wait #2 RUNNING",
            "Run Canary #2 NOT_STARTED",
            "generateCanaryAnalysisResultStage NOT_STARTED",
        ]
    );
    service.clock.pass(15 * MINUTE_MS);
    service.work(100).await;
    assert_eq!(show(&service, id).await["executionStatus"], "SUCCEEDED");
}

#[tokio::test]
async fn a_plan_that_cannot_be_meant_is_refused_at_once() {
    let service = Service::new();
    for (place, value, words) in [
        (
            "/scopes",
            json!([]),
            "Canary StageExecution configuration must contain at least one scope.",
        ),
        (
            "/lifetimeDurationMins",
            Value::Null,
            "expected `lifetimeDurationMins` or `endTimeIso`",
        ),
        (
            "/lifetimeDurationMins",
            json!(0),
            "the lifetime is 0 minutes",
        ),
        ("/lookbackMins", json!(-1), "`lookbackMins` is -1"),
        (
            "/scopes/0/scopeName",
            json!("other"),
            "scopes which were not provided in the execution request: [default]",
        ),
        (
            "/scopes/0/experimentScope",
            json!("web-baseline"),
            "compared with itself",
        ),
    ] {
        let mut request = analysis_request("web-baseline", "web-canary");
        *request.pointer_mut(place).unwrap() = value;
        let body = json!({"canaryConfig": config_of(&["latency"]), "executionRequest": request});
        let refusal = service
            .post("/standalone_canary_analysis", &body)
            .await
            .refused(400);
        assert!(refusal.contains(words), "{place}: {refusal}");
    }
}

#[tokio::test]
async fn an_analysis_is_no_canary_and_a_canary_no_analysis() {
    let service = Service::new();
    let canary = service.canary("web-baseline", "web-canary").await;
    service
        .get(&format!("/standalone_canary_analysis/{canary}"))
        .await
        .refused(404);
    service
        .get(&format!("/canary/{canary}-1"))
        .await
        .refused(404);
    let analysis = service
        .analysis(&config(), &analysis_request("web-baseline", "web-canary"))
        .await;
    service
        .get(&format!("/canary/{analysis}"))
        .await
        .refused(404);
    for number in ["0", "5", "01", "+1", "x"] {
        service
            .get(&format!("/canary/{analysis}-{number}"))
            .await
            .refused(404);
    }
}
