//! One process of an instance as proxy, health checks and keeper share it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::drivers::local::state::Process;
use crate::model::release::cluster::Health;

/// Answers in a row that make an instance up, or down.
const IN_A_ROW: u32 = 2;

/// One start of an instance.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) id: String,
    /// Of this start.
    pub(super) token: String,
    pub(super) port: u16,
    pub(super) process: Process,
    /// It is a child of another supervisor that is gone; nobody tells us when it ends.
    pub(super) adopted: bool,
    /// Ends what looks after it.
    pub(super) retired: CancellationToken,
    up: AtomicBool,
    in_flight: AtomicU64,
    began: Instant,
    vitals: Mutex<Vitals>,
}

#[derive(Debug)]
struct Vitals {
    health: Health,
    good: u32,
    bad: u32,
    up_since: Option<Instant>,
    /// How the process ended.
    ended: Option<String>,
    leaving: Leaving,
}

/// How far the end of a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Leaving {
    /// Since when it takes no new requests.
    pub(super) drained_since: Option<Instant>,
    /// When it was told to end.
    pub(super) told: Option<Instant>,
    /// It was killed.
    pub(super) killed: bool,
    /// It was said that it cannot be signalled.
    pub(super) complained: bool,
}

/// A request that is in an instance, until it is dropped.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Seat>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Seat {
    /// A process that was just started, or one that is taken over; `up` is what was last known of that.
    pub(super) fn new(
        (id, token, port): (&str, &str, u16),
        process: Process,
        adopted: bool,
        up: bool,
    ) -> Arc<Self> {
        let health = if up {
            Health::Up
        } else if adopted {
            Health::Unknown
        } else {
            Health::Starting
        };
        Arc::new(Self {
            id: id.to_owned(),
            token: token.to_owned(),
            port,
            process,
            adopted,
            retired: CancellationToken::new(),
            up: AtomicBool::new(up),
            in_flight: AtomicU64::new(0),
            began: Instant::now(),
            vitals: Mutex::new(Vitals {
                health,
                good: 0,
                bad: 0,
                up_since: up.then(Instant::now),
                ended: None,
                leaving: Leaving::default(),
            }),
        })
    }

    /// How long it is since it was started, or taken over.
    pub(super) fn ran_for(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn is_up(&self) -> bool {
        self.up.load(Ordering::Acquire)
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Counts a request in.
    pub(super) fn enter(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        InFlight(Arc::clone(self))
    }

    pub(super) fn health(&self) -> Health {
        self.vitals().health
    }

    /// How long it has been up.
    pub(super) fn up_for(&self) -> Duration {
        let since = self.vitals().up_since;
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Takes an answer to a health check.
    pub(super) fn checked(&self, good: bool) {
        let mut vitals = self.vitals();
        if vitals.ended.is_some() {
            return;
        }
        if good {
            vitals.good += 1;
            vitals.bad = 0;
            if vitals.good >= IN_A_ROW && vitals.health != Health::Up {
                vitals.health = Health::Up;
                vitals.up_since = Some(Instant::now());
            }
        } else {
            vitals.bad += 1;
            vitals.good = 0;
            // What was never up is still starting.
            if vitals.bad >= IN_A_ROW && vitals.health != Health::Starting {
                vitals.health = Health::Down;
                vitals.up_since = None;
            }
        }
        self.up
            .store(vitals.health == Health::Up, Ordering::Release);
    }

    /// It took no connection: down at once, and two good answers make it up again.
    pub(super) fn refused(&self) {
        let mut vitals = self.vitals();
        vitals.good = 0;
        if vitals.health == Health::Up {
            vitals.health = Health::Down;
            vitals.up_since = None;
        }
        self.up.store(false, Ordering::Release);
    }

    /// The process ended.
    pub(super) fn end(&self, how: String) {
        let mut vitals = self.vitals();
        vitals.health = Health::Down;
        vitals.up_since = None;
        vitals.ended.get_or_insert(how);
        self.up.store(false, Ordering::Release);
        self.retired.cancel();
    }

    /// How the process ended, where it has.
    pub(super) fn ended(&self) -> Option<String> {
        self.vitals().ended.clone()
    }

    pub(super) fn leaving(&self) -> Leaving {
        self.vitals().leaving
    }

    pub(super) fn set_leaving(&self, leaving: Leaving) {
        self.vitals().leaving = leaving;
    }

    fn vitals(&self) -> std::sync::MutexGuard<'_, Vitals> {
        self.vitals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]
mod tests {
    use super::*;

    fn seat(up: bool) -> Arc<Seat> {
        let process = Process {
            pid: 1,
            start_ticks: 1,
        };
        Seat::new(("search-v001-1", "token", 1), process, false, up)
    }

    fn after(up: bool, answers: &str) -> Health {
        let seat = seat(up);
        for answer in answers.chars() {
            seat.checked(answer == '+');
        }
        assert_eq!(seat.is_up(), seat.health() == Health::Up);
        seat.health()
    }

    #[test]
    fn it_takes_two_answers_in_a_row_to_change_the_health() {
        for (up, answers, health) in [
            (false, "+", Health::Starting),
            (false, "++", Health::Up),
            (false, "+-+-+-", Health::Starting),
            (false, "--------", Health::Starting),
            (false, "++-", Health::Up),
            (false, "++-+-+", Health::Up),
            (false, "++--", Health::Down),
            (false, "++--+", Health::Down),
            (false, "++--++", Health::Up),
            (true, "-", Health::Up),
            (true, "--", Health::Down),
        ] {
            assert_eq!(after(up, answers), health, "{up} {answers}");
        }
    }

    #[test]
    fn a_refused_connection_is_down_at_once() {
        let seat = seat(true);
        seat.refused();
        assert_eq!((seat.health(), seat.is_up()), (Health::Down, false));
        seat.checked(true);
        assert_eq!(seat.health(), Health::Down);
        seat.checked(true);
        assert_eq!(seat.health(), Health::Up);
    }

    #[test]
    fn what_ended_is_never_up_again() {
        let seat = seat(true);
        seat.end("exited with code 1".to_owned());
        seat.checked(true);
        seat.checked(true);
        assert_eq!(seat.health(), Health::Down);
        assert_eq!(seat.ended().as_deref(), Some("exited with code 1"));
    }
}
