//! What Prometheus itself does. Skipped where there is none; see `real_prometheus`.

use std::fmt::Write as _;

use super::*;
use crate::real_prometheus::{RealPrometheus, Setup};

const START_SECS: i64 = START / 1000;

/// Samples of one series: a value every `interval` seconds where `value` has one, from an hour before [`START`] to three after.
fn samples(text: &mut String, series: &str, interval: i64, value: impl Fn(i64) -> Option<f64>) {
    let mut at = -3600;
    while at <= 3 * 3600 {
        if let Some(value) = value(at) {
            writeln!(text, "{series} {value} {}", START_SECS + at).unwrap();
        }
        at += interval;
    }
}

fn data() -> String {
    let mut text = String::new();
    text.push_str("# TYPE gauge gauge\n");
    samples(&mut text, "gauge{pod=\"a\"}", 15, |at| Some(at as f64));
    samples(&mut text, "gauge{pod=\"b\"}", 15, |at| {
        Some(at as f64 + 0.5)
    });
    text.push_str("# TYPE holey gauge\n");
    // A hole of twelve minutes.
    samples(&mut text, "holey", 15, |at| {
        (!(300..=1020).contains(&at)).then_some(at as f64)
    });
    text.push_str("# TYPE requests counter\n");
    // Ten a second; a restart after five minutes.
    samples(&mut text, "requests_total{pod=\"a\"}", 15, |at| {
        Some(10.0 * (if at < 300 { at + 3600 } else { at - 300 }) as f64)
    });
    text.push_str("# TYPE rare counter\n");
    samples(&mut text, "rare_total", 60, |at| Some((at + 3600) as f64));
    text.push_str("# EOF\n");
    text
}

fn start(flags: &[&str]) -> Option<(RealPrometheus, PrometheusSource)> {
    let setup = Setup {
        data: Some(data()),
        config: None,
        flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
    };
    let prometheus = RealPrometheus::start(&setup)?;
    let source = PrometheusSource::new(Account::new("real", prometheus.url())).unwrap();
    Some((prometheus, source))
}

#[tokio::test]
async fn a_real_prometheus_is_well_and_knows_its_metrics() {
    let Some((_prometheus, source)) = start(&[]) else {
        return;
    };
    source.check().await.unwrap();
    assert_eq!(
        source.metric_names("requests").await.unwrap(),
        ["requests_total"]
    );
}

/// More steps than one request may have.
#[tokio::test]
async fn p1_a_real_range_beyond_11000_steps_comes_whole() {
    let Some((_prometheus, source)) = start(&[]) else {
        return;
    };
    for manner in [Manner::Aligned, Manner::Kayenta] {
        let mut ask = Ask::promql("max(max_over_time(gauge{pod=\"a\"}[30s]))");
        ask = ask.window(-1_800_000, 10_700_000, 1);
        ask.0.manner = manner;
        let fetched = ask.of_source(&source).await.unwrap();
        let values = values(&fetched);
        assert_eq!(values.len(), 12_501);
        for (index, value) in values.iter().enumerate() {
            let at = index as f64 - 1800.0;
            assert_eq!(*value, Some((at / 15.0).floor() * 15.0), "at {at}");
        }
        assert_eq!(
            fetched
                .build
                .as_deref()
                .map(|build| build.starts_with("prometheus 2.")),
            Some(true)
        );
    }
}

#[tokio::test]
async fn p3_real_duplicate_series_are_an_error() {
    let Some((_prometheus, source)) = start(&[]) else {
        return;
    };
    let error = Ask::promql("gauge / on() gauge")
        .of_source(&source)
        .await
        .unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    assert!(
        error
            .message
            .contains("422 (execution): found duplicate series"),
        "{error}"
    );
}

