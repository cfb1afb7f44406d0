//! `GET /executions`, `GET /executions/{id}`, and what a person can do with one: cancel, resume.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OwnState;
use super::answer::{Refusal, Said};
use crate::analysis::task::Failure;
use crate::executions::engine::TurnError;
use crate::executions::request::Kind;
use crate::executions::service::CancelOutcome;
use crate::executions::state::{State as Execution, Status};
use crate::model::ids::ExecutionId;
use crate::model::scope::Side;
use crate::stages::analyze::AnalyzeState;
use crate::stages::wait::WaitState;
use crate::stages::{Stage, StageState};
use crate::store::{Head, HeadFilter};

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
    /// Only of this kind: `canary` or `analysis`.
    pub kind: Option<String>,
    /// Which page, from 1.
    pub page: Option<String>,
    /// How many a page has: 1 to 200, 50 where absent.
    pub limit: Option<String>,
}

/// A page of executions, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionList {
    /// The executions.
    pub executions: Vec<ExecutionSummary>,
    /// The number of the next page, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page: Option<u64>,
}

/// Where an execution stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionSummary {
    /// Its id.
    pub id: String,
    /// `canary` or `analysis`.
    pub kind: String,
    /// The application.
    pub application: String,
    /// The canary config's name; may be empty.
    pub config: String,
    /// `not_started`, `running`, `suspended`, `succeeded`, `terminal` or `canceled`.
    pub status: String,
    /// `Pass`, `Marginal`, `Fail` or `Inconclusive`, of the last judgement, by the safe rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// The score of the last judgement, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// One sentence on where it stands.
    pub sentence: String,
    /// When it was accepted, RFC 3339.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// The path of its report.
    pub report: String,
}

/// Where an execution stands, with its stages.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionDetail {
    /// What a list shows of it.
    #[serde(flatten)]
    pub summary: ExecutionSummary,
    /// Number of its last event.
    pub last_event: u64,
    /// Who asked for it, as the client says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Who called it off, if somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canceled_by: Option<String>,
    /// Why it was called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<String>,
    /// What it is stuck on, while it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stuck: Option<String>,
    /// Its stages, in order.
    pub stages: Vec<StageDetail>,
}

/// How far a stage is.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StageDetail {
    /// `wait` or `analyze`.
    pub kind: &'static str,
    /// `notStarted`, `running`, `done` or `failed`.
    pub progress: &'static str,
    /// What is waited for, of a wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Until when, of a wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Number of the judgement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// The content hash of the bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
    /// The verdict of the judgement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// The score of the judgement, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The path of the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// Why there is no judgement.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<FailureDetail>,
}

/// One thing that kept a judgement from being made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailureDetail {
    /// The metric's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// `baseline` or `canary`; both where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<&'static str>,
    /// What happened.
    pub message: String,
    /// The query, as far as it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
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

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Done {
    /// Whether anything changed.
    pub changed: bool,
    /// Where the execution stands now.
    pub execution: ExecutionSummary,
}

/// Executions, newest first
#[utoipa::path(
    get,
    path = "/executions",
    tag = "Executions",
    params(ListParameters),
    responses(
        (status = 200, description = "A page of executions", body = ExecutionList),
        (status = 400, description = "A parameter that cannot be meant", body = Said)
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
        (status = 404, description = "No such execution", body = Said)
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
        (status = 400, description = "A body that cannot be meant", body = Said),
        (status = 404, description = "No such execution", body = Said)
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
        (status = 400, description = "A body that cannot be meant", body = Said),
        (status = 404, description = "No such execution", body = Said)
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
    let known = [Kind::Canary, Kind::Analysis]
        .into_iter()
        .find(|kind| kind.word() == word);
    known.map(Some).ok_or_else(|| {
        Refusal::bad(format!(
            "found the kind `{word}`; expected `canary` or `analysis`"
        ))
    })
}

/// RFC 3339, to the millisecond.
pub(super) fn rfc3339(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| String::new(), |at| format!("{at:.3}"))
}

impl ExecutionSummary {
    /// What a list shows.
    #[must_use]
    pub fn of(head: &Head) -> Self {
        Self {
            id: head.id.to_string(),
            kind: head.kind.clone(),
            application: head.application.clone(),
            config: head.config_name.clone(),
            status: head.status.clone(),
            verdict: head.verdict.map(|verdict| verdict.word().to_owned()),
            score: head.score,
            sentence: head.sentence.clone(),
            created_at: rfc3339(head.created_ms),
            updated_at: rfc3339(head.updated_ms),
            ended_at: head.ended_ms.map(rfc3339),
            report: format!("/reports/{}", head.id),
        }
    }
}

impl ExecutionDetail {
    /// Everything that is known of where it stands.
    #[must_use]
    pub fn of(execution: &Execution) -> Self {
        let stages = execution.request.stages.iter().zip(&execution.stages);
        let cancel = execution.cancel.as_ref();
        Self {
            summary: ExecutionSummary::of(&execution.head()),
            last_event: execution.seq,
            user: execution.request.user.clone(),
            canceled_by: cancel.map(|cancel| cancel.by.clone()),
            cancel_reason: cancel.and_then(|cancel| filled(Some(&cancel.reason))),
            stuck: execution.stuck.as_ref().map(|stuck| stuck.error.clone()),
            stages: stages
                .map(|(stage, state)| StageDetail::of(execution, stage, state))
                .collect(),
        }
    }
}

impl StageDetail {
    fn of(execution: &Execution, stage: &Stage, state: &StageState) -> Self {
        use crate::stages::Progress;
        let mut detail = Self {
            progress: match state.progress() {
                Progress::NotStarted => "notStarted",
                Progress::Running => "running",
                Progress::Done => "done",
                Progress::Failed => "failed",
            },
            started_at: state.started_ms().map(rfc3339),
            ..Self::default()
        };
        match stage {
            Stage::Wait(wait) => {
                detail.kind = "wait";
                detail.name = Some(wait.name.clone());
                detail.until = Some(rfc3339(wait.until_ms));
            }
            Stage::Analyze(analyze) => {
                detail.kind = "analyze";
                detail.number = Some(analyze.number);
            }
        }
        match state {
            StageState::Wait(WaitState::Done { ended_ms, .. }) => {
                detail.ended_at = Some(rfc3339(*ended_ms));
            }
            StageState::Wait(WaitState::NotStarted | WaitState::Waiting { .. }) => {}
            StageState::Analyze(analyze) => {
                detail.ended_at = analyze.ended_ms().map(rfc3339);
                detail.bundle = analyze.bundle_id().map(str::to_owned);
                if let Some(outcome) = analyze.outcome() {
                    detail.verdict = Some(outcome.verdict.word().to_owned());
                    detail.score = Some(outcome.score);
                    detail.report = detail
                        .number
                        .map(|number| format!("/reports/{}-{number}", execution.id));
                }
                if let AnalyzeState::Failed { failures, .. } = analyze {
                    let of = |failure| FailureDetail::of(execution, failure);
                    detail.failures = failures.iter().map(of).collect();
                }
            }
        }
        detail
    }
}

impl FailureDetail {
    fn of(execution: &Execution, failure: &Failure) -> Self {
        let metrics = &execution.request.config.metrics;
        Self {
            metric: failure
                .metric
                .and_then(|index| metrics.get(index)?.name.clone()),
            side: failure.side.map(|side| match side {
                Side::Baseline => "baseline",
                Side::Canary => "canary",
            }),
            message: failure.message.clone(),
            query: failure.query.clone(),
            hint: failure.hint.clone(),
        }
    }
}
