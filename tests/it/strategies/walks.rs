//! Every plan is walked to its end, and taken back from everywhere, in a place in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use coalmine::config::release::spec::{CanaryStep, ReleaseSpec, StageSpec, Strategy};
use coalmine::model::release::cluster::{Capacity, Role, Share, View, Weights};
use coalmine::model::release::names::GroupName;
use coalmine::model::release::operation::Change;
use coalmine::stages::plan::Plan;
use coalmine::strategies::{Found, Outcome, Touched, cleanup, drift, plan, rollback};
use proptest::prelude::*;
use proptest::strategy::Strategy as _;

use super::drawn::{forward, with_rollback};
use super::fixture::*;
use super::simulator::{Simulator, apply, weights_of};

/// What must be the same again: sizes, whether they are enabled, and shares.
fn essence(view: &View) -> (BTreeMap<GroupName, (Capacity, bool, bool)>, Weights) {
    let groups = view.groups.iter().map(|group| {
        let facts = (group.capacity, group.enabled, group.expires_ms.is_some());
        (group.name.clone(), facts)
    });
    (groups.collect(), weights_of(view))
}

fn planned(spec: ReleaseSpec, found: &[Found]) -> Plan {
    let plan = plan(&Arc::new(spec), found).unwrap();
    assert_eq!(
        drift(&plan, found),
        [],
        "nothing changed since it was planned"
    );
    plan
}

/// Walks the plan to its end, and from every step back: once with the effect of the last step, once without.
fn walk(plan: &Plan, found: &[Found]) {
    let rule = &plan.release.spec.guard;
    let views: Vec<View> = found.iter().map(|found| found.view.clone()).collect();
    let steps = forward(plan);
    let mut at = Simulator::new(views.clone(), rule);
    takes_back(plan, &views, &at, &[]);
    for (place, touched) in steps.iter().enumerate() {
        let intended = &steps[..=place];
        takes_back(plan, &views, &at, intended);
        at.perform(touched.step);
        takes_back(plan, &views, &at, intended);
        gives_way(plan, &at, intended);
    }
    ends_promoted(plan, &views, at, &steps);
}

