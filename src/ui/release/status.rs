//! Where a release stands, as data: what `GET /releases/{id}` answers, and what a terminal shows. Names never change; what is
//! new is added.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::At;
use super::targets::TargetStatus;
use crate::model::release::step::Step;

/// The version of this shape.
pub const VERSION: u32 = 1;
/// How many characters of an id, from its end, stand for it where people read.
const SHORT: usize = 8;

/// Where a release stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseStatus {
    /// The version of this shape: 1.
    pub version: u32,
    /// The whole id.
    pub id: String,
    /// The end of the id, as people write it.
    pub short_id: String,
    /// Number of the last event.
    pub last_event: u64,
    /// When this was true.
    pub now: At,
    /// The application.
    pub application: String,
    /// The version that served before; absent at a first deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_version: Option<String>,
    /// The version that is released.
    pub to_version: String,
    /// Who started it, as the client says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// When it was accepted.
    pub created_at: At,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<At>,
    /// What happens, in one word for programs.
    pub state: ReleaseState,
    /// What happens, for people; the same words everywhere.
    pub headline: Headline,
    /// What became of it, once that is settled; it may still be cleaning up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What comes next, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
    /// The question that it waits with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// What holds it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<HeldBy>,
    /// The operation that is being done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationStatus>,
    /// How far it is, in the parts that people think in.
    pub phases: Vec<PhaseStatus>,
    /// The scores that decide; absent where nothing is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<ThresholdsStatus>,
    /// The judgement that `worst` is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst_of: Option<u32>,
    /// The worst three metrics of the last judgement that did not pass, the worst first.
    pub worst: Vec<MetricStatus>,
    /// Traffic and instances of each target.
    pub targets: Vec<TargetStatus>,
    /// What guards and windows say now.
    pub checks: Vec<Check>,
    /// What would take it back.
    pub rollback: RollbackStatus,
    /// What a person can do, as commands to copy.
    pub commands: Vec<Command>,
    /// The path of the last report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
}

/// What happens to a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReleaseState {
    /// It was accepted, and nothing happened yet.
    NotStarted,
    /// It deploys, waits, judges or promotes.
    Running,
    /// It waits for a person's answer.
    WaitingForAnswer,
    /// Something holds it up, and it will look again.
    Held,
    /// It cannot go on without a person.
    Stuck,
    /// It takes back what it did.
    RollingBack,
    /// It is decided, and removes what it made.
    CleaningUp,
    /// It ended: the new version serves, or passed.
    Promoted,
    /// It ended: it was taken back.
    RolledBack,
    /// It ended: somebody called it off.
    CalledOff,
    /// It ended: it was not allowed to begin.
    Refused,
    /// It ended: another release took the cluster over.
    Superseded,
}

impl ReleaseState {
    /// Whether nothing more will happen.
    #[must_use]
    pub fn is_over(self) -> bool {
        match self {
            Self::Promoted
            | Self::RolledBack
            | Self::CalledOff
            | Self::Refused
            | Self::Superseded => true,
            Self::NotStarted
            | Self::Running
            | Self::WaitingForAnswer
            | Self::Held
            | Self::Stuck
            | Self::RollingBack
            | Self::CleaningUp => false,
        }
    }
}

/// The mark before a line, and its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Mark {
    /// It passed, it is done.
    Pass,
    /// It is at work.
    Running,
    /// It waits.
    Waiting,
    /// It failed, it is taken back.
    Fail,
    /// Somebody or something said no.
    Stopped,
}

/// What happens, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Headline {
    /// Its mark.
    pub mark: Mark,
    /// The words that `text` begins with: `Waiting for you`.
    pub word: String,
    /// The whole line: `Waiting for you: search 5.4.0 scored 86 at 25%, Marginal`.
    pub text: String,
    /// What follows: until when, and what happens then; may be empty.
    pub then: String,
    /// More lines of the reason, as the last output of a process; empty for most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<String>,
}

/// What became of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// `promoted`, `rolledBack`, `calledOff`, `refused`, `superseded`.
    pub decision: String,
    /// `verdict`, `person`, `noAnswer`, `noVerdict`, `operation`, `time`, `notAllowed`.
    pub cause: String,
    /// One sentence.
    pub reason: String,
    /// Who, where it was a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When that was settled.
    pub at: At,
    /// The exit code of a command that waits for it: 0 promoted, 1 judged a failure, 3 could not tell, 4 something could not be
    /// done, 5 not allowed or called off.
    pub exit_code: u8,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Next {
    /// `Next judgement`, `Warm-up`.
    pub what: String,
    /// `5 of 6`; empty where there is nothing to count.
    pub count: String,
    /// Since when it is awaited.
    pub since: At,
    /// When it comes.
    pub at: At,
}

