//! Plans, and releases that are started from them: what is started is what was shown, by its hash.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;

use super::act::{named, read};
use super::body::{PlanRequest, StartRequest, Started};
use crate::api::kayenta::start::Repeatable;
use crate::api::own::OwnState;
use crate::api::refusal::{Message, Refusal};
use crate::config::release::spec::ReleaseSpec;
use crate::config::release::{self, Overrides};
use crate::executions::release::desk::Planned;
use crate::stages::plan::Plan;
use crate::store::{Document, DocumentKind, PutRule, StoreError};
use crate::ui::release::plan::PlanStatus;

/// Plan a release
///
/// Nothing is changed. The plan is kept under its hash, so that exactly it can be started.
#[utoipa::path(
    post,
    path = "/releases/plan",
    tag = "Releases",
    request_body(content = PlanRequest),
    responses(
        (status = 200, description = "The numbered operations, what guards and windows say of them, and the plan with its hash", body = PlanStatus),
        (status = 400, description = "A spec that is refused, or that no plan can be made of, with all that is wrong", body = Message)
    )
)]
pub async fn plan(State(own): State<OwnState>, body: Bytes) -> Result<Json<PlanStatus>, Refusal> {
    let request: PlanRequest = read(&body, "{\"spec\": TEXT, \"version\": VERSION}")?;
    let spec = spec(&request)?;
    let planned = own.desk.plan(Arc::new(spec)).await?;
    let now_ms = own.api.executions.engine().ports().clock.now_ms();
    keep(&own, &planned, now_ms).await?;
    Ok(Json(PlanStatus::planned(&planned, now_ms)))
}

/// The spec that a request carries.
fn spec(request: &PlanRequest) -> Result<ReleaseSpec, Refusal> {
    let text = match &request.spec {
        Value::String(text) => text.clone(),
        Value::Object(_) => request.spec.to_string(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            return Err(Refusal::bad(
                "the request has no `spec`; expected its text, or a map",
            ));
        }
    };
    let files = |path: &str| {
        request.files.get(path).cloned().ok_or_else(|| {
            format!(
                "`{path}` is a file that the request does not carry; expected its text under `files`, or the config itself"
            )
        })
    };
    let overrides = Overrides {
        version: request.version.clone(),
        artifact: request.artifact.clone(),
        folder: request.folder.as_ref().map(PathBuf::from),
    };
    let loaded = release::load(&text, &files, &overrides).map_err(|refused| {
        let mut problems = Vec::new();
        for file in &refused.files {
            let name = file.name.as_deref().unwrap_or("the spec");
            let all = file.problems.iter();
            problems.extend(all.map(|problem| format!("{name}: {problem}")));
        }
        Refusal {
            problems: problems.clone(),
            ..Refusal::bad(format!(
                "the release spec is refused: {}",
                problems.join("; ")
            ))
        }
    })?;
    Ok(loaded.spec)
}

async fn keep(own: &OwnState, planned: &Planned, now_ms: i64) -> Result<(), Refusal> {
    let plan = &planned.plan;
    let body = serde_json::to_string(plan)
        .map_err(|error| Refusal::fault(StatusCode::INTERNAL_SERVER_ERROR, &error))?;
    let document = Document {
        kind: DocumentKind::ReleasePlan,
        id: plan.hash(),
        name: String::new(),
        applications: vec![plan.release.spec.application.clone()],
        created_ms: now_ms,
        updated_ms: now_ms,
        body,
    };
    let store = &own.api.executions.engine().ports().store;
    match store.put_document(&document, PutRule::Create).await {
        // The same plan was made before.
        Ok(()) | Err(StoreError::Exists { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Start a release
#[utoipa::path(
    post,
    path = "/releases",
    tag = "Releases",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same request starts nothing twice")
    ),
    request_body(content = StartRequest, description = "The hash of a plan, or a plan"),
    responses(
        (status = 201, description = "It is accepted, and survives everything", body = Started),
        (status = 200, description = "The same request with the same key started it before", body = Started),
        (status = 400, description = "A body that cannot be meant, or a plan that is refused", body = Message),
        (status = 404, description = "No plan has this hash", body = Message),
        (status = 422, description = "The idempotency key came before with another request", body = Message),
        (status = 429, description = "Too much runs already; `Retry-After` says when to ask again", body = Message)
    )
)]
pub(in crate::api::own) async fn start(
    State(own): State<OwnState>,
    repeatable: Repeatable,
    body: Bytes,
) -> Result<(StatusCode, Json<Started>), Refusal> {
    let key = repeatable.key(&body)?;
    let answer = |status, id: String| Ok((status, Json(Started { id })));
    // A client that repeats itself hears of what it started before anything else.
    if let Some(key) = &key
        && let Some(before) = own.api.executions.started_by(key).await?
    {
        return answer(StatusCode::OK, before.id.to_string());
    }
    let request: StartRequest = read(&body, "{\"planHash\": HASH, \"by\": WHO}")?;
    let plan = match (&request.plan_hash, request.plan) {
        (Some(hash), None) => stored(&own, hash).await?.ok_or_else(|| {
            Refusal::missing(format!(
                "there is no plan `{hash}`; `POST /releases/plan` makes one"
            ))
        })?,
        // Only what guards and strategies made and a person could see: a plan that somebody wrote may do anything.
        (None, Some(plan)) => {
            let plan: Plan = serde_json::from_value(plan)
                .map_err(|error| Refusal::bad(format!("the plan cannot be read: {error}")))?;
            stored(&own, &plan.hash()).await?.ok_or_else(|| {
                Refusal::bad(
                    "this service did not make the plan, or made it more than a week ago; expected one that `POST /releases/plan` answered, unchanged",
                )
            })?
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(Refusal::bad(
                "expected either `planHash` or `plan`, as `POST /releases/plan` answers them",
            ));
        }
    };
    let started = own.desk.start(plan, named(&request.by), key).await?;
    let status = if started.before {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    answer(status, started.id.to_string())
}

/// The plan that was made here and has this hash.
async fn stored(own: &OwnState, hash: &str) -> Result<Option<Plan>, Refusal> {
    let store = &own.api.executions.engine().ports().store;
    let document = store.document(DocumentKind::ReleasePlan, hash).await?;
    let Some(document) = document else {
        return Ok(None);
    };
    serde_json::from_str(&document.body)
        .map(Some)
        .map_err(|error| Refusal::fault(StatusCode::INTERNAL_SERVER_ERROR, &error))
}
