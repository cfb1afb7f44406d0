//! Stored configs and lists.

use serde_json::{Value, json};

use super::service::{MINUTE_MS, Service, config, config_of};

fn named(name: &str, applications: &[&str]) -> Value {
    let mut config = config();
    config["name"] = name.into();
    config["applications"] = applications.into();
    config
}

#[tokio::test]
async fn a_config_is_stored_with_its_times_and_shown_whole() {
    let service = Service::new();
    let id = service.stored(&named("a", &["web"])).await;
    let path = format!("/canaryConfig/{id}");
    let mut shown = service.get(&path).await.ok();
    assert_eq!(shown["createdTimestamp"], 1_577_836_800_000_i64);
    assert_eq!(shown["updatedTimestampIso"], "2020-01-01T00:00:00Z");
    assert_eq!(shown["id"], id.as_str());
    assert_eq!(shown["metrics"][0]["query"]["serviceType"], "prometheus");

    service.clock.pass(MINUTE_MS);
    shown["description"] = "new".into();
    let kept = service
        .put(&format!("{path}?configurationAccountName="), &shown)
        .await
        .ok();
    assert_eq!(kept, json!({"canaryConfigId": id}));
    let replaced = service.get(&path).await.ok();
    assert_eq!(replaced["createdTimestampIso"], "2020-01-01T00:00:00Z");
    assert_eq!(replaced["updatedTimestampIso"], "2020-01-01T00:01:00Z");
    assert_eq!(replaced["description"], "new");

    let removed = service.delete(&path).await;
    assert_eq!((removed.status.as_u16(), removed.text.as_str()), (204, ""));
    let gone = format!("Canary config '{id}' does not exist.");
    assert_eq!(service.get(&path).await.refused(404), gone);
    assert_eq!(
        service.delete(&path).await.refused(400),
        gone,
        "as in Kayenta"
    );
    assert_eq!(
        service.put(&path, &shown).await.refused(400),
        gone,
        "as in Kayenta"
    );
}

#[tokio::test]
async fn ids_of_clients_are_kept_and_never_taken_twice() {
    let service = Service::new();
    let mut config = named("a", &["web"]);
    config["id"] = "my.own-id".into();
    assert_eq!(service.stored(&config).await, "my.own-id");
    config["name"] = "b".into();
    let taken = service.post("/canaryConfig", &config).await.refused(400);
    assert_eq!(taken, "Canary config 'my.own-id' already exists.");
    service.get("/canaryConfig/my.own-id").await.ok();
}

#[tokio::test]
async fn a_name_is_unique_in_every_application() {
    let service = Service::new();
    service.stored(&named("a", &["web", "shop"])).await;
    let taken = service
        .post("/canaryConfig", &named("a", &["shop", "bank"]))
        .await;
    assert_eq!(
        taken.refused(400),
        "Canary config with name 'a' already exists in the scope of applications [web, shop]."
    );
    service.stored(&named("a", &["bank"])).await;
    let list = |path: &'static str| {
        let service = &service;
        async move { service.get(path).await.ok().as_array().unwrap().len() }
    };
    assert_eq!(list("/canaryConfig").await, 2);
    assert_eq!(list("/canaryConfig?application=shop").await, 1);
    assert_eq!(
        list("/canaryConfig?application=shop&application=bank").await,
        2
    );
    assert_eq!(list("/canaryConfig?application=").await, 2);
}

#[tokio::test]
async fn a_stored_config_has_all_of_kayentas_collections_though_they_are_empty() {
    let service = Service::new();
    let bare = json!({"name": "n", "applications": ["a"], "configVersion": 1.0, "surprise": [1],
        "judge": {"name": "any"}, "classifier": {},
        "metrics": [{"name": "m", "query": {"type": "prometheus", "metricName": "up"}}]});
    let id = service.stored(&bare).await;
    let shown = service.get(&format!("/canaryConfig/{id}")).await.ok();
    assert_eq!(shown["templates"], json!({}));
    assert_eq!(
        shown["judge"],
        json!({"name": "any", "judgeConfigurations": {}})
    );
    assert_eq!(shown["classifier"], json!({"groupWeights": {}}));
    assert_eq!(
        shown["metrics"],
        json!([{"name": "m", "groups": [], "analysisConfigurations": {},
                "query": {"type": "prometheus", "serviceType": "prometheus", "metricName": "up"}}])
    );
    assert_eq!(shown.get("surprise"), None, "unknown keys are ignored");
    assert_eq!(shown.get("description"), None, "what is absent is not null");
}

