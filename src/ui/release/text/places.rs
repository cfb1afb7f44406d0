//! Traffic and instances of a target, asked beside what is; and what is not up, with its last output.

use coalmine_reports::terminal::{Line, Role};

use super::OUTPUT;
use crate::model::clean::clean;
use crate::ui::release::layout::{Page, counted, fit, percent, right};
use crate::ui::release::targets::{GroupStatus, InstanceTrouble, TargetStatus};

/// Instances of a group that are shown with their output.
const TROUBLED: usize = 2;

pub(super) fn traffic(page: &mut Page<'_>, target: &TargetStatus, named: bool) {
    let labels = target.groups.iter().map(|it| it.label.chars().count());
    let label = labels.max().unwrap_or(0).max(10) + 2;
    let at = |column: usize| 2 + label + column;
    if named {
        page.line(
            &Line::new()
                .to(2)
                .add(Role::Strong, clean(&target.name))
                .add(Role::Faint, format!("  {}", clean(&target.place))),
        );
    }
    if target.groups.is_empty() {
        return;
    }
    page.line(
        &Line::new()
            .to(at(1))
            .add(Role::Faint, "Traffic")
            .to(at(30))
            .add(Role::Faint, "Instances"),
    );
    let mut heads = Line::new();
    for (end, word) in [
        (6, "asked"),
        (17, "confirmed"),
        (27, "measured"),
        (35, "asked"),
        (42, "ready"),
    ] {
        heads = right(heads, at(end), Role::Faint, word);
    }
    page.line(&heads);
    for group in &target.groups {
        let line = row(page, group, label);
        page.line(&line);
    }
    if target.failed_requests > 0 {
        let words = format!(
            "{} of {} requests of the last minute failed",
            target.failed_requests, target.requests
        );
        page.wrapped("", 2, &[(Role::Marginal, words)]);
    }
    if target.checked_at.is_none() {
        let why = target.unseen.as_ref().map_or_else(String::new, |why| {
            format!(" ({})", clean(why.lines().next().unwrap_or_default()))
        });
        let words =
            format!("The place is out of reach{why}: what is confirmed and ready is not known.");
        page.wrapped("", 2, &[(Role::Marginal, words)]);
    }
}

fn row(page: &Page<'_>, group: &GroupStatus, label: usize) -> Line {
    let at = |column: usize| 2 + label + column;
    let role = match group.role.as_str() {
        "canary" => Role::Canary,
        _ => Role::Faint,
    };
    let traffic = &group.traffic;
    let instances = &group.instances;
    let unknown = "?".to_owned();
    let confirmed = traffic.confirmed;
    let line = Line::new().to(2).add(role, fit(&group.label, label));
    let line = right(line, at(6), Role::Plain, &percent(traffic.asked, 2));
    let same = confirmed.is_some_and(|it| (it - traffic.asked).abs() < 0.005);
    let line = right(
        line,
        at(17),
        if same { Role::Plain } else { Role::Strong },
        &confirmed.map_or_else(|| unknown.clone(), |it| percent(it, 2)),
    );
    let measured = traffic.measured.map(|it| percent(it, 1));
    let line = right(
        line,
        at(27),
        Role::Plain,
        measured.as_deref().unwrap_or(page.sign("·", ".")),
    );
    let line = right(line, at(35), Role::Plain, &instances.asked.to_string());
    let ready = instances.ready;
    let enough = ready.is_some_and(|it| it == instances.asked);
    let line = right(
        line,
        at(42),
        if enough { Role::Plain } else { Role::Strong },
        &ready.map_or(unknown, |it| it.to_string()),
    );
    let mut notes = Vec::new();
    for (health, word) in [
        ("down", "down"),
        ("starting", "starting"),
        ("draining", "draining"),
        ("unknown", "unknown"),
    ] {
        let many = group.trouble.iter().filter(|it| it.health == health);
        match many.count() {
            0 => {}
            many => notes.push(format!("{many} {word}")),
        }
    }
    match instances.restarts {
        0 => {}
        many => notes.push(counted(many as usize, "restart")),
    }
    let room = page.width.saturating_sub(at(44));
    line.add(Role::Plain, "  ")
        .add(Role::Marginal, fit(&notes.join(", "), room.max(8)))
}

pub(super) fn trouble(page: &mut Page<'_>, target: &TargetStatus) {
    for group in &target.groups {
        let mut told: Vec<&InstanceTrouble> = Vec::new();
        for one in group.trouble.iter().filter(|it| !it.last_output.is_empty()) {
            if !told.iter().any(|it| it.last_output == one.last_output) {
                told.push(one);
            }
        }
        for one in told.into_iter().take(TROUBLED) {
            let again = match one.restarts {
                0 => String::new(),
                many => format!(", {}", counted(many as usize, "restart")),
            };
            let words = format!(
                "{} is {}{again}; its last output:",
                clean(&one.id),
                one.health
            );
            page.wrapped("", 2, &[(Role::Marginal, words)]);
            let skipped = one.last_output.len().saturating_sub(OUTPUT);
            for line in one.last_output.iter().skip(skipped) {
                let text = fit(line, page.width.saturating_sub(4));
                page.line(&Line::new().to(4).add(Role::Faint, text));
            }
        }
    }
}
