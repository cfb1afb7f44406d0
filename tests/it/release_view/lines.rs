//! What a log has of a release: one line for each change.

use coalmine::executions::event::Event;
use coalmine::executions::release::event::Hold;
use coalmine::ui::release::line::lines;
use coalmine::ui::release::status::ReleaseStatus;
use coalmine_judges::judgement::Verdict;

use super::fixture::{GROW, Story, judgement, way_back};

/// All lines of a story that is looked at after each of its parts.
struct Log {
    before: Option<ReleaseStatus>,
    lines: Vec<String>,
}

impl Log {
    fn looks(&mut self, story: &Story) {
        let mut look = story.look(Vec::new());
        if story
            .state
            .last_outcome()
            .is_some_and(|(_, it)| it.verdict == Verdict::Marginal)
        {
            look.judgement = Some((9, judgement()));
        }
        let now = ReleaseStatus::of(&look, story.now).unwrap();
        self.lines.extend(lines(self.before.as_ref(), &now));
        let again = lines(Some(&now), &now);
        assert!(again.is_empty(), "nothing changed: {again:?}");
        self.before = Some(now);
    }
}

#[test]
fn each_change_is_one_line_and_is_told_once() {
    let mut log = Log {
        before: None,
        lines: Vec::new(),
    };
    let mut story = Story::new();
    log.looks(&story);
    story.held(Hold::Lock, "release `X` has the cluster", 1);
    log.looks(&story);
    story.later(1).passed_the_first_step();
    log.looks(&story);
    story.operates(GROW, None, 3);
    for stage in 7..12 {
        story.judged(stage, Verdict::Pass, 93.0);
    }
    story.judged(12, Verdict::Marginal, 86.0);
    story.asked();
    log.looks(&story);
    story.later(5);
    story.happens(&Event::CancelRequested {
        by: "on-call".to_owned(),
        reason: "p99 \"grows\"".to_owned(),
    });
    story.ends(way_back());
    log.looks(&story);
    super::golden("lines.txt", &(log.lines.join("\n") + "\n"));
}
