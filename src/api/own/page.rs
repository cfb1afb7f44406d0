//! `GET /`: the executions, for people.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::OwnState;
use super::answer::{PAGE_POLICY, page};
use super::execution_body::rfc3339;
use super::executions::{ListParameters, filled, kind, number, statuses};
use crate::api::refusal::{Message, Refusal};
use crate::executions::state::Status;
use crate::store::{Head, HeadFilter};
use crate::ui::list::{self, Example, List, Shown, Wanted};

/// How many finished executions a page has.
const PER_PAGE: u64 = 50;
/// How many are shown of those that are stuck, and of those that are under way.
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
        (status = 400, description = "A parameter that cannot be meant", body = Message)
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
    let filter = |part: &[Status], skip: u64, most: u64| {
        let fits = |status: &&Status| wanted.status.is_none_or(|wanted| wanted == **status);
        let fitting = part.iter().filter(fits);
        HeadFilter {
            application: wanted.application.clone(),
            statuses: fitting.map(|status| status.word().to_owned()).collect(),
            kinds: wanted
                .kind
                .iter()
                .map(|kind| kind.word().to_owned())
                .collect(),
            skip,
            // One more tells whether there are more.
            most: most + 1,
        }
    };
    let ask = async |filter: HeadFilter| {
        // Without words a filter would mean all of them.
        if filter.statuses.is_empty() {
            return Ok(Vec::new());
        }
        executions.list(&filter).await
    };
    // Stuck ones first: among many that are under way they must not be missed.
    let (mut stuck, mut under_way) = (Vec::new(), Vec::new());
    if wanted.page == 1 {
        stuck = ask(filter(&[Status::Suspended], 0, UNFINISHED)).await?;
        let going = [Status::NotStarted, Status::Running];
        under_way = ask(filter(&going, 0, UNFINISHED)).await?;
    }
    let skip = (wanted.page - 1) * PER_PAGE;
    let ended = [Status::Succeeded, Status::Terminal, Status::Canceled];
    let finished = ask(filter(&ended, skip, PER_PAGE)).await?;
    let html = list::html(&List {
        wanted: &wanted,
        stuck: shown(&stuck, UNFINISHED),
        under_way: shown(&under_way, UNFINISHED),
        finished: shown(&finished, PER_PAGE),
        counts: &counts,
        example: example(&own, &headers, now_ms),
        now_ms,
    });
    let html = html.map_err(|error| Refusal::fault(StatusCode::INTERNAL_SERVER_ERROR, &error))?;
    Ok(page(StatusCode::OK, html, PAGE_POLICY))
}

/// At most `most` of them.
fn shown(heads: &[Head], most: u64) -> Shown<'_> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    Shown {
        heads: heads.get(..most).unwrap_or(heads),
        more: heads.len() > most,
    }
}

/// A request that works with any Prometheus that scrapes anything: the last hour against the hour before. With another account
/// one that needs names; a `scrape` account sees only what is to come. `None` without any account.
fn example(own: &OwnState, headers: &HeaderMap, now_ms: i64) -> Option<Example> {
    let accounts = &own.api.sources;
    let prometheus = accounts
        .iter()
        .find(|(_, source)| source.kind() == "prometheus");
    let works = prometheus.is_some();
    let (account, source) = prometheus.or_else(|| accounts.iter().next())?;
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
    let scope = |name: &str, from: i64, to: i64| {
        let (start, end) = (rfc3339(from), rfc3339(to));
        format!(
            r#"{{"scope": "{name}", "location": "all", "step": 60,
        "start": "{start}", "end": "{end}"}}"#
        )
    };
    let hour = |hours: i64| end_ms + hours * HOUR_MS;
    let (metric, promql, baseline, canary) = if works {
        let promql = "PromQL:avg(scrape_duration_seconds)";
        let baseline = scope("all", hour(-2), hour(-1));
        (
            "scrape duration",
            promql,
            baseline,
            scope("all", hour(-1), hour(0)),
        )
    } else {
        let (from, to) = match source.kind() {
            "scrape" => (end_ms + 4 * 60_000, end_ms + 64 * 60_000),
            _ => (hour(-1), hour(0)),
        };
        let side = |name: &str| scope(name, from, to);
        ("METRIC", "PromQL:METRIC", side("BASELINE"), side("CANARY"))
    };
    let wire = super::super::kayenta::SIDES;
    // Written by hand, so that it can be read.
    let body = format!(
        r#"{{
  "canaryConfig": {{
    "name": "first-canary", "applications": ["demo"],
    "metrics": [{{
      "name": "{metric}", "groups": ["first"], "scopeName": "default",
      "query": {{"type": "prometheus", "customInlineTemplate": "{promql}"}},
      "analysisConfigurations": {{"canary": {{"direction": "increase"}}}}
    }}],
    "classifier": {{"groupWeights": {{"first": 100}}}}
  }},
  "executionRequest": {{
    "scopes": {{"default": {{
      "{}": {baseline},
      "{}": {canary}
    }}}},
    "thresholds": {{"pass": 95, "marginal": 75}}
  }}
}}"#,
        wire.0, wire.1,
    );
    let token = if own.needs_token {
        "  -H \"Authorization: Bearer $TOKEN\" \\\n"
    } else {
        ""
    };
    let command = format!(
        "curl -s '{scheme}://{host}/canary?application=demo&metricsAccountName={}' \\\n{token}  -H 'Content-Type: application/json' -d '{body}'",
        list::percent(account)
    );
    Some(Example { command, works })
}
