//! What a person can do with a release: answer, call off, take back.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::body::{Answer, TakenBack};
use super::find::find;
use crate::api::own::OwnState;
use crate::api::own::executions::Ask;
use crate::api::refusal::{Message, Refusal};
use crate::executions::release::desk::RollbackOutcome;
use crate::stages::approve::Choice;

/// Reads a body that may be empty.
pub(super) fn read<T: Default + DeserializeOwned>(
    body: &Bytes,
    expected: &str,
) -> Result<T, Refusal> {
    if body.trim_ascii().is_empty() {
        return Ok(T::default());
    }
    // A list would be taken for the fields in their order.
    let fields = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body);
    let read = fields.and_then(|fields| serde_json::from_value(fields.into()));
    read.map_err(|error| {
        Refusal::bad(format!(
            "the body cannot be read: {error}; expected `{expected}`"
        ))
    })
}

/// Who asks, or `somebody`.
pub(super) fn named(by: &str) -> &str {
    match by.trim() {
        "" => "somebody",
        by => by,
    }
}

/// Answer the question that a release waits with
#[utoipa::path(
    post,
    path = "/releases/{id}/approve",
    tag = "Releases",
    params(("id" = String, Path, description = "The release")),
    request_body(content = Answer, description = "May be absent: it goes on"),
    responses(
        (status = 204, description = "The answer is kept"),
        (status = 400, description = "A body that cannot be meant", body = Message),
        (status = 403, description = "Not among those who may answer; or a host that is not served, or a page of another origin", body = Message),
        (status = 404, description = "No such release", body = Message),
        (status = 409, description = "Nothing is asked", body = Message)
    )
)]
pub async fn approve(
    State(own): State<OwnState>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let answer: Answer = read(
        &body,
        "{\"choice\": \"approve\" or \"reject\", \"by\": WHO, \"reason\": WHY}",
    )?;
    let choice = match answer.choice.as_deref() {
        None => Choice::Approve,
        Some(word) => Choice::BOTH
            .into_iter()
            .find(|choice| choice.word() == word)
            .ok_or_else(|| {
                Refusal::bad(format!(
                    "found the choice `{word}`; expected `approve` or `reject`"
                ))
            })?,
    };
    let id = find(&own, &id).await?;
    let by = named(&answer.by);
    own.desk.answer(&id, choice, by, &answer.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Call a release off
///
/// What was done is taken back, and what it made is removed.
#[utoipa::path(
    post,
    path = "/releases/{id}/abort",
    tag = "Releases",
    params(("id" = String, Path, description = "The release")),
    request_body(content = Ask, description = "May be absent"),
    responses(
        (status = 204, description = "It will be taken back"),
        (status = 400, description = "A body that cannot be meant", body = Message),
        (status = 404, description = "No such release", body = Message),
        (status = 409, description = "It is decided", body = Message)
    )
)]
pub async fn abort(
    State(own): State<OwnState>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let ask: Ask = read(&body, "{\"by\": WHO, \"reason\": WHY}")?;
    let id = find(&own, &id).await?;
    own.desk.abort(&id, named(&ask.by), &ask.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who wants a release taken back, why, and where.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct AskBack {
    /// Who asks; `somebody` where absent.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Names of targets of the spec, for a release that has ended; empty for all.
    pub targets: Vec<String>,
}

/// Take a release back
///
/// One that is not decided takes itself back. What one that has ended brought is taken back by a new release, at all of its
/// targets or at those that are named.
#[utoipa::path(
    post,
    path = "/releases/{id}/rollback",
    tag = "Releases",
    params(("id" = String, Path, description = "The release")),
    request_body(content = AskBack, description = "May be absent"),
    responses(
        (status = 200, description = "It is being taken back", body = TakenBack),
        (status = 400, description = "A body that cannot be meant, or no plan can be made", body = Message),
        (status = 404, description = "No such release", body = Message),
        (status = 409, description = "There is nothing to take back", body = Message)
    )
)]
pub async fn rollback(
    State(own): State<OwnState>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<TakenBack>, Refusal> {
    let ask: AskBack = read(
        &body,
        "{\"by\": WHO, \"reason\": WHY, \"targets\": [NAME…]}",
    )?;
    let id = find(&own, &id).await?;
    let by = named(&ask.by);
    let taken = own
        .desk
        .request_rollback(&id, &ask.targets, by, &ask.reason)
        .await?;
    Ok(Json(match taken {
        RollbackOutcome::Same => TakenBack {
            id: id.to_string(),
            is_new: false,
        },
        RollbackOutcome::Started(new) => TakenBack {
            id: new.to_string(),
            is_new: true,
        },
    }))
}
