//! What Kayenta does with Prometheus, by the reference vectors.

use coalmine::sources::MetricSource;
use coalmine::sources::prometheus::Account;
use serde_json::{Value, json};

use super::*;

/// Cases of one kind; `count` holds that none was lost.
fn cases(kind: &str, count: usize) -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/judges/tests/vectors/kayenta_vectors.json"
    );
    let all: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases: Vec<Value> = all
        .into_iter()
        .filter(|case| case["kind"] == kind)
        .collect();
    assert_eq!(cases.len(), count, "cases of kind {kind}");
    cases
}

fn texts(value: &Value) -> BTreeMap<String, String> {
    serde_json::from_value::<Option<_>>(value.clone())
        .unwrap()
        .unwrap_or_default()
}

#[test]
fn queries_read_like_kayentas() {
    for case in cases("prometheusBuildQuery", 19) {
        let input = &case["input"];
        let mut ask = Ask::of(&input["query"]).like_kayenta();
        ask.0.templates = Arc::new(texts(&input["templates"]));
        ask.0.scope.scope = input["scope"]["scope"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        ask.0.scope.location = input["scope"]["location"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        ask.0.scope.parameters = texts(&input["scope"]["extendedScopeParams"]);
        let mut account = Account::new("prom", "http://127.0.0.1:1");
        if let Some(label) = case["params"]["scopeLabel"].as_str() {
            label.clone_into(&mut account.scope_label);
        }
        let query = source_of(account).render(&ask.0);
        match case["expected"]["errorContains"].as_str() {
            None => assert_eq!(
                query.unwrap(),
                case["expected"]["query"],
                "{}",
                case["name"]
            ),
            Some(part) => {
                let error = query.unwrap_err();
                assert!(error.message.contains(part), "{}: {error}", case["name"]);
                assert_eq!(error.remedy, Remedy::Mend);
            }
        }
    }
}

#[tokio::test]
async fn answers_become_kayentas_lists_of_points() {
    for case in cases("prometheusParse", 3) {
        let body = case["input"]["body"].to_string();
        let mut ask = Ask::plain().like_kayenta();
        if let Some(start) = case["input"]["scope"]["start"].as_str() {
            let ms = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
            let end = case["input"]["scope"]["end"].as_str().unwrap();
            ask.0.scope.window = Window::new(ms(start), ms(end)).unwrap();
        }
        let fetched = ask.answered(Reply::new(200, body)).await.unwrap();
        let expected = &case["expected"];
        let sets = expected["series"]
            .as_array()
            .or(expected["metricSets"].as_array())
            .unwrap();
        assert_eq!(fetched.sets.len(), sets.len(), "{}", case["name"]);
        for (set, expected) in fetched.sets.iter().zip(sets) {
            let step_secs = expected["stepSecs"].as_u64();
            let step_ms =
                step_secs.map_or(expected["stepMillis"].as_u64(), |secs| Some(secs * 1000));
            assert_eq!(Some(set.step_ms), step_ms, "{}", case["name"]);
            assert_eq!(
                Some(set.start_ms),
                expected["startTimeMillis"].as_i64(),
                "{}",
                case["name"]
            );
            assert_eq!(
                Some(set.end_ms),
                expected["endTimeMillis"].as_i64(),
                "{}",
                case["name"]
            );
            assert_eq!(json!(set.tags), expected["tags"], "{}", case["name"]);
            let values: Vec<Value> = set
                .values
                .iter()
                .map(|value| match value {
                    None => json!("NaN"),
                    Some(value) if value.is_infinite() && *value > 0.0 => json!("Infinity"),
                    Some(value) if value.is_infinite() => json!("-Infinity"),
                    Some(value) => json!(value),
                })
                .collect();
            assert_eq!(json!(values), expected["values"], "{}", case["name"]);
        }
    }
}

#[tokio::test]
async fn what_may_be_tried_again_is_what_kayenta_tries_again() {
    for case in cases("metricsRetry", 6) {
        let replies: Vec<String> =
            serde_json::from_value(case["input"]["responses"].clone()).unwrap();
        let count = std::sync::atomic::AtomicUsize::new(0);
        let server = range_server(move |_| {
            let index = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            match replies[index.min(replies.len() - 1)].as_str() {
                "ok" => full(),
                "io" => Reply::nothing(),
                status => Reply::new(status.parse().unwrap(), "broken"),
            }
        });
        let source = source(&server);
        let mut success = false;
        for _ in 0..case["params"]["attempts"].as_u64().unwrap() {
            match Ask::plain().of_source(&source).await {
                Ok(_) => success = true,
                Err(error) if is_retry(&error) => continue,
                Err(_) => {}
            }
            break;
        }
        assert_eq!(success, case["expected"]["success"], "{}", case["name"]);
        assert_eq!(
            asked(&server).len() as u64,
            case["expected"]["calls"],
            "{}",
            case["name"]
        );
    }
}

#[tokio::test]
async fn null_points_are_skipped_and_holes_are_not_filled_for_kayenta() {
    let body = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},
        "values":[[1767225600.25,null],[1767225660.25,"1"],[1767225840.25,"2"],[1767225900.25,"3"]]}]}}"#;
    let ask = Ask::plain().like_kayenta().window(250, 600_250, 60);
    let fetched = ask.answered(Reply::new(200, body)).await.unwrap();
    assert_eq!(values(&fetched), [Some(1.0), Some(2.0), Some(3.0)]);
    let set = &fetched.sets[0];
    assert_eq!((set.start_ms, set.step_ms), (START + 60_250, 180_000));
    assert_eq!(set.end_ms, START + 60_250 + 3 * 180_000);
    assert_eq!(set.attributes["query"], "avg(rate(x[5m]))");
    assert_eq!((fetched.points, fetched.expected_points), (3, 10));
}
