//! Which event is legal in which state, and what is next.

use coalmine::archive::bundle::Told;
use coalmine::executions::command::{Command, MOST_ATTEMPTS};
use coalmine::executions::event::{Ending, Event};
use coalmine::executions::request::Request;
use coalmine::executions::state::{State, Status, judgement_name, parse_judgement_name};
use coalmine::model::ids::ExecutionId;
use coalmine::stages::analyze::Outcome;
use coalmine_judges::judgement::{ScoreLabel, Verdict};

use super::fixture::{GOOD, MINUTE, T0, analysis, canary, failure};

fn id() -> ExecutionId {
    ExecutionId::new("E")
}

fn collected(stage: usize) -> Event {
    Event::Collected {
        stage,
        bundle_id: "b".to_owned(),
        told: Told::default(),
    }
}

fn judged(stage: usize, score: f64, verdict: Verdict) -> Event {
    let label = ScoreLabel::Pass;
    Event::Judged {
        stage,
        outcome: Outcome {
            verdict,
            score,
            moved_score: None,
            label,
            headline: String::new(),
            fewest_baseline_points: Some(60),
        },
    }
}

fn ended(ending: Ending) -> Event {
    Event::Ended {
        ending,
        sentence: "so".to_owned(),
    }
}

fn canceled() -> Event {
    Event::CancelRequested {
        by: "a person".to_owned(),
        reason: "wrong version".to_owned(),
    }
}

fn stuck(stage: usize) -> Event {
    Event::GotStuck {
        stage,
        error: "the disk is full".to_owned(),
    }
}

fn resumed() -> Event {
    Event::Resumed {
        by: "a person".to_owned(),
    }
}

/// The state after `events`, the first at `T0` and one more minute for each; or why the last of them is not legal.
fn after(request: Request, events: &[Event]) -> Result<State, String> {
    let accepted = Event::Accepted {
        request: Box::new(request),
    };
    let timed = [accepted]
        .into_iter()
        .chain(events.iter().cloned())
        .zip(0..);
    let timed = timed.map(|(event, minutes)| (T0 + minutes * MINUTE, event));
    let state = State::replay(&id(), timed).map_err(|illegal| {
        assert_eq!(illegal.seq, events.len() as u64 + 1, "only the last one");
        illegal.why
    })?;
    Ok(state.unwrap())
}

/// What comes next after `events`.
fn next(request: Request, events: &[Event]) -> Command {
    let state = after(request, events).unwrap();
    let broken = coalmine::executions::invariants::broken(&state);
    assert!(broken.is_empty(), "{broken:?}");
    state.command()
}

fn ending(command: Command) -> (Ending, String) {
    let Command::Record(Event::Ended { ending, sentence }) = command else {
        panic!("{command:?}");
    };
    (ending, sentence)
}

const START: Event = Event::CollectionStarted { stage: 0 };

#[test]
fn a_canary_collects_then_judges_then_ends() {
    let so_far = [START, collected(0), judged(0, 97.0, Verdict::Pass)];
    assert_eq!(next(canary(GOOD), &[]), Command::Collect { stage: 0 });
    assert_eq!(
        next(canary(GOOD), &so_far[..1]),
        Command::Collect { stage: 0 }
    );
    let judge = Command::Judge {
        stage: 0,
        bundle_id: "b".to_owned(),
        told: Told::default(),
    };
    assert_eq!(next(canary(GOOD), &so_far[..2]), judge);
    let (how, sentence) = ending(next(canary(GOOD), &so_far));
    assert_eq!(
        (how, sentence.as_str()),
        (Ending::Succeeded, "Pass, score 97")
    );
}

#[test]
fn a_canary_that_failed_its_judgement_has_succeeded_as_an_execution() {
    let so_far = [START, collected(0), judged(0, 0.0, Verdict::Fail)];
    let (how, sentence) = ending(next(canary(GOOD), &so_far));
    assert_eq!(
        (how, sentence.as_str()),
        (Ending::Succeeded, "Fail, score 0")
    );
}

#[test]
fn without_series_there_is_no_verdict_and_all_reasons_are_counted() {
    let failures = vec![
        failure("no route".to_owned()),
        failure("no such metric".to_owned()),
    ];
    let failed = Event::CollectionFailed { stage: 0, failures };
    let (how, sentence) = ending(next(canary(GOOD), &[START, failed]));
    assert_eq!(how, Ending::Terminal);
    assert_eq!(sentence, "no verdict: no route (and 1 more)");
}

#[test]
fn a_bundle_that_cannot_be_judged_is_no_verdict() {
    let failed = Event::JudgingFailed {
        stage: 0,
        failure: failure("no judge of that name".to_owned()),
    };
    let (how, sentence) = ending(next(canary(GOOD), &[START, collected(0), failed]));
    assert_eq!(how, Ending::Terminal);
    assert_eq!(sentence, "no verdict: no judge of that name");
}

/// The first interval of an analysis, up to its judgement.
fn first_interval(score: f64) -> Vec<Event> {
    vec![
        Event::WaitStarted { stage: 0 },
        Event::WaitEnded { stage: 0 },
        Event::CollectionStarted { stage: 1 },
        collected(1),
        judged(1, score, Verdict::Marginal),
    ]
}

/// An analysis of two intervals that began early enough for its waits to be over.
fn early() -> Request {
    analysis(GOOD, T0 - 60 * MINUTE, 2)
}

#[test]
fn an_analysis_stops_at_a_score_that_is_not_above_marginal() {
    for (score, stops) in [(74.9, true), (75.0, true), (75.1, false)] {
        let command = next(early(), &first_interval(score));
        if stops {
            let (how, sentence) = ending(command);
            assert_eq!(how, Ending::Terminal);
            assert!(sentence.contains("not above marginal"), "{sentence}");
        } else {
            assert_eq!(command, Command::Record(Event::WaitStarted { stage: 2 }));
        }
    }
}

