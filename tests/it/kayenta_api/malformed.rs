//! Whatever a body holds, it is taken or refused with a reason; nothing is ever an error of the server.

use serde_json::{Value, json};

use super::service::{Service, analysis_request, config, request};

/// What may stand anywhere.
fn oddities() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(""),
        json!("x"),
        json!("NaN"),
        json!("1e999"),
        json!("2020-01-01T00:00:00Z"),
        json!("\u{0}\u{202e}${"),
        json!([]),
        json!([null]),
        json!([[1]]),
        json!({}),
        json!({"a": {"b": null}}),
    ]
}

/// All places of a value, the whole first.
fn places(value: &Value, here: String, found: &mut Vec<String>) {
    found.push(here.clone());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().take(2) {
                places(item, format!("{here}/{index}"), found);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                places(item, format!("{here}/{key}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn pair() -> Value {
    json!({"name": "latency", "id": "p1", "tags": {"zone": "a"},
        "values": {"control": [1.0, "NaN"], "experiment": [2.0, null]},
        "scopes": {"control": {"startTimeIso": "2020-01-01T00:00:00Z", "startTimeMillis": 1_577_836_800_000_i64, "stepMillis": 60000},
                   "experiment": {"startTimeIso": "2020-01-01T00:00:00Z"}},
        "attributes": {"control": {"query": "avg(x)"}, "experiment": {}}})
}

/// Every path that reads a body, with one that it takes.
fn bodies() -> Vec<(&'static str, Value)> {
    let mut config = config();
    config["templates"] = json!({"t": "x=${scope}"});
    config["classifier"]["scoreThresholds"] = json!({"pass": 90, "marginal": 70});
    let mut canary = request("web-baseline", "web-canary");
    canary["metadata"] = json!([{"name": "a", "value": "b", "hidden": false}]);
    canary["siteLocal"] = json!({"a": 1});
    let mut analysis = analysis_request("web-baseline", "web-canary");
    let scope = &mut analysis["scopes"][0];
    scope["startTimeIso"] = "2019-12-31T22:00:00Z".into();
    scope["endTimeIso"] = "2019-12-31T23:00:00Z".into();
    scope["controlOffsetInMinutes"] = 5.into();
    vec![
        (
            "/canary",
            json!({"canaryConfig": config, "executionRequest": canary}),
        ),
        ("/canary/stored", canary),
        (
            "/standalone_canary_analysis",
            json!({"canaryConfig": config, "executionRequest": analysis}),
        ),
        ("/standalone_canary_analysis/stored", analysis),
        ("/canaryConfig", config.clone()),
        (
            "/judge",
            json!({"canaryConfig": config, "scoreThresholds": {"pass": 95, "marginal": 75}, "metricSetPairList": [pair()]}),
        ),
        ("/metricSetPairList", json!([pair()])),
        (
            "/metricSetList",
            json!([{"name": "m", "tags": {"a": "b"}, "startTimeMillis": 1, "startTimeIso": "x", "stepMillis": 60000, "values": [1, "NaN"], "attributes": {"query": "x"}}]),
        ),
        (
            "/canaryResultArchive",
            json!({"application": "a", "complete": true, "status": "succeeded", "stageStatus": {}, "config": {},
            "result": {"judgeResult": {"score": {"score": 1.0}}}}),
        ),
    ]
}

async fn service() -> Service {
    let service = Service::new();
    let mut stored = config();
    stored["id"] = "stored".into();
    stored["name"] = "stored".into();
    service.stored(&stored).await;
    service
}

/// Sends a body; 200 or 400 with a reason are right. What was accepted can be looked at.
async fn check(service: &Service, path: &str, body: &str, what: &str) -> bool {
    let json = [("content-type", "application/json")];
    let reply = service.send("POST", path, &json, body.to_owned()).await;
    if reply.status != 200 {
        let message = reply.refused(400);
        assert!(
            message.len() > 5 && message.len() < 4000,
            "{path} {what}: {message}"
        );
        return false;
    }
    let accepted = reply.json();
    for (key, show) in [
        ("canaryExecutionId", "canary"),
        ("canaryAnalysisExecutionId", "standalone_canary_analysis"),
        ("canaryConfigId", "canaryConfig"),
        ("metricSetPairListId", "metricSetPairList"),
        ("metricSetListId", "metricSetList"),
    ] {
        // An id that the client chose may be anything; it is found where it can stand in a path.
        let id = accepted[key].as_str();
        if let Some(id) = id.filter(|id| id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
        {
            let shown = service.get(&format!("/{show}/{id}")).await;
            assert_eq!(shown.status, 200, "{path} {what}: {}", shown.text);
        }
    }
    true
}

#[tokio::test]
async fn anything_in_place_of_anything_is_taken_or_refused_with_a_reason() {
    for (path, body) in bodies() {
        let service = service().await;
        assert!(
            check(&service, path, &body.to_string(), "as it is").await,
            "{path} takes a good body"
        );
        let mut all = Vec::new();
        places(&body, String::new(), &mut all);
        if path != "/canary" {
            // The config is read in one way wherever it stands within a body.
            all.retain(|place| !place.starts_with("/canaryConfig/"));
        }
        let (mut taken, mut refused) = (0, 0);
        for place in &all {
            for odd in oddities() {
                let mut changed = body.clone();
                *changed.pointer_mut(place).unwrap() = odd.clone();
                match check(
                    &service,
                    path,
                    &changed.to_string(),
                    &format!("{place} = {odd}"),
                )
                .await
                {
                    true => taken += 1,
                    false => refused += 1,
                }
            }
        }
        assert!(
            taken > 0 && refused > all.len(),
            "{path}: {taken} taken, {refused} refused"
        );
    }
}

#[tokio::test]
async fn what_is_cut_off_is_malformed() {
    for (path, body) in bodies() {
        let service = service().await;
        let text = body.to_string();
        for end in (0..text.len())
            .step_by(7)
            .filter(|end| text.is_char_boundary(*end))
        {
            let json = [("content-type", "application/json")];
            let cut = service
                .send("POST", path, &json, text[..end].to_owned())
                .await;
            let message = cut.refused(400);
            assert!(message.contains("JSON"), "{path} {end}: {message}");
        }
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_and_depths_without_end_are_malformed() {
    let service = service().await;
    for (path, _) in bodies() {
        for body in [
            vec![0xff, 0xfe, 0x00],
            "[".repeat(100_000).into_bytes(),
            b"{\"a\":1e999}".to_vec(),
        ] {
            let reply = service.send("POST", path, &[], body).await;
            assert!(reply.refused(400).contains("malformed JSON"));
        }
    }
}

#[tokio::test]
async fn numbers_in_texts_empty_times_and_unknown_fields_are_taken() {
    let service = Service::new();
    let mut body = json!({"canaryConfig": config(), "executionRequest": request("web-baseline", "web-canary"), "more": 1});
    let scope = &mut body["executionRequest"]["scopes"]["default"]["controlScope"];
    scope["step"] = "60".into();
    scope["start"] = json!(1_577_833_200.0);
    scope["surprise"] = json!({});
    body["executionRequest"]["thresholds"] = json!({"pass": "75", "marginal": "50.0"});
    let id = service.canary_of("/canary", &body).await;
    let canary = service.get(&format!("/canary/{id}")).await.ok();
    let request = &canary["canaryExecutionRequest"];
    assert_eq!(
        request["thresholds"],
        json!({"pass": 75.0, "marginal": 50.0})
    );
    assert_eq!(request["scopes"]["default"]["controlScope"]["step"], 60);
    assert_eq!(
        request["scopes"]["default"]["controlScope"]["start"],
        "2019-12-31T23:00:00Z"
    );

    let mut analysis = analysis_request("web-baseline", "web-canary");
    analysis["scopes"][0]["startTimeIso"] = "".into();
    analysis["scopes"][0]["endTimeIso"] = "".into();
    analysis["lifetimeDurationMins"] = "60".into();
    service.analysis(&config(), &analysis).await;
}
