//! Kayenta's answer about a canary execution.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::configs;
use super::exception::ExceptionBody;
use super::run::Run;
use super::score;
use super::shapes::{CanaryConfigBody, CanaryExecutionRequestBody, CanaryJudgeResultBody};
use super::start::AD_HOC;
use super::times::iso;
use crate::api::ApiState;
use crate::archive::ArchiveError;
use crate::config::canary::templates::escape_all;
use crate::executions::state::{State, Status, judgement_name};
use crate::model::kayenta::CanaryJudgeResult;

/// Where a canary execution stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CanaryStatus {
    /// Never absent.
    pub application: String,
    /// The client's own execution that waits for this one.
    pub parent_pipeline_execution_id: String,
    /// The execution's id.
    pub pipeline_id: String,
    /// Lower-case status word of each stage: `setupContext`, `fetchControl0` …, `fetchExperiment0` …, `mixMetrics`, `judge`.
    pub stage_status: BTreeMap<String, &'static str>,
    /// Whether nothing more will happen.
    pub complete: bool,
    /// `not_started`, `running`, `suspended` (stuck: a person must look), `succeeded`, `terminal` or `canceled`. About the work, not
    /// about the canary: one that failed its judgement has succeeded.
    pub status: &'static str,
    /// Why there is no result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception: Option<ExceptionBody>,
    /// Only where the status is `succeeded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<CanaryResult>,
    /// The config, its templates escaped.
    #[schema(value_type = CanaryConfigBody)]
    pub config: Value,
    /// The stored config's id, or `ad-hoc`.
    pub canary_config_id: String,
    /// The request.
    #[schema(value_type = CanaryExecutionRequestBody)]
    pub canary_execution_request: Value,
    /// Names the series that were judged, for `GET /metricSetPairList/{id}`; from `mixMetrics` on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_set_pair_list_id: Option<String>,
    /// When it was accepted, started and ended.
    #[serde(flatten)]
    pub times: TimesBody,
    /// Where results are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_account_name: Option<String>,
    /// Where series come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_account_name: Option<String>,
    /// Where the config came from; absent where the request carried it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration_account_name: Option<String>,
}

/// The result of a judgement.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CanaryResult {
    /// What the judge says.
    #[schema(value_type = CanaryJudgeResultBody)]
    pub judge_result: CanaryJudgeResult,
    /// Length of the windows, ISO 8601; absent where they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_duration: Option<String>,
}

/// When something was accepted, started and ended: in milliseconds since 1970-01-01T00:00:00Z, and RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "said above; six times the same")]
pub struct TimesBody {
    pub build_time_millis: i64,
    pub build_time_iso: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time_millis: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time_iso: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time_millis: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time_iso: Option<String>,
}

impl TimesBody {
    pub(super) fn new(build_ms: i64, start_ms: Option<i64>, end_ms: Option<i64>) -> Self {
        Self {
            build_time_millis: build_ms,
            build_time_iso: iso(build_ms),
            start_time_millis: start_ms,
            start_time_iso: start_ms.map(iso),
            end_time_millis: end_ms,
            end_time_iso: end_ms.map(iso),
        }
    }
}

/// The config as executions show it.
pub(super) fn shown_config(state: &State) -> Value {
    configs::shown(&escape_all((*state.request.config).clone()))
}

/// The client's execution that waits; Kayenta's word where there is none.
pub(super) fn parent(state: &State) -> String {
    let parent = state.request.parent.as_deref();
    parent.unwrap_or("no-parent-pipeline-execution").to_owned()
}

/// The answer about one run.
pub(super) fn canary_status(run: Run<'_>, result: Option<CanaryResult>) -> CanaryStatus {
    let (state, status, times) = (run.state, run.status(), run.times());
    let request = &state.request;
    CanaryStatus {
        application: request.application.clone(),
        parent_pipeline_execution_id: parent(state),
        pipeline_id: run.id(),
        stage_status: run.stage_status(),
        complete: status.is_complete(),
        status: status.word(),
        exception: run.exception(),
        result,
        config: shown_config(state),
        canary_config_id: request
            .config_id
            .clone()
            .unwrap_or_else(|| AD_HOC.to_owned()),
        canary_execution_request: run.execution_request(),
        metric_set_pair_list_id: run.progress.bundle_id().map(str::to_owned),
        times: TimesBody::new(times.build_ms, times.start_ms, times.end_ms),
        storage_account_name: request.accounts.storage.clone(),
        metrics_account_name: request.accounts.metrics.clone(),
        configuration_account_name: request.accounts.configuration.clone(),
    }
}

/// The result of a run that succeeded; `None` while it has not, and where the archive has forgotten it.
pub(super) async fn result(
    state: &ApiState,
    run: Run<'_>,
) -> Result<Option<CanaryResult>, ArchiveError> {
    if run.status() != Status::Succeeded || run.progress.outcome().is_none() {
        return Ok(None);
    }
    let name = judgement_name(&run.state.id, run.analyze.number);
    let archive = &state.executions.engine().ports().archive;
    let record = match archive.judgement(&name).await {
        Ok(record) => record,
        Err(ArchiveError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(CanaryResult {
        judge_result: score::result(&record.judgement, run.state.request.follows_verdict),
        canary_duration: run.canary_duration(),
    }))
}

/// Our own headers: the safe verdict, and where its report is.
pub(super) fn headers(run: Run<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(outcome) = run.progress.outcome() {
        let verdict = HeaderValue::from_static(outcome.verdict.word());
        headers.insert(HeaderName::from_static("coalmine-verdict"), verdict);
        if let Ok(report) = HeaderValue::try_from(format!("/reports/{}", run.id())) {
            headers.insert(HeaderName::from_static("coalmine-report"), report);
        }
    }
    headers
}
