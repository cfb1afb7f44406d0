//! What is asked: which moments, in which pieces, with which parameters.

use std::time::Duration;

use coalmine::analysis::collect::{Collector, Patience};
use coalmine::analysis::task::Task;
use coalmine::config::Strictness;
use coalmine::config::canary::load_wire;
use coalmine::model::scope::ScopePair;
use coalmine::sources::Sources;
use coalmine_judges::config::Thresholds;

use super::*;

/// Answers as Prometheus: a point for each moment asked about, its value the moment's number since [`START`].
fn counting(seen: &Seen) -> Reply {
    let ms = |name: &str| {
        seen.field(name)
            .parse::<jiff::Timestamp>()
            .unwrap()
            .as_millisecond()
    };
    let step = seen.field("step").parse::<i64>().unwrap() * 1000;
    let (start, end) = (ms("start"), ms("end"));
    if (end - start) / step > 11_000 {
        return refused(
            400,
            "bad_data",
            "exceeded maximum resolution of 11,000 points per timeseries",
        );
    }
    let mut body = String::from(
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":["#,
    );
    let mut at = start;
    while at <= end {
        let comma = if at == start { "" } else { "," };
        body.push_str(&format!(
            "{comma}[{}.{:03},\"{}\"]",
            at / 1000,
            at % 1000,
            (at - START) / step
        ));
        at += step;
    }
    body.push_str("]}]}}");
    Reply::new(200, body)
}

#[tokio::test]
async fn p1_a_long_range_is_asked_in_pieces_and_joined_without_a_seam() {
    for manner in [Manner::Aligned, Manner::Kayenta] {
        let server = range_server(counting);
        let mut ask = Ask::plain().window(0, 25_000_000, 1);
        ask.0.manner = manner;
        let fetched = ask.of_source(&source(&server)).await.unwrap();
        let expected: Vec<Option<f64>> = (0..=25_000).map(|n| Some(f64::from(n))).collect();
        assert_eq!(values(&fetched), expected);
        assert_eq!(fetched.coverage(), 1.0);
        let starts: Vec<String> = asked(&server)
            .iter()
            .map(|seen| seen.field("start").to_owned())
            .collect();
        assert_eq!(
            starts,
            [
                "2026-01-01T00:00:00Z",
                "2026-01-01T02:46:40Z",
                "2026-01-01T05:33:20Z"
            ]
        );
    }
}

#[tokio::test]
async fn p1_an_edge_that_comes_twice_is_dropped() {
    // A store that also gives the moment before each piece.
    let server = range_server(|seen| {
        let start: jiff::Timestamp = seen.field("start").parse().unwrap();
        let mut seen = seen.clone();
        if start.as_millisecond() > START {
            let earlier = jiff::Timestamp::from_millisecond(start.as_millisecond() - 1000).unwrap();
            seen.fields.insert("start".to_owned(), earlier.to_string());
        }
        counting(&seen)
    });
    let ask = Ask::plain().like_kayenta().window(0, 12_000_000, 1);
    let fetched = ask.of_source(&source(&server)).await.unwrap();
    assert_eq!(values(&fetched).len(), 12_001);
    assert!(values(&fetched).is_sorted());
}

#[tokio::test]
async fn p2_a_scope_without_step_is_a_mistake_and_nothing_is_asked() {
    let server = range_server(|_| full());
    let ask = Ask::plain().window(0, 600_000, 0);
    let error = ask.of_source(&source(&server)).await.unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    assert!(
        error
            .message
            .contains("found a step of 0 s; expected at least 1 s"),
        "{error}"
    );
    assert!(asked(&server).is_empty());
}

#[tokio::test]
async fn p2_a_bad_query_is_a_mistake_that_shows_the_query_and_what_prometheus_said() {
    let text = "invalid parameter \"query\": 1:5: parse error: unexpected end of input";
    let error = Ask::promql("sum(")
        .answered(refused(400, "bad_data", text))
        .await
        .unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    assert_eq!(error.query.as_deref(), Some("sum("));
    assert!(error.message.contains("400 (bad_data)"), "{error}");
    assert!(error.message.contains("unexpected end of input"), "{error}");
}

