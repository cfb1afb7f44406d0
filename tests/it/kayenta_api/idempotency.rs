//! The header `Idempotency-Key`.

use serde_json::{Value, json};

use super::service::{Service, analysis_request, config, request};

async fn post(service: &Service, path: &str, key: &str, body: &Value) -> super::service::Reply {
    let headers = [
        ("idempotency-key", key),
        ("content-type", "application/json"),
    ];
    service.send("POST", path, &headers, body.to_string()).await
}

#[tokio::test]
async fn the_same_request_with_the_same_key_starts_nothing_twice() {
    let service = Service::new();
    let canary = json!({"canaryConfig": config(), "executionRequest": request("web-baseline", "web-canary")});
    let analysis = json!({"canaryConfig": config(), "executionRequest": analysis_request("web-baseline", "web-canary")});
    for (path, key, body) in [
        ("/canary", "one", &canary),
        ("/standalone_canary_analysis", "two", &analysis),
    ] {
        let first = post(&service, path, key, body).await.ok();
        service.work_to_the_end().await;
        assert_eq!(post(&service, path, key, body).await.ok(), first);
        assert_ne!(
            service.post(path, body).await.ok(),
            first,
            "without a key it is new"
        );
    }
}

#[tokio::test]
async fn a_key_that_comes_again_with_another_request_is_refused() {
    let service = Service::new();
    let body = json!({"canaryConfig": config(), "executionRequest": request("web-baseline", "web-canary")});
    post(&service, "/canary?application=a", "key", &body)
        .await
        .ok();
    let mut other = body.clone();
    other["executionRequest"]["thresholds"]["pass"] = 80.into();
    let refusal = post(&service, "/canary?application=a", "key", &other).await;
    assert_eq!(
        refusal.refused(422),
        "the idempotency key `key` came before with another request"
    );
    post(&service, "/canary?application=b", "key", &body)
        .await
        .refused(422);
}

#[tokio::test]
async fn a_key_that_cannot_be_one_is_refused() {
    let service = Service::new();
    let body = json!({"canaryConfig": config(), "executionRequest": request("web-baseline", "web-canary")});
    for key in ["", "  ", &"k".repeat(256), "kéy"] {
        let refusal = post(&service, "/canary", key, &body).await.refused(400);
        assert!(refusal.contains("Idempotency-Key"), "{refusal}");
    }
    post(&service, "/canary", &"k".repeat(255), &body)
        .await
        .ok();
}
