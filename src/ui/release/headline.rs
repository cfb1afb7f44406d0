//! The line that everything else supports: what happens, and why.

use coalmine_judges::judgement::Verdict;

use super::At;
use super::commands::asked;
use super::next::{next, question};
use super::phases::doing;
use super::status::{Headline, Mark, Outcome, ReleaseState};
use super::times::countdown;
use crate::config::release::spec::Consequence;
use crate::executions::release::decide::Answer;
use crate::executions::release::event::{Cause, Decision, Hold};
use crate::executions::release::state::{Decided, HeldUp};
use crate::executions::state::State;
use crate::stages::Stage;
use crate::stages::operate::Purpose;
use crate::stages::plan::Release;

/// What happens, in one word for programs.
pub(super) fn state(state: &State) -> ReleaseState {
    let release = state.release.as_ref();
    let decided = release.and_then(|it| it.decided.as_ref());
    match (decided, &state.end) {
        (Some(decided), Some(_)) => over(decided.decision),
        (None, Some(_)) => ReleaseState::Refused,
        (decided, None) => {
            if state.stuck.is_some() && state.cancel.is_none() {
                ReleaseState::Stuck
            } else if decided.is_some() {
                match purpose(state) {
                    Some(Purpose::RollBack) => ReleaseState::RollingBack,
                    Some(Purpose::Deploy | Purpose::Promote | Purpose::CleanUp) | None => {
                        ReleaseState::CleaningUp
                    }
                }
            } else if asked(state).is_some() {
                ReleaseState::WaitingForAnswer
            } else if release.is_some_and(|it| it.held().is_some()) {
                ReleaseState::Held
            } else if state.seq <= 1 {
                ReleaseState::NotStarted
            } else {
                ReleaseState::Running
            }
        }
    }
}

fn over(decision: Decision) -> ReleaseState {
    match decision {
        Decision::Promoted => ReleaseState::Promoted,
        Decision::RolledBack => ReleaseState::RolledBack,
        Decision::CalledOff => ReleaseState::CalledOff,
        Decision::Refused => ReleaseState::Refused,
        Decision::Superseded => ReleaseState::Superseded,
    }
}

fn purpose(state: &State) -> Option<Purpose> {
    let stage = state.current()?;
    let operations = state.operations().find(|(place, ..)| *place == stage);
    operations.map(|(_, operate, _)| operate.purpose)
}

/// What became of it, once that is settled.
pub(super) fn outcome(state: &State) -> Option<Outcome> {
    let decided = state.release.as_ref()?.decided.as_ref()?;
    Some(Outcome {
        decision: decision_word(decided.decision).to_owned(),
        cause: cause_word(decided.cause).to_owned(),
        reason: decided.reason.clone(),
        by: decided.by.clone(),
        at: At(decided.at_ms),
        exit_code: exit_code(state, decided),
    })
}

/// The word for programs; never changes.
pub(super) fn decision_word(decision: Decision) -> &'static str {
    match decision {
        Decision::Promoted => "promoted",
        Decision::RolledBack => "rolledBack",
        Decision::CalledOff => "calledOff",
        Decision::Refused => "refused",
        Decision::Superseded => "superseded",
    }
}

/// The word for programs; never changes.
pub(super) fn cause_word(cause: Cause) -> &'static str {
    match cause {
        Cause::Verdict => "verdict",
        Cause::Person => "person",
        Cause::NoAnswer => "noAnswer",
        Cause::NoVerdict => "noVerdict",
        Cause::Operation => "operation",
        Cause::Time => "time",
        Cause::NotAllowed => "notAllowed",
    }
}

/// Of a command that waits for the release.
fn exit_code(state: &State, decided: &Decided) -> u8 {
    match (decided.decision, decided.cause) {
        (Decision::Promoted, _) => 0,
        (Decision::RolledBack, Cause::Verdict) if had_nobody_to_ask(state, decided) => 3,
        (Decision::RolledBack, Cause::Verdict) => 1,
        (Decision::RolledBack, Cause::NoVerdict | Cause::NoAnswer) => 3,
        (Decision::RolledBack, Cause::Operation | Cause::Time) => 4,
        (Decision::RolledBack, Cause::Person | Cause::NotAllowed)
        | (Decision::CalledOff | Decision::Refused | Decision::Superseded, _) => 5,
    }
}

