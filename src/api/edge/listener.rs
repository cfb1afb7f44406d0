//! Sockets: takes connections, hands their requests to a router, and lets them finish when it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::prompt::Prompt;

/// Most bytes of the head of a request.
const HEAD_BYTES: usize = 64 * 1024;
/// How long the listener rests after it could not take a connection, as when there are no file descriptors left.
const REST: Duration = Duration::from_millis(200);

/// How connections are taken.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Longest time until the head of a request is there, also of the next one on the same connection.
    pub header_time: Duration,
    /// Longest time in which a client takes nothing of its answer.
    pub write_time: Duration,
    /// Most open connections; more wait until they are taken.
    pub connections: usize,
    /// How long requests may take to finish once it is time to stop.
    pub grace: Duration,
}

/// Serves until `stop`; then takes no more connections and waits for requests, but no longer than the grace.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: Settings,
    stop: CancellationToken,
) {
    let open = Arc::new(Semaphore::new(settings.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let Some((stream, permit)) = next(&listener, &open, &stop).await else {
            break;
        };
        // Answers are small, and nobody shall wait for the next one to fill a packet.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("cannot set an option of a connection: {error}");
        }
        let service = router
            .clone()
            .map_request(|request: Request<Incoming>| request.map(Body::new));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(settings.header_time)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(
                TokioIo::new(Prompt::new(stream, settings.write_time)),
                TowerToHyperService::new(service),
            );
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                // Clients go away and send nonsense all the time.
                tracing::debug!("a connection ended: {error}");
            }
            drop(permit);
        });
    }
    drop(listener);
    let open = graceful.count();
    if timeout(settings.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            open,
            grace_ms = settings.grace.as_millis(),
            "connections were still open when the grace was over"
        );
    }
}

/// The next connection; `None` when it is time to stop.
async fn next(
    listener: &TcpListener,
    open: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    loop {
        let taken = async {
            let permit = Arc::clone(open).acquire_owned().await.ok();
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = stop.cancelled() => return None,
            taken = taken => taken,
        };
        match (permit, accepted) {
            (Some(permit), Ok((stream, _))) => {
                metrics::counter!("coalmine_http_connections_total").increment(1);
                return Some((stream, permit));
            }
            (None, _) => return None,
            (Some(_), Err(error)) => {
                tracing::warn!("cannot take a connection: {error}");
                tokio::time::sleep(REST).await;
            }
        }
    }
}