#[tokio::test]
async fn p4_too_many_samples_halve_the_range_until_it_fits() {
    let server = range_server(|seen| {
        let ms = |name: &str| {
            seen.field(name)
                .parse::<jiff::Timestamp>()
                .unwrap()
                .as_millisecond()
        };
        match ms("end") - ms("start") > 200_000 {
            true => refused(
                422,
                "execution",
                "query processing would load too many samples into memory in query execution",
            ),
            false => counting(seen),
        }
    });
    let fetched = Ask::plain().of_source(&source(&server)).await.unwrap();
    let expected: Vec<Option<f64>> = (0..=10).map(|n| Some(f64::from(n))).collect();
    assert_eq!(values(&fetched), expected);
    assert_eq!(
        asked(&server).len(),
        7,
        "the whole, two halves, four quarters"
    );
}

#[tokio::test]
async fn p4_too_many_samples_even_for_short_ranges_end_in_an_error_after_a_few_requests() {
    let server = range_server(|_| {
        refused(
            422,
            "execution",
            "query processing would load too many samples",
        )
    });
    let ask = Ask::plain().window(0, 9_000_000, 1);
    let error = ask.of_source(&source(&server)).await.unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    assert!(told(&error).contains("too many samples"), "{error}");
    assert!(asked(&server).len() <= 16, "{}", asked(&server).len());
}

#[tokio::test]
async fn p5_an_evaluation_that_takes_too_long_is_tried_once_more_in_halves_and_no_more() {
    let timeout = || refused(503, "timeout", "query timed out in expression evaluation");
    let server = range_server(move |_| timeout());
    let error = Ask::plain().of_source(&source(&server)).await.unwrap_err();
    assert_eq!(error.remedy, Remedy::Later, "{error}");
    assert_eq!(asked(&server).len(), 2);
    // One point cannot be halved.
    let server = range_server(move |_| timeout());
    let one_point = Ask::plain().window(0, 59_999, 60);
    let error = one_point.of_source(&source(&server)).await.unwrap_err();
    assert_eq!(error.remedy, Remedy::Later, "{error}");
    assert_eq!(asked(&server).len(), 2);

    let server = range_server(|seen| {
        match seen.field("end") == "2026-01-01T00:10:00Z"
            && seen.field("start") == "2026-01-01T00:00:00Z"
        {
            true => refused(503, "timeout", "query timed out in expression evaluation"),
            false => counting(seen),
        }
    });
    let fetched = Ask::plain().of_source(&source(&server)).await.unwrap();
    assert_eq!(values(&fetched).iter().flatten().count(), 11);
    assert_eq!(asked(&server).len(), 3);
}

/// What the collector, which repeats questions, makes of a store whose evaluations take too long.
#[tokio::test]
async fn p5_a_store_that_suffers_is_not_asked_over_and_over_again() {
    let server = range_server(|_| refused(503, "timeout", "query timed out"));
    let text = "{name: c, applications: [web], classifier: {groupWeights: {g: 100}}, metrics: [{name: m, groups: [g], \
         scopeName: default, query: {type: prometheus, customInlineTemplate: 'PromQL:avg(rate(x[5m]))'}}]}";
    let (config, _) = load_wire(text, Strictness::Lenient).unwrap();
    let scope = Ask::plain().0.scope;
    let pair = ScopePair {
        baseline: scope.clone(),
        canary: scope.clone(),
    };
    let task = Task {
        application: "web".to_owned(),
        config: Arc::new(config),
        account: None,
        thresholds: Thresholds::default(),
        scopes: BTreeMap::from([("default".to_owned(), pair)]),
    };
    let source: Arc<dyn MetricSource> = Arc::new(source(&server));
    let sources = Arc::new(Sources::new(vec![("prom".to_owned(), source)]));
    let patience = Patience {
        attempts: 20,
        first_pause: Duration::from_millis(1),
        most_pause: Duration::from_millis(1),
        ..Patience::default()
    };
    let collector = Collector::new(sources, Arc::new(FixedClock(NOW))).patience(patience);
    let failures = collector.collect(&task).await.unwrap_err();
    // Both sides are one question; it was asked twice, and never again.
    assert_eq!(asked(&server).len(), 2);
    assert!(
        failures.iter().all(|failure| failure.passing),
        "{failures:?}"
    );
    assert!(
        failures[0].message.contains("query timed out"),
        "{failures:?}"
    );
}

#[tokio::test]
async fn p6_the_time_out_that_is_sent_is_whole_milliseconds_and_shorter_than_ours() {
    let server = range_server(|_| full());
    let mut account = account(&server);
    account.timeout_secs = 20.try_into().unwrap();
    Ask::plain().of_source(&source_of(account)).await.unwrap();
    assert_eq!(asked(&server)[0].field("timeout"), "18000ms");
}

