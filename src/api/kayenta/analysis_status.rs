//! Kayenta's answer about a standalone analysis.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::exception::{ExceptionBody, exception};
use super::run::Run;
use super::shapes::{CanaryAnalysisExecutionRequestBody, CanaryConfigBody};
use super::start::AD_HOC;
use super::status::{self, CanaryResult, TimesBody};
use super::times::iso;
use crate::analysis::aggregate::{Aggregate, NOT_ABOVE_MARGINAL, aggregate, is_above_marginal};
use crate::executions::event::Ending;
use crate::executions::state::{State, Status};
use crate::stages::analyze::{AnalyzeState, Outcome};
use crate::stages::wait::WaitState;
use crate::stages::{Stage, StageState};

/// Fewest points of the baseline without a warning.
const FEW_POINTS: u64 = 50;
const FEW_POINTS_WARNING: &str = "One of the metrics returned fewer than 50 data points, which can reduce confidence in the final canary score.";

/// Where an analysis stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CanaryAnalysisStatus {
    /// Never absent.
    pub application: String,
    /// Who asked.
    pub user: String,
    /// The client's own execution that waits for this one.
    pub parent_pipeline_execution_id: String,
    /// The analysis' id.
    pub pipeline_id: String,
    /// Its stages in order.
    pub stage_status: Vec<StageMetadata>,
    /// Whether nothing more will happen.
    pub complete: bool,
    /// The state of work, in upper case.
    pub execution_status: String,
    /// The state of work, in lower case.
    pub status: &'static str,
    /// Why it ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception: Option<ExceptionBody>,
    /// What it came to, once it has ended by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_analysis_execution_result: Option<CanaryAnalysisResultBody>,
    /// The request.
    #[schema(value_type = CanaryAnalysisExecutionRequestBody)]
    pub canary_analysis_execution_request: Value,
    /// The config, its templates escaped.
    #[schema(value_type = CanaryConfigBody)]
    pub canary_config: Value,
    /// The stored config's id, or `ad-hoc`.
    pub canary_config_id: String,
    /// When it was accepted, started and ended.
    #[serde(flatten)]
    pub times: TimesBody,
    /// Where results are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_account_name: Option<String>,
    /// Where series come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_account_name: Option<String>,
}

/// One stage of an analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StageMetadata {
    /// `setupAndExecuteCanariesStage`, `wait`, `runCanary` or `generateCanaryAnalysisResultStage`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// For people.
    pub name: String,
    /// The state of work, in upper case.
    pub status: String,
    /// The judgement, for `GET /canary/{id}`; only of `runCanary`, once it has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<String>,
}

/// What an analysis came to.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CanaryAnalysisResultBody {
    /// Whether it passed.
    pub did_pass_thresholds: bool,
    /// Whether a judgement has warnings.
    pub has_warnings: bool,
    /// Why, one sentence.
    pub canary_score_message: String,
    /// The score of each judgement; 0 for one that could not be made.
    pub canary_scores: Vec<f64>,
    /// The judgements that were begun.
    pub canary_execution_results: Vec<JudgementBody>,
    /// When the analysis was accepted, RFC 3339.
    pub build_time_iso: String,
    /// When it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time_iso: Option<String>,
}

/// One judgement of an analysis.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "four times of the same window")]
pub struct JudgementBody {
    /// For `GET /canary/{id}`.
    pub execution_id: String,
    /// The state of work, in upper case.
    pub execution_status: String,
    /// Why there is no result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception: Option<ExceptionBody>,
    /// What the judge says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<CanaryResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judgement_start_time_iso: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judgement_start_time_millis: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judgement_end_time_iso: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judgement_end_time_millis: Option<i64>,
    /// What a reader should know.
    pub warnings: Vec<&'static str>,
    /// Names the series, for `GET /metricSetPairList/{id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_set_pair_list_id: Option<String>,
    /// When it was queued, started and ended.
    #[serde(flatten)]
    pub times: TimesBody,
    /// Where results are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_account_name: Option<String>,
    /// Where the config came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration_account_name: Option<String>,
}

