//! Telling somebody how the collecting goes on.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::asks::{Ask, Purpose};
use crate::sources::SourceError;

/// What happened while series were collected.
#[derive(Debug)]
pub enum Heard<'a> {
    /// Some metrics have all their answers, or will have none.
    Metrics {
        /// So many of them.
        done: usize,
        /// How many there are.
        of: usize,
    },
    /// A question had no answer, and will be asked again.
    AskedAgain {
        /// Why there was none.
        error: &'a SourceError,
        /// When it is asked again, from now.
        pause: Duration,
    },
}

type Tell = dyn Fn(&Heard<'_>) + Send + Sync;

/// Who is told; by default nobody.
#[derive(Clone, Default)]
pub struct Listener(Option<Arc<Tell>>);

impl Listener {
    /// Tells `tell`, which must not take long.
    #[must_use]
    pub fn new(tell: impl Fn(&Heard<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    pub(super) fn tell(&self, heard: &Heard<'_>) {
        if let Some(tell) = &self.0 {
            tell(heard);
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() {
            "Listener"
        } else {
            "nobody"
        })
    }
}

/// Counts metrics that have all they need. Histories do not count.
pub(super) struct Tally<'a> {
    listener: &'a Listener,
    /// Which metrics wait for the question of this place.
    waiting: Vec<Vec<usize>>,
    state: Mutex<Left>,
}

struct Left {
    questions: BTreeMap<usize, usize>,
    of: usize,
}

impl<'a> Tally<'a> {
    /// `place` has the question for each ask: equal ones are asked once.
    pub(super) fn new(listener: &'a Listener, asks: &[Ask], place: &[usize]) -> Self {
        let questions = place.iter().max().map_or(0, |most| most + 1);
        let mut waiting = vec![Vec::new(); questions];
        let mut left = BTreeMap::new();
        for (ask, place) in asks.iter().zip(place) {
            if ask.purpose != Purpose::History {
                waiting[*place].push(ask.metric);
                *left.entry(ask.metric).or_insert(0) += 1;
            }
        }
        let of = left.len();
        Self {
            listener,
            waiting,
            state: Mutex::new(Left {
                questions: left,
                of,
            }),
        }
    }

    /// The question of this place is done with.
    pub(super) fn came(&self, place: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.questions.len();
        for metric in &self.waiting[place] {
            if let Some(left) = state.questions.get_mut(metric) {
                *left -= 1;
                if *left == 0 {
                    state.questions.remove(metric);
                }
            }
        }
        if state.questions.len() < before {
            let done = state.of - state.questions.len();
            self.listener.tell(&Heard::Metrics { done, of: state.of });
        }
    }
}
