//! The status in a terminal, for each state that a release can be found in.

use std::collections::BTreeMap;

use coalmine::executions::event::Event;
use coalmine::executions::release::desk::Look;
use coalmine::executions::release::event::{Cause, Decision, Hold, ReleaseEvent};
use coalmine::model::release::cluster::{Health, Share};
use coalmine::stages::approve::Choice;
use coalmine::ui::release::status::{ReleaseState, ReleaseStatus};
use coalmine::ui::release::{Style, text};
use coalmine_judges::judgement::Verdict;

use super::fixture::{
    GROW, PREPARE, QUESTION, START, Story, canary_and_baseline, judgement, note, served, view,
    way_back, weighted,
};
use super::golden;

/// Draws the status at 80 and at 120 columns, holds it against the committed text, and against itself after a trip as JSON.
fn shown(name: &str, look: &Look, now_ms: i64) -> ReleaseStatus {
    let status = ReleaseStatus::of(look, now_ms).unwrap();
    let json = serde_json::to_string(&status).unwrap();
    let back: ReleaseStatus = serde_json::from_str(&json).unwrap();
    assert_eq!(back, status, "nothing is lost on the way to a client");
    let mut all = String::new();
    for width in [80, 120] {
        let style = Style {
            width,
            base: "http://127.0.0.1:8090".to_owned(),
            ..Style::default()
        };
        let text = text::write(&back, &style);
        for line in text.lines() {
            let fits = line.chars().count() <= width || line.contains("http://");
            assert!(fits, "wider than {width}: {line}");
        }
        all.push_str(&format!("{}\n{text}", "=".repeat(width)));
        let plain = text::write(
            &back,
            &Style {
                ascii: true,
                ..style
            },
        );
        assert!(plain.is_ascii(), "{plain}");
    }
    golden(&format!("{name}.txt"), &all);
    status
}

fn minutes(story: &Story) -> i64 {
    (story.now - START) / 60_000
}

#[test]
fn accepted_and_not_begun() {
    let story = Story::new();
    let status = shown("accepted", &story.look(Vec::new()), story.now);
    assert_eq!(status.state, ReleaseState::NotStarted);
}

#[test]
fn a_canary_that_is_judged() {
    let mut story = Story::new();
    story.grew();
    story.judged(7, Verdict::Pass, 100.0);
    story.judged(8, Verdict::Pass, 93.0);
    story.opens(9);
    story.later(7);
    let mut groups = canary_and_baseline(8);
    groups[1].instances[3].health = Health::Starting;
    groups[1].instances[3].restarts = 1;
    let mut view = view(&weighted(25), &groups, minutes(&story));
    let router = view.router.as_mut().unwrap();
    router.requests = 5210;
    let shares = [5010, 2520, 2470].map(|points| Share::new(points).unwrap());
    let names = [&groups[2].name, &groups[0].name, &groups[1].name].map(Clone::clone);
    router.measured = names.into_iter().zip(shares).collect::<BTreeMap<_, _>>();
    let mut look = story.look(vec![view]);
    look.notes = vec![
        note("guard", "40 of 40 instances serve; at least 36 must"),
        note("window", "open until 16:00 UTC"),
    ];
    let status = shown("judging", &look, story.now);
    assert_eq!(status.state, ReleaseState::Running);
    let next = status.next.unwrap();
    assert_eq!(
        (next.what.as_str(), next.count.as_str()),
        ("Next judgement", "3 of 6")
    );
    let canary = &status.targets[0].groups[0];
    assert_eq!(
        (canary.traffic.asked, canary.traffic.measured),
        (25.0, Some(24.7))
    );
    assert_eq!(
        (canary.instances.asked, canary.instances.ready),
        (8, Some(7))
    );
}

