//! Who is told what of releases: one message a channel for each piece of news, kept together with what it tells.

use coalmine::config::release::spec::{Consequence, WithoutAnswer};
use coalmine::config::server::notify::{Channel, Way};
use coalmine::config::server::secret::SecretPlace;
use coalmine::executions::event::Event;
use coalmine::executions::release::desk::{ReleaseDesk, RollbackOutcome};
use coalmine::executions::release::notices::messages;
use coalmine::executions::state::State;
use coalmine::model::ids::ExecutionId;
use coalmine::model::release::notice::{Notice, NoticeEvent, moment};
use coalmine::model::release::window::{Moment, WindowRule};
use coalmine::stages::StageState;
use coalmine::stages::approve::{ApproveState, Choice};
use coalmine::store::{MessageStanding, Store};
use coalmine_judges::judgement::Verdict;

use super::fixture::{BAD, GOOD, UNREADABLE};
use super::release_fixture::{World, spec};

fn channel(name: &str, events: &[NoticeEvent], applications: &[&str]) -> Channel {
    Channel {
        name: name.to_owned(),
        events: events.to_vec(),
        applications: applications.iter().map(|it| (*it).to_owned()).collect(),
        way: Way::Slack {
            url: SecretPlace::Environment("NOWHERE".to_owned()),
        },
    }
}

/// A world with two channels that hear everything.
fn world() -> World {
    let all = [channel("hook", &[], &[]), channel("chat", &[], &[])];
    World::telling(&["here"], all.into())
}

/// Key, channel and news of each message, oldest first.
async fn told(world: &World, id: &ExecutionId) -> Vec<(String, String, Notice)> {
    let kept = world.store.messages(id).await.unwrap();
    let told = kept.into_iter().map(|it| {
        assert!(
            matches!(it.standing, MessageStanding::Waiting { .. }),
            "{it:?}"
        );
        assert_eq!(&it.message.execution, id);
        let notice = Notice::from_json(&it.message.body).unwrap();
        (it.message.key, it.message.channel, notice)
    });
    told.collect()
}

/// The news of one kind, through one channel.
async fn news(world: &World, id: &ExecutionId, event: NoticeEvent, name: &str) -> Vec<Notice> {
    let told = told(world, id).await.into_iter();
    let fits =
        |(_, channel, notice): &(String, String, Notice)| channel == name && notice.event == event;
    told.filter(fits).map(|(_, _, notice)| notice).collect()
}

fn is_asking(state: &State) -> bool {
    let asking = |at: &StageState| matches!(at, StageState::Approve(ApproveState::Asked { .. }));
    state.stages.iter().any(asking)
}

/// It has its locks, and has done nothing yet that keeps others from planning.
fn is_locked(state: &State) -> bool {
    state.release.as_ref().unwrap().locks.is_some()
}

fn is_judged(state: &State) -> bool {
    state.last_outcome().is_some()
}

/// The ways in which a release can end.
#[derive(Debug, Clone, Copy)]
enum Ending {
    Passes,
    Fails,
    CannotBeJudged,
    IsRejected,
    IsNotAnswered,
    IsTakenBack,
    IsCalledOff,
    IsRefused,
    IsSuperseded,
}

