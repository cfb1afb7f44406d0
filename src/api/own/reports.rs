//! `GET /reports/{id}`: the report of an execution's last judgement, or of judgement `k` by `{id}-{k}`.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use coalmine_reports::TextStyle;
use serde::Deserialize;

use super::OwnState;
use super::answer::{PAGE_POLICY, Worded, page, preferred};
use crate::analysis::task::Failure;
use crate::api::refusal::{Message, Refusal};
use crate::archive::bundle::Saved;
use crate::executions::service::Executions;
use crate::executions::state::{State as Execution, parse_judgement_name};
use crate::model::ids::ExecutionId;
use crate::stages::analyze::AnalyzeState;
use crate::ui::notice::{Notice, NoticeFailure};
use crate::ui::report::{self, Format};

/// The report filters and sorts itself, and gives its own data back.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What can be had, the favourite first.
const MEDIA: [(&str, Format); 7] = [
    ("text/html", Format::Html),
    ("text/markdown", Format::Markdown),
    ("application/json", Format::Json),
    ("text/plain", Format::Text),
    ("application/xml", Format::Junit),
    ("text/xml", Format::Junit),
    ("application/junit+xml", Format::Junit),
];

/// Parameters of a report.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportParameters {
    /// `html`, `markdown`, `json`, `text` or `junit`; wins over `Accept`.
    format: Option<String>,
}

