//! The plain list of executions, and what to do when there is none yet.

use askama::Template;
use coalmine_judges::judgement::Verdict;
use thiserror::Error;

use super::style::{Frame, age, moment};
use crate::executions::request::Kind;
use crate::executions::state::Status;
use crate::store::Head;

/// A page that cannot be made.
#[derive(Debug, Error)]
#[error("cannot make the page: {0}")]
pub struct PageError(pub(super) askama::Error);

/// Which executions the reader wants to see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Only of this application.
    pub application: Option<String>,
    /// Only with this status.
    pub status: Option<Status>,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Which page of the finished ones, from 1.
    pub page: u64,
}

/// All that the list shows.
#[derive(Debug)]
pub struct List<'a> {
    /// What was asked for.
    pub wanted: &'a Wanted,
    /// Those that wait for a person.
    pub stuck: Shown<'a>,
    /// The others that have not ended.
    pub under_way: Shown<'a>,
    /// Those that have ended, one page of them.
    pub finished: Shown<'a>,
    /// How many there are of each status, whatever was asked for.
    pub counts: &'a [(Status, u64)],
    /// A request to begin with, for those who have none yet; `None` without an account.
    pub example: Option<Example>,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub now_ms: i64,
}

/// Executions of one part of the list, newest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown<'a> {
    /// Those that are shown.
    pub heads: &'a [Head],
    /// Whether there are older ones.
    pub more: bool,
}

/// A request to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// A command for a shell.
    pub command: String,
    /// Whether it works as it stands; otherwise names in it must be filled in first.
    pub works: bool,
}

#[derive(Template)]
#[template(path = "list.html", config = "src/ui/askama.toml")]
struct Page<'a> {
    frame: Frame,
    first_use: bool,
    example: Option<&'a Example>,
    heading: String,
    finished: String,
    chips: Vec<Chip>,
    statuses: Vec<Choice>,
    kind: &'static str,
    application: &'a str,
    parts: Vec<Part<'a>>,
    previous: Option<String>,
    next: Option<String>,
}

struct Chip {
    href: String,
    icon: &'static str,
    word: &'static str,
    current: bool,
}

struct Choice {
    value: &'static str,
    word: &'static str,
    current: bool,
}

struct Part<'a> {
    title: &'static str,
    count: String,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    id: &'a str,
    application: &'a str,
    config: &'a str,
    kind: &'static str,
    kind_word: &'static str,
    class: &'static str,
    icon: &'static str,
    word: &'static str,
    sub: String,
    score: Option<String>,
    sentence: &'a str,
    age: String,
    started: String,
}

/// The list as a page.
///
/// # Errors
/// A template that cannot be filled; none is known.
pub fn html(list: &List<'_>) -> Result<String, PageError> {
    let count = |status: Status| {
        let counts = list.counts.iter().filter(|(known, _)| *known == status);
        counts.map(|(_, count)| count).sum::<u64>()
    };
    let total: u64 = list.counts.iter().map(|(_, count)| count).sum();
    let under_way = count(Status::NotStarted) + count(Status::Running);
    let heading = heading(count(Status::Suspended), under_way);
    let page = Page {
        frame: Frame {
            refresh: list.wanted.page <= 1 && under_way > 0,
            is_list: true,
            ..Frame::new("Coalmine, executions", list.now_ms)
        },
        first_use: total == 0,
        example: list.example.as_ref(),
        heading,
        finished: finished(
            count(Status::Succeeded),
            count(Status::Terminal),
            count(Status::Canceled),
        ),
        chips: chips(list.wanted),
        statuses: Status::ALL
            .into_iter()
            .map(|status| Choice {
                value: status.word(),
                word: word(status),
                current: list.wanted.status == Some(status),
            })
            .collect(),
        kind: list.wanted.kind.map_or("", Kind::word),
        application: list.wanted.application.as_deref().unwrap_or_default(),
        parts: parts(list),
        previous: (list.wanted.page > 1).then(|| list.wanted.href(list.wanted.page - 1)),
        next: list
            .finished
            .more
            .then(|| list.wanted.href(list.wanted.page.max(1) + 1)),
    };
    page.render().map_err(PageError)
}

fn heading(stuck: u64, under_way: u64) -> String {
    let stuck = match stuck {
        0 => None,
        1 => Some("1 execution is stuck and waits for you".to_owned()),
        n => Some(format!("{n} executions are stuck and wait for you")),
    };
    let running = match under_way {
        0 => None,
        1 => Some("1 is under way".to_owned()),
        n => Some(format!("{n} are under way")),
    };
    match (stuck, running) {
        (None, None) => "Nothing is under way".to_owned(),
        (Some(stuck), None) => stuck,
        (None, Some(_)) if under_way == 1 => "1 execution is under way".to_owned(),
        (None, Some(_)) => format!("{under_way} executions are under way"),
        (Some(stuck), Some(running)) => format!("{stuck}, {running}"),
    }
}

fn finished(succeeded: u64, terminal: u64, canceled: u64) -> String {
    let were = |count: u64| if count == 1 { "was" } else { "were" };
    match succeeded + terminal + canceled {
        0 => "None has finished yet.".to_owned(),
        all => format!(
            "{all} finished: {succeeded} {} judged to the end, {terminal} stopped early or could not be judged, {canceled} {} called off.",
            were(succeeded),
            were(canceled)
        ),
    }
}

