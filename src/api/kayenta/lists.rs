//! Stored lists of metric set pairs and of metric sets. A bundle of the archive is a list of pairs, too: the id of a judgement's
//! list is the id of its bundle.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::accounts;
use super::answer::{Answer, Message, Refusal};
use super::documents::{self, DocumentSummary, Written, random_id};
use super::params::{Content, Id, Ids, Params};
use super::read::{self, Field, Problems};
use super::shapes::{MetricSetBody, MetricSetPairBody};
use crate::api::ApiState;
use crate::archive::ArchiveError;
use crate::archive::bundle::Bundle;
use crate::model::kayenta::MetricSetPair;
use crate::model::query::SentQueries;
use crate::sources::files::pairs;
use crate::store::{DocumentKind, PutRule};

/// The id of a stored list of pairs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PairListId {
    /// The id.
    pub metric_set_pair_list_id: String,
}

/// The id of a stored list of metric sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetListId {
    /// The id.
    pub metric_set_list_id: String,
}

/// The pairs of a bundle as Kayenta writes them.
pub(super) fn pairs_of(bundle: &Bundle) -> Vec<MetricSetPair> {
    let unknown = SentQueries::default();
    let sets = bundle.sets.iter().enumerate();
    sets.map(|(index, set)| MetricSetPair::of(set, bundle.queries.get(index).unwrap_or(&unknown)))
        .collect()
}

