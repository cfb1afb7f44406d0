//! Stored canary configs.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::accounts;
use super::answer::{Answer, Message, Refusal};
use super::documents::{self, random_id};
use super::params::{Content, Id, Params};
use super::read;
use super::shapes::CanaryConfigBody;
use super::times::iso;
use crate::api::ApiState;
use crate::config::Strictness;
use crate::config::canary::wire::CanaryConfig;
use crate::config::canary::{load_wire, validate_for_store};
use crate::store::{Document, DocumentKind, PutRule, StoreError};

/// A stored config, in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigSummary {
    /// Names it in paths.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was stored last, in milliseconds since 1970-01-01T00:00:00Z.
    pub updated_timestamp: i64,
    /// The same, RFC 3339.
    pub updated_timestamp_iso: String,
    /// The applications that it is for; never null.
    pub applications: Vec<String>,
}

/// The id of a stored config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigId {
    /// The id.
    pub canary_config_id: String,
}

/// Reads a config from a body as Kayenta does: unknown keys are passed over. Whether it can be judged by is another question.
pub(super) fn read_config(value: &Value) -> Answer<CanaryConfig> {
    match load_wire(&value.to_string(), Strictness::Lenient) {
        Ok((config, _)) => Ok(config),
        Err(problems) => Err(Refusal::bad(format!(
            "the canary config cannot be read: {problems}"
        ))),
    }
}

/// The stored config with this id; 404 without one.
pub(super) async fn stored(state: &ApiState, id: &str) -> Answer<CanaryConfig> {
    let document = documents::find(state, DocumentKind::CanaryConfig, id).await?;
    let document = document
        .ok_or_else(|| Refusal::missing(format!("Canary config '{id}' does not exist.")))?;
    serde_json::from_str(&document.body).map_err(|error| documents::damaged(&document, error))
}

/// A config as Kayenta writes it: collections are there though empty, and each query says its type twice.
pub(super) fn shown(config: &CanaryConfig) -> Value {
    let mut value = serde_json::to_value(config).unwrap_or_default();
    if let Some(map) = value.as_object_mut() {
        fill(map, "applications", json!([]));
        fill(map, "templates", json!({}));
        if let Some(judge) = member(map, "judge") {
            fill(judge, "judgeConfigurations", json!({}));
        }
        if let Some(classifier) = member(map, "classifier") {
            fill(classifier, "groupWeights", json!({}));
        }
        let metrics = map.get_mut("metrics").and_then(Value::as_array_mut);
        for metric in metrics
            .into_iter()
            .flatten()
            .filter_map(Value::as_object_mut)
        {
            fill(metric, "groups", json!([]));
            fill(metric, "analysisConfigurations", json!({}));
            if let Some(query) = member(metric, "query")
                && let Some(kind) = query.get("type").cloned()
            {
                fill(query, "serviceType", kind);
            }
        }
    }
    value
}

fn member<'a>(map: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Map<String, Value>> {
    map.get_mut(key)?.as_object_mut()
}

fn fill(map: &mut Map<String, Value>, key: &str, empty: Value) {
    map.entry(key).or_insert(empty);
}

