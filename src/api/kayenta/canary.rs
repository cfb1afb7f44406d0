//! Canary executions: one judgement each.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, Message, Refusal};
use super::canary_request::CanaryRequest;
use super::configs;
use super::documents;
use super::params::{Content, Id, Params};
use super::read::{self, Field, Problems};
use super::run::Run;
use super::shapes::{AdHocCanaryBody, CanaryExecutionRequestBody};
use super::start::{self, AD_HOC, Asked, Repeatable};
use super::status::{self, CanaryStatus};
use crate::api::ApiState;
use crate::archive::ArchiveError;
use crate::config::canary::wire::CanaryConfig;
use crate::executions::engine::with_causes;
use crate::executions::request::{Kind, Request};
use crate::executions::state::{self, Status};
use crate::model::ids::ExecutionId;
use crate::model::scope::{ScopePair, Window};
use crate::stages::Stage;
use crate::stages::analyze::Analyze;
use crate::stages::wait::{Until, Wait};
use crate::store::{DocumentKind, HeadFilter, IdempotencyKey};

/// Most executions that one answer lists.
const MOST_LISTED: u64 = 500;

/// The id of an execution that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CanaryExecutionId {
    /// The id.
    pub canary_execution_id: String,
}

/// Judges by a stored config.
#[utoipa::path(
    post,
    path = "/canary/{canaryConfigId}",
    tag = "Canaries",
    params(
        ("canaryConfigId" = String, Path, description = "The stored config"),
        ("application" = Option<String>, Query, description = "`ad-hoc` where absent or empty"),
        ("parentPipelineExecutionId" = Option<String>, Query, description = "Kept and shown"),
        ("metricsAccountName" = Option<String>, Query, description = "The metric store; the first one where absent or empty"),
        ("configurationAccountName" = Option<String>, Query, description = "Any known account"),
        ("storageAccountName" = Option<String>, Query, description = "Any known account"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same request starts nothing twice")
    ),
    request_body = CanaryExecutionRequestBody,
    responses(
        (status = 200, description = "It is accepted, and survives everything", body = CanaryExecutionId),
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
) -> Answer<Json<CanaryExecutionId>> {
    let key = repeatable.key(&body)?;
    if let Some(id) = start::before(&state, key.as_ref()).await? {
        return Ok(Json(CanaryExecutionId {
            canary_execution_id: id,
        }));
    }
    let value = read::json(&body)?;
    let request = read_request(&Field::root(&value))?;
    let asked = Asked::read(&state, &params, true)?;
    let config = configs::stored(&state, &config_id).await?;
    accept(&state, asked, config, Some(config_id), request, key).await
}

/// Judges by a config that the request carries.
#[utoipa::path(
    post,
    path = "/canary",
    tag = "Canaries",
    params(
        ("application" = Option<String>, Query, description = "`ad-hoc` where absent or empty"),
        ("parentPipelineExecutionId" = Option<String>, Query, description = "Kept and shown"),
        ("metricsAccountName" = Option<String>, Query, description = "The metric store; the first one where absent or empty"),
        ("storageAccountName" = Option<String>, Query, description = "Any known account"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same request starts nothing twice")
    ),
    request_body = AdHocCanaryBody,
    responses(
        (status = 200, description = "It is accepted, and survives everything", body = CanaryExecutionId),
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
) -> Answer<Json<CanaryExecutionId>> {
    let key = repeatable.key(&body)?;
    if let Some(id) = start::before(&state, key.as_ref()).await? {
        return Ok(Json(CanaryExecutionId {
            canary_execution_id: id,
        }));
    }
    let value = read::json(&body)?;
    let (config, request) = parts_of(&value)?;
    let config = configs::read_config(config.value())?;
    let request = read_request(&request)?;
    let asked = Asked::read(&state, &params, false)?;
    accept(&state, asked, config, None, request, key).await
}

/// The two parts of a request that carries its config.
pub(super) fn parts_of(value: &serde_json::Value) -> Answer<(Field<'_>, Field<'_>)> {
    let mut problems = Problems::default();
    let root = Field::root(value);
    root.object(&mut problems);
    problems.check()?;
    let part = |key: &str| match root.get(key) {
        part if part.is_absent() => Err(Refusal::bad(format!(
            "{key} must be provided for ad-hoc requests"
        ))),
        part => Ok(part),
    };
    Ok((part("canaryConfig")?, part("executionRequest")?))
}

fn read_request(field: &Field<'_>) -> Answer<CanaryRequest> {
    let mut problems = Problems::default();
    let request = CanaryRequest::read(field, &mut problems);
    problems.check()?;
    Ok(request)
}

async fn accept(
    state: &ApiState,
    asked: Asked,
    config: CanaryConfig,
    config_id: Option<String>,
    request: CanaryRequest,
    key: Option<IdempotencyKey>,
) -> Answer<Json<CanaryExecutionId>> {
    let provided = request.scopes.as_ref();
    let names = provided.map(|scopes| scopes.keys().map(String::as_str).collect());
    let required = start::required_scopes(&config, names.as_ref())?;
    start::check_queries(state, &config, &asked)?;
    let Some(thresholds) = request.thresholds else {
        return Err(Refusal::bad("Execution request must contain thresholds"));
    };
    let mut problems = Problems::default();
    let scopes: BTreeMap<_, _> = provided
        .into_iter()
        .flatten()
        .filter(|(name, _)| required.contains(name.as_str()))
        .filter_map(|(name, pair)| Some((name.clone(), pair.complete(name, &mut problems)?)))
        .collect();
    problems.check()?;
    start::check_sides(state, &scopes)?;
    let config = start::judgeable(config)?;
    let follows_verdict = start::follows_verdict(state, &config);
    let request = Request {
        kind: Kind::Canary,
        application: asked.application,
        user: asked.user,
        parent: asked.parent,
        config: config.into(),
        config_id,
        accounts: asked.accounts,
        thresholds,
        follows_verdict,
        stages: stages(scopes, state.executions.engine().ports().clock.now_ms()),
        release: None,
        preempts: false,
        phases: Vec::new(),
        echo: request.echo(),
    };
    let id = state.executions.start(request, key).await?.id;
    Ok(Json(CanaryExecutionId {
        canary_execution_id: id.to_string(),
    }))
}

/// One judgement. A window that is not over is waited for: a metric store may answer for the time to come by repeating what it saw last,
/// and both sides would look alike.
fn stages(scopes: BTreeMap<String, ScopePair>, now_ms: i64) -> Vec<Stage> {
    let windows = scopes
        .values()
        .flat_map(|pair| [pair.baseline.window, pair.canary.window]);
    let until_ms = windows.map(Window::end_ms).max().unwrap_or(now_ms);
    let wait = (until_ms > now_ms).then(|| {
        Stage::Wait(Wait {
            name: "Window Wait".to_owned(),
            until: Until::Moment { until_ms },
        })
    });
    wait.into_iter()
        .chain([Stage::Analyze(Analyze {
            number: 1,
            scopes,
            comparison: None,
        })])
        .collect()
}

/// Where a canary execution stands: also of one judgement of an analysis, and of what a client has archived.
#[utoipa::path(
    get,
    path = "/canary/{canaryExecutionId}",
    tag = "Canaries",
    params(
        ("canaryExecutionId" = String, Path, description = "The execution, or `{analysis}-{number}`"),
        ("storageAccountName" = Option<String>, Query, description = "Ignored: results are kept in one place")
    ),
    responses(
        (status = 200, description = "Where it stands", body = CanaryStatus, headers(
            ("Coalmine-Verdict" = String, description = "`Pass`, `Marginal`, `Inconclusive` or `Fail` by the safe rules, once judged"),
            ("Coalmine-Report" = String, description = "Path of the report, once judged")
        )),
        (status = 400, description = "The path cannot be read", body = Message),
        (status = 404, description = "There is no such execution", body = Message),
        (status = 503, description = "Store or archive are out of reach", body = Message)
    )
)]
pub(super) async fn show(State(state): State<ApiState>, Id(id): Id) -> Answer<Response> {
    if let Some((execution, number)) = find(&state, &id).await?
        && let Some(run) = Run::all(&execution)
            .find(|run| run.analyze.number == number)
            .filter(|run| execution.request.kind == Kind::Canary || run.has_begun())
    {
        let body = status::canary_status(run, status::result(&state, run).await?);
        return Ok((status::headers(run), Json(body)).into_response());
    }
    let archived = documents::find_json(&state, DocumentKind::CanaryArchive, &id).await?;
    match archived {
        Some(body) => Ok(Json(body).into_response()),
        None => Err(Refusal::missing(format!(
            "there is no canary execution `{id}`"
        ))),
    }
}

