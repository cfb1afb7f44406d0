//! Argo Rollouts' Kayenta provider: what it sends, and how it takes our answers.

use serde_json::{Value, json};

use super::service::{Service, config};

/// The first config of this name; `updatedTimestamp` must be an integer.
fn config_id(configs: &Value, name: &str) -> Option<String> {
    for config in configs.as_array().unwrap() {
        assert!(config["updatedTimestamp"].is_i64(), "{config}");
        if config["name"] == name {
            return Some(config["id"].as_str().unwrap().to_owned());
        }
    }
    None
}

/// The phase of a measurement, from the body of a poll.
pub(super) fn phase(body: &Value, pass: i64, marginal: i64) -> &'static str {
    let complete = body["complete"].as_bool().expect("`complete` is a boolean");
    if !complete {
        return "Running";
    }
    #[expect(clippy::cast_possible_truncation, reason = "so does the provider")]
    let score = body["result"]["judgeResult"]["score"]["score"]
        .as_f64()
        .map(|score| score as i64);
    match score {
        None => "Error",
        Some(score) if score >= pass => "Successful",
        Some(score) if score >= marginal => "Inconclusive",
        Some(_) => "Failed",
    }
}

/// One measurement from beginning to end.
async fn measure(service: &Service, canary: &str) -> &'static str {
    let configs = "/canaryConfig?application=web&configurationAccountName=coalmine";
    let configs = service.get(configs).await.ok();
    let id = config_id(&configs, "web-golden-signals").unwrap();
    let scope = |scope: &str| {
        json!({"scope": scope, "region": "eu", "location": "eu", "step": 60,
               "start": "2019-12-31T23:00:00Z", "end": "2020-01-01T00:00:00Z"})
    };
    let body = json!({
        "scopes": {"default": {"controlScope": scope("web-baseline"), "experimentScope": scope(canary)}},
        "thresholds": {"pass": 90, "marginal": 75},
    });
    let path = format!(
        "/canary/{id}?application=web&metricsAccountName=&configurationAccountName=&storageAccountName="
    );
    let started = service.post(&path, &body).await.ok();
    let poll = format!("/canary/{}", started["canaryExecutionId"].as_str().unwrap());
    let mut polls = 0;
    loop {
        let phase = phase(&service.get(&poll).await.ok(), 90, 75);
        if phase != "Running" {
            assert!(polls > 1, "it was seen under way");
            return phase;
        }
        polls += 1;
        service.work(1).await;
    }
}

#[tokio::test]
async fn a_good_canary_is_successful() {
    let service = Service::new();
    service.stored(&config()).await;
    assert_eq!(measure(&service, "web-canary").await, "Successful");
}

#[tokio::test]
async fn a_bad_canary_is_failed() {
    let service = Service::new();
    service.stored(&config()).await;
    assert_eq!(measure(&service, "web-bad").await, "Failed");
}

#[tokio::test]
async fn a_canary_whose_series_cannot_be_fetched_is_an_error_and_never_successful() {
    let service = Service::new();
    service.stored(&config()).await;
    assert_eq!(measure(&service, "web-dead").await, "Error");
}

#[tokio::test]
async fn configs_of_other_applications_are_not_offered() {
    let service = Service::new();
    service.stored(&config()).await;
    let configs = service.get("/canaryConfig?application=shop").await.ok();
    assert_eq!(configs, json!([]));
}
