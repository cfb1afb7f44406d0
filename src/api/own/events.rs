//! `GET /executions/{id}/events`: what happens to an execution, as it happens (server-sent events).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::OwnState;
use super::execution_body::rfc3339;
use super::executions::load;
use crate::api::refusal::{Message, Refusal};
use crate::executions::engine::Change;
use crate::executions::event::Event;
use crate::executions::service::Executions;
use crate::executions::state::State as Execution;
use crate::model::ids::ExecutionId;

/// How often a comment is sent while nothing happens, so that a connection that is gone is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often the journal is read although this process appended nothing: another one might have.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The data of one event.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventData<'a> {
    /// Its number, also its id.
    seq: u64,
    /// When it was written, RFC 3339.
    at: String,
    /// The event; `type` says which.
    #[schema(value_type = Object)]
    event: &'a Event,
}

/// Follow an execution
///
/// Server-sent events. Each has its number as id, so that a client that comes back with `Last-Event-ID` misses nothing. The
/// stream ends after `ended`.
#[utoipa::path(
    get,
    path = "/executions/{id}/events",
    tag = "Executions",
    params(
        ("id" = String, Path, description = "The execution"),
        ("Last-Event-ID" = Option<String>, Header, description = "Number of the last event that the client has")
    ),
    responses(
        (status = 200, description = "The events", content_type = "text/event-stream", body = EventData),
        (status = 400, description = "A `Last-Event-ID` that is no number", body = Message),
        (status = 404, description = "No such execution", body = Message),
        (status = 503, description = "Too many clients follow events", body = Message)
    )
)]
pub async fn follow(
    State(own): State<OwnState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let last = match headers.get("last-event-id") {
        None => 0,
        Some(value) => {
            let text = value.to_str().unwrap_or_default().trim();
            text.parse().map_err(|_| {
                Refusal::bad(format!(
                    "found `Last-Event-ID: {text}`; expected the number of an event"
                ))
            })?
        }
    };
    // What happens from here on is told; what happened before is read.
    let changes = own.api.executions.changes();
    let execution = load(&own, &id).await?;
    let Ok(permit) = own.streams.clone().try_acquire_owned() else {
        return Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many clients follow events; try again later",
        ));
    };
    let follower = Follower {
        executions: own.api.executions.clone(),
        id: execution.id,
        last,
        changes,
        stop: own.stop.clone(),
        ready: Vec::new(),
        over: false,
        _permit: permit,
    };
    let events = stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok::<Sent, Infallible>(event), follower))
    });
    let keep_alive = KeepAlive::new().interval(HEARTBEAT).text("still here");
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

/// One client that follows one execution.
struct Follower {
    executions: Executions,
    id: ExecutionId,
    /// Number of the last event that was sent.
    last: u64,
    changes: Receiver<Change>,
    stop: CancellationToken,
    /// Read and not sent yet, the next one last.
    ready: Vec<(u64, i64, Event)>,
    over: bool,
    _permit: OwnedSemaphorePermit,
}

impl Follower {
    /// The next event; `None` when the stream is over.
    async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some((seq, at_ms, event)) = self.ready.pop() {
                self.last = seq;
                self.over = matches!(event, Event::Ended { .. });
                return Some(sent(seq, at_ms, &event));
            }
            if self.over {
                return None;
            }
            match self.executions.events(&self.id, self.last).await {
                Ok(events) if !events.is_empty() => {
                    self.ready = events;
                    self.ready.reverse();
                }
                Ok(_) if self.has_told_all().await => return None,
                Ok(_) => self.news().await?,
                Err(error) => {
                    // The client comes back, and begins after the last event that it has.
                    tracing::warn!(execution.id = %self.id, "cannot read the events of execution `{}`: {error}", self.id);
                    return None;
                }
            }
        }
    }

    /// A client that has the last event already gets none, and must not wait for ever; nor where the execution was forgotten.
    async fn has_told_all(&self) -> bool {
        let found = self.executions.find(&self.id).await;
        found.is_ok_and(|found| is_told(found.as_ref(), self.last))
    }

    /// Waits until there may be something; `None` when the server stops.
    async fn news(&mut self) -> Option<()> {
        let heard = async {
            loop {
                match self.changes.recv().await {
                    Ok(change) if change.id == self.id && change.seq > self.last => return,
                    Ok(_) => {}
                    // Something was missed, perhaps of this execution.
                    Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            () = self.stop.cancelled() => None,
            _ = tokio::time::timeout(LOOK_EVERY, heard) => Some(()),
        }
    }
}

/// Whether nothing comes after event `last`. The end may have been written since the events were read: then it is to be told.
fn is_told(execution: Option<&Execution>, last: u64) -> bool {
    execution.is_none_or(|execution| execution.end.is_some() && execution.seq <= last)
}

fn sent(seq: u64, at_ms: i64, event: &Event) -> Sent {
    let data = EventData {
        seq,
        at: rfc3339(at_ms),
        event,
    };
    let named = Sent::default().id(seq.to_string()).event(event.word());
    let text = serde_json::to_string(&data).unwrap_or_default();
    named.data(text)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::canary::wire::ScoreThresholds;
    use crate::executions::event::Ending;
    use crate::executions::request::{Accounts, Kind, Request};

    /// An execution to which these things happened after it was accepted.
    fn execution(happened: Vec<Event>) -> Execution {
        let request = Box::new(Request {
            kind: Kind::Canary,
            application: "shop".to_owned(),
            user: None,
            parent: None,
            config: Arc::default(),
            config_id: None,
            accounts: Accounts::default(),
            thresholds: ScoreThresholds::default(),
            follows_verdict: false,
            stages: Vec::new(),
            release: None,
            preempts: false,
            phases: Vec::new(),
            echo: serde_json::Value::Null,
        });
        let accepted = Event::Accepted { request };
        let events = std::iter::once(accepted).chain(happened);
        let id = ExecutionId::new("E");
        let state = Execution::replay(&id, events.map(|event| (0, event)));
        state.expect("legal").expect("it was accepted")
    }

    fn ended() -> Event {
        Event::Ended {
            ending: Ending::Succeeded,
            sentence: "it did".to_owned(),
        }
    }

    #[test]
    fn an_end_that_came_after_the_last_look_is_still_to_be_told() {
        assert!(!is_told(Some(&execution(Vec::new())), 1));
        let over = execution(vec![ended()]);
        assert!(!is_told(Some(&over), 1), "`ended` is event 2");
        assert!(is_told(Some(&over), 2));
        assert!(is_told(Some(&over), 99));
        assert!(is_told(None, 0), "it was forgotten");
    }
}
