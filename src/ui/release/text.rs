//! Where a release stands, for a terminal.

mod judged;
mod places;

use coalmine_reports::terminal::{Line, Role};

use super::layout::{Page, Style, counted, fit, right};
use super::status::{PhaseState, PhaseStatus, ReleaseStatus};
use super::times::countdown;
use crate::model::clean::clean;

/// Columns of the bar that runs down.
const BAR: usize = 30;
/// Lines of a process that are shown.
const OUTPUT: usize = 15;
/// Where the words of the last lines begin.
const WORDS: usize = 12;

/// The whole status as text, ending with a line break.
#[must_use]
pub fn write(status: &ReleaseStatus, style: &Style) -> String {
    let mut page = Page::new(style);
    head(&mut page, status);
    page.gap();
    headline(&mut page, status);
    page.gap();
    phases(&mut page, &status.phases);
    page.gap();
    next(&mut page, status);
    operation(&mut page, status);
    page.gap();
    if !status.state.is_over() {
        for target in &status.targets {
            places::traffic(&mut page, target, status.targets.len() > 1);
            page.gap();
            places::trouble(&mut page, target);
            page.gap();
        }
    }
    judged::scores(&mut page, status);
    page.gap();
    judged::worst(&mut page, status);
    page.gap();
    last(&mut page, status);
    page.gap();
    commands(&mut page, status);
    page.finish()
}

fn head(page: &mut Page<'_>, status: &ReleaseStatus) {
    let arrow = page.arrow();
    let versions = match &status.from_version {
        Some(from) => format!("{} {arrow} {}", clean(from), clean(&status.to_version)),
        None => clean(&status.to_version),
    };
    let places: Vec<String> = status.targets.iter().map(|it| clean(&it.name)).collect();
    let clock = format!("{} UTC", status.now.second(status.now));
    let line = Line::new()
        .to(2)
        .add(Role::Strong, clean(&status.application))
        .add(Role::Plain, format!(" {versions}"))
        .add(Role::Faint, format!("   {}", status.short_id));
    let room = page
        .width
        .saturating_sub(line.width() + 3 + clock.len() + 2);
    let line = line.add(
        Role::Faint,
        format!("   {}", fit(&places.join(", "), room.max(8))),
    );
    let end = page.width.min(80);
    let line = if line.width() + 2 + clock.len() <= end {
        right(line, end, Role::Faint, &clock)
    } else {
        line.add(Role::Faint, format!("  {clock}"))
    };
    page.line(&line);
}

fn headline(page: &mut Page<'_>, status: &ReleaseStatus) {
    let headline = &status.headline;
    let (role, mark) = page.mark(headline.mark);
    let text = clean(&headline.text);
    let rest = text.strip_prefix(headline.word.as_str()).unwrap_or("");
    let rest_role = match role {
        Role::Marginal => Role::Marginal,
        Role::Plain | Role::Fail | Role::Pass | Role::Strong | Role::Faint | Role::Canary => {
            Role::Plain
        }
    };
    page.marked(
        (role, mark),
        &[
            (strong(role), headline.word.clone()),
            (rest_role, rest.to_owned()),
        ],
    );
    let skipped = headline.more.len().saturating_sub(OUTPUT);
    for line in headline.more.iter().skip(skipped) {
        let text = fit(line, page.width.saturating_sub(4));
        page.line(&Line::new().to(4).add(Role::Faint, text));
    }
    if !headline.then.is_empty() {
        page.wrapped("", 2, &[(Role::Plain, clean(&headline.then))]);
    }
    if let Some(question) = &status.question {
        if !question.instructions.trim().is_empty() {
            let words = format!("\"{}\"", clean(question.instructions.trim()));
            page.wrapped("", 2, &[(Role::Plain, words)]);
        }
        if !question.who.is_empty() {
            let who: Vec<String> = question.who.iter().map(|it| clean(it)).collect();
            let words = format!("May answer: {}", who.join(", "));
            page.wrapped("", 2, &[(Role::Faint, words)]);
        }
    }
}

/// The role of words that belong to a mark.
fn strong(role: Role) -> Role {
    match role {
        Role::Plain | Role::Faint => Role::Strong,
        Role::Fail | Role::Marginal | Role::Pass | Role::Strong | Role::Canary => role,
    }
}

fn phases(page: &mut Page<'_>, phases: &[PhaseStatus]) {
    let mut line = Line::new().to(2);
    let mut before: Option<PhaseState> = None;
    for phase in phases {
        let (role, mark) = page.phase_mark(phase.state);
        let name_role = match phase.state {
            PhaseState::Done => Role::Plain,
            PhaseState::Running | PhaseState::Waiting | PhaseState::Stopped => Role::Strong,
            PhaseState::Later | PhaseState::PassedOver => Role::Faint,
        };
        let name = fit(&phase.name, 24);
        let length = name.chars().count() + 2;
        if let Some(before) = before {
            let link = match before {
                PhaseState::Done => page.sign("━━", "=="),
                PhaseState::Running
                | PhaseState::Waiting
                | PhaseState::Stopped
                | PhaseState::Later
                | PhaseState::PassedOver => page.sign("┄┄", ".."),
            };
            line = line.add(Role::Faint, format!(" {link}"));
            if line.width() + 1 + length + 3 > page.width {
                page.line(&line);
                line = Line::new().to(2);
            } else {
                line = line.add(Role::Plain, " ");
            }
        }
        line = line.add(role, mark).add(name_role, format!(" {name}"));
        before = Some(phase.state);
    }
    if before.is_some() {
        page.line(&line);
    }
}

