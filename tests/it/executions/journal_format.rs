//! Journals are read for years. For each version of their format there is a golden journal with every kind of event; it must
//! load, and what this version writes must be what its own golden journal holds.

use std::collections::BTreeSet;
use std::path::Path;

use coalmine::archive::bundle::{Sides, Told};
use coalmine::executions::event::{Ending, Event, UnreadableEvent, VERSION};
use coalmine::executions::state::{State, Status};
use coalmine::model::ids::ExecutionId;
use coalmine::stages::analyze::Outcome;
use coalmine_judges::judgement::{ScoreLabel, Verdict};

use super::fixture::{GOOD, MINUTE, T0, analysis, failure};

fn golden(version: u32) -> String {
    let name = format!("tests/golden/journal-v{version}.jsonl");
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Every kind of event, in an order that can happen, but for those that follow from a failure.
fn every_event() -> Vec<Event> {
    let mut request = analysis(GOOD, T0 - 60 * MINUTE, 2);
    request.user = Some("ann".to_owned());
    request.parent = Some("P".to_owned());
    request.config_id = Some("c".to_owned());
    request.accounts.metrics = Some("prod".to_owned());
    request.echo = serde_json::json!({"lifetimeDurationMins": 10});
    let told = Told {
        sides: Sides {
            application: Some(GOOD.to_owned()),
            baseline: Some("v1".to_owned()),
            canary: Some("v2".to_owned()),
        },
        origin: Some("prod".to_owned()),
        notes: vec!["`latency` has 8 of 11 points".to_owned()],
    };
    let outcome = Outcome {
        verdict: Verdict::Marginal,
        score: 87.5,
        moved_score: None,
        label: ScoreLabel::Marginal,
        headline: String::new(),
        fewest_baseline_points: Some(8),
    };
    vec![
        Event::Accepted {
            request: Box::new(request),
        },
        Event::WaitStarted { stage: 0 },
        Event::WaitEnded { stage: 0 },
        Event::CollectionStarted { stage: 1 },
        Event::GotStuck {
            stage: 1,
            error: "the disk is full".to_owned(),
        },
        Event::Resumed {
            by: "ann".to_owned(),
        },
        Event::Collected {
            stage: 1,
            bundle_id: "b".to_owned(),
            told,
        },
        Event::Judged { stage: 1, outcome },
        Event::WaitStarted { stage: 2 },
        Event::CancelRequested {
            by: "ann".to_owned(),
            reason: "enough".to_owned(),
        },
        Event::Ended {
            ending: Ending::Canceled,
            sentence: "called off by ann: enough".to_owned(),
        },
        Event::CollectionFailed {
            stage: 3,
            failures: vec![failure("no route".to_owned())],
        },
        Event::JudgingFailed {
            stage: 3,
            failure: failure("no such judge".to_owned()),
        },
    ]
}

#[test]
fn what_is_written_is_what_the_golden_journal_holds() {
    let written: String = every_event()
        .iter()
        .map(|event| event.to_json().unwrap() + "\n")
        .collect();
    if std::env::var_os("COALMINE_WRITE").is_some() {
        let name = format!("tests/golden/journal-v{VERSION}.jsonl");
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), &written).unwrap();
    }
    assert_eq!(written, golden(VERSION));
}

#[test]
fn journals_of_every_version_load() {
    for version in 1..=VERSION {
        let events: Vec<Event> = golden(version)
            .lines()
            .map(|line| Event::from_json(line).unwrap())
            .collect();
        let words: BTreeSet<&str> = events.iter().map(Event::word).collect();
        assert_eq!(
            words.len(),
            12,
            "version {version} has every kind: {words:?}"
        );
        let ended = events
            .iter()
            .position(|event| matches!(event, Event::Ended { .. }))
            .unwrap();
        let timed = events.into_iter().take(ended + 1).map(|event| (T0, event));
        let state = State::replay(&ExecutionId::new("E"), timed)
            .unwrap()
            .unwrap();
        assert_eq!(state.status(), Status::Canceled, "version {version}");
        assert_eq!(state.last_outcome().unwrap().1.verdict, Verdict::Marginal);
    }
}

#[test]
fn a_journal_of_a_newer_version_is_refused_and_not_guessed_at() {
    let newer = r#"{"version":2,"type":"ended","ending":"succeeded","sentence":"so"}"#;
    assert_eq!(Event::from_json(newer), Err(UnreadableEvent::Version(2)));
    assert!(matches!(
        Event::from_json("{"),
        Err(UnreadableEvent::Malformed(_))
    ));
}
