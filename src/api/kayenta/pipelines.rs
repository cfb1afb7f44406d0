//! What is left of Kayenta's embedded orchestrator: calling an execution off.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

use super::answer::{Answer, Message};
use super::params::{Id, Params};
use crate::api::ApiState;
use crate::executions::state::parse_judgement_name;
use crate::model::ids::ExecutionId;

/// Calls an execution off. Of a judgement of an analysis: the analysis. A body is ignored.
#[utoipa::path(
    put,
    path = "/pipelines/{executionId}/cancel",
    tag = "Canaries",
    params(
        ("executionId" = String, Path, description = "The execution"),
        ("reason" = Option<String>, Query, description = "Why, for people"),
        ("X-SPINNAKER-USER" = Option<String>, Header, description = "Who asks; `anonymous` where absent")
    ),
    responses(
        (status = 202, description = "It will end, or has ended before"),
        (status = 400, description = "The path cannot be read", body = Message),
        (status = 404, description = "There is no such execution", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn cancel(
    State(state): State<ApiState>,
    Id(id): Id,
    params: Params,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let user = headers.get("x-spinnaker-user");
    let user = user.and_then(|user| user.to_str().ok()).unwrap_or_default();
    let by = match user.trim() {
        "" => "anonymous",
        user => user,
    };
    let reason = params.get("reason").unwrap_or_default();
    let mut execution = ExecutionId::new(id.as_str());
    if state.executions.find(&execution).await?.is_none()
        && let Some((parent, _)) = parse_judgement_name(&id)
        && state.executions.find(&parent).await?.is_some()
    {
        execution = parent;
    }
    state.executions.cancel(&execution, by, reason).await?;
    Ok(StatusCode::ACCEPTED)
}
