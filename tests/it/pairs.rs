//! Kayenta's pair lists.

use std::collections::BTreeMap;

use coalmine::model::kayenta::MetricSetPair as WirePair;
use coalmine::model::query::SentQueries;
use coalmine::sources::files::{FileInput, pairs};
use coalmine_judges::series::{Grid, MetricSetPair, Series};
use proptest::prelude::*;

/// What is read: each pair as `id: baseline | canary`, then the notes; or the problems.
fn check(text: &str, expect: &[&str]) {
    let lines = match pairs::read(text, "p.json") {
        Ok(input) => input
            .sets
            .iter()
            .map(|set| {
                let side = |series: &Series| {
                    format!(
                        "{:?} {:?}",
                        series.grid().map(|g| (g.start_ms, g.step_ms)),
                        series.values()
                    )
                };
                format!(
                    "{}: {} | {}",
                    set.id,
                    side(&set.baseline),
                    side(&set.canary)
                )
            })
            .chain(input.queries.iter().map(|queries| format!("{queries:?}")))
            .chain(input.notes)
            .collect::<Vec<_>>(),
        Err(error) => {
            let more = (error.more > 0).then(|| format!("and {} more", error.more));
            error
                .problems
                .iter()
                .map(ToString::to_string)
                .chain(more)
                .collect()
        }
    };
    assert_eq!(lines, expect);
}

#[test]
fn a_pair_as_kayenta_writes_it() {
    check(
        r#"[{"name":"latency","id":"b7","tags":{},"values":{"control":[1.0,"NaN"],"experiment":[2.0,3.0]},
            "scopes":{"control":{"startTimeIso":"2020-01-01T00:00:00Z","startTimeMillis":1577836800000,"stepMillis":60000},
                      "experiment":{"startTimeIso":"2020-01-01T01:00:00Z","stepMillis":"60000"}},
            "attributes":{"control":{"query":"avg(…)","other":7},"experiment":{}}, "unknown": {"deep": [1]}}]"#,
        &[
            "b7: Some((1577836800000, 60000)) [Some(1.0), None] | Some((1577840400000, 60000)) [Some(2.0), Some(3.0)]",
            "SentQueries { baseline: Some(\"avg(…)\"), canary: None }",
        ],
    );
}

#[test]
fn numbers_come_in_many_ways_and_missing_points_stay_missing() {
    check(
        r#"[{"name":"m","values":{"control":[1,"2","-3.5e0",null,"NaN","Infinity","-Infinity"],"experiment":[]}}]"#,
        &[
            "m: None [Some(1.0), Some(2.0), Some(-3.5), None, None, Some(inf), Some(-inf)] | None []",
            "`m` is only in the baseline values",
        ],
    );
}

#[test]
fn pairs_without_an_id_get_one_of_their_own() {
    check(
        r#"[{"name":"m","values":{"control":[1],"experiment":[1]}},
            {"name":"m","values":{"control":[1],"experiment":[1]}},
            {"name":"m","tags":{"zone":"a"},"values":{"control":[1],"experiment":[1]}},
            {"name":"x","id":"m","values":{"control":[1],"experiment":[1]}}]"#,
        &[
            "m#2: None [Some(1.0)] | None [Some(1.0)]",
            "m#3: None [Some(1.0)] | None [Some(1.0)]",
            "m{zone=a}: None [Some(1.0)] | None [Some(1.0)]",
            "m: None [Some(1.0)] | None [Some(1.0)]",
        ],
    );
}

#[test]
fn all_problems_are_told_at_once() {
    check(
        r#"[{"name":"m","id":"1","values":{"control":["abc",true],"experiment":[[1],{}]}},
            {"id":"1","values":{}},
            {"name":5},
            {"name":"n","scopes":{"control":{"startTimeIso":"soon","stepMillis":0.5}}}]"#,
        &[
            "[2], line 3: found invalid type: integer `5`, expected a string; expected a metric set pair",
            "[1].id: found `1` again; expected an id of its own for each pair",
            "[0].values.control[0]: found the text `abc`; expected a number, `null`, `NaN`, `Infinity` or `-Infinity`",
            "[0].values.control[1]: found `true`; expected a number, `null`, `NaN`, `Infinity` or `-Infinity`",
            "[0].values.experiment[0]: found a list; expected a number, `null`, `NaN`, `Infinity` or `-Infinity`",
            "[0].values.experiment[1]: found an object; expected a number, `null`, `NaN`, `Infinity` or `-Infinity`",
            "[1].name: found no name; expected the metric's name",
            "[3].values: found no values; expected `values.control` and `values.experiment`",
            "[3].scopes.control.stepMillis: found `0.5`; expected whole milliseconds",
            "[3].scopes.control.startTimeIso: found `soon`; expected a time like `2024-05-01T12:00:00Z`",
        ],
    );
}

