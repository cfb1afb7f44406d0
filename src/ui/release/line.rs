//! What happened to a release, for a log: one line for each event of its journal, words first, then `name=value`. A fold over the
//! journal alone: who begins later or was away meanwhile writes the same lines.

use serde::Deserialize;

use super::At;
use super::layout::score;
use super::status::short_id;
use crate::config::release::spec::WithoutAnswer;
use crate::executions::event::Event;
use crate::executions::release::event::{Hold, ReleaseEvent};
use crate::executions::request::Request;
use crate::executions::state::State;
use crate::model::clean::clean;
use crate::model::ids::ExecutionId;
use crate::stages::analyze::Analyze;
use crate::stages::operate::{Purpose, StepState};
use crate::stages::{Stage, StageState};

/// One event of a journal, as a service tells it to who follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Its number, from 1.
    pub seq: u64,
    /// When it was written.
    pub at: At,
    /// What it is called.
    pub word: String,
    /// What it is; `None` where a newer service wrote what is not known here.
    pub event: Option<Event>,
}

/// The data of one message of the stream.
#[derive(Deserialize)]
struct Data {
    seq: u64,
    at: At,
    event: serde_json::Value,
}

impl Told {
    /// Reads the data of a message that is called `word`; `None` where it is no event of a journal.
    #[must_use]
    pub fn read(word: &str, data: &str) -> Option<Self> {
        let data: Data = serde_json::from_str(data).ok()?;
        Some(Self {
            seq: data.seq,
            at: data.at,
            word: word.to_owned(),
            event: serde_json::from_value(data.event).ok(),
        })
    }
}

/// Writes the lines of one release, event after event.
#[derive(Debug)]
pub struct Log {
    id: ExecutionId,
    /// After the last event; `None` before the first, and where one could not be understood.
    state: Option<State>,
    last: u64,
}

impl Log {
    /// Nothing was told yet of release `id`.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self {
            id: ExecutionId::new(id),
            state: None,
            last: 0,
        }
    }

    /// Number of the last event that was told.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The line for the next event. Nothing for one that was told before, and for one that a log needs no line for.
    pub fn tell(&mut self, told: &Told) -> Option<String> {
        let Told {
            seq,
            at,
            word,
            event,
        } = told;
        let (seq, at) = (*seq, *at);
        if seq <= self.last {
            return None;
        }
        self.last = seq;
        let before = self.state.take();
        let what = match (before, event.as_ref()) {
            (None, Some(Event::Accepted { request })) => {
                self.state = Some(State::accepted(self.id.clone(), request.clone(), at.0));
                Some(accepted(request))
            }
            (Some(before), Some(event)) => match before.clone().apply(event, at.0) {
                Ok(after) => {
                    let what = words(&before, &after, event, at);
                    self.state = Some(after);
                    what
                }
                Err(_) => Some(format!("release event={word}")),
            },
            (None, _) | (_, None) => Some(format!("release event={word}")),
        }?;
        let application = self.state.as_ref().map(|it| &it.request.application);
        let application = application.map_or_else(String::new, |it| format!("{} ", clean(it)));
        let id = short_id(self.id.as_str());
        Some(format!("{} {application}{id} {what}", at.stamp()))
    }
}

fn accepted(request: &Request) -> String {
    let Some(release) = &request.release else {
        return "accepted".to_owned();
    };
    let mut what = format!("release to={}", quoted(&release.spec.artifact.version));
    let from = release.targets.iter().find_map(|it| it.previous.first());
    if let Some(from) = from {
        what.push_str(&format!(" from={}", quoted(&from.artifact.version)));
    }
    if let Some(user) = &request.user {
        what.push_str(&format!(" by={}", quoted(user)));
    }
    what
}

fn words(before: &State, after: &State, event: &Event, at: At) -> Option<String> {
    Some(match event {
        // That series are being fetched, and that they are there, says no more than the judgement that follows.
        Event::Accepted { .. } | Event::CollectionStarted { .. } | Event::Collected { .. } => {
            return None;
        }
        Event::WaitStarted { stage } => {
            let Some(Stage::Wait(wait)) = before.request.stages.get(*stage) else {
                return None;
            };
            let until = At(wait.ends_ms(at.0)).stamp();
            let name = quoted(&wait.name);
            format!("{} wait={name} until={until}", phase(before, *stage))
        }
        Event::WaitEnded { stage } => {
            let Some(Stage::Wait(wait)) = before.request.stages.get(*stage) else {
                return None;
            };
            format!("{} wait={} over", phase(before, *stage), quoted(&wait.name))
        }
        Event::CollectionFailed { stage, failures } => {
            let why = failures.first().map_or("", |it| it.message.as_str());
            format!("{} failed={}", judgement(before, *stage), quoted(why))
        }
        Event::JudgingFailed { stage, failure } => format!(
            "{} failed={}",
            judgement(before, *stage),
            quoted(&failure.message)
        ),
        Event::Judged { stage, outcome } => {
            let mut what = format!(
                "{} verdict={} score={}",
                judgement(before, *stage),
                outcome.verdict.word().to_lowercase(),
                score(outcome.score)
            );
            if !outcome.headline.is_empty() {
                what.push_str(&format!(" why={}", quoted(&outcome.headline)));
            }
            what
        }
        Event::CancelRequested { by, reason } => said("release abort", by, reason),
        Event::GotStuck { stage, error } => {
            format!("{} stuck={}", phase(before, *stage), quoted(error))
        }
        Event::Resumed { by } => said("release resumed", by, ""),
        Event::Release(event) => return of_release(before, after, event, at),
        Event::Ended { sentence, .. } => match is_decided(before) {
            // The decision said it.
            true => "release ended".to_owned(),
            false => format!("release ended reason={}", quoted(sentence)),
        },
    })
}

