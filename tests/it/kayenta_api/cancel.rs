//! Calling an execution off.

use serde_json::json;

use super::service::{MINUTE_MS, Service, analysis_request, config, request};

#[tokio::test]
async fn a_canary_that_is_called_off_ends_without_a_result() {
    let service = Service::new();
    let body = json!({"canaryConfig": config(), "executionRequest": request("web-baseline", "web-canary")});
    let id = service.post("/canary", &body).await.ok()["canaryExecutionId"].clone();
    let id = id.as_str().unwrap();
    let cancel = format!("/pipelines/{id}/cancel");
    let first = service.put(&cancel, &json!("")).await;
    assert_eq!((first.status.as_u16(), first.text.as_str()), (202, ""));
    let again = service.put(&format!("{cancel}/"), &json!("")).await;
    assert_eq!(again.status, 202, "calling off twice changes nothing");
    service.work_to_the_end().await;
    let canary = service.get(&format!("/canary/{id}")).await.ok();
    assert_eq!(canary["status"], "canceled");
    assert_eq!(canary["complete"], true);
    assert_eq!(canary.get("result"), None);
    assert_eq!(canary["stageStatus"]["fetchControl0"], "not_started");
    let late = service.put(&cancel, &json!("")).await;
    assert_eq!(late.status, 202, "what has ended is no error");
    assert_eq!(service.get(&format!("/canary/{id}")).await.ok(), canary);
}

#[tokio::test]
async fn what_is_not_there_cannot_be_called_off() {
    let service = Service::new();
    for id in ["nobody", "nobody-1", "a%2Fb", "-1"] {
        let unknown = service
            .put(&format!("/pipelines/{id}/cancel"), &json!(""))
            .await;
        assert!(
            unknown.refused(404).contains("there is no execution"),
            "{id}"
        );
    }
}

#[tokio::test]
async fn a_judgement_that_is_called_off_ends_its_analysis() {
    let service = Service::new();
    let body = json!({"canaryConfig": config(), "executionRequest": analysis_request("web-baseline", "web-canary")});
    let started = service
        .post("/standalone_canary_analysis", &body)
        .await
        .ok();
    let id = started["canaryAnalysisExecutionId"].as_str().unwrap();
    service.work(100).await;
    service.clock.pass(5 * MINUTE_MS);
    service.work(100).await;
    let under_way = service
        .get(&format!("/standalone_canary_analysis/{id}"))
        .await
        .ok();
    assert_eq!(under_way["executionStatus"], "RUNNING");
    assert_eq!(under_way["complete"], false);
    assert_eq!(under_way.get("canaryAnalysisExecutionResult"), None);
    assert_eq!(
        service
            .put(&format!("/pipelines/{id}-1/cancel"), &json!(""))
            .await
            .status,
        202
    );
    service.work_to_the_end().await;
    let analysis = service
        .get(&format!("/standalone_canary_analysis/{id}"))
        .await
        .ok();
    assert_eq!(analysis["status"], "canceled");
    assert_eq!(
        analysis["exception"]["details"]["errors"],
        json!(["Canary execution was canceled."])
    );
    assert_eq!(analysis.get("canaryAnalysisExecutionResult"), None);
}
