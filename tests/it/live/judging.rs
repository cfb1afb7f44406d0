//! Known distributions in a real Prometheus, and what is judged of them.

use super::Stage;

#[test]
fn a_canary_like_its_baseline_passes() {
    let Some(stage) = Stage::set() else { return };
    let judged = stage.judge(["like-baseline", "like-canary"], "critical.yaml");
    assert_eq!(
        (judged.exit, judged.score()),
        (0, 100.0),
        "{}",
        judged.stderr
    );
    assert_eq!(judged.class("requests"), "Pass");
    assert_eq!(judged.class("errors"), "Pass");
}

#[test]
fn a_canary_that_rose_is_high_and_fails_where_the_metric_is_critical() {
    let Some(stage) = Stage::set() else { return };
    let versions = ["rose-baseline", "rose-canary"];
    let judged = stage.judge(versions, "critical.yaml");
    assert_eq!((judged.exit, judged.score()), (1, 0.0));
    assert_eq!(judged.class("requests"), "High");
    let judged = stage.judge(versions, "web.yaml");
    assert_eq!((judged.exit, judged.score()), (1, 50.0));

    let (_, text, stderr) = stage.run(
        "judge",
        versions,
        "--config critical.yaml --report r.html --save s.json.gz",
    );
    let first: Vec<&str> = text.lines().take(3).collect();
    assert_eq!(
        first[1..],
        [
            "",
            "  web rose-canary against rose-baseline, 11:00 to 12:01 UTC"
        ],
        "{text}"
    );
    assert!(first[0].starts_with("✕ Fail: requests rose"), "{text}");
    assert_eq!(stderr, "");
    let page = stage.folder.read("r.html");
    assert!(page.contains("prod (prometheus 2."), "no origin");
    assert!(page.contains("version=&#34;rose-canary&#34;"), "no query");
    // What was saved is the whole input: it is drawn again without any store.
    let (exit, again, _) = stage.folder.run("report s.json.gz");
    assert_eq!(exit, 0);
    assert!(again.starts_with(first[0]), "{again}");
}

#[test]
fn a_muted_metric_changes_no_verdict_however_critical() {
    let Some(stage) = Stage::set() else { return };
    let judged = stage.judge(["rose-baseline", "rose-canary"], "muted.yaml");
    assert_eq!(
        (judged.exit, judged.score()),
        (0, 100.0),
        "{}",
        judged.stderr
    );
    assert_eq!(judged.class("requests"), "High");
}

#[test]
fn a_canary_without_data_is_never_a_pass() {
    let Some(stage) = Stage::set() else { return };
    let (exit, text, _) = stage.run(
        "judge",
        ["like-baseline", "nobody"],
        "--config critical.yaml",
    );
    assert_eq!(exit, 3, "{text}");
    assert!(text.starts_with("◇ Inconclusive: "), "{text}");
    let judged = stage.judge(["like-baseline", "nobody"], "critical.yaml");
    assert_eq!(judged.class("requests"), "Nodata");
    let told = "`requests` and `errors` have points on the baseline's side only";
    assert!(judged.stderr.contains(told), "{}", judged.stderr);
}

#[test]
fn a_canary_whose_data_began_late_is_judged_by_what_is_there_and_that_is_told() {
    let Some(stage) = Stage::set() else { return };
    let judged = stage.judge(["like-baseline", "late-canary"], "critical.yaml");
    assert_eq!(
        (judged.exit, judged.score()),
        (0, 100.0),
        "{}",
        judged.stderr
    );
    let told = [
        "`requests` (canary): the first point is 2400 s after the window's start",
        "`requests` (21 of 60) has fewer points than expected on the canary's side",
    ];
    for told in told {
        assert!(judged.stderr.contains(told), "{}", judged.stderr);
    }
}

#[test]
fn a_past_window_and_a_baseline_of_another_time_are_judged() {
    let Some(stage) = Stage::set() else { return };
    // The same version against itself an hour before: the same distribution.
    let (exit, text, stderr) = stage.folder.run(&format!(
        "judge --prometheus {} --config web.yaml --scope like-baseline --start 2024-05-01T11:00:00Z --end 2024-05-01T14:00:00+02:00 --baseline-offset 1h",
        stage.prometheus.url()
    ));
    assert_eq!(exit, 0, "{text}{stderr}");
    let (exit, text, stderr) = stage.folder.run(&format!(
        "judge --prometheus {} --config web.yaml --scope like-baseline --lookback 1h --allow-same",
        stage.prometheus.url()
    ));
    assert_eq!(exit, 0, "{text}{stderr}");
}