fn of_release(before: &State, after: &State, event: &ReleaseEvent, at: At) -> Option<String> {
    Some(match event {
        ReleaseEvent::LocksTaken { fencing } => {
            let names: Vec<&str> = fencing.keys().map(String::as_str).collect();
            format!(
                "{} locked={}{}",
                current(before),
                quoted(&names.join(",")),
                held_for(before, at)
            )
        }
        ReleaseEvent::LockLost { lock, holder } => format!(
            "release lost-lock={} to={}",
            quoted(lock),
            quoted(short_id(holder))
        ),
        ReleaseEvent::HeldUp {
            hold,
            why,
            until_ms,
            step,
        } => {
            let release = before.release.as_ref();
            let known = release.and_then(|it| match step {
                Some(step) => it.held_steps.get(step),
                None => it.held_up.as_ref(),
            });
            // It looked again, and nothing had changed.
            if known.is_some_and(|it| it.hold == *hold && it.why == *why) {
                return None;
            }
            format!(
                "{} held={} why={} looks-again={}",
                current(before),
                held_word(*hold),
                quoted(why),
                At(*until_ms).stamp()
            )
        }
        ReleaseEvent::StepsSettled { stage, steps } => {
            // Nothing was done that would have to be taken back, or to be removed.
            if steps.is_empty() {
                return None;
            }
            let many = steps.len();
            format!("{} begins operations={many}", phase(before, *stage))
        }
        ReleaseEvent::OperationIntended {
            stage, step, guard, ..
        } => {
            let again = matches!(at_step(before, *stage, *step), Some(it) if !matches!(it, StepState::Waiting));
            let word = if again { "again" } else { "begun" };
            let mut what = format!("{} {word}", operation(before, *stage, *step));
            if !guard.is_empty() {
                what.push_str(&format!(" guard={}", quoted(guard)));
            }
            what.push_str(&held_for(before, at));
            what
        }
        ReleaseEvent::OperationDone { stage, step } => {
            let took = match at_step(after, *stage, *step) {
                Some(StepState::Done { since_ms, at_ms }) => {
                    format!(" took={}", secs(At(*since_ms).until(At(*at_ms))))
                }
                Some(
                    StepState::Waiting | StepState::Intended { .. } | StepState::Failed { .. },
                )
                | None => String::new(),
            };
            format!("{} done{took}", operation(before, *stage, *step))
        }
        ReleaseEvent::OperationFailed {
            stage,
            step,
            why,
            again_ms,
        } => {
            let then = match again_ms {
                Some(again_ms) => format!(" again={}", At(*again_ms).stamp()),
                None => " given-up".to_owned(),
            };
            let name = operation(before, *stage, *step);
            format!("{name} failed={}{then}", quoted(why))
        }
        ReleaseEvent::WindowOpened {
            stage,
            until_ms,
            differences,
            ..
        } => {
            let mut what = format!(
                "{} begun until={}{}",
                judgement(before, *stage),
                At(*until_ms).stamp(),
                held_for(before, at)
            );
            if !differences.is_empty() {
                what.push_str(&format!(" differ={}", quoted(&differences.join("; "))));
            }
            what
        }
        ReleaseEvent::LookedAgain { stage, trouble } => {
            let found = match trouble {
                Some(trouble) => quoted(trouble),
                None => "well".to_owned(),
            };
            format!("{} late canary={found}", judgement(before, *stage))
        }
        ReleaseEvent::NotAsked { .. } => "decision not-asked".to_owned(),
        ReleaseEvent::Asked { stage, deadline_ms } => {
            let Some(Stage::Approve(approve)) = before.request.stages.get(*stage) else {
                return None;
            };
            let who = match approve.who.as_slice() {
                [] => "anybody".to_owned(),
                who => who.join(","),
            };
            let then = match approve.without_answer {
                WithoutAnswer::RollBack => "rollback",
                WithoutAnswer::KeepWaiting => "wait",
            };
            format!(
                "decision asked={} deadline={} on-deadline={then}",
                quoted(&who),
                At(*deadline_ms).stamp()
            )
        }
        ReleaseEvent::Answered {
            choice, by, reason, ..
        } => said(&format!("decision answer={}", choice.word()), by, reason),
        ReleaseEvent::AnswerOverdue { .. } => "decision overdue".to_owned(),
        ReleaseEvent::RollbackRequested { by, reason } => said("release rollback", by, reason),
        ReleaseEvent::Decided {
            decision,
            cause,
            reason,
            by,
        } => {
            let mut what = format!(
                "decided={} cause={} reason={}",
                super::headline::decision_word(*decision),
                super::headline::cause_word(*cause),
                quoted(reason)
            );
            if let Some(by) = by {
                what.push_str(&format!(" by={}", quoted(by)));
            }
            what
        }
    })
}

