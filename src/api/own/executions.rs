//! `GET /executions`, `GET /executions/{id}`, and what a person can do with one: cancel, resume.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::OwnState;
use super::execution_body::{Done, ExecutionDetail, ExecutionList, ExecutionSummary};
use crate::api::refusal::{Message, Refusal};
use crate::executions::engine::TurnError;
use crate::executions::request::Kind;
use crate::executions::service::CancelOutcome;
use crate::executions::state::{State as Execution, Status};
use crate::model::ids::ExecutionId;
use crate::store::HeadFilter;

/// Most executions of one answer.
const MOST: u64 = 200;

/// Which executions a list shall have.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ListParameters {
    /// Only of this application.
    pub application: Option<String>,
    /// Only with one of these, parted by commas: `not_started`, `running`, `suspended`, `succeeded`, `terminal`, `canceled`.
    pub status: Option<String>,
    /// Only of this kind: `canary`, `analysis` or `release`.
    pub kind: Option<String>,
    /// Which page, from 1.
    pub page: Option<String>,
    /// How many a page has: 1 to 200, 50 where absent.
    pub limit: Option<String>,
}

/// Who asks, and why.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Ask {
    /// Who asks; `somebody` where absent.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Executions, newest first
#[utoipa::path(
    get,
    path = "/executions",
    tag = "Executions",
    params(ListParameters),
    responses(
        (status = 200, description = "A page of executions", body = ExecutionList),
        (status = 400, description = "A parameter that cannot be meant", body = Message)
    )
)]
pub async fn list(
    State(own): State<OwnState>,
    Query(parameters): Query<ListParameters>,
) -> Result<Json<ExecutionList>, Refusal> {
    let page = number("page", parameters.page.as_deref(), 1, 1, 1_000_000)?;
    let limit = number("limit", parameters.limit.as_deref(), 50, 1, MOST)?;
    let statuses = statuses(parameters.status.as_deref())?;
    let kinds = kind(parameters.kind.as_deref())?;
    let filter = HeadFilter {
        application: filled(parameters.application.as_deref()),
        statuses: statuses
            .iter()
            .map(|status| status.word().to_owned())
            .collect(),
        kinds: kinds.iter().map(|kind| kind.word().to_owned()).collect(),
        skip: (page - 1) * limit,
        most: limit + 1,
    };
    let heads = own.api.executions.list(&filter).await?;
    let more = heads.len() as u64 > limit;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(Json(ExecutionList {
        executions: heads.iter().take(shown).map(ExecutionSummary::of).collect(),
        next_page: more.then_some(page + 1),
    }))
}

/// One execution
#[utoipa::path(
    get,
    path = "/executions/{id}",
    tag = "Executions",
    params(("id" = String, Path, description = "The execution")),
    responses(
        (status = 200, description = "Where it stands", body = ExecutionDetail),
        (status = 404, description = "No such execution", body = Message)
    )
)]
pub async fn show(
    State(own): State<OwnState>,
    Path(id): Path<String>,
) -> Result<Json<ExecutionDetail>, Refusal> {
    let execution = load(&own, &id).await?;
    Ok(Json(ExecutionDetail::of(&execution)))
}

/// Call an execution off
///
/// It ends within a second. Nothing changes where it has ended or was called off before.
#[utoipa::path(
    post,
    path = "/executions/{id}/cancel",
    tag = "Executions",
    params(("id" = String, Path, description = "The execution")),
    request_body(content = Ask, description = "May be absent"),
    responses(
        (status = 200, description = "It will end", body = Done),
        (status = 400, description = "A body that cannot be meant", body = Message),
        (status = 404, description = "No such execution", body = Message)
    )
)]
pub async fn cancel(
    State(own): State<OwnState>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Done>, Refusal> {
    let ask = ask(&body)?;
    let execution = ExecutionId::new(&id);
    let executions = &own.api.executions;
    let outcome = executions.cancel(&execution, &ask.by, &ask.reason).await?;
    done(&own, &id, outcome == CancelOutcome::Requested).await
}

/// Let a stuck execution try again
///
/// Nothing changes where it is not stuck.
#[utoipa::path(
    post,
    path = "/executions/{id}/resume",
    tag = "Executions",
    params(("id" = String, Path, description = "The execution")),
    request_body(content = Ask, description = "May be absent"),
    responses(
        (status = 200, description = "It tries again", body = Done),
        (status = 400, description = "A body that cannot be meant", body = Message),
        (status = 404, description = "No such execution", body = Message)
    )
)]
pub async fn resume(
    State(own): State<OwnState>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Done>, Refusal> {
    let ask = ask(&body)?;
    let by = match ask.reason.as_str() {
        "" => ask.by,
        reason => format!("{}: {reason}", ask.by),
    };
    let changed = own
        .api
        .executions
        .resume(&ExecutionId::new(&id), &by)
        .await?;
    done(&own, &id, changed).await
}

async fn done(own: &OwnState, id: &str, changed: bool) -> Result<Json<Done>, Refusal> {
    let execution = load(own, id).await?;
    Ok(Json(Done {
        changed,
        execution: ExecutionSummary::of(&execution.head()),
    }))
}

pub(super) async fn load(own: &OwnState, id: &str) -> Result<Execution, Refusal> {
    let id = ExecutionId::new(id);
    match own.api.executions.find(&id).await? {
        Some(execution) => Ok(execution),
        None => Err(TurnError::NoExecution(id).into()),
    }
}

/// Reads a body that may be empty.
fn ask(body: &Bytes) -> Result<Ask, Refusal> {
    let mut ask = if body.trim_ascii().is_empty() {
        Ask::default()
    } else {
        // A list would be taken for the fields in their order.
        let fields = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body);
        let ask = fields.and_then(|fields| serde_json::from_value(fields.into()));
        ask.map_err(|error| {
            Refusal::bad(format!(
                "the body cannot be read: {error}; expected `{{\"by\": WHO, \"reason\": WHY}}`, or nothing"
            ))
        })?
    };
    if ask.by.trim().is_empty() {
        "somebody".clone_into(&mut ask.by);
    }
    Ok(ask)
}

/// An empty parameter is as good as an absent one.
pub(super) fn filled(text: Option<&str>) -> Option<String> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

pub(super) fn number(
    name: &str,
    text: Option<&str>,
    default: u64,
    least: u64,
    most: u64,
) -> Result<u64, Refusal> {
    let Some(text) = filled(text) else {
        return Ok(default);
    };
    let number = text
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| {
        Refusal::bad(format!(
            "found `{text}` as `{name}`; expected a whole number from {least} to {most}"
        ))
    })
}

pub(super) fn statuses(text: Option<&str>) -> Result<Vec<Status>, Refusal> {
    let words = filled(text).unwrap_or_default();
    let words = words
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    words
        .map(|word| {
            let known = Status::ALL
                .into_iter()
                .find(|status| status.word().eq_ignore_ascii_case(word));
            known.ok_or_else(|| {
                let all = Status::ALL.map(|status| format!("`{}`", status.word()));
                Refusal::bad(format!(
                    "found the status `{word}`; expected {}",
                    all.join(", ")
                ))
            })
        })
        .collect()
}

pub(super) fn kind(text: Option<&str>) -> Result<Option<Kind>, Refusal> {
    let Some(word) = filled(text) else {
        return Ok(None);
    };
    let known = [Kind::Canary, Kind::Analysis, Kind::Release]
        .into_iter()
        .find(|kind| kind.word() == word);
    known.map(Some).ok_or_else(|| {
        Refusal::bad(format!(
            "found the kind `{word}`; expected `canary`, `analysis` or `release`"
        ))
    })
}
