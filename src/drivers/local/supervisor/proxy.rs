//! The proxy of one cluster: hands each request to an instance, and its answer back, both as they come, never whole in memory.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::header::{CONNECTION, CONTENT_TYPE, EXPECT, TE, TRANSFER_ENCODING, UPGRADE};
use axum::http::uri::{Authority, PathAndQuery, Scheme};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{Either, Full};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::counts::{Counts, Minute};
use super::files::{is_our_want, is_refusal};
use super::routing::{Choice, Table};
use super::seat::{InFlight, Seat};
use super::seldom::Seldom;
use crate::model::release::names::GroupName;

/// How long a connection to an instance is kept for the next request. Short, because some servers close idle connections
/// after few seconds, and a request that meets that is lost.
const IDLE: Duration = Duration::from_secs(2);
/// Longest time until an instance takes a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// How long requests may take to finish when the proxy ends.
const GRACE: Duration = Duration::from_secs(10);
/// How long the listener rests after it could not take a connection.
const REST: Duration = Duration::from_millis(100);

/// The parts of one proxy that others look at.
#[derive(Debug, Default)]
pub(super) struct Proxy {
    pub(super) table: Table,
    counts: Mutex<Counts>,
    /// Lines about instances that cannot be reached, and about clients that cannot be taken.
    unreached: Seldom,
    untaken: Seldom,
}

type ToInstance = Client<HttpConnector, Shared>;
type Answer = Response<Either<Tracked, Full<Bytes>>>;

