//! A desk that answers as it was told to, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use coalmine::config::release::spec::ReleaseSpec;
use coalmine::executions::release::desk::{DeskError, Look, Planned, ReleaseDesk, RollbackOutcome};
use coalmine::executions::service::Started;
use coalmine::model::ids::ExecutionId;
use coalmine::stages::approve::Choice;
use coalmine::stages::plan::Plan;
use coalmine::store::IdempotencyKey;

use crate::release_view::fixture::{Story, note, plan, way_back};

/// What everything but `look` and `plan` comes to.
#[derive(Debug, Default)]
pub(super) struct Scripted {
    pub(super) asked: Mutex<Vec<String>>,
    pub(super) error: Mutex<Option<DeskError>>,
}

impl Scripted {
    fn asked(&self, what: String) -> Result<(), DeskError> {
        self.asked.lock().unwrap().push(what);
        match self.error.lock().unwrap().clone() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    pub(super) fn fails(&self, error: Option<DeskError>) {
        *self.error.lock().unwrap() = error;
    }

    pub(super) fn was_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl ReleaseDesk for Scripted {
    async fn plan(&self, spec: Arc<ReleaseSpec>) -> Result<Planned, DeskError> {
        self.asked(format!(
            "plan {} {}",
            spec.application, spec.artifact.version
        ))?;
        Ok(Planned {
            plan: plan(),
            notes: vec![note("window", "open")],
            rollback: way_back(),
        })
    }

    async fn start(
        &self,
        plan: Plan,
        by: &str,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Started, DeskError> {
        let hash = plan.hash();
        let key = idempotency.map_or_else(String::new, |it| it.key);
        self.asked(format!("start {hash} by {by} key {key}"))?;
        Ok(Started {
            id: ExecutionId::new("01STARTED"),
            before: false,
        })
    }

    async fn answer(
        &self,
        id: &ExecutionId,
        choice: Choice,
        by: &str,
        reason: &str,
    ) -> Result<(), DeskError> {
        self.asked(format!("{} {id} by {by}: {reason}", choice.word()))
    }

    async fn request_rollback(
        &self,
        id: &ExecutionId,
        targets: &[String],
        by: &str,
        reason: &str,
    ) -> Result<RollbackOutcome, DeskError> {
        let at = match targets {
            [] => String::new(),
            some => format!(" at {}", some.join(", ")),
        };
        self.asked(format!("rollback {id}{at} by {by}: {reason}"))?;
        Ok(match reason {
            "later" => RollbackOutcome::Started(ExecutionId::new("01BACK")),
            _ => RollbackOutcome::Same,
        })
    }

    async fn abort(&self, id: &ExecutionId, by: &str, reason: &str) -> Result<(), DeskError> {
        self.asked(format!("abort {id} by {by}: {reason}"))
    }

    async fn look(&self, id: &ExecutionId) -> Result<Look, DeskError> {
        self.asked(format!("look {id}"))?;
        let mut story = Story::new();
        story.grew();
        Ok(story.look(Vec::new()))
    }
}
