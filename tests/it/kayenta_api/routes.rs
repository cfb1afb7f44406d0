//! The body of every route, as it was when it was looked at. Ids and times are given; hashes and random ids are masked.

use serde_json::{Value, json};

use super::service::{Service, analysis_request, config, config_of, masked, request};

fn check(name: &str, body: &Value) {
    let text = serde_json::to_string_pretty(&masked(body)).unwrap();
    insta::assert_snapshot!(name, text);
}

#[tokio::test]
async fn canaries() {
    let service = Service::new();
    let body = json!({"canaryConfig": config_of(&["latency"]), "executionRequest": request("web-baseline", "web-canary")});
    check(
        "post_canary",
        &service.post("/canary?application=web", &body).await.ok(),
    );
    check(
        "get_canary_not_started",
        &service.get("/canary/01TEST00000000000000000001").await.ok(),
    );
    service.work_to_the_end().await;
    check(
        "get_canary_succeeded",
        &service.get("/canary/01TEST00000000000000000001").await.ok(),
    );
    check(
        "get_canary_executions",
        &service.get("/canary/executions?application=web").await.ok(),
    );
    let failed = service.canary("web-baseline", "web-dead").await;
    check(
        "get_canary_terminal",
        &service.get(&format!("/canary/{failed}")).await.ok(),
    );
    let canary = service.get("/canary/01TEST00000000000000000001").await.ok();
    let list = canary["metricSetPairListId"].as_str().unwrap().to_owned();
    let mut pairs = service
        .get(&format!("/metricSetPairList/{list}"))
        .await
        .ok();
    for side in ["control", "experiment"] {
        let points = pairs[0]["values"][side].as_array_mut().unwrap();
        points.truncate(3);
    }
    check("get_metric_set_pair_list", &pairs);
    check(
        "get_canary_unknown",
        &service.get("/canary/nobody").await.json(),
    );
}

#[tokio::test]
async fn analyses() {
    let service = Service::new();
    let mut request = analysis_request("web-baseline", "web-canary");
    request["lifetimeDurationMins"] = 30.into();
    let body = json!({"canaryConfig": config_of(&["latency"]), "executionRequest": request});
    let path = "/standalone_canary_analysis?user=me&application=web";
    check("post_standalone", &service.post(path, &body).await.ok());
    service.work(10).await;
    let path = "/standalone_canary_analysis/01TEST00000000000000000001";
    check("get_standalone_running", &service.get(path).await.ok());
    service.work_to_the_end().await;
    check("get_standalone_succeeded", &service.get(path).await.ok());
    check(
        "get_canary_of_standalone",
        &service
            .get("/canary/01TEST00000000000000000001-2")
            .await
            .ok(),
    );
    request["scopes"][0]["experimentScope"] = "web-bad".into();
    let failed = service.analysis(&config_of(&["latency"]), &request).await;
    let path = format!("/standalone_canary_analysis/{failed}");
    check("get_standalone_terminal", &service.get(&path).await.ok());
}

#[tokio::test]
async fn the_rest() {
    let service = Service::new();
    check(
        "post_canary_config",
        &service.post("/canaryConfig", &config()).await.ok(),
    );
    check(
        "get_canary_configs",
        &service.get("/canaryConfig").await.ok(),
    );
    let id = service.get("/canaryConfig").await.ok()[0]["id"].clone();
    check(
        "get_canary_config",
        &service
            .get(&format!("/canaryConfig/{}", id.as_str().unwrap()))
            .await
            .ok(),
    );
    check("get_judges", &service.get("/judges").await.ok());
    check("get_credentials", &service.get("/credentials").await.ok());
    check(
        "get_metrics_services",
        &service.get("/metricsServices").await.ok(),
    );
    check(
        "get_metadata",
        &service.get("/metadata/metricsService").await.ok(),
    );
    let pair = json!({"name": "latency", "id": "p1", "values": {"control": [1, 2, 3, 4, 5, 6, 7, 8], "experiment": ["NaN"]}});
    let body = json!({"canaryConfig": config_of(&["latency"]), "scoreThresholds": {"pass": 95, "marginal": 75}, "metricSetPairList": [pair]});
    check("post_judge", &service.post("/judge", &body).await.ok());
    let kept = service
        .post("/metricSetPairList", &json!([pair]))
        .await
        .ok();
    check("post_metric_set_pair_list", &kept);
    check(
        "get_metric_set_pair_lists",
        &service.get("/metricSetPairList").await.ok(),
    );
    let sets = json!([{"name": "latency", "values": [1]}]);
    check(
        "post_metric_set_list",
        &service.post("/metricSetList", &sets).await.ok(),
    );
    check(
        "get_metric_set_lists",
        &service.get("/metricSetList").await.ok(),
    );
    check(
        "post_archive",
        &service
            .post("/canaryResultArchive", &json!({"status": "succeeded"}))
            .await
            .ok(),
    );
    check(
        "get_archives",
        &service.get("/canaryResultArchive").await.ok(),
    );
}
