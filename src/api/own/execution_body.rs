//! What our own paths show of executions.

use serde::Serialize;
use utoipa::ToSchema;

use crate::analysis::task::Failure;
use crate::executions::state::State as Execution;
use crate::model::scope::Side;
use crate::stages::analyze::AnalyzeState;
use crate::stages::operate::Purpose;
use crate::stages::wait::WaitState;
use crate::stages::{Stage, StageState};
use crate::store::Head;

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

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Done {
    /// Whether anything changed.
    pub changed: bool,
    /// Where the execution stands now.
    pub execution: ExecutionSummary,
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
            cancel_reason: cancel
                .map(|cancel| cancel.reason.clone())
                .filter(|reason| !reason.trim().is_empty()),
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
                let since_ms = state.started_ms().unwrap_or(execution.created_ms);
                detail.until = Some(rfc3339(wait.ends_ms(since_ms)));
            }
            Stage::Analyze(analyze) => {
                detail.kind = "analyze";
                detail.number = Some(analyze.number);
            }
            Stage::Approve(_) => detail.kind = "approve",
            Stage::Operate(operate) => {
                detail.kind = match operate.purpose {
                    Purpose::Deploy => "deploy",
                    Purpose::Promote => "promote",
                    Purpose::RollBack => "rollback",
                    Purpose::CleanUp => "cleanup",
                };
            }
        }
        match state {
            StageState::Wait(WaitState::Done { ended_ms, .. }) => {
                detail.ended_at = Some(rfc3339(*ended_ms));
            }
            StageState::Wait(WaitState::NotStarted | WaitState::Waiting { .. }) => {}
            StageState::Approve(_) | StageState::Operate(_) => {}
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
