//! What must hold before a canary is accepted: Kayenta's checks in its order and words, then ours.

use coalmine::api::ApiSettings;
use coalmine::executions::service::Limits;
use coalmine::sources::Sources;
use serde_json::{Value, json};

use super::service::{Service, config, request};

fn body() -> Value {
    json!({"canaryConfig": config(), "executionRequest": request("web-baseline", "web-canary")})
}

/// The refusal of a good request in which `place` is `value`.
async fn refusal(place: &str, value: Value) -> String {
    let mut body = body();
    *body.pointer_mut(place).unwrap() = value;
    Service::new().post("/canary", &body).await.refused(400)
}

#[tokio::test]
async fn kayentas_checks_have_kayentas_words() {
    for (place, value, words) in [
        (
            "/canaryConfig/metrics",
            json!([]),
            "The canary config must specify at least one metric. Otherwise we're not analyzing anything. :)",
        ),
        (
            "/executionRequest/scopes",
            Value::Null,
            "Canary metrics require scopes, but no scopes were provided in the execution request.",
        ),
        (
            "/executionRequest/scopes",
            json!({"other": null}),
            "Canary metrics require scopes which were not provided in the execution request: [default]",
        ),
        (
            "/canaryConfig/metrics/1/scopeName",
            Value::Null,
            "Canary scope for metric named 'errors' is null.",
        ),
        (
            "/canaryConfig/metrics/0/query",
            json!({"type": "datadog", "metricName": "x"}),
            "Unable to resolve canary scope factory for 'datadog'.",
        ),
        (
            "/executionRequest/thresholds",
            Value::Null,
            "Execution request must contain thresholds",
        ),
        (
            "/canaryConfig",
            Value::Null,
            "canaryConfig must be provided for ad-hoc requests",
        ),
        (
            "/executionRequest",
            Value::Null,
            "executionRequest must be provided for ad-hoc requests",
        ),
    ] {
        assert_eq!(refusal(place, value).await, words);
    }
}

#[tokio::test]
async fn the_first_of_kayentas_checks_wins() {
    let mut body = body();
    body["executionRequest"] = json!({"thresholds": null});
    body["canaryConfig"]["metrics"][0]["scopeName"] = Value::Null;
    let service = Service::new();
    let first = service.post("/canary", &body).await.refused(400);
    assert!(first.contains("no scopes were provided"), "{first}");
    body["executionRequest"]["scopes"] = json!({"default": {}});
    let second = service.post("/canary", &body).await.refused(400);
    assert!(second.contains("'latency' is null"), "{second}");
    body["canaryConfig"]["metrics"][0]["scopeName"] = "default".into();
    let third = service.post("/canary", &body).await.refused(400);
    assert_eq!(third, "Execution request must contain thresholds");
}

#[tokio::test]
async fn what_could_only_fail_later_is_refused_at_once() {
    let scope = "/executionRequest/scopes/default/controlScope";
    for (place, value, words) in [
        (
            format!("{scope}/start"),
            Value::Null,
            "scopes.default.controlScope.start: found nothing; expected a time",
        ),
        (
            format!("{scope}/end"),
            json!("2019-01-01T00:00:00Z"),
            "before it starts",
        ),
        (
            format!("{scope}/step"),
            json!(0),
            "scopes.default.controlScope.step: found `0`; expected at least 1 second",
        ),
        (
            scope.to_owned(),
            Value::Null,
            "scopes.default.controlScope: found nothing; expected a scope",
        ),
        (
            "/canaryConfig/judge/name".to_owned(),
            json!("dredd-v1.0"),
            "no judge is called `dredd-v1.0`; expected `NetflixACAJudge-v1.0` or `CoalmineJudge-v1`",
        ),
        (
            "/canaryConfig/metrics/0/query".to_owned(),
            Value::Null,
            "metric `latency` has no query",
        ),
        (
            "/canaryConfig/classifier".to_owned(),
            Value::Null,
            "the canary config cannot be judged by: 1 problem\n  classifier",
        ),
        (
            "/canaryConfig/metrics/0/query/type".to_owned(),
            json!("oracle"),
            "the canary config cannot be read",
        ),
    ] {
        let refusal = refusal(&place, value).await;
        assert!(refusal.contains(words), "{place}: {refusal}");
    }
}

