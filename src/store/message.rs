//! The outbox: messages that are kept together with what they tell, and sent afterwards.

use crate::model::ids::ExecutionId;

/// Something that is to be told to somebody outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Unique and always the same for the same news: putting it out a second time changes nothing.
    pub key: String,
    /// The execution that it tells of.
    pub execution: ExecutionId,
    /// The name of the channel that it goes through.
    pub channel: String,
    /// JSON.
    pub body: String,
    /// When it was put out, in milliseconds since 1970-01-01T00:00:00Z. It is due from then on.
    pub created_ms: i64,
}

/// A message that is to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueMessage {
    /// The message.
    pub message: Message,
    /// How often that was tried.
    pub attempts: u64,
    /// Since when it is due.
    pub due_ms: i64,
}

/// A message and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageState {
    /// The message.
    pub message: Message,
    /// How often it was tried to send it.
    pub attempts: u64,
    /// How it stands.
    pub standing: MessageStanding,
    /// Why the last try failed; empty where none did.
    pub error: String,
}

/// How a message stands. Times are in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageStanding {
    /// It is to be sent.
    Waiting {
        /// When, the next time.
        due_ms: i64,
    },
    /// It was taken.
    Delivered {
        /// When.
        at_ms: i64,
    },
    /// It is not tried again.
    GivenUp {
        /// Since when.
        at_ms: i64,
    },
}