#[tokio::test]
async fn p14_the_look_back_parameter_is_never_relied_on_and_the_build_is_told() {
    let server = ScriptedHttp::start(|seen| match seen.path.as_str() {
        "/api/v1/query_range" => full(),
        "/api/v1/status/buildinfo" => Reply::new(
            200,
            success(json!({ "version": "3.5.0", "revision": "x" })).to_string(),
        ),
        _ => Reply::new(404, ""),
    });
    let source = source(&server);
    for _ in 0..2 {
        let fetched = Ask::promql("avg(x)").of_source(&source).await.unwrap();
        assert_eq!(fetched.build.as_deref(), Some("prometheus 3.5.0"));
        assert_eq!(fetched.query, "avg(last_over_time(x[60s]))");
    }
    assert!(
        asked(&server)
            .iter()
            .all(|seen| !seen.fields.contains_key("lookback_delta"))
    );
    assert_eq!(server.seen_at("/buildinfo").len(), 1, "asked once");
}

#[tokio::test]
async fn p21_start_and_end_are_laid_on_multiples_of_the_step() {
    let server = range_server(|_| full());
    let source = source(&server);
    let fetched = Ask::plain()
        .window(-59_500, 659_999, 60)
        .of_source(&source)
        .await
        .unwrap();
    assert_eq!(asked(&server)[0].field("start"), "2026-01-01T00:00:00Z");
    assert_eq!(asked(&server)[0].field("end"), "2026-01-01T00:10:00Z");
    assert_eq!(
        (fetched.sets[0].start_ms, fetched.sets[0].step_ms),
        (START, 60_000)
    );
}

#[tokio::test]
async fn p21_for_kayenta_the_window_stays_as_it_is_and_a_warning_says_so() {
    let server = range_server(|_| full());
    let ask = Ask::plain().like_kayenta().window(500, 600_500, 60);
    let fetched = ask.of_source(&source(&server)).await.unwrap();
    assert_eq!(asked(&server)[0].field("start"), "2026-01-01T00:00:00.5Z");
    assert_eq!(asked(&server)[0].field("end"), "2026-01-01T00:10:00.5Z");
    assert_eq!(asked(&server)[0].field("step"), "60");
    assert_warned(&fetched, "does not start on a multiple of the step");
}

#[tokio::test]
async fn p22_points_that_are_too_young_are_not_asked_for() {
    let server = range_server(|_| full());
    let now = START + 600_000;
    let account = account(&server);
    let source = PrometheusSource::with_clock(account, Arc::new(FixedClock(now))).unwrap();
    let fetched = Ask::plain().of_source(&source).await.unwrap();
    assert_eq!(asked(&server)[0].field("end"), "2026-01-01T00:09:00Z");
    assert_warned(&fetched, "the last 60 s of the window are left out");

    // Kayenta asks for them.
    let fetched = Ask::plain()
        .like_kayenta()
        .of_source(&source)
        .await
        .unwrap();
    assert_eq!(asked(&server)[1].field("end"), "2026-01-01T00:10:00Z");
    assert_warned(&fetched, "the last 60 s of the window are so young");
}

#[tokio::test]
async fn p22_sides_that_are_asked_at_different_times_are_cut_at_the_same_moment() {
    let ends = async |settled_ms: Option<i64>| {
        let mut ends = Vec::new();
        for now_ms in [START + 400_000, START + 500_000] {
            let server = range_server(|_| full());
            let clock = Arc::new(FixedClock(now_ms));
            let source = PrometheusSource::with_clock(account(&server), clock).unwrap();
            assert_eq!(source.believed_until_ms(), Some(now_ms - 60_000));
            let mut ask = Ask::plain();
            ask.0.settled_ms = settled_ms;
            ask.of_source(&source).await.unwrap();
            ends.push(asked(&server)[0].field("end").to_owned());
        }
        ends.join(" ")
    };
    let minutes = async |settled_ms| ends(settled_ms).await.replace("2026-01-01T00:", "");
    assert_eq!(minutes(None).await, "05:00Z 07:00Z", "each at its own time");
    assert_eq!(minutes(Some(START + 310_000)).await, "05:00Z 05:00Z");
    assert_eq!(
        minutes(Some(START - 1)).await,
        "00:00Z 00:00Z",
        "the first point stays"
    );
}

