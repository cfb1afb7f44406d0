//! Releases of several places, and places that change meanwhile: one does not wait for another, and what is gone is not asked for.

use coalmine::config::release::spec::{ReleaseSpec, Strategy};
use coalmine::executions::release::desk::{ReleaseDesk, RollbackOutcome};
use coalmine::executions::release::event::{Decision, Hold};
use coalmine::executions::state::State;
use coalmine::model::ids::ExecutionId;
use coalmine::model::release::cluster::{Capacity, Share};
use coalmine::model::release::names::GroupName;
use coalmine::stages::analyze::AnalyzeState;
use coalmine::stages::{Stage, StageState};

use super::fixture::{BAD, GOOD};
use super::release_fixture::{SIZE, World, old_group, place, spec, traffic};

fn decision(state: &State) -> Decision {
    let decided = state.release.as_ref().unwrap().decided.as_ref().unwrap();
    decided.decision
}

/// The same release here and there.
fn two_places(application: &str) -> ReleaseSpec {
    let mut spec = spec(application, "2.0.0");
    let mut other = spec.targets[0].clone();
    other.name = "there".to_owned();
    other.place = place("there");
    spec.targets.push(other);
    spec
}

fn all_to(group: &str) -> std::collections::BTreeMap<String, String> {
    [(group.to_owned(), "100%".to_owned())].into()
}

fn windows_open(state: &State) -> usize {
    let open = |at: &&StageState| matches!(at, StageState::Analyze(AnalyzeState::Opened { .. }));
    state.stages.iter().filter(open).count()
}

