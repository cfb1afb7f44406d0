//! What a log has of a release: one line for each event of its journal.

use coalmine::executions::event::Event;
use coalmine::executions::release::event::Hold;
use coalmine::ui::release::At;
use coalmine::ui::release::line::{Log, Told};
use coalmine_judges::judgement::Verdict;

use super::fixture::{GROW, ID, Story, way_back};

/// An event after a trip as JSON.
fn told(seq: u64, at: i64, event: &Event) -> Told {
    let data = serde_json::json!({"seq": seq, "at": At(at), "event": event});
    let told = Told::read(event.word(), &data.to_string()).expect("an event");
    assert_eq!(told.event.as_ref(), Some(event));
    told
}

/// Everything that a log that begins now has of a story.
fn lines(story: &Story) -> Vec<String> {
    let mut log = Log::new(ID);
    let mut lines = Vec::new();
    for (place, (at, event)) in story.journal.iter().enumerate() {
        let seq = place as u64 + 1;
        let told = told(seq, *at, event);
        lines.extend(log.tell(&told));
        assert_eq!(log.tell(&told), None, "told before");
        assert_eq!(log.last(), seq);
    }
    lines
}

#[test]
fn each_event_is_one_line_and_is_told_once_in_its_order() {
    let mut story = Story::new();
    story.held(Hold::Lock, "release `X` has the cluster", 1);
    story
        .later(1)
        .held(Hold::Lock, "release `X` has the cluster", 1);
    story.later(1).passed_the_first_step();
    story.operates(GROW, None, 3);
    for stage in 7..12 {
        story.judged(stage, Verdict::Pass, 93.0);
    }
    story.judged(12, Verdict::Marginal, 86.0);
    story.asked();
    story.later(5);
    story.happens(&Event::CancelRequested {
        by: "on-call".to_owned(),
        reason: "p99 \"grows\"".to_owned(),
    });
    story.ends(way_back());
    let lines = lines(&story);
    let held = lines.iter().filter(|line| line.contains("held=lock"));
    assert_eq!(held.count(), 1, "it looked again, and nothing had changed");
    let done = lines.iter().filter(|line| line.contains(" done took="));
    let all = story
        .journal
        .iter()
        .filter(|(_, event)| event.word() == "operationDone");
    assert_eq!(done.count(), all.count(), "no operation is left out");
    super::golden("lines.txt", &(lines.join("\n") + "\n"));
}

#[test]
fn what_a_newer_service_wrote_is_named_and_breaks_nothing_off() {
    let story = Story::new();
    let mut log = Log::new(ID);
    let (at, accepted) = &story.journal[0];
    assert!(log.tell(&told(1, *at, accepted)).is_some());
    for seq in 2..4 {
        let data = serde_json::json!({"seq": seq, "at": At(*at), "event": {"type": "brandNew"}});
        let told = Told::read("brandNew", &data.to_string()).expect("an event");
        let line = log.tell(&told).expect("a line");
        assert!(line.ends_with("2C81WXYZ release event=brandNew"), "{line}");
    }
}
