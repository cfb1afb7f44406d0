//! What goes wrong on the way.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use coalmine::clock::{Clock, VirtualClock};

use super::*;

fn after(error: &SourceError) -> Option<Duration> {
    match error.remedy {
        Remedy::Retry { after } => after,
        Remedy::Later | Remedy::Mend | Remedy::GiveUp => panic!("not to be tried again: {error}"),
    }
}

#[tokio::test]
async fn p7_retry_after_is_read_in_both_forms_and_capped() {
    for (header, expected) in [
        ("7", 7),
        // A minute after our own clock.
        ("Fri, 02 Jan 2026 00:01:00 GMT", 60),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 0),
        ("86400", 120),
        ("Fri, 01 Jan 2027 00:00:00 GMT", 120),
    ] {
        for status in [429, 503] {
            let reply = Reply::new(status, "slow down").with("Retry-After", header);
            let error = Ask::plain().answered(reply).await.unwrap_err();
            assert_eq!(
                after(&error),
                Some(Duration::from_secs(expected)),
                "{header}"
            );
        }
    }
    let error = Ask::plain()
        .answered(Reply::new(429, "").with("Retry-After", "soon"))
        .await;
    assert_eq!(after(&error.unwrap_err()), None);
}

#[tokio::test]
async fn p8_pages_of_proxies_are_told_by_their_status_first() {
    for status in [408, 500, 502, 504] {
        let page = Reply::html(status, "<html><h1>Bad Gateway</h1></html>");
        let error = Ask::plain().answered(page).await.unwrap_err();
        assert!(is_retry(&error), "{error}");
        assert!(
            error
                .message
                .contains(&format!("found status {status}: `<html><h1>Bad")),
            "{error}"
        );
    }
    for status in [401, 404, 418] {
        let error = Ask::plain()
            .answered(Reply::html(status, "<html>no</html>"))
            .await
            .unwrap_err();
        assert_eq!(error.remedy, Remedy::Mend);
    }
    let error = Ask::plain()
        .answered(Reply::html(200, "<html>please log in</html>"))
        .await
        .unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    assert!(
        told(&error).contains("please log in") && told(&error).contains("baseUrl"),
        "{error}"
    );
}

#[tokio::test]
async fn p8_answers_that_are_no_whole_json_may_be_better_the_next_time() {
    let half = eleven_points();
    let half = &half[..half.len() / 2];
    for (body, shown) in [("", "an empty body"), (half, "`{"), ("[]", "`[]`")] {
        let error = Ask::plain()
            .answered(Reply::new(200, body))
            .await
            .unwrap_err();
        assert!(is_retry(&error), "{error}");
        assert!(error.message.contains(shown), "{error}");
    }
    let wrong_type = full().with("Content-Type", "text/plain");
    assert_eq!(Ask::plain().answered(wrong_type).await.unwrap().points, 11);
}

#[tokio::test]
async fn p8_only_the_first_300_characters_of_a_body_are_shown() {
    let error = Ask::plain()
        .answered(Reply::new(502, "é".repeat(100_000)))
        .await
        .unwrap_err();
    assert_eq!(error.message.chars().filter(|c| *c == 'é').count(), 300);
}

#[tokio::test]
async fn p23_where_post_is_refused_get_is_tried_once_and_then_at_once() {
    for status in [403, 404, 405] {
        let server = range_server(move |seen| match seen.method.as_str() {
            "GET" => full(),
            _ => Reply::new(status, "read only"),
        });
        let source = source(&server);
        for _ in 0..2 {
            let fetched = Ask::promql("avg(rate(x{a=\"b c&d=é\"}[5m]))")
                .of_source(&source)
                .await;
            assert_eq!(fetched.unwrap().points, 11);
        }
        let methods: Vec<String> = asked(&server)
            .iter()
            .map(|seen| seen.method.clone())
            .collect();
        assert_eq!(methods, ["POST", "GET", "GET"]);
        let [post, get, _] = asked(&server).try_into().unwrap();
        assert_eq!(post.fields, get.fields);
        assert_eq!(
            post.header("content-type"),
            "application/x-www-form-urlencoded"
        );
    }
}

/// The methods of the queries that a server got.
fn methods(server: &ScriptedHttp) -> Vec<String> {
    asked(server).into_iter().map(|seen| seen.method).collect()
}

#[tokio::test]
async fn p23_one_refusal_of_post_that_passes_is_not_believed_for_ever() {
    let first = AtomicUsize::new(0);
    let server = range_server(move |_| match first.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::new(403, "reloading"),
        _ => full(),
    });
    let clock = Arc::new(VirtualClock::new(NOW));
    let shared = Arc::clone(&clock) as Arc<dyn Clock>;
    let source = PrometheusSource::with_clock(account(&server), shared).unwrap();
    for minutes in [0, 9, 2] {
        clock.pass(minutes * 60_000);
        Ask::plain().of_source(&source).await.unwrap();
    }
    assert_eq!(methods(&server), ["POST", "GET", "GET", "POST"]);
}

