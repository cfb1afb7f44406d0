//! Standalone analyses: judgements at intervals, and what they come to.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::analysis_request::AnalysisRequest;
use super::analysis_status::{self, CanaryAnalysisStatus};
use super::answer::{Answer, Message, Refusal};
use super::canary::parts_of;
use super::configs;
use super::params::{Content, Id, Params};
use super::read::{self, Field, Problems};
use super::run::Run;
use super::shapes::{AdHocAnalysisBody, CanaryAnalysisExecutionRequestBody};
use super::start::{self, Asked, Repeatable};
use super::status;
use crate::analysis::windows::{self, Plan, Planned};
use crate::api::ApiState;
use crate::config::canary::wire::CanaryConfig;
use crate::executions::request::{Kind, Request};
use crate::model::ids::ExecutionId;
use crate::stages::Stage;
use crate::stages::analyze::Analyze;
use crate::stages::wait::{Until, Wait};
use crate::store::IdempotencyKey;

/// The id of an analysis that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CanaryAnalysisExecutionId {
    /// The id.
    pub canary_analysis_execution_id: String,
}

/// Judges at intervals by a stored config.
#[utoipa::path(
    post,
    path = "/standalone_canary_analysis/{canaryConfigId}",
    tag = "Standalone analyses",
    params(
        ("canaryConfigId" = String, Path, description = "The stored config"),
        ("user" = Option<String>, Query, description = "`anonymous` where absent or empty"),
        ("application" = Option<String>, Query, description = "`ad-hoc` where absent or empty"),
        ("parentPipelineExecutionId" = Option<String>, Query, description = "Kept and shown"),
        ("metricsAccountName" = Option<String>, Query, description = "The metric store; the first one where absent or empty"),
        ("configurationAccountName" = Option<String>, Query, description = "Any known account"),
        ("storageAccountName" = Option<String>, Query, description = "Any known account"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same request starts nothing twice")
    ),
    request_body = CanaryAnalysisExecutionRequestBody,
    responses(
        (status = 200, description = "It is accepted, and survives everything", body = CanaryAnalysisExecutionId),
        (status = 400, description = "The request cannot be done", body = Message),
        (status = 404, description = "No config has this id", body = Message),
        (status = 422, description = "The idempotency key came before with another request", body = Message),
        (status = 429, description = "Too many executions have not ended", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn start_stored(
    State(state): State<ApiState>,
    Id(config_id): Id,
    params: Params,
    repeatable: Repeatable,
    Content(body): Content,
) -> Answer<Json<CanaryAnalysisExecutionId>> {
    let key = repeatable.key(&body)?;
    if let Some(id) = start::before(&state, key.as_ref()).await? {
        return Ok(Json(CanaryAnalysisExecutionId {
            canary_analysis_execution_id: id,
        }));
    }
    let value = read::json(&body)?;
    let request = read_request(&state, &Field::root(&value))?;
    let asked = Asked::read(&state, &params, true)?;
    let config = configs::stored(&state, &config_id).await?;
    accept(&state, asked, config, Some(config_id), request, key).await
}

/// Judges at intervals by a config that the request carries.
#[utoipa::path(
    post,
    path = "/standalone_canary_analysis",
    tag = "Standalone analyses",
    params(
        ("user" = Option<String>, Query, description = "`anonymous` where absent or empty"),
        ("application" = Option<String>, Query, description = "`ad-hoc` where absent or empty"),
        ("parentPipelineExecutionId" = Option<String>, Query, description = "Kept and shown"),
        ("metricsAccountName" = Option<String>, Query, description = "The metric store; the first one where absent or empty"),
        ("storageAccountName" = Option<String>, Query, description = "Any known account"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same request starts nothing twice")
    ),
    request_body = AdHocAnalysisBody,
    responses(
        (status = 200, description = "It is accepted, and survives everything", body = CanaryAnalysisExecutionId),
        (status = 400, description = "The request cannot be done", body = Message),
        (status = 422, description = "The idempotency key came before with another request", body = Message),
        (status = 429, description = "Too many executions have not ended", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn start_ad_hoc(
    State(state): State<ApiState>,
    params: Params,
    repeatable: Repeatable,
    Content(body): Content,
) -> Answer<Json<CanaryAnalysisExecutionId>> {
    let key = repeatable.key(&body)?;
    if let Some(id) = start::before(&state, key.as_ref()).await? {
        return Ok(Json(CanaryAnalysisExecutionId {
            canary_analysis_execution_id: id,
        }));
    }
    let value = read::json(&body)?;
    let (config, request) = parts_of(&value)?;
    let config = configs::read_config(config.value())?;
    let request = read_request(&state, &request)?;
    let asked = Asked::read(&state, &params, false)?;
    accept(&state, asked, config, None, request, key).await
}

fn read_request(state: &ApiState, field: &Field<'_>) -> Answer<AnalysisRequest> {
    let now_ms = state.executions.engine().ports().clock.now_ms();
    let mut problems = Problems::default();
    let request = AnalysisRequest::read(field, now_ms, &mut problems);
    problems.check()?;
    Ok(request)
}

async fn accept(
    state: &ApiState,
    asked: Asked,
    config: CanaryConfig,
    config_id: Option<String>,
    request: AnalysisRequest,
    key: Option<IdempotencyKey>,
) -> Answer<Json<CanaryAnalysisExecutionId>> {
    let plan = windows::plan(&request.plan).map_err(|problems| {
        let sentences: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Refusal::bad(sentences.join("\n"))
    })?;
    let scopes = request.plan.scopes.iter();
    let names = scopes.map(|scope| scope.name.as_str()).collect();
    start::required_scopes(&config, Some(&names))?;
    start::check_queries(state, &config, &asked)?;
    if let Some((_, _, scopes)) = plan.judgements().next() {
        start::check_sides(state, scopes)?;
    }
    let config = start::judgeable(config)?;
    let follows_verdict = start::follows_verdict(state, &config);
    let request = Request {
        kind: Kind::Analysis,
        application: asked.application,
        user: asked.user,
        parent: asked.parent,
        config: config.into(),
        config_id,
        accounts: asked.accounts,
        thresholds: request.thresholds.unwrap_or_default(),
        follows_verdict,
        stages: stages(plan, request.plan.now_ms),
        release: None,
        preempts: false,
        phases: Vec::new(),
        echo: request.echo(),
    };
    let id = state.executions.start(request, key).await?.id;
    Ok(Json(CanaryAnalysisExecutionId {
        canary_analysis_execution_id: id.to_string(),
    }))
}

/// The stages of a plan. Where a window has not ended by the time that the plan comes to it, it is waited for.
fn stages(plan: Plan, now_ms: i64) -> Vec<Stage> {
    let mut stages = Vec::new();
    let mut waited_ms = now_ms;
    for planned in plan.stages {
        match planned {
            Planned::Wait { name, until_ms } => {
                waited_ms = waited_ms.max(until_ms);
                stages.push(Stage::Wait(Wait {
                    name,
                    until: Until::Moment { until_ms },
                }));
            }
            Planned::Judge {
                number,
                due_ms,
                scopes,
            } => {
                if due_ms > waited_ms {
                    waited_ms = due_ms;
                    let name = format!("Interval Wait #{number}");
                    let wait = Stage::Wait(Wait {
                        name: name.clone(),
                        until: Until::Moment { until_ms: due_ms },
                    });
                    match stages.last_mut() {
                        Some(Stage::Wait(last)) if last.name == name => {
                            last.until = Until::Moment { until_ms: due_ms }
                        }
                        Some(
                            Stage::Wait(_)
                            | Stage::Analyze(_)
                            | Stage::Approve(_)
                            | Stage::Operate(_),
                        )
                        | None => stages.push(wait),
                    }
                }
                stages.push(Stage::Analyze(Analyze {
                    number,
                    scopes,
                    comparison: None,
                }));
            }
        }
    }
    stages
}

/// Where an analysis stands, and in the end what it came to.
#[utoipa::path(
    get,
    path = "/standalone_canary_analysis/{canaryAnalysisExecutionId}",
    tag = "Standalone analyses",
    params(
        ("canaryAnalysisExecutionId" = String, Path, description = "The analysis"),
        ("storageAccountName" = Option<String>, Query, description = "Ignored: results are kept in one place")
    ),
    responses(
        (status = 200, description = "Where it stands", body = CanaryAnalysisStatus, headers(
            ("Coalmine-Verdict" = String, description = "`Pass`, `Marginal`, `Inconclusive` or `Fail` by the safe rules, of the last judgement"),
            ("Coalmine-Report" = String, description = "Path of the report of the last judgement")
        )),
        (status = 400, description = "The path cannot be read", body = Message),
        (status = 404, description = "There is no such analysis", body = Message),
        (status = 503, description = "Store or archive are out of reach", body = Message)
    )
)]
pub(super) async fn show(State(state): State<ApiState>, Id(id): Id) -> Answer<Response> {
    let execution = state
        .executions
        .find(&ExecutionId::new(id.as_str()))
        .await?;
    let execution = execution
        .filter(|execution| execution.request.kind == Kind::Analysis)
        .ok_or_else(|| Refusal::missing(format!("there is no canary analysis `{id}`")))?;
    let mut results = Vec::new();
    if execution.end.is_some() {
        for run in Run::all(&execution) {
            results.push(status::result(&state, run).await?);
        }
    }
    let body = analysis_status::of(&execution, results);
    let judged = Run::all(&execution).rfind(|run| run.progress.outcome().is_some());
    let headers = judged.map(status::headers).unwrap_or_default();
    Ok((headers, Json(body)).into_response())
}
