//! A plan for a terminal: numbered operations with before and after, what is asked, what guards it, and the way back.

use coalmine_reports::terminal::{Line, Role};

use super::layout::{Page, Style, counted, fit, right};
use super::plan::{LineState, PlanLine, PlanStatus};
use crate::model::clean::clean;

/// From this width on there is room for what takes a line back.
const UNDO_FROM: usize = 104;
/// Where sentences begin.
const SENTENCE: usize = 5;

/// The whole plan as text, ending with a line break.
#[must_use]
pub fn write(plan: &PlanStatus, style: &Style) -> String {
    let mut page = Page::new(style);
    head(&mut page, plan);
    page.gap();
    table(&mut page, plan);
    for asked in plan.operations.iter().filter(|it| !it.who.is_empty()) {
        let who: Vec<String> = asked.who.iter().map(|it| clean(it)).collect();
        let words = format!(
            "Operation {} may be answered by {}.",
            asked.number,
            who.join(", ")
        );
        page.gap();
        page.wrapped("", 2, &[(Role::Plain, words)]);
    }
    page.gap();
    rollback(&mut page, plan);
    page.gap();
    for check in &plan.checks {
        let role = if check.holds {
            Role::Marginal
        } else {
            Role::Plain
        };
        let mut name = clean(&check.what);
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        page.wrapped(&format!("  {name}"), 12, &[(role, clean(&check.sentence))]);
    }
    let short = plan.hash.get(..12).unwrap_or(&plan.hash);
    page.wrapped("  Plan", 12, &[(Role::Faint, short.to_owned())]);
    page.gap();
    if plan.id.is_none() {
        let first = plan.operations.iter().find(|line| line.moves_traffic);
        let words = match first {
            Some(line) => format!(
                "Nothing has been changed yet. Operation {} is the first to move traffic.",
                line.number
            ),
            None => "Nothing has been changed yet. No operation moves traffic.".to_owned(),
        };
        page.wrapped("", 2, &[(Role::Plain, words)]);
    }
    page.finish()
}

fn head(page: &mut Page<'_>, plan: &PlanStatus) {
    let arrow = page.arrow();
    let versions = match &plan.from_version {
        Some(from) => format!("{} {arrow} {}", clean(from), clean(&plan.to_version)),
        None => clean(&plan.to_version),
    };
    let targets: Vec<String> = plan.targets.iter().map(|it| clean(it)).collect();
    let rest = format!(
        " {versions}, {}: {}",
        targets.join(", "),
        counted(plan.operations.len(), "operation")
    );
    page.wrapped(
        "",
        2,
        &[
            (Role::Strong, clean(&plan.application)),
            (Role::Plain, rest),
        ],
    );
}

fn table(page: &mut Page<'_>, plan: &PlanStatus) {
    let started = plan.operations.iter().any(|line| line.state.is_some());
    let wide = page.width >= UNDO_FROM;
    let widest = |of: &dyn Fn(&PlanLine) -> usize| plan.operations.iter().map(of).max();
    let sentences = widest(&|it| sentence(it).chars().count()).unwrap_or(0);
    let changes = widest(&|it| change(page, it).chars().count()).unwrap_or(0);
    let state = if started { 20 } else { 0 };
    let undo = if wide { 22 } else { 0 };
    let room = page.width.saturating_sub(SENTENCE + 2 + state + undo);
    let changes = changes.clamp(14, 28).min(room / 2);
    let sentences = sentences.max(9).min(room.saturating_sub(changes + 2));
    let at_change = SENTENCE + sentences + 2;
    let at_state = at_change + changes + 2;
    let at_undo = at_state + state;
    let mut heads = Line::new()
        .to(SENTENCE)
        .add(Role::Faint, "Operation")
        .to(at_change)
        .add(Role::Faint, format!("Before {} after", page.arrow()));
    if started {
        heads = heads.to(at_state).add(Role::Faint, "State");
    }
    if wide {
        heads = heads.to(at_undo).add(Role::Faint, "Taken back by");
    }
    page.line(&heads);
    for operation in &plan.operations {
        let now = matches!(
            operation.state,
            Some(LineState::Running | LineState::Waiting)
        );
        let role = match operation.state {
            Some(LineState::Running | LineState::Waiting) => Role::Strong,
            Some(LineState::Later | LineState::PassedOver) => Role::Faint,
            Some(LineState::Done | LineState::Failed) | None => Role::Plain,
        };
        let line = if now {
            Line::new().add(Role::Strong, page.sign("▶", ">"))
        } else {
            Line::new()
        };
        let line = right(line, 4, role, &operation.number.to_string())
            .to(SENTENCE)
            .add(role, fit(&sentence(operation), sentences))
            .to(at_change);
        let line = match (operation.before.as_str(), operation.after.as_str()) {
            ("", after) => line.add(role, fit(after, changes)),
            (before, "") => line.add(Role::Faint, fit(before, changes)),
            (before, after) => {
                let before = format!("{} {} ", clean(before), page.arrow());
                let left = changes.saturating_sub(before.chars().count());
                line.add(Role::Faint, fit(&before, changes))
                    .add(role, fit(after, left))
            }
        };
        let line = match operation.state {
            Some(state) => {
                let (mark_role, mark, word) = mark(page, state);
                let line = line
                    .to(at_state)
                    .add(mark_role, mark)
                    .add(role, format!(" {word}"));
                match operation.at {
                    Some(at) => {
                        let by = match state {
                            LineState::Waiting => "by ",
                            LineState::Running => "to ",
                            LineState::Later
                            | LineState::Done
                            | LineState::Failed
                            | LineState::PassedOver => "",
                        };
                        line.to(at_state + 11)
                            .add(Role::Faint, format!("{by}{}", at.moment(plan.now)))
                    }
                    None => line,
                }
            }
            None => line,
        };
        let line = if wide && !operation.undo.is_empty() {
            line.to(at_undo)
                .add(Role::Faint, fit(&operation.undo, undo))
        } else {
            line
        };
        page.line(&line);
    }
}

