//! Fetching of both sides of all metrics.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use coalmine::analysis::collect::{Collector, Patience, manner};
use coalmine::analysis::judge_run::Analysis;
use coalmine::analysis::task::{Analyst, Collected, Failure, Task};
use coalmine::clock::FixedClock;
use coalmine::config::Strictness;
use coalmine::config::canary::load_wire;
use coalmine::model::scope::{Scope, ScopePair, Side, Window};
use coalmine::sources::Manner;
use coalmine_judges::config::Thresholds;
use coalmine_judges::judgement::Verdict;
use tokio::time::Instant;

use super::fake::{Fake, RETRY, Reply, retry_after};
use super::vectors;

pub(super) const HOUR: i64 = 3_600_000;

/// A metric that asks `query` in the default scope.
pub(super) fn metric(name: &str, query: &str) -> String {
    format!(
        "{{name: {name}, groups: [g], scopeName: default, query: {{type: prometheus, customInlineTemplate: 'PromQL:{query}'}}}}"
    )
}

pub(super) fn task(metrics: &[String]) -> Task {
    let text = format!(
        "{{name: c, applications: [web], metrics: [{}], classifier: {{groupWeights: {{g: 100}}}}}}",
        metrics.join(", ")
    );
    let (config, _) = load_wire(&text, Strictness::Lenient).unwrap_or_else(|p| panic!("{p}"));
    let scope = |scope: &str| Scope {
        scope: scope.to_owned(),
        location: "eu".to_owned(),
        window: Window::new(100 * HOUR, 101 * HOUR).unwrap(),
        step_secs: 60,
        parameters: BTreeMap::new(),
    };
    let pair = ScopePair {
        baseline: scope("old"),
        canary: scope("new"),
    };
    Task {
        application: "web".to_owned(),
        config: Arc::new(config),
        account: None,
        thresholds: Thresholds::default(),
        scopes: BTreeMap::from([("default".to_owned(), pair)]),
    }
}

/// The clock stands at the end of the window, so that nothing is kept for later.
pub(super) fn collector(fake: &Arc<Fake>) -> Collector {
    Collector::new(fake.sources(), Arc::new(FixedClock(101 * HOUR))).seed(1)
}

pub(super) async fn collect(fake: &Arc<Fake>, task: &Task) -> Result<Collected, Vec<Failure>> {
    collector(fake).collect(task).await
}

pub(super) fn hour() -> Reply {
    Reply::Values((0..60).map(|minute| f64::from(minute % 7)).collect())
}

pub(super) fn after(seconds: u64, then: Reply) -> Reply {
    Reply::After(Duration::from_secs(seconds), Box::new(then))
}

