//! How much one request may take, and how many there may be.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::api::own::answer::{Refusal, Worded};

/// How much of a body that is too large is read and dropped, so that its sender gets to read the answer: in sizes of the limit.
const DRAINED: usize = 8;

/// What one request may take.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    pub(super) body_bytes: usize,
    pub(super) request_time: Duration,
    /// One permit for each request.
    pub(super) requests: Arc<Semaphore>,
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
    let answered = timeout(
        bounds.request_time,
        within_size(bounds.body_bytes, request, next),
    );
    answered.await.unwrap_or_else(|_| {
        metrics::counter!("coalmine_http_refused_total", "reason" => "time").increment(1);
        let message = format!(
            "the request took longer than {} ms, with the time that its body took to arrive",
            bounds.request_time.as_millis()
        );
        closing(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message).into_response())
    })
}

async fn within_size(most: usize, request: Request, next: Next) -> Response {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|declared| declared > most as u64) {
        metrics::counter!("coalmine_http_refused_total", "reason" => "body").increment(1);
        drain(request.into_body(), most.saturating_mul(DRAINED)).await;
        return closing(too_large(most));
    }
    let mut request = request;
    // Extractors read no more than this of a body whose length is not declared.
    DefaultBodyLimit::max(most).apply(&mut request);
    let response = next.run(request).await;
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
        metrics::counter!("coalmine_http_refused_total", "reason" => "body").increment(1);
        return closing(too_large(most));
    }
    response
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
