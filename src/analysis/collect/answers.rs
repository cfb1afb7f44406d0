//! Answers that serve more than one asker: those on their way, and those of windows that are over.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::time::Instant;

use crate::model::scope::Scope;
use crate::sources::{Fetched, Manner, SourceError};

/// Questions with the same key have the same answer, but for the metric's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) account: String,
    pub(super) manner: Manner,
    pub(super) query: String,
    pub(super) scope: Scope,
    pub(super) settled_ms: Option<i64>,
}

/// An answer, or why there is none, for all who asked.
pub(super) type Answer = Result<Arc<Fetched>, Arc<SourceError>>;

/// A question on its way. It is worked on while anyone waits for it, and dropped with the last one.
pub(super) type Flight = Shared<BoxFuture<'static, Answer>>;

/// How much is kept, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Most points of all answers together, 16 bytes each; a series counts [`SERIES`](Keep::SERIES) more, and so does an answer.
    /// 0 keeps none.
    pub points: usize,
    /// How long an answer is kept.
    pub age: Duration,
    /// How long a window must have been over, by our clock, before its answer is kept: stores get points late.
    pub settle: Duration,
}

impl Keep {
    /// For how many points the texts and labels of a series count: half a kilobyte.
    pub const SERIES: usize = 32;
}

impl Default for Keep {
    /// 2 million points (32 MB) for ten minutes, of windows that were over for five: both sides of 200 metrics that have 4,900
    /// points on each, or of many judgements with fewer.
    fn default() -> Self {
        Self {
            points: 2_000_000,
            age: Duration::from_secs(600),
            settle: Duration::from_secs(300),
        }
    }
}

struct Kept {
    answer: Arc<Fetched>,
    points: usize,
    since: Instant,
}

#[derive(Default)]
struct Store {
    kept: HashMap<Key, Kept>,
    order: VecDeque<Key>,
    points: usize,
    flights: HashMap<Key, WeakShared<BoxFuture<'static, Answer>>>,
}

/// All answers that are shared.
pub(super) struct Answers {
    keep: Keep,
    store: Mutex<Store>,
}

impl fmt::Debug for Answers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = self.lock();
        formatter
            .debug_struct("Answers")
            .field("kept", &store.kept.len())
            .field("flights", &store.flights.len())
            .finish_non_exhaustive()
    }
}

impl Answers {
    pub(super) fn new(keep: Keep) -> Self {
        Self {
            keep,
            store: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer that is kept, unless it is too old.
    pub(super) fn kept(&self, key: &Key) -> Option<Arc<Fetched>> {
        let store = self.lock();
        let kept = store.kept.get(key)?;
        (kept.since.elapsed() < self.keep.age).then(|| Arc::clone(&kept.answer))
    }

    /// Keeps an answer whose window was over at `now_ms` long enough; else does nothing.
    pub(super) fn keep(&self, key: &Key, answer: &Arc<Fetched>, now_ms: i64) {
        let settle_ms = i64::try_from(self.keep.settle.as_millis()).unwrap_or(i64::MAX);
        let sets = answer.sets.iter();
        let points = sets
            .map(|set| set.values.len() + Keep::SERIES)
            .fold(Keep::SERIES, usize::saturating_add);
        let settled = key.scope.window.end_ms() <= now_ms.saturating_sub(settle_ms);
        if !settled || points > self.keep.points {
            return;
        }
        let mut store = self.lock();
        store.forget(key);
        let since = Instant::now();
        while let Some(oldest) = store.oldest()
            && (oldest.elapsed() >= self.keep.age || store.points + points > self.keep.points)
        {
            store.forget_oldest();
        }
        store.points += points;
        store.order.push_back(key.clone());
        let answer = Arc::clone(answer);
        let kept = Kept {
            answer,
            points,
            since,
        };
        store.kept.insert(key.clone(), kept);
    }

    /// The question that is on its way already.
    pub(super) fn flight(&self, key: &Key) -> Option<Flight> {
        self.lock().flights.get(key)?.upgrade()
    }

    /// Joins the question that is on its way, or sends one.
    pub(super) fn join(
        &self,
        key: &Key,
        ask: impl FnOnce() -> BoxFuture<'static, Answer>,
    ) -> Flight {
        let mut store = self.lock();
        if let Some(flight) = store.flights.get(key).and_then(WeakShared::upgrade) {
            return flight;
        }
        store.flights.retain(|_, flight| flight.upgrade().is_some());
        let flight = ask().shared();
        if let Some(weak) = flight.downgrade() {
            store.flights.insert(key.clone(), weak);
        }
        flight
    }

    /// Forgets a question that was answered, so that asking again sends it anew. One that others still wait for stays: whoever
    /// asks next joins them.
    pub(super) fn landed(&self, key: &Key, flight: &Flight) {
        if flight.peek().is_none() {
            return;
        }
        let mut store = self.lock();
        let known = store.flights.get(key).and_then(WeakShared::upgrade);
        if known.is_some_and(|known| known.ptr_eq(flight)) {
            store.flights.remove(key);
        }
    }
}

impl Store {
    /// Since when the oldest answer is kept.
    fn oldest(&self) -> Option<Instant> {
        let kept = self.kept.get(self.order.front()?)?;
        Some(kept.since)
    }

    fn forget_oldest(&mut self) {
        if let Some(key) = self.order.pop_front()
            && let Some(kept) = self.kept.remove(&key)
        {
            self.points -= kept.points;
        }
    }

    fn forget(&mut self, key: &Key) {
        if let Some(kept) = self.kept.remove(key) {
            self.points -= kept.points;
            self.order.retain(|known| known != key);
        }
    }
}
