//! The plan of every strategy, with its way back and its cleanup, as files that people can read.

use std::path::Path;
use std::sync::Arc;

use coalmine::config::release::spec::{ReleaseSpec, StageSpec, Strategy};
use coalmine::model::release::cluster::Capacity;
use coalmine::strategies::{Found, plan};

use super::drawn::drawn;
use super::fixture::*;

/// Set `COALMINE_WRITE=1` to write the files anew after a change of the planner; then read them.
fn is_golden(file: &str, spec: ReleaseSpec, found: &[Found]) {
    let plan = plan(&Arc::new(spec), found).unwrap();
    let text = drawn(&plan);
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/plans")
        .join(file);
    if std::env::var_os("COALMINE_WRITE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        text, golden,
        "tests/golden/plans/{file} is not what is planned; run this test with COALMINE_WRITE=1 and read it"
    );
}

#[test]
fn a_canary_that_grows_is_promoted_by_rolling_over() {
    is_golden("canary-rolling.txt", spec(), &[found()]);
}

#[test]
fn a_canary_that_is_only_judged() {
    let mut spec = spec();
    spec.promotion.strategy = Strategy::Judge;
    spec.cleanup.delay_ms = 10 * MINUTE;
    is_golden("judge.txt", spec, &[found()]);
}

#[test]
fn a_group_beside_those_that_serve() {
    is_golden("none.txt", promoting(Strategy::None), &[found()]);
}

#[test]
fn a_highlander_removes_all_others() {
    is_golden(
        "highlander.txt",
        promoting(Strategy::Highlander),
        &[found()],
    );
}

#[test]
fn red_black_keeps_what_served_before() {
    let mut spec = promoting(Strategy::RedBlack {
        pause_ms: 5 * MINUTE,
    });
    spec.promotion.previous.scale_down = true;
    let live = group("search-v229", Capacity::new(30, 40, 60).unwrap());
    is_golden(
        "red-black-scaling.txt",
        spec,
        &[found_at("eu-west-1", vec![(live, 100)])],
    );
}

#[test]
fn rolling_over_two_groups_in_two_places() {
    let mut spec = promoting(rolling(&[10, 50, 100], 1));
    spec.targets.push(target("us-east-1"));
    spec.promotion.previous.keep_ms = 0;
    let two = vec![
        (group("search-v007", Capacity::fixed(10)), 75),
        (group("search-v008", Capacity::fixed(5)), 25),
    ];
    is_golden(
        "rolling-two-places.txt",
        spec,
        &[found(), found_at("us-east-1", two)],
    );
}

#[test]
fn the_platforms_own_rollout() {
    is_golden("native.txt", promoting(Strategy::Native), &[found()]);
}

#[test]
fn a_first_deployment_has_nothing_to_compare_with() {
    let mut spec = spec();
    spec.targets[0].template = Some(template());
    spec.targets[0].size = Some(4);
    spec.targets[0].router = Some("127.0.0.1:8080".to_owned());
    is_golden("first.txt", spec, &[empty("eu-west-1")]);
}

#[test]
fn stages_that_the_spec_lists_itself() {
    let mut spec = spec();
    spec.promotion.strategy = Strategy::RedBlack { pause_ms: 0 };
    spec.stages = Some(vec![
        StageSpec::Deploy {
            share: percent(1),
            size: 1,
        },
        StageSpec::Wait { for_ms: 5 * MINUTE },
        StageSpec::Analyze { judgements: 2 },
        StageSpec::Approve {
            instructions: "is it lunch time?".to_owned(),
        },
        StageSpec::Promote,
    ]);
    is_golden("custom.txt", spec, &[found()]);
}
