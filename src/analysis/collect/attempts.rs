//! One question that may be asked more than once: until when, how often so far, and what became of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::sources::{Fetched, Remedy, SourceError};

pub(super) fn too_slow(limit: Duration) -> SourceError {
    let seconds = limit.as_secs();
    SourceError::new(
        Remedy::Retry { after: None },
        format!("found no answer within {seconds} s"),
    )
}

/// What became of a question.
pub(super) type Outcome = Result<Arc<Fetched>, Lost>;

/// A question without an answer: the last error, and how long it was tried where that says something.
#[derive(Debug, Clone)]
pub(super) struct Lost {
    pub(super) error: Arc<SourceError>,
    pub(super) tried: Option<String>,
}

impl Lost {
    pub(super) fn now(error: Arc<SourceError>) -> Self {
        Self { error, tried: None }
    }
}

/// What was tried so far.
pub(super) struct Tries {
    since: Instant,
    pub(super) count: u32,
    last: Option<Arc<SourceError>>,
}

impl Default for Tries {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            count: 0,
            last: None,
        }
    }
}

impl Tries {
    pub(super) fn failed(&mut self, error: Arc<SourceError>) {
        self.count += 1;
        self.last = Some(error);
    }

    pub(super) fn given_up(self) -> Lost {
        let noun = if self.count == 1 { "time" } else { "times" };
        let seconds = self.since.elapsed().as_secs();
        Lost {
            tried: Some(format!(
                "gave up, asked {} {noun} in {seconds} s",
                self.count
            )),
            error: self.last.unwrap_or_else(|| Arc::new(out_of_time())),
        }
    }

    pub(super) fn out_of_time(self) -> Lost {
        if self.last.is_some() {
            return self.given_up();
        }
        let seconds = self.since.elapsed().as_secs();
        Lost {
            tried: Some(format!("gave up after {seconds} s")),
            error: Arc::new(out_of_time()),
        }
    }
}

fn out_of_time() -> SourceError {
    SourceError::new(Remedy::Retry { after: None }, "found no answer")
}

/// When a question's time is over: a span from the moment when it is its turn, within the time of the whole judgement.
pub(super) struct Deadline {
    span: Duration,
    last: Instant,
    own: Option<Instant>,
}

impl Deadline {
    pub(super) fn new(span: Duration, last: Instant) -> Self {
        Self {
            span,
            last,
            own: None,
        }
    }

    pub(super) fn begin(&mut self) {
        self.own.get_or_insert_with(|| Instant::now() + self.span);
    }

    pub(super) fn now(&self) -> Instant {
        self.own.map_or(self.last, |own| own.min(self.last))
    }

    pub(super) fn left(&self) -> Duration {
        self.now().saturating_duration_since(Instant::now())
    }
}
