//! A list of releases: what each is, as data, and all of them for a terminal.

use coalmine_reports::terminal::{Line, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::At;
use super::layout::{Page, Style, fit};
use super::status::{Mark, ReleaseState, short_id};
use super::times::age;
use super::{headline, status::ReleaseStatus};
use crate::executions::state::State;
use crate::model::clean::clean;

/// What a list has of a release, beside what it has of every execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseSummary {
    /// The end of the id, as people write it.
    pub short_id: String,
    /// The version that served before; absent at a first deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_version: Option<String>,
    /// The version that is released.
    pub to_version: String,
    /// What happens, in one word for programs.
    pub state: ReleaseState,
    /// Who started it, as the client says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

impl ReleaseSummary {
    /// What a list has of a release; `None` for another execution.
    #[must_use]
    pub fn of(state: &State) -> Option<Self> {
        let release = state.request.release.as_ref()?;
        Some(Self {
            short_id: short_id(state.id.as_str()).to_owned(),
            from_version: ReleaseStatus::from_version(release),
            to_version: release.spec.artifact.version.clone(),
            state: headline::state(state),
            user: state.request.user.clone(),
        })
    }
}

/// One release of a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The application.
    pub application: String,
    /// One sentence on where it stands.
    pub sentence: String,
    /// When it was accepted.
    pub created_at: At,
    /// What only releases have.
    #[serde(flatten)]
    pub release: ReleaseSummary,
}

/// Spaces between two columns.
const GAP: usize = 2;
/// Columns of a name are not cut to less.
const LEAST: usize = 8;

/// All rows as text, ending with a line break: for each one line of columns, and its sentence below.
#[must_use]
pub fn write(rows: &[Row], now: At, style: &Style) -> String {
    if rows.is_empty() {
        return "There are no releases.\n".to_owned();
    }
    let mut page = Page::new(style);
    let cells: Vec<[String; 6]> = rows.iter().map(|row| cells(&page, row, now)).collect();
    let heads = [
        "Release",
        "Application",
        "Version",
        "State",
        "Started, UTC",
        "Age",
    ];
    let mut widths = heads.map(|head| head.chars().count());
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    // Where there is no room, names are cut, the longer one first.
    let room = page.width.saturating_sub(GAP * (widths.len() - 1));
    while widths.iter().sum::<usize>() > room {
        let longer = if widths[1] > widths[2] { 1 } else { 2 };
        if widths[longer] <= LEAST {
            break;
        }
        widths[longer] -= 1;
    }
    let line = |roles: [Role; 6], texts: &[String; 6]| {
        let mut line = Line::new();
        let mut at = 0;
        for ((role, text), width) in roles.into_iter().zip(texts).zip(widths) {
            line = line.to(at).add(role, fit(text, width));
            at += width + GAP;
        }
        line
    };
    page.line(&line([Role::Faint; 6], &heads.map(str::to_owned)));
    for (row, cells) in rows.iter().zip(&cells) {
        let (role, _) = page.mark(mark(row.release.state));
        let id = if row.release.state.is_over() {
            Role::Plain
        } else {
            Role::Strong
        };
        let roles = [id, id, Role::Plain, role, Role::Faint, Role::Faint];
        page.line(&line(roles, cells));
        let sentence = clean(row.sentence.lines().next().unwrap_or_default());
        // The state says that already.
        let begins = format!("{}: ", word(row.release.state));
        let sentence = sentence
            .strip_prefix(&begins)
            .unwrap_or(&sentence)
            .to_owned();
        if !sentence.is_empty() {
            page.wrapped("", widths[0] + GAP, &[(Role::Faint, sentence)]);
        }
    }
    page.finish()
}

fn cells(page: &Page<'_>, row: &Row, now: At) -> [String; 6] {
    let release = &row.release;
    let to = clean(&release.to_version);
    let versions = match &release.from_version {
        Some(from) => format!("{} {} {to}", clean(from), page.arrow()),
        None => to,
    };
    let (_, sign) = page.mark(mark(release.state));
    [
        clean(&release.short_id),
        clean(&row.application),
        versions,
        format!("{sign} {}", word(release.state)),
        row.created_at.second(now),
        age(row.created_at.until(now)),
    ]
}

fn mark(state: ReleaseState) -> Mark {
    match state {
        ReleaseState::Promoted => Mark::Pass,
        ReleaseState::RolledBack | ReleaseState::RollingBack => Mark::Fail,
        ReleaseState::CalledOff | ReleaseState::Refused | ReleaseState::Superseded => Mark::Stopped,
        ReleaseState::WaitingForAnswer | ReleaseState::Held | ReleaseState::Stuck => Mark::Waiting,
        ReleaseState::NotStarted | ReleaseState::Running | ReleaseState::CleaningUp => {
            Mark::Running
        }
    }
}

fn word(state: ReleaseState) -> &'static str {
    match state {
        ReleaseState::NotStarted => "accepted",
        ReleaseState::Running => "running",
        ReleaseState::WaitingForAnswer => "waits for an answer",
        ReleaseState::Held => "held up",
        ReleaseState::Stuck => "stuck",
        ReleaseState::RollingBack => "rolling back",
        ReleaseState::CleaningUp => "cleaning up",
        ReleaseState::Promoted => "promoted",
        ReleaseState::RolledBack => "rolled back",
        ReleaseState::CalledOff => "called off",
        ReleaseState::Refused => "refused",
        ReleaseState::Superseded => "superseded",
    }
}
