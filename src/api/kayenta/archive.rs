//! Finished canaries that clients put aside themselves. Our own results are kept without being asked.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::accounts;
use super::answer::{Answer, Message, Refusal};
use super::canary::STATUSES;
use super::documents::{self, DocumentSummary, Written, random_id};
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
    put(&state, &params, id, body, PutRule::Create, taken).await
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
    put(&state, &params, id, body, PutRule::Replace, missing).await
}

async fn put(
    state: &ApiState,
    params: &Params,
    id: String,
    body: Bytes,
    rule: PutRule,
    refusal: String,
) -> Answer<Json<PipelineId>> {
    let own_id = id.clone();
    let written = read::aside(body, move |body| {
        Ok(Written::of(&checked(read::json(body)?, &own_id)?))
    });
    let written = written.await?;
    accounts::storage(state, params, "storageAccountName")?;
    documents::keep(state, KIND, &id, written, rule, refusal).await?;
    Ok(Json(PipelineId { pipeline_id: id }))
}

/// The texts of an archived canary.
const TEXTS: [&str; 8] = [
    "application",
    "parentPipelineExecutionId",
    "pipelineId",
    "canaryConfigId",
    "metricSetPairListId",
    "storageAccountName",
    "metricsAccountName",
    "configurationAccountName",
];
/// The objects of an archived canary; what clients decide by is in the first one.
const OBJECTS: [&[&str]; 6] = [
    &["result"],
    &["result", "judgeResult"],
    &["result", "judgeResult", "score"],
    &["config"],
    &["canaryExecutionRequest"],
    &["exception"],
];
/// Of [`STATUSES`], those after which nothing more happens. Source: Orca, `ExecutionStatus`.
const COMPLETE: [&str; 6] = [
    "SUCCEEDED",
    "FAILED_CONTINUE",
    "TERMINAL",
    "CANCELED",
    "STOPPED",
    "SKIPPED",
];

/// What clients decide by must have the right shape, because they get it back from `GET /canary/{id}`: what was read leniently is
/// kept as it was understood, not as it was written.
fn checked(value: Value, id: &str) -> Answer<Value> {
    let mut problems = Problems::default();
    let root = Field::root(&value);
    if root.object(&mut problems).is_none() && value.is_null() {
        problems.add("", "nothing", "an object");
    }
    for path in OBJECTS {
        path.iter()
            .fold(root.clone(), |field, key| field.get(key))
            .object(&mut problems);
    }
    let mut texts = Vec::new();
    for key in TEXTS {
        texts.extend(root.get(key).text(&mut problems).map(|text| (key, text)));
    }
    let stages = root.get("stageStatus").texts(&mut problems);
    let state = state(&root, &mut problems);
    let score = root
        .get("result")
        .get("judgeResult")
        .get("score")
        .get("score");
    let number = score.number(&mut problems);
    problems.check()?;

    let mut value = without_nulls(value);
    // A number stays as it was written.
    if let Some(score) = value.pointer_mut("/result/judgeResult/score/score")
        && score.is_string()
    {
        *score = json!(number);
    }
    let mut value = without_nulls(value);
    if let Some(map) = value.as_object_mut() {
        map.extend(
            texts
                .into_iter()
                .map(|(key, text)| (key.into(), text.into())),
        );
        if map.contains_key("stageStatus") {
            map.insert("stageStatus".into(), json!(stages));
        }
        if let Some((word, complete)) = state {
            map.insert("status".into(), word.into());
            map.insert("complete".into(), complete.into());
        }
        map.entry("application").or_insert_with(|| AD_HOC.into());
        map.entry("pipelineId").or_insert_with(|| id.into());
    }
    Ok(value)
}

/// The status in lower case, as clients compare it, and whether it is the end. Without them a client would ask for ever.
fn state(root: &Field<'_>, problems: &mut Problems) -> Option<(String, bool)> {
    let status = root.get("status");
    let word = status.text(problems).map(|word| word.to_ascii_uppercase());
    let known = word.filter(|word| STATUSES.contains(&word.as_str()));
    let Some(word) = known else {
        let expected = format!("one of {}", STATUSES.join(", ").to_ascii_lowercase());
        problems.add("status", &read::word(status.value()), &expected);
        return None;
    };
    let complete = COMPLETE.contains(&word.as_str());
    let word = word.to_ascii_lowercase();
    let said = root.get("complete");
    let agrees = said
        .text(problems)
        .is_none_or(|text| text.eq_ignore_ascii_case(if complete { "true" } else { "false" }));
    if !agrees {
        let expected = format!("`{complete}`, because the status is `{word}`");
        problems.add("complete", &read::word(said.value()), &expected);
    }
    Some((word, complete))
}

/// Fields that are `null` left out, at every depth: some clients take them for values.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
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
