//! Judgements that come late or not at all: what a service makes of windows that were over long before it came back.

use std::time::Duration;

use coalmine::config::release::spec::Consequence;
use coalmine::drivers::{Driver, Fencing};
use coalmine::executions::event::Event;
use coalmine::executions::release::event::{Cause, Decision, ReleaseEvent};
use coalmine::executions::state::State;
use coalmine::model::ids::ExecutionId;
use coalmine::model::release::cluster::{Capacity, Share, Weights};
use coalmine::model::release::names::GroupName;
use coalmine::model::release::operation::{Change, OpId, Operation};
use coalmine::stages::StageState;
use coalmine::stages::analyze::AnalyzeState;

use super::fixture::{GOOD, MINUTE, UNREADABLE};
use super::release_fixture::{World, old_group, place, spec};

fn canary() -> GroupName {
    GroupName::parse("shop-prod-canary-v000").unwrap()
}

/// A release of a good version whose service is away for `minutes`, from the first window on.
async fn away(world: &World, minutes: i64) -> ExecutionId {
    let mut spec = spec(GOOD, "2.0.0");
    spec.limits.release_ms = 48 * 3_600_000;
    let id = world.start(spec).await;
    let opened = |state: &State| {
        let is_open =
            |at: &StageState| matches!(at, StageState::Analyze(AnalyzeState::Opened { .. }));
        state.stages.iter().any(is_open)
    };
    world.until(&id, opened).await;
    tokio::time::advance(Duration::from_millis(
        (minutes * MINUTE).try_into().unwrap(),
    ))
    .await;
    id
}

/// What the looks after late judgements found, in their order.
async fn looks(world: &World, id: &ExecutionId) -> Vec<Option<String>> {
    let events = world.executions.events(id, 0).await.unwrap();
    let mut looks = Vec::new();
    for (_, _, event) in events {
        if let Event::Release(ReleaseEvent::LookedAgain { trouble, .. }) = event {
            looks.push(trouble);
        }
    }
    looks
}

fn decided(state: &State) -> (Decision, Cause, String) {
    let decided = state.release.as_ref().unwrap().decided.as_ref().unwrap();
    (decided.decision, decided.cause, decided.reason.clone())
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_is_well_after_hours_without_a_service_is_promoted() {
    let world = World::with_production(&["here"]);
    let id = away(&world, 180).await;
    let state = world.to_its_end(&id).await;
    assert_eq!(
        decided(&state).0,
        Decision::Promoted,
        "{}",
        state.sentence()
    );
    // Both windows were over long before: they begin and end with the first one.
    assert_eq!(looks(&world, &id).await, [None, None]);
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_is_judged_in_time_needs_no_other_look() {
    for minutes in [0, 5] {
        let world = World::with_production(&["here"]);
        let id = away(&world, minutes).await;
        let state = world.to_its_end(&id).await;
        assert_eq!(
            decided(&state).0,
            Decision::Promoted,
            "{}",
            state.sentence()
        );
        assert_eq!(looks(&world, &id).await, [], "after {minutes} min");
    }
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_is_gone_by_now_is_not_promoted_on_what_it_was() {
    let world = World::with_production(&["here"]);
    let id = away(&world, 180).await;
    // As a supervisor does at the time limit.
    let view = world.view("here").await;
    let weights = Weights::from([(old_group(), Share::ALL)]);
    let changes = [
        Change::SetTraffic { weights },
        Change::DeleteGroup { group: canary() },
    ];
    for (step, change) in (0..).zip(changes) {
        let operation = Operation {
            place: place("here"),
            change,
        };
        let id = OpId {
            execution: ExecutionId::new("expiry"),
            stage: 0,
            step,
        };
        let fencing = Fencing(view.fencing);
        world.fake.apply(&operation, &id, fencing).await.unwrap();
    }
    let state = world.to_its_end(&id).await;
    let (decision, cause, reason) = decided(&state);
    assert_eq!((decision, cause), (Decision::RolledBack, Cause::NoVerdict));
    assert!(
        reason.contains("min after its window, and now there is no `shop-prod-canary-v000`"),
        "{reason}"
    );
    assert_eq!(looks(&world, &id).await.len(), 1, "one is enough");
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_is_not_up_by_now_is_taken_back() {
    let world = World::with_production(&["here"]);
    let id = away(&world, 180).await;
    // Instances that were just started: none is up at the look.
    world
        .fake
        .scale(&place("here"), &canary(), Capacity::fixed(0));
    world
        .fake
        .scale(&place("here"), &canary(), Capacity::fixed(1));
    let state = world.to_its_end(&id).await;
    let (decision, cause, reason) = decided(&state);
    assert_eq!((decision, cause), (Decision::RolledBack, Cause::NoVerdict));
    assert!(reason.contains("now 0 of 1 instances of"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn judgements_that_cannot_be_made_are_counted_for_each_target() {
    let world = World::with_production(&["here", "there"]);
    let mut spec = spec(UNREADABLE, "2.0.0");
    spec.on.inconclusive = Consequence::Ask;
    spec.analysis.as_mut().unwrap().errors = 1;
    let mut there = spec.targets[0].clone();
    there.name = "there".to_owned();
    there.place = place("there");
    spec.targets.push(there);
    let id = world.start(spec).await;
    let state = world.to_its_end(&id).await;
    let (decision, cause, reason) = decided(&state);
    assert_eq!((decision, cause), (Decision::RolledBack, Cause::NoVerdict));
    assert!(
        reason.contains("2 judgements of target `here` failed, at most 1 may"),
        "{reason}"
    );
    // One of each target, and the second of the first: two in all would not have been too many.
    assert_eq!(state.failed_judgements(0), 2);
    assert_eq!(state.failed_judgements(1), 1);
    world.check_nothing_is_left().await;
}
