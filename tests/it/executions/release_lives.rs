//! What becomes of releases: each way through, each way out, and that nothing is left behind by any.

use coalmine::config::release::spec::{Consequence, Strategy, WithoutAnswer};
use coalmine::drivers::fake::NEVER_HEALTHY;
use coalmine::executions::release::desk::{DeskError, ReleaseDesk, RollbackOutcome};
use coalmine::executions::release::event::{Cause, Decision, Hold};
use coalmine::executions::state::{State, Status};
use coalmine::model::release::cluster::{Capacity, Share};
use coalmine::model::release::window::{Moment, WindowRule};
use coalmine::stages::StageState;
use coalmine::stages::approve::{ApproveState, Choice};

use super::fixture::{BAD, GOOD, UNREADABLE};
use super::release_fixture::{SIZE, World, old_group, place, spec, traffic};

fn decision(state: &State) -> (Decision, Cause, &str) {
    let decided = state.release.as_ref().unwrap().decided.as_ref().unwrap();
    (decided.decision, decided.cause, &decided.reason)
}

fn is_asking(state: &State) -> bool {
    state
        .stages
        .iter()
        .any(|at| matches!(at, StageState::Approve(ApproveState::Asked { .. })))
}

#[tokio::test(start_paused = true)]
async fn a_good_version_takes_over_and_nothing_else_is_left() {
    let world = World::with_production(&["here"]);
    let id = world.start(spec(GOOD, "2.0.0")).await;
    let state = world.to_its_end(&id).await;
    assert_eq!(state.status(), Status::Succeeded, "{}", state.sentence());
    assert_eq!(decision(&state).0, Decision::Promoted);
    let view = world.view("here").await;
    assert_eq!(
        traffic(&view),
        [("shop-prod-v008".to_owned(), "100%".to_owned())].into()
    );
    let old = view.group(&old_group()).unwrap();
    assert!(!old.enabled && old.expires_ms.is_some(), "{old:?}");
    assert_eq!(view.groups.len(), 2, "{view:#?}");
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_version_is_taken_back_at_its_first_judgement() {
    let world = World::with_production(&["here"]);
    let id = world.start(spec(BAD, "2.0.0")).await;
    let state = world.to_its_end(&id).await;
    assert_eq!(state.status(), Status::Terminal);
    let (became, cause, reason) = decision(&state);
    assert_eq!((became, cause), (Decision::RolledBack, Cause::Verdict));
    assert!(
        reason.starts_with("judgement 1 is Fail, score 0: "),
        "{reason}"
    );
    let view = world.view("here").await;
    assert_eq!(
        traffic(&view),
        [("shop-prod-v007".to_owned(), "100%".to_owned())].into()
    );
    assert_eq!(view.groups.len(), 1);
    assert_eq!(view.groups[0].capacity, Capacity::fixed(SIZE));
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn every_strategy_ends_with_the_new_version_alone_in_traffic() {
    let half = Share::new(5_000).unwrap();
    for strategy in [
        Strategy::Highlander,
        Strategy::RedBlack { pause_ms: 5_000 },
        Strategy::RollingRedBlack {
            shares: vec![half, Share::ALL],
            pause_ms: 1_000,
            judgements: 1,
        },
    ] {
        let world = World::with_production(&["here", "there"]);
        let mut spec = spec(GOOD, "2.0.0");
        let mut other = spec.targets[0].clone();
        other.name = "there".to_owned();
        other.place = place("there");
        spec.targets.push(other);
        spec.promotion.strategy = strategy.clone();
        let id = world.start(spec).await;
        let state = world.to_its_end(&id).await;
        assert_eq!(
            decision(&state).0,
            Decision::Promoted,
            "{strategy:?}: {}",
            state.sentence()
        );
        for location in ["here", "there"] {
            let view = world.view(location).await;
            let all = [("shop-prod-v008".to_owned(), "100%".to_owned())];
            assert_eq!(traffic(&view), all.into(), "{strategy:?}");
        }
        world.check_nothing_is_left().await;
    }
}

#[tokio::test(start_paused = true)]
async fn series_that_cannot_be_had_are_no_verdict_and_never_a_promotion() {
    let world = World::with_production(&["here"]);
    let id = world.start(spec(UNREADABLE, "2.0.0")).await;
    let state = world.to_its_end(&id).await;
    let (became, cause, reason) = decision(&state);
    assert_eq!((became, cause), (Decision::RolledBack, Cause::NoVerdict));
    assert!(reason.contains("cannot be read"), "{reason}");
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_never_comes_up_is_taken_back_with_its_last_words() {
    let world = World::with_production(&["here"]);
    let id = world.start(spec(GOOD, NEVER_HEALTHY)).await;
    let state = world.to_its_end(&id).await;
    let (became, cause, reason) = decision(&state);
    assert_eq!((became, cause), (Decision::RolledBack, Cause::Operation));
    assert!(reason.contains("0 of 1 instances"), "{reason}");
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn called_off_at_any_step_it_is_taken_back_and_cleaned_up() {
    // As many steps as the whole release has events.
    let world = World::with_production(&["here"]);
    let id = world.start(spec(GOOD, "2.0.0")).await;
    let events = world.to_its_end(&id).await.seq;
    assert!(events > 30, "{events}");
    for seq in 1..events {
        let world = World::with_production(&["here"]);
        let id = world.start(spec(GOOD, "2.0.0")).await;
        let state = world.until(&id, |state| state.seq >= seq).await;
        let decided = state.release.as_ref().unwrap().decided.is_some();
        let answer = world.office.abort(&id, "me", "changed my mind").await;
        let state = world.to_its_end(&id).await;
        let view = world.view("here").await;
        if decided {
            assert!(
                matches!(answer, Err(DeskError::WrongState(_))),
                "{answer:?}"
            );
            assert_eq!(decision(&state).0, Decision::Promoted);
        } else {
            answer.unwrap();
            assert_eq!(decision(&state).0, Decision::CalledOff, "at {seq}");
            assert_eq!(state.status(), Status::Canceled);
            let all = [("shop-prod-v007".to_owned(), "100%".to_owned())];
            assert_eq!(traffic(&view), all.into(), "at {seq}: {}", state.sentence());
            assert_eq!(view.groups.len(), 1, "at {seq}: {view:#?}");
            let old = &view.groups[0];
            assert!(
                old.enabled && old.capacity == Capacity::fixed(SIZE),
                "at {seq}: {old:?}"
            );
            assert_eq!(old.expires_ms, None, "at {seq}");
        }
        world.check_nothing_is_left().await;
    }
}

#[tokio::test(start_paused = true)]
async fn two_releases_of_one_cluster_go_one_after_the_other() {
    let world = World::with_production(&["here"]);
    let first = world.start(spec(GOOD, "2.0.0")).await;
    world
        .until(&first, |state| {
            state.release.as_ref().unwrap().locks.is_some()
        })
        .await;
    let second = world.start(spec(GOOD, "3.0.0")).await;
    let held = world
        .until(&second, |state| {
            state.release.as_ref().unwrap().held_up.is_some()
        })
        .await;
    let why = held.release.unwrap().held_up.unwrap();
    assert_eq!(why.hold, Hold::Lock);
    assert!(why.why.contains(first.as_str()), "{}", why.why);
    let state = world.to_its_end(&second).await;
    assert!(world.state(&first).await.end.is_some());
    // The first one changed what the second one's plan rests on.
    let (became, cause, reason) = decision(&state);
    assert_eq!((became, cause), (Decision::Refused, Cause::NotAllowed));
    assert!(reason.contains("make a new plan"), "{reason}");
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_question_without_an_answer_is_never_a_yes() {
    for (then, expected) in [
        (WithoutAnswer::RollBack, Cause::NoAnswer),
        (WithoutAnswer::KeepWaiting, Cause::Time),
    ] {
        let world = World::with_production(&["here"]);
        let mut spec = spec(GOOD, "2.0.0");
        spec.on.pass = Consequence::Ask;
        spec.ask.without_answer = then;
        let id = world.start(spec).await;
        world.until(&id, is_asking).await;
        let state = world.to_its_end(&id).await;
        let (became, cause, _) = decision(&state);
        assert_eq!((became, cause), (Decision::RolledBack, expected));
        world.check_nothing_is_left().await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_answer_decides_and_nobody_else() {
    for (choice, expected) in [
        (Choice::Approve, Decision::Promoted),
        (Choice::Reject, Decision::RolledBack),
    ] {
        let world = World::with_production(&["here"]);
        let mut spec = spec(GOOD, "2.0.0");
        spec.on.pass = Consequence::Ask;
        spec.ask.who = vec!["alice".to_owned()];
        let id = world.start(spec).await;
        let early = world.office.answer(&id, choice, "alice", "").await;
        assert!(matches!(early, Err(DeskError::WrongState(_))), "{early:?}");
        world.until(&id, is_asking).await;
        let other = world.office.answer(&id, choice, "mallory", "").await;
        assert!(matches!(other, Err(DeskError::Forbidden(_))), "{other:?}");
        world
            .office
            .answer(&id, choice, "alice", "looked at it")
            .await
            .unwrap();
        let state = world.to_its_end(&id).await;
        assert_eq!(decision(&state).0, expected);
        world.check_nothing_is_left().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_holds_a_release_up_until_it_opens() {
    let world = World::with_production(&["here"]);
    let mut spec = spec(GOOD, "2.0.0");
    spec.limits.release_ms = 48 * 3_600_000;
    // The fixture's time is noon in UTC or whatever it is: one minute a day, all days.
    spec.windows.rules = vec![WindowRule {
        days: Vec::new(),
        from_minute: 180,
        to_minute: 181,
        zone: "UTC".to_owned(),
        moments: vec![Moment::Start],
    }];
    let id = world.start(spec).await;
    let state = world
        .until(&id, |state| {
            state.release.as_ref().unwrap().held_up.is_some()
        })
        .await;
    assert_eq!(
        state
            .release
            .as_ref()
            .unwrap()
            .held_up
            .as_ref()
            .unwrap()
            .hold,
        Hold::Window
    );
    assert!(!state.has_touched());
    let state = world.to_its_end(&id).await;
    assert_eq!(
        decision(&state).0,
        Decision::Promoted,
        "{}",
        state.sentence()
    );
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_finished_release_is_taken_back_by_another_one() {
    let world = World::with_production(&["here"]);
    let id = world.start(spec(GOOD, "2.0.0")).await;
    world.to_its_end(&id).await;
    let outcome = world
        .office
        .request_rollback(&id, &[], "me", "errors")
        .await
        .unwrap();
    let RollbackOutcome::Started(back) = outcome else {
        panic!("{outcome:?}");
    };
    let state = world.to_its_end(&back).await;
    assert_eq!(
        decision(&state).0,
        Decision::Promoted,
        "{}",
        state.sentence()
    );
    let view = world.view("here").await;
    assert_eq!(
        traffic(&view),
        [("shop-prod-v007".to_owned(), "100%".to_owned())].into()
    );
    assert!(view.group(&old_group()).unwrap().expires_ms.is_none());
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn taking_back_goes_before_a_release_that_is_at_work() {
    let world = World::with_production(&["here"]);
    let first = world.start(spec(GOOD, "2.0.0")).await;
    world.to_its_end(&first).await;
    let second = world.start(spec(GOOD, "3.0.0")).await;
    world
        .until(&second, |state| state.last_outcome().is_some())
        .await;
    let outcome = world
        .office
        .request_rollback(&first, &[], "me", "errors")
        .await
        .unwrap();
    let RollbackOutcome::Started(back) = outcome else {
        panic!("{outcome:?}");
    };
    let state = world.to_its_end(&back).await;
    assert_eq!(
        decision(&state).0,
        Decision::Promoted,
        "{}",
        state.sentence()
    );
    let state = world.to_its_end(&second).await;
    assert_eq!(
        decision(&state).0,
        Decision::Superseded,
        "{}",
        state.sentence()
    );
    let view = world.view("here").await;
    assert_eq!(
        traffic(&view),
        [("shop-prod-v007".to_owned(), "100%".to_owned())].into()
    );
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_take_it_back_is_heard_at_once() {
    let world = World::with_production(&["here"]);
    let id = world.start(spec(GOOD, "2.0.0")).await;
    world
        .until(&id, |state| state.last_outcome().is_some())
        .await;
    let outcome = world
        .office
        .request_rollback(&id, &[], "me", "a hunch")
        .await
        .unwrap();
    assert_eq!(outcome, RollbackOutcome::Same);
    let state = world.to_its_end(&id).await;
    let (became, cause, reason) = decision(&state);
    assert_eq!((became, cause), (Decision::RolledBack, Cause::Person));
    assert_eq!(reason, "taken back by me: a hunch");
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_stuck_can_be_called_off_and_taken_back() {
    use super::faults::{Chance, FaultyArchive};
    use std::sync::Arc;
    for abort in [true, false] {
        let chance = Chance::new(1);
        chance.turn_outage();
        let world = World::with_archive(Arc::new(FaultyArchive::new(chance)));
        let id = world.start(spec(GOOD, "2.0.0")).await;
        let state = world.until(&id, |state| state.stuck.is_some()).await;
        assert!(
            state.sentence().starts_with("stuck: "),
            "{}",
            state.sentence()
        );
        if abort {
            world.office.abort(&id, "me", "").await.unwrap();
        } else {
            world
                .office
                .request_rollback(&id, &[], "me", "")
                .await
                .unwrap();
        }
        let state = world.to_its_end(&id).await;
        let expected = if abort {
            Decision::CalledOff
        } else {
            Decision::RolledBack
        };
        assert_eq!(decision(&state).0, expected);
        assert_eq!(world.view("here").await.groups.len(), 1);
        world.check_nothing_is_left().await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_twice_to_take_a_finished_release_back_gets_one_release() {
    let world = World::with_production(&["here"]);
    let id = world.start(spec(GOOD, "2.0.0")).await;
    world.to_its_end(&id).await;
    let first = world
        .office
        .request_rollback(&id, &[], "me", "errors")
        .await
        .unwrap();
    let again = world
        .office
        .request_rollback(&id, &[], "me", "errors")
        .await
        .unwrap();
    assert_eq!(first, again);
    let RollbackOutcome::Started(back) = first else {
        panic!("{first:?}");
    };
    let state = world.to_its_end(&back).await;
    assert_eq!(state.request.echo["reason"], "errors");
    assert_eq!(decision(&state).0, Decision::Promoted);
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_release_that_cleans_up_after_its_promotion_can_be_taken_back() {
    let world = World::with_production(&["here"]);
    let mut spec = spec(GOOD, "2.0.0");
    spec.cleanup.delay_ms = 3_600_000;
    let id = world.start(spec).await;
    let decided = |state: &State| state.release.as_ref().unwrap().decided.is_some();
    world.until(&id, decided).await;
    let outcome = world
        .office
        .request_rollback(&id, &[], "me", "errors")
        .await
        .unwrap();
    let RollbackOutcome::Started(back) = outcome else {
        panic!("{outcome:?}");
    };
    let state = world.to_its_end(&back).await;
    assert_eq!(
        decision(&state).0,
        Decision::Promoted,
        "{}",
        state.sentence()
    );
    world.to_its_end(&id).await;
    let view = world.view("here").await;
    assert_eq!(
        traffic(&view),
        [("shop-prod-v007".to_owned(), "100%".to_owned())].into()
    );
    assert!(view.group(&old_group()).unwrap().enabled);
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_window_for_promotions_holds_one_without_a_canary_too() {
    let world = World::with_production(&["here"]);
    let mut spec = spec(GOOD, "2.0.0");
    spec.canary = None;
    spec.limits.release_ms = 48 * 3_600_000;
    spec.windows.rules = vec![WindowRule {
        days: Vec::new(),
        from_minute: 180,
        to_minute: 181,
        zone: "UTC".to_owned(),
        moments: vec![Moment::Promote],
    }];
    let id = world.start(spec).await;
    let state = world
        .until(&id, |state| {
            state.release.as_ref().unwrap().held_up.is_some()
        })
        .await;
    let held = state.release.as_ref().unwrap().held_up.as_ref().unwrap();
    assert_eq!(held.hold, Hold::Window);
    let state = world.to_its_end(&id).await;
    assert_eq!(
        decision(&state).0,
        Decision::Promoted,
        "{}",
        state.sentence()
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_too_late_is_none() {
    let world = World::with_production(&["here"]);
    let mut spec = spec(GOOD, "2.0.0");
    spec.on.pass = Consequence::Ask;
    let id = world.start(spec).await;
    world.until(&id, is_asking).await;
    tokio::time::advance(std::time::Duration::from_secs(11 * 60)).await;
    let late = world.office.answer(&id, Choice::Approve, "me", "").await;
    assert!(matches!(late, Err(DeskError::WrongState(_))), "{late:?}");
    let state = world.to_its_end(&id).await;
    assert_eq!(decision(&state).1, Cause::NoAnswer);
}