fn messages(failures: &[Failure]) -> Vec<String> {
    failures
        .iter()
        .map(|failure| failure.message.clone())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn both_sides_of_all_metrics_become_a_bundle_that_can_be_judged() {
    let fake = Fake::new(|_, _| after(5, hour()));
    let task = task(&[metric("latency", "l"), metric("errors", "e")]);
    let analysis = Analysis::new(Arc::new(collector(&fake)));
    let start = Instant::now();
    let Collected { bundle, told } = analysis.collect(&task).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 5, "all at the same time");
    assert_eq!(fake.asked(), ["l@old", "l@new", "e@old", "e@new"]);
    let names: Vec<&str> = bundle.sets.iter().map(|set| set.id.as_str()).collect();
    assert_eq!(names, ["latency", "errors"]);
    assert_eq!(bundle.queries[1].canary.as_deref(), Some("e@new"));
    assert_eq!(bundle.judge, "NetflixACAJudge-v1.0");
    assert_eq!(bundle.sets[0].baseline.grid().unwrap().start_ms, 100 * HOUR);
    assert_eq!(bundle.config.as_ref().unwrap()["name"], "c");
    assert_eq!(told.origin.as_deref(), Some("prom (Fake 1.0)"));
    assert_eq!(told.sides.baseline.as_deref(), Some("old"));
    assert_eq!(told.sides.canary.as_deref(), Some("new"));
    assert_eq!(told.sides.application.as_deref(), Some("web"));
    assert_eq!(told.notes, [""; 0]);
    assert_eq!(analysis.judge(&bundle).unwrap().verdict, Verdict::Pass);
    // The id is that of the content: the same data is the same bundle.
    let again = analysis.collect(&task).await.unwrap().bundle;
    assert_eq!(bundle.id().unwrap(), again.id().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_dead_for_two_minutes_is_survived() {
    for seed in 0..50 {
        let start = Instant::now();
        let fake = Fake::new(move |_, _| {
            if start.elapsed() < Duration::from_secs(120) {
                Reply::Fails(RETRY, "connection refused")
            } else {
                hour()
            }
        });
        let collector = collector(&fake).seed(seed);
        let metrics: Vec<String> = (0..20)
            .map(|n| metric(&format!("m{n}"), &format!("q{n}")))
            .collect();
        let collected = collector.collect(&task(&metrics)).await;
        assert!(collected.is_ok(), "seed {seed}: {collected:?}");
        assert!(start.elapsed() <= Duration::from_secs(151), "seed {seed}");
        assert!(
            fake.asked().len() < 40 * 40,
            "no storm: {}",
            fake.asked().len()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn all_failures_are_told_at_once_and_no_metric_stops_another() {
    let fake = Fake::new(|question, _| match question.metric.as_str() {
        "dead" => Reply::Fails(RETRY, "connection refused"),
        "wrong" if question.scope.scope == "new" => {
            Reply::Fails(coalmine::sources::Remedy::Mend, "unknown label")
        }
        "wrong" | "slow" => after(200, hour()),
        _ => hour(),
    });
    let metrics = ["good", "dead", "wrong", "slow"].map(|name| metric(name, name));
    let start = Instant::now();
    let failures = collect(&fake, &task(&metrics)).await.expect_err("failures");
    assert!(start.elapsed() <= Duration::from_secs(300));
    let told: Vec<(Option<usize>, Option<Side>, bool)> = failures
        .iter()
        .map(|f| (f.metric, f.side, f.passing))
        .collect();
    assert_eq!(
        told,
        [
            (Some(1), Some(Side::Baseline), true),
            (Some(1), Some(Side::Canary), true),
            (Some(2), Some(Side::Baseline), true),
            (Some(2), Some(Side::Canary), false),
            (Some(3), Some(Side::Baseline), true),
            (Some(3), Some(Side::Canary), true),
        ]
    );
    let messages = messages(&failures);
    assert!(
        messages[0].starts_with("gave up, asked "),
        "{}",
        messages[0]
    );
    assert!(
        messages[0].ends_with(": connection refused"),
        "{}",
        messages[0]
    );
    assert_eq!(messages[3], "unknown label");
    assert!(
        messages[4].ends_with(": found no answer within 60 s"),
        "{}",
        messages[4]
    );
    assert_eq!(failures[3].query.as_deref(), Some("wrong@new"));
    assert_eq!(failures[3].hint.as_deref(), Some("look at the store"));
}

#[tokio::test(start_paused = true)]
async fn with_kayentas_ten_attempts_the_calls_are_kayentas() {
    for case in vectors("metricsRetry") {
        let responses: Vec<String> =
            serde_json::from_value(case["input"]["responses"].clone()).unwrap();
        let fake = Fake::new(move |_, nth| {
            // What a status means is the source's to say: 400 can only be mended.
            match responses[nth.min(responses.len() - 1)].as_str() {
                "ok" => hour(),
                "400" => Reply::Fails(coalmine::sources::Remedy::Mend, "400"),
                _ => Reply::Fails(RETRY, "again"),
            }
        });
        let attempts = case["params"]["attempts"].as_u64().unwrap() as u32;
        let collector = collector(&fake).patience(Patience {
            attempts,
            ..Patience::default()
        });
        let collected = collector.collect(&task(&[metric("m", "q")])).await;
        assert_eq!(
            case["expected"]["success"],
            collected.is_ok(),
            "{}",
            case["name"]
        );
        let calls = fake.asked().iter().filter(|text| *text == "q@old").count();
        assert_eq!(case["expected"]["calls"], calls, "{}", case["name"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_names_a_time_is_asked_then_or_given_up() {
    let fake = Fake::new(|_, nth| match nth {
        0 => Reply::Fails(retry_after(90), "too many requests"),
        _ => hour(),
    });
    collect(&fake, &task(&[metric("m", "q")])).await.unwrap();
    let times = fake.times();
    assert_eq!(times[2].duration_since(times[0]).as_secs(), 90);

    let fake = Fake::new(|_, _| Reply::Fails(retry_after(3_600), "come back tomorrow"));
    let start = Instant::now();
    let failures = collect(&fake, &task(&[metric("m", "q")]))
        .await
        .expect_err("a failure");
    assert_eq!(start.elapsed().as_secs(), 0);
    assert_eq!(
        failures[0].message,
        "gave up, asked 1 time in 0 s: come back tomorrow"
    );
    assert!(failures[0].passing);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_asked_is_told_before_anything_is() {
    let other = |name: &str, rest: &str| format!("{{name: {name}, groups: [], {rest}}}");
    let metrics = [
        metric("good", "q"),
        other("bare", "scopeName: default"),
        other("lost", "scopeName: elsewhere"),
        other("nowhere", "query: {type: prometheus, metricName: x}"),
        other("atlas", "scopeName: default, query: {type: atlas, q: x}"),
        metric("broken", "broken"),
    ];
    let fake = Fake::new(|_, _| hour());
    let failures = collect(&fake, &task(&metrics)).await.expect_err("failures");
    assert_eq!(fake.asked(), [""; 0]);
    assert_eq!(
        messages(&failures),
        [
            "the metric `bare` has no query",
            "the metric `lost` asks in the scope `elsewhere`; the request has `default`",
            "the metric `nowhere` names no scope",
            "the metric `atlas` is asked of `atlas`, and the account `prom` is of `prometheus`",
            "the template is broken",
        ]
    );
    assert!(
        failures
            .iter()
            .all(|failure| failure.side.is_none() && !failure.passing)
    );

    let mut nobody = task(&[metric("m", "q")]);
    nobody.account = Some("nobody".to_owned());
    let failures = collect(&fake, &nobody).await.expect_err("a failure");
    assert_eq!(messages(&failures), ["Unable to resolve account nobody."]);

    let failures = collect(&fake, &task(&[])).await.expect_err("a failure");
    assert!(
        failures[0]
            .message
            .starts_with("The canary config must specify at least one metric.")
    );

    let mut endless = task(&[metric("m", "q")]);
    let pair = endless.scopes.get_mut("default").unwrap();
    pair.canary.window = Window::new(0, i64::MAX).unwrap();
    let failures = collect(&fake, &endless).await.expect_err("a failure");
    assert!(
        failures[0].message.contains("at most 10000000"),
        "{failures:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn missing_points_are_told() {
    let fake = Fake::new(|question, _| {
        let points = match (question.metric.as_str(), question.scope.scope.as_str()) {
            ("gone", _) | ("onesided", "new") => 0,
            ("gaps", "old") => 12,
            ("edge", _) => 60,
            _ => 61,
        };
        Reply::Values(vec![1.0; points])
    });
    let metrics = ["gone", "onesided", "gaps", "edge"].map(|name| metric(name, name));
    let notes = collect(&fake, &task(&metrics)).await.unwrap().told.notes;
    assert_eq!(
        notes,
        [
            "`gone` has no points on either side",
            "`onesided` has points on the baseline's side only",
            "`gaps` (12 of 61) has fewer points than expected on the baseline's side",
        ]
    );
    let mut short = task(&[metric("m", "q")]);
    for scope in short.scopes.values_mut() {
        scope.baseline.window = Window::new(0, 29 * 60_000).unwrap();
    }
    let fake = Fake::new(|question, _| {
        Reply::Values(vec![1.0; question.scope.expected_points() as usize])
    });
    let notes = collect(&fake, &short).await.unwrap().told.notes;
    assert_eq!(
        notes,
        ["`m` has fewer than 50 points on the baseline's side"]
    );
}

fn with_history(name: &str, history: &str) -> String {
    let metric = metric(name, name);
    let own = format!("analysisConfigurations: {{coalmine: {{history: {history}}}}}}}");
    format!("{}, {own}", metric.trim_end_matches('}').to_owned() + "}")
}

#[tokio::test(start_paused = true)]
async fn the_live_scopes_past_is_fetched_too_and_is_no_condition() {
    let fake = Fake::new(|question, _| match question.scope.scope.as_str() {
        "live" => {
            let window = question.scope.window;
            assert_eq!(
                (window.start_ms(), window.end_ms()),
                (76 * HOUR, 100 * HOUR)
            );
            Reply::Values(vec![3.0; 5])
        }
        "dead" => Reply::Fails(RETRY, "connection refused"),
        _ => hour(),
    });
    let metrics = [
        with_history("a", "{hours: 24, scope: live}"),
        with_history("b", "{hours: 24, scope: dead}"),
        with_history("c", "{hours: none}"),
        metric("d", "d"),
    ];
    let start = Instant::now();
    let Collected { bundle, told } = collect(&fake, &task(&metrics)).await.unwrap();
    assert!(
        start.elapsed() <= Duration::from_secs(60),
        "a dead history holds nothing up for long"
    );
    assert_eq!(bundle.history.len(), 1);
    assert_eq!(
        (
            bundle.history[0].name.as_str(),
            bundle.history[0].series.len()
        ),
        ("a", 5)
    );
    let input = bundle.judge_input().unwrap();
    assert_eq!(input.history(), bundle.history, "judges may use it");
    let notes: Vec<&String> = told
        .notes
        .iter()
        .filter(|note| note.contains("history"))
        .collect();
    assert_eq!(notes.len(), 2, "{:?}", told.notes);
    assert!(notes[0].starts_with("no history of `c`: "), "{}", notes[0]);
    assert!(
        notes[1].starts_with("no history of `b`: gave up"),
        "{}",
        notes[1]
    );
}

#[tokio::test(start_paused = true)]
async fn histories_that_would_fill_the_memory_are_left_out() {
    let fake = Fake::new(|_, _| hour());
    let mut task = task(&[
        with_history("a", "{hours: 1000, scope: live}"),
        with_history("b", "{hours: 1000, scope: live}"),
    ]);
    for pair in task.scopes.values_mut() {
        pair.baseline.step_secs = 1;
    }
    let Collected { bundle, told } = collect(&fake, &task).await.unwrap();
    assert_eq!(bundle.history.len(), 1);
    let left_out = told
        .notes
        .iter()
        .filter(|note| note.starts_with("no history of `b`: with it"));
    assert_eq!(left_out.count(), 1, "{:?}", told.notes);
}

#[tokio::test(start_paused = true)]
async fn a_judge_that_is_not_there_is_told_before_anything_is_asked() {
    let mut task = task(&[metric("m", "q")]);
    let config = Arc::make_mut(&mut task.config);
    config.judge = serde_json::from_str(r#"{"name": "dredd-v1.0"}"#).unwrap();
    assert_eq!(manner(config), Manner::Aligned);
    let fake = Fake::new(|_, _| hour());
    let analysis = Analysis::new(Arc::new(collector(&fake)));
    let failures = analysis.collect(&task).await.expect_err("a failure");
    assert_eq!(
        messages(&failures),
        ["Unable to resolve canary judge 'dredd-v1.0'."]
    );
    assert_eq!(fake.asked(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn sources_are_told_what_will_be_asked() {
    let fake = Fake::new(|_, _| hour());
    let task = task(&[with_history("m", "{hours: 1}")]);
    Analysis::new(Arc::new(collector(&fake))).watch(&task).await;
    assert_eq!(fake.watched(), ["m@old", "m@new"]);
    let queries = collector(&fake).queries(&task).unwrap();
    let texts: Vec<&str> = queries.iter().map(|asked| asked.query.as_str()).collect();
    assert_eq!(texts, ["m@old", "m@new", "m@old"]);
    assert_eq!(fake.asked(), [""; 0]);
}

/// A runtime with one thread goes on with other work while a large bundle is put together.
#[tokio::test]
async fn a_large_bundle_is_put_together_beside_the_runtimes_threads() {
    let fake = Fake::new(|_, _| Reply::Series(100, vec![1.0; 1_000]));
    let (task, collector) = (task(&[metric("m", "q")]), collector(&fake));
    let collecting = collector.collect(&task);
    tokio::pin!(collecting);
    let mut turns_after_the_last_answer = 0;
    let collected = loop {
        tokio::select! {
            biased;
            collected = &mut collecting => break collected,
            () = tokio::task::yield_now() => {}
        }
        let answered = fake.finished.load(std::sync::atomic::Ordering::SeqCst);
        turns_after_the_last_answer += u32::from(answered == 2);
    };
    assert_eq!(collected.unwrap().bundle.sets.len(), 100);
    assert!(
        turns_after_the_last_answer > 10,
        "{turns_after_the_last_answer} turns"
    );
}

#[tokio::test(start_paused = true)]
async fn all_questions_of_a_judgement_are_cut_at_one_moment_on_the_grid() {
    let cuts = async |judge: &str, believed_until_ms: i64| {
        let fake = Fake::new(|_, _| after(1, hour()));
        fake.believed_until(believed_until_ms);
        let mut task = task(&[metric("m", "q"), metric("n", "r")]);
        let config = Arc::make_mut(&mut task.config);
        config.judge = serde_json::from_str(&format!("{{\"name\": \"{judge}\"}}")).unwrap();
        collect(&fake, &task).await.unwrap();
        fake.cuts()
    };
    let late = 101 * HOUR - 50_000;
    let cut = Some(101 * HOUR - 60_000);
    assert_eq!(cuts("other", late).await, [cut; 4]);
    assert_eq!(cuts("other", 101 * HOUR).await, [None; 4], "over");
    assert_eq!(
        cuts("NetflixACAJudge-v1.0", late).await,
        [None; 4],
        "Kayenta's windows are not cut"
    );
}