fn chips(wanted: &Wanted) -> Vec<Chip> {
    let kinds = [
        (None, "", "All"),
        (Some(Kind::Canary), "canary", "Canaries"),
        (Some(Kind::Analysis), "analysis", "Analyses"),
    ];
    kinds
        .into_iter()
        .map(|(kind, icon, word)| Chip {
            href: Wanted {
                kind,
                ..wanted.clone()
            }
            .href(1),
            icon,
            word,
            current: wanted.kind == kind,
        })
        .collect()
}

/// The words of the page; those of the API are Kayenta's.
fn word(status: Status) -> &'static str {
    match status {
        Status::NotStarted => "Not started",
        Status::Running => "Running",
        Status::Suspended => "Stuck",
        Status::Succeeded => "Judged to the end",
        Status::Terminal => "Stopped or failed",
        Status::Canceled => "Called off",
    }
}

fn parts<'a>(list: &List<'a>) -> Vec<Part<'a>> {
    let wanted = list.wanted;
    let unfiltered =
        wanted.application.is_none() && wanted.kind.is_none() && wanted.status.is_none();
    let count = |shown: Shown<'_>, statuses: &[Status]| {
        let here = shown.heads.len();
        if !shown.more {
            return here.to_string();
        }
        // They count whatever was asked for.
        let counts = list.counts.iter();
        let all: u64 = counts
            .filter(|(status, _)| statuses.contains(status))
            .map(|(_, count)| count)
            .sum();
        if unfiltered {
            format!("{all}, the newest {here} of them here")
        } else {
            format!("more than {here}, the newest of them here")
        }
    };
    let all = [
        (
            "Waiting for someone",
            list.stuck,
            count(list.stuck, &[Status::Suspended]),
        ),
        (
            "Running",
            list.under_way,
            count(list.under_way, &[Status::NotStarted, Status::Running]),
        ),
        // Its pages follow each other.
        ("Finished", list.finished, String::new()),
    ];
    all.into_iter()
        .filter(|(_, shown, _)| !shown.heads.is_empty())
        .map(|(title, shown, count)| Part {
            title,
            count,
            rows: shown
                .heads
                .iter()
                .map(|head| row(head, list.now_ms))
                .collect(),
        })
        .collect()
}

fn row(head: &Head, now_ms: i64) -> Row<'_> {
    let status = Status::ALL
        .into_iter()
        .find(|status| status.word() == head.status);
    let (class, icon, word, sub) = mark(status.unwrap_or(Status::Running), head.verdict);
    let analysis = head.kind == Kind::Analysis.word();
    Row {
        id: head.id.as_str(),
        application: &head.application,
        config: &head.config_name,
        kind: if analysis { "analysis" } else { "canary" },
        kind_word: if analysis { "Analysis" } else { "Canary" },
        class,
        icon,
        word,
        sub,
        score: head.score.map(shown_score),
        sentence: &head.sentence,
        age: age(head.created_ms, now_ms),
        started: moment(head.created_ms, now_ms),
    }
}

/// At most one decimal, never rounded up to a threshold that was not reached.
fn shown_score(score: f64) -> String {
    let tenths = (score * 10.0).floor() / 10.0;
    if tenths.fract() == 0.0 {
        format!("{tenths:.0}")
    } else {
        format!("{tenths:.1}")
    }
}

/// Class, mark, word, and what stands under the word.
fn mark(
    status: Status,
    verdict: Option<Verdict>,
) -> (&'static str, &'static str, &'static str, String) {
    let so_far = verdict.map(|verdict| format!("{} so far", verdict_mark(verdict).2));
    let so_far = so_far.unwrap_or_default();
    match status {
        Status::NotStarted => ("inconclusive", "queued", "Not started", so_far),
        Status::Running => ("run", "running", "Running", so_far),
        Status::Suspended => ("marginal", "waiting", "Stuck", so_far),
        Status::Canceled => ("inconclusive", "aborted", "Called off", so_far),
        Status::Succeeded | Status::Terminal => match verdict {
            Some(verdict) => {
                let (class, icon, word) = verdict_mark(verdict);
                let early = status == Status::Terminal;
                let sub = if early { "stopped" } else { "" };
                (class, icon, word, sub.to_owned())
            }
            None => ("inconclusive", "inconclusive", "No verdict", String::new()),
        },
    }
}

fn verdict_mark(verdict: Verdict) -> (&'static str, &'static str, &'static str) {
    match verdict {
        Verdict::Pass => ("pass", "pass", "Pass"),
        Verdict::Marginal => ("marginal", "marginal", "Marginal"),
        Verdict::Fail => ("fail", "fail", "Fail"),
        Verdict::Inconclusive => ("inconclusive", "inconclusive", "Inconclusive"),
    }
}

impl Wanted {
    /// The address of a page of the same list.
    fn href(&self, page: u64) -> String {
        let mut parts: Vec<String> = Vec::new();
        if let Some(kind) = self.kind {
            parts.push(format!("kind={}", kind.word()));
        }
        if let Some(status) = self.status {
            parts.push(format!("status={}", status.word()));
        }
        if let Some(application) = &self.application {
            parts.push(format!("application={}", percent(application)));
        }
        if page > 1 {
            parts.push(format!("page={page}"));
        }
        if parts.is_empty() {
            "/".to_owned()
        } else {
            format!("/?{}", parts.join("&"))
        }
    }
}

/// Everything but letters, digits, `-`, `.`, `_` and `~` as `%XX` (RFC 3986, 2.3).
#[must_use]
pub fn percent(text: &str) -> String {
    let mut written = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    written
}
