//! A metric store that fails, for a while or for good.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use coalmine::analysis::collect::{Collector, Heard, Listener, Patience};
use coalmine::analysis::judge_run::Analysis;
use coalmine::analysis::task::{Analyst, Task};
use coalmine::clock::SystemClock;
use coalmine::config::Strictness;
use coalmine::config::canary::load_wire;
use coalmine::model::scope::{Scope, ScopePair, Window};
use coalmine::sources::prometheus::{Account, PrometheusSource};
use coalmine::sources::{MetricSource, Sources};
use coalmine_judges::judgement::Verdict;

use super::{NOW_SECS, config};
use crate::cli::Folder;
use crate::scripted_http::{Reply, ScriptedHttp, Seen};

/// One series over all that was asked for, the same for every question.
pub(super) fn matrix(seen: &Seen) -> Reply {
    if !seen.path.ends_with("/query_range") {
        return Reply::new(404, "");
    }
    let seconds = |name: &str| -> i64 {
        let text = seen.field(name);
        let number: Option<f64> = text.parse().ok();
        let time = || text.parse::<jiff::Timestamp>().unwrap().as_second();
        number.map_or_else(time, |number| number as i64)
    };
    let (start, end) = (seconds("start"), seconds("end"));
    let step: i64 = seen.field("step").trim_end_matches('s').parse().unwrap();
    let points: Vec<String> = (0..=(end - start) / step)
        .map(|index| format!("[{},\"{}\"]", start + index * step, 40 + index % 5))
        .collect();
    Reply::new(
        200,
        format!(
            r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{}},"values":[{}]}}]}}}}"#,
            points.join(",")
        ),
    )
}

fn judge(server: &ScriptedHttp, more: &str) -> (i32, String, String) {
    let folder = Folder::new().file("web.yaml", config(""));
    folder.run(&format!(
        "judge --prometheus {} --config web.yaml --baseline v1 --canary v2 --lookback 30m {more}",
        server.url()
    ))
}

