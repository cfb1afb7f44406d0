//! The desk that really plans, starts and takes back: it observes through the drivers and writes into journals.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use coalmine_judges::judgement::Judgement;

use super::decide::answerable;
use super::desk::{DeskError, Look, Planned, ReleaseDesk, RollbackOutcome};
use super::event::{Decision, ReleaseEvent};
use crate::config::release::spec::ReleaseSpec;
use crate::drivers::{DriverError, Remedy};
use crate::executions::engine::{TurnError, with_causes};
use crate::executions::event::Event;
use crate::executions::request::{Kind, Request};
use crate::executions::service::{Executions, LONGEST_WORDS, StartError, Started, kept};
use crate::executions::state::{State, Status};
use crate::model::ids::ExecutionId;
use crate::model::release::cluster::{Place, View};
use crate::model::release::step::Step;
use crate::stages::approve::Choice;
use crate::stages::operate::Purpose;
use crate::stages::plan::{Plan, Release};
use crate::stages::{Stage, StageState};
use crate::store::{HeadFilter, IdempotencyKey, StoreError};
use crate::strategies::{self, Found, PlanRefusal, Touched};

/// Answers for releases, by the engine's ports.
#[derive(Debug, Clone)]
pub struct Office {
    pub(super) executions: Executions,
    /// Why nothing new may be released; `None` where it may.
    closed: Option<String>,
}

impl Office {
    /// Takes the executions among which releases are.
    #[must_use]
    pub fn new(executions: Executions) -> Self {
        Self {
            executions,
            closed: None,
        }
    }

    /// The same, where nothing new is released for this reason, if there is one. What is under way can be answered, called off and
    /// taken back all the same.
    #[must_use]
    pub fn closed(self, closed: Option<String>) -> Self {
        Self { closed, ..self }
    }

    fn must_be_open(&self) -> Result<(), DeskError> {
        match &self.closed {
            Some(why) => Err(DeskError::Forbidden(why.clone())),
            None => Ok(()),
        }
    }

    async fn find(
        &self,
        places: impl IntoIterator<Item = &Place>,
    ) -> Result<Vec<Found>, DeskError> {
        let found = self.executions.engine().find(places).await;
        found.map_err(|error| unseen(&error))
    }

