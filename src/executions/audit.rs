//! Who decided what: the lines of a journal that a person or the system answers for. Pure.

use super::event::Event;
use super::release::event::{Hold, ReleaseEvent};
use super::request::Kind;
use crate::model::ids::ExecutionId;

/// Who stands for what nobody in particular decided.
pub const SYSTEM: &str = "coalmine";

/// One thing that somebody answers for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: i64,
    /// Which execution.
    pub execution: ExecutionId,
    /// Its application; empty where the journal does not begin with its request.
    pub application: String,
    /// Who: as the client says, `somebody` where it does not, or [`SYSTEM`].
    pub actor: String,
    /// What: the word of the event.
    pub action: &'static str,
    /// Why, or what exactly; may be empty.
    pub reason: String,
}

/// The lines of one journal, in its order. What only tells of work is left out, and so is what holds a release up for the same
/// cause as before: it looks again and again.
#[must_use]
pub fn lines(id: &ExecutionId, events: &[(i64, Event)]) -> Vec<AuditLine> {
    let request = events.first().and_then(|(_, event)| {
        let Event::Accepted { request } = event else {
            return None;
        };
        Some(request.as_ref())
    });
    let application = request.map_or("", |request| request.application.as_str());
    let is_release = request.is_some_and(|request| request.kind == Kind::Release);
    let mut lines = Vec::new();
    let mut held_by = None;
    for (at_ms, event) in events {
        let holds = hold(event);
        let again = holds.is_some() && holds == held_by;
        held_by = holds;
        // What a release comes to is its decision; its end is work that is done.
        let is_settled = is_release && matches!(event, Event::Ended { .. });
        if again || is_settled {
            continue;
        }
        if let Some((actor, reason)) = answered_for(event) {
            lines.push(AuditLine {
                at_ms: *at_ms,
                execution: id.clone(),
                application: application.to_owned(),
                actor,
                action: event.word(),
                reason,
            });
        }
    }
    lines
}

/// What an event says that holds a release up.
fn hold(event: &Event) -> Option<Hold> {
    let Event::Release(ReleaseEvent::HeldUp { hold, .. }) = event else {
        return None;
    };
    Some(*hold)
}

/// Who, and why; `None` for work.
fn answered_for(event: &Event) -> Option<(String, String)> {
    let system = |reason: &str| Some((SYSTEM.to_owned(), reason.to_owned()));
    match event {
        Event::Accepted { request } => {
            let user = request.user.as_deref().map(str::trim);
            let user = user.filter(|user| !user.is_empty()).unwrap_or("somebody");
            Some((user.to_owned(), request.kind.word().to_owned()))
        }
        Event::CancelRequested { by, reason } => Some((by.clone(), reason.clone())),
        Event::Resumed { by } => Some((by.clone(), String::new())),
        Event::GotStuck { error, .. } => system(error),
        Event::Ended { sentence, .. } => system(sentence),
        Event::Release(event) => of_release(event),
        Event::WaitStarted { .. }
        | Event::WaitEnded { .. }
        | Event::CollectionStarted { .. }
        | Event::Collected { .. }
        | Event::CollectionFailed { .. }
        | Event::Judged { .. }
        | Event::JudgingFailed { .. } => None,
    }
}

fn of_release(event: &ReleaseEvent) -> Option<(String, String)> {
    let system = |reason: String| Some((SYSTEM.to_owned(), reason));
    match event {
        ReleaseEvent::LockLost { lock, holder } => {
            system(format!("release `{holder}` took over `{lock}`"))
        }
        ReleaseEvent::HeldUp { hold, why, .. } => match hold {
            Hold::Guard | Hold::Window | Hold::Lock => system(why.clone()),
            Hold::Driver | Hold::NotComparable => None,
        },
        ReleaseEvent::WindowOpened { differences, .. } if !differences.is_empty() => {
            system(format!(
                "baseline and canary have come to differ: {}",
                differences.join("; ")
            ))
        }
        ReleaseEvent::LookedAgain { trouble, .. } => trouble.clone().and_then(system),
        ReleaseEvent::NotAsked { .. } => system("the verdict made the question needless".into()),
        ReleaseEvent::AnswerOverdue { .. } => system("nobody answered in time".into()),
        ReleaseEvent::Answered {
            choice, by, reason, ..
        } => {
            let reason = match reason.as_str() {
                "" => choice.word().to_owned(),
                reason => format!("{}: {reason}", choice.word()),
            };
            Some((by.clone(), reason))
        }
        ReleaseEvent::RollbackRequested { by, reason } => Some((by.clone(), reason.clone())),
        ReleaseEvent::Decided {
            decision,
            reason,
            by,
            ..
        } => {
            let by = by.clone().unwrap_or_else(|| SYSTEM.to_owned());
            Some((by, format!("{}: {reason}", decision.words())))
        }
        ReleaseEvent::LocksTaken { .. }
        | ReleaseEvent::StepsSettled { .. }
        | ReleaseEvent::OperationIntended { .. }
        | ReleaseEvent::OperationDone { .. }
        | ReleaseEvent::OperationFailed { .. }
        | ReleaseEvent::WindowOpened { .. }
        | ReleaseEvent::Asked { .. } => None,
    }
}
