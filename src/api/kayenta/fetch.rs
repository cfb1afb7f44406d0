//! Asks a metric store once, to try a query out.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::accounts;
use super::answer::{Answer, Message, Refusal};
use super::documents::Written;
use super::lists::{SetListId, keep_sets};
use super::params::{Id, Params};
use super::times::{iso, parse};
use crate::api::ApiState;
use crate::config::canary::wire::Query;
use crate::model::kayenta::Double;
use crate::model::metric_set::MetricSet;
use crate::model::scope::{Scope, Window};
use crate::sources::{Manner, Question, Remedy, SourceError};

/// The one kind of store whose queries this path takes.
const PROMETHEUS: &str = "prometheus";

/// Longest step, in seconds: a year.
const MOST_STEP_SECS: u64 = 366 * 86_400;

/// What came of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum FetchBody {
    /// It was answered, and the answer is kept.
    Kept(SetListId),
    /// It was not sent.
    Query(QueryBody),
}

/// A query that was not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct QueryBody {
    /// Its text.
    pub query: String,
}

/// Gives a metric store up that takes too long.
pub(super) async fn within_deadline<T>(
    most: Duration,
    work: impl Future<Output = Result<T, SourceError>>,
) -> Answer<T> {
    match tokio::time::timeout(most, work).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(SourceError::new(
            Remedy::Retry { after: None },
            format!(
                "the metric store did not answer within {} ms",
                most.as_millis()
            ),
        )
        .into()),
    }
}

/// Asks a metric store once and keeps what it answers; with `dryRun` only tells the query.
#[utoipa::path(
    post,
    path = "/fetch/{source}/query",
    tag = "Metric sets",
    params(
        ("source" = String, Path, description = "Kind of the store: `prometheus`"),
        ("metricsAccountName" = Option<String>, Query, description = "The metric store; the first one where absent or empty"),
        ("storageAccountName" = Option<String>, Query, description = "Any known account"),
        ("metricSetName" = String, Query, description = "Name of the metric set"),
        ("metricName" = Option<String>, Query, description = "Name of the metric; needed unless `customFilter` begins with `PromQL:`"),
        ("step" = u64, Query, minimum = 1, description = "Distance of two points in seconds"),
        ("start" = Option<String>, Query, description = "RFC 3339; needed without `dryRun`"),
        ("end" = Option<String>, Query, description = "RFC 3339; needed without `dryRun`"),
        ("scope" = Option<String>, Query, description = "`${scope}` of templates"),
        ("location" = Option<String>, Query, description = "`${location}` of templates"),
        ("project" = Option<String>, Query, description = "`${project}` of templates"),
        ("resourceType" = Option<String>, Query, description = "`gce_instance` or `aws_ec2_instance`"),
        ("labelBindings" = Option<Vec<String>>, Query, description = "Label conditions"),
        ("groupByFields" = Option<Vec<String>>, Query, description = "Labels to group by"),
        ("customFilter" = Option<String>, Query, description = "The filter, or with `PromQL:` the whole query"),
        ("dryRun" = Option<bool>, Query, description = "Only tell the query")
    ),
    responses(
        (status = 200, description = "The id of the metric sets, or with `dryRun` the query", body = FetchBody),
        (status = 400, description = "A parameter is missing, or the store refuses the query", body = Message),
        (status = 404, description = "No such kind of store can be asked here", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn query(
    State(state): State<ApiState>,
    Id(kind): Id,
    params: Params,
) -> Answer<Json<FetchBody>> {
    if kind != PROMETHEUS {
        return Err(Refusal::missing(format!(
            "queries of `{kind}` cannot be tried out; expected `{PROMETHEUS}`"
        )));
    }
    let (account, source) = state.sources.resolve(params.get("metricsAccountName"))?;
    accounts::storage(&state, &params, "storageAccountName")?;
    let dry_run = params.flag("dryRun")?;
    let question = question(&params, dry_run)?;
    if !source.accepts(&question.query) {
        return Err(Refusal::bad(format!(
            "the account `{account}` is of type `{}`; expected `{PROMETHEUS}`",
            source.kind()
        )));
    }
    if dry_run {
        let query = source.render(&question)?;
        return Ok(Json(FetchBody::Query(QueryBody { query })));
    }
    let fetched = within_deadline(state.settings.store_time, source.fetch(&question)).await?;
    let sets: Vec<Value> = fetched.sets.iter().map(set_body).collect();
    let kept = keep_sets(&state, Written::of(&json!(sets))).await?;
    Ok(Json(FetchBody::Kept(kept)))
}

fn question(params: &Params, dry_run: bool) -> Answer<Question> {
    let metric = params.required("metricSetName")?.to_owned();
    params.required("step")?;
    let step_secs = params.whole("step", 1, MOST_STEP_SECS)?.unwrap_or_default();
    let text = |name: &str| params.owned(name);
    let query = Query::Prometheus {
        metric_name: text("metricName"),
        resource_type: text("resourceType"),
        label_bindings: list(params, "labelBindings"),
        group_by_fields: list(params, "groupByFields"),
        custom_filter: None,
        custom_inline_template: text("customFilter"),
        custom_filter_template: None,
        service_type: None,
    };
    let project = params.owned("project").into_iter();
    let parameters = project.map(|project| ("project".to_owned(), project));
    Ok(Question {
        metric,
        query,
        templates: Arc::default(),
        scope: Scope {
            scope: text("scope").unwrap_or_default(),
            location: text("location").unwrap_or_default(),
            window: window(params, dry_run)?,
            step_secs,
            parameters: parameters.collect::<BTreeMap<_, _>>(),
        },
        manner: Manner::Kayenta,
        settled_ms: None,
    })
}

fn window(params: &Params, dry_run: bool) -> Answer<Window> {
    let time = |name: &str| match params.get(name) {
        Some(text) => parse(text).ok_or_else(|| {
            Refusal::bad(format!(
                "the parameter `{name}` is `{text}`; expected a time like `2020-01-01T00:00:00Z`"
            ))
        }),
        None if dry_run => Ok(0),
        None => Err(Refusal::bad(format!("the parameter `{name}` is missing"))),
    };
    let (start_ms, end_ms) = (time("start")?, time("end")?);
    let end_ms = if dry_run {
        end_ms.max(start_ms)
    } else {
        end_ms
    };
    Window::new(start_ms, end_ms).map_err(|early| Refusal::bad(early.to_string()))
}

/// A list: one value with commas, or several values.
fn list(params: &Params, name: &str) -> Option<Vec<String>> {
    let values: Vec<&str> = params.all(name).collect();
    match values.as_slice() {
        [] => None,
        [only] => Some(only.split(',').map(|it| it.trim().to_owned()).collect()),
        several => Some(several.iter().map(|&it| it.to_owned()).collect()),
    }
}

/// A metric set as Kayenta writes it.
fn set_body(set: &MetricSet) -> Value {
    let values = set.values.iter();
    let values: Vec<Double> = values.map(|v| Double(v.unwrap_or(f64::NAN))).collect();
    json!({
        "name": set.name,
        "tags": set.tags,
        "startTimeMillis": set.start_ms,
        "startTimeIso": iso(set.start_ms),
        "endTimeMillis": set.end_ms,
        "endTimeIso": iso(set.end_ms),
        "stepMillis": set.step_ms,
        "values": values,
        "attributes": set.attributes,
    })
}