/// Whether the verdict called for a person, and the plan has none: then nobody judged it a failure.
fn had_nobody_to_ask(state: &State, decided: &Decided) -> bool {
    let block = state
        .block_of(decided.stage)
        .or_else(|| state.block_before(decided.stage));
    let verdict = block.and_then(|block| state.answer(block));
    let spec = state.spec();
    verdict
        .zip(spec)
        .is_some_and(|(answer, spec)| spec.on.of(answer.verdict) == Consequence::Ask)
}

/// The line, and what follows.
pub(super) fn headline(state: &State, release: &Release, now: At) -> Headline {
    let decided = state.release.as_ref().and_then(|it| it.decided.as_ref());
    let held = state.release.as_ref().and_then(|it| it.held());
    if let (Some(stuck), None) = (&state.stuck, &state.cancel)
        && state.end.is_none()
    {
        let then = "It cannot go on by itself.".to_owned();
        return line(Mark::Waiting, "Stuck", &stuck.error, then);
    }
    if let Some(decided) = decided {
        return settled(state, decided, held, now);
    }
    if let Some(end) = &state.end {
        return line(Mark::Stopped, "Ended", &end.sentence, String::new());
    }
    if let Some(stage) = asked(state) {
        let then = answer_by(state, now);
        let what = scored(state, release, stage);
        return line(Mark::Waiting, "Waiting for you", &what, then);
    }
    if let Some(held) = held {
        return held_up(held, now);
    }
    running(state, release, now)
}

/// `text` begins with `word`, whether the sentence says it again or not.
fn line(mark: Mark, word: &str, sentence: &str, then: String) -> Headline {
    let mut lines = sentence.lines().map(str::trim_end);
    let first = lines.next().unwrap_or_default();
    let said = first
        .get(..word.len())
        .filter(|start| start.eq_ignore_ascii_case(word));
    let text = match said {
        Some(_) => format!("{word}{}", first.get(word.len()..).unwrap_or_default()),
        None if first.is_empty() => word.to_owned(),
        None => format!("{word}: {first}"),
    };
    Headline {
        mark,
        word: word.to_owned(),
        text,
        then,
        more: lines
            .filter(|line| !line.trim().is_empty())
            .map(str::to_owned)
            .collect(),
    }
}

fn settled(state: &State, decided: &Decided, held: Option<&HeldUp>, now: At) -> Headline {
    let (mark, word, under_way) = match decided.decision {
        Decision::Promoted => (Mark::Pass, "Promoted", "Promoted"),
        Decision::RolledBack => (Mark::Fail, "Rolled back", "Rolling back"),
        Decision::CalledOff => (Mark::Stopped, "Called off", "Called off"),
        Decision::Refused => (Mark::Stopped, "Refused", "Refused"),
        Decision::Superseded => (Mark::Stopped, "Superseded", "Superseded"),
    };
    let at = At(decided.at_ms).second(now);
    if state.end.is_some() {
        let targets = state.request.release.iter().flat_map(|it| &it.targets);
        let tried = targets.into_iter().any(|target| target.canary.is_some());
        let left = match decided.decision {
            Decision::RolledBack | Decision::CalledOff if state.has_touched() => {
                "what was done is taken back, and nothing is left behind"
            }
            Decision::RolledBack | Decision::CalledOff | Decision::Refused => "nothing was touched",
            Decision::Promoted | Decision::Superseded if tried => "baseline and canary are removed",
            Decision::Promoted | Decision::Superseded => "there was no canary to remove",
        };
        return line(
            mark,
            word,
            &decided.reason,
            format!("Decided at {at}; {left}."),
        );
    }
    let then = match (held, purpose(state)) {
        (Some(held), _) => format!(
            "Decided at {at}; {}, it looks again at {}.",
            held.why,
            At(held.until_ms).second(now)
        ),
        (None, Some(Purpose::RollBack)) => {
            format!("Decided at {at}; what was done is being taken back.")
        }
        (None, Some(Purpose::Deploy | Purpose::Promote | Purpose::CleanUp) | None) => {
            format!("Decided at {at}; what it made is being removed.")
        }
    };
    let word = match purpose(state) {
        Some(Purpose::RollBack) => under_way,
        Some(Purpose::Deploy | Purpose::Promote | Purpose::CleanUp) | None => word,
    };
    line(mark, word, &decided.reason, then)
}

