//! Our own resources: reports, executions and their events, the list for people, health, metrics, and the description of
//! all paths. They answer no page of another origin.

pub mod answer;
pub mod audit;
pub mod docs;
pub mod events;
pub mod execution_body;
pub mod executions;
pub mod health;
pub mod metrics;
pub mod page;
pub mod releases;
pub mod reports;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;

use super::ApiState;
use crate::executions::release::desk::ReleaseDesk;
use health::Health;

/// What our own handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct OwnState {
    /// What all handlers work with.
    pub api: ApiState,
    /// Plans, starts and shows releases.
    pub desk: Arc<dyn ReleaseDesk>,
    /// How the parts are.
    pub health: Arc<Health>,
    /// Renders the metrics of this process.
    pub metrics: PrometheusHandle,
    /// One permit for each client that follows events.
    pub streams: Arc<Semaphore>,
    /// Ends streams.
    pub stop: CancellationToken,
    /// Whether requests must carry a token, for the example of the page.
    pub needs_token: bool,
}

impl FromRef<OwnState> for ApiState {
    fn from_ref(own: &OwnState) -> Self {
        own.api.clone()
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Coalmine",
        description = "Kayenta's paths, and our own: reports, executions, events, health, metrics. \
                       Where the server has a token, every request but those for `/health` carries it."
    ),
    paths(
        page::show,
        reports::show,
        executions::list,
        executions::show,
        executions::cancel,
        executions::resume,
        audit::list,
        events::follow,
        releases::plan,
        releases::start,
        releases::list,
        releases::show,
        releases::plan_of,
        releases::approve,
        releases::abort,
        releases::rollback,
        health::show,
        metrics::show,
        docs::document
    )
)]
struct Document;

/// What [`routes`] serves, described.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// All of our own paths but `/health`, which [`health_route`] has.
pub fn routes(state: OwnState) -> Router {
    Router::new()
        .route("/", get(page::show))
        .route("/reports/{id}", get(reports::show))
        .route("/executions", get(executions::list))
        .route("/executions/{id}", get(executions::show))
        .route("/executions/{id}/events", get(events::follow))
        .route("/executions/{id}/cancel", post(executions::cancel))
        .route("/executions/{id}/resume", post(executions::resume))
        .route("/audit", get(audit::list))
        .route("/releases", get(releases::list).post(releases::start))
        .route("/releases/plan", post(releases::plan))
        .route("/releases/{id}", get(releases::show))
        .route("/releases/{id}/plan", get(releases::plan_of))
        .route("/releases/{id}/approve", post(releases::approve))
        .route("/releases/{id}/abort", post(releases::abort))
        .route("/releases/{id}/rollback", post(releases::rollback))
        .route("/metrics", get(metrics::show))
        .with_state(state)
        .merge(docs::routes())
}

/// `/health`, the one path that needs no token.
pub fn health_route(state: OwnState) -> Router {
    Router::new()
        .route("/health", get(health::show))
        .with_state(state)
}
