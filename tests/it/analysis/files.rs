//! A folder of files as an account.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use coalmine::analysis::collect::Collector;
use coalmine::analysis::judge_run::Analysis;
use coalmine::analysis::task::{Analyst, Task};
use coalmine::clock::SystemClock;
use coalmine::config::canary::wire::Query;
use coalmine::config::{Strictness, load};
use coalmine::model::scope::{Scope, ScopePair, Window};
use coalmine::sources::files::{FilesSource, csv_wide};
use coalmine::sources::{Fetched, Manner, MetricSource, Question, Remedy, SourceError, Sources};
use coalmine_judges::config::Thresholds;

const WIDE: &str = "timestamp,latency,errors\n60,1,\n120,2,0\n180,3,0\n240,4,0\n";

const LONG: &str = "timestamp,metric,side,value,zone
60,latency,baseline,1,a
120,latency,baseline,2,a
60,latency,baseline,7,b
120,latency,baseline,8,b
60,latency,canary,3,a
120,latency,canary,4,a
0,latency,history,5,a
";

const PAIRS: &str =
    r#"[{"name": "latency", "values": {"control": [1, "NaN", 3], "experiment": [2]}}]"#;

fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, FilesSource) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let source = FilesSource::new(folder.path());
    (folder, source)
}

fn question(scope: &str, location: &str, window: (i64, i64)) -> Question {
    Question {
        metric: "latency".to_owned(),
        query: serde_json::from_str::<Query>(r#"{"type": "atlas", "q": "x"}"#).unwrap(),
        templates: Arc::default(),
        scope: Scope {
            scope: scope.to_owned(),
            location: location.to_owned(),
            window: Window::new(window.0 * 1000, window.1 * 1000).unwrap(),
            step_secs: 60,
            parameters: BTreeMap::new(),
        },
        manner: Manner::Kayenta,
        settled_ms: None,
    }
}

async fn ask(
    source: &FilesSource,
    scope: &str,
    window: (i64, i64),
) -> Result<Fetched, SourceError> {
    source.fetch(&question(scope, "", window)).await
}

fn values(fetched: &Fetched) -> Vec<Vec<Option<f64>>> {
    fetched.sets.iter().map(|set| set.values.clone()).collect()
}

#[tokio::test]
async fn a_scope_is_a_file_and_the_window_takes_its_rows() {
    let (_folder, source) = folder(&[
        ("web-canary.csv", WIDE),
        ("eu/web-canary.csv", "timestamp,latency\n120,9\n180,9\n"),
    ]);
    let fetched = ask(&source, "web-canary", (90, 180)).await.unwrap();
    assert_eq!(values(&fetched), [[Some(2.0), Some(3.0)]]);
    assert_eq!((fetched.points, fetched.expected_points), (2, 2));
    assert_eq!(
        (fetched.sets[0].start_ms, fetched.sets[0].step_ms),
        (120_000, 60_000)
    );
    assert_eq!(fetched.query, "web-canary latency");
    let fetched = source
        .fetch(&question("web-canary", "eu", (0, 999)))
        .await
        .unwrap();
    assert_eq!(values(&fetched), [[Some(9.0), Some(9.0)]]);

    let fetched = ask(&source, "web-canary", (1_000, 2_000)).await.unwrap();
    assert_eq!(values(&fetched), [vec![]]);
    assert_eq!((fetched.points, fetched.sets[0].start_ms), (0, 1_000_000));
}

#[tokio::test]
async fn a_file_of_several_sides_is_asked_for_one() {
    let (_folder, source) = folder(&[("all.csv", LONG), ("old.json", PAIRS)]);
    let baseline = ask(&source, "all:baseline", (0, 600)).await.unwrap();
    assert_eq!(
        values(&baseline),
        [[Some(1.0), Some(2.0)], [Some(7.0), Some(8.0)]]
    );
    assert_eq!(baseline.sets[1].tags["zone"], "b");
    let history = ask(&source, "all:history", (0, 600)).await.unwrap();
    assert_eq!(values(&history), [[Some(5.0)]]);
    let untimed = ask(&source, "old:baseline", (0, 600)).await.unwrap();
    assert_eq!(values(&untimed), [[Some(1.0), None, Some(3.0)]]);
    assert_eq!(
        untimed.warnings,
        ["`old.json` has no times, so that all its points were taken"]
    );

    let refused = ask(&source, "all", (0, 600))
        .await
        .expect_err("which side?");
    assert!(refused.message.contains("`:baseline`"), "{refused}");
    let refused = ask(&source, "all:left", (0, 600))
        .await
        .expect_err("no such side");
    assert!(refused.message.contains("`left`"), "{refused}");
}

#[tokio::test]
async fn a_scope_cannot_leave_the_folder() {
    let (folder, _) = folder(&[("secret.csv", WIDE), ("inner/x.csv", WIDE)]);
    let source = FilesSource::new(folder.path().join("inner"));
    for (scope, location) in [
        ("../secret", ""),
        ("secret", ".."),
        ("x/../../secret", ""),
        ("..", ""),
        (".hidden", ""),
        ("", ""),
        ("a\0b", ""),
        ("x\\y", ""),
    ] {
        let asked = question(scope, location, (0, 600));
        let refused = source.fetch(&asked).await.expect_err(scope);
        assert!(
            refused.message.contains("cannot be the name of a file"),
            "{refused}"
        );
        assert_eq!(refused.remedy, Remedy::Mend);
        assert!(source.render(&asked).is_err(), "{scope}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_without_the_folders_place() {
    let (folder, source) = folder(&[("bad.csv", "timestamp,latency\n60,x\n"), ("both.csv", WIDE)]);
    for (scope, word) in [
        ("bad", "cannot read `bad.csv`: 1 problem"),
        ("none", "no file is called `none.csv` or `none.json`"),
        ("both:canary", "`both.csv` holds one side"),
    ] {
        let refused = ask(&source, scope, (0, 600)).await.expect_err(scope);
        assert!(refused.message.contains(word), "{refused}");
        assert!(
            !refused
                .message
                .contains(&folder.path().display().to_string())
        );
        assert_eq!(refused.query.unwrap(), format!("{scope} latency"));
    }
    let mut asked = question("both", "", (0, 600));
    asked.metric = "absent".to_owned();
    let fetched = source.fetch(&asked).await.unwrap();
    assert_eq!((fetched.points, fetched.expected_points), (0, 11));
    assert_eq!(fetched.warnings, ["`both.csv` has no metric of this name"]);
    assert!(FilesSource::new("/nowhere/at/all").check().await.is_err());
}

#[tokio::test]
async fn a_file_that_changed_is_read_again() {
    let (folder, source) = folder(&[
        ("x.csv", WIDE),
        ("sub/y.csv", "timestamp,LATENCY p95\n0,1\n"),
    ]);
    ask(&source, "x", (0, 600)).await.unwrap();
    fs::write(
        folder.path().join("x.csv"),
        "timestamp,latency,errors\n60,5,1\n120,6,1\n",
    )
    .unwrap();
    let fetched = ask(&source, "x", (0, 600)).await.unwrap();
    assert_eq!(values(&fetched), [[Some(5.0), Some(6.0)]]);
    assert_eq!(
        source.metric_names("lat").await.unwrap(),
        ["LATENCY p95", "latency"]
    );
    assert!(source.check().await.is_ok());
}

#[tokio::test]
async fn a_file_is_not_held_up_while_another_one_is_read() {
    let rows = (0..200_000).map(|minute| format!("{},1\n", minute * 60));
    let large = format!("timestamp,latency\n{}", rows.collect::<String>());
    let (_folder, source) = folder(&[("large.csv", &large), ("small.csv", WIDE)]);
    let (large, small) = (
        ask(&source, "large", (0, 600)),
        ask(&source, "small", (0, 600)),
    );
    tokio::pin!(large);
    tokio::select! {
        biased;
        fetched = &mut large => panic!("the large one came first: {fetched:?}"),
        fetched = small => assert_eq!(fetched.unwrap().points, 4),
    }
    assert_eq!(large.await.unwrap().points, 11);
}

/// The shipped example through a folder gives the series that its files have.
#[tokio::test]
async fn the_example_is_judged_the_same_through_the_service() {
    let examples = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/configs/examples/online-boutique"
    );
    let text = fs::read_to_string(format!("{examples}/online-boutique.canary.yaml")).unwrap();
    let mut config = load(&text, Strictness::Strict).unwrap().wire().clone();
    for metric in &mut config.metrics {
        metric.query = Some(question("", "", (0, 0)).query);
        metric.scope_name = Some("default".to_owned());
    }
    let side = |name: &str| {
        let text = fs::read_to_string(format!("{examples}/{name}.csv")).unwrap();
        csv_wide::read_side(text.as_bytes(), name).unwrap()
    };
    let mut expected = csv_wide::join(side("baseline"), side("canary")).sets;
    let grid = expected[0].baseline.grid().unwrap();
    let place = |name: &str, series: &coalmine_judges::series::Series| {
        let grid = series.grid().unwrap();
        let last = grid.time_ms(series.len() - 1);
        Scope {
            scope: name.to_owned(),
            location: String::new(),
            window: Window::new(grid.start_ms, last).unwrap(),
            step_secs: grid.step_ms / 1000,
            parameters: BTreeMap::new(),
        }
    };
    let pair = ScopePair {
        baseline: place("baseline", &expected[0].baseline),
        canary: place("canary", &expected[0].canary),
    };
    let task = Task {
        application: "boutique".to_owned(),
        config: Arc::new(config),
        account: Some("files".to_owned()),
        thresholds: Thresholds::default(),
        scopes: BTreeMap::from([("default".to_owned(), pair)]),
    };
    let source: Arc<dyn MetricSource> = Arc::new(FilesSource::new(examples));
    let sources = Arc::new(Sources::new(vec![("files".to_owned(), source)]));
    let analysis = Analysis::new(Arc::new(Collector::new(sources, Arc::new(SystemClock))));
    let collected = analysis.collect(&task).await.unwrap();
    let names: Vec<&str> = task
        .config
        .metrics
        .iter()
        .map(|m| m.name.as_deref().unwrap())
        .collect();
    expected.retain(|set| names.contains(&set.name.as_str()));
    expected.sort_by_key(|set| names.iter().position(|name| *name == set.name));
    assert_eq!(collected.bundle.sets, expected);
    assert!(grid.step_ms > 0);
    assert_eq!(
        collected.bundle.queries[0].baseline.as_deref(),
        Some(&*format!("baseline {}", names[0]))
    );
    let judgement = analysis.judge(&collected.bundle).unwrap();
    assert_eq!(judgement.results.len(), names.len());
}
