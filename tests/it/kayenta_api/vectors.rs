//! Kayenta's own cases, seen through the API.

use serde_json::{Value, json};

use super::argo;
use super::service::{Service, analysis_request, config_of};

/// Runs through all cases of `kind`; `count` holds that none was lost.
fn cases(kind: &str, count: usize) -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/judges/tests/vectors/kayenta_vectors.json"
    );
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases: Vec<Value> = cases
        .into_iter()
        .filter(|case| case["kind"] == kind)
        .collect();
    assert_eq!(cases.len(), count, "cases of kind {kind}");
    cases
}

fn ms(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

#[tokio::test]
async fn the_windows_of_an_analysis_are_kayentas() {
    for case in cases("scaWindow", 14) {
        let (input, expected) = (&case["input"], &case["expected"]);
        let service = Service::new();
        let now = input["now"].as_str().or(input["startTimeIso"].as_str());
        service.clock.set(ms(now.unwrap()));
        let interval = input["intervalMins"].as_i64().unwrap();
        let mut request = analysis_request("web-baseline", "web-canary");
        request["lifetimeDurationMins"] = (3 * interval).into();
        request["analysisIntervalMins"] = interval.into();
        for key in ["beginAfterMins", "lookbackMins"] {
            request[key] = input.get(key).cloned().unwrap_or(json!(0));
        }
        for key in ["startTimeIso", "endTimeIso", "controlOffsetInMinutes"] {
            request["scopes"][0][key] = input[key].clone();
        }
        let id = service.analysis(&config_of(&["latency"]), &request).await;
        let path = format!("/canary/{id}-{}", input["judgement"]);
        let canary = service.get(&path).await.ok();
        let scopes = &canary["canaryExecutionRequest"]["scopes"]["default"];
        for (key, found) in [
            ("start", &scopes["experimentScope"]["start"]),
            ("end", &scopes["experimentScope"]["end"]),
            ("controlStart", &scopes["controlScope"]["start"]),
            ("experimentStart", &scopes["experimentScope"]["start"]),
        ] {
            if let Some(expected) = expected.get(key) {
                assert_eq!(found, expected, "{} {key}", case["name"]);
            }
        }
    }
}

#[tokio::test]
async fn the_number_of_judgements_is_kayentas() {
    for case in cases("scaJudgementCount", 6) {
        let service = Service::new();
        let mut request = analysis_request("web-baseline", "web-canary");
        request["lifetimeDurationMins"] = case["input"]["lifetimeMins"].clone();
        request["analysisIntervalMins"] = case["input"]["analysisIntervalMins"].clone();
        let id = service.analysis(&config_of(&["latency"]), &request).await;
        let analysis = service
            .get(&format!("/standalone_canary_analysis/{id}"))
            .await
            .ok();
        let stages = analysis["stageStatus"].as_array().unwrap();
        let runs = stages
            .iter()
            .filter(|stage| stage["type"] == "runCanary")
            .count();
        assert_eq!(
            json!(runs),
            case["expected"]["judgements"],
            "{}",
            case["name"]
        );
    }
}

#[tokio::test]
async fn the_final_word_is_kayentas() {
    for case in cases("scaAggregate", 6) {
        let input = &case["input"];
        let service = Service::new();
        // One in a hundred metrics is one point of the score.
        let names: Vec<String> = (0..100)
            .map(
                |index| match f64::from(index) < input["finalScore"].as_f64().unwrap() {
                    true => format!("good-{index}"),
                    false => format!("bad-{index}"),
                },
            )
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut request = analysis_request("web-baseline", "web-canary");
        request["thresholds"] = json!({"pass": input["pass"], "marginal": input["marginal"]});
        request["analysisIntervalMins"] = 60.into();
        let id = service.analysis(&config_of(&names), &request).await;
        let analysis = service
            .get(&format!("/standalone_canary_analysis/{id}"))
            .await
            .ok();
        let result = &analysis["canaryAnalysisExecutionResult"];
        assert_eq!(
            result["canaryScores"],
            json!([input["finalScore"]]),
            "{}",
            case["name"]
        );
        for key in ["didPassThresholds", "canaryScoreMessage"] {
            assert_eq!(result[key], case["expected"][key], "{}", case["name"]);
        }
    }
}

#[tokio::test]
async fn argo_takes_our_scores_as_it_takes_kayentas() {
    for case in cases("argoEvaluate", 4) {
        let input = &case["input"];
        let service = Service::new();
        let score =
            json!({"score": input["score"], "classification": "", "classificationReason": ""});
        let body = json!({"complete": true, "status": "succeeded", "result": {"judgeResult": {"score": score}}});
        let kept = service.post("/canaryResultArchive", &body).await.ok();
        let path = format!("/canary/{}", kept["pipelineId"].as_str().unwrap());
        let body = service.get(&path).await.ok();
        let threshold = |key: &str| input[key].as_i64().unwrap();
        let phase = argo::phase(&body, threshold("pass"), threshold("marginal"));
        assert_eq!(json!(phase), case["expected"]["phase"], "{}", case["name"]);
    }
}

#[tokio::test]
async fn configs_are_stored_or_refused_as_kayenta_does() {
    for case in cases("canaryConfigValidation", 7) {
        let expected = &case["expected"];
        for replace in [false, true] {
            let service = Service::new();
            let reply = if replace {
                let old = json!({"id": "old", "name": "old", "applications": ["other"]});
                service.stored(&old).await;
                service.put("/canaryConfig/old", &case["input"]).await
            } else {
                service.post("/canaryConfig", &case["input"]).await
            };
            assert_eq!(
                json!(reply.status.as_u16()),
                expected["status"],
                "{}",
                case["name"]
            );
            if let Some(message) = expected.get("message") {
                assert_eq!(json!(reply.refused(400)), *message, "{}", case["name"]);
            }
        }
    }
}