#[test]
fn an_analysis_stops_at_a_failed_verdict_where_the_score_follows_it() {
    let failed = || {
        let mut events = first_interval(100.0);
        let Some(Event::Judged { outcome, .. }) = events.last_mut() else {
            panic!("the last event is a judgement");
        };
        (outcome.verdict, outcome.moved_score) = (Verdict::Fail, Some(74.0));
        events
    };
    let (how, sentence) = ending(next(early(), &failed()));
    assert_eq!(how, Ending::Terminal);
    assert!(sentence.contains("Fail, score 74,"), "{sentence}");
}

#[test]
fn a_wait_lasts_until_its_moment_whatever_was_restarted_meanwhile() {
    let request = analysis(GOOD, T0, 1);
    let until_ms = T0 + 5 * MINUTE;
    let waiting = [Event::WaitStarted { stage: 0 }];
    assert_eq!(
        next(request.clone(), &waiting),
        Command::WaitUntil { stage: 0, until_ms }
    );
    let why = after(
        request,
        &[waiting[0].clone(), Event::WaitEnded { stage: 0 }],
    )
    .unwrap_err();
    assert_eq!(why, "the wait goes on for 180000 ms");
}

#[test]
fn who_called_it_off_and_why_is_the_last_word() {
    for so_far in [
        vec![canceled()],
        vec![START, canceled()],
        vec![START, collected(0), canceled()],
        vec![START, stuck(0), canceled()],
        vec![canceled(), canceled()],
    ] {
        let (how, sentence) = ending(next(canary(GOOD), &so_far));
        assert_eq!(how, Ending::Canceled);
        assert_eq!(sentence, "called off by a person: wrong version");
    }
}

#[test]
fn too_many_tries_wait_for_a_person_and_a_person_can_try_again() {
    let mut so_far = vec![START; MOST_ATTEMPTS as usize];
    let Command::Record(event @ Event::GotStuck { .. }) = next(canary(GOOD), &so_far) else {
        panic!("it goes on");
    };
    so_far.push(event);
    let state = after(canary(GOOD), &so_far).unwrap();
    assert_eq!(
        (state.command(), state.status()),
        (Command::Rest, Status::Suspended)
    );
    assert_eq!(state.due_ms(), None);
    so_far.push(resumed());
    assert_eq!(next(canary(GOOD), &so_far), Command::Collect { stage: 0 });
}

#[test]
fn what_cannot_have_happened_is_refused() {
    let done = [START, collected(0), judged(0, 97.0, Verdict::Pass)];
    let with = |event: Event| [&done[..], &[event]].concat();
    let table = [
        (vec![collected(0)], "nothing is being collected"),
        (
            vec![judged(0, 97.0, Verdict::Pass)],
            "there is no bundle to judge",
        ),
        (
            vec![START, judged(0, 97.0, Verdict::Pass)],
            "there is no bundle to judge",
        ),
        (
            vec![START, collected(0), collected(0)],
            "nothing is being collected",
        ),
        (
            vec![START, collected(0), START],
            "the series were collected before",
        ),
        (
            with(judged(0, 1.0, Verdict::Fail)),
            "stage 0 is not the current one, None",
        ),
        (with(ended(Ending::Canceled)), "nobody called it off"),
        (vec![ended(Ending::Succeeded)], "not all stages are done"),
        (
            vec![START, ended(Ending::Succeeded)],
            "not all stages are done",
        ),
        (vec![Event::WaitStarted { stage: 0 }], "stage 0 is no wait"),
        (
            vec![Event::CollectionStarted { stage: 7 }],
            "stage 7 is not the current one, Some(0)",
        ),
        (vec![canceled(), START], "the execution was called off"),
        (
            vec![stuck(0), START],
            "the execution is stuck: the disk is full",
        ),
        (vec![stuck(9)], "there is no stage 9"),
        (vec![resumed()], "the execution is not stuck"),
        (
            vec![
                START,
                Event::CollectionFailed {
                    stage: 0,
                    failures: Vec::new(),
                },
            ],
            "a failure without a reason",
        ),
        (
            [&done[..], &[ended(Ending::Succeeded), canceled()]].concat(),
            "the execution has ended",
        ),
    ];
    for (events, why) in table {
        assert_eq!(after(canary(GOOD), &events).unwrap_err(), why, "{events:?}");
    }
}

#[test]
fn a_journal_begins_once_and_time_never_goes_back() {
    let illegal = State::replay(&id(), [(T0, START)]).unwrap_err();
    assert_eq!(illegal.why, "a journal begins with `accepted`");
    let accepted = || Event::Accepted {
        request: Box::new(canary(GOOD)),
    };
    let twice = State::replay(&id(), [(T0, accepted()), (T0, accepted())]).unwrap_err();
    assert_eq!(twice.why, "the execution was accepted before");
    let back = State::replay(&id(), [(T0, accepted()), (T0 - 1, START)]).unwrap_err();
    assert_eq!(back.why, "it is 1 ms older than the event before it");
    assert_eq!(State::replay(&id(), []).unwrap(), None);
}

#[test]
fn the_name_of_a_judgement_can_be_read_back_and_nothing_else_can() {
    let name = judgement_name(&id(), 12);
    assert_eq!(
        (name.as_str(), parse_judgement_name(&name)),
        ("E-12", Some((id(), 12)))
    );
    for other in ["E", "E-", "E-0", "E-01", "E-+1", "E-x", "-"] {
        assert_eq!(parse_judgement_name(other), None, "{other}");
    }
}