fn answer_by(state: &State, now: At) -> String {
    let Some(question) = question(state) else {
        return String::new();
    };
    let ends = question.ends_by.map_or_else(String::new, |ends| {
        format!(", until {}; then it rolls back", ends.moment(now))
    });
    let by = question.deadline.moment(now);
    if question.overdue {
        return format!("The answer was due at {by}. It goes on waiting{ends}.");
    }
    let left = countdown(now.until(question.deadline));
    if question.without_answer == "rollBack" {
        format!("Answer by {by}, {left} left. Without an answer it rolls back.")
    } else {
        format!("Answer by {by}, {left} left. Without an answer it goes on waiting{ends}.")
    }
}

/// `search 5.4.0 scored 86 at 25%, Marginal`.
fn scored(state: &State, release: &Release, stage: usize) -> String {
    let spec = &release.spec;
    let name = format!("{} {}", spec.application, spec.artifact.version);
    let Some(block) = state.block_before(stage) else {
        return format!("{name}, nothing was judged");
    };
    let at = phase_name(state, block.last).map_or_else(String::new, |it| format!(" at {it}"));
    match state.answer(block) {
        Some(Answer {
            verdict,
            score: Some(score),
        }) => format!(
            "{name} scored {}{at}, {}",
            super::layout::score(score),
            verdict.word()
        ),
        Some(Answer { score: None, .. }) | None => {
            format!("{name} has no verdict{at}")
        }
    }
}

fn phase_name(state: &State, stage: usize) -> Option<&str> {
    let phases = &state.request.phases;
    let phase = phases.iter().rfind(|phase| phase.first <= stage)?;
    Some(phase.name.as_str())
}

fn held_up(held: &HeldUp, now: At) -> Headline {
    let word = match held.hold {
        Hold::Lock => "Held by another release",
        Hold::Window => "Held by a deployment window",
        Hold::Guard => "Held by the traffic guard",
        Hold::Driver => "Held up",
        Hold::NotComparable => "Not comparable yet",
    };
    let then = format!(
        "Since {}; it looks again at {}.",
        At(held.since_ms).moment(now),
        At(held.until_ms).second(now)
    );
    line(Mark::Waiting, word, &held.why, then)
}

fn running(state: &State, release: &Release, now: At) -> Headline {
    let spec = &release.spec;
    let name = format!("{} {}", spec.application, spec.artifact.version);
    let Some(stage) = state.current() else {
        return line(Mark::Running, "Ending", &name, String::new());
    };
    if state.seq <= 1 {
        return line(
            Mark::Running,
            "Accepted",
            &name,
            "It begins within a second.".to_owned(),
        );
    }
    let at = phase_name(state, stage).map_or_else(String::new, |it| format!(" at {it}"));
    match state.request.stages.get(stage) {
        Some(Stage::Operate(operate)) => {
            let what = phase_name(state, stage).map_or_else(String::new, |it| format!(", {it}"));
            let word = doing(operate.purpose);
            line(Mark::Running, word, &format!("{name}{what}"), String::new())
        }
        Some(Stage::Wait(wait)) => {
            let until = next(state).map_or_else(String::new, |next| {
                format!(" until {}", next.at.moment(now))
            });
            let what = format!("{name}{at}, {}{until}", lower(&wait.name));
            line(Mark::Running, "Waiting", &what, String::new())
        }
        Some(Stage::Analyze(analyze)) => {
            let block = state.block_of(stage);
            let so_far = block.and_then(|block| {
                let earlier = state
                    .analyses()
                    .filter(|(it, _)| it.number < analyze.number);
                let first = match state.request.stages.get(block.first) {
                    Some(Stage::Analyze(first)) => first.number,
                    Some(Stage::Wait(_) | Stage::Approve(_) | Stage::Operate(_)) | None => 0,
                };
                let mut outcomes = earlier
                    .filter(|(it, _)| it.number >= first)
                    .filter_map(|(_, at)| at.outcome());
                outcomes.next_back()
            });
            let what = match so_far {
                Some(outcome) => format!(
                    "{name} scored {}{at}, {}",
                    super::layout::score(outcome.score),
                    outcome.verdict.word()
                ),
                None => format!("{name}{at}, not judged yet"),
            };
            let mut it = line(Mark::Running, "Judging", &what, String::new());
            if let Some(outcome) = so_far
                && outcome.verdict != Verdict::Pass
            {
                it.then.clone_from(&outcome.headline);
            }
            it
        }
        Some(Stage::Approve(_)) | None => line(Mark::Running, "Going on", &name, String::new()),
    }
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}
