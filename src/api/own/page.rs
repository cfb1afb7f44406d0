//! `GET /`: the executions, for people.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::OwnState;
use super::answer::{PAGE_POLICY, Refusal, Said, page};
use super::executions::{ListParameters, filled, kind, number, rfc3339, statuses};
use crate::executions::state::Status;
use crate::store::HeadFilter;
use crate::ui::list::{self, List, Wanted};

/// How many finished executions a page has.
const PER_PAGE: u64 = 50;
/// How many unfinished ones are shown.
const UNFINISHED: u64 = 200;
const HOUR_MS: i64 = 3_600_000;

/// The executions, for people
#[utoipa::path(
    get,
    path = "/",
    tag = "Pages",
    params(ListParameters),
    responses(
        (status = 200, description = "A page", content_type = "text/html", body = String),
        (status = 400, description = "A parameter that cannot be meant", body = Said)
    )
)]
pub async fn show(
    State(own): State<OwnState>,
    Query(parameters): Query<ListParameters>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let wanted = Wanted {
        application: filled(parameters.application.as_deref()),
        status: statuses(parameters.status.as_deref())?.first().copied(),
        kind: kind(parameters.kind.as_deref())?,
        page: number("page", parameters.page.as_deref(), 1, 1, 1_000_000)?,
    };
    let executions = &own.api.executions;
    let ports = executions.engine().ports();
    let now_ms = ports.clock.now_ms();
    let counts = ports.store.count_by_status().await?;
    let counts: Vec<(Status, u64)> = counts
        .into_iter()
        .filter_map(|(word, count)| {
            let status = Status::ALL
                .into_iter()
                .find(|status| status.word() == word)?;
            Some((status, count))
        })
        .collect();
    let filter = |complete: bool, skip: u64, most: u64| {
        let fits = |status: &Status| {
            status.is_complete() == complete && wanted.status.is_none_or(|wanted| wanted == *status)
        };
        let fitting = Status::ALL.into_iter().filter(fits);
        HeadFilter {
            application: wanted.application.clone(),
            statuses: fitting.map(|status| status.word().to_owned()).collect(),
            kinds: wanted
                .kind
                .iter()
                .map(|kind| kind.word().to_owned())
                .collect(),
            skip,
            most,
        }
    };
    let ask = async |filter: HeadFilter| {
        // Without words a filter would mean all of them.
        if filter.statuses.is_empty() {
            return Ok(Vec::new());
        }
        executions.list(&filter).await
    };
    let unfinished = if wanted.page == 1 {
        ask(filter(false, 0, UNFINISHED)).await?
    } else {
        Vec::new()
    };
    let skip = (wanted.page - 1) * PER_PAGE;
    let mut finished = ask(filter(true, skip, PER_PAGE + 1)).await?;
    let per_page = usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
    let more = finished.len() > per_page;
    finished.truncate(per_page);
    let html = list::html(&List {
        wanted: &wanted,
        unfinished: &unfinished,
        finished: &finished,
        more,
        counts: &counts,
        example: example(&own, &headers, now_ms),
        now_ms,
    });
    let html = html.map_err(|error| Refusal::fault(StatusCode::INTERNAL_SERVER_ERROR, &error))?;
    Ok(page(StatusCode::OK, html, PAGE_POLICY))
}

/// A request that works with any Prometheus that scrapes anything: the last hour against the hour before. `None` without one.
fn example(own: &OwnState, headers: &HeaderMap, now_ms: i64) -> Option<String> {
    let (account, _) = own
        .api
        .sources
        .iter()
        .find(|(_, source)| source.kind() == "prometheus")?;
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host.filter(|host| {
        host.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".:-[]".contains(&byte))
    });
    let host = host.unwrap_or("127.0.0.1:8090");
    let proxied = headers
        .get("x-forwarded-proto")
        .is_some_and(|scheme| scheme == "https");
    let scheme = if proxied { "https" } else { "http" };
    // Two minutes ago everything has arrived.
    let end_ms = (now_ms - 120_000) / 60_000 * 60_000;
    let scope = |from: i64, to: i64| {
        json!({
            "scope": "all", "location": "all", "step": 60,
            "start": rfc3339(from), "end": rfc3339(to),
        })
    };
    let wire = super::super::kayenta::SIDES;
    let body = json!({
        "canaryConfig": {
            "name": "first-canary",
            "applications": ["demo"],
            "metrics": [{
                "name": "scrape duration",
                "groups": ["scraping"],
                "scopeName": "default",
                "query": {"type": "prometheus", "customInlineTemplate": "PromQL:avg(scrape_duration_seconds)"},
                "analysisConfigurations": {"canary": {"direction": "increase"}},
            }],
            "classifier": {"groupWeights": {"scraping": 100}},
        },
        "executionRequest": {
            "scopes": {"default": {
                wire.0: scope(end_ms - 2 * HOUR_MS, end_ms - HOUR_MS),
                wire.1: scope(end_ms - HOUR_MS, end_ms),
            }},
            "thresholds": {"pass": 95, "marginal": 75},
        },
    });
    let token = if own.needs_token {
        "  -H \"Authorization: Bearer $TOKEN\" \\\n"
    } else {
        ""
    };
    let body = serde_json::to_string_pretty(&body).ok()?;
    Some(format!(
        "curl -s '{scheme}://{host}/canary?application=demo&metricsAccountName={}' \\\n{token}  -H 'Content-Type: application/json' -d '{body}'",
        list::percent(account)
    ))
}
