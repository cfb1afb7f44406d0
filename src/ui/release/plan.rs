//! The numbered operations of a plan, as data: before it is started, and while it is executed.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::At;
use super::status::{Check, ReleaseStatus, RollbackLine, RollbackStatus, VERSION};
use super::{commands, plan_lines};
use crate::executions::release::desk::{Look, Note, Planned};
use crate::executions::state::State;
use crate::model::release::step::Step;
use crate::stages::plan::Plan;

/// A plan, and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanStatus {
    /// The version of this shape: 1.
    pub version: u32,
    /// The release that executes it; absent before a start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The plan's hash: what is started by it is this plan and no other.
    pub hash: String,
    /// When this was true.
    pub now: At,
    /// The application.
    pub application: String,
    /// The version that serves before; absent at a first deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_version: Option<String>,
    /// The version that is released.
    pub to_version: String,
    /// The names of the targets.
    pub targets: Vec<String>,
    /// All lines, numbered.
    pub operations: Vec<PlanLine>,
    /// What guards and windows say now.
    pub checks: Vec<Check>,
    /// What would take it back: at the end of the plan before a start, from where it stands after.
    pub rollback: RollbackStatus,
    /// The plan itself, as it is executed.
    #[schema(value_type = Object)]
    pub plan: Value,
}

/// How far a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum LineState {
    /// It is still to come.
    Later,
    /// It is at work.
    Running,
    /// It waits for a person.
    Waiting,
    /// It is done.
    Done,
    /// It was given up, or said no.
    Failed,
    /// It was not necessary, or will not come any more.
    PassedOver,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum LineKind {
    /// An operation.
    Operation,
    /// Time passes.
    Wait,
    /// Judgements.
    Judge,
    /// A question to a person.
    Ask,
}

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanLine {
    /// From 1.
    pub number: usize,
    /// What it is.
    pub kind: LineKind,
    /// One sentence: `Create search-canary-v232`.
    pub sentence: String,
    /// What was there: `0`; empty where there is nothing to compare.
    pub before: String,
    /// What will be there, or what it came to: `3 instances`.
    pub after: String,
    /// Which target, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// How far it is; absent before a start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<LineState>,
    /// When it came to that, or when it will.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
    /// Whether it moves people's requests.
    pub moves_traffic: bool,
    /// Who may answer a question; anybody where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub who: Vec<String>,
    /// What takes it back; empty where nothing needs to.
    pub undo: String,
    /// After how many milliseconds it is given up; absent for what is no operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_ms: Option<u64>,
}

impl PlanLine {
    pub(super) fn new(kind: LineKind, sentence: String) -> Self {
        Self {
            number: 0,
            kind,
            sentence,
            before: String::new(),
            after: String::new(),
            target: None,
            state: None,
            at: None,
            moves_traffic: false,
            who: Vec::new(),
            undo: String::new(),
            longest_ms: None,
        }
    }
}

fn checks(notes: &[Note]) -> Vec<Check> {
    let all = notes.iter().map(|note| Check {
        what: note.what.clone(),
        holds: note.holds,
        sentence: note.sentence.clone(),
    });
    all.collect()
}

impl PlanStatus {
    /// A plan that nothing was done of.
    #[must_use]
    pub fn planned(planned: &Planned, now_ms: i64) -> Self {
        let plan = &planned.plan;
        Self {
            rollback: RollbackStatus {
                ready: !planned.rollback.is_empty(),
                operations: sentences(&planned.rollback),
                steps: planned.rollback.iter().map(RollbackLine::of).collect(),
                why_not: if planned.rollback.is_empty() {
                    "nothing is there to take back".to_owned()
                } else {
                    String::new()
                },
            },
            checks: checks(&planned.notes),
            ..Self::of(plan, None, now_ms)
        }
    }

    /// The plan of a release, and how far it is; `None` where the execution is no release.
    #[must_use]
    pub fn under_way(look: &Look, now_ms: i64) -> Option<Self> {
        let plan = look.state.request.plan()?;
        Some(Self {
            id: Some(look.state.id.to_string()),
            rollback: commands::rollback(&look.state, look),
            checks: checks(&look.notes),
            ..Self::of(&plan, Some(&look.state), now_ms)
        })
    }

    fn of(plan: &Plan, state: Option<&State>, now_ms: i64) -> Self {
        let release = &plan.release;
        let mut operations = plan_lines::lines(plan, state);
        for (place, line) in operations.iter_mut().enumerate() {
            line.number = place + 1;
        }
        Self {
            version: VERSION,
            id: None,
            hash: plan.hash(),
            now: At(now_ms),
            application: release.spec.application.clone(),
            from_version: ReleaseStatus::from_version(release),
            to_version: release.spec.artifact.version.clone(),
            targets: release.targets.iter().map(|it| it.name.clone()).collect(),
            operations,
            checks: Vec::new(),
            rollback: RollbackStatus::default(),
            plan: serde_json::to_value(plan).unwrap_or_default(),
        }
    }
}

fn sentences(steps: &[Step]) -> Vec<String> {
    steps.iter().map(|step| step.sentence.clone()).collect()
}