/// The report of a judgement
///
/// Of an execution's last judgement, or of judgement `k` by `{id}-{k}`. As HTML, Markdown, JSON, text or JUnit, by `Accept` or
/// `format`.
#[utoipa::path(
    get,
    path = "/reports/{id}",
    tag = "Reports",
    params(("id" = String, Path, description = "An execution, or one of its judgements: `{execution}-{number}`"), ReportParameters),
    responses(
        (status = 200, description = "The report", content((String = "text/html"), (String = "text/markdown"), (String = "application/json"), (String = "text/plain"), (String = "application/xml"))),
        (status = 400, description = "Unknown format", body = Message),
        (status = 404, description = "No such execution or judgement", body = Message),
        (status = 406, description = "Nothing that the client accepts", body = Message),
        (status = 409, description = "There is no judgement, or not yet", body = Message)
    )
)]
pub async fn show(
    State(own): State<OwnState>,
    Path(id): Path<String>,
    Query(parameters): Query<ReportParameters>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (media, format) = chosen(&parameters, &headers)?;
    let now_ms = own.api.executions.engine().ports().clock.now_ms();
    let saved = match find(&own.api.executions, &id).await? {
        Found::Judgement(saved) => saved,
        Found::Nothing(status, notice) => return said(status, &notice, format, now_ms),
    };
    let drawing = tokio::task::spawn_blocking(move || {
        let style = TextStyle {
            all: true,
            ..TextStyle::default()
        };
        report::write(&saved, format, &style, None)
    });
    let drawn = drawing
        .await
        .map_err(|error| Refusal::fault(StatusCode::INTERNAL_SERVER_ERROR, &error))?
        .map_err(|error| Refusal::fault(StatusCode::INTERNAL_SERVER_ERROR, &error))?;
    if format == Format::Html {
        return Ok(page(StatusCode::OK, drawn, REPORT_POLICY));
    }
    let media = format!("{media}; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, media)], drawn).into_response())
}

fn chosen(
    parameters: &ReportParameters,
    headers: &HeaderMap,
) -> Result<(&'static str, Format), Refusal> {
    if let Some(word) = parameters.format.as_deref().filter(|word| !word.is_empty()) {
        let (media, format) = match word {
            "html" => ("text/html", Format::Html),
            "markdown" => ("text/markdown", Format::Markdown),
            "json" => ("application/json", Format::Json),
            "text" => ("text/plain", Format::Text),
            "junit" => ("application/xml", Format::Junit),
            other => {
                return Err(Refusal::bad(format!(
                    "found the format `{other}`; expected `html`, `markdown`, `json`, `text` or `junit`"
                )));
            }
        };
        return Ok((media, format));
    }
    let offered = MEDIA.map(|(media, _)| media);
    let wanted = preferred(headers, &offered);
    let found = wanted.and_then(|wanted| MEDIA.iter().find(|(media, _)| *media == wanted));
    found.copied().ok_or_else(|| {
        let message = format!(
            "nothing that `Accept` asks for can be had; expected one of {}",
            offered.join(", ")
        );
        Refusal::new(StatusCode::NOT_ACCEPTABLE, message)
    })
}

/// What stands behind an id.
enum Found {
    Judgement(Box<Saved>),
    Nothing(StatusCode, Notice),
}

async fn find(executions: &Executions, id: &str) -> Result<Found, Refusal> {
    if let Some(execution) = executions.find(&ExecutionId::new(id)).await? {
        let Some((analyze, _)) = execution.last_outcome() else {
            return Ok(Found::Nothing(StatusCode::CONFLICT, unjudged(&execution)));
        };
        return judgement(executions, &execution, analyze.number).await;
    }
    let named = match parse_judgement_name(id) {
        Some((id, number)) => executions.find(&id).await?.map(|found| (found, number)),
        None => None,
    };
    match named {
        Some((execution, number)) => judgement(executions, &execution, number).await,
        None => Ok(Found::Nothing(
            StatusCode::NOT_FOUND,
            Notice::new(
                "No such execution",
                format!(
                    "There is no execution `{id}`. It may have been forgotten: finished ones are kept for as long as the server's `retention` says."
                ),
            ),
        )),
    }
}

async fn judgement(
    executions: &Executions,
    execution: &Execution,
    number: u32,
) -> Result<Found, Refusal> {
    let stage = execution
        .analyses()
        .find(|(analyze, _)| analyze.number == number);
    let Some((_, state)) = stage else {
        let planned = execution.analyses().count();
        let notice = Notice::new(
            "No such judgement",
            format!(
                "Execution `{}` has {planned} judgements, and none with the number {number}.",
                execution.id
            ),
        );
        return Ok(Found::Nothing(StatusCode::NOT_FOUND, notice));
    };
    if state.outcome().is_none() {
        return Ok(Found::Nothing(StatusCode::CONFLICT, unjudged(execution)));
    }
    match executions.saved(&execution.id, number).await? {
        Some(saved) => Ok(Found::Judgement(Box::new(saved))),
        None => Ok(Found::Nothing(
            StatusCode::NOT_FOUND,
            Notice::new(
                "The judgement is gone",
                format!(
                    "Judgement {number} of execution `{}` was made, but the archive does not have it any more.",
                    execution.id
                ),
            ),
        )),
    }
}

/// Why an execution has no judgement to show.
fn unjudged(execution: &Execution) -> Notice {
    let about = format!(
        "{}, config `{}`, execution {}.",
        execution.request.application,
        execution.config_name(),
        execution.id
    );
    let failures = execution.analyses().filter_map(|(_, state)| match state {
        AnalyzeState::Failed { failures, .. } => Some(failures.iter().map(told)),
        AnalyzeState::NotStarted
        | AnalyzeState::Opened { .. }
        | AnalyzeState::Collecting { .. }
        | AnalyzeState::Collected { .. }
        | AnalyzeState::Judged { .. } => None,
    });
    Notice {
        title: if execution.end.is_some() {
            "There is no judgement".to_owned()
        } else {
            "There is no judgement yet".to_owned()
        },
        sentences: vec![format!("Where it is: {}.", execution.sentence()), about],
        failures: failures.flatten().collect(),
        passing: execution.end.is_none(),
    }
}

fn told(failure: &Failure) -> NoticeFailure {
    NoticeFailure {
        message: failure.message.clone(),
        hint: failure.hint.clone(),
        query: failure.query.clone(),
    }
}

/// A notice in the form that the client wants.
fn said(
    status: StatusCode,
    notice: &Notice,
    format: Format,
    now_ms: i64,
) -> Result<Response, Refusal> {
    match format {
        Format::Html => {
            let html = notice.html(now_ms);
            let html =
                html.map_err(|error| Refusal::fault(StatusCode::INTERNAL_SERVER_ERROR, &error))?;
            Ok(page(status, html, PAGE_POLICY))
        }
        Format::Json => Err(Refusal::new(status, notice.text().trim_end())),
        Format::Text | Format::Markdown | Format::Junit => {
            let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            let worded = axum::Extension(Worded);
            Ok((status, worded, headers, notice.text()).into_response())
        }
    }
}
