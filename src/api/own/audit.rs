//! `GET /audit`: who decided what.

use std::cmp::Reverse;

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OwnState;
use super::execution_body::rfc3339;
use super::executions::{filled, number};
use crate::api::refusal::{Message, Refusal};
use crate::executions::audit::{self, AuditLine};
use crate::store::HeadFilter;

/// Most executions of one answer.
const MOST: u64 = 200;

/// Whose decisions an answer shall have.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct AuditParameters {
    /// Only of this application.
    pub application: Option<String>,
    /// Which page, from 1.
    pub page: Option<String>,
    /// Of how many executions a page tells: 1 to 200, 50 where absent.
    pub limit: Option<String>,
}

/// What was decided in a page of executions, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Audit {
    /// The decisions.
    pub decisions: Vec<AuditEntry>,
    /// The number of the next page, where there is one: it tells of older executions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page: Option<u64>,
}

/// One thing that a person or the system decided.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// When, RFC 3339.
    pub at: String,
    /// Of which execution.
    pub execution: String,
    /// Its application.
    pub application: String,
    /// Who: as the client says, `somebody` where it does not, `coalmine` where no person did.
    pub actor: String,
    /// What, by the event's word: `accepted`, `answered`, `decided`, …
    pub action: &'static str,
    /// Why, or what exactly; may be empty.
    pub reason: String,
}

impl From<AuditLine> for AuditEntry {
    fn from(line: AuditLine) -> Self {
        Self {
            at: rfc3339(line.at_ms),
            execution: line.execution.to_string(),
            application: line.application,
            actor: line.actor,
            action: line.action,
            reason: line.reason,
        }
    }
}

/// Who decided what, newest first
///
/// A page tells of the executions that `GET /executions` has on it.
#[utoipa::path(
    get,
    path = "/audit",
    tag = "Executions",
    params(AuditParameters),
    responses(
        (status = 200, description = "The decisions of a page of executions", body = Audit),
        (status = 400, description = "A parameter that cannot be meant", body = Message)
    )
)]
pub async fn list(
    State(own): State<OwnState>,
    Query(parameters): Query<AuditParameters>,
) -> Result<Json<Audit>, Refusal> {
    let page = number("page", parameters.page.as_deref(), 1, 1, 1_000_000)?;
    let limit = number("limit", parameters.limit.as_deref(), 50, 1, MOST)?;
    let executions = &own.api.executions;
    let filter = HeadFilter {
        application: filled(parameters.application.as_deref()),
        skip: (page - 1) * limit,
        most: limit + 1,
        ..HeadFilter::default()
    };
    let heads = executions.list(&filter).await?;
    let more = heads.len() as u64 > limit;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut lines = Vec::new();
    for head in heads.iter().take(shown) {
        let events = executions.events(&head.id, 0).await?;
        let events: Vec<_> = events
            .into_iter()
            .map(|(_, at_ms, event)| (at_ms, event))
            .collect();
        // Backwards: what came at the same moment stays in its order below.
        lines.extend(audit::lines(&head.id, &events).into_iter().rev());
    }
    lines.sort_by_key(|line| Reverse(line.at_ms));
    Ok(Json(Audit {
        decisions: lines.into_iter().map(AuditEntry::from).collect(),
        next_page: more.then_some(page + 1),
    }))
}
