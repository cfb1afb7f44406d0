//! Scores by phase, and the metrics to look at first.

use coalmine_reports::terminal::{Line, Role};

use crate::ui::release::layout::{Page, fit, right, score};
use crate::ui::release::status::{PhaseStatus, ReleaseStatus};

/// One column of the scores.
struct Column {
    phase: usize,
    in_block: u32,
    score: Option<f64>,
    verdict: Option<String>,
    failed: bool,
}

/// The judgements of all targets at the same place are one column: the worst counts for all.
fn columns(phases: &[PhaseStatus]) -> Vec<Column> {
    let rank = |word: Option<&str>| match word {
        Some("Pass") => 1,
        Some("Marginal") => 2,
        Some("Inconclusive") => 3,
        Some("Fail") => 4,
        Some(_) | None => 0,
    };
    let mut columns: Vec<Column> = Vec::new();
    for (place, phase) in phases.iter().enumerate() {
        for one in &phase.judgements {
            let failed = one.failure.is_some();
            let known = columns
                .iter_mut()
                .find(|it| it.phase == place && it.in_block == one.in_block);
            match known {
                Some(known) => {
                    known.failed |= failed;
                    if rank(one.verdict.as_deref()) > rank(known.verdict.as_deref()) {
                        known.verdict.clone_from(&one.verdict);
                        known.score = one.score;
                    }
                }
                None => columns.push(Column {
                    phase: place,
                    in_block: one.in_block,
                    score: one.score,
                    verdict: one.verdict.clone(),
                    failed,
                }),
            }
        }
    }
    columns
}

pub(super) fn scores(page: &mut Page<'_>, status: &ReleaseStatus) {
    let columns = columns(&status.phases);
    let is_made = |it: &Column| it.verdict.is_some() || it.failed;
    let Some(last) = columns.iter().rposition(is_made) else {
        return;
    };
    // Where there is no room for all, the last ones and those that come next.
    let room = page.width.saturating_sub(16 + 4) / 5;
    let after = (columns.len() - 1 - last).min(3);
    let end = if columns.len() <= room {
        columns.len()
    } else {
        last + 1 + after
    };
    let start = end.saturating_sub(room);
    let mut names = Line::new().to(2).add(Role::Faint, "Stage");
    let mut numbers = Line::new().to(2).add(Role::Faint, "Score");
    let mut marks = Line::new();
    let mut phase = None;
    let mut at = 15;
    for column in columns.get(start..end).unwrap_or_default() {
        if phase != Some(column.phase) {
            at += usize::from(phase.is_some());
            phase = Some(column.phase);
            let name = status.phases.get(column.phase).map_or("", |it| &it.name);
            if names.width() < at + 2 {
                names = names.to(at + 2).add(Role::Plain, fit(name, 14));
            }
        }
        at += 5;
        let (text, role) = match column.score {
            Some(number) => (score(number), Role::Plain),
            None if column.failed => (page.sign("–", "-").to_owned(), Role::Plain),
            None => (page.sign("·", ".").to_owned(), Role::Faint),
        };
        numbers = right(numbers, at, role, &text);
        if let Some(word) = &column.verdict {
            let (role, mark) = page.result_mark(word);
            marks = right(marks, at, role, mark);
        } else if column.failed {
            marks = right(marks, at, Role::Plain, page.sign("◇", "?"));
        }
    }
    page.line(&names);
    page.line(&numbers);
    page.line(&marks);
    if let Some(thresholds) = &status.thresholds {
        let words = format!(
            "Pass from {}, Marginal from {}",
            score(thresholds.pass),
            score(thresholds.marginal)
        );
        page.line(&Line::new().to(2).add(Role::Faint, words));
    }
}

pub(super) fn worst(page: &mut Page<'_>, status: &ReleaseStatus) {
    let widest = |of: &dyn Fn(usize) -> usize| (0..status.worst.len()).map(of).max().unwrap_or(0);
    let effects = widest(&|it| status.worst[it].effect.chars().count());
    let intervals = widest(&|it| status.worst[it].interval.chars().count());
    let limits = widest(&|it| status.worst[it].tolerance.chars().count()).min(24);
    let names = widest(&|it| status.worst[it].name.chars().count());
    let room = page
        .width
        .saturating_sub(17 + 2 + effects + 1 + intervals + 2 + limits);
    let names = names.min(room.max(14));
    for metric in &status.worst {
        let (role, mark) = page.result_mark(&metric.result);
        let word = metric.result.trim_end_matches("Metric");
        let line = Line::new()
            .to(2)
            .add(role, format!("{mark} {word}"))
            .to(17)
            .add(Role::Plain, fit(&metric.name, names))
            .to(17 + names + 2);
        let line = if metric.interval.is_empty() {
            // Nothing was compared: why is worth more than a tolerance.
            let room = page.width.saturating_sub(line.width());
            line.add(Role::Plain, fit(&metric.why, room))
        } else {
            right(line, 17 + names + 2 + effects, Role::Strong, &metric.effect)
                .add(Role::Plain, format!(" {}", metric.interval))
                .to(17 + names + 2 + effects + 1 + intervals + 2)
                .add(
                    Role::Faint,
                    fit(
                        &metric.tolerance,
                        page.width
                            .saturating_sub(17 + names + 2 + effects + 1 + intervals + 2),
                    ),
                )
        };
        page.line(&line);
    }
}
