//! Asks one instance whether it is well, again and again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::HOST;
use axum::http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::files::is_our_want;
use super::output;
use super::seat::Seat;
use crate::model::release::process::HealthCheck;

/// Questions between two looks at the length of the output.
const LOOK_AT_OUTPUT: u32 = 60;
/// No more bytes of a body are read.
const MOST_BODY: usize = 64 * 1024;
/// Longest time for a body.
const BODY: Duration = Duration::from_millis(200);

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
        match timeout(longest, ask(seat.port, &check.path)).await {
            Ok(Said::Status(answered)) => {
                seat.checked(answered.status.is_success());
                answered.hear_out().await;
            }
            Ok(Said::Nothing) | Err(_) => seat.checked(false),
            Ok(Said::NotAsked) => {}
        }
        asked = asked.wrapping_add(1);
        if asked.is_multiple_of(LOOK_AT_OUTPUT)
            && let Err(error) = output::keep_short(&output)
        {
            tracing::warn!(instance = seat.id, "cannot keep its output short: {error}");
        }
    }
}

/// How an instance answered.
enum Said {
    Status(Answered),
    Nothing,
    /// It could not be asked, for want of something on our side.
    NotAsked,
}

/// An answer whose body is not read yet.
struct Answered {
    status: StatusCode,
    body: Incoming,
    connection: Aborted<hyper::Result<()>>,
}

impl Answered {
    /// Reads what little the body should be, so that a service which writes it does not find the connection gone. What is longer
    /// or never ends is left.
    async fn hear_out(self) {
        let body = Limited::new(self.body, MOST_BODY);
        let _ = timeout(BODY, body.collect()).await;
        drop(self.connection);
    }
}

/// Asks, up to the status.
async fn ask(port: u16, path: &str) -> Said {
    let stream = match TcpStream::connect(("127.0.0.1", port)).await {
        Ok(stream) => stream,
        Err(error) if is_our_want(&error) => return Said::NotAsked,
        Err(_) => return Said::Nothing,
    };
    let answered = answer(stream, port, path).await;
    answered.map_or(Said::Nothing, Said::Status)
}

async fn answer(stream: TcpStream, port: u16, path: &str) -> Option<Answered> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let connection = Aborted(tokio::spawn(connection));
    let mut request = Request::new(Empty::<Bytes>::new());
    *request.uri_mut() = path.parse().ok()?;
    let host = HeaderValue::from_str(&format!("127.0.0.1:{port}")).ok()?;
    request.headers_mut().insert(HOST, host);
    let answer = sender.send_request(request).await.ok()?;
    Some(Answered {
        status: answer.status(),
        body: answer.into_body(),
        connection,
    })
}

/// A task that ends with the question, also where that is given up.
struct Aborted<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Aborted<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must stop"
)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Asks a service that answers `head` and then writes `more` for ever; whether it was well.
    async fn asked(head: &'static str, more: &'static [u8]) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let service = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1_024];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            stream.write_all(head.as_bytes()).await.unwrap();
            while !more.is_empty() && stream.write_all(more).await.is_ok() {}
            // Ends when the other side hangs up.
            while stream.read(&mut request).await.is_ok_and(|read| read > 0) {}
        });
        let said = timeout(Duration::from_secs(20), ask(port, "/health")).await;
        let Ok(Said::Status(answered)) = said else {
            panic!("no status came");
        };
        let good = answered.status.is_success();
        answered.hear_out().await;
        timeout(Duration::from_secs(20), service)
            .await
            .unwrap()
            .unwrap();
        good
    }

    #[tokio::test]
    async fn the_status_is_enough_where_the_body_never_ends() {
        let endless = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(asked(endless, b"4\r\nmore\r\n").await);
        assert!(asked(endless, b"").await);
        assert!(!asked("HTTP/1.1 503 No\r\nContent-Length: 9999999\r\n\r\n", b"x").await);
    }
}
