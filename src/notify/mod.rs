//! Tells others of releases: the port [`Channel`], one file for each kind of channel, and the [`outbox`] that empties what the
//! store keeps.
//!
//! What is to be told is written with the event that it tells; from then on it is sent at least once, always under the same key,
//! until it is taken, refused, or too old.

pub mod email;
mod http;
pub mod outbox;
pub mod signature;
pub mod slack;
pub mod text;
pub mod webhook;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::model::secret::{Secret, SecretSource};

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub struct Parcel<'a> {
    /// The same for every try of the same news, and for nothing else.
    pub key: &'a str,
    /// A [`crate::model::release::notice::Notice`] as JSON.
    pub body: &'a str,
    /// When it was put out, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_ms: i64,
    /// Now, likewise.
    pub now_ms: i64,
}

/// Why something was not taken. No text holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Undelivered {
    /// Another try may help.
    #[error("{why}")]
    Again {
        /// Why.
        why: String,
        /// How long the other side wants us to wait.
        after: Option<Duration>,
    },
    /// Another try does not help.
    #[error("{why}")]
    Never {
        /// Why.
        why: String,
    },
}

impl Undelivered {
    fn again(why: impl Into<String>) -> Self {
        let why = why.into();
        Self::Again { why, after: None }
    }

    fn never(why: impl Into<String>) -> Self {
        Self::Never { why: why.into() }
    }
}

/// A way to somebody.
#[async_trait]
pub trait Channel: Send + Sync + Debug {
    /// Sends, once.
    ///
    /// # Errors
    /// Where it was not taken, or nobody knows whether it was.
    async fn send(&self, parcel: Parcel<'_>) -> Result<(), Undelivered>;
}

/// A channel that cannot be used as it is configured.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Unfit(String);

/// Longest time for one try.
const TRY: Duration = Duration::from_secs(9);

/// Reads a secret anew, as its file may have changed.
async fn read(secret: &SecretSource) -> Result<Secret, Undelivered> {
    match secret {
        SecretSource::Value(secret) => Ok(secret.clone()),
        SecretSource::File(place) => {
            let path = place.file.display();
            let text = tokio::fs::read_to_string(&place.file).await;
            let text = text.map_err(|error| {
                Undelivered::again(format!("cannot read the secret in `{path}`: {error}"))
            })?;
            match text.trim() {
                "" => Err(Undelivered::again(format!(
                    "the secret in `{path}` is empty"
                ))),
                text => Ok(Secret::new(text)),
            }
        }
    }
}