#[tokio::test]
async fn lists_of_pairs_and_sets_are_kept_as_they_came() {
    let service = Service::new();
    let pairs = json!([{"name": "latency", "id": "p1", "tags": {},
        "values": {"control": [1.0, "NaN"], "experiment": [2.0, 3.0]},
        "scopes": {"control": {"startTimeIso": "2020-01-01T00:00:00Z", "startTimeMillis": 1_577_836_800_000_i64, "stepMillis": 60000}},
        "attributes": {"control": {"query": "avg(x)"}}}]);
    let sets =
        json!([{"name": "latency", "tags": {}, "values": [1.0, "NaN"], "stepMillis": 60000}]);
    for (path, id, body) in [
        ("/metricSetPairList", "metricSetPairListId", &pairs),
        ("/metricSetList", "metricSetListId", &sets),
    ] {
        let kept = service
            .post(&format!("{path}?accountName="), body)
            .await
            .ok();
        let one = format!("{path}/{}", kept[id].as_str().unwrap());
        assert_eq!(service.get(&one).await.ok(), *body);
        let all = service.get(path).await.ok();
        assert_eq!(all[0]["id"], kept[id]);
        assert_eq!(all[0]["updatedTimestampIso"], "2020-01-01T00:00:00Z");
        assert_eq!(service.delete(&one).await.status, 204);
        service.get(&one).await.refused(404);
        service.delete(&one).await.refused(400);
        assert_eq!(service.get(path).await.ok(), json!([]));
    }
}

#[tokio::test]
async fn missing_points_are_nan_and_never_null() {
    let service = Service::new();
    let pairs =
        json!([{"name": "m", "id": "p", "values": {"control": [1, null], "experiment": [null]}}]);
    let kept = service.post("/metricSetPairList", &pairs).await.ok();
    let id = kept["metricSetPairListId"].as_str().unwrap();
    let pairs = service.get(&format!("/metricSetPairList/{id}")).await.ok();
    assert_eq!(
        pairs[0]["values"],
        json!({"control": [1, "NaN"], "experiment": ["NaN"]})
    );
    let sets = json!([{"name": "m", "values": [null, 2]}]);
    let kept = service.post("/metricSetList", &sets).await.ok();
    let id = kept["metricSetListId"].as_str().unwrap();
    let sets = service.get(&format!("/metricSetList/{id}")).await.ok();
    assert_eq!(sets[0]["values"], json!(["NaN", 2.0]));
}

#[tokio::test]
async fn a_pair_that_is_not_in_its_list_is_404_without_a_body() {
    let service = Service::new();
    let pairs = json!([{"name": "m", "id": "p1", "values": {"control": [1], "experiment": [1]}}]);
    let kept = service.post("/metricSetPairList", &pairs).await.ok();
    let list = format!(
        "/metricSetPairList/{}",
        kept["metricSetPairListId"].as_str().unwrap()
    );
    assert_eq!(service.get(&format!("{list}/p1")).await.ok(), pairs[0]);
    let missing = service.get(&format!("{list}/p2")).await;
    assert_eq!((missing.status.as_u16(), missing.text.as_str()), (404, ""));
}

#[tokio::test]
async fn stored_pairs_are_judged_at_once() {
    let service = Service::new();
    let config = service.stored(&config_of(&["latency"])).await;
    let good: Vec<u32> = (0..60).map(|i| 100 + i * 7 % 13).collect();
    let bad: Vec<u32> = good.iter().map(|value| value * 3).collect();
    let pairs =
        json!([{"name": "latency", "id": "p1", "values": {"control": good, "experiment": bad}}]);
    let kept = service.post("/metricSetPairList", &pairs).await.ok();
    let list = kept["metricSetPairListId"].as_str().unwrap();
    let path = format!("/judges/judge?canaryConfigId={config}&metricSetPairListId={list}");
    let judged = service
        .post(
            &format!("{path}&passThreshold=75&marginalThreshold=50"),
            &json!({}),
        )
        .await;
    assert_eq!(judged.header("coalmine-verdict"), Some("Fail"));
    let result = judged.ok();
    assert_eq!(result["judgeName"], "NetflixACAJudge-v1.0");
    assert_eq!(result["results"][0]["classification"], "High");
    assert_eq!(result["score"]["classification"], "Fail");
    let missing = service
        .post(&format!("{path}&passThreshold=75"), &json!({}))
        .await;
    assert_eq!(
        missing.refused(400),
        "the parameter `marginalThreshold` is missing"
    );
    let unknown = path.replace(list, "nothing") + "&passThreshold=75&marginalThreshold=50";
    service.post(&unknown, &json!({})).await.refused(404);
}

