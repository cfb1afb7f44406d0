//! Empties the outbox: sends what is due, and keeps what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{Channel, Parcel, Undelivered};
use crate::clock::Clock;
use crate::store::{DueMessage, Store, StoreError};

/// How the outbox is emptied.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How many tries run at the same time.
    pub in_flight: usize,
    /// The pause after the first failure; it doubles with each further one.
    pub first_pause: Duration,
    /// The longest pause of our own.
    pub longest_pause: Duration,
    /// The longest pause that another side may ask for.
    pub longest_wish: Duration,
    /// A message that is older and fails again is given up.
    pub oldest: Duration,
    /// How often it is looked for what is due.
    pub look_every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            in_flight: 8,
            first_pause: Duration::from_secs(5),
            longest_pause: Duration::from_secs(3_600),
            longest_wish: Duration::from_secs(6 * 3_600),
            oldest: Duration::from_secs(3 * 86_400),
            look_every: Duration::from_secs(1),
        }
    }
}

/// How many messages are read at once.
const BATCH: u64 = 64;

/// What a pass came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pass {
    /// Messages that were taken.
    pub delivered: u64,
    /// Messages that are tried again.
    pub failed: u64,
    /// Messages that are not tried again.
    pub given_up: u64,
}

/// Sends what the store's outbox has.
#[derive(Debug, Clone)]
pub struct Outbox {
    store: Arc<dyn Store>,
    channels: Arc<BTreeMap<String, Arc<dyn Channel>>>,
    clock: Arc<dyn Clock>,
    settings: Settings,
}

enum Came {
    Delivered,
    Failed,
    GivenUp,
    /// It was told to stop before it tried.
    Left,
}

