//! Finished canaries that clients put aside themselves. Our own results are kept without being asked.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::accounts;
use super::answer::{Answer, Message, Refusal};
use super::documents::{self, DocumentSummary, random_id};
use super::params::{Content, Id, Params};
use super::read::{self, Field, Problems};
use super::start::AD_HOC;
use crate::api::ApiState;
use crate::store::{DocumentKind, PutRule};

const KIND: DocumentKind = DocumentKind::CanaryArchive;

/// The id of an archived canary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PipelineId {
    /// The id.
    pub pipeline_id: String,
}

/// Archived canaries.
#[utoipa::path(
    get,
    path = "/canaryResultArchive",
    tag = "Archived canaries",
    params(("storageAccountName" = Option<String>, Query, description = "Any known account")),
    responses(
        (status = 200, description = "The archived canaries, by id", body = [DocumentSummary]),
        (status = 400, description = "Unknown account", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    params: Params,
) -> Answer<Json<Vec<DocumentSummary>>> {
    accounts::storage(&state, &params, "storageAccountName")?;
    Ok(Json(documents::list(&state, KIND).await?))
}

/// One archived canary, as it was stored.
#[utoipa::path(
    get,
    path = "/canaryResultArchive/{pipelineId}",
    tag = "Archived canaries",
    params(
        ("pipelineId" = String, Path, description = "The canary's id"),
        ("storageAccountName" = Option<String>, Query, description = "Any known account")
    ),
    responses(
        (status = 200, description = "The canary", body = Object),
        (status = 400, description = "Unknown account", body = Message),
        (status = 404, description = "No archived canary has this id", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn show(
    State(state): State<ApiState>,
    Id(id): Id,
    params: Params,
) -> Answer<Json<Value>> {
    accounts::storage(&state, &params, "storageAccountName")?;
    let found = documents::find_json(&state, KIND, &id).await?;
    Ok(Json(found.ok_or_else(|| Refusal::missing(unknown(&id)))?))
}

/// Archives a finished canary.
#[utoipa::path(
    post,
    path = "/canaryResultArchive",
    tag = "Archived canaries",
    params(
        ("pipelineId" = Option<String>, Query, description = "Its id; a new one where absent"),
        ("storageAccountName" = Option<String>, Query, description = "Any known account")
    ),
    request_body = Object,
    responses(
        (status = 200, description = "It is archived", body = PipelineId),
        (status = 400, description = "The id is taken, or the body cannot be read", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn create(
    State(state): State<ApiState>,
    params: Params,
    Content(body): Content,
) -> Answer<Json<PipelineId>> {
    let id = params.owned("pipelineId").unwrap_or_else(random_id);
    let taken = format!("Archived canary result '{id}' already exists.");
    put(&state, &params, id, &body, PutRule::Create, taken).await
}

/// Replaces an archived canary.
#[utoipa::path(
    put,
    path = "/canaryResultArchive/{pipelineId}",
    tag = "Archived canaries",
    params(
        ("pipelineId" = String, Path, description = "The canary's id"),
        ("storageAccountName" = Option<String>, Query, description = "Any known account")
    ),
    request_body = Object,
    responses(
        (status = 200, description = "It is replaced", body = PipelineId),
        (status = 400, description = "No archived canary has this id, or the body cannot be read", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn replace(
    State(state): State<ApiState>,
    Id(id): Id,
    params: Params,
    Content(body): Content,
) -> Answer<Json<PipelineId>> {
    let missing = unknown(&id);
    put(&state, &params, id, &body, PutRule::Replace, missing).await
}

async fn put(
    state: &ApiState,
    params: &Params,
    id: String,
    body: &[u8],
    rule: PutRule,
    refusal: String,
) -> Answer<Json<PipelineId>> {
    let value = checked(read::json(body)?, &id)?;
    accounts::storage(state, params, "storageAccountName")?;
    documents::keep(state, KIND, &id, &value, rule, refusal).await?;
    Ok(Json(PipelineId { pipeline_id: id }))
}

/// What clients decide by must have the right shape, because they get it back from `GET /canary/{id}`.
fn checked(mut value: Value, id: &str) -> Answer<Value> {
    let mut problems = Problems::default();
    let root = Field::root(&value);
    let is_object = root.object(&mut problems).is_some();
    if !is_object && value.is_null() {
        problems.add("", "nothing", "an object");
    }
    for key in ["application", "status", "pipelineId"] {
        root.get(key).text(&mut problems);
    }
    for key in [
        "result",
        "config",
        "canaryExecutionRequest",
        "exception",
        "stageStatus",
    ] {
        root.get(key).object(&mut problems);
    }
    let complete = root.get("complete");
    if !complete.is_absent() && !complete.value().is_boolean() {
        let found = read::word(complete.value());
        problems.add("complete", &found, "`true` or `false`");
    }
    let score = root
        .get("result")
        .get("judgeResult")
        .get("score")
        .get("score");
    score.number(&mut problems);
    problems.check()?;
    if let Some(map) = value.as_object_mut() {
        map.retain(|_, value| !value.is_null());
        map.entry("application").or_insert_with(|| AD_HOC.into());
        map.entry("pipelineId").or_insert_with(|| id.into());
    }
    Ok(value)
}

fn unknown(id: &str) -> String {
    format!("Archived canary result '{id}' does not exist.")
}

/// Removes an archived canary.
#[utoipa::path(
    delete,
    path = "/canaryResultArchive/{pipelineId}",
    tag = "Archived canaries",
    params(
        ("pipelineId" = String, Path, description = "The canary's id"),
        ("storageAccountName" = Option<String>, Query, description = "Any known account")
    ),
    responses(
        (status = 204, description = "It is removed"),
        (status = 400, description = "No archived canary has this id, or unknown account", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn remove(
    State(state): State<ApiState>,
    Id(id): Id,
    params: Params,
) -> Answer<StatusCode> {
    accounts::storage(&state, &params, "storageAccountName")?;
    documents::remove(&state, KIND, &id, unknown(&id)).await
}