#[tokio::test]
async fn archived_canaries_are_found_where_our_own_are() {
    let service = Service::new();
    let body = json!({"complete": true, "status": "succeeded", "application": null,
        "result": {"judgeResult": {"score": {"score": 90.9, "classification": "Pass", "classificationReason": ""}}}});
    let kept = service
        .post("/canaryResultArchive?pipelineId=old-1", &body)
        .await
        .ok();
    assert_eq!(kept, json!({"pipelineId": "old-1"}));
    let shown = service.get("/canary/old-1").await.ok();
    assert_eq!(shown["result"], body["result"]);
    assert_eq!(shown["application"], "ad-hoc", "never null");
    assert_eq!(service.get("/canaryResultArchive/old-1").await.ok(), shown);
    let taken = service
        .post("/canaryResultArchive?pipelineId=old-1", &body)
        .await;
    assert_eq!(
        taken.refused(400),
        "Archived canary result 'old-1' already exists."
    );
    service.put("/canaryResultArchive/old-1", &body).await.ok();
    service
        .put("/canaryResultArchive/old-2", &body)
        .await
        .refused(400);
    assert_eq!(
        service.get("/canaryResultArchive").await.ok()[0]["id"],
        "old-1"
    );
    assert_eq!(
        service.delete("/canaryResultArchive/old-1").await.status,
        204
    );
    service
        .delete("/canaryResultArchive/old-1")
        .await
        .refused(400);
    service.get("/canary/old-1").await.refused(404);
}

#[tokio::test]
async fn what_is_archived_is_polled_as_it_was_understood() {
    let service = Service::new();
    let body = json!({
        "application": 5, "status": "SUCCEEDED", "parentPipelineExecutionId": true, "exception": null,
        "stageStatus": {"judge": "succeeded", "mixMetrics": null},
        "result": {"canaryDuration": null, "judgeResult": {
            "judgeName": null, "results": [{"name": "latency", "critical": null}],
            "score": {"score": " 50.5", "classification": "Marginal", "classificationReason": null},
        }},
    });
    let path = "/canaryResultArchive?pipelineId=old-1";
    service.post(path, &body).await.ok();
    assert_eq!(
        service.get("/canary/old-1").await.ok(),
        json!({
            "application": "5", "complete": true, "status": "succeeded", "parentPipelineExecutionId": "true",
            "pipelineId": "old-1", "stageStatus": {"judge": "succeeded"},
            "result": {"judgeResult": {
                "results": [{"name": "latency"}],
                "score": {"score": 50.5, "classification": "Marginal"},
            }},
        })
    );
}

#[tokio::test]
async fn an_archived_canary_that_a_client_would_wait_for_without_end_is_refused() {
    let service = Service::new();
    for (body, part) in [
        (
            json!({}),
            "status: found nothing; expected one of not_started,",
        ),
        (
            json!({"complete": true, "status": null}),
            "status: found nothing",
        ),
        (json!({"status": "done"}), "status: found the text `done`"),
        (
            json!({"complete": false, "status": "succeeded"}),
            "complete: found `false`; expected `true`, because the status is `succeeded`",
        ),
        (
            json!({"complete": true, "status": "suspended"}),
            "complete: found `true`; expected `false`",
        ),
        (
            json!({"status": "succeeded", "result": {"judgeResult": {"score": 50}}}),
            "result.judgeResult.score: found `50`; expected an object",
        ),
    ] {
        let message = service
            .post("/canaryResultArchive", &body)
            .await
            .refused(400);
        assert!(message.contains(part), "{body}: {message}");
    }
    for (word, complete) in [("skipped", true), ("redirect", false), ("PAUSED", false)] {
        let path = format!("/canaryResultArchive?pipelineId={word}");
        service.post(&path, &json!({"status": word})).await.ok();
        let shown = service.get(&format!("/canary/{word}")).await.ok();
        assert_eq!(shown["status"], word.to_lowercase());
        assert_eq!(shown["complete"], complete);
    }
}

#[tokio::test]
async fn a_list_of_something_else_is_refused_by_its_first_item_that_is_no_pair() {
    let service = Service::new();
    let pair = json!({"name": "m", "id": "m", "values": {"control": [1], "experiment": [1]}});
    let body = json!([pair, 5, "x"]);
    let message = service.post("/metricSetPairList", &body).await.refused(400);
    assert_eq!(
        message,
        "metricSetPairList[1]: found `5`; expected a metric set pair"
    );
}