#[tokio::test]
async fn p22_a_window_that_is_too_young_as_a_whole_is_to_be_asked_for_later() {
    let server = range_server(|_| full());
    let clock = Arc::new(FixedClock(START + 10_000));
    let source = PrometheusSource::with_clock(account(&server), clock).unwrap();
    let error = Ask::plain().of_source(&source).await.unwrap_err();
    let after = std::time::Duration::from_secs(50);
    assert_eq!(error.remedy, Remedy::Retry { after: Some(after) });
    assert!(asked(&server).is_empty());
}

#[tokio::test]
async fn p22_a_store_whose_clock_is_behind_is_known_by_its_date() {
    let server = range_server(|_| full().with("Date", "Thu, 01 Jan 2026 00:08:00 GMT"));
    let clock = Arc::new(FixedClock(START + 600_000));
    let source = PrometheusSource::with_clock(account(&server), clock).unwrap();
    let first = Ask::plain().of_source(&source).await.unwrap();
    assert_warned(&first, "the store's clock is 119 s behind ours");
    Ask::plain().of_source(&source).await.unwrap();
    assert_eq!(asked(&server)[1].field("end"), "2026-01-01T00:07:00Z");
}

#[tokio::test]
async fn p22_dates_of_others_and_absurd_ones_are_not_believed() {
    let clock = || Arc::new(FixedClock(START + 600_000));
    // A proxy's page of errors, half an hour behind; the store itself tells no date.
    let refusal = || Reply::html(502, "no").with("Date", "Wed, 31 Dec 2025 23:40:00 GMT");
    let server = ScriptedHttp::start(move |seen| match seen.path.as_str() {
        "/api/v1/query_range" => full(),
        _ => refusal(),
    });
    let source = PrometheusSource::with_clock(account(&server), clock()).unwrap();
    Ask::plain().of_source(&source).await.unwrap();
    assert_eq!(asked(&server)[0].field("end"), "2026-01-01T00:09:00Z");
    let fetched = Ask::plain().of_source(&source).await.unwrap();
    let clocks = fetched.warnings.iter().filter(|w| w.contains("clock"));
    assert_eq!(clocks.count(), 0, "{:?}", fetched.warnings);

    // The store itself, but years behind.
    let server = range_server(|_| full().with("Date", "Sat, 01 Jan 2000 00:00:00 GMT"));
    let source = PrometheusSource::with_clock(account(&server), clock()).unwrap();
    for _ in 0..2 {
        let fetched = Ask::plain().of_source(&source).await.unwrap();
        assert_warned(&fetched, "seems, and is not believed to be,");
    }
    assert_eq!(asked(&server)[1].field("end"), "2026-01-01T00:09:00Z");
}

#[tokio::test]
async fn p31_thanos_is_told_to_give_whole_raw_data() {
    let server = range_server(|_| full());
    Ask::plain().of_source(&source(&server)).await.unwrap();
    let seen = &asked(&server)[0];
    assert_eq!(seen.field("partial_response"), "false");
    assert_eq!(seen.field("dedup"), "true");
    assert_eq!(seen.field("max_source_resolution"), "0s");
}

#[tokio::test]
async fn p32_caches_are_told_to_store_nothing_and_mimirs_ids_are_shown() {
    let server = range_server(|_| full());
    Ask::plain().of_source(&source(&server)).await.unwrap();
    assert_eq!(asked(&server)[0].header("cache-control"), "no-store");

    let text = "the total query time range exceeds the limit (err-mimir-max-total-query-length)";
    let error = Ask::plain()
        .answered(refused(422, "bad_data", text))
        .await
        .unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    assert!(
        told(&error).contains("`err-mimir-max-total-query-length` is explained"),
        "{error}"
    );

    let text = "too many outstanding requests";
    let error = Ask::plain()
        .answered(refused(429, "too_many_requests", text))
        .await
        .unwrap_err();
    assert!(is_retry(&error), "{error}");
}

#[tokio::test]
async fn p33_victoria_metrics_is_asked_past_its_cache_and_under_its_tenants_path() {
    let server = range_server(|_| full());
    let mut account = account(&server);
    account.base_url.push_str("/select/7/prometheus/");
    assert!(account.settle_secs >= 30, "it lags by 30 s");
    Ask::plain().of_source(&source_of(account)).await.unwrap();
    let seen = &asked(&server)[0];
    assert_eq!(seen.path, "/select/7/prometheus/api/v1/query_range");
    assert_eq!(seen.field("nocache"), "1");
}