/// Times, ports and numbers of tries differ from run to run.
fn masked(server: &ScriptedHttp, stderr: &str) -> String {
    let port = server.url().rsplit_once(':').unwrap().1.to_owned();
    let mut text = String::new();
    for line in stderr.replace(&port, "PORT").lines() {
        let line = match line.split_once("asked ") {
            Some((before, _)) if before.contains("gave up") => {
                format!("{before}asked N times in N s")
            }
            _ => line.to_owned(),
        };
        // Said while it works, as often as time passes.
        if !line.starts_with("Reading ") {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

#[test]
fn a_store_that_stays_away_is_no_verdict_and_exit_4() {
    let server = ScriptedHttp::start(|_| Reply::new(503, "busy"));
    let (exit, stdout, stderr) = judge(&server, "--deadline 2s");
    assert_eq!((exit, stdout.as_str()), (4, ""), "{stderr}");
    insta::assert_snapshot!(masked(&server, &stderr), @r#"
    error: account `127.0.0.1:PORT`: found status 503: `busy`; expected data
      `requests`, baseline: gave up, asked N times in N s
      `requests`, canary: gave up, asked N times in N s
      `errors`, baseline: gave up, asked N times in N s
      `errors`, canary: gave up, asked N times in N s

    4 errors. Nothing was judged; the same call may succeed later.
    "#);
}

#[test]
fn a_query_that_is_refused_is_shown_as_it_was_sent_and_exit_2() {
    let server = ScriptedHttp::start(|seen| {
        if !seen.path.ends_with("/query_range") {
            return Reply::new(404, "");
        }
        Reply::new(
            400,
            r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:9: parse error"}"#,
        )
    });
    let (exit, stdout, stderr) = judge(&server, "");
    assert_eq!((exit, stdout.as_str()), (2, ""));
    insta::assert_snapshot!(masked(&server, &stderr), @r#"
    error: account `127.0.0.1:PORT`: the query is refused with 400 (bad_data): invalid parameter "query": 1:9: parse error
      `requests`, baseline
        avg(last_over_time(requests_ms{version="v1"}[1m]))
      `requests`, canary
        avg(last_over_time(requests_ms{version="v2"}[1m]))
      `errors`, baseline
        avg(last_over_time(errors{version="v1"}[1m]))
      `errors`, canary
        avg(last_over_time(errors{version="v2"}[1m]))
    hint: the query or its times are wrong

    4 errors. Nothing was judged.
    "#);
}

#[test]
fn what_must_be_mended_decides_the_exit_code() {
    let server = ScriptedHttp::start(|seen| match seen.field("query").contains("errors") {
        true => Reply::new(
            422,
            r#"{"status":"error","errorType":"execution","error":"found duplicate series"}"#,
        ),
        false => Reply::new(503, "busy"),
    });
    let (exit, _, stderr) = judge(&server, "--deadline 2s");
    assert_eq!(exit, 2);
    let first = stderr
        .lines()
        .find(|line| line.starts_with("error"))
        .unwrap();
    assert!(first.contains("found duplicate series"), "{stderr}");
    assert!(stderr.contains("503"), "{stderr}");
    assert!(
        stderr.ends_with("\n4 errors. Nothing was judged.\n"),
        "{stderr}"
    );
}

#[test]
fn a_store_that_comes_back_is_judged() {
    let asked = AtomicUsize::new(0);
    let server = ScriptedHttp::start(move |seen| {
        if seen.path.ends_with("/query_range") && asked.fetch_add(1, Ordering::SeqCst) < 6 {
            return Reply::nothing();
        }
        matrix(seen)
    });
    let (exit, stdout, stderr) = judge(&server, "");
    assert_eq!(exit, 0, "{stderr}");
    assert!(stdout.starts_with("✓ Pass"), "{stdout}");
}

/// The pauses of the default reach two minutes after about ten tries; here they are short, and the store refuses as often as it
/// would be asked in two minutes and more.
#[tokio::test]
async fn a_prometheus_that_dies_in_the_middle_of_an_analysis_is_waited_for() {
    let (asked, refused) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let server = ScriptedHttp::start(move |seen| {
        if !seen.path.ends_with("/query_range") {
            return Reply::new(404, "");
        }
        // The first question is answered, then it dies, then it starts and is not ready yet.
        match asked.fetch_add(1, Ordering::SeqCst) {
            0 => matrix(seen),
            1..40 => Reply::nothing(),
            40..60 => Reply::new(503, "Service Unavailable"),
            _ => matrix(seen),
        }
    });
    let source: Arc<dyn MetricSource> =
        Arc::new(PrometheusSource::new(Account::new("prod", server.url())).unwrap());
    let again = Arc::clone(&refused);
    let collector = Collector::new(
        Arc::new(Sources::new(vec![("prod".to_owned(), source)])),
        Arc::new(SystemClock),
    )
    .patience(Patience {
        first_pause: Duration::from_millis(1),
        most_pause: Duration::from_millis(4),
        ..Patience::default()
    })
    .listener(Listener::new(move |heard| {
        if let Heard::AskedAgain { .. } = heard {
            again.fetch_add(1, Ordering::SeqCst);
        }
    }));
    let analyst = Analysis::new(Arc::new(collector));
    let collected = analyst.collect(&task()).await.unwrap();
    assert_eq!(refused.load(Ordering::SeqCst), 59);
    assert_eq!(
        analyst.judge(&collected.bundle).unwrap().verdict,
        Verdict::Pass
    );
}

fn task() -> Task {
    let (config, _) = load_wire(&config(""), Strictness::Strict).unwrap_or_else(|p| panic!("{p}"));
    let scope = |scope: &str| Scope {
        scope: scope.to_owned(),
        location: String::new(),
        window: Window::new((NOW_SECS - 3600) * 1000, NOW_SECS * 1000).unwrap(),
        step_secs: 60,
        parameters: BTreeMap::new(),
    };
    Task {
        application: "web".to_owned(),
        config: Arc::new(config),
        account: None,
        thresholds: coalmine_judges::config::Thresholds::default(),
        scopes: BTreeMap::from([(
            "default".to_owned(),
            ScopePair {
                baseline: scope("v1"),
                canary: scope("v2"),
            },
        )]),
    }
}

#[test]
fn no_secret_is_ever_shown() {
    let secret = "s3cr3t-t0ken-of-the-account";
    // A store that repeats what it was sent.
    let server = ScriptedHttp::start(|seen| {
        Reply::new(401, format!("not you: {}", seen.header("authorization")))
    });
    let folder = Folder::new()
        .file("web.yaml", config(""))
        .file("token", secret)
        .file(
            "coalmine.yaml",
            format!(
                "version: coalmine/v1\naccounts:\n  - {{ type: prometheus, name: prod, baseUrl: '{}', auth: {{ type: bearer, token: {{ file: token }} }} }}\n",
                server.url()
            ),
        );
    let (exit, stdout, stderr) = folder
        .run("judge --source prod --server-config coalmine.yaml --config web.yaml --baseline v1 --canary v2 --lookback 30m");
    assert_eq!(exit, 2);
    assert!(
        server
            .seen()
            .iter()
            .any(|seen| seen.header("authorization").contains(secret))
    );
    assert!(
        !stdout.contains(secret) && !stderr.contains(secret),
        "{stderr}"
    );
    let (exit, stdout, stderr) = folder.run(&format!(
        "judge --prometheus http://me:{secret}@localhost:1 --config web.yaml --baseline v1 --canary v2 --lookback 30m"
    ));
    assert_eq!(exit, 2);
    assert!(
        !stdout.contains(secret) && !stderr.contains(secret),
        "{stderr}"
    );
}

#[test]
fn a_log_hears_of_trouble_at_once_and_not_again_and_again() {
    let server = ScriptedHttp::start(|_| Reply::new(503, "busy"));
    let (_, _, stderr) = judge(&server, "--deadline 3s");
    let said: Vec<&str> = stderr
        .lines()
        .filter(|line| line.starts_with("Reading "))
        .collect();
    assert_eq!(said.len(), 1, "{stderr}");
    assert!(
        said[0].starts_with("Reading 0 of 2 metrics from 127.0.0.1:"),
        "{stderr}"
    );
    assert!(said[0].contains("asking again: "), "{stderr}");
    let (_, _, stderr) = judge(&server, "--deadline 3s --quiet");
    assert!(stderr.starts_with("error: "), "{stderr}");
}
