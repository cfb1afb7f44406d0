//! A notice in words, for Slack and mail.

use std::fmt::Write as _;

use crate::model::clean::clean;
use crate::model::release::notice::{Notice, NoticeEvent};

/// The notice as plain text: the sentence first, then what it rests on, then what can be done.
#[must_use]
pub fn text(notice: &Notice) -> String {
    let mut text = clean(&notice.title);
    let mut line = |words: std::fmt::Arguments<'_>| {
        // A `String` takes everything.
        let _ = write!(text, "\n{words}");
    };
    line(format_args!(
        "{}, release {}, {}",
        clean(&notice.application),
        notice.execution,
        notice.at
    ));
    match (notice.verdict, notice.score) {
        (Some(verdict), Some(score)) => {
            line(format_args!(
                "Verdict: {}, score {score:.0}",
                verdict.word()
            ));
        }
        (Some(verdict), None) => line(format_args!("Verdict: {}", verdict.word())),
        (None, Some(_) | None) => {}
    }
    if let Some(by) = &notice.by {
        line(format_args!("By: {}", clean(by)));
    }
    if let Some(deadline) = &notice.deadline {
        line(format_args!("Answer by {deadline}"));
    }
    for command in &notice.answer_commands {
        line(format_args!("  {}", clean(command)));
    }
    if let Some(report) = &notice.report {
        line(format_args!("Report: {}", clean(report)));
    }
    text
}

/// The subject of a mail: one line, at most 120 characters.
#[must_use]
pub fn subject(notice: &Notice) -> String {
    let what = match notice.event {
        NoticeEvent::Decided => "decided",
        NoticeEvent::Asked => "waits for you",
        NoticeEvent::HeldUp => "held up",
        NoticeEvent::Stuck => "stuck",
    };
    let whole = format!(
        "[coalmine] {}, {what}: {}",
        clean(&notice.application),
        clean(&notice.title)
    );
    if whole.chars().count() <= 120 {
        return whole;
    }
    let cut: String = whole.chars().take(119).collect();
    format!("{}…", cut.trim_end())
}