/// The bundle with this id; `None` where the text is no bundle's id, or there is none.
async fn bundle(state: &ApiState, id: &str) -> Answer<Option<Bundle>> {
    let is_hash = id.len() == 64 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hash {
        return Ok(None);
    }
    match state.executions.engine().ports().archive.bundle(id).await {
        Ok(bundle) => Ok(Some(bundle)),
        Err(ArchiveError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The list of pairs with this id, from the archive or from what clients stored; 404 without one.
pub(super) async fn pair_list(state: &ApiState, id: &str) -> Answer<Value> {
    if let Some(bundle) = bundle(state, id).await? {
        let pairs = serde_json::to_value(pairs_of(&bundle));
        return pairs.map_err(|error| Refusal::bad(error.to_string()));
    }
    let list = documents::find_json(state, DocumentKind::MetricSetPairList, id).await?;
    list.ok_or_else(|| Refusal::missing(format!("Metric set pair list '{id}' does not exist.")))
}

/// Lists of pairs that clients stored. Those of judgements are not among them.
#[utoipa::path(
    get,
    path = "/metricSetPairList",
    tag = "Metric sets",
    params(("accountName" = Option<String>, Query, description = "Any known account")),
    responses(
        (status = 200, description = "The lists, by id", body = [DocumentSummary]),
        (status = 400, description = "Unknown account", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn all_pair_lists(
    State(state): State<ApiState>,
    params: Params,
) -> Answer<Json<Vec<DocumentSummary>>> {
    accounts::storage(&state, &params, "accountName")?;
    let found = documents::list(&state, DocumentKind::MetricSetPairList);
    Ok(Json(found.await?))
}

/// One list of pairs: of a judgement, by its `metricSetPairListId`, or one that a client stored.
#[utoipa::path(
    get,
    path = "/metricSetPairList/{id}",
    tag = "Metric sets",
    params(
        ("id" = String, Path, description = "The list's id"),
        ("accountName" = Option<String>, Query, description = "Ignored: lists are kept in one place")
    ),
    responses(
        (status = 200, description = "The pairs", body = [MetricSetPairBody]),
        (status = 400, description = "The path cannot be read", body = Message),
        (status = 404, description = "No list has this id", body = Message),
        (status = 503, description = "Archive or store are out of reach", body = Message)
    )
)]
pub(super) async fn show_pair_list(
    State(state): State<ApiState>,
    Id(id): Id,
) -> Answer<Json<Value>> {
    Ok(Json(pair_list(&state, &id).await?))
}

/// One pair of a list.
#[utoipa::path(
    get,
    path = "/metricSetPairList/{id}/{pairId}",
    tag = "Metric sets",
    params(
        ("id" = String, Path, description = "The list's id"),
        ("pairId" = String, Path, description = "The pair's id"),
        ("accountName" = Option<String>, Query, description = "Ignored: lists are kept in one place")
    ),
    responses(
        (status = 200, description = "The pair", body = MetricSetPairBody),
        (status = 400, description = "The path cannot be read", body = Message),
        (status = 404, description = "No list has this id; without a body: the list has no such pair"),
        (status = 503, description = "Archive or store are out of reach", body = Message)
    )
)]
pub(super) async fn show_pair(
    State(state): State<ApiState>,
    Ids(id, pair_id): Ids,
) -> Answer<Response> {
    let mut list = pair_list(&state, &id).await?;
    let pairs = list.as_array_mut().map(std::mem::take).unwrap_or_default();
    let found = pairs.into_iter().find(|pair| pair["id"] == *pair_id);
    Ok(match found {
        Some(pair) => Json(pair).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

/// Stores a list of pairs.
#[utoipa::path(
    post,
    path = "/metricSetPairList",
    tag = "Metric sets",
    params(("accountName" = Option<String>, Query, description = "Any known account")),
    request_body = [MetricSetPairBody],
    responses(
        (status = 200, description = "It is stored", body = PairListId),
        (status = 400, description = "The list cannot be read, or unknown account", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn create_pair_list(
    State(state): State<ApiState>,
    params: Params,
    Content(body): Content,
) -> Answer<Json<PairListId>> {
    let written = read::aside(body, |body| {
        let mut value = read::json(body)?;
        read_pairs(&value)?;
        for pair in value.as_array_mut().into_iter().flatten() {
            for side in ["control", "experiment"] {
                name_holes(pair.pointer_mut(&format!("/values/{side}")));
            }
        }
        Ok(Written::of(&value))
    });
    let written = written.await?;
    accounts::storage(&state, &params, "accountName")?;
    let id = random_id();
    let taken = format!("Metric set pair list '{id}' already exists.");
    let kind = DocumentKind::MetricSetPairList;
    documents::keep(&state, kind, &id, written, PutRule::Create, taken).await?;
    Ok(Json(PairListId {
        metric_set_pair_list_id: id,
    }))
}

/// Writes missing points as Kayenta does, so that clients find no `null` among them.
fn name_holes(points: Option<&mut Value>) {
    let points = points.and_then(Value::as_array_mut);
    for point in points.into_iter().flatten().filter(|point| point.is_null()) {
        *point = "NaN".into();
    }
}

/// Reads pairs as a judge needs them. An empty list is no error here.
pub(super) fn read_pairs(value: &Value) -> Answer<Vec<coalmine_judges::series::MetricSetPair>> {
    if value.as_array().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    // Millions of small items are no pairs, and need not be told one by one.
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(index) = items.iter().position(|item| !item.is_object()) {
        let found = items.get(index).map(read::word).unwrap_or_default();
        return Err(Refusal::bad(format!(
            "metricSetPairList[{index}]: found {found}; expected a metric set pair"
        )));
    }
    match pairs::read(&value.to_string(), "metricSetPairList") {
        Ok(input) => Ok(input.sets),
        Err(error) => {
            let mut message = error.to_string();
            for problem in &error.problems {
                message.push_str(&format!("\n  {problem}"));
            }
            if error.more > 0 {
                message.push_str(&format!("\n  and {} more", error.more));
            }
            Err(Refusal::bad(message))
        }
    }
}

/// Removes a list of pairs that a client stored.
#[utoipa::path(
    delete,
    path = "/metricSetPairList/{id}",
    tag = "Metric sets",
    params(
        ("id" = String, Path, description = "The list's id"),
        ("accountName" = Option<String>, Query, description = "Any known account")
    ),
    responses(
        (status = 204, description = "It is removed"),
        (status = 400, description = "No client stored a list with this id, or unknown account", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn remove_pair_list(
    State(state): State<ApiState>,
    Id(id): Id,
    params: Params,
) -> Answer<StatusCode> {
    accounts::storage(&state, &params, "accountName")?;
    let missing = format!("Metric set pair list '{id}' does not exist.");
    documents::remove(&state, DocumentKind::MetricSetPairList, &id, missing).await
}

/// Lists of metric sets that clients stored or fetched.
#[utoipa::path(
    get,
    path = "/metricSetList",
    tag = "Metric sets",
    params(("accountName" = Option<String>, Query, description = "Any known account")),
    responses(
        (status = 200, description = "The lists, by id", body = [DocumentSummary]),
        (status = 400, description = "Unknown account", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn all_set_lists(
    State(state): State<ApiState>,
    params: Params,
) -> Answer<Json<Vec<DocumentSummary>>> {
    accounts::storage(&state, &params, "accountName")?;
    let found = documents::list(&state, DocumentKind::MetricSetList);
    Ok(Json(found.await?))
}

/// One list of metric sets.
#[utoipa::path(
    get,
    path = "/metricSetList/{id}",
    tag = "Metric sets",
    params(
        ("id" = String, Path, description = "The list's id"),
        ("accountName" = Option<String>, Query, description = "Ignored: lists are kept in one place")
    ),
    responses(
        (status = 200, description = "The metric sets", body = [MetricSetBody]),
        (status = 400, description = "The path cannot be read", body = Message),
        (status = 404, description = "No list has this id", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn show_set_list(
    State(state): State<ApiState>,
    Id(id): Id,
) -> Answer<Json<Value>> {
    let list = documents::find_json(&state, DocumentKind::MetricSetList, &id).await?;
    let missing = || Refusal::missing(format!("Metric set list '{id}' does not exist."));
    Ok(Json(list.ok_or_else(missing)?))
}

/// Stores a list of metric sets.
#[utoipa::path(
    post,
    path = "/metricSetList",
    tag = "Metric sets",
    params(("accountName" = Option<String>, Query, description = "Any known account")),
    request_body = [MetricSetBody],
    responses(
        (status = 200, description = "It is stored", body = SetListId),
        (status = 400, description = "The list cannot be read, or unknown account", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn create_set_list(
    State(state): State<ApiState>,
    params: Params,
    Content(body): Content,
) -> Answer<Json<SetListId>> {
    let sets = read::aside(body, |body| {
        Ok(Written::of(&read_sets(&read::json(body)?)?))
    });
    let sets = sets.await?;
    accounts::storage(&state, &params, "accountName")?;
    Ok(Json(keep_sets(&state, sets).await?))
}

/// Keeps a list of metric sets under a new id.
pub(super) async fn keep_sets(state: &ApiState, sets: Written) -> Answer<SetListId> {
    let id = random_id();
    let taken = format!("Metric set list '{id}' already exists.");
    let kind = DocumentKind::MetricSetList;
    documents::keep(state, kind, &id, sets, PutRule::Create, taken).await?;
    Ok(SetListId {
        metric_set_list_id: id,
    })
}

/// The sets as they are shown again: numbers that came as text are numbers, and missing points have a name. No field is needed;
/// those that are not known are left out.
fn read_sets(value: &Value) -> Answer<Value> {
    let mut problems = Problems::default();
    let items = Field::root(value).items(&mut problems);
    if items.is_none() && value.is_null() {
        problems.add("", "nothing", "a list");
    }
    let mut sets = Vec::new();
    for set in items.into_iter().flatten() {
        if set.object(&mut problems).is_none() {
            problems.told(format!("{}: expected a metric set", set.path()));
            continue;
        }
        let mut read = serde_json::Map::new();
        let mut keep = |key: &str, value: Option<Value>| {
            read.extend(value.map(|value| (key.to_owned(), value)));
        };
        for key in ["name", "startTimeIso", "endTimeIso"] {
            keep(key, set.get(key).text(&mut problems).map(Value::from));
        }
        for key in ["tags", "attributes"] {
            let texts = set.get(key).texts(&mut problems);
            keep(key, (!set.get(key).is_absent()).then(|| json!(texts)));
        }
        for key in ["startTimeMillis", "endTimeMillis", "stepMillis"] {
            keep(key, set.get(key).whole(&mut problems).map(Value::from));
        }
        let points = set.get("values").items(&mut problems);
        let points =
            points.map(|points| points.iter().map(|it| point(it, &mut problems)).collect());
        keep("values", points);
        sets.push(Value::Object(read));
    }
    problems.check()?;
    Ok(Value::Array(sets))
}

/// One point: a number, or the word for what is none.
fn point(field: &Field, problems: &mut Problems) -> Value {
    match field.value().as_str() {
        Some(word @ ("NaN" | "Infinity" | "-Infinity")) => word.into(),
        Some(_) | None => field.number(problems).map_or("NaN".into(), Value::from),
    }
}

/// Removes a list of metric sets.
#[utoipa::path(
    delete,
    path = "/metricSetList/{id}",
    tag = "Metric sets",
    params(
        ("id" = String, Path, description = "The list's id"),
        ("accountName" = Option<String>, Query, description = "Any known account")
    ),
    responses(
        (status = 204, description = "It is removed"),
        (status = 400, description = "No list has this id, or unknown account", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn remove_set_list(
    State(state): State<ApiState>,
    Id(id): Id,
    params: Params,
) -> Answer<StatusCode> {
    accounts::storage(&state, &params, "accountName")?;
    let missing = format!("Metric set list '{id}' does not exist.");
    documents::remove(&state, DocumentKind::MetricSetList, &id, missing).await
}