fn takes_back(plan: &Plan, before: &[View], at: &Simulator, touched: &[Touched<'_>]) {
    let mut at = at.clone();
    let back = rollback(&plan.release, touched, &[]);
    assert_eq!(
        back,
        rollback(&plan.release, touched, &[]),
        "it is always the same"
    );
    back.iter().for_each(|step| at.perform(step));
    let all = with_rollback(touched, &back);
    let outcome = match touched.is_empty() {
        true => Outcome::Untouched,
        false => Outcome::TakenBack,
    };
    let steps = cleanup(&plan.release, outcome, &all, &[]);
    steps.iter().for_each(|step| at.perform(step));
    // A crash in the middle: all of it once more changes nothing and harms nobody.
    let once = at.views.clone();
    back.iter()
        .chain(&steps)
        .filter(|step| is_repeatable(&step.operation.change))
        .for_each(|step| at.perform(step));
    assert_eq!(once, at.views, "once more is once");
    for (target, (before, after)) in plan
        .release
        .targets
        .iter()
        .zip(before.iter().zip(&at.views))
    {
        if target.previous.is_empty() && has_moved_traffic(touched, before) {
            let next = target.next.clone().unwrap();
            assert_eq!(weights_of(after), Weights::from([(next, Share::ALL)]));
            continue;
        }
        let (mut groups, mut weights) = essence(before);
        if weights != target.weights && has_moved_traffic(touched, before) {
            weights = target.weights.clone();
        }
        let after = essence(after);
        groups.retain(|name, _| after.0.contains_key(name) || before.group(name).is_some());
        assert_eq!((groups, weights), after, "after {touched:#?}");
    }
}

/// What names a group that is gone cannot be done again here; a driver says that it is done.
fn is_repeatable(change: &Change) -> bool {
    matches!(
        change,
        Change::Disable { .. } | Change::DeleteGroup { .. } | Change::SetTraffic { .. }
    )
}

fn has_moved_traffic(touched: &[Touched<'_>], view: &View) -> bool {
    touched.iter().any(|it| {
        it.step.operation.place == view.place
            && matches!(it.step.operation.change, Change::SetTraffic { .. })
    })
}

/// Another release holds the cluster, and has set the traffic: only our own baseline and canary go.
fn gives_way(plan: &Plan, at: &Simulator, touched: &[Touched<'_>]) {
    let steps = cleanup(&plan.release, Outcome::Superseded, touched, &[]);
    let mut views = at.views.clone();
    for (view, target) in views.iter_mut().zip(&plan.release.targets) {
        if !target.previous.is_empty() {
            let weights = target.weights.clone();
            apply(view, &Change::SetTraffic { weights });
        }
    }
    let before = views.clone();
    for step in &steps {
        let view = views.iter_mut().find(|it| it.place == step.operation.place);
        apply(view.unwrap(), &step.operation.change);
    }
    for (before, after) in before.iter().zip(&views) {
        let (mut kept, weights) = essence(before);
        kept.retain(|name, _| before.group(name).unwrap().role == Role::Production);
        assert_eq!((kept, weights), essence(after));
    }
}

fn ends_promoted(plan: &Plan, before: &[View], mut at: Simulator, touched: &[Touched<'_>]) {
    let spec = &plan.release.spec;
    let steps = cleanup(&plan.release, Outcome::Promoted, touched, &[]);
    steps.iter().for_each(|step| at.perform(step));
    let ends = !matches!(
        spec.promotion.strategy,
        Strategy::Judge | Strategy::None | Strategy::Native
    );
    for (target, (before, after)) in plan
        .release
        .targets
        .iter()
        .zip(before.iter().zip(&at.views))
    {
        assert!(
            after
                .groups
                .iter()
                .all(|group| group.role == Role::Production),
            "baseline and canary are left: {after:#?}"
        );
        for group in &before.groups {
            let served = target.weights.contains_key(&group.name);
            let promoted = target.next.is_some();
            let is_alone = spec.promotion.strategy == Strategy::Highlander && promoted;
            let is_over = ends && promoted && served;
            let now = after.group(&group.name);
            if is_alone || is_over && spec.promotion.previous.keep_ms == 0 {
                assert_eq!(now, None, "it was to be removed");
                continue;
            }
            let now = now.unwrap();
            let scaled_down = is_over && spec.promotion.previous.scale_down;
            let size = if scaled_down {
                Capacity::fixed(0)
            } else {
                group.capacity
            };
            assert_eq!(now.capacity, size, "`{}`", group.name);
            assert_eq!(now.enabled, group.enabled && !is_over, "`{}`", group.name);
            assert_eq!(now.expires_ms.is_some(), is_over, "`{}`", group.name);
        }
        if let Some(next) = target.next.as_ref().filter(|_| ends) {
            assert_eq!(
                weights_of(after),
                Weights::from([(next.clone(), Share::ALL)])
            );
            let next = after.group(next).unwrap();
            assert_eq!(next.artifact, spec.artifact);
            assert_eq!(next.expires_ms, None);
        }
    }
}

fn strategies() -> impl proptest::strategy::Strategy<Value = Strategy> {
    prop_oneof![
        Just(Strategy::Judge),
        Just(Strategy::None),
        Just(Strategy::Highlander),
        Just(Strategy::Native),
        (0..2_u64).prop_map(|pause| Strategy::RedBlack {
            pause_ms: pause * MINUTE
        }),
        (
            prop::collection::btree_set(1..=10_000_u32, 1..5),
            0..2_u64,
            0..3_u32,
        )
            .prop_map(|(shares, pause, judgements)| Strategy::RollingRedBlack {
                shares: shares
                    .into_iter()
                    .map(|it| Share::new(it).unwrap())
                    .collect(),
                pause_ms: pause * MINUTE,
                judgements,
            }),
    ]
}

/// What is at one place: sizes of groups that serve in proportion to them, and whether one more is there that does not.
fn places() -> impl proptest::strategy::Strategy<Value = Vec<(Vec<(u32, u32)>, bool)>> {
    let sizes = prop::collection::vec((1..60_u32, 0..3_u32), 0..4);
    prop::collection::vec((sizes, any::<bool>()), 1..=3)
}

fn canaries() -> impl proptest::strategy::Strategy<Value = Vec<CanaryStep>> {
    let step = (1..=5_000_u32, 1..12_u32, 1..3_u32);
    let step = step.prop_map(|(share, size, judgements)| CanaryStep {
        share: Share::new(share).unwrap(),
        size,
        judgements,
    });
    prop::collection::vec(step, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_plan_can_be_walked_and_taken_back_from_everywhere(
        strategy in strategies(),
        places in places(),
        steps in canaries(),
        (keep, scale_down, scaling) in (any::<bool>(), any::<bool>(), any::<bool>()),
        size in prop::option::of(1..60_u32),
        listed in any::<bool>(),
    ) {
        let mut spec = spec();
        // How much must serve is another test's: here sizes are at random.
        spec.guard.least_share = Share::NONE;
        spec.promotion.strategy = strategy;
        spec.promotion.previous.keep_ms = if keep { HOUR } else { 0 };
        spec.promotion.previous.scale_down = scale_down;
        spec.canary = None;
        if listed {
            let mut stages: Vec<StageSpec> = steps
                .iter()
                .flat_map(|step| [
                    StageSpec::Deploy { share: step.share, size: step.size },
                    StageSpec::Analyze { judgements: step.judgements },
                ])
                .collect();
            if spec.promotion.strategy != Strategy::Judge {
                stages.push(StageSpec::Promote);
            }
            spec.stages = Some(stages);
        } else if !steps.is_empty() {
            spec.canary = Some(coalmine::config::release::spec::CanarySpec { steps });
        }
        let mut found = Vec::new();
        spec.targets.clear();
        for (number, (sizes, has_old)) in places.iter().enumerate() {
            let location = format!("place-{number}");
            spec.targets.push(coalmine::config::release::spec::Target {
                template: Some(template()),
                size: size.or(sizes.is_empty().then_some(3)),
                ..target(&location)
            });
            let mut groups = Vec::new();
            if *has_old {
                let mut old = group("search-v004", Capacity::fixed(2));
                old.enabled = false;
                groups.push((old, 0));
            }
            let shares = [&[100][..], &[60, 40], &[33, 33, 34]];
            for (place, (size, more)) in sizes.iter().enumerate() {
                let capacity = match scaling {
                    true => Capacity::new(1, *size, size + more).unwrap(),
                    false => Capacity::fixed(*size),
                };
                let name = format!("search-v{:03}", place + 5);
                groups.push((group(&name, capacity), shares[sizes.len() - 1][place]));
            }
            let mut at = found_at(&location, groups);
            at.abilities.scaling = scaling;
            found.push(at);
        }
        match plan(&Arc::new(spec.clone()), &found) {
            Ok(_) => walk(&planned(spec, &found), &found),
            Err(refusal) => {
                let nothing = refusal.to_string().contains("nothing would be done");
                prop_assert!(nothing, "{refusal}");
            }
        }
    }
}

/// Usual sizes, with the guard as strict as half of what serves.
fn usual(strategy: Strategy) {
    for canary in [true, false] {
        let spec = match canary {
            true => ReleaseSpec {
                promotion: promoting(strategy.clone()).promotion,
                ..spec()
            },
            false => promoting(strategy.clone()),
        };
        let found = [found()];
        walk(&planned(spec, &found), &found);
    }
}

#[test]
fn red_black_holds_half_of_what_serves() {
    usual(Strategy::RedBlack { pause_ms: 0 });
}

#[test]
fn a_highlander_holds_half_of_what_serves() {
    usual(Strategy::Highlander);
}

#[test]
fn rolling_over_holds_half_of_what_serves_at_every_percentage() {
    usual(rolling(&[1, 10, 25, 50, 75, 99, 100], 1));
}

#[test]
fn one_instance_is_replaced_by_one() {
    let mut spec = promoting(rolling(&[50, 100], 0));
    spec.promotion.previous.keep_ms = 0;
    let found = [found_at(
        "eu-west-1",
        vec![(group("search-v999", Capacity::fixed(1)), 100)],
    )];
    let plan = planned(spec, &found);
    assert_eq!(plan.release.targets[0].next, Some(name("search-v000")));
    walk(&plan, &found);
}

#[test]
fn what_served_before_is_healthy_before_traffic_returns_and_what_is_new_goes_last() {
    let plan = planned(promoting(rolling(&[50, 100], 0)), &[found()]);
    let back = rollback(&plan.release, &forward(&plan), &[]);
    let said: Vec<&str> = back.iter().map(|step| step.sentence.as_str()).collect();
    assert_eq!(
        said,
        [
            "Enable search-v229",
            "Wait until search-v229 is healthy",
            "Traffic to search-v229",
            "Take search-v230 out of traffic",
        ]
    );
}

#[test]
fn a_canary_alone_is_taken_back_without_touching_production() {
    let plan = planned(spec(), &[found()]);
    let touched = forward(&plan);
    let promotion = touched
        .iter()
        .position(|it| it.purpose == coalmine::stages::operate::Purpose::Promote)
        .unwrap();
    let back = rollback(&plan.release, &touched[..promotion], &[]);
    let said: Vec<&str> = back.iter().map(|step| step.sentence.as_str()).collect();
    assert_eq!(said, ["Traffic to search-v229"]);
}

#[test]
fn nothing_is_left_to_do_where_nothing_was_intended() {
    let plan = planned(spec(), &[found()]);
    assert_eq!(rollback(&plan.release, &[], &[]), []);
    assert_eq!(cleanup(&plan.release, Outcome::Untouched, &[], &[]), []);
}

#[test]
fn baseline_and_canary_live_longer_than_the_release_and_its_way_back() {
    let plan = planned(spec(), &[found()]);
    let lives: Vec<Option<u64>> = forward(&plan)
        .iter()
        .filter(|it| matches!(it.step.operation.change, Change::CreateGroup { .. }))
        .map(|it| {
            let Change::CreateGroup { lives_ms, .. } = &it.step.operation.change else {
                panic!("it makes a group");
            };
            *lives_ms
        })
        .collect();
    let longest = 8 * HOUR + 10 * MINUTE + 4 * 2 * MINUTE;
    assert_eq!(lives, [Some(longest), Some(longest), None]);
}