#[test]
fn a_question_that_waits() {
    let mut story = Story::new();
    story.grew();
    for stage in 7..12 {
        story.judged(stage, Verdict::Pass, 93.0);
    }
    story.judged(12, Verdict::Marginal, 86.0);
    story.asked();
    story.later(7);
    let view = view(&weighted(25), &canary_and_baseline(8), minutes(&story));
    let mut look = story.look(vec![view]);
    look.judgement = Some((9, judgement()));
    look.notes = vec![note("guard", "40 of 40 instances serve; at least 36 must")];
    let status = shown("question", &look, story.now);
    assert_eq!(status.state, ReleaseState::WaitingForAnswer);
    let commands: Vec<&str> = status
        .commands
        .iter()
        .map(|it| it.command.as_str())
        .collect();
    assert_eq!(
        commands,
        [
            "coalmine release approve R2C81WXYZ".replace("R2C81WXYZ", &status.short_id),
            format!("coalmine release approve {} --reject", status.short_id),
            format!("coalmine release abort {}", status.short_id),
        ]
    );
    assert_eq!(status.worst_of, Some(9));
    assert_eq!(status.worst[0].name, "search-p99");
    assert!(status.worst.iter().all(|it| it.result != "Pass"));
}

#[test]
fn a_promotion_that_rolls() {
    let mut story = Story::new();
    story.grew();
    for stage in 7..13 {
        story.judged(stage, Verdict::Pass, 97.5);
    }
    story.follows();
    story.operates(14, None, 1);
    story.intends(14, 1);
    story.later(1);
    let mut groups = canary_and_baseline(8);
    groups.push(served(None, 233, "5.4.0", 40));
    let view = view(&weighted(25), &groups, minutes(&story));
    let status = shown("rolling", &story.look(vec![view]), story.now);
    assert_eq!(status.state, ReleaseState::Running);
    let next = status.targets[0]
        .groups
        .iter()
        .find(|group| group.name == "search-v233")
        .unwrap();
    assert_eq!(next.traffic.asked, 50.0);
    assert_eq!(next.traffic.confirmed, Some(0.0), "not confirmed yet");
}

#[test]
fn a_release_that_is_taken_back_and_one_that_was() {
    let mut story = Story::new();
    story.grew();
    story.judged(7, Verdict::Pass, 96.0);
    story.judged(8, Verdict::Fail, 61.0);
    story.follows();
    story.operates(16, Some(way_back()), 1);
    story.intends(16, 1);
    let seen = view(&weighted(0), &canary_and_baseline(8), minutes(&story));
    let status = shown("rolling-back", &story.look(vec![seen]), story.now);
    assert_eq!(status.state, ReleaseState::RollingBack);
    assert_eq!(status.outcome.as_ref().unwrap().exit_code, 1);

    let mut story = Story::new();
    story.grew();
    story.judged(7, Verdict::Pass, 96.0);
    story.judged(8, Verdict::Fail, 61.0);
    story.ends(way_back());
    let mut look = story.look(Vec::new());
    look.judgement = Some((5, judgement()));
    let status = shown("rolled-back", &look, story.now);
    assert_eq!(status.state, ReleaseState::RolledBack);
    assert!(!status.rollback.ready);
}

#[test]
fn a_release_that_is_promoted() {
    let mut story = Story::new();
    story.grew();
    for stage in 7..13 {
        story.judged(stage, Verdict::Pass, 100.0);
    }
    story.follows();
    story.operates(14, None, 2);
    story.operates(15, None, 1);
    story.ends(Vec::new());
    let groups = [
        served(None, 229, "5.3.2", 40),
        served(None, 233, "5.4.0", 40),
    ];
    let view = view(&weighted(0), &groups, minutes(&story));
    let status = shown("promoted", &story.look(vec![view]), story.now);
    assert_eq!(status.state, ReleaseState::Promoted);
    assert_eq!(status.outcome.unwrap().exit_code, 0);
    assert_eq!(
        status.commands.len(),
        1,
        "what it brought can be taken back"
    );
}

