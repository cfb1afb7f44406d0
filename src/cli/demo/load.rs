//! Steady requests at a router, counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::cli::failure::Failure;

/// Clients at a time.
const CLIENTS: u64 = 8;
/// From one request of a client to its next: 100 requests a second in all.
const EVERY: Duration = Duration::from_millis(80);
/// Longest time for an answer.
const ANSWER: Duration = Duration::from_secs(10);

/// Requests that go on until it is dropped.
#[derive(Debug)]
pub(super) struct Load {
    counts: Arc<Counts>,
    clients: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Counts {
    answered: AtomicU64,
    failed: AtomicU64,
}

impl Load {
    /// Begins to ask `url`.
    pub(super) fn on(url: &str) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER)
            .build()
            .map_err(|error| Failure::new(format!("cannot make a client: {error}")))?;
        let counts = Arc::<Counts>::default();
        let clients = (0..CLIENTS).map(|_| {
            let (http, counts, url) = (http.clone(), Arc::clone(&counts), url.to_owned());
            tokio::spawn(async move {
                let mut ticks = interval(EVERY);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    ticks.tick().await;
                    let answer = async {
                        let answer = http.get(&url).send().await?.error_for_status()?;
                        answer.bytes().await
                    };
                    let count = match answer.await {
                        Ok(_) => &counts.answered,
                        Err(_) => &counts.failed,
                    };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        Ok(Self {
            clients: clients.collect(),
            counts,
        })
    }

    /// Requests that were answered well, and those that were not, so far.
    pub(super) fn counts(&self) -> (u64, u64) {
        let count = |it: &AtomicU64| it.load(Ordering::Relaxed);
        (count(&self.counts.answered), count(&self.counts.failed))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for client in &self.clients {
            client.abort();
        }
    }
}
