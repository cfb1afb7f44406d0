//! What changed since a plan was made: what matters, and what does not.

use std::sync::Arc;

use coalmine::model::release::cluster::{Capacity, Share};
use coalmine::strategies::{Found, drift, plan};

use super::fixture::*;

/// What is said when the place changes like that.
fn after(change: impl Fn(&mut Found)) -> Vec<String> {
    let mut found = found();
    found.view.groups[1].capacity = Capacity::new(30, 40, 60).unwrap();
    let plan = plan(&Arc::new(spec()), &[found.clone()]).unwrap();
    change(&mut found);
    let drifts = drift(&plan, &[found]);
    drifts.into_iter().map(|drift| drift.sentence).collect()
}

#[test]
fn more_instances_are_harmless() {
    let grown = after(|it| it.view.groups[1].capacity = Capacity::new(30, 55, 60).unwrap());
    assert_eq!(grown, Vec::<String>::new());
}

#[test]
fn an_old_group_that_is_gone_is_harmless() {
    let without = after(|it| {
        it.view.groups.remove(0);
    });
    assert_eq!(without, Vec::<String>::new());
}

#[test]
fn instances_that_come_and_go_are_harmless() {
    let without = after(|it| {
        it.view.groups[1].instances.pop();
        it.view.observed_ms += 60_000;
    });
    assert_eq!(without, Vec::<String>::new());
}

#[test]
fn all_else_matters() {
    let all = [
        after(|it| it.view.groups[1].capacity = Capacity::new(30, 39, 60).unwrap()),
        after(|it| it.view.groups[1].artifact = artifact("5.3.3")),
        after(|it| it.view.groups[1].template.0 = serde_json::json!({})),
        after(|it| it.view.groups[1].enabled = false),
        after(|it| {
            it.view.groups.remove(1);
        }),
        after(|it| {
            it.view
                .groups
                .push(group("search-v230", Capacity::fixed(1)))
        }),
        after(|it| {
            it.view
                .groups
                .push(group("search--canary-v000", Capacity::fixed(1)))
        }),
        after(|it| it.view.router = None),
        after(|it| {
            let router = it.view.router.as_mut().unwrap();
            router.weights.insert(name("search-v229"), percent(90));
            router.weights.insert(name("search-v228"), percent(10));
        }),
        after(|it| {
            let router = it.view.router.as_mut().unwrap();
            router.weights.insert(name("search-v228"), Share::NONE);
        }),
    ];
    let all: Vec<String> = all.iter().map(|said| said.join("; ")).collect();
    insta::assert_snapshot!(all.join("\n"), @r"
    `search-v229` had 40 (30 to 60) instances, and has 39 (30 to 60)
    `search-v229` had version `5.3.2`, and has `5.3.3`
    `search-v229` is run in another way
    `search-v229` was enabled, and is disabled
    `search-v229` is gone
    `search-v230` is new, with version `5.3.2`
    `search--canary-v000` is new, and the plan would make it
    the router is gone
    the traffic was parted 100% to `search-v229`, and is parted 10% to `search-v228`, 90% to `search-v229`
    ");
}

#[test]
fn a_place_that_was_not_looked_at_is_a_difference() {
    let plan = plan(&Arc::new(spec()), &[found()]).unwrap();
    assert_eq!(drift(&plan, &[]).len(), 1);
}
