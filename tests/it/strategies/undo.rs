//! A finished release is taken back by a plan of its own.

use std::sync::Arc;

use coalmine::config::release::spec::{ReleaseSpec, Strategy};
use coalmine::model::release::cluster::{Capacity, View, Weights};
use coalmine::stages::plan::Plan;
use coalmine::strategies::{Found, Outcome, Touched, cleanup, plan, rollback, undo_of_finished};

use super::drawn::{drawn, forward, with_rollback};
use super::fixture::*;
use super::simulator::{Simulator, weights_of};

/// A release that was promoted and cleaned up: its plan, and what is there now.
fn finished(spec: ReleaseSpec, found: Found) -> (Plan, Found) {
    let plan = plan(&Arc::new(spec), std::slice::from_ref(&found)).unwrap();
    let mut at = Simulator::new(vec![found.view], &plan.release.spec.guard);
    let touched = forward(&plan);
    let steps = cleanup(&plan.release, Outcome::Promoted, &touched, &[]);
    let forward = touched.iter().map(|it| it.step);
    forward.chain(&steps).for_each(|step| at.perform(step));
    let now = Found {
        view: at.views.remove(0),
        ..found
    };
    (plan, now)
}

fn red_black(scale_down: bool) -> ReleaseSpec {
    let mut spec = promoting(Strategy::RedBlack { pause_ms: 0 });
    spec.promotion.previous.scale_down = scale_down;
    spec
}

fn undone(plan: &Plan, now: &Found) -> Plan {
    undo_of_finished(&plan.release.spec, &plan.release, std::slice::from_ref(now)).unwrap()
}

fn scaling() -> Found {
    let live = group("search-v229", Capacity::new(30, 40, 60).unwrap());
    found_at("eu-west-1", vec![(live, 100)])
}

#[test]
fn what_was_scaled_down_comes_back_as_large_as_what_it_replaces() {
    let (plan, mut now) = finished(red_black(true), scaling());
    // Something scaled what took over meanwhile.
    let next = now.view.groups.iter_mut().find(|it| it.enabled).unwrap();
    next.capacity = Capacity::new(30, 50, 60).unwrap();
    insta::assert_snapshot!(drawn(&undone(&plan, &now)), @r"
    Roll back
      Promote
        Keep search-v229                          for good
        Enable search-v229                        disabled → enabled
        Resize search-v229                        0 instances → 50 (50 to 60)
          if it has 0
        Wait until search-v229 is healthy         48 of 50 instances up
        Traffic to search-v229                    0 → 100%
          to search-v229 100%
          if search-v230 100%
        Take search-v230 out of traffic           kept
        Unpin the size of search-v229             50 → at least 30
          if it has 50 (50 to 60)
    Take back
      RollBack
    Clean up
      CleanUp

    Rollback after the last operation
        Enable search-v230                        disabled → enabled
        Wait until search-v230 is healthy         48 of 50 instances up
        Traffic to search-v230                    0 → 100%
          to search-v230 100%
        Take search-v229 out of traffic           as before
        Resize search-v229                        50 (30 to 60) → 0 instances
        Keep search-v229 for 24 h                 then removed

    Cleanup of a promoted release
        Resize search-v230                        50 (30 to 60) → 0 instances
        Keep search-v230 for 24 h                 then removed

    Cleanup after the rollback
    ");
}

#[test]
fn it_can_be_walked_and_taken_back_itself_from_everywhere() {
    for scale_down in [false, true] {
        let (plan, now) = finished(red_black(scale_down), scaling());
        let undo = undone(&plan, &now);
        let steps = forward(&undo);
        let mut at = Simulator::new(vec![now.view.clone()], &undo.release.spec.guard);
        for place in 0..steps.len() {
            at.perform(steps[place].step);
            returns(&undo, &now.view, at.clone(), &steps[..=place]);
        }
        let back = cleanup(&undo.release, Outcome::Promoted, &steps, &[]);
        back.iter().for_each(|step| at.perform(step));
        let view = &at.views[0];
        let served = Weights::from([(name("search-v229"), percent(100))]);
        assert_eq!(weights_of(view), served);
        let restored = view.group(&name("search-v229")).unwrap();
        assert_eq!(restored.capacity, Capacity::new(30, 40, 60).unwrap());
        assert_eq!(restored.expires_ms, None);
        let bad = view.group(&name("search-v230")).unwrap();
        assert!(!bad.enabled && bad.expires_ms.is_some());
    }
}

fn returns(undo: &Plan, before: &View, mut at: Simulator, touched: &[Touched<'_>]) {
    let back = rollback(&undo.release, touched, &[]);
    back.iter().for_each(|step| at.perform(step));
    let all = with_rollback(touched, &back);
    let steps = cleanup(&undo.release, Outcome::TakenBack, &all, &[]);
    steps.iter().for_each(|step| at.perform(step));
    let facts = |view: &View| -> Vec<_> {
        let groups = view.groups.iter();
        groups
            .map(|it| {
                (
                    it.name.clone(),
                    it.enabled,
                    it.capacity,
                    it.expires_ms.is_some(),
                )
            })
            .collect()
    };
    assert_eq!(facts(before), facts(&at.views[0]), "after {touched:#?}");
    assert_eq!(weights_of(before), weights_of(&at.views[0]));
}

fn refused(change: impl Fn(&mut Found)) -> String {
    let (plan, mut now) = finished(red_black(false), found());
    change(&mut now);
    let refusal = undo_of_finished(&plan.release.spec, &plan.release, &[now]);
    refusal.unwrap_err().to_string()
}

#[test]
fn what_is_gone_cannot_serve_again() {
    let gone = refused(|now| now.view.groups.retain(|it| it.name != name("search-v229")));
    insta::assert_snapshot!(gone, @"target `eu-west-1`: `search-v229`, which served before, is gone (hint: release its version again; keep previous groups longer)");
}

#[test]
fn what_was_replaced_since_is_not_taken_back() {
    let replaced = refused(|now| {
        let router = now.view.router.as_mut().unwrap();
        router.weights = Weights::from([(name("search-v228"), percent(100))]);
    });
    insta::assert_snapshot!(replaced, @"target `eu-west-1`: `search-v230` serves no more, so that something else took over since (hint: take back the release that came after it)");
}

#[test]
fn a_first_deployment_has_nothing_to_go_back_to() {
    let mut spec = red_black(false);
    spec.targets[0].template = Some(template());
    spec.targets[0].size = Some(2);
    let (plan, now) = finished(spec, empty("eu-west-1"));
    let refusal = undo_of_finished(&plan.release.spec, &plan.release, &[now]);
    insta::assert_snapshot!(refusal.unwrap_err(), @"target `eu-west-1`: nothing served before `search-v000` (hint: release an older version instead)");
}