async fn take_back(world: &World, id: &ExecutionId) -> ExecutionId {
    let outcome = world.office.request_rollback(id, &[], "me", "errors").await;
    match outcome.unwrap() {
        RollbackOutcome::Started(back) => back,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_out_of_reach_does_not_hold_up_the_way_back_of_another() {
    for away in ["here", "there"] {
        let world = World::with_production(&["here", "there"]);
        let near = if away == "here" { "there" } else { "here" };
        let id = world.start(two_places(BAD)).await;
        world.until(&id, |state| windows_open(state) == 2).await;
        world.fake.put_away(&place(away), true);
        // Everything of the near place is taken back and cleaned up as far as it goes by itself.
        let taken_back = |state: &State| {
            let place = place(near);
            state.release.as_ref().unwrap().decided.is_some()
                && state.operations().any(|(_, operate, at)| {
                    let mine = at
                        .lanes()
                        .iter()
                        .all(|(_, step, _)| step.operation.place != place);
                    operate.purpose == coalmine::stages::operate::Purpose::RollBack
                        && at.steps.is_some()
                        && mine
                })
        };
        let state = world.until(&id, taken_back).await;
        assert_eq!(decision(&state), Decision::RolledBack);
        assert!(state.end.is_none(), "it is not over: {}", state.sentence());
        let view = world.view(near).await;
        assert_eq!(traffic(&view), all_to("shop-prod-v007"), "{away} is away");
        let held = state.release.as_ref().unwrap().held();
        let trouble = state.operations().flat_map(|(_, _, at)| {
            at.touched()
                .map(|it| format!("{:?}", it.1))
                .collect::<Vec<_>>()
        });
        let trouble: Vec<String> = trouble.filter(|at| at.contains("out of reach")).collect();
        assert!(
            held.is_some_and(|held| held.hold == Hold::Driver) || !trouble.is_empty(),
            "it says what it waits for: {held:?}, {trouble:?}"
        );
        world.fake.put_away(&place(away), false);
        world.to_its_end(&id).await;
        let view = world.view(away).await;
        assert_eq!(traffic(&view), all_to("shop-prod-v007"));
        world.check_nothing_is_left().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_windows_of_all_places_begin_together() {
    let world = World::with_production(&["here", "there"]);
    let id = world.start(two_places(GOOD)).await;
    let state = world.to_its_end(&id).await;
    assert_eq!(decision(&state), Decision::Promoted, "{}", state.sentence());
    let mut ends = std::collections::BTreeMap::<u32, Vec<i64>>::new();
    let mut of_number = std::collections::BTreeMap::new();
    for event in world.executions.events(&id, 0).await.unwrap() {
        let text = serde_json::to_value(&event.2).unwrap();
        if text["what"] != "windowOpened" {
            continue;
        }
        let stage = usize::try_from(text["stage"].as_u64().unwrap()).unwrap();
        let Stage::Analyze(analyze) = &state.request.stages[stage] else {
            panic!("{text}");
        };
        let comparison = analyze.comparison.as_ref().unwrap();
        ends.entry(comparison.in_block)
            .or_default()
            .push(text["untilMs"].as_i64().unwrap());
        of_number.insert(analyze.number, comparison.target);
    }
    assert_eq!(
        of_number.len(),
        4,
        "two judgements of two places: {of_number:?}"
    );
    for (number, ends) in ends {
        assert_eq!(ends.len(), 2);
        assert_eq!(ends[0], ends[1], "judgement {number} of both ends at once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_of_before_that_is_gone_gives_its_share_to_the_others() {
    let world = World::with_production(&["here"]);
    let other = GroupName::parse("shop-prod-v006").unwrap();
    let half = Share::new(5_000).unwrap();
    world
        .fake
        .plant(&place("here"), &other, "1.0.0", SIZE, half);
    world
        .fake
        .plant(&place("here"), &old_group(), "1.0.0", SIZE, half);
    let mut spec = spec(GOOD, "2.0.0");
    spec.canary = None;
    spec.promotion.strategy = Strategy::RollingRedBlack {
        shares: vec![half, Share::ALL],
        pause_ms: 600_000,
        judgements: 0,
    };
    let id = world.start(spec).await;
    let pauses = |state: &State| state.sentence().contains("Pause");
    world.until(&id, pauses).await;
    world.fake.lose(&place("here"), &other);
    world.office.abort(&id, "me", "").await.unwrap();
    let state = world.to_its_end(&id).await;
    assert_eq!(decision(&state), Decision::CalledOff);
    let view = world.view("here").await;
    assert_eq!(traffic(&view), all_to("shop-prod-v007"));
    assert_eq!(view.groups.len(), 1, "{view:#?}");
}

#[tokio::test(start_paused = true)]
async fn where_nothing_of_before_is_left_the_new_version_keeps_the_traffic() {
    let world = World::with_production(&["here"]);
    let mut spec = spec(GOOD, "2.0.0");
    spec.canary = None;
    spec.promotion.strategy = Strategy::RollingRedBlack {
        shares: vec![Share::new(5_000).unwrap(), Share::ALL],
        pause_ms: 600_000,
        judgements: 0,
    };
    let id = world.start(spec).await;
    let pauses = |state: &State| state.sentence().contains("Pause");
    world.until(&id, pauses).await;
    world.fake.lose(&place("here"), &old_group());
    world.office.abort(&id, "me", "").await.unwrap();
    let state = world.to_its_end(&id).await;
    assert_eq!(decision(&state), Decision::CalledOff);
    let view = world.view("here").await;
    assert_eq!(traffic(&view), all_to("shop-prod-v008"));
}

#[tokio::test(start_paused = true)]
async fn what_another_release_left_as_it_was_is_taken_out_by_the_one_that_made_it() {
    let world = World::with_production(&["here"]);
    let first = world.start(spec(GOOD, "2.0.0")).await;
    world.to_its_end(&first).await;
    let second = world.start(spec(GOOD, "3.0.0")).await;
    world.until(&second, |state| windows_open(state) > 0).await;
    assert_eq!(traffic(&world.view("here").await).len(), 3);
    let back = take_back(&world, &first).await;
    // Somebody removes what it was to bring back, while it does: it fails, and leaves the shares as they are.
    let enabled = |state: &State| state.release.as_ref().unwrap().locks.is_some();
    world.until(&back, enabled).await;
    world.fake.lose(&place("here"), &old_group());
    let state = world.to_its_end(&back).await;
    assert_eq!(
        decision(&state),
        Decision::RolledBack,
        "{}",
        state.sentence()
    );
    let state = world.to_its_end(&second).await;
    assert_eq!(decision(&state), Decision::Superseded);
    let view = world.view("here").await;
    assert_eq!(traffic(&view), all_to("shop-prod-v008"));
    assert_eq!(view.groups.len(), 1, "{view:#?}");
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_size_that_was_pinned_is_given_back_by_the_one_that_pinned_it() {
    let world = World::with_production(&["here"]);
    let first = world.start(spec(GOOD, "2.0.0")).await;
    world.to_its_end(&first).await;
    let new = GroupName::parse("shop-prod-v008").unwrap();
    let scales = Capacity {
        min: 2,
        desired: SIZE,
        max: 10,
    };
    world.fake.scale(&place("here"), &new, scales);
    let second = world.start(spec(GOOD, "3.0.0")).await;
    world.until(&second, |state| windows_open(state) > 0).await;
    let pinned = world.view("here").await.group(&new).unwrap().capacity;
    assert_ne!(pinned, scales, "it is pinned while it is compared");
    let back = take_back(&world, &first).await;
    let enabled = |state: &State| state.release.as_ref().unwrap().locks.is_some();
    world.until(&back, enabled).await;
    world.fake.lose(&place("here"), &old_group());
    world.to_its_end(&back).await;
    world.to_its_end(&second).await;
    let view = world.view("here").await;
    assert_eq!(view.group(&new).unwrap().capacity, scales);
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_release_does_not_take_over_for_what_cannot_be_done() {
    let world = World::with_production(&["here"]);
    let first = world.start(spec(GOOD, "2.0.0")).await;
    world.to_its_end(&first).await;
    let second = world.start(spec(GOOD, "3.0.0")).await;
    world.until(&second, |state| windows_open(state) > 0).await;
    let back = take_back(&world, &first).await;
    world.fake.lose(&place("here"), &old_group());
    let state = world.to_its_end(&back).await;
    assert_eq!(decision(&state), Decision::Refused, "{}", state.sentence());
    let state = world.to_its_end(&second).await;
    assert_eq!(decision(&state), Decision::Promoted, "{}", state.sentence());
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_finished_release_can_be_taken_back_at_one_place_while_another_is_out_of_reach() {
    let world = World::with_production(&["here", "there"]);
    let id = world.start(two_places(GOOD)).await;
    world.to_its_end(&id).await;
    world.fake.put_away(&place("there"), true);
    let all = world.office.request_rollback(&id, &[], "me", "").await;
    assert_eq!(
        all.unwrap_err().to_string(),
        "target `there`: shop-prod in fake, there is out of reach (hint: the other targets can be taken back by their names)"
    );
    let wrong = ["nowhere".to_owned()];
    let wrong = world.office.request_rollback(&id, &wrong, "me", "").await;
    assert_eq!(
        wrong.unwrap_err().to_string(),
        "found the target `nowhere`; expected one of `here`, `there`"
    );
    let here = ["here".to_owned()];
    let ask = || world.office.request_rollback(&id, &here, "me", "");
    let RollbackOutcome::Started(back) = ask().await.unwrap() else {
        panic!("it had ended");
    };
    let RollbackOutcome::Started(again) = ask().await.unwrap() else {
        panic!("it had ended");
    };
    assert_eq!(back, again, "who asks twice gets the same");
    let state = world.to_its_end(&back).await;
    assert_eq!(decision(&state), Decision::Promoted, "{}", state.sentence());
    assert_eq!(traffic(&world.view("here").await), all_to("shop-prod-v007"));
    world.fake.put_away(&place("there"), false);
    assert_eq!(
        traffic(&world.view("there").await),
        all_to("shop-prod-v008")
    );
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_release_under_way_is_taken_back_at_all_of_its_places() {
    let world = World::with_production(&["here", "there"]);
    let id = world.start(two_places(GOOD)).await;
    world.until(&id, |state| windows_open(state) == 2).await;
    let here = ["here".to_owned()];
    let answer = world.office.request_rollback(&id, &here, "me", "").await;
    assert_eq!(
        answer.unwrap_err().to_string(),
        "it is under way, and then all of its targets are taken back; name none"
    );
    world.to_its_end(&id).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_takes_over_a_part_of_a_release_that_is_at_work_at_more_places() {
    let world = World::with_production(&["here", "there"]);
    let first = world.start(spec(GOOD, "2.0.0")).await;
    world.to_its_end(&first).await;
    let mut second = two_places(GOOD);
    second.artifact.version = "3.0.0".to_owned();
    let second = world.start(second).await;
    world.until(&second, |state| windows_open(state) == 2).await;
    let answer = world.office.request_rollback(&first, &[], "me", "").await;
    assert_eq!(
        answer.unwrap_err().to_string(),
        format!(
            "release `{second}` is at work on `fake/here/shop-prod`, and on `fake/there/shop-prod` too, which would stay as it is half-way (hint: take that one back first: `coalmine release rollback {second}`)"
        )
    );
    let same = world.office.request_rollback(&second, &[], "me", "").await;
    assert_eq!(same.unwrap(), RollbackOutcome::Same);
    world.to_its_end(&second).await;
    let back = take_back(&world, &first).await;
    let state = world.to_its_end(&back).await;
    assert_eq!(decision(&state), Decision::Promoted, "{}", state.sentence());
    assert_eq!(traffic(&world.view("here").await), all_to("shop-prod-v007"));
    assert_eq!(
        traffic(&world.view("there").await),
        all_to("shop-prod-v007")
    );
    world.check_nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_new_version_that_another_release_left_half_way_is_taken_back_by_the_one_that_began_it() {
    let world = World::with_production(&["here"]);
    let first = world.start(spec(GOOD, "2.0.0")).await;
    world.to_its_end(&first).await;
    let mut rolling = spec(GOOD, "3.0.0");
    rolling.canary = None;
    rolling.promotion.strategy = Strategy::RollingRedBlack {
        shares: vec![Share::new(2_500).unwrap(), Share::ALL],
        pause_ms: 600_000,
        judgements: 0,
    };
    let second = world.start(rolling).await;
    let pauses = |state: &State| state.sentence().contains("Pause");
    world.until(&second, pauses).await;
    let back = take_back(&world, &first).await;
    let locked = |state: &State| state.release.as_ref().unwrap().locks.is_some();
    world.until(&back, locked).await;
    world.fake.lose(&place("here"), &old_group());
    let state = world.to_its_end(&back).await;
    assert_eq!(decision(&state), Decision::RolledBack);
    world.to_its_end(&second).await;
    let view = world.view("here").await;
    assert_eq!(traffic(&view), all_to("shop-prod-v008"));
    assert_eq!(view.groups.len(), 1, "{view:#?}");
    world.check_nothing_is_left().await;
}
