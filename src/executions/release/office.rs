//! The desk that really plans, starts and takes back: it observes through the drivers and writes into journals.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use coalmine_judges::judgement::Judgement;

use super::decide::answerable;
use super::desk::{DeskError, Look, Note, Planned, ReleaseDesk, RollbackOutcome};
use super::event::{Decision, ReleaseEvent};
use crate::config::release::spec::ReleaseSpec;
use crate::drivers::{DriverError, Remedy};
use crate::executions::engine::{TurnError, with_causes};
use crate::executions::event::Event;
use crate::executions::request::{Kind, Request};
use crate::executions::service::{Executions, LONGEST_WORDS, StartError, Started, kept};
use crate::executions::state::{State, Status};
use crate::guards::traffic::{self, Finding};
use crate::guards::windows::{self, Opening};
use crate::model::ids::ExecutionId;
use crate::model::release::cluster::{Place, Share, View};
use crate::model::release::step::Step;
use crate::model::release::window::{Moment, Windows};
use crate::stages::approve::Choice;
use crate::stages::operate::Purpose;
use crate::stages::plan::Plan;
use crate::stages::{Stage, StageState};
use crate::store::{HeadFilter, IdempotencyKey, StoreError};
use crate::strategies::{self, Found, PlanRefusal, Touched};

/// Answers for releases, by the engine's ports.
#[derive(Debug, Clone)]
pub struct Office {
    executions: Executions,
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

