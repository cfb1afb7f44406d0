//! What answers mean.

use super::*;

fn with(body: &str, key: &str, value: Value) -> Reply {
    let mut body: Value = serde_json::from_str(body).unwrap();
    body[key] = value;
    Reply::new(200, body.to_string())
}

async fn with_policy(policy: &str, reply: Reply) -> Result<Fetched, SourceError> {
    let server = range_server(move |_| reply.clone());
    let mut account = account(&server);
    account.on_warning = serde_json::from_value(json!(policy)).unwrap();
    Ask::plain().of_source(&source_of(account)).await
}

#[tokio::test]
async fn p3_duplicate_series_are_an_error_of_the_query_and_never_no_data() {
    let text =
        "found duplicate series for the match group {} on the right hand-side of the operation";
    let error = Ask::promql("a / b")
        .answered(refused(422, "execution", text))
        .await
        .unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    assert!(told(&error).contains("found duplicate series"), "{error}");
    assert!(told(&error).contains("aggregate with"), "{error}");
}

#[tokio::test]
async fn p9_warnings_of_missing_data_are_an_error_unless_the_account_says_otherwise() {
    let reply = || with(&eleven_points(), "warnings", json!(["no StoreAPI for a"]));
    let error = with_policy("fail", reply()).await.unwrap_err();
    assert!(
        is_retry(&error) && error.message.contains("no StoreAPI for a"),
        "{error}"
    );
    assert_eq!(error.query.as_deref(), Some("avg(rate(x[5m]))"));
    assert_warned(
        &with_policy("warn", reply()).await.unwrap(),
        "no StoreAPI for a",
    );
    assert!(
        with_policy("ignore", reply())
            .await
            .unwrap()
            .warnings
            .is_empty()
    );
}

#[tokio::test]
async fn p9_remarks_on_the_query_are_no_missing_data() {
    let info = "PromQL info: metric might not be a counter, name does not end in _total: \"x\"";
    let fetched = with_policy("fail", with(&eleven_points(), "infos", json!([info])))
        .await
        .unwrap();
    assert_warned(&fetched, info);
    let warning = "PromQL warning: quantile value should be between 0 and 1, got 95";
    let fetched = with_policy("fail", with(&eleven_points(), "warnings", json!([warning])))
        .await
        .unwrap();
    assert_warned(&fetched, warning);
}

