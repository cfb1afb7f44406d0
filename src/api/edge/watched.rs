//! Bodies of requests that say whether they are waited for.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// What is known of a body while others read it.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrival {
    awaited: Arc<AtomicBool>,
    left: Arc<Mutex<Option<Body>>>,
}

impl Arrival {
    /// Whether somebody waits for its next piece.
    pub(super) fn is_awaited(&self) -> bool {
        self.awaited.load(Ordering::Relaxed)
    }

    /// What its reader did not read, once it is done with it.
    pub(super) fn left(&self) -> Option<Body> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.take()
    }
}

/// A body that notes while it is waited for.
#[derive(Debug)]
pub(super) struct Watched {
    body: Body,
    arrival: Arrival,
}

impl Watched {
    pub(super) fn new(body: Body, arrival: Arrival) -> Self {
        Self { body, arrival }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let left = std::mem::take(&mut self.body);
        let mut place = self
            .arrival
            .left
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *place = Some(left);
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let awaited = &self.arrival.awaited;
        awaited.store(polled.is_pending(), Ordering::Relaxed);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