#[test]
fn a_release_that_another_one_holds_up() {
    let mut story = Story::new();
    story.held(
        Hold::Lock,
        "release `01KKJ4XPBD0QF5T8Z1N7HVC3AM` (search 5.3.3) has the cluster search",
        1,
    );
    story.later(12);
    let why = "release `01KKJ4XPBD0QF5T8Z1N7HVC3AM` (search 5.3.3) has the cluster search";
    story.held(Hold::Lock, why, 1);
    let view = view(&weighted(0), &[served(None, 229, "5.3.2", 40)], 12);
    let status = shown("held-by-lock", &story.look(vec![view]), story.now);
    assert_eq!(status.state, ReleaseState::Held);
    assert_eq!(status.held_by.unwrap().since.0, START);
}

#[test]
fn a_release_that_a_window_holds_up() {
    let mut story = Story::new();
    story.locked();
    story.operates(PREPARE, None, 0);
    story.held(
        Hold::Window,
        "no window is open for a start; the next one opens on 13 Mar 08:00 Europe/Berlin",
        1010,
    );
    story.later(3);
    let view = view(&weighted(0), &[served(None, 229, "5.3.2", 40)], 3);
    let status = shown("held-by-window", &story.look(vec![view]), story.now);
    assert_eq!(status.state, ReleaseState::Held);
}

#[test]
fn a_canary_that_never_becomes_healthy() {
    let mut story = Story::new();
    story.locked();
    story.operates(PREPARE, None, 2);
    story.intends(PREPARE, 2);
    story.later(6);
    let mut groups = canary_and_baseline(3);
    for instance in &mut groups[1].instances {
        instance.health = Health::Down;
        instance.restarts = 4;
        instance.last_output = vec![
            "2026-03-12T12:11:58Z INFO reading /etc/search/search.yaml".to_owned(),
            "2026-03-12T12:11:58Z ERROR unknown key `synonyms.fallback`\u{1b}[0m".to_owned(),
            "thread 'main' panicked: cannot read the config".to_owned(),
        ];
    }
    let seen = view(&weighted(0), &groups, minutes(&story));
    let status = shown("never-healthy", &story.look(vec![seen]), story.now);
    assert_eq!(status.targets[0].groups[0].trouble.len(), 3);

    story.later(4);
    story.release(ReleaseEvent::OperationFailed {
        stage: PREPARE,
        step: 2,
        why: "0 of 3 instances were up after 10 min; search-canary-v232 ended 4 times, at last with\nERROR unknown key `synonyms.fallback`\nthread 'main' panicked: cannot read the config".to_owned(),
        again_ms: None,
    });
    story.ends(vec![]);
    let status = shown(
        "never-healthy-rolled-back",
        &story.look(Vec::new()),
        story.now,
    );
    let outcome = status.outcome.unwrap();
    assert_eq!(
        (outcome.cause.as_str(), outcome.exit_code),
        ("operation", 4)
    );
}

#[test]
fn a_release_that_somebody_called_off() {
    let mut story = Story::new();
    story.passed_the_first_step();
    story.happens(&Event::CancelRequested {
        by: "on-call".to_owned(),
        reason: "the wrong artifact".to_owned(),
    });
    story.ends(way_back());
    let status = shown("called-off", &story.look(Vec::new()), story.now);
    assert_eq!(status.state, ReleaseState::CalledOff);
    assert_eq!(status.outcome.unwrap().exit_code, 5);
}

#[test]
fn a_release_that_is_stuck() {
    let mut story = Story::new();
    story.passed_the_first_step();
    story.operates(GROW, None, 1);
    story.happens(&Event::GotStuck {
        stage: GROW,
        error: "the journal names a server group that is not there".to_owned(),
    });
    let status = shown("stuck", &story.look(Vec::new()), story.now);
    assert_eq!(status.state, ReleaseState::Stuck);
}

/// The exit code of a release that ended so.
fn exit_code(tell: impl FnOnce(&mut Story)) -> u8 {
    let mut story = Story::new();
    story.grew();
    tell(&mut story);
    story.follows();
    let status = ReleaseStatus::of(&story.look(Vec::new()), story.now).unwrap();
    status.outcome.unwrap().exit_code
}