#[tokio::test]
async fn p11_real_infinite_values_and_what_is_no_number() {
    let Some((_prometheus, source)) = start(&[]) else {
        return;
    };
    // Below zero the root is no number; at zero the quotient is infinite.
    let query = "max(1 / sqrt(last_over_time(gauge{pod=\"a\"}[1m]) - 120))";
    let fetched = Ask::promql(query).of_source(&source).await.unwrap();
    assert_eq!(values(&fetched)[..3], [None, None, Some(f64::INFINITY)]);
    assert_warned(&fetched, "2 points are not a number");
    assert_warned(&fetched, "1 point is infinite");
}

/// Stale points: as Kayenta asks, five minutes of them; aligned, none but at the next moment.
#[tokio::test]
async fn p12_a_real_hole_is_five_stale_points_for_kayenta_and_one_aligned() {
    let Some((_prometheus, source)) = start(&[]) else {
        return;
    };
    let ask = || Ask::promql("holey").window(0, 1_200_000, 60);
    let there =
        |fetched: &Fetched| -> Vec<f64> { values(fetched).iter().flatten().copied().collect() };
    let kayenta = ask().like_kayenta().of_source(&source).await.unwrap();
    let repeated = there(&kayenta)
        .iter()
        .filter(|value| **value == 285.0)
        .count();
    assert_eq!(repeated, 5, "{:?}", there(&kayenta));
    assert_warned(
        &kayenta,
        "`holey` is read bare and 5 points in a row are equal",
    );

    let aligned = ask().of_source(&source).await.unwrap();
    assert_eq!(aligned.query, "last_over_time(holey[60s])");
    let repeated = there(&aligned)
        .iter()
        .filter(|value| **value == 285.0)
        .count();
    assert_eq!(repeated, 1, "{:?}", there(&aligned));
    assert_eq!(values(&aligned)[6..18], [None; 12]);
    assert_eq!(values(&aligned)[18], Some(1080.0));
}

#[tokio::test]
async fn p16_real_restarts_of_counters_are_fine_and_too_few_scrapes_are_told() {
    let Some((_prometheus, source)) = start(&[]) else {
        return;
    };
    // Extrapolated, hence no whole number, and in spite of the restart never far from ten a second.
    let query = "sum(increase(requests_total[2m]))";
    let fetched = Ask::promql(query).of_source(&source).await.unwrap();
    let values = values(&fetched).to_vec();
    assert_eq!(values.iter().flatten().count(), 11);
    assert!(
        values
            .iter()
            .flatten()
            .all(|value| (900.0..=1300.0).contains(value)),
        "{values:?}"
    );
    assert!(fetched.warnings.is_empty(), "{:?}", fetched.warnings);

    // A scrape a minute, and a rate over less than two of them.
    let fetched = Ask::promql("sum(rate(rare_total[45s]))")
        .of_source(&source)
        .await
        .unwrap();
    assert_eq!(fetched.points, 0);
    let fetched = Ask::promql("sum(rate(rare_total[90s]))")
        .window(0, 600_000, 45)
        .of_source(&source)
        .await
        .unwrap();
    assert!(fetched.coverage() < 1.0, "{fetched:#?}");
    assert_warned(
        &fetched,
        "s, but each value looks back only 90 s and needs 2",
    );
}

#[tokio::test]
async fn p19_a_real_empty_answer_is_explained() {
    let Some((_prometheus, source)) = start(&[]) else {
        return;
    };
    let wrong_scope = Ask::promql("avg(gauge{pod=\"${scope}\"})")
        .of_source(&source)
        .await
        .unwrap();
    assert_warned(
        &wrong_scope,
        "2 series of `gauge` in the window, but `gauge{pod=\"web-v002\"}` gives nothing",
    );
    let no_metric = Ask::promql("avg(no_such_gauge)")
        .of_source(&source)
        .await
        .unwrap();
    assert_warned(&no_metric, "no series of `no_such_gauge` in the window");
}

