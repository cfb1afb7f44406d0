//! How many questions one account is asked at a time.
//!
//! How often a store is asked is its source's to limit: one question may take several requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What one account can bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountLimits {
    /// Most questions at a time; 0 counts as 1.
    pub concurrency: usize,
}

impl Default for AccountLimits {
    /// 16 at a time. Prometheus works on 20 queries at a time.
    fn default() -> Self {
        Self { concurrency: 16 }
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

/// The gate of one account: first come, first served.
#[derive(Debug)]
pub(super) struct Gate {
    places: Arc<Semaphore>,
}

impl Gate {
    fn new(limits: AccountLimits) -> Self {
        let places = limits.concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            places: Arc::new(Semaphore::new(places)),
        }
    }

    /// Waits for a place. It is free again when the permit is dropped; there is none only where the gate was closed, which
    /// nothing does.
    pub(super) async fn pass(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).acquire_owned().await.ok()
    }
}