#[test]
fn exit_codes_tell_apart_what_became_of_it() {
    let to_the_question = |story: &mut Story, verdict, score| {
        for stage in 7..13 {
            story.judged(stage, verdict, score);
        }
        story.asked();
    };
    let failed = exit_code(|story| story.judged(7, Verdict::Fail, 40.0));
    assert_eq!(failed, 1);
    let unanswered = exit_code(|story| {
        to_the_question(story, Verdict::Marginal, 80.0);
        story.later(31);
        story.release(ReleaseEvent::AnswerOverdue { stage: QUESTION });
    });
    assert_eq!(unanswered, 3);
    let rejected = exit_code(|story| {
        to_the_question(story, Verdict::Inconclusive, 80.0);
        story.release(ReleaseEvent::Answered {
            stage: QUESTION,
            choice: Choice::Reject,
            by: "on-call".to_owned(),
            reason: String::new(),
        });
    });
    assert_eq!(rejected, 5);
    let too_long = exit_code(|story| {
        story.release(ReleaseEvent::Decided {
            decision: Decision::RolledBack,
            cause: Cause::Time,
            reason: "it lasted too long".to_owned(),
            by: None,
        });
    });
    assert_eq!(too_long, 4);
    let superseded = exit_code(|story| {
        story.release(ReleaseEvent::LockLost {
            lock: "search".to_owned(),
            holder: "01OTHER".to_owned(),
        });
    });
    assert_eq!(superseded, 5);
}

#[test]
fn what_comes_from_outside_cannot_steer_a_terminal() {
    let mut story = Story::new();
    story.held(Hold::Driver, "\u{1b}[2Jgone\u{202e}", 1);
    let status = ReleaseStatus::of(&story.look(Vec::new()), story.now).unwrap();
    let text = text::write(&status, &Style::default());
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{202e}'),
        "{text}"
    );
    let colored = text::write(
        &status,
        &Style {
            color: true,
            ..Style::default()
        },
    );
    assert!(!colored.contains("\u{1b}[2J"), "{colored}");
    assert!(colored.contains("\u{1b}[33m"), "waiting is yellow");
}

#[test]
fn what_is_not_kept_is_not_offered_to_go_back_to() {
    let kept = |keep_ms: u64, still_there: bool| {
        let mut plan = super::fixture::plan();
        let spec = std::sync::Arc::make_mut(&mut plan.release.spec);
        spec.promotion.previous.keep_ms = keep_ms;
        let mut story = Story::of(plan);
        story.grew();
        for stage in 7..13 {
            story.judged(stage, Verdict::Pass, 100.0);
        }
        story.follows();
        story.operates(14, None, 2);
        story.operates(15, None, 1);
        story.ends(Vec::new());
        let mut groups = vec![served(None, 233, "5.4.0", 40)];
        if still_there {
            groups.push(served(None, 229, "5.3.2", 40));
        }
        let view = view(&weighted(0), &groups, minutes(&story));
        ReleaseStatus::of(&story.look(vec![view]), story.now).unwrap()
    };
    let offered = |status: &ReleaseStatus| {
        let mut commands = status.commands.iter();
        commands.any(|it| it.command.contains("release rollback"))
    };
    let good = kept(86_400_000, true);
    assert!(good.rollback.ready && offered(&good), "{:?}", good.rollback);
    let cases = [
        (0, true, "5.3.2 is not kept; a release of it brings it back"),
        (
            86_400_000,
            false,
            "search-v229 with 5.3.2 is gone; a release of it brings it back",
        ),
    ];
    for (keep_ms, still_there, why_not) in cases {
        let status = kept(keep_ms, still_there);
        assert!(!status.rollback.ready && !offered(&status));
        assert_eq!(status.rollback.why_not, why_not);
    }
}

#[test]
fn a_place_that_cannot_be_looked_at_says_why() {
    let mut story = Story::new();
    story.grew();
    let mut look = story.look(Vec::new());
    let place = look.state.request.release.as_ref().unwrap().targets[0]
        .place
        .clone();
    look.unseen
        .insert(place, "there is no deployment account `shop`".to_owned());
    let status = ReleaseStatus::of(&look, story.now).unwrap();
    let text = text::write(&status, &Style::default());
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("The place is out of reach (there is no deployment account `shop`)"),
        "{text}"
    );
}