/// The execution that the id means, and which of its judgements.
async fn find(state: &ApiState, id: &str) -> Answer<Option<(state::State, u32)>> {
    let own = state.executions.find(&ExecutionId::new(id)).await?;
    if let Some(execution) = own {
        return Ok((execution.request.kind == Kind::Canary).then_some((execution, 1)));
    }
    let Some((parent, number)) = state::parse_judgement_name(id) else {
        return Ok(None);
    };
    let parent = state.executions.find(&parent).await?;
    let parent = parent.filter(|execution| execution.request.kind == Kind::Analysis);
    Ok(parent.map(|execution| (execution, number)))
}

/// Canary executions of an application, newest first. Judgements of analyses are not among them.
#[utoipa::path(
    get,
    path = "/canary/executions",
    tag = "Canaries",
    params(
        ("application" = Option<String>, Query, description = "`ad-hoc` where absent or empty"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 500, description = "Executions of a page; 20 where absent"),
        ("page" = Option<u64>, Query, minimum = 1, maximum = 1_000_000, description = "Which page, from 1"),
        ("statuses" = Option<String>, Query, description = "Status words with commas between them, in upper case; all where absent"),
        ("storageAccountName" = Option<String>, Query, description = "Ignored: results are kept in one place")
    ),
    responses(
        (status = 200, description = "The executions", body = [CanaryStatus]),
        (status = 400, description = "A parameter cannot be read", body = Message),
        (status = 503, description = "Store or archive are out of reach", body = Message)
    )
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    params: Params,
) -> Answer<Json<Vec<CanaryStatus>>> {
    let limit = params.whole("limit", 1, MOST_LISTED)?.unwrap_or(20);
    let page = params.whole("page", 1, 1_000_000)?.unwrap_or(1);
    let Some(statuses) = statuses(params.get("statuses").unwrap_or_default())? else {
        return Ok(Json(Vec::new()));
    };
    let filter = HeadFilter {
        application: Some(params.get("application").unwrap_or(AD_HOC).to_owned()),
        statuses,
        kinds: vec![Kind::Canary.word().to_owned()],
        skip: (page - 1) * limit,
        most: limit,
    };
    let mut bodies = Vec::new();
    for head in state.executions.list(&filter).await? {
        // One that was forgotten meanwhile is no error.
        let Some(execution) = state.executions.find(&head.id).await? else {
            continue;
        };
        if let Some(run) = Run::all(&execution).next() {
            let result = match status::result(&state, run).await {
                // One that is damaged must not hide the others.
                Err(error @ ArchiveError::Damaged { .. }) => {
                    let (id, causes) = (&head.id, with_causes(&error));
                    tracing::error!(execution.id = %id, "listed execution `{id}` without its result: {causes}");
                    None
                }
                result => result?,
            };
            bodies.push(status::canary_status(run, result));
        }
    }
    Ok(Json(bodies))
}

/// Kayenta's words for states of work.
pub(super) const STATUSES: [&str; 12] = [
    "NOT_STARTED",
    "RUNNING",
    "PAUSED",
    "SUSPENDED",
    "SUCCEEDED",
    "FAILED_CONTINUE",
    "TERMINAL",
    "CANCELED",
    "REDIRECT",
    "STOPPED",
    "SKIPPED",
    "BUFFERED",
];

/// Our words for the asked ones; empty for all, `None` where nothing can have one of them.
fn statuses(text: &str) -> Answer<Option<Vec<String>>> {
    let mut ours = Vec::new();
    let mut asked = false;
    for word in text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
    {
        asked = true;
        let upper = word.to_ascii_uppercase();
        if !STATUSES.contains(&upper.as_str()) {
            return Err(Refusal::bad(format!(
                "the parameter `statuses` has the word `{word}`; expected {}",
                STATUSES.join(", ")
            )));
        }
        let lower = upper.to_ascii_lowercase();
        if Status::ALL.iter().any(|status| status.word() == lower) {
            ours.push(lower);
        }
    }
    Ok((!asked || !ours.is_empty()).then_some(ours))
}
