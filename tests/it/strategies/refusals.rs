//! Why there is no plan: all reasons at once.

use std::sync::Arc;

use coalmine::config::release::spec::{ReleaseSpec, StageSpec, Strategy};
use coalmine::model::release::cluster::{Capacity, Role};
use coalmine::strategies::{Found, plan};

use super::fixture::*;

fn refused(spec: ReleaseSpec, found: &[Found]) -> String {
    plan(&Arc::new(spec), found).unwrap_err().to_string()
}

#[test]
fn a_first_deployment_needs_a_template_and_a_size() {
    insta::assert_snapshot!(refused(spec(), &[empty("eu-west-1")]), @r"
    target `eu-west-1`: nothing runs there whose template could be copied (hint: give the target a `template`)
    target `eu-west-1`: nothing runs there whose size could be copied (hint: give the target a `size` of at least 1)
    ");
}

#[test]
fn a_first_deployment_that_promotes_nothing_does_nothing() {
    let mut spec = spec();
    spec.promotion.strategy = Strategy::Judge;
    spec.targets[0].template = Some(template());
    spec.targets[0].size = Some(1);
    insta::assert_snapshot!(refused(spec, &[empty("eu-west-1")]), @"nothing would be done: nothing is promoted, and nothing serves that a canary could be compared with (hint: choose a strategy that promotes for the first deployment)");
}

#[test]
fn shares_and_native_rollouts_need_a_driver_that_has_them() {
    let mut found = found();
    found.abilities.shares = false;
    found.abilities.native_rollout = false;
    let mut spec = spec();
    spec.promotion.strategy = Strategy::Native;
    insta::assert_snapshot!(refused(spec, &[found]), @r"
    target `eu-west-1`: traffic cannot be parted by shares there, and the spec asks for it (hint: use strategy `red-black` or `highlander` without a canary, or an account whose driver parts traffic)
    target `eu-west-1`: the platform has no rollout of its own there (hint: use strategy `rolling-red-black`)
    ");
}

#[test]
fn red_black_needs_no_shares() {
    let mut found = found();
    found.abilities.shares = false;
    let spec = promoting(Strategy::RedBlack { pause_ms: 0 });
    plan(&Arc::new(spec), &[found]).unwrap();
}

#[test]
fn what_no_release_made_is_not_changed() {
    let mut found = found();
    found.view.groups.iter_mut().for_each(|it| it.owner = None);
    insta::assert_snapshot!(refused(spec(), &[found.clone()]), @"target `eu-west-1`: `search-v229` was not made by a release, and the plan would change it (hint: only what releases made is changed; use strategy `none` for the first one, then take it out by hand)");
    plan(&Arc::new(promoting(Strategy::None)), &[found]).unwrap();
}

#[test]
fn a_canary_of_another_release_with_traffic_is_waited_for() {
    let mut other = group("search--canary-v001", Capacity::fixed(2));
    other.role = Role::Canary;
    let found = found_at(
        "eu-west-1",
        vec![(group("search-v229", Capacity::fixed(40)), 90), (other, 10)],
    );
    insta::assert_snapshot!(refused(spec(), &[found]), @"target `eu-west-1`: `search--canary-v001` of release `earlier` has 10% of the traffic (hint: wait until that release has ended, or abort it)");
}

#[test]
fn all_numbers_may_be_taken() {
    let mut groups: Vec<_> = (0..1000)
        .map(|number| {
            let mut group = group(&format!("search-v{number:03}"), Capacity::fixed(1));
            group.enabled = number == 999;
            (group, 0)
        })
        .collect();
    groups[999].1 = 100;
    insta::assert_snapshot!(refused(spec(), &[found_at("eu-west-1", groups)]), @"target `eu-west-1`: all 1000 numbers of cluster `search` are taken (hint: remove server groups that serve no more)");
}

#[test]
fn numbers_follow_the_newest_group_and_pass_over_those_in_use() {
    let mut newest = group("search-v001", Capacity::fixed(4));
    newest.created_ms = 5_000;
    let mut next = group("search-v002", Capacity::fixed(1));
    next.enabled = false;
    let found = found_at("eu-west-1", vec![(newest, 100), (next, 0)]);
    let plan = plan(&Arc::new(spec()), &[found]).unwrap();
    let target = &plan.release.targets[0];
    assert_eq!(target.next, Some(name("search-v003")));
    assert_eq!(target.baseline, Some(name("search--baseline-v000")));
    assert_eq!(target.canary, Some(name("search--canary-v000")));
}

#[test]
fn a_list_of_stages_in_a_wrong_order_is_refused() {
    let mut spec = spec();
    spec.analysis = None;
    spec.stages = Some(vec![
        StageSpec::Analyze { judgements: 1 },
        StageSpec::Promote,
        StageSpec::Deploy {
            share: percent(60),
            size: 0,
        },
        StageSpec::Promote,
    ]);
    insta::assert_snapshot!(refused(spec, &[found()]), @r"
    something is to be judged, and the spec does not say how (hint: add `analysis`, or ask for no judgements)
    baseline and canary cannot have 60% each (hint: give each more than none and at most 50%)
    baseline and canary cannot have 0 instances (hint: give each at least 1)
    `stages` has `analyze` before any `deploy` (hint: deploy, then analyze, then promote once)
    `stages` has `deploy` after `promote` (hint: deploy, then analyze, then promote once)
    `stages` has `promote` a second time (hint: deploy, then analyze, then promote once)
    ");
}

#[test]
fn two_targets_are_two_places() {
    let mut spec = spec();
    spec.targets.push(target("eu-west-1"));
    insta::assert_snapshot!(refused(spec, &[found(), found()]), @"two targets are the same place: search in production, eu-west-1 (hint: give each target a place of its own)");
}