/// The answer; `results` has one entry for each judgement, or none where they are not wanted.
pub(super) fn of(state: &State, results: Vec<Option<CanaryResult>>) -> CanaryAnalysisStatus {
    let (request, status) = (&state.request, state.status());
    let user = request.user.as_deref().unwrap_or("anonymous").to_owned();
    CanaryAnalysisStatus {
        application: request.application.clone(),
        user,
        parent_pipeline_execution_id: status::parent(state),
        pipeline_id: state.id.to_string(),
        stage_status: stages(state),
        complete: status.is_complete(),
        execution_status: upper(status),
        status: status.word(),
        exception: why_it_ended(state),
        canary_analysis_execution_result: outcome(state, results),
        canary_analysis_execution_request: request.echo.clone(),
        canary_config: status::shown_config(state),
        canary_config_id: request
            .config_id
            .clone()
            .unwrap_or_else(|| AD_HOC.to_owned()),
        times: TimesBody::new(
            state.created_ms,
            state.started_ms(),
            state.end.as_ref().map(|end| end.at_ms),
        ),
        storage_account_name: request.accounts.storage.clone(),
        metrics_account_name: request.accounts.metrics.clone(),
    }
}

fn upper(status: Status) -> String {
    status.word().to_ascii_uppercase()
}

/// Kayenta's stages around ours. Those that were not begun when the analysis ended early are gone.
fn stages(state: &State) -> Vec<StageMetadata> {
    let stage = |kind, name: String, status: Status| StageMetadata {
        kind,
        name,
        status: upper(status),
        execution_id: None,
    };
    let status = state.status();
    let mut shown = vec![stage(
        "setupAndExecuteCanariesStage",
        "Sets up and executes the wait, run and monitor canary task chain.".to_owned(),
        status,
    )];
    let ended_early = status == Status::Terminal;
    let mut runs = Run::all(state);
    for (planned, progress) in state.request.stages.iter().zip(&state.stages) {
        match planned {
            Stage::Wait(wait) => {
                let begun = progress.started_ms().is_some();
                if begun || !ended_early {
                    shown.push(stage(
                        "wait",
                        wait.name.clone(),
                        wait_status(progress, status),
                    ));
                }
            }
            // Analyses have none.
            Stage::Approve(_) | Stage::Operate(_) => {}
            Stage::Analyze(analyze) => {
                let run = runs.next().filter(|run| run.has_begun());
                if run.is_some() || !ended_early {
                    let name = format!("Run Canary #{}", analyze.number);
                    let status = run.map_or(Status::NotStarted, run_status);
                    shown.push(StageMetadata {
                        execution_id: run.map(Run::id),
                        ..stage("runCanary", name, status)
                    });
                }
            }
        }
    }
    let last = match status {
        Status::Succeeded | Status::Terminal => Status::Succeeded,
        Status::Canceled => Status::Canceled,
        Status::NotStarted | Status::Running | Status::Suspended => Status::NotStarted,
    };
    shown.push(stage(
        "generateCanaryAnalysisResultStage",
        "Aggregates and evaluates the canary executions and generates the final results."
            .to_owned(),
        last,
    ));
    shown
}

fn wait_status(progress: &StageState, whole: Status) -> Status {
    match progress {
        StageState::Wait(WaitState::NotStarted) => Status::NotStarted,
        StageState::Wait(WaitState::Done { .. }) => Status::Succeeded,
        StageState::Wait(WaitState::Waiting { .. })
        | StageState::Analyze(_)
        | StageState::Approve(_)
        | StageState::Operate(_) => match whole {
            Status::Canceled => Status::Canceled,
            Status::NotStarted
            | Status::Running
            | Status::Suspended
            | Status::Succeeded
            | Status::Terminal => Status::Running,
        },
    }
}

/// A judgement that is not above marginal ends its stage, and with it the analysis; the judgement itself has succeeded.
fn run_status(run: Run<'_>) -> Status {
    let marginal = run.state.request.thresholds.marginal;
    match run.progress.outcome() {
        Some(outcome) if !is_above_marginal(outcome.deciding_score(), marginal) => Status::Terminal,
        Some(_) | None => run.status(),
    }
}

fn why_it_ended(state: &State) -> Option<ExceptionBody> {
    if let Some(end) = &state.end {
        let told = |operation: &str, why: &str| {
            let errors = vec![why.to_owned()];
            Some(exception(
                "AnalysisEnded",
                operation,
                errors,
                end.at_ms,
                false,
            ))
        };
        return match end.ending {
            Ending::Succeeded => None,
            Ending::Canceled => told("runCanary", "Canary execution was canceled."),
            Ending::Terminal => Run::all(state)
                .find_map(Run::exception)
                .or_else(|| told("runCanary", NOT_ABOVE_MARGINAL)),
        };
    }
    Run::all(state).find_map(Run::exception)
}