/// A question to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// When it was asked.
    pub asked_at: At,
    /// Until when an answer is awaited.
    pub deadline: At,
    /// Whether that has passed.
    pub overdue: bool,
    /// What happens without an answer: `rollBack` or `keepWaiting`.
    pub without_answer: String,
    /// When it is taken back in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_by: Option<At>,
    /// Who may answer; anybody where empty.
    pub who: Vec<String>,
    /// What to look at; may be empty.
    pub instructions: String,
}

/// What holds a release up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldBy {
    /// `lock`, `window`, `guard`, `driver`, `notComparable`.
    pub hold: String,
    /// One sentence.
    pub why: String,
    /// Since when.
    pub since: At,
    /// When it looks again.
    pub looks_again_at: At,
}

/// An operation that is being done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperationStatus {
    /// What: `Create search-canary-v232`.
    pub sentence: String,
    /// `2 of 7` in its stage.
    pub count: String,
    /// Since when; absent before it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<At>,
    /// When it is given up; absent where it is tried for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<At>,
    /// How often it failed.
    pub failures: u32,
    /// Why it failed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// How far a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum PhaseState {
    /// All of it happened.
    Done,
    /// It is at work.
    Running,
    /// It waits for a person, or is held up.
    Waiting,
    /// It is still to come.
    Later,
    /// The release was stopped in it.
    Stopped,
    /// It was not necessary, or will not come any more.
    PassedOver,
}

/// Stages in a row, under one name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhaseStatus {
    /// `25%`.
    pub name: String,
    /// What its operations are for: `deploy`, `promote`, `rollBack`, `cleanUp`; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// How far it is.
    pub state: PhaseState,
    /// Its judgements, made and still to come.
    pub judgements: Vec<JudgementStatus>,
}

/// One judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JudgementStatus {
    /// Its number in the release.
    pub number: u32,
    /// Its place among those of its target in the phase, from 1.
    pub in_block: u32,
    /// The target; absent where there is one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// `Pass`, `Marginal`, `Fail`, `Inconclusive`; absent before it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// 0 to 100; absent before it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Why it could not be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When it was made, or was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
    /// The path of its report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
}

/// The scores that decide.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThresholdsStatus {
    /// Pass from here on.
    pub pass: f64,
    /// Marginal from here on.
    pub marginal: f64,
}

/// One metric, in the words of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricStatus {
    /// Its name with its tags.
    pub name: String,
    /// `High`, `Low`, `NodataFailMetric`, `Error`, `Inconclusive`, `Nodata`, `Muted`.
    pub result: String,
    /// `+17.1%`; `no data` and the like where nothing was compared.
    pub effect: String,
    /// `[+11.2, +23.4]`; empty where nothing was compared.
    pub interval: String,
    /// `at most +10%`.
    pub tolerance: String,
    /// Points, baseline first: `36 / 41`.
    pub points: String,
    /// Why, one sentence.
    pub why: String,
    /// Whether the verdict is Fail when it fails.
    pub critical: bool,
}

/// What a guard or a window says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// `guard`, `window`, `lock`.
    pub what: String,
    /// Whether it would hold the release up.
    pub holds: bool,
    /// One sentence.
    pub sentence: String,
}

/// What would take a release back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RollbackStatus {
    /// Whether there is anything to take back, and it can be.
    pub ready: bool,
    /// The operations, in their order.
    pub operations: Vec<String>,
    /// The same, with what each changes.
    pub steps: Vec<RollbackLine>,
    /// Why there is none; empty where it is ready.
    pub why_not: String,
}

/// One operation of the way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RollbackLine {
    /// What: `Traffic to search-v229`.
    pub sentence: String,
    /// What is there: `50%`; empty where there is nothing to compare.
    pub before: String,
    /// What will be there: `100%`; may be empty.
    pub after: String,
}

impl RollbackLine {
    pub(super) fn of(step: &Step) -> Self {
        Self {
            sentence: step.sentence.clone(),
            before: step.before.clone(),
            after: step.after.clone(),
        }
    }
}

/// What a person can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Command {
    /// The command, to be copied.
    pub command: String,
    /// What it does, in a few words.
    pub does: String,
}

/// The end of an id, as people write it.
#[must_use]
pub fn short_id(id: &str) -> &str {
    let start = id.char_indices().rev().nth(SHORT - 1);
    start.and_then(|(at, _)| id.get(at..)).unwrap_or(id)
}
