//! What would be said again and again is said once a second, with how often it was left unsaid.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// From one line to the next.
const PAUSE: Duration = Duration::from_secs(1);

/// One kind of line.
#[derive(Debug, Default)]
pub(super) struct Seldom(Mutex<Said>);

#[derive(Debug, Default)]
struct Said {
    last: Option<Instant>,
    unsaid: u64,
}

impl Seldom {
    /// How often it was left unsaid, where it shall be said now.
    pub(super) fn due(&self) -> Option<u64> {
        self.due_at(Instant::now())
    }

    fn due_at(&self, now: Instant) -> Option<u64> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if said
            .last
            .is_some_and(|last| now.saturating_duration_since(last) < PAUSE)
        {
            said.unsaid = said.unsaid.saturating_add(1);
            return None;
        }
        said.last = Some(now);
        Some(std::mem::take(&mut said.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once_a_second_with_what_was_left_out() {
        let seldom = Seldom::default();
        let start = Instant::now();
        let at = |ms| seldom.due_at(start + Duration::from_millis(ms));
        assert_eq!(at(0), Some(0));
        assert_eq!((at(1), at(500), at(999)), (None, None, None));
        assert_eq!(at(1_000), Some(3));
        assert_eq!((at(1_001), at(5_000), at(9_000)), (None, Some(1), Some(0)));
    }
}
