//! `coalmine fetch`.

use super::{Stage, config};
use crate::cli::Folder;
use crate::scripted_http::{Reply, ScriptedHttp};

const LIKE: [&str; 2] = ["like-baseline", "like-canary"];

#[test]
fn a_table_shows_what_is_there() {
    let Some(stage) = Stage::set() else { return };
    let (exit, text, stderr) = stage.run(
        "fetch",
        ["like-baseline", "late-canary"],
        "--config web.yaml",
    );
    assert_eq!((exit, stderr.as_str()), (0, ""));
    let build = text.lines().nth(2).unwrap();
    assert!(build.starts_with("  from prod (prometheus 2."), "{text}");
    insta::assert_snapshot!(text.replace(build, "  from prod (BUILD)"), @r#"
    late-canary against like-baseline
    1 May 2024, 11:00 to 12:00 UTC, step 60 s
    from prod (BUILD)

    Metric    Side        Points  First  Last   Minimum  Median  Maximum
    requests  baseline  61 of 61  11:00  12:00       40      42       44
              canary    21 of 61  11:40  12:00       40      42       44
    errors    baseline  61 of 61  11:00  12:00        3       6        9
              canary    61 of 61  11:00  12:00        3       6        9

    warning: `requests` (canary): the first point is 2400 s after the window's
      start: the metric began later, or the store does not keep data so long

    requests
      baseline  avg(last_over_time(requests_ms{version="like-baseline"}[1m]))
      canary    avg(last_over_time(requests_ms{version="late-canary"}[1m]))
    errors
      baseline  avg(last_over_time(errors{version="like-baseline"}[1m]))
      canary    avg(last_over_time(errors{version="late-canary"}[1m]))
    "#);
}

#[test]
fn a_metric_without_data_says_so() {
    let Some(stage) = Stage::set() else { return };
    let (exit, text, _) = stage.run("fetch", ["like-baseline", "nobody"], "--config web.yaml");
    assert_eq!(exit, 0);
    assert!(text.contains("canary     no data\n"), "{text}");
}

#[test]
fn what_was_fetched_is_judged_as_if_it_were_judged_at_once() {
    let Some(stage) = Stage::set() else { return };
    for versions in [
        LIKE,
        ["rose-baseline", "rose-canary"],
        ["like-baseline", "late-canary"],
        ["like-baseline", "nobody"],
    ] {
        let judged = stage.judge(versions, "critical.yaml");
        for (file, flag) in [
            ("x.json", "--pairs"),
            ("x.json.gz", "--pairs"),
            ("x.csv", "--data"),
            ("x.csv.gz", "--data"),
        ] {
            let (exit, stdout, stderr) = stage.run(
                "fetch",
                versions,
                &format!("--config critical.yaml -o {file}"),
            );
            assert_eq!((exit, stdout.as_str()), (0, ""), "{stderr}");
            let (exit, stdout, stderr) = stage.folder.run(&format!(
                "judge {flag} {file} --config critical.yaml --format json"
            ));
            assert_eq!(exit, judged.exit, "{file}: {stderr}");
            let result: serde_json::Value = serde_json::from_str(&stdout).unwrap();
            assert_eq!(
                result["score"], judged.result["score"],
                "{versions:?} {file}"
            );
            assert_eq!(
                result["results"], judged.result["results"],
                "{versions:?} {file}"
            );
        }
    }
}

#[test]
fn queries_are_shown_and_nothing_is_sent() {
    let server = ScriptedHttp::start(|_| Reply::new(500, ""));
    let folder = Folder::new().file("web.yaml", config(""));
    let fetch = format!(
        "fetch --show-queries --prometheus {} --config web.yaml --baseline v1 --canary v2 --lookback 1h",
        server.url()
    );
    let (exit, text, stderr) = folder.run(&fetch);
    assert_eq!((exit, stderr.as_str()), (0, ""));
    insta::assert_snapshot!(text, @r#"
    requests
      baseline  avg(last_over_time(requests_ms{version="v1"}[1m]))
      canary    avg(last_over_time(requests_ms{version="v2"}[1m]))
    errors
      baseline  avg(last_over_time(errors{version="v1"}[1m]))
      canary    avg(last_over_time(errors{version="v2"}[1m]))
    "#);
    let (exit, text, _) = folder.run(&format!("{fetch} --format json"));
    assert_eq!(exit, 0);
    let queries: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(queries.as_array().map(Vec::len), Some(4));
    assert_eq!(queries[3]["side"], "canary");
    assert_eq!(
        queries[3]["query"],
        "avg(last_over_time(errors{version=\"v2\"}[1m]))"
    );
    assert!(server.seen().is_empty());
}

#[test]
fn names_of_a_scope_are_quoted_in_queries() {
    let folder = Folder::new().file("web.yaml", config(""));
    let (exit, text, _) = folder.run(
        "fetch --show-queries --prometheus http://127.0.0.1:9 --config web.yaml --baseline v1 --canary a\"b\\c --lookback 1h",
    );
    assert_eq!(exit, 0);
    assert!(text.contains(r#"{version="a\"b\\c"}"#), "{text}");
}

#[test]
fn what_could_be_fetched_is_shown_beside_what_could_not() {
    let server = ScriptedHttp::start(|seen| {
        if seen.field("query").contains("errors") {
            return Reply::new(
                400,
                r#"{"status":"error","errorType":"bad_data","error":"no such function"}"#,
            );
        }
        super::faults::matrix(seen)
    });
    let folder = Folder::new().file("web.yaml", config(""));
    let fetch = format!(
        "fetch --prometheus {} --config web.yaml --baseline v1 --canary v2 --lookback 10m",
        server.url()
    );
    let (exit, text, stderr) = folder.run(&fetch);
    assert_eq!(exit, 2);
    assert!(text.contains("errors    baseline  not fetched\n"), "{text}");
    assert!(text.contains("requests  baseline"), "{text}");
    assert!(stderr.contains("no such function"), "{stderr}");
    for format in ["csv", "json"] {
        let (exit, text, stderr) = folder.run(&format!("{fetch} -o out.{format}"));
        assert_eq!((exit, text.as_str()), (2, ""));
        assert!(
            stderr.ends_with("\n2 errors. Nothing was written.\n"),
            "{stderr}"
        );
        assert_eq!(folder.names(), ["web.yaml"]);
    }
}