#[tokio::test]
async fn p10_the_status_in_the_answer_counts_whatever_http_says() {
    let error = Ask::plain()
        .answered(refused(200, "bad_data", "parse error"))
        .await
        .unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    let error = Ask::plain()
        .answered(refused(200, "unavailable", "later"))
        .await
        .unwrap_err();
    assert!(is_retry(&error));
    let error = Ask::plain()
        .answered(Reply::new(200, r#"{"status":"success"}"#))
        .await
        .unwrap_err();
    assert!(
        is_retry(&error) && error.message.contains("without data"),
        "{error}"
    );
}

#[tokio::test]
async fn p11_not_a_number_is_missing_infinity_stays_and_both_are_counted() {
    let points = [
        (0.0, "NaN"),
        (60.0, "+Inf"),
        (120.0, "-Inf"),
        (180.0, "1e3"),
    ];
    let fetched = Ask::plain()
        .answered(Reply::new(200, matrix(&[(json!({}), &points)])))
        .await
        .unwrap();
    assert_eq!(
        values(&fetched)[..5],
        [
            None,
            Some(f64::INFINITY),
            Some(f64::NEG_INFINITY),
            Some(1000.0),
            None
        ]
    );
    assert_eq!(fetched.points, 3);
    assert_warned(&fetched, "1 point is not a number (NaN)");
    assert_warned(&fetched, "2 points are infinite");
}

#[tokio::test]
async fn p12_for_kayenta_repeated_points_of_a_bare_gauge_are_warned_about() {
    let points = [
        (0.0, "7"),
        (60.0, "5"),
        (120.0, "5"),
        (180.0, "5"),
        (240.0, "9"),
    ];
    let reply = || Reply::new(200, matrix(&[(json!({}), &points)]));
    let fetched = Ask::promql("avg(x)")
        .like_kayenta()
        .answered(reply())
        .await
        .unwrap();
    assert_eq!(fetched.query, "avg(x)");
    assert_warned(&fetched, "`x` is read bare and 3 points in a row are equal");
    // Read over a time, equal points are measured ones.
    let fetched = Ask::plain().like_kayenta().answered(reply()).await.unwrap();
    assert!(
        fetched.warnings.iter().all(|w| !w.contains("bare")),
        "{:?}",
        fetched.warnings
    );
}

#[tokio::test]
async fn p15_a_missing_point_at_the_edge_of_the_window_lowers_no_coverage() {
    let body = eleven_points();
    let mut body: Value = serde_json::from_str(&body).unwrap();
    body["data"]["result"][0]["values"]
        .as_array_mut()
        .unwrap()
        .remove(0);
    let fetched = Ask::plain()
        .answered(Reply::new(200, body.to_string()))
        .await
        .unwrap();
    assert_eq!((fetched.points, fetched.expected_points), (10, 10));
    assert_eq!(fetched.coverage(), 1.0);
    assert!(fetched.warnings.is_empty(), "{:?}", fetched.warnings);
    let fetched = Ask::plain().answered(full()).await.unwrap();
    assert_eq!((fetched.points, fetched.coverage()), (11, 1.0));
}

fn two_pods() -> Reply {
    let points = [(0.0, "1"), (60.0, "2")];
    Reply::new(
        200,
        matrix(&[
            (json!({ "__name__": "x", "pod": "a" }), &points),
            (json!({ "__name__": "x", "pod": "b" }), &points),
        ]),
    )
}

#[tokio::test]
async fn p17_several_series_where_one_was_meant_are_refused() {
    let error = Ask::promql("rate(x[5m])")
        .answered(two_pods())
        .await
        .unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    assert!(error.message.contains("2 series; expected 1"), "{error}");
    assert!(
        error.message.contains("they differ in `pod` (`a`, `b`)"),
        "{error}"
    );
}

#[tokio::test]
async fn p17_series_that_the_query_keeps_apart_are_kept_apart_by_label() {
    let ask = Ask::promql("sum by (pod) (rate(x[5m]))");
    let fetched = ask.answered(two_pods()).await.unwrap();
    let pods: Vec<&str> = fetched
        .sets
        .iter()
        .map(|set| set.tags["pod"].as_str())
        .collect();
    assert_eq!(pods, ["a", "b"]);
    assert!(
        fetched
            .sets
            .iter()
            .all(|set| !set.tags.contains_key("__name__"))
    );
    assert_eq!(fetched.expected_points, 20);
}

#[tokio::test]
async fn p17_for_kayenta_several_series_are_several_with_a_warning() {
    let fetched = Ask::promql("rate(x[5m])")
        .like_kayenta()
        .answered(two_pods())
        .await
        .unwrap();
    assert_eq!(fetched.sets.len(), 2);
    assert_warned(&fetched, "2 series; expected 1");
}

/// Two metrics of one pod, the second with a point more.
fn two_names(first: &str, second: &str) -> Reply {
    let points = [(0.0, "1"), (60.0, "2"), (120.0, "3")];
    let name = |name: &str| json!({ "__name__": name, "pod": "a" });
    let body = matrix(&[(name(first), &points[..2]), (name(second), &points)]);
    Reply::new(200, body)
}

#[tokio::test]
async fn p17_series_that_differ_only_in_their_name_are_several() {
    let query = "{__name__=~\"x|y\"}";
    let ask = Ask::promql(query);
    let error = ask.answered(two_names("x", "y")).await.unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    assert!(
        error
            .message
            .contains("they differ in `__name__` (`x`, `y`)"),
        "{error}"
    );
    let ask = Ask::promql(query).like_kayenta();
    let fetched = ask.answered(two_names("x", "y")).await.unwrap();
    let lengths: Vec<usize> = fetched.sets.iter().map(|set| set.values.len()).collect();
    assert_eq!(lengths, [2, 3], "{:?}", fetched.sets);
    assert_warned(&fetched, "2 series; expected 1");
    let ask = Ask::promql("sum by (__name__, pod) ({pod=\"a\"})");
    let fetched = ask.answered(two_names("x", "y")).await.unwrap();
    let names = fetched.sets.iter().map(|set| set.tags["__name__"].as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["x", "y"]);
    // A broken store may tell the same series twice.
    let ask = Ask::promql("avg(rate(x[5m]))");
    let error = ask.answered(two_names("x", "x")).await.unwrap_err();
    assert!(error.message.contains("they differ in nothing"), "{error}");
}

#[tokio::test]
async fn p18_labels_of_replicas_are_warned_about() {
    let points = [(0.0, "1")];
    let labels = json!({ "prometheus_replica": "prometheus-0" });
    let reply = Reply::new(200, matrix(&[(labels, &points)]));
    let fetched = Ask::plain().answered(reply).await.unwrap();
    assert_warned(&fetched, "the series carry `prometheus_replica`");
}

#[tokio::test]
async fn p18_a_sum_over_a_store_with_replicas_is_warned_about() {
    let server = ScriptedHttp::start(|seen| match seen.path.as_str() {
        "/api/v1/query_range" => full(),
        "/api/v1/labels" => Reply::new(
            200,
            success(json!(["__name__", "__replica__", "pod"])).to_string(),
        ),
        _ => Reply::new(404, ""),
    });
    let source = source(&server);
    let fetched = Ask::promql("sum(rate(x[5m]))")
        .of_source(&source)
        .await
        .unwrap();
    assert_warned(
        &fetched,
        "`__replica__`: where two Prometheus scrape the same targets",
    );
    for harmless in [
        "avg(rate(x[5m]))",
        "sum(max without (__replica__) (rate(x[5m])))",
    ] {
        let fetched = Ask::promql(harmless).of_source(&source).await.unwrap();
        assert!(fetched.warnings.is_empty(), "{:?}", fetched.warnings);
    }
}

/// A store that has `x`, though not of any scope.
fn has_x(seen: &Seen) -> Reply {
    let empty = json!({ "resultType": "matrix", "result": [] });
    let count = match seen.field("query").contains("(x[") {
        true => json!([{ "metric": {}, "value": [0, "7"] }]),
        false => json!([]),
    };
    match seen.path.as_str() {
        "/api/v1/query_range" => Reply::new(200, success(empty).to_string()),
        "/api/v1/query" => Reply::new(
            200,
            success(json!({ "resultType": "vector", "result": count })).to_string(),
        ),
        _ => Reply::new(404, ""),
    }
}

#[tokio::test]
async fn p19_an_empty_answer_tells_a_dead_metric_from_a_wrong_scope() {
    let server = ScriptedHttp::start(has_x);
    let source = source(&server);
    let empty = Ask::promql("avg(rate(x{v=\"${scope}\"}[5m]))")
        .of_source(&source)
        .await
        .unwrap();
    assert_warned(
        &empty,
        "7 series of `x` in the window, but `x{v=\"web-v002\"}` gives nothing",
    );
    let empty = Ask::promql("avg(rate(y[5m]))")
        .of_source(&source)
        .await
        .unwrap();
    assert_warned(&empty, "the store has no series of `y` in the window");
    let long = "a|".repeat(100_000);
    let empty = Ask::promql(&format!("avg(rate(x{{v=~\"{long}\"}}[5m]))"));
    let empty = empty.of_source(&source).await.unwrap();
    assert!(empty.warnings.iter().all(|warning| warning.len() < 1000));
    assert_warned(&empty, "7 series of `x` in the window");
    assert_eq!(
        (empty.points, empty.expected_points, empty.coverage()),
        (0, 10, 0.0)
    );
    assert!(values(&empty).is_empty());
    assert_eq!(
        (empty.sets[0].start_ms, empty.sets[0].step_ms),
        (START, 60_000)
    );
}

#[tokio::test]
async fn p20_anything_but_a_matrix_is_refused_by_its_name() {
    for (kind, result) in [
        ("vector", json!([{ "metric": {}, "value": [0, "1"] }])),
        ("scalar", json!([0, "1"])),
        ("string", json!([0, "text"])),
    ] {
        let body = success(json!({ "resultType": kind, "result": result })).to_string();
        let error = Ask::plain()
            .answered(Reply::new(200, body))
            .await
            .unwrap_err();
        assert_eq!(error.remedy, Remedy::Mend);
        let found = format!("found a {kind} as result; expected a matrix");
        assert!(error.message.contains(&found), "{error}");
    }
}

#[tokio::test]
async fn p20_data_of_another_shape_is_given_up() {
    for result in [
        json!([{ "metric": {}, "values": [["x", "1"]] }]),
        json!({}),
        json!([7]),
    ] {
        let body = success(json!({ "resultType": "matrix", "result": result })).to_string();
        let error = Ask::plain()
            .answered(Reply::new(200, body))
            .await
            .unwrap_err();
        assert_eq!(error.remedy, Remedy::GiveUp, "{error}");
        assert!(
            error.message.contains("found data of another shape"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn p21_points_beside_the_grid_are_left_out_and_counted() {
    let points = [(0.0, "1"), (90.0, "2"), (120.0, "3")];
    let fetched = Ask::plain()
        .answered(Reply::new(200, matrix(&[(json!({}), &points)])))
        .await
        .unwrap();
    assert_eq!(values(&fetched)[..3], [Some(1.0), None, Some(3.0)]);
    assert_warned(&fetched, "1 point is at another moment than asked for");
}

#[tokio::test]
async fn p25_native_histograms_are_an_error_and_never_empty() {
    let body = success(json!({ "resultType": "matrix", "result": [
        { "metric": {}, "histograms": [[1, { "count": "1", "sum": "2", "buckets": [] }]] }
    ]}));
    let error = Ask::plain()
        .answered(Reply::new(200, body.to_string()))
        .await
        .unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    assert!(told(&error).contains("native histograms"), "{error}");
    assert!(told(&error).contains("histogram_quantile"), "{error}");
}

#[tokio::test]
async fn p33_an_answer_marked_as_partial_is_as_one_with_a_warning() {
    let reply = || with(&eleven_points(), "isPartial", json!(true));
    let error = with_policy("fail", reply()).await.unwrap_err();
    assert!(
        is_retry(&error) && error.message.contains("isPartial"),
        "{error}"
    );
    assert_warned(&with_policy("warn", reply()).await.unwrap(), "isPartial");
    let whole = with(&eleven_points(), "isPartial", json!(false));
    assert!(
        with_policy("fail", whole)
            .await
            .unwrap()
            .warnings
            .is_empty()
    );
}

#[tokio::test]
async fn p34_more_series_than_allowed_stop_the_reading() {
    let server = range_server(|_| two_pods());
    let mut account = account(&server);
    account.max_series = 1.try_into().unwrap();
    let ask = Ask::promql("sum by (pod) (rate(x[5m]))");
    let error = ask.of_source(&source_of(account)).await.unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    assert!(
        told(&error).contains("more than 1 series (`maxSeries`)"),
        "{error}"
    );
}

#[tokio::test]
async fn p36_data_that_begins_late_is_warned_about() {
    let points = [(300.0, "1"), (360.0, "2"), (420.0, "3")];
    for ask in [Ask::plain(), Ask::plain().like_kayenta()] {
        let fetched = ask
            .answered(Reply::new(200, matrix(&[(json!({}), &points)])))
            .await
            .unwrap();
        assert_warned(
            &fetched,
            "the first point is 300 s after the window's start",
        );
    }
}

#[tokio::test]
async fn p37_what_is_kept_is_what_came_with_the_query_that_brought_it() {
    let fetched = Ask::promql("avg(x)").answered(full()).await.unwrap();
    let expected: Vec<Option<f64>> = (0..=10).map(|n| Some(f64::from(n))).collect();
    assert_eq!(values(&fetched), expected);
    assert_eq!(fetched.query, "avg(last_over_time(x[60s]))");
    assert_eq!(fetched.sets[0].attributes["query"], fetched.query);
}
