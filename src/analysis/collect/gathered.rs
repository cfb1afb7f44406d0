//! All answers of one collecting, before they become a bundle.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::super::task::{Collected, Failure, Task};
use super::asks::{Ask, failed};
use super::assemble;
use super::attempts::Outcome;
use crate::config::CanaryConfig;
use crate::model::scope::{Scope, Side};
use crate::sources::Fetched;

/// What all questions of a task came to.
#[derive(Debug)]
pub struct Gathered {
    pub(super) task: Task,
    pub(super) config: CanaryConfig,
    pub(super) account: String,
    pub(super) asks: Vec<Ask>,
    /// One for each ask.
    pub(super) answers: Vec<Outcome>,
    pub(super) notes: Vec<String>,
}

/// One question, and what came of it.
#[derive(Debug)]
pub struct Answered<'g> {
    /// The metric's name.
    pub metric: &'g str,
    /// The side; `None` for history.
    pub side: Option<Side>,
    /// Where and when was asked.
    pub scope: &'g Scope,
    /// The query.
    pub query: &'g str,
    /// The answer, or why there is none.
    pub answer: Result<Arc<Fetched>, Failure>,
}

impl Gathered {
    /// The account that was asked.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Both sides of every metric in the config's order, then histories.
    pub fn answers(&self) -> impl Iterator<Item = Answered<'_>> {
        self.asks.iter().zip(&self.answers).map(|(ask, outcome)| {
            let answer = match outcome {
                Ok(fetched) => Ok(Arc::clone(fetched)),
                Err(lost) => {
                    let tried = lost.tried.as_deref();
                    Err(failed(ask.metric, ask.purpose, &lost.error, tried))
                }
            };
            Answered {
                metric: &ask.question.metric,
                side: ask.purpose.side(),
                scope: &ask.question.scope,
                query: &ask.key.query,
                answer,
            }
        })
    }

    /// Makes the bundle. That can take seconds of computing: not for a thread of a runtime.
    ///
    /// # Errors
    /// All failures at once, never an empty list: what could not be fetched, or else what cannot be paired.
    pub fn assembled(self) -> Result<Collected, Vec<Failure>> {
        let heard = assemble::Outcomes {
            account: self.account,
            asks: self.asks,
            answers: self.answers,
            notes: self.notes,
        };
        assemble::collected(&self.task, &self.config, heard)
    }

    /// The same, beside the runtime's own threads.
    ///
    /// # Errors
    /// As [`assembled`](Self::assembled).
    pub async fn collected(self) -> Result<Collected, Vec<Failure>> {
        let assembled = spawn_blocking(move || self.assembled());
        assembled.await.unwrap_or_else(|broken| {
            let message = format!("cannot put the answers together: {broken}");
            Err(vec![Failure::general(message)])
        })
    }
}
