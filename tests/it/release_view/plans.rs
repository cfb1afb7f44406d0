//! Plans in a terminal, before a start and while they are executed.

use coalmine::executions::release::desk::Planned;
use coalmine::stages::operate::Purpose;
use coalmine::ui::release::plan::PlanStatus;
use coalmine::ui::release::{Style, plan_text};
use coalmine_judges::judgement::Verdict;

use super::fixture::{START, Story, note, plan, way_back};
use super::golden;

fn shown(name: &str, plan: &PlanStatus) {
    let json = serde_json::to_string(plan).unwrap();
    let back: PlanStatus = serde_json::from_str(&json).unwrap();
    assert_eq!(back, *plan);
    let mut all = String::new();
    for width in [80, 120] {
        let style = Style {
            width,
            ..Style::default()
        };
        let text = plan_text::write(&back, &style);
        for line in text.lines() {
            assert!(line.chars().count() <= width, "wider than {width}: {line}");
        }
        all.push_str(&format!("{}\n{text}", "=".repeat(width)));
    }
    golden(&format!("{name}.txt"), &all);
}

#[test]
fn a_plan_before_a_start_says_what_moves_traffic_first() {
    let planned = Planned {
        plan: plan(),
        notes: vec![
            note(
                "guard",
                "40 instances serve; at least 36 must at every moment",
            ),
            note("window", "open until 16:00 UTC"),
        ],
        rollback: way_back(),
    };
    let status = PlanStatus::planned(&planned, START);
    assert_eq!(status.hash, planned.plan.hash());
    let first = status.operations.iter().find(|line| line.moves_traffic);
    assert_eq!(first.unwrap().number, 4);
    assert!(status.operations.iter().all(|line| line.state.is_none()));
    shown("plan", &status);
}

#[test]
fn a_plan_under_way_marks_where_it_is() {
    let mut story = Story::new();
    story.grew();
    for stage in 7..11 {
        story.judged(stage, Verdict::Pass, 93.0);
    }
    story.opens(11);
    let status = PlanStatus::under_way(&story.look(Vec::new()), story.now).unwrap();
    shown("plan-under-way", &status);
}

#[test]
fn a_plan_that_was_taken_back_lists_what_that_took() {
    let mut story = Story::new();
    story.passed_the_first_step();
    story.operates(super::fixture::GROW, None, 3);
    story.judged(7, Verdict::Fail, 40.0);
    story.ends(way_back());
    let status = PlanStatus::under_way(&story.look(Vec::new()), story.now).unwrap();
    assert_eq!(story.state.late_stage(Purpose::RollBack), Some(16));
    shown("plan-taken-back", &status);
}
