//! The traps for a drop-in replacement, one by one.

use serde_json::{Value, json};

use super::service::{Service, analysis_request, config, request};

fn body() -> Value {
    json!({"canaryConfig": config(), "executionRequest": request("web-baseline", "web-canary")})
}

#[tokio::test]
async fn success_is_exactly_200() {
    let service = Service::new();
    for (path, body) in [
        ("/canary", body()),
        ("/canaryConfig", config()),
        ("/metricSetPairList", json!([])),
        ("/metricSetList", json!([])),
        ("/canaryResultArchive", json!({"status": "succeeded"})),
        (
            "/standalone_canary_analysis",
            json!({"canaryConfig": config(), "executionRequest": analysis_request("web-baseline", "web-canary")}),
        ),
    ] {
        assert_eq!(
            service.post(path, &body).await.status.as_u16(),
            200,
            "{path}"
        );
    }
}

#[tokio::test]
async fn answers_are_json_and_say_so() {
    let service = Service::new();
    for path in [
        "/canaryConfig",
        "/credentials",
        "/canary/executions",
        "/canary/nobody",
        "/judges",
    ] {
        let reply = service.get(path).await;
        assert_eq!(
            reply.header("content-type"),
            Some("application/json"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_body_is_read_whatever_its_content_type_says() {
    let service = Service::new();
    for kind in [
        "application/json; charset=utf-8",
        "text/plain",
        "application/x-www-form-urlencoded",
    ] {
        let reply = service
            .send(
                "POST",
                "/canary",
                &[("content-type", kind)],
                body().to_string(),
            )
            .await;
        reply.ok();
    }
    service
        .send("POST", "/canary", &[], body().to_string())
        .await
        .ok();
}

#[tokio::test]
async fn the_application_is_never_null_or_empty() {
    let service = Service::new();
    for path in [
        "/canary",
        "/canary?application=",
        "/canary?application=ad-hoc",
    ] {
        let id = service.canary_of(path, &body()).await;
        let canary = service.get(&format!("/canary/{id}")).await.ok();
        assert_eq!(canary["application"], "ad-hoc", "{path}");
    }
}

#[tokio::test]
async fn the_score_is_a_number_and_complete_a_boolean() {
    let service = Service::new();
    let id = service.canary("web-baseline", "web-canary").await;
    let canary = service.get(&format!("/canary/{id}")).await.ok();
    assert!(canary["result"]["judgeResult"]["score"]["score"].is_f64());
    assert!(canary["complete"].is_boolean());
}

#[tokio::test]
async fn a_poll_needs_no_storage_account_and_takes_any() {
    let service = Service::new();
    let id = service.canary("web-baseline", "web-canary").await;
    let plain = service.get(&format!("/canary/{id}")).await.ok();
    for query in [
        "?storageAccountName=",
        "?storageAccountName=long-gone",
        "?other=1&other=%ff",
    ] {
        assert_eq!(
            service.get(&format!("/canary/{id}{query}")).await.ok(),
            plain,
            "{query}"
        );
    }
}

#[tokio::test]
async fn times_are_whole_numbers_beside_their_text() {
    let service = Service::new();
    let id = service.canary("web-baseline", "web-canary").await;
    let canary = service.get(&format!("/canary/{id}")).await.ok();
    for name in ["build", "start", "end"] {
        assert_eq!(canary[format!("{name}TimeMillis")], 1_577_836_800_000_i64);
        assert_eq!(canary[format!("{name}TimeIso")], "2020-01-01T00:00:00Z");
    }
}

#[tokio::test]
async fn statistics_without_a_value_are_texts_and_nothing_is_null() {
    let service = Service::new();
    let pairs = json!([{"name": "latency", "id": "p", "values": {"control": [0, 0, 0, 0, 0, 0, 0, 0], "experiment": ["Infinity", 1, 1, 1, 1, 1, 1, 1]}}]);
    let body = json!({"canaryConfig": config(), "metricSetPairList": pairs});
    let result = service.post("/judge", &body).await.ok();
    let metric = &result["results"][0];
    assert_eq!(metric["experimentMetadata"]["stats"]["max"], "Infinity");
    assert_eq!(metric["experimentMetadata"]["stats"]["std"], "NaN");
    assert!(!result.to_string().contains("null"), "{result}");
    let id = service.canary("web-baseline", "web-empty").await;
    let canary = service.get(&format!("/canary/{id}")).await.ok();
    assert!(!canary.to_string().contains(":null"), "{canary}");
    assert_eq!(
        canary["result"]["judgeResult"]["results"][0]["classification"],
        "Nodata"
    );
}

#[tokio::test]
async fn a_slash_at_the_end_and_odd_ids_change_nothing() {
    let service = Service::new();
    let id = service.canary("web-baseline", "web-canary").await;
    service.get("/canaryConfig/").await.ok();
    service.get(&format!("/canary/{id}/")).await.ok();
    service.post("/canary/", &body()).await.ok();
    for odd in [
        "a.b.c",
        "%2e%2e",
        "a%2Fb",
        "%00",
        "%F0%9F%90%A4",
        &"x".repeat(5000),
    ] {
        service.get(&format!("/canary/{odd}")).await.refused(404);
        service
            .get(&format!("/metricSetPairList/{odd}"))
            .await
            .refused(404);
        service
            .get(&format!("/canaryConfig/{odd}"))
            .await
            .refused(404);
    }
    let no_text = service.get("/canary/%ff").await.refused(400);
    assert!(no_text.contains("UTF-8"), "{no_text}");
    service
        .get(&format!("/metricSetPairList/{}", "0".repeat(64)))
        .await
        .refused(404);
}

#[tokio::test]
async fn a_long_window_and_different_windows_have_the_duration_that_java_writes() {
    let service = Service::new();
    let mut long = body();
    let pair = &mut long["executionRequest"]["scopes"]["default"];
    pair["controlScope"]["start"] = "2019-12-30T22:30:00Z".into();
    let differing = service.canary_of("/canary", &long).await;
    let result = service.get(&format!("/canary/{differing}")).await.ok()["result"].clone();
    assert_eq!(result.get("canaryDuration"), None);
    long["executionRequest"]["scopes"]["default"]["experimentScope"]["start"] =
        "2019-12-30T22:30:00Z".into();
    let equal = service.canary_of("/canary", &long).await;
    let result = service.get(&format!("/canary/{equal}")).await.ok()["result"].clone();
    assert_eq!(result["canaryDuration"], "PT25H30M");
}

#[tokio::test]
async fn a_remote_judge_is_asked_by_kayenta() {
    let service = Service::new();
    let mut config = config();
    config["judge"]["name"] = "RemoteJudge-v1.0".into();
    let values: Vec<u32> = (0..30).map(|i| 10 + i % 7).collect();
    let pairs = json!([{"name": "latency", "id": "p1", "tags": {}, "values": {"control": values, "experiment": values}, "scopes": {}, "attributes": {}}]);
    let body = json!({"canaryConfig": config, "scoreThresholds": {"pass": 95, "marginal": 75}, "metricSetPairList": pairs});
    let result = service.post("/judge", &body).await.ok();
    assert_eq!(result["judgeName"], "NetflixACAJudge-v1.0");
    assert_eq!(result["score"]["classification"], "Pass");
    let mut unknown = body.clone();
    unknown["metricSetPairList"][0]["name"] = "surprise".into();
    let refusal = service.post("/judge", &unknown).await.refused(400);
    assert_eq!(refusal, "Could not find metric config for surprise");
}
