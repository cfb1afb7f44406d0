//! Spinnaker's orchestrator: the conversation of a `kayentaCanary` stage.

use serde_json::{Value, json};

use super::service::{Service, config};

const STATUSES: [&str; 12] = [
    "NOT_STARTED",
    "RUNNING",
    "PAUSED",
    "SUSPENDED",
    "SUCCEEDED",
    "FAILED_CONTINUE",
    "TERMINAL",
    "CANCELED",
    "REDIRECT",
    "STOPPED",
    "SKIPPED",
    "BUFFERED",
];

fn body(canary: &str) -> Value {
    let scope = |scope: &str| {
        json!({"scope": scope, "location": "eu", "start": "2019-12-31T23:00:00Z", "end": "2020-01-01T00:00:00Z",
               "step": 60, "extendedScopeParams": {"namespace": "prod", "cluster": null}})
    };
    json!({
        "scopes": {"default": {"controlScope": scope("web-baseline"), "experimentScope": scope(canary)}},
        "thresholds": {"pass": 75, "marginal": 50},
        "siteLocal": {},
    })
}

/// Reads an answer as strictly as its client does.
fn parse(body: &Value) -> (bool, String, Option<i64>) {
    let complete = body["complete"].as_bool().unwrap();
    let status = body["status"].as_str().unwrap().to_uppercase();
    assert!(STATUSES.contains(&status.as_str()), "{status}");
    assert!(body["application"].is_string());
    assert!(body["canaryExecutionRequest"].is_object());
    assert!(body["buildTimeIso"].is_string());
    for key in ["startTimeIso", "endTimeIso", "storageAccountName"] {
        assert!(body[key].is_string() || body.get(key).is_none(), "{key}");
    }
    assert!(body["exception"].is_object() || body.get("exception").is_none());
    let Some(result) = body.get("result") else {
        return (complete, status, None);
    };
    assert_eq!(result["canaryDuration"], "PT1H");
    let judge_result = &result["judgeResult"];
    for metric in judge_result["results"].as_array().unwrap() {
        assert!(metric["controlMetadata"]["stats"]["count"].is_u64());
    }
    let score = &judge_result["score"];
    assert!(score["classification"].is_string());
    assert!(score["classificationReason"].is_string());
    #[expect(clippy::cast_possible_truncation, reason = "so does the client")]
    let whole = score["score"].as_f64().unwrap() as i64;
    (complete, status, Some(whole))
}

/// One canary of the stage: its status and score in the end.
async fn run(service: &Service, canary: &str) -> (String, Option<i64>) {
    let configs = service.get("/canaryConfig").await.ok();
    let named: Vec<&Value> = configs
        .as_array()
        .unwrap()
        .iter()
        .filter(|config| config["name"] == "web-golden-signals")
        .filter(|config| {
            config["applications"]
                .as_array()
                .unwrap()
                .contains(&json!("web"))
        })
        .collect();
    assert_eq!(named.len(), 1, "{configs}");
    let path = format!(
        "/canary/{}?application=web&parentPipelineExecutionId=01PARENT&metricsAccountName=prom\
         &configurationAccountName=coalmine&storageAccountName=coalmine",
        named[0]["id"].as_str().unwrap()
    );
    let started = service.post(&path, &body(canary)).await.ok();
    let id = started["canaryExecutionId"].as_str().unwrap();
    for _ in 0..100 {
        let poll = format!("/canary/{id}?storageAccountName=coalmine");
        let (complete, status, score) = parse(&service.get(&poll).await.ok());
        if complete {
            return (status, score);
        }
        assert_eq!(score, None, "no result before the end");
        service.work(1).await;
    }
    panic!("it never ends");
}

#[tokio::test]
async fn a_good_canary_succeeds_with_a_score_that_passes() {
    let service = Service::new();
    service.stored(&config()).await;
    let end = run(&service, "web-canary").await;
    assert_eq!(end, ("SUCCEEDED".to_owned(), Some(100)));
    let accounts = service.get("/credentials").await.ok();
    for account in accounts.as_array().unwrap() {
        assert!(account["name"].is_string() && account["type"].is_string());
    }
}

#[tokio::test]
async fn a_bad_canary_succeeds_as_work_with_a_score_that_fails() {
    let service = Service::new();
    service.stored(&config()).await;
    let end = run(&service, "web-bad").await;
    assert_eq!(end, ("SUCCEEDED".to_owned(), Some(0)));
}

#[tokio::test]
async fn a_failed_fetch_is_terminal_without_a_result() {
    let service = Service::new();
    service.stored(&config()).await;
    let end = run(&service, "web-dead").await;
    assert_eq!(end, ("TERMINAL".to_owned(), None));
}

#[tokio::test]
async fn the_orchestrators_last_answer_has_these_fields_and_no_other() {
    let service = Service::new();
    service.stored(&config()).await;
    run(&service, "web-canary").await;
    let last = service.get("/canary/01TEST00000000000000000001").await.ok();
    let keys: Vec<&str> = last
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "application",
            "buildTimeIso",
            "buildTimeMillis",
            "canaryConfigId",
            "canaryExecutionRequest",
            "complete",
            "config",
            "configurationAccountName",
            "endTimeIso",
            "endTimeMillis",
            "metricSetPairListId",
            "metricsAccountName",
            "parentPipelineExecutionId",
            "pipelineId",
            "result",
            "stageStatus",
            "startTimeIso",
            "startTimeMillis",
            "status",
            "storageAccountName",
        ]
    );
    assert_eq!(last["parentPipelineExecutionId"], "01PARENT");
    assert_eq!(
        last["canaryExecutionRequest"]["scopes"]["default"]["controlScope"],
        json!({"scope": "web-baseline", "location": "eu", "start": "2019-12-31T23:00:00Z",
               "end": "2020-01-01T00:00:00Z", "step": 60, "extendedScopeParams": {"namespace": "prod"}})
    );
}
