//! Asks one instance whether it is well, again and again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::HOST;
use axum::http::{HeaderValue, Request};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::output;
use super::seat::Seat;
use crate::model::release::process::HealthCheck;

/// Questions between two looks at the length of the output.
const LOOK_AT_OUTPUT: u32 = 60;

/// Asks until the instance is retired.
pub(super) async fn watch(seat: Arc<Seat>, check: HealthCheck, output: PathBuf) {
    // The spec does not let 0 through; a state file may have anything.
    let mut ticks = interval(Duration::from_millis(check.interval_ms.max(10)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let longest = Duration::from_millis(check.timeout_ms.max(10));
    let mut asked: u32 = 0;
    loop {
        tokio::select! {
            () = seat.retired.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let good = timeout(longest, is_well(seat.port, &check.path)).await;
        seat.checked(matches!(good, Ok(Some(true))));
        asked = asked.wrapping_add(1);
        if asked.is_multiple_of(LOOK_AT_OUTPUT)
            && let Err(error) = output::keep_short(&output)
        {
            tracing::warn!(instance = seat.id, "cannot keep its output short: {error}");
        }
    }
}

/// Whether it is answered by 2xx; `None` where there is no answer.
async fn is_well(port: u16, path: &str) -> Option<bool> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let connection = Aborted(tokio::spawn(connection));
    let mut request = Request::new(Empty::<Bytes>::new());
    *request.uri_mut() = path.parse().ok()?;
    let host = HeaderValue::from_str(&format!("127.0.0.1:{port}")).ok()?;
    request.headers_mut().insert(HOST, host);
    let answer = sender.send_request(request).await.ok()?;
    let status = answer.status();
    answer.into_body().collect().await.ok()?;
    drop(connection);
    Some(status.is_success())
}

/// A task that ends with the question, also where that is given up.
struct Aborted<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Aborted<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