    /// The release that takes back release `id` and has not ended: whoever asks twice gets the same one.
    async fn undo_of(&self, id: &ExecutionId) -> Result<Option<ExecutionId>, DeskError> {
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
            if state.request.preempts && state.request.echo["rollbackOf"] == id.as_str() {
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
        by: &str,
        reason: &str,
    ) -> Result<RollbackOutcome, DeskError> {
        let state = self.state(id).await?;
        let (by, reason) = (kept(by, LONGEST_WORDS), kept(reason, LONGEST_WORDS));
        let decided = state.release.as_ref().and_then(|it| it.decided.as_ref());
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
        if let Some(running) = self.undo_of(id).await? {
            return Ok(RollbackOutcome::Started(running));
        }
        let Some(release) = state.request.release.as_deref() else {
            return Err(DeskError::NotFound(id.clone()));
        };
        let places = release.targets.iter().map(|target| &target.place);
        let found = self.find(places).await?;
        let plan = strategies::undo_of_finished(&release.spec, release, &found).map_err(refused)?;
        // The one who takes back goes first: the other release loses its lock and ends.
        let origin = serde_json::json!({ "rollbackOf": id, "by": by, "reason": reason });
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
        let back = state.late_stage(Purpose::RollBack);
        let rollback = match back.and_then(|stage| state.stages.get(stage)) {
            Some(StageState::Operate(at)) => match &at.steps {
                Some(steps) => steps.to_vec(),
                None => back
                    .and_then(|stage| state.late_steps(stage))
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

impl Office {
    /// What guards, windows and locks say now of a plan, or of what is left of it.
    async fn notes(
        &self,
        plan: &Plan,
        state: Option<&State>,
        views: &[View],
    ) -> Result<Vec<Note>, DeskError> {
        let ports = self.executions.engine().ports();
        let now_ms = ports.clock.now_ms();
        let spec = &plan.release.spec;
        let mut notes = Vec::new();
        for moment in [Moment::Start, Moment::Promote] {
            // Once it has begun, the window of its start has no say.
            if moment == Moment::Start && state.is_some_and(State::has_touched) {
                continue;
            }
            notes.extend(window(&spec.windows, moment, now_ms));
        }
        let by_place: BTreeMap<&Place, &View> = views.iter().map(|it| (&it.place, it)).collect();
        let next = next_step(plan, state);
        if let Some((step, view)) = next.and_then(|step| {
            by_place
                .get(&step.operation.place)
                .map(|view| (step, *view))
        }) {
            let (holds, sentence) =
                match traffic::traffic(view, &step.operation.change, &spec.guard) {
                    Finding::Holds { sentence } => (false, sentence),
                    Finding::NotConcerned => (false, "takes nothing away".to_owned()),
                    Finding::Denied { sentence } => (true, sentence),
                };
            let sentence = format!("next, `{}`: {sentence}", step.sentence);
            notes.push(Note {
                holds,
                what: "guard".to_owned(),
                sentence,
            });
        }
        if state.is_none() {
            let (least, share) = (spec.guard.least_instances, spec.guard.least_share);
            let noun = if least == 1 { "instance" } else { "instances" };
            let part = if share > Share::NONE {
                format!(", and {share} of those that serve now,")
            } else {
                String::new()
            };
            notes.push(Note {
                holds: false,
                what: "guard".to_owned(),
                sentence: format!(
                    "before each operation: at least {least} {noun}{part} must serve after it"
                ),
            });
        }
        for target in &plan.release.targets {
            let name = super::engine::lock_name(&target.place);
            let owner = ports.store.lock_owner(&name).await;
            if let Some((owner, _)) =
                owner.map_err(|error| DeskError::Unavailable(with_causes(&error)))?
                && state.is_none_or(|state| state.id != owner)
            {
                notes.push(Note {
                    holds: true,
                    what: "lock".to_owned(),
                    sentence: format!("release `{owner}` is at work on `{name}`"),
                });
            }
        }
        Ok(notes)
    }
}

/// What the windows say of one moment of a release; nothing where none is set.
fn window(windows: &Windows, moment: Moment, now_ms: i64) -> Option<Note> {
    let what = match moment {
        Moment::Start => "for the start",
        Moment::Promote => "for the promotion",
    };
    let rule = windows.rules.iter().find(|it| it.moments.contains(&moment));
    let zone = rule.map_or("UTC", |rule| rule.zone.as_str());
    let (holds, sentence) = match windows::opening(windows, moment, now_ms) {
        Ok(Opening::Open { closes_ms: None }) => return None,
        Ok(Opening::Open {
            closes_ms: Some(closes_ms),
        }) => {
            let closes = in_zone(closes_ms, zone);
            (false, format!("{what}: open, closes {closes}"))
        }
        Ok(Opening::Closed {
            opens_ms: Some(opens_ms),
            why,
        }) => {
            let opens = in_zone(opens_ms, zone);
            (true, format!("{what}: closed, opens {opens}; {why}"))
        }
        Ok(Opening::Closed {
            opens_ms: None,
            why,
        }) => (true, format!("{what}: closed; {why}")),
        Err(bad) => (true, format!("{what}: {bad}")),
    };
    Some(Note {
        holds,
        what: "window".to_owned(),
        sentence,
    })
}

/// `Thu 26 Nov 17:00 Europe/Berlin`, with the year; in UTC where the zone is not known.
fn in_zone(ms: i64, zone: &str) -> String {
    let Ok(at) = jiff::Timestamp::from_millisecond(ms) else {
        return format!("{ms} ms");
    };
    match at.in_tz(zone) {
        Ok(local) => format!("{} {zone}", local.strftime("%a %-d %b %Y %H:%M")),
        Err(_) => format!("{} UTC", at.strftime("%a %-d %b %Y %H:%M")),
    }
}

/// The first step that is not done.
fn next_step<'a>(plan: &'a Plan, state: Option<&State>) -> Option<&'a Step> {
    let done = |stage: usize, step: usize| {
        let at = state.and_then(|state| state.stages.get(stage));
        match at {
            Some(StageState::Operate(at)) => matches!(
                at.at.get(step),
                Some(crate::stages::operate::StepState::Done { .. })
            ),
            Some(StageState::Wait(_) | StageState::Analyze(_) | StageState::Approve(_)) | None => {
                false
            }
        }
    };
    plan.stages
        .iter()
        .enumerate()
        .find_map(|(place, stage)| match stage {
            Stage::Operate(operate) => {
                let mut steps = operate.steps.iter().enumerate();
                steps
                    .find(|(number, _)| !done(place, *number))
                    .map(|(_, step)| step)
            }
            Stage::Wait(_) | Stage::Analyze(_) | Stage::Approve(_) => None,
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
    strategies::rollback(&plan.release, &touched)
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
