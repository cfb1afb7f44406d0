//! Asks the supervisor.

use std::io;
use std::path::Path;
use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::wire::Refusal;
use crate::drivers::{DriverError, Remedy};

/// Longest time for an answer. The supervisor does nothing that lasts while somebody waits.
const ANSWER: Duration = Duration::from_secs(10);

/// Why there is no answer of use.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// Nobody listens, and nothing was sent.
    Nobody,
    /// It went wrong.
    Error(DriverError),
}

/// Sends `body` and reads the answer.
pub(super) async fn ask<A: DeserializeOwned>(
    socket: &Path,
    path: &str,
    body: &[u8],
) -> Result<A, Unanswered> {
    let stream = match UnixStream::connect(socket).await {
        Ok(stream) => stream,
        Err(error) => {
            let nobody = matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            );
            return Err(if nobody {
                Unanswered::Nobody
            } else {
                broken(&format!("connecting to `{}`", socket.display()), error)
            });
        }
    };
    let answered = tokio::time::timeout(ANSWER, exchange(stream, path, body)).await;
    let (status, bytes) = match answered {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(broken("asking", error)),
        Err(elapsed) => return Err(broken("waiting for its answer", elapsed)),
    };
    match status {
        StatusCode::OK => {
            serde_json::from_slice(&bytes).map_err(|error| broken("reading its answer", error))
        }
        // It is ending, and did nothing.
        StatusCode::SERVICE_UNAVAILABLE => Err(Unanswered::Nobody),
        status => match serde_json::from_slice::<Refusal>(&bytes) {
            Ok(refusal) => Err(Unanswered::Error(refusal.into())),
            Err(_) => {
                let text = String::from_utf8_lossy(&bytes);
                Err(Unanswered::Error(DriverError::new(
                    Remedy::GiveUp,
                    format!(
                        "the supervisor answered {status} to `{path}`: {}",
                        text.trim()
                    ),
                )))
            }
        },
    }
}

async fn exchange(
    stream: UnixStream,
    path: &str,
    body: &[u8],
) -> hyper::Result<(StatusCode, Bytes)> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the exchange: the sender is dropped.
    let connection = tokio::spawn(connection);
    let mut request = Request::new(Full::new(Bytes::copy_from_slice(body)));
    *request.method_mut() = Method::POST;
    if let Ok(uri) = path.parse() {
        *request.uri_mut() = uri;
    }
    let headers = request.headers_mut();
    headers.insert(HOST, axum::http::HeaderValue::from_static("supervisor"));
    headers.insert(
        CONTENT_TYPE,
        axum::http::HeaderValue::from_static("application/json"),
    );
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let bytes = answer.into_body().collect().await?.to_bytes();
    drop(sender);
    connection.abort();
    Ok((status, bytes))
}

fn broken(doing: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Unanswered {
    Unanswered::Error(DriverError {
        cause: Some(error.into()),
        ..DriverError::new(
            Remedy::Retry,
            format!(
                "the supervisor of local server groups does not answer; found an error while {doing}"
            ),
        )
    })
}
