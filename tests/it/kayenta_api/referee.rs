//! Referee, the stand-alone UI: try a config out, look at the result and its series; look at a report of an analysis.

use serde_json::{Value, json};

use super::service::{Service, analysis_request, config, request};

#[tokio::test]
async fn a_config_is_tried_out_and_its_result_shown() {
    let service = Service::new();
    let accounts = service.get("/credentials").await.ok();
    let with = |kind: &str| {
        let mut accounts = accounts.as_array().unwrap().iter();
        let has = |account: &&Value| {
            account["supportedTypes"]
                .as_array()
                .unwrap()
                .contains(&json!(kind))
        };
        accounts.find(has).unwrap()["name"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (metrics, storage) = (with("METRICS_STORE"), with("OBJECT_STORE"));
    assert_eq!((metrics.as_str(), storage.as_str()), ("prom", "coalmine"));

    let body =
        json!({"canaryConfig": config(), "executionRequest": request("web-baseline", "web-bad")});
    let path = format!(
        "/canary?application=ad-hoc&metricsAccountName={metrics}&storageAccountName={storage}"
    );
    let id = service.post(&path, &body).await.ok()["canaryExecutionId"].clone();
    let poll = format!("/canary/{}", id.as_str().unwrap());

    let mut seen = Vec::new();
    let last = loop {
        let status = service.get(&poll).await.ok();
        let stages = status["stageStatus"].as_object().unwrap();
        seen.push(format!(
            "{} {}",
            stages["fetchControl0"].as_str().unwrap(),
            stages["judge"].as_str().unwrap()
        ));
        if status["complete"] == true {
            break status;
        }
        service.work(1).await;
    };
    seen.dedup();
    assert_eq!(
        seen,
        [
            "not_started not_started",
            "succeeded running",
            "succeeded succeeded"
        ]
    );

    assert_eq!(last["config"]["name"], "web-golden-signals");
    assert_eq!(
        last["config"]["metrics"][0]["query"]["customInlineTemplate"],
        "PromQL:latency{v=\"$\\{scope}\"}"
    );
    let pairs = format!(
        "/metricSetPairList/{}",
        last["metricSetPairListId"].as_str().unwrap()
    );
    let pairs = service.get(&pairs).await.ok();
    for (metric, pair) in last["result"]["judgeResult"]["results"]
        .as_array()
        .unwrap()
        .iter()
        .zip(pairs.as_array().unwrap())
    {
        assert_eq!(metric["id"], pair["id"]);
        assert!(metric["resultMetadata"]["ratio"].is_number());
        assert!(metric["experimentMetadata"]["stats"]["mean"].is_number());
        assert_eq!(pair["scopes"]["control"]["stepMillis"], 60_000);
        assert_eq!(
            pair["scopes"]["control"]["startTimeIso"],
            "2019-12-31T23:00:00Z"
        );
        let query = pair["attributes"]["experiment"]["query"].as_str().unwrap();
        assert!(query.contains("web-bad"), "{query}");
        assert_eq!(pair["values"]["control"].as_array().unwrap().len(), 60);
    }
}

#[tokio::test]
async fn a_report_of_an_analysis_finds_the_series_of_every_judgement() {
    let service = Service::new();
    let id = service
        .analysis(&config(), &analysis_request("web-baseline", "web-canary"))
        .await;
    let analysis = service
        .get(&format!("/standalone_canary_analysis/{id}"))
        .await
        .ok();
    let result = &analysis["canaryAnalysisExecutionResult"];
    let judgements = result["canaryExecutionResults"].as_array().unwrap();
    assert_eq!(judgements.len(), 4);
    for judgement in judgements {
        let list = judgement["metricSetPairListId"].as_str().unwrap();
        let pairs = service
            .get(&format!("/metricSetPairList/{list}"))
            .await
            .ok();
        assert_eq!(pairs.as_array().unwrap().len(), 2);
        let results = &judgement["result"]["judgeResult"]["results"];
        let pair = results[1]["id"].as_str().unwrap();
        let one = service
            .get(&format!("/metricSetPairList/{list}/{pair}"))
            .await
            .ok();
        assert_eq!(one, pairs[1]);
        let child = judgement["executionId"].as_str().unwrap();
        let canary = service.get(&format!("/canary/{child}")).await.ok();
        assert_eq!(canary["result"], judgement["result"]);
        assert_eq!(
            canary["metricSetPairListId"],
            judgement["metricSetPairListId"]
        );
    }
}
