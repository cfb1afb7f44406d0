//! Who decided what in a release.

use coalmine::config::release::spec::{Consequence, WithoutAnswer};
use coalmine::executions::audit::{AuditLine, lines};
use coalmine::executions::event::{Ending, Event};
use coalmine::executions::release::desk::ReleaseDesk;
use coalmine::executions::release::event::{Hold, ReleaseEvent};
use coalmine::model::ids::ExecutionId;
use coalmine::stages::StageState;
use coalmine::stages::approve::{ApproveState, Choice};

use super::fixture::{BAD, GOOD, T0, canary};
use super::release_fixture::{World, spec};

async fn audited(world: &World, id: &ExecutionId) -> Vec<AuditLine> {
    let events = world.executions.events(id, 0).await.unwrap();
    let events: Vec<_> = events.into_iter().map(|(_, at, it)| (at, it)).collect();
    lines(id, &events)
}

/// Actor, action, reason.
fn told(lines: &[AuditLine]) -> Vec<(&str, &str, &str)> {
    let told = lines.iter().map(|line| {
        let AuditLine {
            actor,
            action,
            reason,
            ..
        } = line;
        (actor.as_str(), *action, reason.as_str())
    });
    told.collect()
}

async fn asked(world: &World, id: &ExecutionId) {
    let is_asking = |at: &StageState| matches!(at, StageState::Approve(ApproveState::Asked { .. }));
    world
        .until(id, |state| state.stages.iter().any(is_asking))
        .await;
}

#[tokio::test(start_paused = true)]
async fn who_asked_who_answered_and_what_came_of_it_is_told_and_no_work() {
    let world = World::with_production(&["here"]);
    let mut spec = spec(GOOD, "2.0.0");
    spec.on.pass = Consequence::Ask;
    let id = world.start(spec).await;
    asked(&world, &id).await;
    world
        .office
        .answer(&id, Choice::Approve, "alice", "looked at it")
        .await
        .unwrap();
    world.to_its_end(&id).await;
    let lines = audited(&world, &id).await;
    let told = told(&lines);
    assert_eq!(
        told[..2],
        [
            ("me", "accepted", "release"),
            ("alice", "answered", "approve: looked at it"),
        ]
    );
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[2].1, "decided");
    assert!(told[2].2.starts_with("promoted: "), "{told:?}");
    assert!(
        lines
            .iter()
            .all(|it| it.application == GOOD && it.execution == id)
    );
    assert!(lines.is_sorted_by_key(|it| it.at_ms) && lines[0].at_ms >= T0);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_decided_the_system_answers_for() {
    let world = World::with_production(&["here"]);
    let id = world.start(spec(BAD, "2.0.0")).await;
    world.to_its_end(&id).await;
    let lines = audited(&world, &id).await;
    let told = told(&lines);
    assert_eq!(told.len(), 2, "{told:?}");
    let (actor, action, reason) = told[1];
    assert_eq!((actor, action), ("coalmine", "decided"));
    assert!(
        reason.starts_with("rolled back: judgement 1 is Fail"),
        "{reason}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_question_that_nobody_answered_is_told_where_it_goes_on_waiting() {
    let world = World::with_production(&["here"]);
    let mut spec = spec(GOOD, "2.0.0");
    spec.on.pass = Consequence::Ask;
    spec.ask.without_answer = WithoutAnswer::KeepWaiting;
    let id = world.start(spec).await;
    asked(&world, &id).await;
    world.to_its_end(&id).await;
    let lines = audited(&world, &id).await;
    assert!(
        told(&lines).contains(&("coalmine", "answerOverdue", "nobody answered in time")),
        "{lines:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_release_that_waits_for_another_is_told_once_and_so_is_who_took_over() {
    let world = World::with_production(&["here"]);
    let first = world.start(spec(GOOD, "2.0.0")).await;
    world
        .until(&first, |state| {
            state.release.as_ref().unwrap().locks.is_some()
        })
        .await;
    let second = world.start(spec(GOOD, "3.0.0")).await;
    world.to_its_end(&second).await;
    let events = world.executions.events(&second, 0).await.unwrap();
    let holds = events
        .iter()
        .filter(|(_, _, event)| event.word() == "heldUp");
    assert!(holds.count() > 1, "it looks again and again");
    let lines = audited(&world, &second).await;
    let told: Vec<_> = told(&lines).iter().map(|it| it.1).collect();
    assert_eq!(told, ["accepted", "heldUp", "decided"]);
    assert!(lines[1].reason.contains(first.as_str()), "{:?}", lines[1]);

    let third = world.start(spec(GOOD, "4.0.0")).await;
    world
        .until(&third, |state| state.last_outcome().is_some())
        .await;
    world
        .office
        .request_rollback(&first, &[], "bob", "errors")
        .await
        .unwrap();
    world.to_its_end(&third).await;
    let lines = audited(&world, &third).await;
    let lost = lines.iter().find(|it| it.action == "lockLost").unwrap();
    assert_eq!(lost.actor, "coalmine");
    assert!(lost.reason.contains("took over"), "{lost:?}");
}

#[tokio::test(start_paused = true)]
async fn who_had_it_taken_back_or_called_off_is_told_with_the_reason() {
    for (taking_back, expected) in [
        (true, ("bob", "rollbackRequested", "a hunch")),
        (false, ("bob", "cancelRequested", "a hunch")),
    ] {
        let world = World::with_production(&["here"]);
        let id = world.start(spec(GOOD, "2.0.0")).await;
        world
            .until(&id, |state| state.last_outcome().is_some())
            .await;
        if taking_back {
            let asked = world
                .office
                .request_rollback(&id, &[], "bob", "a hunch")
                .await;
            asked.unwrap();
        } else {
            world.office.abort(&id, "bob", "a hunch").await.unwrap();
        }
        world.to_its_end(&id).await;
        let lines = audited(&world, &id).await;
        let told = told(&lines);
        assert_eq!(told[1], expected);
        let (actor, action, _) = told[2];
        assert_eq!((actor, action, told.len()), ("bob", "decided", 3));
    }
}

#[test]
fn other_executions_are_told_with_their_end_and_without_their_work() {
    let id = ExecutionId::new("e-1");
    let mut request = canary("shop");
    request.user = Some("  ".to_owned());
    let held = |hold| {
        let why = "later".to_owned();
        let until_ms = 0;
        Event::Release(ReleaseEvent::HeldUp {
            step: None,
            hold,
            why,
            until_ms,
        })
    };
    let events = [
        Event::Accepted {
            request: Box::new(request),
        },
        Event::CollectionStarted { stage: 0 },
        Event::GotStuck {
            stage: 0,
            error: "the disk is full".to_owned(),
        },
        Event::Resumed {
            by: "ops".to_owned(),
        },
        held(Hold::Driver),
        held(Hold::NotComparable),
        Event::Ended {
            ending: Ending::Terminal,
            sentence: "stopped".to_owned(),
        },
    ];
    let timed: Vec<_> = (T0..).zip(events).collect();
    let lines = lines(&id, &timed);
    assert_eq!(
        told(&lines),
        [
            ("somebody", "accepted", "canary"),
            ("coalmine", "gotStuck", "the disk is full"),
            ("ops", "resumed", ""),
            ("coalmine", "ended", "stopped"),
        ]
    );
    assert_eq!(
        (lines[1].at_ms, lines[1].application.as_str()),
        (T0 + 2, "shop")
    );
}