/// Scalars come as a matrix too; what cannot is refused.
#[tokio::test]
async fn p20_real_scalars_are_series_and_strings_are_refused() {
    let Some((_prometheus, source)) = start(&[]) else {
        return;
    };
    let scalar = Ask::promql("scalar(count(gauge[1m:15s] offset 1s) or vector(2))");
    assert_eq!(
        scalar.of_source(&source).await.unwrap_err().remedy,
        Remedy::Mend
    );
    let scalar = Ask::promql("scalar(count(gauge))")
        .of_source(&source)
        .await
        .unwrap();
    assert_eq!(values(&scalar), [Some(2.0); 11]);
    for query in ["\"text\"", "gauge[5m]"] {
        let error = Ask::promql(query).of_source(&source).await.unwrap_err();
        assert_eq!(error.remedy, Remedy::Mend);
        assert!(error.message.contains("400 (bad_data)"), "{error}");
    }
}

/// A query that fits into no URL.
#[tokio::test]
async fn p23_a_query_that_fits_into_no_url_is_answered() {
    let Some((_prometheus, source)) = start(&[]) else {
        return;
    };
    let pods = "a|".repeat(600_000);
    let query = format!("count(gauge{{pod=~\"{pods}b\"}})");
    let fetched = Ask::promql(&query)
        .like_kayenta()
        .of_source(&source)
        .await
        .unwrap();
    assert_eq!(values(&fetched), [Some(2.0); 11]);
}

/// Fewer samples allowed than the whole range holds, but enough for parts of it.
#[tokio::test]
async fn p4_a_real_limit_of_samples_halves_the_range() {
    let Some((_prometheus, source)) = start(&["--query.max-samples=500"]) else {
        return;
    };
    let ask = || Ask::promql("count(last_over_time(gauge[1m]))");
    let fetched = ask()
        .window(0, 3_600_000, 5)
        .of_source(&source)
        .await
        .unwrap();
    assert_eq!(values(&fetched), [Some(2.0); 721]);
    // A sum over time cannot be taken apart.
    let error = Ask::promql("sum(sum_over_time(gauge[3h]))")
        .window(9_000_000, 9_600_000, 60)
        .of_source(&source)
        .await
        .unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    assert!(error.message.contains("too many samples"), "{error}");
}

#[tokio::test]
async fn p5_a_real_time_out_of_an_evaluation_may_be_tried_another_time() {
    let Some((_prometheus, source)) = start(&["--query.timeout=1ms"]) else {
        return;
    };
    let query = "sum(sum_over_time(gauge[1h])) + sum(stddev_over_time(gauge[1h]))";
    let ask = Ask::promql(query).window(0, 9_000_000, 1);
    let error = ask.of_source(&source).await.unwrap_err();
    assert_eq!(error.remedy, Remedy::Later, "{error}");
    assert!(
        error.message.contains("503 (timeout): query timed out"),
        "{error}"
    );
}

#[tokio::test]
async fn what_a_real_prometheus_scrapes_can_be_read_at_once() {
    let exporter = ScriptedHttp::start(|_| {
        let text = "# TYPE temperature gauge\ntemperature 21.5\n";
        Reply::new(200, text).with("Content-Type", "text/plain; version=0.0.4")
    });
    let address = exporter.url().trim_start_matches("http://").to_owned();
    let setup = Setup::scraping(&[(address.as_str(), &[("version", "v2")])]);
    let Some(prometheus) = RealPrometheus::start(&setup) else {
        return;
    };
    let source = PrometheusSource::new(Account::new("real", prometheus.url())).unwrap();
    let mut ask = Ask::promql("avg by (version) (temperature{version=\"${scope}\"})").scope("v2");
    ask = ask.like_kayenta();
    ask.0.scope.step_secs = 1;
    for _ in 0..600 {
        let now = jiff::Timestamp::now().as_millisecond();
        ask.0.scope.window = Window::new(now - 10_000, now).unwrap();
        let fetched = ask.of_source(&source).await.unwrap();
        if fetched.points > 0 {
            assert_eq!(fetched.sets[0].tags["version"], "v2");
            assert!(values(&fetched).iter().all(|value| *value == Some(21.5)));
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nothing is scraped: {} requests", exporter.seen().len());
}
