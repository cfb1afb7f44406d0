//! What pages, paths and verbs ask of releases: plan, start, answer, take back, call off, look. A port, so that they can be
//! tested against a desk that plays a script.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use coalmine_judges::judgement::Judgement;
use thiserror::Error;

use crate::config::release::spec::ReleaseSpec;
use crate::executions::service::Started;
use crate::executions::state::State;
use crate::model::ids::ExecutionId;
use crate::model::release::cluster::{Place, View};
use crate::model::release::step::Step;
use crate::stages::approve::Choice;
use crate::stages::plan::Plan;
use crate::store::IdempotencyKey;

/// A plan, and what guards and windows say of it now.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// What guards and windows found, one sentence each; empty where there is nothing to say.
    pub notes: Vec<Note>,
    /// What would take everything back when all of it is done, in its order.
    pub rollback: Vec<Step>,
}

/// What a guard or a window found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Whether it would hold the release up.
    pub holds: bool,
    /// What was looked at: `guard`, `window`, `lock`.
    pub what: String,
    /// One sentence.
    pub sentence: String,
}

/// What came of a wish to have a release taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RollbackOutcome {
    /// The release goes on by taking back what it did.
    Same,
    /// It had ended; another release brings back what served before.
    Started(ExecutionId),
}

/// Where a release stands, and what is seen of it now.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The fold over its journal.
    pub state: State,
    /// What is at its places now; a place that is out of reach is missing.
    pub views: Vec<View>,
    /// Why places that are missing in `views` could not be looked at, one sentence each.
    pub unseen: BTreeMap<Place, String>,
    /// The last judgement that was made, whole, with its number; `None` before the first, or where the archive has it no more.
    pub judgement: Option<(u32, Judgement)>,
    /// What would take it back from here, in its order; empty where nothing is there to take back.
    pub rollback: Vec<Step>,
    /// What guards and windows find now; empty once it is decided.
    pub notes: Vec<Note>,
}

/// Why the desk does not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DeskError {
    /// There is no such release.
    #[error("there is no release `{0}`")]
    NotFound(ExecutionId),
    /// The release is in a state in which this cannot be done; the sentence says in which.
    #[error("{0}")]
    WrongState(String),
    /// The one who asks may not.
    #[error("{0}")]
    Forbidden(String),
    /// The request cannot be done, for each of these reasons; never empty.
    #[error("{}", .0.join("; "))]
    Refused(Vec<String>),
    /// The idempotency key came before, with another request.
    #[error("{0}")]
    KeyReused(String),
    /// So much runs that nothing more is accepted now; the same request may go through later.
    #[error("{0}")]
    TooMany(String),
    /// What is needed is out of reach; the same request may go through later.
    #[error("{0}")]
    Unavailable(String),
}

/// Answers for releases.
#[async_trait]
pub trait ReleaseDesk: Send + Sync + Debug {
    /// Observes all targets, and plans. Changes nothing.
    ///
    /// # Errors
    /// `Refused` with everything that stands in the way; `Unavailable` where a place is out of reach.
    async fn plan(&self, spec: Arc<ReleaseSpec>) -> Result<Planned, DeskError>;

    /// Accepts a plan. When this returns, the release survives everything. `by` is who asks, as the client says.
    ///
    /// # Errors
    /// `Refused`, `KeyReused`, `TooMany`, `Unavailable`.
    async fn start(
        &self,
        plan: Plan,
        by: &str,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Started, DeskError>;

    /// Answers the question that the release waits with.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` where nothing is asked; `Forbidden` where `by` may not answer; `Unavailable`.
    async fn answer(
        &self,
        id: &ExecutionId,
        choice: Choice,
        by: &str,
        reason: &str,
    ) -> Result<(), DeskError>;

    /// Has a release taken back: the same, while it is not decided; what it brought, once it has ended. `targets` are those of
    /// the spec, by name, that are taken back; empty for all. A part of a release can be taken back once it has ended.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` where there is nothing to take back, or a part of a release that is under way is named;
    /// `Refused` where a target is unknown or cannot be taken back; `Unavailable` where one is out of reach.
    async fn request_rollback(
        &self,
        id: &ExecutionId,
        targets: &[String],
        by: &str,
        reason: &str,
    ) -> Result<RollbackOutcome, DeskError>;

    /// Calls a release off: what was done is taken back.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` where it is decided; `Unavailable`.
    async fn abort(&self, id: &ExecutionId, by: &str, reason: &str) -> Result<(), DeskError>;

    /// Where a release stands, and what is seen of it now.
    ///
    /// # Errors
    /// `NotFound`, also for an execution that is no release; `Unavailable` where the journal is out of reach.
    async fn look(&self, id: &ExecutionId) -> Result<Look, DeskError>;
}
