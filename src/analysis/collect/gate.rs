//! How many questions one account is asked at a time, and how often.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

/// What one account can bear.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AccountLimits {
    /// Most questions at a time; 0 counts as 1.
    pub concurrency: usize,
    /// Most questions a second; without a limit where absent or not above zero.
    pub per_second: Option<f64>,
}

impl Default for AccountLimits {
    /// 16 at a time, as often as they are answered. Prometheus works on 20 queries at a time.
    fn default() -> Self {
        Self {
            concurrency: 16,
            per_second: None,
        }
    }
}

/// The gates of all accounts; each is made when it is passed first.
#[derive(Debug, Default)]
pub(super) struct Gates {
    limits: BTreeMap<String, AccountLimits>,
    gates: Mutex<BTreeMap<String, Arc<Gate>>>,
}

impl Gates {
    /// Sets the limits of an account.
    pub(super) fn limit(&mut self, account: &str, limits: AccountLimits) {
        self.limits.insert(account.to_owned(), limits);
    }

    /// The gate of an account.
    pub(super) fn of(&self, account: &str) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gates.get(account) {
            return Arc::clone(gate);
        }
        let limits = self.limits.get(account).copied().unwrap_or_default();
        let gate = Arc::new(Gate::new(limits));
        gates.insert(account.to_owned(), Arc::clone(&gate));
        gate
    }
}

/// The gate of one account.
#[derive(Debug)]
pub(super) struct Gate {
    places: Arc<Semaphore>,
    distance: Duration,
    next: Mutex<Option<Instant>>,
}

impl Gate {
    fn new(limits: AccountLimits) -> Self {
        let places = limits.concurrency.clamp(1, Semaphore::MAX_PERMITS);
        let distance = limits
            .per_second
            .filter(|per_second| *per_second > 0.0)
            .and_then(|per_second| Duration::try_from_secs_f64(1.0 / per_second).ok());
        Self {
            places: Arc::new(Semaphore::new(places)),
            distance: distance.unwrap_or_default(),
            next: Mutex::new(None),
        }
    }

    /// Waits for a place and for its time. The place is free again when the permit is dropped; there is none only where the
    /// gate was closed, which nothing does.
    pub(super) async fn pass(&self) -> Option<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.places).acquire_owned().await.ok();
        if !self.distance.is_zero() {
            sleep_until(self.take_turn()).await;
        }
        permit
    }

    fn take_turn(&self) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let turn = next.map_or(now, |next| next.max(now));
        *next = Some(turn + self.distance);
        turn
    }
}
