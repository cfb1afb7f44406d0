//! What happened to an execution, as its journal keeps it.
//!
//! The JSON is versioned: a change that old journals cannot be read with gets a new version, and the old one stays readable
//! (`tests/it/executions/journal_format.rs` holds a golden journal of each).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::release::event::ReleaseEvent;
use super::request::Request;
use crate::analysis::task::Failure;
use crate::archive::bundle::Told;
use crate::stages::analyze::Outcome;

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ending {
    /// It did what it was asked. The verdict may be anything.
    Succeeded,
    /// It could not be done, or a judgement stopped it early.
    Terminal,
    /// Somebody called it off.
    Canceled,
}

/// One thing that happened. Places of stages count from 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Event {
    /// The request was taken; always first, and only there.
    Accepted {
        /// What was asked.
        request: Box<Request>,
    },
    /// A wait began.
    WaitStarted {
        /// Which stage.
        stage: usize,
    },
    /// A wait is over.
    WaitEnded {
        /// Which stage.
        stage: usize,
    },
    /// The series are about to be fetched.
    CollectionStarted {
        /// Which stage.
        stage: usize,
    },
    /// The bundle is kept.
    Collected {
        /// Which stage.
        stage: usize,
        /// The bundle's content hash.
        bundle_id: String,
        /// What is told of it.
        #[serde(default)]
        told: Told,
    },
    /// There will be no bundle.
    CollectionFailed {
        /// Which stage.
        stage: usize,
        /// Why; never empty.
        failures: Vec<Failure>,
    },
    /// The judgement is kept.
    Judged {
        /// Which stage.
        stage: usize,
        /// What it came to.
        outcome: Outcome,
    },
    /// The bundle cannot be judged.
    JudgingFailed {
        /// Which stage.
        stage: usize,
        /// Why.
        failure: Failure,
    },
    /// Somebody asked to call it off.
    CancelRequested {
        /// Who.
        by: String,
        /// Why, in their words; may be empty.
        reason: String,
    },
    /// It cannot go on by itself, and waits for a person.
    GotStuck {
        /// Which stage.
        stage: usize,
        /// What stands in the way.
        error: String,
    },
    /// A person asked to try again.
    Resumed {
        /// Who.
        by: String,
    },
    /// Something that happens to releases only.
    Release(ReleaseEvent),
    /// Nothing more will happen.
    Ended {
        /// How.
        ending: Ending,
        /// Why, one sentence.
        sentence: String,
    },
}

/// Version of the JSON that this code writes.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    #[serde(flatten)]
    event: &'a Event,
}

#[derive(Deserialize)]
struct Envelope {
    version: u32,
}

/// A journal entry that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnreadableEvent {
    /// Written by a newer version.
    #[error("the event has format version {0}; expected {VERSION} or less")]
    Version(u32),
    /// Not an event.
    #[error("the event cannot be read: {0}")]
    Malformed(String),
}

impl Event {
    /// The event as JSON, with its version.
    ///
    /// # Errors
    /// An event that cannot be written as JSON; none is known.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Written {
            version: VERSION,
            event: self,
        })
    }

    /// Reads what [`Event::to_json`] of this version or an older one wrote.
    ///
    /// # Errors
    /// A newer version; JSON that is no event.
    pub fn from_json(text: &str) -> Result<Self, UnreadableEvent> {
        let malformed = |error: serde_json::Error| UnreadableEvent::Malformed(error.to_string());
        let envelope: Envelope = serde_json::from_str(text).map_err(malformed)?;
        if envelope.version > VERSION {
            return Err(UnreadableEvent::Version(envelope.version));
        }
        serde_json::from_str(text).map_err(malformed)
    }

    /// The word under which the event is shown to clients that follow an execution.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::WaitStarted { .. } => "waitStarted",
            Self::WaitEnded { .. } => "waitEnded",
            Self::CollectionStarted { .. } => "collectionStarted",
            Self::Collected { .. } => "collected",
            Self::CollectionFailed { .. } => "collectionFailed",
            Self::Judged { .. } => "judged",
            Self::JudgingFailed { .. } => "judgingFailed",
            Self::CancelRequested { .. } => "cancelRequested",
            Self::GotStuck { .. } => "gotStuck",
            Self::Resumed { .. } => "resumed",
            Self::Release(event) => event.word(),
            Self::Ended { .. } => "ended",
        }
    }
}
