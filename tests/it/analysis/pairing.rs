//! Series of both sides become pairs.

use std::collections::{BTreeMap, BTreeSet};

use coalmine::analysis::pairing::{MOST_POINTS, MetricSides, Paired, PairingError, pair};
use coalmine::model::metric_set::MetricSet;
use coalmine_judges::series::Series;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::vectors;

fn tags(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = of
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string()));
    owned.collect()
}

fn set(name: &str, of: &[(&str, &str)], values: &[f64]) -> MetricSet {
    let points = values.len() as i64;
    MetricSet {
        name: name.to_owned(),
        tags: tags(of),
        start_ms: 0,
        end_ms: points * 1000,
        step_ms: 1000,
        values: values.iter().copied().map(Some).collect(),
        attributes: BTreeMap::from([("query".to_owned(), format!("q{points}"))]),
    }
}

fn sides(name: &str, baseline: Vec<MetricSet>, canary: Vec<MetricSet>) -> MetricSides {
    MetricSides {
        name: name.to_owned(),
        baseline,
        canary,
    }
}

fn read_set(value: &Value) -> MetricSet {
    let number = |key: &str| value[key].as_i64().unwrap_or(0);
    let values = value["values"].as_array().unwrap();
    MetricSet {
        name: value["name"].as_str().unwrap().to_owned(),
        tags: serde_json::from_value(value["tags"].clone()).unwrap(),
        start_ms: number("startTimeMillis"),
        end_ms: number("endTimeMillis"),
        step_ms: number("stepMillis") as u64,
        values: values.iter().map(Value::as_f64).collect(),
        attributes: BTreeMap::new(),
    }
}

fn written(series: &Series) -> Value {
    let values = series.values().iter();
    values
        .map(|v| v.map_or(json!("NaN"), |v| json!(v)))
        .collect()
}

/// Numbers as doubles, so that `1` and `1.0` are the same.
fn doubles(values: &Value) -> Value {
    let values = values.as_array().unwrap().iter();
    values
        .map(|v| v.as_f64().map_or_else(|| v.clone(), Value::from))
        .collect()
}

fn check_values(found: &Paired, expected: &Value, name: &Value) {
    for (found, expected) in found.sets.iter().zip(expected.as_array().unwrap()) {
        let values = &expected["values"];
        assert_eq!(
            written(&found.baseline),
            doubles(&values["control"]),
            "{name}"
        );
        assert_eq!(
            written(&found.canary),
            doubles(&values["experiment"]),
            "{name}"
        );
        if let Some(tags) = expected["tags"].as_object() {
            assert_eq!(json!(found.tags), json!(tags), "{name}");
        }
    }
}

fn mixed(input: &Value) -> Result<Paired, Vec<(usize, PairingError)>> {
    let list = |value: &Value| match value.as_array() {
        Some(sets) => sets.iter().map(read_set).collect::<Vec<_>>(),
        None => vec![read_set(value)],
    };
    let (baseline, canary) = (list(&input["control"]), list(&input["experiment"]));
    let names: Vec<String> = match input["metrics"].as_array() {
        Some(names) => names
            .iter()
            .map(|n| n.as_str().unwrap().to_owned())
            .collect(),
        None => {
            let all = baseline.iter().chain(&canary).map(|set| set.name.clone());
            all.collect::<BTreeSet<_>>().into_iter().collect()
        }
    };
    let metrics: Vec<MetricSides> = names
        .iter()
        .map(|name| {
            let of =
                |sets: &[MetricSet]| sets.iter().filter(|s| s.name == *name).cloned().collect();
            sides(name, of(&baseline), of(&canary))
        })
        .collect();
    pair(&metrics)
}

#[test]
fn pairs_are_kayentas() {
    for case in vectors("mixOne") {
        let found = mixed(&case["input"]).unwrap();
        assert_eq!(found.sets.len(), 1);
        check_values(&found, &json!([case["expected"]]), &case["name"]);
    }
    for case in vectors("mixAll") {
        let (found, expected) = (mixed(&case["input"]), &case["expected"]);
        if let Some(text) = expected["errorContains"].as_str() {
            let errors = found.expect_err("an error");
            assert!(
                errors[0].1.to_string().contains(text),
                "{}: {errors:?}",
                case["name"]
            );
        } else if let Some(pairs) = expected["pairs"].as_array() {
            let found = found.unwrap();
            assert_eq!(found.sets.len(), pairs.len(), "{}", case["name"]);
            check_values(&found, &expected["pairs"], &case["name"]);
        } else {
            let found = found.unwrap();
            let names: Vec<&str> = found.sets.iter().map(|set| set.name.as_str()).collect();
            assert_eq!(json!(names), expected["names"], "{}", case["name"]);
        }
    }
}

#[test]
fn keys_of_sets_are_kayentas() {
    for case in vectors("metricSetKey") {
        let set = MetricSet {
            tags: serde_json::from_value(case["input"]["tags"].clone()).unwrap(),
            ..set(case["input"]["name"].as_str().unwrap(), &[], &[])
        };
        assert_eq!(case["expected"]["key"], set.key(), "{}", case["name"]);
    }
}