#[tokio::test]
async fn two_equal_sides_are_refused_unless_the_server_allows_them() {
    let same = json!({"canaryConfig": config(), "executionRequest": request("web-a", "web-a")});
    let refusal = Service::new().post("/canary", &same).await.refused(400);
    assert!(
        refusal.contains("both sides of the scope `default` are the same"),
        "{refusal}"
    );
    for (key, value) in [
        ("location", json!("us")),
        ("start", json!("2019-12-31T22:00:00Z")),
        ("extendedScopeParams", json!({"namespace": "other"})),
    ] {
        let mut other = same.clone();
        other["executionRequest"]["scopes"]["default"]["controlScope"][key] = value;
        Service::new().post("/canary", &other).await.ok();
    }
    let allowing = ApiSettings {
        allow_same_scopes: true,
        ..ApiSettings::default()
    };
    Service::with(allowing).post("/canary", &same).await.ok();
}

#[tokio::test]
async fn accounts_are_found_by_name_and_an_empty_name_is_the_first() {
    let service = Service::new();
    for (path, words) in [
        (
            "/canary?metricsAccountName=x",
            "Unable to resolve account x.",
        ),
        (
            "/canary?storageAccountName=s3",
            "Unable to resolve account s3.",
        ),
    ] {
        assert_eq!(service.post(path, &body()).await.refused(400), words);
    }
    for path in [
        "/canary?metricsAccountName=&storageAccountName=",
        "/canary?metricsAccountName=prom&storageAccountName=coalmine",
        "/canary?storageAccountName=prom",
    ] {
        let id = service.canary_of(path, &body()).await;
        let canary = service.get(&format!("/canary/{id}")).await.ok();
        assert_eq!(canary["metricsAccountName"], "prom");
        assert!(canary["storageAccountName"].is_string());
        assert_eq!(
            canary.get("configurationAccountName"),
            None,
            "there is no stored config"
        );
    }
    let empty = Service::serving(
        ApiSettings::default(),
        Sources::default(),
        Limits::default(),
    );
    assert_eq!(
        empty.post("/canary", &body()).await.refused(400),
        "Unable to resolve account of type METRICS_STORE."
    );
}

#[tokio::test]
async fn storage_may_go_by_the_names_of_a_kayenta_before_us() {
    let service = Service::with(ApiSettings {
        storage_accounts: vec!["my-s3".to_owned(), "my-gcs".to_owned()],
        ..ApiSettings::default()
    });
    for (path, shown) in [
        ("/canary", "my-s3"),
        ("/canary?storageAccountName=my-gcs", "my-gcs"),
    ] {
        let id = service.canary_of(path, &body()).await;
        let canary = service.get(&format!("/canary/{id}")).await.ok();
        assert_eq!(canary["storageAccountName"], shown);
    }
    let accounts = service.get("/credentials").await.ok();
    let names: Vec<&str> = accounts
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["prom", "my-s3", "my-gcs"]);
}

#[tokio::test]
async fn a_config_that_is_not_stored_is_404() {
    let service = Service::new();
    let request = request("web-baseline", "web-canary");
    let unknown = service.post("/canary/nothing", &request).await;
    assert_eq!(
        unknown.refused(404),
        "Canary config 'nothing' does not exist."
    );
    service
        .post(
            "/standalone_canary_analysis/nothing",
            &super::service::analysis_request("a", "b"),
        )
        .await
        .refused(404);
}

#[tokio::test]
async fn a_config_that_is_changed_later_changes_no_canary() {
    let service = Service::new();
    let id = service.stored(&config()).await;
    let started = service
        .post(
            &format!("/canary/{id}"),
            &request("web-baseline", "web-canary"),
        )
        .await
        .ok();
    assert_eq!(
        service.delete(&format!("/canaryConfig/{id}")).await.status,
        204
    );
    service.work_to_the_end().await;
    let path = format!("/canary/{}", started["canaryExecutionId"].as_str().unwrap());
    let canary = service.get(&path).await.ok();
    assert_eq!(canary["status"], "succeeded");
    assert_eq!(canary["canaryConfigId"], id.as_str());
}

#[tokio::test]
async fn too_many_unfinished_executions_are_turned_away() {
    let service = Service::limited(1);
    service.post("/canary", &body()).await.ok();
    let turned_away = service.post("/canary", &body()).await;
    assert_eq!(turned_away.header("retry-after"), Some("10"));
    assert!(
        turned_away
            .refused(429)
            .contains("at most 1 may run at once")
    );
    service.work_to_the_end().await;
    service.post("/canary", &body()).await.ok();
}