impl Proxy {
    /// The requests of the last minute.
    pub(super) fn minute(&self) -> Minute {
        self.counts().minute()
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves until `stop`, then lets requests finish.
    ///
    /// Takes no more connections at once than there are `places`; the others wait with the system.
    pub(super) async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        places: Arc<Semaphore>,
        stop: CancellationToken,
    ) {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        let client: ToInstance = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .set_host(false)
            .build(connector);
        let graceful = GracefulShutdown::new();
        loop {
            let taken = async {
                // The semaphore is never closed.
                let place = Arc::clone(&places).acquire_owned().await.ok();
                (place, listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                () = stop.cancelled() => break,
                taken = taken => taken,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    if let Some(unsaid) = self.untaken.due() {
                        tracing::warn!(unsaid, "the proxy cannot take a connection: {error}");
                    }
                    tokio::time::sleep(REST).await;
                    continue;
                }
            };
            // Only an optimisation.
            let _ = stream.set_nodelay(true);
            let (proxy, client) = (Arc::clone(&self), client.clone());
            let service = service_fn(move |request| {
                let (proxy, client) = (Arc::clone(&proxy), client.clone());
                async move { Ok::<_, Infallible>(proxy.answer(&client, peer, request).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            let watched = graceful.watch(connection);
            tokio::spawn(async move {
                let _place = place;
                if let Err(error) = watched.await {
                    // Clients go away all the time.
                    tracing::debug!("a connection ended: {error}");
                }
            });
        }
        drop(listener);
        if timeout(GRACE, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests were still open when the proxy ended");
        }
    }

    async fn answer(
        self: &Arc<Self>,
        client: &ToInstance,
        peer: SocketAddr,
        request: Request<Incoming>,
    ) -> Answer {
        let (mut head, body) = request.into_parts();
        strip(&mut head.headers);
        // Our side asks for the body by itself when the instance takes it.
        head.headers.remove(EXPECT);
        forwarded(&mut head.headers, peer);
        let body = Shared(Arc::new(Mutex::new(Once { body, begun: false })));
        let path = head.uri.path_and_query().cloned();
        let mut tried: Vec<Arc<Seat>> = Vec::new();
        loop {
            let Some(choice) = self.table.choose(&tried) else {
                return self.refuse(
                    None,
                    StatusCode::SERVICE_UNAVAILABLE,
                    "no instance is up for this request\n",
                );
            };
            let mut head = head.clone();
            head.uri = uri(&choice, path.clone());
            let Choice {
                group,
                seat,
                in_flight,
            } = choice;
            match client
                .request(Request::from_parts(head, body.clone()))
                .await
            {
                Ok(response) => return self.pass(&group, in_flight, response),
                Err(error) if error.is_connect() && !body.is_begun() => {
                    let cause = io_cause(&error);
                    if let Some(unsaid) = self.unreached.due() {
                        let cause = cause.map(ToString::to_string).unwrap_or_default();
                        tracing::info!(
                            instance = seat.id,
                            unsaid,
                            "no connection to an instance: {error}: {cause}"
                        );
                    }
                    if cause.is_some_and(is_our_want) {
                        return self.refuse(
                            None,
                            StatusCode::SERVICE_UNAVAILABLE,
                            "the proxy can open no connection to an instance now\n",
                        );
                    }
                    // One that is only slow to take it is judged by its health.
                    if cause.is_some_and(is_refusal) {
                        seat.refused();
                    }
                    tried.push(seat);
                }
                Err(error) => {
                    if let Some(unsaid) = self.unreached.due() {
                        tracing::info!(
                            instance = seat.id,
                            unsaid,
                            "an instance gave no answer: {error}"
                        );
                    }
                    return self.refuse(
                        Some(&group),
                        StatusCode::BAD_GATEWAY,
                        "the instance gave no answer\n",
                    );
                }
            }
        }
    }

    fn pass(
        self: &Arc<Self>,
        group: &GroupName,
        in_flight: InFlight,
        response: Response<Incoming>,
    ) -> Answer {
        let failed = response.status().is_server_error();
        self.count(Some(group), failed);
        let (mut head, body) = response.into_parts();
        strip(&mut head.headers);
        let body = Tracked {
            body,
            _in_flight: in_flight,
            proxy: Arc::clone(self),
            failed,
        };
        Response::from_parts(head, Either::Left(body))
    }

    fn refuse(&self, group: Option<&GroupName>, status: StatusCode, text: &'static str) -> Answer {
        self.count(group, true);
        let mut answer = Response::new(Either::Right(Full::new(Bytes::from_static(
            text.as_bytes(),
        ))));
        *answer.status_mut() = status;
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        answer.headers_mut().insert(CONTENT_TYPE, plain);
        answer
    }

    fn count(&self, group: Option<&GroupName>, failed: bool) {
        let mut counts = self.counts();
        counts.request(group);
        if failed {
            counts.failure();
        }
    }
}

/// What the system said.
fn io_cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The same path at the instance.
fn uri(choice: &Choice, path: Option<PathAndQuery>) -> Uri {
    let mut parts = axum::http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Authority::try_from(format!("127.0.0.1:{}", choice.seat.port)).ok();
    // `OPTIONS *` has a path of its own, which the client cannot send on.
    parts.path_and_query = Some(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    Uri::from_parts(parts).unwrap_or_default()
}

/// Removes what is meant for the next hop only: RFC 9110, section 7.6.1.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in [CONNECTION, TE, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
    for name in ["keep-alive", "proxy-connection"] {
        headers.remove(name);
    }
}

/// Adds who asked.
fn forwarded(headers: &mut HeaderMap, peer: SocketAddr) {
    let before: Vec<String> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok().map(str::to_owned))
        .collect();
    let all: Vec<String> = before.into_iter().chain([peer.ip().to_string()]).collect();
    if let Ok(value) = HeaderValue::from_str(&all.join(", ")) {
        headers.insert("x-forwarded-for", value);
    }
}

/// The body of a request, which can be given to another instance as long as nobody has read of it.
#[derive(Debug, Clone)]
struct Shared(Arc<Mutex<Once>>);

#[derive(Debug)]
struct Once {
    body: Incoming,
    begun: bool,
}

impl Shared {
    fn is_begun(&self) -> bool {
        self.once().begun
    }

    fn once(&self) -> std::sync::MutexGuard<'_, Once> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body for Shared {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut once = self.once();
        once.begun = true;
        Pin::new(&mut once.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.once().body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.once().body.size_hint()
    }
}

/// The body of an answer; its request is in flight until it is at its end, or nobody wants it any more.
#[derive(Debug)]
struct Tracked {
    body: Incoming,
    _in_flight: InFlight,
    proxy: Arc<Proxy>,
    /// It counts as failed already.
    failed: bool,
}

impl Body for Tracked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Err(_))) = &polled
            && !self.failed
        {
            self.failed = true;
            self.proxy.counts().failure();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_str(value).unwrap())
        });
        pairs.collect()
    }

    #[test]
    fn headers_for_the_next_hop_are_not_passed_on() {
        let mut found = headers(&[
            ("connection", "close, X-Mine"),
            ("x-mine", "1"),
            ("keep-alive", "timeout=5"),
            ("upgrade", "websocket"),
            ("te", "trailers"),
            ("x-other", "2"),
            ("host", "search.example"),
        ]);
        strip(&mut found);
        let expected = headers(&[("x-other", "2"), ("host", "search.example")]);
        assert_eq!(found, expected);
    }

    #[test]
    fn who_asked_is_added_to_those_before() {
        let peer = "127.0.0.1:4000".parse().unwrap();
        let mut found = headers(&[("x-forwarded-for", "10.0.0.1")]);
        forwarded(&mut found, peer);
        assert_eq!(found["x-forwarded-for"], "10.0.0.1, 127.0.0.1");
    }

    #[tokio::test]
    async fn a_refused_connection_is_known_by_what_the_system_said() {
        let held = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = held.local_addr().unwrap();
        drop(held);
        let client: Client<HttpConnector, Full<Bytes>> =
            Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        let asked = client.get(format!("http://{address}/").parse().unwrap());
        let error = asked.await.unwrap_err();
        assert!(error.is_connect());
        assert!(io_cause(&error).is_some_and(is_refusal), "{error:?}");
    }
}