#[test]
fn a_series_without_counterpart_meets_missing_points() {
    let (a, b) = (&[("zone", "a")], &[("zone", "b")]);
    let metric = sides(
        "cpu",
        vec![set("cpu", b, &[1.0, 2.0, 3.0]), set("cpu", a, &[4.0])],
        vec![set("cpu", a, &[5.0, 6.0])],
    );
    let found = pair(&[metric]).unwrap();
    let ids: Vec<&str> = found.sets.iter().map(|set| set.id.as_str()).collect();
    assert_eq!(ids, ["cpu{zone=a}", "cpu{zone=b}"]);
    let alone = &found.sets[1];
    assert_eq!(written(&alone.baseline), json!([1.0, 2.0, 3.0]));
    assert_eq!(written(&alone.canary), json!(["NaN", "NaN"]));
    assert_eq!(found.queries[1].canary.as_deref(), Some("q2"));
    assert_eq!(found.notes, [""; 0]);
}

#[test]
fn series_whose_label_is_what_tells_the_sides_apart_come_with_advice() {
    let one = |version: &str| vec![set("m", &[("version", version), ("job", "web")], &[1.0])];
    let found = pair(&[sides("m", one("v1"), one("v2"))]).unwrap();
    assert_eq!(
        found.notes,
        [
            "no series of `m` has the same labels on both sides (they differ in `version`), so nothing of it is compared; \
             aggregate them in the query, as by `sum(…)` or `avg without (…)`"
        ]
    );
    let found = pair(&[sides("m", one("v1"), one("v1"))]).unwrap();
    assert_eq!(found.notes, [""; 0]);
}

#[test]
fn an_untagged_series_that_is_thrown_away_is_told_of() {
    let metric = sides(
        "errors",
        vec![set("errors", &[], &[1.0])],
        vec![set("errors", &[("code", "500")], &[2.0])],
    );
    let found = pair(&[metric]).unwrap();
    assert_eq!(written(&found.sets[0].baseline), json!(["NaN"]));
    assert_eq!(
        found.notes,
        [
            "1 series of `errors` on the baseline's side has no counterpart that its tags could name, and is not judged"
        ]
    );
}

#[test]
fn every_metric_that_cannot_be_paired_is_told_with_its_place() {
    let tagged = |key: &str| vec![set("m", &[(key, "x")], &[1.0])];
    let metrics = [
        sides("m", tagged("version"), tagged("pod")),
        sides("ok", vec![set("ok", &[], &[])], vec![set("ok", &[], &[])]),
        sides("none", Vec::new(), Vec::new()),
    ];
    let errors = pair(&metrics).expect_err("errors");
    let told: Vec<(usize, String)> = errors.iter().map(|(at, e)| (*at, e.to_string())).collect();
    assert_eq!(
        told,
        [
            (
                0,
                "`m`: Control metrics have different tag keys than the experiment tag set ([version] and [pod])"
                    .to_owned()
            ),
            (
                2,
                "No control metrics found for none and the metric service did not create a placeholder."
                    .to_owned()
            ),
        ]
    );
}

#[test]
fn times_that_nobody_meant_do_not_fill_the_memory() {
    let mut endless = set("m", &[], &[]);
    endless.end_ms = i64::MAX;
    endless.step_ms = 1;
    let metrics = [sides("m", vec![endless], vec![set("m", &[], &[])])];
    let errors = pair(&metrics).expect_err("an error");
    let PairingError::TooManyPoints { points, .. } = errors[0].1 else {
        panic!("{errors:?}");
    };
    assert!(points > MOST_POINTS);
}

#[test]
fn a_step_of_zero_pads_nothing() {
    let mut one = set("m", &[], &[7.0]);
    (one.step_ms, one.end_ms) = (0, 60_000);
    let found = pair(&[sides("m", vec![one.clone()], vec![one])]).unwrap();
    assert_eq!(written(&found.sets[0].baseline), json!([7.0]));
    assert_eq!(found.sets[0].baseline.grid(), None);
}

fn any_sets() -> impl Strategy<Value = Vec<MetricSet>> {
    let one = (
        prop::collection::btree_map("[ab]", "[xy]", 0..3),
        0..4_usize,
    )
        .prop_map(|(tags, points)| MetricSet {
            tags,
            ..set("m", &[], &vec![1.0; points])
        });
    prop::collection::vec(one, 0..5)
}

proptest! {
    #[test]
    fn pairs_do_not_depend_on_the_order_of_series(
        (baseline, shuffled) in any_sets().prop_flat_map(|sets| (Just(sets.clone()), Just(sets).prop_shuffle())),
        canary in any_sets(),
    ) {
        // Of two series with equal tags the first counts, so that only distinct ones may change places.
        let distinct: BTreeSet<_> = baseline.iter().map(|set| set.tags.clone()).collect();
        let found = pair(&[sides("m", baseline.clone(), canary.clone())]);
        let again = pair(&[sides("m", shuffled, canary.clone())]);
        if let (Ok(found), Ok(again)) = (found, again) {
            let ids: BTreeSet<&str> = found.sets.iter().map(|set| set.id.as_str()).collect();
            prop_assert_eq!(ids.len(), found.sets.len());
            prop_assert!(!found.sets.is_empty());
            prop_assert_eq!(found.queries.len(), found.sets.len());
            let tags = |paired: &Paired| paired.sets.iter().map(|set| set.tags.clone()).collect::<Vec<_>>();
            prop_assert_eq!(tags(&found), tags(&again));
            if distinct.len() == baseline.len() {
                let present = |paired: &Paired| -> usize {
                    paired.sets.iter().map(|set| set.baseline.present().count()).sum()
                };
                prop_assert_eq!(present(&found), present(&again));
            }
        }
    }
}