/// Stored configs.
#[utoipa::path(
    get,
    path = "/canaryConfig",
    tag = "Canary configs",
    params(
        ("application" = Option<Vec<String>>, Query, description = "Only configs of one of these applications; all where absent"),
        ("configurationAccountName" = Option<String>, Query, description = "Any known account; configs are kept in one place")
    ),
    responses(
        (status = 200, description = "The configs, by id", body = [ConfigSummary]),
        (status = 400, description = "Unknown account", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    params: Params,
) -> Answer<Json<Vec<ConfigSummary>>> {
    accounts::storage(&state, &params, "configurationAccountName")?;
    let applications: Vec<String> = params.all("application").map(str::to_owned).collect();
    let store = &state.executions.engine().ports().store;
    let found = store
        .documents(DocumentKind::CanaryConfig, &applications)
        .await?;
    let summary = |document: Document| ConfigSummary {
        updated_timestamp: document.updated_ms,
        updated_timestamp_iso: iso(document.updated_ms),
        id: document.id,
        name: document.name,
        applications: document.applications,
    };
    Ok(Json(found.into_iter().map(summary).collect()))
}

/// One stored config.
#[utoipa::path(
    get,
    path = "/canaryConfig/{id}",
    tag = "Canary configs",
    params(
        ("id" = String, Path, description = "The config's id"),
        ("configurationAccountName" = Option<String>, Query, description = "Any known account")
    ),
    responses(
        (status = 200, description = "The config", body = CanaryConfigBody),
        (status = 400, description = "Unknown account", body = Message),
        (status = 404, description = "No config has this id", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn show(
    State(state): State<ApiState>,
    Id(id): Id,
    params: Params,
) -> Answer<Json<Value>> {
    accounts::storage(&state, &params, "configurationAccountName")?;
    Ok(Json(shown(&stored(&state, &id).await?)))
}

/// Stores a config under the id that it names, or a new one.
#[utoipa::path(
    post,
    path = "/canaryConfig",
    tag = "Canary configs",
    params(("configurationAccountName" = Option<String>, Query, description = "Any known account")),
    request_body = CanaryConfigBody,
    responses(
        (status = 200, description = "It is stored", body = ConfigId),
        (status = 400, description = "The config is refused, in Kayenta's words", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn create(
    State(state): State<ApiState>,
    params: Params,
    Content(body): Content,
) -> Answer<Json<ConfigId>> {
    let config = read::aside(body, |body| read_config(&read::json(body)?));
    let mut config = config.await?;
    accounts::storage(&state, &params, "configurationAccountName")?;
    let id = config.id.take().filter(|id| !id.is_empty());
    let id = id.unwrap_or_else(random_id);
    let now_ms = state.executions.engine().ports().clock.now_ms();
    let created = *config.created_timestamp.get_or_insert(now_ms);
    config.updated_timestamp.get_or_insert(created);
    put(&state, id, config, PutRule::Create).await
}

/// Replaces a stored config.
#[utoipa::path(
    put,
    path = "/canaryConfig/{id}",
    tag = "Canary configs",
    params(
        ("id" = String, Path, description = "The config's id"),
        ("configurationAccountName" = Option<String>, Query, description = "Any known account")
    ),
    request_body = CanaryConfigBody,
    responses(
        (status = 200, description = "It is replaced", body = ConfigId),
        (status = 400, description = "The config is refused, or no config has this id", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn replace(
    State(state): State<ApiState>,
    Id(id): Id,
    params: Params,
    Content(body): Content,
) -> Answer<Json<ConfigId>> {
    let config = read::aside(body, |body| read_config(&read::json(body)?));
    let mut config = config.await?;
    accounts::storage(&state, &params, "configurationAccountName")?;
    let now_ms = state.executions.engine().ports().clock.now_ms();
    config.updated_timestamp = Some(now_ms);
    put(&state, id, config, PutRule::Replace).await
}

async fn put(
    state: &ApiState,
    id: String,
    mut config: CanaryConfig,
    rule: PutRule,
) -> Answer<Json<ConfigId>> {
    validate_for_store(&config).map_err(|refusal| Refusal::bad(refusal.to_string()))?;
    config.id = Some(id.clone());
    config.created_timestamp_iso = config.created_timestamp.map(iso);
    config.updated_timestamp_iso = config.updated_timestamp.map(iso);
    let updated_ms = config.updated_timestamp.unwrap_or_default();
    let document = Document {
        kind: DocumentKind::CanaryConfig,
        id: id.clone(),
        name: config.name.clone().unwrap_or_default(),
        applications: config.applications.clone(),
        created_ms: config.created_timestamp.unwrap_or(updated_ms),
        updated_ms,
        body: serde_json::to_string(&config).map_err(|error| Refusal::bad(error.to_string()))?,
    };
    let store = &state.executions.engine().ports().store;
    store.put_document(&document, rule).await.map_err(|error| match error {
        StoreError::Exists { .. } => Refusal::bad(format!("Canary config '{id}' already exists.")),
        StoreError::NotFound { .. } => {
            Refusal::bad(format!("Canary config '{id}' does not exist."))
        }
        StoreError::NameTaken { name, applications } => Refusal::bad(format!(
            "Canary config with name '{name}' already exists in the scope of applications [{}].",
            applications.join(", ")
        )),
        StoreError::Conflict { .. }
        | StoreError::LostLease(_)
        | StoreError::LostLock { .. }
        | StoreError::KeyReused(_)
        | StoreError::Unavailable { .. }
        | StoreError::Broken { .. } => error.into(),
    })?;
    Ok(Json(ConfigId {
        canary_config_id: id,
    }))
}

/// Removes a stored config. Executions that use it are not touched.
#[utoipa::path(
    delete,
    path = "/canaryConfig/{id}",
    tag = "Canary configs",
    params(
        ("id" = String, Path, description = "The config's id"),
        ("configurationAccountName" = Option<String>, Query, description = "Any known account")
    ),
    responses(
        (status = 204, description = "It is removed"),
        (status = 400, description = "No config has this id, or unknown account", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn remove(
    State(state): State<ApiState>,
    Id(id): Id,
    params: Params,
) -> Answer<StatusCode> {
    accounts::storage(&state, &params, "configurationAccountName")?;
    let missing = format!("Canary config '{id}' does not exist.");
    documents::remove(&state, DocumentKind::CanaryConfig, &id, missing).await
}
