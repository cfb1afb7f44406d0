//! Clients that ask without end, and count what they get.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinHandle;

use crate::driver_contract::BOUND;

/// What came back.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    /// Answers by version.
    pub(crate) versions: BTreeMap<String, u64>,
    /// Everything but a 200.
    pub(crate) failures: Vec<String>,
}

impl Tally {
    pub(crate) fn total(&self) -> u64 {
        self.versions.values().sum()
    }

    pub(crate) fn of(&self, version: &str) -> u64 {
        self.versions.get(version).copied().unwrap_or_default()
    }
}

/// Clients at work.
pub(crate) struct Load {
    tally: Arc<Mutex<Tally>>,
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    /// `clients` that each ask again as soon as they have an answer.
    pub(crate) fn start(address: &str, clients: usize) -> Self {
        let tally = Arc::new(Mutex::new(Tally::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let clients = (0..clients).map(|number| {
            let (tally, stop) = (Arc::clone(&tally), Arc::clone(&stop));
            let url = format!("http://{address}/");
            tokio::spawn(async move {
                let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
                while !stop.load(Ordering::Relaxed) {
                    ask(&client, &url, number, &tally).await;
                }
            })
        });
        let clients = clients.collect();
        Self {
            tally,
            stop,
            clients,
        }
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally.lock().unwrap().clone()
    }

    /// Waits until so many more answers came.
    pub(crate) async fn more(&self, answers: u64) {
        let enough = self.tally().total() + answers;
        let since = Instant::now();
        while self.tally().total() < enough {
            assert!(since.elapsed() < BOUND, "{:?}", self.tally());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn end(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.unwrap();
        }
        self.tally.lock().unwrap().clone()
    }
}

type Asking = Client<HttpConnector, http_body_util::Either<Empty<Bytes>, Full<Bytes>>>;

/// Every other client sends a body.
async fn ask(client: &Asking, url: &str, number: usize, tally: &Mutex<Tally>) {
    let body = if number.is_multiple_of(2) {
        http_body_util::Either::Left(Empty::new())
    } else {
        http_body_util::Either::Right(Full::new(Bytes::from_static(&[b'x'; 2_000])))
    };
    let method = if number.is_multiple_of(2) {
        "GET"
    } else {
        "POST"
    };
    let request = Request::builder().method(method).uri(url);
    let answered = client.request(request.body(body).unwrap()).await;
    let answer = match answered {
        Ok(answer) => answer,
        Err(error) => {
            let told = format!("{method}: {error:?}");
            tally.lock().unwrap().failures.push(told);
            return;
        }
    };
    let status = answer.status();
    let version = answer.headers().get("x-version");
    let version = version.map(|it| it.to_str().unwrap().to_owned());
    let body = answer.into_body().collect().await;
    let mut tally = tally.lock().unwrap();
    match (body, version) {
        (Ok(_), Some(version)) if status == StatusCode::OK => {
            *tally.versions.entry(version).or_default() += 1;
        }
        (body, _) => tally.failures.push(format!("{method}: {status} {body:?}")),
    }
}

/// One answer: its status, its headers as text and its body.
pub(crate) async fn get(url: &str) -> (StatusCode, String, String) {
    let client: Client<HttpConnector, Empty<Bytes>> =
        Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let answer = client.get(url.parse().unwrap()).await.unwrap();
    let (head, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let headers = format!("{:?}", head.headers);
    (
        head.status,
        headers,
        String::from_utf8_lossy(&body).into_owned(),
    )
}
