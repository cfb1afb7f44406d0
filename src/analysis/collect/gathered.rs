//! All answers of one collecting, before they become a bundle.

use std::sync::Arc;

use super::super::task::{Collected, Failure, Task};
use super::asks::{Ask, failed};
use super::assemble;
use super::attempts::Outcome;
use crate::config::CanaryConfig;
use crate::model::scope::{Scope, Side};
use crate::sources::Fetched;

/// What all questions of a task came to.
#[derive(Debug)]
pub struct Gathered<'t> {
    pub(super) task: &'t Task,
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

impl Gathered<'_> {
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

    /// Makes the bundle.
    ///
    /// # Errors
    /// All failures at once, never an empty list: what could not be fetched, or else what cannot be paired.
    pub fn collected(self) -> Result<Collected, Vec<Failure>> {
        assemble::collected(
            self.task,
            &self.config,
            assemble::Outcomes {
                account: &self.account,
                asks: &self.asks,
                answers: self.answers,
                notes: self.notes,
            },
        )
    }
}
