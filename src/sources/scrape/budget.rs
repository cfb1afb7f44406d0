//! How many points all samplers of one source may hold together.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts points (32 bytes each). Where there are too many, those forget who hold more than an equal share, so that a list of many
/// series costs only its own past.
#[derive(Debug)]
pub(super) struct Budget {
    most: AtomicUsize,
    held: AtomicUsize,
    samplers: AtomicUsize,
}

impl Budget {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: AtomicUsize::new(most),
            held: AtomicUsize::new(0),
            samplers: AtomicUsize::new(0),
        }
    }

    pub(super) fn limit(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// Points that are held now.
    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// One sampler more.
    pub(super) fn enter(&self) {
        self.samplers.fetch_add(1, Ordering::Relaxed);
    }

    /// One sampler less, which held `held` points.
    pub(super) fn leave(&self, held: usize) {
        self.samplers.fetch_sub(1, Ordering::Relaxed);
        self.change(held, 0);
    }

    /// A sampler that held `before` points holds `after`.
    pub(super) fn change(&self, before: usize, after: usize) {
        self.held.fetch_add(after, Ordering::Relaxed);
        self.held.fetch_sub(before, Ordering::Relaxed);
    }

    /// Whether a sampler that holds `own` points must forget some.
    pub(super) fn is_over(&self, own: usize) -> bool {
        let most = self.most.load(Ordering::Relaxed);
        let share = most / self.samplers.load(Ordering::Relaxed).max(1);
        self.held() > most && own > share
    }

    /// Refuses a single sample that would take it all.
    ///
    /// # Errors
    /// Why, in words.
    pub(super) fn at_once(&self, points: usize) -> Result<(), String> {
        let most = self.most.load(Ordering::Relaxed) / 4;
        match points <= most {
            true => Ok(()),
            false => Err(format!("more than {most} points in one sample")),
        }
    }
}