impl Outbox {
    /// Sends through these channels, by name.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        channels: BTreeMap<String, Arc<dyn Channel>>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        Self {
            store,
            channels: Arc::new(channels),
            clock,
            settings,
        }
    }

    /// Sends until `stop`; tries that run then come to their end.
    pub async fn run(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.pass(&stop).await {
                let error = &error as &dyn std::error::Error;
                warn!(error, "the outbox cannot be emptied; it is tried again");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(self.settings.look_every) => {}
            }
        }
    }

    /// The last pass of a process that nobody goes on for: what is due is tried once more, for at most `longest`. What is left
    /// then, as a sentence that the log has too; the next who empties this store's outbox sends it.
    pub async fn drain(&self, longest: Duration) -> Option<String> {
        let passed = tokio::time::timeout(longest, self.deliver_due()).await;
        if let Ok(Err(error)) = &passed {
            let error = error as &dyn std::error::Error;
            warn!(error, "the outbox cannot be emptied");
        }
        let left = match self.store.messages_due(i64::MAX, BATCH).await {
            Ok(left) => left,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                warn!(error, "it is not known which messages are left");
                return Some("it is not known which messages are left".to_owned());
            }
        };
        let channels: BTreeSet<&str> = left.iter().map(|it| it.message.channel.as_str()).collect();
        let channels: Vec<&str> = channels.into_iter().collect();
        let some = match u64::try_from(left.len()).unwrap_or(BATCH) {
            0 => return None,
            1 => "1 message is".to_owned(),
            BATCH => format!("{BATCH} messages or more are"),
            some => format!("{some} messages are"),
        };
        let told = format!(
            "{some} not delivered: `{}` was not told",
            channels.join("`, `")
        );
        warn!("{told}");
        Some(told)
    }

    /// One pass: tries each message once that is due.
    ///
    /// # Errors
    /// Those of the store. What was sent and could not be noted is sent again, under the same key.
    pub async fn deliver_due(&self) -> Result<Pass, StoreError> {
        self.pass(&CancellationToken::new()).await
    }

    async fn pass(&self, stop: &CancellationToken) -> Result<Pass, StoreError> {
        let mut pass = Pass::default();
        // What fails is due later than this.
        let now_ms = self.clock.now_ms();
        loop {
            let due = self.store.messages_due(now_ms, BATCH).await?;
            if due.is_empty() || stop.is_cancelled() {
                return Ok(pass);
            }
            let mut tries = stream::iter(due)
                .map(|due| async move { self.deliver(&due, stop).await })
                .buffer_unordered(self.settings.in_flight.max(1));
            while let Some(came) = tries.next().await {
                match came? {
                    Came::Delivered => pass.delivered += 1,
                    Came::Failed => pass.failed += 1,
                    Came::GivenUp => pass.given_up += 1,
                    Came::Left => {}
                }
            }
        }
    }

    async fn deliver(
        &self,
        due: &DueMessage,
        stop: &CancellationToken,
    ) -> Result<Came, StoreError> {
        if stop.is_cancelled() {
            return Ok(Came::Left);
        }
        let message = &due.message;
        let (key, channel) = (message.key.as_str(), message.channel.as_str());
        let sent = match self.channels.get(channel) {
            Some(way) => {
                let parcel = Parcel {
                    key,
                    body: &message.body,
                    created_ms: message.created_ms,
                    now_ms: self.clock.now_ms(),
                };
                way.send(parcel).await
            }
            // It may come back with the next config.
            None => Err(Undelivered::again(format!(
                "the config has no channel `{channel}`"
            ))),
        };
        let now_ms = self.clock.now_ms();
        let execution = &message.execution;
        let came = match sent {
            Ok(()) => {
                self.store.message_delivered(key, now_ms).await?;
                info!(execution.id = %execution, channel, key, "told `{channel}` of execution `{execution}`");
                Came::Delivered
            }
            Err(Undelivered::Again { why, after }) => {
                let age_ms = now_ms.saturating_sub(message.created_ms);
                if age_ms >= millis(self.settings.oldest) {
                    self.give_up(
                        due,
                        now_ms,
                        &format!("{why}; it is too old to be tried again"),
                    )
                    .await?
                } else {
                    let next_ms = now_ms.saturating_add(millis(self.pause(due.attempts, after)));
                    self.store.message_failed(key, next_ms, &why).await?;
                    warn!(
                        execution.id = %execution, channel, key, attempts = due.attempts + 1,
                        "`{channel}` was not told of execution `{execution}`, and will be tried again: {why}"
                    );
                    Came::Failed
                }
            }
            Err(Undelivered::Never { why }) => self.give_up(due, now_ms, &why).await?,
        };
        let word = match came {
            Came::Delivered => "delivered",
            Came::Failed => "failed",
            Came::GivenUp => "given_up",
            Came::Left => return Ok(came),
        };
        metrics::counter!("coalmine_messages_total", "outcome" => word).increment(1);
        Ok(came)
    }

    async fn give_up(&self, due: &DueMessage, now_ms: i64, why: &str) -> Result<Came, StoreError> {
        let message = &due.message;
        let (key, channel, execution) = (&message.key, &message.channel, &message.execution);
        self.store.message_given_up(key, now_ms, why).await?;
        error!(
            execution.id = %execution, channel, key,
            "`{channel}` is not told of execution `{execution}`: {why}"
        );
        Ok(Came::GivenUp)
    }

    /// Doubles with each failure, up to a fifth more or less by chance, so that many that failed together do not come together
    /// again; never shorter than the other side wishes.
    fn pause(&self, attempts: u64, wish: Option<Duration>) -> Duration {
        let doublings = u32::try_from(attempts).unwrap_or(u32::MAX).min(20);
        let pause = self.settings.first_pause.saturating_mul(1 << doublings);
        let pause = pause.min(self.settings.longest_pause);
        let pause = pause.mul_f64(0.8 + 0.4 * fastrand::f64());
        let wish = wish.unwrap_or_default().min(self.settings.longest_wish);
        pause.max(wish).max(Duration::from_millis(1))
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