#[test]
fn what_is_no_list_is_refused_in_one_sentence() {
    check(
        "",
        &["found an empty file; expected a list of metric set pairs"],
    );
    check(
        "[]",
        &["found an empty list; expected at least one metric set pair"],
    );
    check(
        "{}",
        &["found an object; expected a list of metric set pairs"],
    );
    check(
        "[{]",
        &[
            "line 1, column 3: found key must be a string; expected a list of metric set pairs, as JSON",
        ],
    );
    check(
        &"[".repeat(100_000),
        &[
            "line 1, column 100000: found EOF while parsing a list; expected a list of metric set pairs, as JSON",
        ],
    );
}

#[test]
fn of_many_problems_the_first_twenty_are_told_and_the_others_counted() {
    let values = vec!["\"x\""; 50].join(",");
    let text = format!(r#"[{{"name":"m","values":{{"control":[{values}],"experiment":[1]}}}}]"#);
    let error = pairs::read(&text, "p.json").unwrap_err();
    assert_eq!((error.problems.len(), error.more), (20, 30));
}

#[test]
fn a_hundred_thousand_wrong_pairs_are_told_in_a_moment() {
    let count = 100_000;
    let text = format!("[\n{}{{\"name\":5}}]", "{\"name\":5},\n".repeat(count - 1));
    let begin = std::time::Instant::now();
    let error = pairs::read(&text, "p.json").unwrap_err();
    // Counting the lines of each from the beginning took minutes.
    assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
    assert_eq!(error.problems.len() as u64 + error.more, count as u64);
    assert!(
        error.problems[19].place.contains("[19], line 21"),
        "{}",
        error.problems[19]
    );
}

fn any_series() -> impl Strategy<Value = Series> {
    let value = prop_oneof![
        4 => any::<f64>().prop_map(|v| (!v.is_nan()).then_some(v)),
        1 => Just(None),
    ];
    let grid = proptest::option::of((
        -9_000_000_000_000_i64..9_000_000_000_000,
        1_u64..1_000_000_000,
    ));
    (grid, proptest::collection::vec(value, 0..20)).prop_map(|(grid, values)| {
        Series::new(
            grid.map(|(start_ms, step_ms)| Grid { start_ms, step_ms }),
            values,
        )
    })
}

proptest! {
    #[test]
    fn what_is_written_as_kayenta_writes_it_reads_back_the_same(
        baseline in any_series(), canary in any_series(),
        name in "\\PC{1,12}", tags in proptest::collection::btree_map("\\PC{0,4}", "\\PC{0,4}", 0..3),
        query in proptest::option::of("\\PC{0,12}"),
    ) {
        let tags: BTreeMap<String, String> = tags;
        let set = MetricSetPair { name, id: "one".to_owned(), tags, baseline, canary };
        let sent = SentQueries { baseline: query, canary: None };
        let text = serde_json::to_string(&[WirePair::of(&set, &sent)]).unwrap();
        let read = pairs::read(&text, "again").unwrap();
        prop_assert_eq!(&read.sets, &[set]);
        let expected = if sent == SentQueries::default() { vec![] } else { vec![sent] };
        prop_assert_eq!(read.queries, expected);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        let read: Result<FileInput, _> = pairs::read(&text, "any");
        prop_assert!(read.is_ok() || !read.unwrap_err().problems.is_empty());
    }
}

#[test]
fn a_long_list_of_equal_names_takes_no_longer_than_others() {
    let mut ids = coalmine::sources::files::Ids::default();
    let none = std::collections::BTreeMap::new();
    let began = std::time::Instant::now();
    let made: Vec<String> = (0..50_000).map(|_| ids.make("latency", &none)).collect();
    assert_eq!(made[..3], ["latency", "latency#2", "latency#3"]);
    assert_eq!(made[49_999], "latency#50000");
    // The square of the length would be a billion ids, and minutes.
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}