fn next(page: &mut Page<'_>, status: &ReleaseStatus) {
    let Some(next) = &status.next else {
        return;
    };
    let whole = next.since.until(next.at).max(1);
    let left = status.now.until(next.at);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of a bar"
    )]
    let done = ((1.0 - (left as f64 / whole as f64).clamp(0.0, 1.0)) * BAR as f64).floor() as usize;
    let at = format!("at {}", next.at.moment(status.now));
    let count = match next.count.as_str() {
        "" => at,
        count => format!("{count}, {at}"),
    };
    let line = Line::new()
        .to(2)
        .add(Role::Plain, fit(&next.what, 24))
        .add(Role::Plain, "  ")
        .add(Role::Strong, countdown(left))
        .add(Role::Plain, "  ")
        .add(Role::Plain, page.sign("━", "=").repeat(done))
        .add(
            Role::Faint,
            page.sign("─", "-").repeat(BAR.saturating_sub(done)),
        )
        .add(Role::Plain, format!("  {count}"));
    page.line(&line);
}

fn operation(page: &mut Page<'_>, status: &ReleaseStatus) {
    let Some(operation) = &status.operation else {
        return;
    };
    let mut words = format!("{}, {}", clean(&operation.sentence), operation.count);
    if let Some(since) = operation.since {
        words.push_str(&format!(", since {}", since.second(status.now)));
    }
    if let Some(deadline) = operation.deadline {
        words.push_str(&format!(", given up at {}", deadline.moment(status.now)));
    }
    page.wrapped("  Now", WORDS, &[(Role::Plain, words)]);
    let Some(trouble) = &operation.trouble else {
        return;
    };
    let tries = match operation.failures {
        0 => "Failed: ".to_owned(),
        many => format!("Failed {}: ", counted(many as usize, "time")),
    };
    let mut lines = trouble.lines();
    let first = clean(lines.next().unwrap_or_default());
    page.wrapped("", WORDS, &[(Role::Marginal, tries), (Role::Plain, first)]);
    for line in lines.filter(|it| !it.trim().is_empty()).take(OUTPUT) {
        let text = fit(line, page.width.saturating_sub(WORDS + 2));
        page.line(&Line::new().to(WORDS + 2).add(Role::Faint, text));
    }
}

fn last(page: &mut Page<'_>, status: &ReleaseStatus) {
    for check in &status.checks {
        let mut name = clean(&check.what);
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let role = if check.holds {
            Role::Marginal
        } else {
            Role::Plain
        };
        page.wrapped(
            &format!("  {name}"),
            WORDS,
            &[(role, clean(&check.sentence))],
        );
    }
    let rollback = &status.rollback;
    let words = if rollback.ready {
        format!("ready, {}", counted(rollback.operations.len(), "operation"))
    } else {
        rollback.why_not.clone()
    };
    page.wrapped("  Rollback", WORDS, &[(Role::Plain, words)]);
    let checked = status.targets.iter().filter_map(|it| it.checked_at).min();
    if let Some(checked) = checked.filter(|_| !status.state.is_over()) {
        let words = format!("{} UTC", checked.second(status.now));
        page.wrapped("  Checked", WORDS, &[(Role::Faint, words)]);
    }
    if let Some(report) = &status.report {
        let words = format!("{}{}", page.style.base, report);
        // Never broken: it is there to be copied.
        page.line(
            &Line::new()
                .to(2)
                .add(Role::Plain, "Report")
                .to(WORDS)
                .add(Role::Plain, words),
        );
    }
}

fn commands(page: &mut Page<'_>, status: &ReleaseStatus) {
    let flags = page.style.flags.clone();
    let commands = status.commands.iter();
    let commands: Vec<(String, &str)> = commands
        .map(|it| (format!("{}{flags}", it.command), it.does.as_str()))
        .collect();
    let widest = commands.iter().map(|(it, _)| it.chars().count()).max();
    for (command, does) in &commands {
        let line = Line::new().to(2).add(Role::Strong, command.clone());
        let column = 2 + widest.unwrap_or(0) + 2;
        if column + does.chars().count() <= page.width {
            page.line(&line.to(column).add(Role::Faint, *does));
        } else {
            page.line(&line);
            page.line(&Line::new().to(6).add(Role::Faint, *does));
        }
    }
}