/// ` held-for=12s` where something held it up until now.
fn held_for(before: &State, at: At) -> String {
    let held = before.release.as_ref().and_then(|it| it.held_up.as_ref());
    held.map_or_else(String::new, |held| {
        let held_ms = At(held.since_ms).until(at);
        format!(
            " held-by={} held-for={}",
            held_word(held.hold),
            secs(held_ms)
        )
    })
}

fn held_word(hold: Hold) -> String {
    hold.word().replace(' ', "-")
}

/// `0.4s`.
fn secs(ms: u64) -> String {
    format!("{}.{}s", ms / 1000, ms % 1000 / 100)
}

fn said(what: &str, by: &str, reason: &str) -> String {
    let mut text = format!("{what} by={}", quoted(by));
    if !reason.is_empty() {
        text.push_str(&format!(" reason={}", quoted(reason)));
    }
    text
}

fn is_decided(state: &State) -> bool {
    let release = state.release.as_ref();
    release.is_some_and(|it| it.decided.is_some())
}

fn at_step(state: &State, stage: usize, step: usize) -> Option<&StepState> {
    match state.stages.get(stage)? {
        StageState::Operate(at) => at.at.get(step),
        StageState::Wait(_) | StageState::Analyze(_) | StageState::Approve(_) => None,
    }
}

/// `canary-25 2/3 operation="Resize search-canary-v232"`.
fn operation(state: &State, stage: usize, step: usize) -> String {
    let steps = match state.stages.get(stage) {
        Some(StageState::Operate(at)) => at.steps.as_deref().unwrap_or_default(),
        Some(StageState::Wait(_) | StageState::Analyze(_) | StageState::Approve(_)) | None => &[],
    };
    let name = steps.get(step).map_or("", |step| step.sentence.as_str());
    format!(
        "{} {}/{} operation={}",
        phase(state, stage),
        step + 1,
        steps.len(),
        quoted(name)
    )
}

/// `canary-25 judgement=4`, with the target where there are several.
fn judgement(state: &State, stage: usize) -> String {
    let Some(Stage::Analyze(Analyze {
        number, comparison, ..
    })) = state.request.stages.get(stage)
    else {
        return phase(state, stage);
    };
    let mut what = format!("{} judgement={number}", phase(state, stage));
    let targets = state.request.release.as_ref().map(|it| &it.targets);
    if let Some(targets) = targets.filter(|it| it.len() > 1)
        && let Some(of) = comparison.as_ref().and_then(|it| targets.get(it.target))
    {
        what.push_str(&format!(" target={}", quoted(&of.name)));
    }
    what
}

/// The part that is at work.
fn current(state: &State) -> String {
    state
        .current()
        .map_or_else(|| "release".to_owned(), |stage| phase(state, stage))
}

/// The part that a stage belongs to: `canary-25`, `promote-50`, `clean-up`.
fn phase(state: &State, stage: usize) -> String {
    let phases = &state.request.phases;
    let Some(place) = phases.iter().rposition(|phase| phase.first <= stage) else {
        return "release".to_owned();
    };
    let name = phases.get(place).map_or("", |phase| phase.name.as_str());
    let first = phases.get(place).map_or(0, |phase| phase.first);
    let end = phases.get(place + 1).map_or(usize::MAX, |next| next.first);
    let promotes = state
        .operations()
        .any(|(at, operate, _)| (first..end).contains(&at) && operate.purpose == Purpose::Promote);
    let slug: String = name
        .to_lowercase()
        .chars()
        .filter(|c| *c != '%')
        .map(|c| if c.is_whitespace() { '-' } else { c })
        .collect();
    let slug = clean(&slug);
    match (name.ends_with('%'), promotes) {
        (true, true) => format!("promote-{slug}"),
        (true, false) => format!("canary-{slug}"),
        (false, _) => slug,
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