    async fn state(&self, id: &ExecutionId) -> Result<State, DeskError> {
        match self.executions.find(id).await {
            Ok(Some(state)) if state.request.kind == Kind::Release => Ok(state),
            Ok(Some(_) | None) => Err(DeskError::NotFound(id.clone())),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// Appends what `make` makes of the state, however often the journal goes on meanwhile.
    async fn append(
        &self,
        id: &ExecutionId,
        make: impl Fn(&State) -> Result<Option<Event>, DeskError>,
    ) -> Result<(), DeskError> {
        loop {
            let state = self.state(id).await?;
            let Some(event) = make(&state)? else {
                return Ok(());
            };
            match self.executions.engine().append(None, state, event).await {
                Ok(_) => return Ok(()),
                Err(TurnError::Overtaken(_)) => {}
                Err(TurnError::Illegal(illegal)) => {
                    return Err(DeskError::WrongState(illegal.why));
                }
                Err(error) => return Err(unavailable(&error)),
            }
        }
    }

    async fn accept(
        &self,
        plan: Plan,
        by: &str,
        origin: Option<serde_json::Value>,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Started, DeskError> {
        let user = Some(kept(by, LONGEST_WORDS)).filter(|by| !by.is_empty());
        let request = Request {
            preempts: origin.is_some(),
            echo: origin.unwrap_or_default(),
            ..Request::of_plan(plan, user)
        };
        let started = self.executions.start(request, idempotency).await;
        started.map_err(|error| match error {
            StartError::TooMany { .. } => DeskError::TooMany(error.to_string()),
            StartError::Store(StoreError::KeyReused(_)) => DeskError::KeyReused(error.to_string()),
            StartError::Store(_) | StartError::Unwritable(_) => {
                DeskError::Unavailable(with_causes(&error))
            }
        })
    }

    /// The release that takes back these targets of release `id` and has not ended: whoever asks twice gets the same one.
    async fn undo_of(
        &self,
        id: &ExecutionId,
        targets: &[&str],
    ) -> Result<Option<ExecutionId>, DeskError> {
        let unfinished = Status::ALL.iter().filter(|status| !status.is_complete());
        let filter = HeadFilter {
            kinds: vec![Kind::Release.word().to_owned()],
            statuses: unfinished.map(|status| status.word().to_owned()).collect(),
            most: u64::MAX,
            ..HeadFilter::default()
        };
        let heads = self.executions.list(&filter).await;
        for head in heads.map_err(|error| DeskError::Unavailable(with_causes(&error)))? {
            let state = self.state(&head.id).await?;
            let echo = &state.request.echo;
            if state.request.preempts
                && echo["rollbackOf"] == id.as_str()
                && echo["targets"] == serde_json::json!(targets)
            {
                return Ok(Some(head.id));
            }
        }
        Ok(None)
    }

    /// The last judgement, whole.
    async fn judgement(&self, state: &State) -> Option<(u32, Judgement)> {
        let (analyze, _) = state.last_outcome()?;
        let saved = self.executions.saved(&state.id, analyze.number).await;
        Some((analyze.number, saved.ok()??.judgement))
    }
}

#[async_trait]
impl ReleaseDesk for Office {
    async fn plan(&self, spec: Arc<ReleaseSpec>) -> Result<Planned, DeskError> {
        self.must_be_open()?;
        let found = self
            .find(spec.targets.iter().map(|target| &target.place))
            .await?;
        let plan = strategies::plan(&spec, &found).map_err(refused)?;
        let views: Vec<View> = found.into_iter().map(|found| found.view).collect();
        let notes = self.notes(&plan, None, &views).await?;
        let rollback = whole_rollback(&plan);
        Ok(Planned {
            plan,
            notes,
            rollback,
        })
    }

    async fn start(
        &self,
        plan: Plan,
        by: &str,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Started, DeskError> {
        self.must_be_open()?;
        self.accept(plan, by, None, idempotency).await
    }

    async fn answer(
        &self,
        id: &ExecutionId,
        choice: Choice,
        by: &str,
        reason: &str,
    ) -> Result<(), DeskError> {
        let (by, reason) = (kept(by, LONGEST_WORDS), kept(reason, LONGEST_WORDS));
        self.append(id, |state| {
            let stage = answerable(state).ok_or_else(|| {
                DeskError::WrongState(format!("nothing is asked: {}", state.sentence()))
            })?;
            if let Some(Stage::Approve(approve)) = state.request.stages.get(stage)
                && !approve.who.is_empty()
                && !approve.who.contains(&by)
                // `kim@laptop` is `kim`.
                && !by.split_once('@').is_some_and(|(user, _)| approve.who.iter().any(|it| it == user))
            {
                let who = approve.who.join("`, `");
                return Err(DeskError::Forbidden(format!(
                    "`{by}` may not answer; expected one of `{who}`"
                )));
            }
            Ok(Some(Event::Release(ReleaseEvent::Answered {
                stage,
                choice,
                by: by.clone(),
                reason: reason.clone(),
            })))
        })
        .await
    }

    async fn request_rollback(
        &self,
        id: &ExecutionId,
        targets: &[String],
        by: &str,
        reason: &str,
    ) -> Result<RollbackOutcome, DeskError> {
        let state = self.state(id).await?;
        let (by, reason) = (kept(by, LONGEST_WORDS), kept(reason, LONGEST_WORDS));
        let decided = state.release.as_ref().and_then(|it| it.decided.as_ref());
        if state.end.is_none() && !targets.is_empty() {
            return Err(DeskError::WrongState(
                "it is under way, and then all of its targets are taken back; name none".to_owned(),
            ));
        }
        let Some(decided) = decided else {
            self.append(id, |state| {
                let release = state.release.as_ref();
                let asked = release.is_some_and(|it| it.rollback.is_some() || it.decided.is_some());
                Ok((!asked).then(|| {
                    Event::Release(ReleaseEvent::RollbackRequested {
                        by: by.clone(),
                        reason: reason.clone(),
                    })
                }))
            })
            .await?;
            return Ok(RollbackOutcome::Same);
        };
        if decided.decision != Decision::Promoted {
            return Err(DeskError::WrongState(format!(
                "there is nothing to take back: {}",
                state.sentence()
            )));
        }
        let Some(release) = state.request.release.as_deref() else {
            return Err(DeskError::NotFound(id.clone()));
        };
        let part = part_of(release, targets)?;
        let of: Vec<&str> = part.targets.iter().map(|it| it.name.as_str()).collect();
        if let Some(running) = self.undo_of(id, &of).await? {
            return Ok(RollbackOutcome::Started(running));
        }
        let engine = self.executions.engine();
        let wider = engine.wider(&part, id).await;
        if let Some(why) = wider.map_err(|error| unavailable(&error))? {
            return Err(DeskError::WrongState(why));
        }
        let mut found = Vec::new();
        for target in &part.targets {
            // Each by itself, so that it is told which one is out of reach.
            let one = self.find([&target.place]).await;
            found.extend(one.map_err(|error| match part.targets.len() {
                1 => error,
                _ => DeskError::Unavailable(format!(
                    "target `{}`: {error} (hint: the other targets can be taken back by their names)",
                    target.name
                )),
            })?);
        }
        let plan = strategies::undo_of_finished(&part.spec, &part, &found).map_err(refused)?;
        // The one who takes back goes first: the other release loses its lock and ends.
        let origin = serde_json::json!({
            "rollbackOf": id, "targets": of, "by": by, "reason": reason,
        });
        let started = self.accept(plan, &by, Some(origin), None).await?;
        tracing::warn!(execution.id = %started.id, "`{by}` takes release `{id}` back: {reason}");
        Ok(RollbackOutcome::Started(started.id))
    }

    async fn abort(&self, id: &ExecutionId, by: &str, reason: &str) -> Result<(), DeskError> {
        let (by, reason) = (kept(by, LONGEST_WORDS), kept(reason, LONGEST_WORDS));
        self.append(id, |state| {
            let release = state.release.as_ref();
            if let Some(decided) = release.and_then(|it| it.decided.as_ref()) {
                return Err(DeskError::WrongState(format!(
                    "it is decided, {}: {}",
                    decided.decision.words(),
                    decided.reason
                )));
            }
            Ok(state.cancel.is_none().then(|| Event::CancelRequested {
                by: by.clone(),
                reason: reason.clone(),
            }))
        })
        .await
    }

    async fn look(&self, id: &ExecutionId) -> Result<Look, DeskError> {
        let state = self.state(id).await?;
        let Some(plan) = state.request.plan() else {
            return Err(DeskError::NotFound(id.clone()));
        };
        let (mut views, mut away) = (Vec::new(), BTreeMap::new());
        for target in &plan.release.targets {
            match self.find([&target.place]).await {
                Ok(found) => views.extend(found.into_iter().map(|found| found.view)),
                Err(error) => {
                    away.insert(target.place.clone(), error.to_string());
                }
            }
        }
        let undecided = state
            .release
            .as_ref()
            .is_some_and(|it| it.decided.is_none());
        let notes = if undecided {
            self.notes(&plan, Some(&state), &views).await?
        } else {
            Vec::new()
        };
        let seen = |place: &Place| views.iter().find(|view| view.place == *place).cloned();
        let targets = plan.release.targets.iter();
        let present: Vec<Option<View>> = targets.map(|target| seen(&target.place)).collect();
        let back = state.late_stage(Purpose::RollBack);
        let rollback = match back.and_then(|stage| state.stages.get(stage)) {
            Some(StageState::Operate(at)) => match &at.steps {
                Some(steps) => steps.to_vec(),
                None => back
                    .and_then(|stage| state.late_steps(stage, &present))
                    .unwrap_or_default(),
            },
            Some(StageState::Wait(_) | StageState::Analyze(_) | StageState::Approve(_)) | None => {
                Vec::new()
            }
        };
        let judgement = self.judgement(&state).await;
        Ok(Look {
            state,
            views,
            unseen: away,
            judgement,
            rollback,
            notes,
        })
    }
}

/// The release with those of its targets that are named; all of them where none is.
fn part_of(release: &Release, names: &[String]) -> Result<Release, DeskError> {
    let is_known = |name: &&String| release.targets.iter().any(|it| it.name == **name);
    let unknown: Vec<String> = names
        .iter()
        .filter(|name| !is_known(name))
        .map(|name| {
            let known = release.targets.iter().map(|it| format!("`{}`", it.name));
            let known: Vec<String> = known.collect();
            format!(
                "found the target `{name}`; expected one of {}",
                known.join(", ")
            )
        })
        .collect();
    if !unknown.is_empty() {
        return Err(DeskError::Refused(unknown));
    }
    let is_part = |name: &String| names.is_empty() || names.contains(name);
    let mut spec = release.spec.as_ref().clone();
    spec.targets.retain(|it| is_part(&it.name));
    let targets = release.targets.iter().filter(|it| is_part(&it.name));
    Ok(Release {
        targets: targets.cloned().collect(),
        spec: Arc::new(spec),
    })
}

/// What would take back all of a plan.
fn whole_rollback(plan: &Plan) -> Vec<Step> {
    let mut touched = Vec::new();
    for stage in &plan.stages {
        if let Stage::Operate(operate) = stage {
            touched.extend(operate.steps.iter().map(|step| Touched {
                step,
                purpose: operate.purpose,
            }));
        }
    }
    strategies::rollback(&plan.release, &touched, &[])
}

fn refused(refusal: PlanRefusal) -> DeskError {
    let told = refusal
        .problems
        .iter()
        .map(|problem| format!("{problem} (hint: {})", problem.hint));
    DeskError::Refused(told.collect())
}

fn unavailable(error: &TurnError) -> DeskError {
    DeskError::Unavailable(with_causes(error))
}

/// What will not be there later either, as an account that this service does not have, is a refusal.
fn unseen(error: &DriverError) -> DeskError {
    let mut told = with_causes(error);
    if let Some(hint) = &error.hint {
        told.push_str(&format!(" (hint: {hint})"));
    }
    match error.remedy {
        Remedy::GiveUp => DeskError::Refused(vec![told]),
        Remedy::Retry => DeskError::Unavailable(told),
    }
}
