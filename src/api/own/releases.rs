//! `/releases…`: plan, start, look, answer, take back, call off. What a release does, the desk knows; here requests are read and
//! answers are written.

mod act;
mod body;
mod find;
mod plan;

use axum::Json;
use axum::extract::{Path, Query, State};

use super::OwnState;
use super::execution_body::ExecutionSummary;
use super::executions::{filled, number, statuses};
use crate::api::refusal::{Message, Refusal};
use crate::executions::release::desk::DeskError;
use crate::executions::request::Kind;
use crate::store::HeadFilter;
use crate::ui::release::list_text::ReleaseSummary;
use crate::ui::release::plan::PlanStatus;
use crate::ui::release::status::ReleaseStatus;

pub use act::{__path_abort, __path_approve, __path_rollback, abort, approve, rollback};
pub use body::{
    Answer, PlanRequest, ReleaseList, ReleaseListParameters, ReleaseRow, StartRequest, Started,
    TakenBack,
};
pub use plan::{__path_plan, plan};
pub(super) use plan::{__path_start, start};

/// Most releases of one answer.
const MOST: u64 = 200;

impl From<DeskError> for Refusal {
    fn from(error: DeskError) -> Self {
        use axum::http::StatusCode;
        let message = error.to_string();
        match error {
            DeskError::NotFound(_) => Self::missing(message),
            DeskError::WrongState(_) => Self::new(StatusCode::CONFLICT, message),
            DeskError::Forbidden(_) => Self::new(StatusCode::FORBIDDEN, message),
            DeskError::Refused(problems) => Self {
                problems,
                ..Self::bad(message)
            },
            DeskError::KeyReused(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, message),
            DeskError::TooMany(_) => Self::new(StatusCode::TOO_MANY_REQUESTS, message),
            DeskError::Unavailable(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, message),
        }
    }
}

/// Releases, newest first
#[utoipa::path(
    get,
    path = "/releases",
    tag = "Releases",
    params(ReleaseListParameters),
    responses(
        (status = 200, description = "A page of releases", body = ReleaseList),
        (status = 400, description = "A parameter that cannot be meant", body = Message)
    )
)]
pub async fn list(
    State(own): State<OwnState>,
    Query(parameters): Query<ReleaseListParameters>,
) -> Result<Json<ReleaseList>, Refusal> {
    let page = number("page", parameters.page.as_deref(), 1, 1, 1_000_000)?;
    let limit = number("limit", parameters.limit.as_deref(), 50, 1, MOST)?;
    let statuses = statuses(parameters.status.as_deref())?;
    let filter = HeadFilter {
        application: filled(parameters.application.as_deref()),
        statuses: statuses.iter().map(|it| it.word().to_owned()).collect(),
        kinds: vec![Kind::Release.word().to_owned()],
        skip: (page - 1) * limit,
        most: limit + 1,
    };
    let heads = own.api.executions.list(&filter).await?;
    let more = heads.len() as u64 > limit;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut releases = Vec::new();
    for head in heads.iter().take(shown) {
        let state = own.api.executions.find(&head.id).await?;
        // One that was forgotten since the list was made is not in it.
        if let Some(release) = state.as_ref().and_then(ReleaseSummary::of) {
            releases.push(ReleaseRow {
                execution: ExecutionSummary::of(head),
                release,
            });
        }
    }
    Ok(Json(ReleaseList {
        releases,
        next_page: more.then_some(page + 1),
    }))
}

/// Where a release stands
#[utoipa::path(
    get,
    path = "/releases/{id}",
    tag = "Releases",
    params(("id" = String, Path, description = "The release: its id, or the beginning or the end of it, 6 characters at least")),
    responses(
        (status = 200, description = "Where it stands, and what is seen of it now", body = ReleaseStatus),
        (status = 404, description = "No such release", body = Message),
        (status = 400, description = "Several releases have such an id", body = Message)
    )
)]
pub async fn show(
    State(own): State<OwnState>,
    Path(id): Path<String>,
) -> Result<Json<ReleaseStatus>, Refusal> {
    let id = find::find(&own, &id).await?;
    let look = own.desk.look(&id).await?;
    let now_ms = own.api.executions.engine().ports().clock.now_ms();
    let status = ReleaseStatus::of(&look, now_ms);
    status
        .map(Json)
        .ok_or_else(|| DeskError::NotFound(id).into())
}

/// The plan of a release, and how far it is
#[utoipa::path(
    get,
    path = "/releases/{id}/plan",
    tag = "Releases",
    params(("id" = String, Path, description = "The release")),
    responses(
        (status = 200, description = "Each operation with its state, and what would take it back from here", body = PlanStatus),
        (status = 404, description = "No such release", body = Message),
        (status = 400, description = "Several releases have such an id", body = Message)
    )
)]
pub async fn plan_of(
    State(own): State<OwnState>,
    Path(id): Path<String>,
) -> Result<Json<PlanStatus>, Refusal> {
    let id = find::find(&own, &id).await?;
    let look = own.desk.look(&id).await?;
    let now_ms = own.api.executions.engine().ports().clock.now_ms();
    let plan = PlanStatus::under_way(&look, now_ms);
    plan.map(Json).ok_or_else(|| DeskError::NotFound(id).into())
}