impl Ending {
    /// A release of the world's that ends so.
    async fn walk(self, world: &World) -> ExecutionId {
        let me = "me";
        match self {
            Self::Passes => world.start(spec(GOOD, "2.0.0")).await,
            Self::Fails => world.start(spec(BAD, "2.0.0")).await,
            Self::CannotBeJudged => world.start(spec(UNREADABLE, "2.0.0")).await,
            Self::IsRejected | Self::IsNotAnswered => {
                let mut spec = spec(GOOD, "2.0.0");
                spec.on.pass = Consequence::Ask;
                let id = world.start(spec).await;
                world.until(&id, is_asking).await;
                if matches!(self, Self::IsRejected) {
                    let no = world.office.answer(&id, Choice::Reject, me, "no").await;
                    no.unwrap();
                }
                id
            }
            Self::IsTakenBack => {
                let id = world.start(spec(GOOD, "2.0.0")).await;
                world.until(&id, is_judged).await;
                let same = world.office.request_rollback(&id, &[], me, "a hunch").await;
                assert_eq!(same.unwrap(), RollbackOutcome::Same);
                id
            }
            Self::IsCalledOff => {
                let id = world.start(spec(GOOD, "2.0.0")).await;
                world.until(&id, is_judged).await;
                world.office.abort(&id, me, "wrong version").await.unwrap();
                id
            }
            Self::IsRefused => {
                let first = world.start(spec(GOOD, "2.0.0")).await;
                world.until(&first, is_locked).await;
                world.start(spec(GOOD, "3.0.0")).await
            }
            Self::IsSuperseded => {
                let first = world.start(spec(GOOD, "2.0.0")).await;
                world.to_its_end(&first).await;
                let id = world.start(spec(GOOD, "3.0.0")).await;
                world.until(&id, is_judged).await;
                let back = world
                    .office
                    .request_rollback(&first, &[], me, "errors")
                    .await;
                back.unwrap();
                id
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn however_a_release_ends_each_channel_has_one_message_of_its_decision() {
    for (way, decision, cause, by) in [
        (Ending::Passes, "promoted", "verdict", None),
        (Ending::Fails, "rolledBack", "verdict", None),
        (Ending::CannotBeJudged, "rolledBack", "noVerdict", None),
        (Ending::IsRejected, "rolledBack", "person", Some("me")),
        (Ending::IsNotAnswered, "rolledBack", "noAnswer", None),
        (Ending::IsTakenBack, "rolledBack", "person", Some("me")),
        (Ending::IsCalledOff, "calledOff", "person", Some("me")),
        (Ending::IsRefused, "refused", "notAllowed", None),
        (Ending::IsSuperseded, "superseded", "notAllowed", None),
    ] {
        let world = world();
        let id = way.walk(&world).await;
        let state = world.to_its_end(&id).await;
        let decided = state.release.as_ref().unwrap().decided.as_ref().unwrap();
        let all = told(&world, &id).await;
        let mut of_it: Vec<_> = all
            .iter()
            .filter(|(_, _, notice)| notice.event == NoticeEvent::Decided)
            .collect();
        of_it.sort_by_key(|(_, channel, _)| channel.clone());
        let keys: Vec<_> = of_it.iter().map(|(key, _, _)| key.clone()).collect();
        let expected = [format!("{id}-decided-chat"), format!("{id}-decided-hook")];
        assert_eq!(keys, expected, "{way:?}");
        for (_, channel, notice) in of_it {
            assert_eq!(notice.decision.as_deref(), Some(decision), "{way:?}");
            assert_eq!(notice.cause.as_deref(), Some(cause), "{way:?}");
            assert_eq!(notice.by.as_deref(), by, "{way:?} {channel}");
            assert_eq!(notice.at, moment(decided.at_ms), "{way:?}");
            // The same words as everywhere.
            assert!(notice.title.ends_with(&decided.reason), "{notice:?}");
            let words = decided.decision.words();
            assert!(notice.title.contains(words), "{notice:?}");
            assert_eq!(notice.answer_commands, Vec::<String>::new());
        }
        world.check_nothing_is_left().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_decision_carries_verdict_score_and_report_of_the_last_judgement() {
    let world = world();
    let id = Ending::Fails.walk(&world).await;
    world.to_its_end(&id).await;
    let told = news(&world, &id, NoticeEvent::Decided, "hook").await;
    let [notice] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (notice.verdict, notice.score),
        (Some(Verdict::Fail), Some(0.0))
    );
    assert_eq!(notice.report, Some(format!("/reports/{id}-1")));
    assert_eq!(notice.application, BAD);
    let begin = "bad 2.0.0 rolled back: judgement 1 is Fail";
    assert!(notice.title.starts_with(begin), "{notice:?}");
}

#[tokio::test(start_paused = true)]
async fn a_channel_hears_what_it_asked_for_and_of_its_applications_only() {
    let channels = [
        channel("questions", &[NoticeEvent::Asked], &[]),
        channel("ends", &[NoticeEvent::Decided], &[GOOD, "shop"]),
        channel("others", &[], &["shop"]),
        channel("all", &[], &[]),
    ];
    let world = World::telling(&["here"], channels.into());
    let id = Ending::IsRejected.walk(&world).await;
    world.to_its_end(&id).await;
    let mut heard: Vec<_> = told(&world, &id)
        .await
        .into_iter()
        .map(|(_, channel, notice)| (channel, notice.event.word()))
        .collect();
    heard.sort();
    let expected = [
        ("all", "asked"),
        ("all", "decided"),
        ("ends", "decided"),
        ("questions", "asked"),
    ];
    assert_eq!(heard, expected.map(|(name, word)| (name.to_owned(), word)));
}

#[tokio::test(start_paused = true)]
async fn a_question_says_until_when_and_how_to_answer_it() {
    let world = world();
    let mut spec = spec(GOOD, "2.0.0");
    spec.on.pass = Consequence::Ask;
    spec.ask.instructions = "look at the orders".to_owned();
    spec.ask.without_answer = WithoutAnswer::KeepWaiting;
    let id = world.start(spec).await;
    let state = world.until(&id, is_asking).await;
    let deadline_ms = state.stages.iter().find_map(|at| match at {
        StageState::Approve(ApproveState::Asked { deadline_ms, .. }) => Some(*deadline_ms),
        StageState::Approve(_)
        | StageState::Wait(_)
        | StageState::Analyze(_)
        | StageState::Operate(_) => None,
    });
    world.to_its_end(&id).await;
    // Also where it goes on waiting after the deadline it is asked once.
    let told = news(&world, &id, NoticeEvent::Asked, "chat").await;
    let [notice] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(notice.deadline, Some(moment(deadline_ms.unwrap())));
    let commands = ["", " --reject"].map(|flag| format!("coalmine release approve {id}{flag}"));
    assert_eq!(notice.answer_commands, commands);
    assert!(notice.title.ends_with("; look at the orders"), "{notice:?}");
    assert_eq!(notice.verdict, Some(Verdict::Pass));
    assert_eq!((&notice.decision, &notice.cause), (&None, &None));
}

#[tokio::test(start_paused = true)]
async fn what_holds_it_up_is_told_once_for_each_cause_and_not_at_each_look() {
    let world = world();
    let id = Ending::IsRefused.walk(&world).await;
    world.to_its_end(&id).await;
    let events = world.executions.events(&id, 0).await.unwrap();
    let looks = events.iter().filter(|(_, _, it)| it.word() == "heldUp");
    let looks = looks.count();
    let told = news(&world, &id, NoticeEvent::HeldUp, "hook").await;
    assert!(looks > 1, "it looked {looks} times");
    let [notice] = &told[..] else {
        panic!("{looks} looks, {told:?}");
    };
    assert_eq!(notice.cause.as_deref(), Some("lock"));
    assert!(notice.title.contains("is held up: release `"), "{notice:?}");
    assert_eq!(notice.decision, None);
}

#[tokio::test(start_paused = true)]
async fn another_cause_is_other_news() {
    let world = world();
    let first = world.start(spec(GOOD, "2.0.0")).await;
    world.until(&first, is_locked).await;
    // Open at the start, closed when it would promote: first the lock holds it up, then the window.
    let mut held = spec(GOOD, "3.0.0");
    held.canary = None;
    held.limits.release_ms = 48 * 3_600_000;
    held.windows.rules = vec![WindowRule {
        days: Vec::new(),
        from_minute: 180,
        to_minute: 181,
        zone: "UTC".to_owned(),
        moments: vec![Moment::Promote],
    }];
    let second = world.start(held).await;
    let is_held = |state: &State| state.release.as_ref().unwrap().held_up.is_some();
    world.until(&second, is_held).await;
    world.office.abort(&first, "me", "").await.unwrap();
    world.to_its_end(&second).await;
    let told = news(&world, &second, NoticeEvent::HeldUp, "hook").await;
    let mut causes: Vec<_> = told.iter().filter_map(|it| it.cause.clone()).collect();
    assert!(causes.contains(&"lock".to_owned()), "{causes:?}");
    assert!(causes.contains(&"window".to_owned()), "{causes:?}");
    let count = causes.len();
    causes.sort();
    causes.dedup();
    assert_eq!(causes.len(), count, "each cause once: {told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_release_that_is_stuck_and_other_executions_are_told_apart() {
    let world = world();
    let id = world.start(spec(GOOD, "2.0.0")).await;
    let state = world.until(&id, is_judged).await;
    let stuck = Event::GotStuck {
        stage: 0,
        error: "the disk is full".to_owned(),
    };
    let channels = [channel("hook", &[], &[])];
    let made = messages(&state, &stuck, &channels);
    let [message] = &made[..] else {
        panic!("{made:?}");
    };
    assert_eq!(message.key, format!("{id}-stuck-{}-hook", state.seq));
    let notice = Notice::from_json(&message.body).unwrap();
    assert_eq!(notice.event, NoticeEvent::Stuck);
    assert_eq!(notice.title, "good 2.0.0 is stuck: the disk is full");

    let canary = Box::new(super::fixture::canary(GOOD));
    let canary = State::accepted(ExecutionId::new("c-1"), canary, 0);
    assert_eq!(messages(&canary, &stuck, &channels), Vec::new());
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_turned_back_makes_one_hold_no_more_than_one_piece_of_news() {
    let world = world();
    let first = world.start(spec(GOOD, "2.0.0")).await;
    world.until(&first, is_locked).await;
    let second = world.start(spec(GOOD, "3.0.0")).await;
    // From now on events share the time that the clock had, until it has caught up.
    world.clock.turn_back(3_600_000);
    let held = world
        .until(&second, |state| {
            let held = state.release.as_ref().unwrap().held_up.is_some();
            held && state.seq >= 8
        })
        .await;
    assert!(held.seq >= 8, "it looked again and again");
    let held_up = held.release.as_ref().unwrap().held_up.as_ref().unwrap();
    assert_eq!(
        held_up.since_ms, held.updated_ms,
        "else the clock tells nothing"
    );
    for name in ["hook", "chat"] {
        let news = news(&world, &second, NoticeEvent::HeldUp, name).await;
        assert_eq!(news.len(), 1, "{news:#?}");
    }
}
