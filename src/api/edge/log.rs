//! One line for each request, and its metrics. No bodies, no queries, no headers: any of them may hold a secret.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names the request, writes it down once it is answered, and counts it.
pub(super) async fn logged(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    // The pattern, and not the path: `/canary/{id}`.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("(none)", MatchedPath::as_str)
        .to_owned();
    let id = request_id(&request);
    let in_flight = metrics::gauge!("coalmine_http_requests_in_flight");
    in_flight.increment(1.0);
    let _counted = Leaving(in_flight);
    let span = tracing::info_span!("request", request.id = %id);
    let mut response = next.run(request).instrument(span).await;
    let status = response.status();
    let took = began.elapsed();
    let code = status.as_u16();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a request ends within years"
    )]
    let duration_ms = took.as_millis() as u64;
    // Probes and scrapes come all the time, and say nothing while all is well.
    if status.is_server_error() {
        tracing::warn!(request.id = %id, %method, route, status = code, duration_ms, "answered {code}: {method} {route}");
    } else if ["/health", "/metrics"].contains(&route.as_str()) {
        tracing::debug!(request.id = %id, %method, route, status = code, duration_ms, "answered {code}: {method} {route}");
    } else {
        tracing::info!(request.id = %id, %method, route, status = code, duration_ms, "answered {code}: {method} {route}");
    }
    let labels = [
        ("method", known_method(&method)),
        ("route", route.clone()),
        ("status", code.to_string()),
    ];
    metrics::counter!("coalmine_http_requests_total", &labels).increment(1);
    metrics::histogram!("coalmine_http_request_duration_seconds", "route" => route)
        .record(took.as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let nosniff = HeaderValue::from_static("nosniff");
    response
        .headers_mut()
        .insert("x-content-type-options", nosniff);
    response
}

/// Counts a request as gone, also where its client went away before the answer.
struct Leaving(metrics::Gauge);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// The client's own id where it is short and plain, else a new one.
fn request_id(request: &Request) -> String {
    let given = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok());
    let plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    given
        .filter(plain)
        .map_or_else(|| format!("{:016x}", fastrand::u64(..)), str::to_owned)
}

/// Any word can be a method; labels must not be.
fn known_method(method: &axum::http::Method) -> String {
    let known = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"];
    let word = method.as_str();
    if known.contains(&word) {
        word.to_owned()
    } else {
        "other".to_owned()
    }
}