#[tokio::test]
async fn p23_a_query_too_long_for_get_is_posted_where_post_was_refused_once() {
    for status in [414, 431] {
        let first = AtomicUsize::new(0);
        let server = range_server(move |seen| {
            let number = first.fetch_add(1, Ordering::SeqCst);
            let long = seen.field("query").len() > 8000;
            match seen.method.as_str() {
                "POST" if number == 0 => Reply::new(405, "reloading"),
                "GET" if long => Reply::new(status, "too long"),
                _ => full(),
            }
        });
        let source = source(&server);
        let long = format!("avg(rate(x{{a=~\"{}\"}}[5m]))", "a|".repeat(5000));
        for query in ["avg(rate(x[5m]))", long.as_str(), "avg(rate(x[5m]))"] {
            Ask::promql(query).of_source(&source).await.unwrap();
        }
        assert_eq!(methods(&server), ["POST", "GET", "GET", "POST", "POST"]);
    }
}

#[tokio::test]
async fn p23_where_neither_is_let_through_the_error_says_what_to_look_at() {
    let server = range_server(|_| Reply::new(404, "nothing here"));
    let error = Ask::plain().of_source(&source(&server)).await.unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    assert!(
        told(&error).contains("nothing here") && told(&error).contains("/api/v1"),
        "{error}"
    );
    assert_eq!(asked(&server).len(), 2);
}

#[tokio::test]
async fn p24_a_path_prefix_is_kept() {
    for base in ["/a/b", "/a/b/"] {
        let server = range_server(|_| full());
        let mut account = account(&server);
        account.base_url.push_str(base);
        Ask::plain().of_source(&source_of(account)).await.unwrap();
        assert_eq!(asked(&server)[0].path, "/a/b/api/v1/query_range");
    }
}

#[tokio::test]
async fn p24_redirects_on_the_same_server_keep_method_and_form() {
    for status in [301, 302, 307, 308] {
        let server = range_server(move |seen| match seen.path.starts_with("/new/") {
            true => full(),
            false => Reply::new(status, "").with("Location", "/new/api/v1/query_range"),
        });
        assert_eq!(
            Ask::plain()
                .of_source(&source(&server))
                .await
                .unwrap()
                .points,
            11
        );
        let [first, second] = asked(&server).try_into().unwrap();
        assert_eq!(
            (second.method.as_str(), &second.fields),
            ("POST", &first.fields)
        );
    }
}

