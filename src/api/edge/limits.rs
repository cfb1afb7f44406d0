//! How much one request may take, and how many there may be.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::watched::{Arrival, Watched};
use crate::api::own::answer::{Refusal, Worded};

/// How much of a body that is too large is read and dropped, so that its sender gets to read the answer: in sizes of the limit.
const DRAINED: usize = 8;

/// How many bodies of the largest size are read and worked on at once.
const LARGEST: usize = 4;
/// Bodies up to this many bytes are bounded by the number of requests alone.
const SMALL: u64 = 64 * 1024;

/// What one request may take.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    pub(super) body_bytes: usize,
    pub(super) request_time: Duration,
    /// One permit for each request.
    pub(super) requests: Arc<Semaphore>,
    /// One permit for each KiB of large bodies.
    pub(super) bodies: Arc<Semaphore>,
}

/// Limits body, time and number of requests. The body of an answer, as of a stream of events, counts for neither.
pub(super) async fn bounded(
    State(bounds): State<Bounds>,
    request: Request,
    next: Next,
) -> Response {
    let Ok(_permit) = bounds.requests.try_acquire() else {
        metrics::counter!("coalmine_http_refused_total", "reason" => "concurrency").increment(1);
        let message = "too many requests at once; try again later";
        return Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message).into_response();
    };
    let arrival = Arrival::default();
    let request = request.map(|body| Body::new(Watched::new(body, arrival.clone())));
    let answered = timeout(
        bounds.request_time,
        within_size(&bounds, request, next, &arrival),
    );
    answered.await.unwrap_or_else(|_| {
        let most = bounds.request_time.as_millis();
        // Who is slow is told so, and only a slow server is asked again.
        let (status, reason, message) = if arrival.is_awaited() {
            let message = format!("the body of the request did not arrive within {most} ms");
            (StatusCode::REQUEST_TIMEOUT, "slow_body", message)
        } else {
            let message = format!("the request took longer than {most} ms");
            (StatusCode::SERVICE_UNAVAILABLE, "time", message)
        };
        metrics::counter!("coalmine_http_refused_total", "reason" => reason).increment(1);
        closing(Refusal::new(status, message).into_response())
    })
}

async fn within_size(bounds: &Bounds, request: Request, next: Next, arrival: &Arrival) -> Response {
    let most = bounds.body_bytes;
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|declared| declared > most as u64) {
        metrics::counter!("coalmine_http_refused_total", "reason" => "body").increment(1);
        drain(request.into_body(), most.saturating_mul(DRAINED)).await;
        return closing(too_large(most));
    }
    let size = request.body().size_hint().upper().unwrap_or(u64::MAX);
    // Held until the answer is there: what is made of a body is far larger than the body.
    let _room = match weight(size, most) {
        0 => None,
        weight => bounds.bodies.acquire_many(weight).await.ok(),
    };
    let mut request = request;
    // Extractors read no more than this of a body whose length is not declared.
    DefaultBodyLimit::max(most).apply(&mut request);
    let response = next.run(request).await;
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
        metrics::counter!("coalmine_http_refused_total", "reason" => "body").increment(1);
        if let Some(left) = arrival.left() {
            drain(left, most.saturating_mul(DRAINED)).await;
        }
        return closing(too_large(most));
    }
    response
}

/// What a body of at most `size` bytes takes of the room for large bodies, in KiB; small ones need none.
fn weight(size: u64, most: usize) -> u32 {
    let size = size.min(most as u64);
    if size <= SMALL {
        return 0;
    }
    u32::try_from(size.div_ceil(1024)).unwrap_or(u32::MAX)
}

/// Room for so many bodies of the largest size; more wait.
pub(super) fn room(body_bytes: usize) -> Semaphore {
    let most = body_bytes.div_ceil(1024).saturating_mul(LARGEST);
    Semaphore::new(most.min(Semaphore::MAX_PERMITS))
}

fn too_large(most: usize) -> Response {
    let message = format!("the body is larger than {most} bytes");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message).into_response()
}

async fn drain(body: Body, most: usize) {
    let mut left = most;
    let mut data = body.into_data_stream();
    while let Some(Ok(piece)) = data.next().await {
        left = left.saturating_sub(piece.len());
        if left == 0 {
            return;
        }
    }
}

/// What is left of a body is not the next request.
fn closing(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Refusals that the framework words as plain text become `{"message": …}`, as all others are.
pub(super) async fn json_refusals(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|media| media.as_bytes().starts_with(b"text/plain"));
    let shaped = response.extensions().get::<Worded>().is_some();
    let refused = status.is_client_error() || status.is_server_error();
    let bare = status == StatusCode::METHOD_NOT_ALLOWED;
    if !refused || shaped || !(plain || bare) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = to_bytes(body, 64 * 1024).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let message = match text.trim() {
        "" => status
            .canonical_reason()
            .unwrap_or("refused")
            .to_lowercase(),
        text => text.to_owned(),
    };
    let said = Refusal::new(status, message).into_response();
    let (said, body) = said.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(said.headers);
    Response::from_parts(parts, body)
}