fn sentence(line: &PlanLine) -> String {
    match &line.target {
        Some(target) => format!("{} ({target})", clean(&line.sentence)),
        None => clean(&line.sentence),
    }
}

fn change(page: &Page<'_>, line: &PlanLine) -> String {
    written(page, &line.before, &line.after)
}

/// `3 → 8 instances`.
fn written(page: &Page<'_>, before: &str, after: &str) -> String {
    match (before, after) {
        ("", only) | (only, "") => clean(only),
        (before, after) => format!("{} {} {}", clean(before), page.arrow(), clean(after)),
    }
}

fn mark(page: &Page<'_>, state: LineState) -> (Role, &'static str, &'static str) {
    match state {
        LineState::Done => (Role::Pass, page.sign("✓", "+"), "done"),
        LineState::Running => (Role::Strong, page.sign("◉", ">"), "running"),
        LineState::Waiting => (Role::Marginal, page.sign("‖", "!"), "waiting"),
        LineState::Later => (Role::Faint, page.sign("○", "."), "later"),
        LineState::Failed => (Role::Fail, page.sign("✕", "x"), "failed"),
        LineState::PassedOver => (Role::Faint, page.sign("–", "-"), "not done"),
    }
}

fn rollback(page: &mut Page<'_>, plan: &PlanStatus) {
    let rollback = &plan.rollback;
    let from = if plan.id.is_some() {
        "Rollback from here"
    } else {
        "Rollback from the end"
    };
    if !rollback.ready {
        let words = format!("{from}: {}", rollback.why_not);
        page.wrapped("", 2, &[(Role::Plain, words)]);
        return;
    }
    let count = counted(rollback.operations.len(), "operation");
    page.line(
        &Line::new()
            .to(2)
            .add(Role::Plain, format!("{from}: {count}")),
    );
    let sentences = rollback.steps.iter().map(|it| it.sentence.chars().count());
    let changes = rollback
        .steps
        .iter()
        .map(|it| written(page, &it.before, &it.after));
    let changes: Vec<String> = changes.collect();
    let widest = changes.iter().map(|it| it.chars().count()).max();
    let room = page.width.saturating_sub(SENTENCE);
    let change = widest.unwrap_or(0).min(room / 2);
    let sentence = sentences
        .max()
        .unwrap_or(0)
        .min(room.saturating_sub(change + 2));
    for (place, step) in rollback.steps.iter().enumerate() {
        let line = right(Line::new(), 4, Role::Faint, &(place + 1).to_string());
        let after = changes.get(place).map_or("", String::as_str);
        page.line(
            &line
                .to(SENTENCE)
                .add(Role::Plain, fit(&step.sentence, sentence))
                .to(SENTENCE + sentence + 2)
                .add(Role::Plain, fit(after, change)),
        );
    }
}
