//! What stands between the network and the handlers: who may ask ([`guard`]), how much ([`limits`]), what is written down
//! ([`log`]), and the sockets ([`listener`]).

pub mod guard;
pub mod limits;
pub mod listener;
pub mod log;
mod prompt;
mod watched;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse as _;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

use super::kayenta;
use super::own::answer::Refusal;
use super::own::{self, OwnState};
use guard::{Access, Origins};
use limits::Bounds;

/// How much of what is served to whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who may ask.
    pub access: Arc<Access>,
    /// Origins, lower case, whose pages may call Kayenta's paths.
    pub allowed_origins: Vec<String>,
    /// Largest body in bytes.
    pub body_bytes: usize,
    /// Longest time for one request.
    pub request_time: Duration,
    /// Most requests at once.
    pub concurrent_requests: usize,
}

/// Everything that is served.
pub fn router(state: OwnState, settings: &Settings) -> Router {
    let origins = |allowed: &[String]| {
        from_fn_with_state(Arc::new(Origins::new(allowed)), guard::same_origin)
    };
    let bounds = Bounds {
        body_bytes: settings.body_bytes,
        request_time: settings.request_time,
        requests: Arc::new(Semaphore::new(settings.concurrent_requests)),
        bodies: Arc::new(limits::room(settings.body_bytes)),
    };
    let guarded = |router: Router, allowed: &[String]| {
        let access = Arc::clone(&settings.access);
        router
            .layer(from_fn_with_state(bounds.clone(), limits::bounded))
            .layer(from_fn_with_state(access, guard::authorized))
            .layer(origins(allowed))
    };
    let ours = own::routes(state.clone()).fallback(async || {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "there is nothing at this path; `/docs/` lists what there is",
        )
    });
    let theirs = kayenta::routes().with_state(state.api.clone());
    Router::new()
        .merge(guarded(ours, &[]))
        .merge(guarded(theirs, &settings.allowed_origins))
        // Asked by probes, which carry no token and must not wait in a queue.
        .merge(own::health_route(state).layer(origins(&[])))
        .layer(from_fn_with_state(
            Arc::clone(&settings.access),
            guard::known_host,
        ))
        .layer(CatchPanicLayer::custom(|_| {
            metrics::counter!("coalmine_panics_total").increment(1);
            Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the request broke off; this is a defect of Coalmine, please report it",
            )
            .into_response()
        }))
        .layer(from_fn(limits::json_refusals))
        .layer(from_fn(log::logged))
}
