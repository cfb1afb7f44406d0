//! What is told of a release to people outside: one notice for each piece of news, made from the event that is the news. Pure.

use super::event::ReleaseEvent;
use crate::config::server::notify::Channel;
use crate::executions::event::Event;
use crate::executions::state::State;
use crate::model::release::notice::{Notice, NoticeEvent, VERSION, moment};
use crate::stages::Stage;
use crate::store::Message;

/// The news in an event that was written at `state.updated_ms` and led to `state`; `None` where there is none.
#[must_use]
pub fn notice(state: &State, event: &Event) -> Option<Notice> {
    let spec = state.spec()?;
    let version = &spec.artifact.version;
    let name = format!("{} {version}", state.request.application);
    let outcome = state.last_outcome();
    let base = |event: NoticeEvent, title: String| Notice {
        version: VERSION,
        execution: state.id.clone(),
        application: state.request.application.clone(),
        event,
        title,
        decision: None,
        cause: None,
        by: None,
        verdict: outcome.map(|(_, outcome)| outcome.verdict),
        score: outcome.map(|(_, outcome)| outcome.score),
        report: outcome.map(|(analyze, _)| format!("/reports/{}", state.judgement_name(analyze))),
        deadline: None,
        answer_commands: Vec::new(),
        at: moment(state.updated_ms),
    };
    match event {
        Event::Release(ReleaseEvent::Decided {
            decision,
            cause,
            reason,
            by,
        }) => Some(Notice {
            decision: Some(word(decision)),
            cause: Some(word(cause)),
            by: by.clone(),
            ..base(
                NoticeEvent::Decided,
                format!("{name} {}: {reason}", decision.words()),
            )
        }),
        Event::Release(ReleaseEvent::Asked { stage, deadline_ms }) => {
            let asked = match state.request.stages.get(*stage) {
                Some(Stage::Approve(approve)) => approve.instructions.as_str(),
                Some(Stage::Wait(_) | Stage::Analyze(_) | Stage::Operate(_)) | None => "",
            };
            let mut title = format!(
                "{name} waits for an answer: {}",
                state.answer_before(*stage)
            );
            if !asked.is_empty() {
                title = format!("{title}; {asked}");
            }
            let id = &state.id;
            Some(Notice {
                deadline: Some(moment(*deadline_ms)),
                answer_commands: vec![
                    format!("coalmine release approve {id}"),
                    format!("coalmine release approve {id} --reject"),
                ],
                ..base(NoticeEvent::Asked, title)
            })
        }
        Event::Release(ReleaseEvent::HeldUp {
            hold, why, step, ..
        }) => {
            // Once for each cause; looking again is no news. By its number and not by its time: many events share one while a
            // clock that was turned back catches up.
            let release = state.release.as_ref()?;
            let held = match step {
                Some(step) => release.held_steps.get(step),
                None => release.held_up.as_ref(),
            }?;
            (held.since_seq == state.seq).then(|| Notice {
                cause: Some(word(hold)),
                ..base(NoticeEvent::HeldUp, format!("{name} is held up: {why}"))
            })
        }
        Event::GotStuck { error, .. } => Some(base(
            NoticeEvent::Stuck,
            format!("{name} is stuck: {error}"),
        )),
        Event::Accepted { .. }
        | Event::WaitStarted { .. }
        | Event::WaitEnded { .. }
        | Event::CollectionStarted { .. }
        | Event::Collected { .. }
        | Event::CollectionFailed { .. }
        | Event::Judged { .. }
        | Event::JudgingFailed { .. }
        | Event::CancelRequested { .. }
        | Event::Resumed { .. }
        | Event::Ended { .. }
        | Event::Release(
            ReleaseEvent::LocksTaken { .. }
            | ReleaseEvent::LockLost { .. }
            | ReleaseEvent::StepsSettled { .. }
            | ReleaseEvent::OperationIntended { .. }
            | ReleaseEvent::OperationDone { .. }
            | ReleaseEvent::OperationFailed { .. }
            | ReleaseEvent::WindowOpened { .. }
            | ReleaseEvent::LookedAgain { .. }
            | ReleaseEvent::NotAsked { .. }
            | ReleaseEvent::Answered { .. }
            | ReleaseEvent::AnswerOverdue { .. }
            | ReleaseEvent::RollbackRequested { .. },
        ) => None,
    }
}

/// The messages that tell of an event, one for each channel that wants it. The decision has one key for the whole release, so
/// that there is one message a channel, whatever happens.
#[must_use]
pub fn messages(state: &State, event: &Event, channels: &[Channel]) -> Vec<Message> {
    let Some(notice) = notice(state, event) else {
        return Vec::new();
    };
    let Ok(body) = notice.to_json() else {
        return Vec::new();
    };
    let which = match notice.event {
        NoticeEvent::Decided => String::new(),
        NoticeEvent::Asked | NoticeEvent::HeldUp | NoticeEvent::Stuck => {
            format!("-{}", state.seq)
        }
    };
    channels
        .iter()
        .filter(|channel| channel.wants(notice.event, &notice.application))
        .map(|channel| Message {
            key: format!(
                "{}-{}{which}-{}",
                state.id,
                notice.event.word(),
                channel.name
            ),
            execution: state.id.clone(),
            channel: channel.name.clone(),
            body: body.clone(),
            created_ms: state.updated_ms,
        })
        .collect()
}

/// A word of the journal.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}