#[tokio::test]
async fn p24_a_redirect_to_another_server_is_not_followed_and_no_secret_goes_there() {
    let other = range_server(|_| full());
    let target = format!("{}/api/v1/query_range?token=abc", other.url());
    let server = range_server(move |_| Reply::new(307, "").with("Location", &target));
    let mut account = account(&server);
    account.headers = serde_json::from_value(json!({ "X-Scope-OrgID": "team-a" })).unwrap();
    let error = Ask::plain()
        .of_source(&source_of(account))
        .await
        .unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    assert!(
        error
            .message
            .contains(&format!("leads to another server, `{}`", other.url())),
        "{error}"
    );
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn p24_redirects_in_a_ring_end() {
    let server = range_server(|_| Reply::new(307, "").with("Location", "/api/v1/query_range"));
    let error = Ask::plain().of_source(&source(&server)).await.unwrap_err();
    assert!(error.message.contains("at most 5 redirects"), "{error}");
    assert_eq!(asked(&server).len(), 6);
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[tokio::test]
async fn p28_packed_and_chunked_answers_are_read() {
    let packed =
        || Reply::new(200, gzipped(eleven_points().as_bytes())).with("Content-Encoding", "gzip");
    assert_eq!(Ask::plain().answered(packed()).await.unwrap().points, 11);
    assert_eq!(
        Ask::plain()
            .answered(packed().chunked(7))
            .await
            .unwrap()
            .points,
        11
    );
    let server = range_server(|_| full());
    Ask::plain().of_source(&source(&server)).await.unwrap();
    assert!(asked(&server)[0].header("accept-encoding").contains("gzip"));
}

#[tokio::test]
async fn p28_the_size_limit_holds_for_what_an_answer_unpacks_to() {
    let bomb = gzipped(&vec![b' '; 50_000_000]);
    assert!(bomb.len() < 1_000_000);
    let server =
        range_server(move |_| Reply::new(200, bomb.clone()).with("Content-Encoding", "gzip"));
    let mut account = account(&server);
    account.max_response_bytes = 1_000_000.try_into().unwrap();
    let error = Ask::plain()
        .of_source(&source_of(account))
        .await
        .unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    assert!(
        error
            .message
            .contains("longer than `maxResponseBytes`, 1000000 bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn p28_a_connection_that_breaks_may_be_better_the_next_time() {
    for reply in [Reply::nothing(), full().cut_off()] {
        let error = Ask::plain().answered(reply).await.unwrap_err();
        assert!(is_retry(&error), "{error}");
        assert!(std::error::Error::source(&error).is_some(), "{error}");
    }
    // Nobody listens there.
    let closed = Account::new("prom", "http://127.0.0.1:1");
    let error = Ask::plain()
        .of_source(&source_of(closed))
        .await
        .unwrap_err();
    assert!(is_retry(&error), "{error}");
    assert!(told(&error).contains("refused"), "{}", told(&error));
    assert!(told(&error).contains("is the store up"), "{}", told(&error));
}

#[tokio::test]
async fn p28_connections_are_used_again() {
    let server = range_server(|_| full());
    let source = source(&server);
    for _ in 0..5 {
        Ask::plain().of_source(&source).await.unwrap();
    }
    assert!(
        server.seen().iter().all(|seen| seen.connection == 0),
        "{:#?}",
        server.seen()
    );
}

#[tokio::test]
async fn p34_an_answer_beyond_the_limit_is_not_read_to_its_end() {
    let server = range_server(|_| Reply::drip(Duration::ZERO));
    let mut account = account(&server);
    account.max_response_bytes = 5000.try_into().unwrap();
    let error = Ask::plain()
        .of_source(&source_of(account))
        .await
        .unwrap_err();
    assert!(error.message.contains("5000 bytes"), "{error}");
}

#[tokio::test]
async fn p35_a_body_that_drips_for_ever_ends_at_the_deadline() {
    let server = range_server(|_| Reply::drip(Duration::from_millis(20)));
    let mut account = account(&server);
    account.timeout_secs = 1.try_into().unwrap();
    let start = Instant::now();
    let error = Ask::plain()
        .of_source(&source_of(account))
        .await
        .unwrap_err();
    assert!(is_retry(&error), "{error}");
    assert!(error.message.contains("no whole answer"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_requests_at_a_time_than_the_account_allows() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let server = {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        range_server(move |_| {
            let count = now.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(count, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(20));
            now.fetch_sub(1, Ordering::SeqCst);
            full()
        })
    };
    let mut account = account(&server);
    account.max_concurrent_queries = 3.try_into().unwrap();
    let source = Arc::new(source_of(account));
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let source = Arc::clone(&source);
            tokio::spawn(async move { Ask::plain().of_source(&source).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn no_more_requests_a_second_than_the_account_allows() {
    let server = range_server(|_| full());
    let mut account = account(&server);
    account.requests_per_second = Some(10.try_into().unwrap());
    let source = source_of(account);
    let start = Instant::now();
    // Two requests to learn about the store, and 13 more: ten may come at once.
    for _ in 0..13 {
        Ask::plain().of_source(&source).await.unwrap();
    }
    assert_eq!(server.seen().len(), 15);
    assert!(
        start.elapsed() >= Duration::from_millis(400),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn names_of_metrics_are_asked_once_and_filtered_whatever_the_case() {
    let server = ScriptedHttp::start(|_| {
        Reply::new(
            200,
            success(json!(["up", "http_requests_total", "HTTP_errors"])).to_string(),
        )
    });
    let source = source(&server);
    assert_eq!(
        source.metric_names("http").await.unwrap(),
        ["HTTP_errors", "http_requests_total"]
    );
    assert_eq!(source.metric_names("").await.unwrap().len(), 3);
    assert_eq!(server.seen_at("/api/v1/label/__name__/values").len(), 1);
}

#[tokio::test]
async fn a_store_is_well_by_its_own_word_or_by_an_answer() {
    let check = |reply: Reply| async move {
        let server = ScriptedHttp::start(move |seen| match seen.path.as_str() {
            "/-/healthy" => reply.clone(),
            _ => Reply::new(
                200,
                success(json!({ "resultType": "vector", "result": [] })).to_string(),
            ),
        });
        let result = source(&server).check().await;
        (result, server.seen_at("/api/v1/query").len())
    };
    let (well, queries) = check(Reply::new(200, "Prometheus Server is Healthy.\n")).await;
    assert_eq!((well.is_ok(), queries), (true, 0));
    let (well, queries) = check(Reply::new(404, "no such page")).await;
    assert_eq!((well.is_ok(), queries), (true, 1));
    let (ill, queries) = check(Reply::new(503, "starting")).await;
    assert_eq!((is_retry(&ill.unwrap_err()), queries), (true, 0));
}