fn outcome(state: &State, results: Vec<Option<CanaryResult>>) -> Option<CanaryAnalysisResultBody> {
    match state.end.as_ref()?.ending {
        Ending::Succeeded | Ending::Terminal => {}
        Ending::Canceled => return None,
    }
    let results = results.into_iter().chain(std::iter::repeat(None));
    let begun: Vec<(Run<'_>, Option<CanaryResult>)> = Run::all(state)
        .zip(results)
        .filter(|(run, _)| run.has_begun())
        .collect();
    let scores: Vec<f64> = begun
        .iter()
        .map(|(run, _)| score(*run).unwrap_or(0.0))
        .collect();
    let last = begun.last().map(|(run, _)| *run);
    let Aggregate { did_pass, message } = final_word(state, last);
    let bodies: Vec<JudgementBody> = begun
        .into_iter()
        .map(|(run, result)| judgement(run, result))
        .collect();
    Some(CanaryAnalysisResultBody {
        did_pass_thresholds: did_pass,
        has_warnings: bodies.iter().any(|body| !body.warnings.is_empty()),
        canary_score_message: message,
        canary_scores: scores,
        canary_execution_results: bodies,
        build_time_iso: iso(state.created_ms),
        start_time_iso: state.started_ms().map(iso),
    })
}

/// The score of a run as clients see it.
fn score(run: Run<'_>) -> Option<f64> {
    run.progress.outcome().map(Outcome::deciding_score)
}

/// Kayenta's final word, but for what it would pass without evidence: a judgement that could not be made never passes, whatever the
/// thresholds; nor does, where scores follow the verdict, one whose verdict is not Pass.
fn final_word(state: &State, last: Option<Run<'_>>) -> Aggregate {
    let nothing = || aggregate(None, None, None);
    let Some(last) = last else {
        return nothing();
    };
    let thresholds = state.request.thresholds;
    let word = aggregate(
        Some(score(last).unwrap_or(0.0)),
        thresholds.marginal,
        thresholds.pass,
    );
    let Some(outcome) = last.progress.outcome() else {
        return if word.did_pass { nothing() } else { word };
    };
    let passed = outcome.verdict == coalmine_judges::judgement::Verdict::Pass;
    if word.did_pass && !passed && state.request.follows_verdict {
        let verdict = outcome.verdict.word();
        return Aggregate {
            did_pass: false,
            message: format!("The verdict of the last judgement is {verdict}."),
        };
    }
    word
}

fn judgement(run: Run<'_>, result: Option<CanaryResult>) -> JudgementBody {
    let request = &run.state.request;
    let first = request.echo["scopes"][0]["scopeName"].as_str();
    let scopes = &run.analyze.scopes;
    let pair = first.and_then(|name| scopes.get(name));
    let window = pair.map(|pair| pair.baseline.window);
    let times = run.times();
    let few = match run.progress {
        AnalyzeState::Judged { outcome, .. } => outcome.fewest_baseline_points,
        AnalyzeState::NotStarted
        | AnalyzeState::Opened { .. }
        | AnalyzeState::Collecting { .. }
        | AnalyzeState::Collected { .. }
        | AnalyzeState::Failed { .. } => None,
    };
    let few = few.is_some_and(|points| points < FEW_POINTS);
    JudgementBody {
        execution_id: run.id(),
        execution_status: upper(run.status()),
        exception: run.exception(),
        result,
        judgement_start_time_iso: window.map(|window| iso(window.start_ms())),
        judgement_start_time_millis: window.map(|window| window.start_ms()),
        judgement_end_time_iso: window.map(|window| iso(window.end_ms())),
        judgement_end_time_millis: window.map(|window| window.end_ms()),
        warnings: few.then_some(FEW_POINTS_WARNING).into_iter().collect(),
        metric_set_pair_list_id: run.progress.bundle_id().map(str::to_owned),
        times: TimesBody::new(times.build_ms, times.start_ms, times.end_ms),
        storage_account_name: request.accounts.storage.clone(),
        configuration_account_name: request.accounts.configuration.clone(),
    }
}
