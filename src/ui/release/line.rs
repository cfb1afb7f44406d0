//! What changed since the last look, for a log: one line for each change, words first, then `name=value`.

use super::At;
use super::status::{JudgementStatus, PhaseState, PhaseStatus, ReleaseStatus};
use crate::model::clean::clean;

/// The lines for what `now` has and `before` had not, in the order in which it happened; without `before` everything so far.
#[must_use]
pub fn lines(before: Option<&ReleaseStatus>, now: &ReleaseStatus) -> Vec<String> {
    let mut lines: Vec<(At, String)> = Vec::new();
    let mut tell = |at: At, what: String| lines.push((at, what));
    if before.is_none() {
        let mut what = format!("release to={}", quoted(&now.to_version));
        if let Some(from) = &now.from_version {
            what.push_str(&format!(" from={}", quoted(from)));
        }
        tell(now.created_at, what);
    }
    for (place, phase) in now.phases.iter().enumerate() {
        let known = before.and_then(|it| it.phases.get(place));
        for one in &phase.judgements {
            let told = known
                .and_then(|it| it.judgements.iter().find(|it| it.number == one.number))
                .is_some_and(|it| it.at.is_some());
            if let Some(at) = one.at.filter(|_| !told) {
                tell(at, format!("{} {}", slug(phase), judgement(one, now)));
            }
        }
        let is_on = |it: &PhaseStatus| match it.state {
            PhaseState::Running | PhaseState::Waiting => true,
            PhaseState::Done | PhaseState::Later | PhaseState::Stopped | PhaseState::PassedOver => {
                false
            }
        };
        if is_on(phase) && !known.is_some_and(is_on) {
            tell(now.now, format!("{} started", slug(phase)));
        }
    }
    let phase = current(now);
    let operation = |it: &ReleaseStatus| {
        let it = it.operation.as_ref()?;
        Some((it.sentence.clone(), it.failures, it.trouble.clone()))
    };
    if let Some((sentence, failures, trouble)) = operation(now)
        && before.and_then(operation).as_ref()
            != Some(&(sentence.clone(), failures, trouble.clone()))
    {
        let mut what = format!("{phase} operation={}", quoted(&sentence));
        if let Some(trouble) = trouble {
            what.push_str(&format!(" failed={failures} why={}", quoted(&trouble)));
        }
        tell(now.now, what);
    }
    if let Some(held) = &now.held_by {
        let same = |it: &ReleaseStatus| {
            let before = it.held_by.as_ref();
            before.is_some_and(|it| it.hold == held.hold && it.why == held.why)
        };
        if !before.is_some_and(same) {
            let (by, why) = (&held.hold, quoted(&held.why));
            tell(held.since, format!("{phase} held={by} why={why}"));
        }
    } else if before.is_some_and(|it| it.held_by.is_some()) {
        tell(now.now, format!("{phase} goes-on"));
    }
    if let Some(asked) = &now.question {
        let before = before.and_then(|it| it.question.as_ref());
        let who = if asked.who.is_empty() {
            "anybody".to_owned()
        } else {
            asked.who.join(",")
        };
        let then = if asked.without_answer == "rollBack" {
            "rollback"
        } else {
            "wait"
        };
        if before.is_none_or(|it| it.asked_at != asked.asked_at) {
            let what = format!(
                "decision asked={} deadline={} on-deadline={then}",
                quoted(&who),
                asked.deadline.stamp()
            );
            tell(asked.asked_at, what);
        } else if asked.overdue && before.is_some_and(|it| !it.overdue) {
            tell(now.now, "decision overdue".to_owned());
        }
    }
    if let Some(outcome) = &now.outcome
        && before.is_none_or(|it| it.outcome.is_none())
    {
        let mut what = format!(
            "decided={} cause={} reason={}",
            outcome.decision,
            outcome.cause,
            quoted(&outcome.reason)
        );
        if let Some(by) = &outcome.by {
            what.push_str(&format!(" by={}", quoted(by)));
        }
        tell(outcome.at, what);
    }
    if let Some(ended) = now.ended_at
        && before.is_none_or(|it| it.ended_at.is_none())
    {
        tell(ended, "ended".to_owned());
    }
    lines.sort_by_key(|(at, _)| *at);
    let (application, id) = (clean(&now.application), &now.short_id);
    lines
        .into_iter()
        .map(|(at, what)| format!("{} {application} {id} {what}", at.stamp()))
        .collect()
}

/// The phase that is at work, for the start of a line.
fn current(now: &ReleaseStatus) -> String {
    let phase = now.phases.iter().find(|it| match it.state {
        PhaseState::Running | PhaseState::Waiting => true,
        PhaseState::Done | PhaseState::Later | PhaseState::Stopped | PhaseState::PassedOver => {
            false
        }
    });
    phase.map_or_else(|| "release".to_owned(), slug)
}

fn judgement(one: &JudgementStatus, now: &ReleaseStatus) -> String {
    let mut what = format!("judgement={}", one.number);
    if let Some(target) = &one.target {
        what.push_str(&format!(" target={}", quoted(target)));
    }
    if let Some(failure) = &one.failure {
        what.push_str(&format!(" failed={}", quoted(failure)));
        return what;
    }
    if let Some(verdict) = &one.verdict {
        what.push_str(&format!(" verdict={}", verdict.to_lowercase()));
    }
    if let Some(score) = one.score {
        what.push_str(&format!(" score={}", super::layout::score(score)));
    }
    if now.worst_of == Some(one.number) {
        for (word, name) in [("High", "high"), ("Low", "low")] {
            let of = now.worst.iter().filter(|it| it.result == word);
            let names: Vec<&str> = of.map(|it| it.name.as_str()).collect();
            if !names.is_empty() {
                what.push_str(&format!(" {name}={}", quoted(&names.join(","))));
            }
        }
    }
    what
}

/// `canary-25`, `promote-50`, `clean-up`.
fn slug(phase: &PhaseStatus) -> String {
    let name = phase.name.to_lowercase();
    let name: String = name
        .chars()
        .filter(|c| *c != '%')
        .map(|c| if c.is_whitespace() { '-' } else { c })
        .collect();
    let name = clean(&name);
    match (phase.name.ends_with('%'), phase.purpose.as_deref()) {
        (true, Some("promote")) => format!("promote-{name}"),
        (true, _) => format!("canary-{name}"),
        (false, _) => name,
    }
}

/// A value that can be told from what follows it.
fn quoted(text: &str) -> String {
    let text = clean(&text.replace('\n', " / "));
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-+%:/@,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
