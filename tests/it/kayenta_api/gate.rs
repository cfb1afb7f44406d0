//! Gate and Deck: what the UI of Spinnaker asks beyond what the others do.

use serde_json::json;

use super::service::{Service, config};

#[tokio::test]
async fn the_pages_of_executions_are_filtered_as_the_ui_asks() {
    let service = Service::new();
    let body = |canary: &str| json!({"canaryConfig": config(), "executionRequest": super::service::request("web-baseline", canary)});
    for canary in ["web-canary", "web-dead", "web-bad"] {
        service
            .canary_of("/canary?application=web", &body(canary))
            .await;
        service.clock.pass(1000);
    }
    service
        .post("/canary?application=web", &body("web-canary"))
        .await
        .ok();
    service.post("/canary", &body("web-canary")).await.ok();

    let listed = |path: &'static str| {
        let service = &service;
        async move {
            let list = service.get(path).await.ok();
            let last = |it: &serde_json::Value| {
                let id = it["pipelineId"].as_str().unwrap();
                format!("{} {}", &id[id.len() - 1..], it["status"].as_str().unwrap())
            };
            list.as_array()
                .unwrap()
                .iter()
                .map(last)
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(
        listed("/canary/executions?application=web&limit=&page=&statuses=&storageAccountName=")
            .await,
        ["4 not_started", "3 succeeded", "2 terminal", "1 succeeded"]
    );
    assert_eq!(
        listed("/canary/executions?application=web&limit=2&page=2").await,
        ["2 terminal", "1 succeeded"]
    );
    assert_eq!(
        listed("/canary/executions?application=web&statuses=SUCCEEDED,RUNNING").await,
        ["3 succeeded", "1 succeeded"]
    );
    assert!(
        listed("/canary/executions?application=web&statuses=PAUSED")
            .await
            .is_empty()
    );
    assert_eq!(
        listed("/canary/executions").await,
        ["5 not_started"],
        "ad-hoc"
    );

    let wrong = service
        .get("/canary/executions?statuses=DONE")
        .await
        .refused(400);
    assert!(
        wrong.contains("`DONE`") && wrong.contains("SUCCEEDED"),
        "{wrong}"
    );
    for path in ["?limit=0", "?limit=501", "?page=0", "?page=-1", "?limit=x"] {
        service
            .get(&format!("/canary/executions{path}"))
            .await
            .refused(400);
    }
}

#[tokio::test]
async fn metric_names_are_found_by_a_part_of_them() {
    let service = Service::new();
    let names = service
        .get("/metadata/metricsService?filter=LATENCY&metricsAccountName=prom")
        .await;
    assert_eq!(names.ok(), json!([{"name": "latency_seconds"}]));
    let unknown = service
        .get("/metadata/metricsService?metricsAccountName=nobody")
        .await;
    assert_eq!(unknown.refused(400), "Unable to resolve account nobody.");
    let busy = service.get("/metadata/metricsService?filter=busy").await;
    assert_eq!(busy.header("retry-after"), Some("10"));
    assert_eq!(busy.refused(503), "connection refused");
}

#[tokio::test]
async fn a_query_is_tried_out() {
    let service = Service::new();
    let path = "/fetch/prometheus/query?metricSetName=m&metricName=&step=60&customFilter=PromQL:up%7Bv=%22$%7Bscope%7D%22%7D&scope=web";
    let dry = service
        .post(&format!("{path}&dryRun=true"), &json!({}))
        .await;
    assert_eq!(dry.ok(), json!({"query": "PromQL:up{v=\"web\"}"}));
    let missing = service.post(path, &json!({})).await;
    assert_eq!(missing.refused(400), "the parameter `start` is missing");

    let window = "start=2020-01-01T00:00:00Z&end=2020-01-01T00:02:00Z";
    let kept = service
        .post(&format!("{path}&{window}"), &json!({}))
        .await
        .ok();
    let list = format!(
        "/metricSetList/{}",
        kept["metricSetListId"].as_str().unwrap()
    );
    let sets = service.get(&list).await.ok();
    assert_eq!(sets[0]["name"], "m");
    assert_eq!(sets[0]["stepMillis"], 60_000);
    assert_eq!(sets[0]["values"], json!([105.0, 112.0, 106.0]));

    let other = service
        .post("/fetch/datadog/query", &json!({}))
        .await
        .refused(404);
    assert!(other.contains("`datadog`"), "{other}");
    for (parameters, words) in [
        ("metricName=up&step=60", "`metricSetName` is missing"),
        ("metricSetName=m&step=0", "`step` is `0`"),
        (
            "metricSetName=m&step=60&dryRun=maybe",
            "`dryRun` is `maybe`",
        ),
        (
            "metricSetName=m&step=60&start=soon&end=soon",
            "`start` is `soon`",
        ),
        (
            "metricSetName=m&step=60&start=2&end=1",
            "ends 1000 ms before it starts",
        ),
        (
            "metricSetName=m&step=60&metricsAccountName=x",
            "Unable to resolve account x.",
        ),
    ] {
        let refusal = service
            .post(&format!("/fetch/prometheus/query?{parameters}"), &json!({}))
            .await;
        let refusal = refusal.refused(400);
        assert!(refusal.contains(words), "{refusal}");
    }
}
