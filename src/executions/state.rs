//! Where an execution stands: a fold over its journal.

use std::sync::Arc;

use super::event::Ending;
use super::release::state::ReleaseState;
use super::request::{Kind, Request};
use crate::model::ids::ExecutionId;
use crate::stages::analyze::{Analyze, AnalyzeState, Outcome};
use crate::stages::approve::ApproveState;
use crate::stages::{Stage, StageState};
use crate::store::Head;

/// Where an execution stands. Made by `transition` alone.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Which execution.
    pub id: ExecutionId,
    /// What was asked.
    pub request: Arc<Request>,
    /// When it was accepted, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_ms: i64,
    /// Number of the last event.
    pub seq: u64,
    /// When that was written.
    pub updated_ms: i64,
    /// How far each stage is; as long as the request's stages.
    pub stages: Vec<StageState>,
    /// How many of them, from the first on, are done or failed. Follows from `stages`; kept so that a replay looks at each once.
    pub(super) settled: usize,
    /// The request to call it off, if there was one.
    pub cancel: Option<Cancel>,
    /// What it is stuck on, while it is.
    pub stuck: Option<Stuck>,
    /// How it ended, once it has.
    pub end: Option<End>,
    /// What only releases have; `None` for other executions.
    pub release: Option<ReleaseState>,
}

/// A request to call an execution off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancel {
    /// Who asked.
    pub by: String,
    /// Why; may be empty.
    pub reason: String,
}

/// What an execution is stuck on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// Which stage.
    pub stage: usize,
    /// What stands in the way.
    pub error: String,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// How.
    pub ending: Ending,
    /// Why, one sentence.
    pub sentence: String,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: i64,
}

/// The state of work, in one word. The words are Kayenta's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Accepted, and nothing happened yet.
    NotStarted,
    /// At work.
    Running,
    /// Stuck: it waits for a person.
    Suspended,
    /// It did what it was asked.
    Succeeded,
    /// It could not be done, or a judgement stopped it early.
    Terminal,
    /// Somebody called it off.
    Canceled,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::NotStarted,
        Self::Running,
        Self::Suspended,
        Self::Succeeded,
        Self::Terminal,
        Self::Canceled,
    ];

    /// The word, in lower case.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::Running => "running",
            Self::Suspended => "suspended",
            Self::Succeeded => "succeeded",
            Self::Terminal => "terminal",
            Self::Canceled => "canceled",
        }
    }

    /// Whether nothing more will happen.
    #[must_use]
    pub fn is_complete(self) -> bool {
        match self {
            Self::Succeeded | Self::Terminal | Self::Canceled => true,
            Self::NotStarted | Self::Running | Self::Suspended => false,
        }
    }
}

impl State {
    /// The state of work.
    #[must_use]
    pub fn status(&self) -> Status {
        match (&self.end, &self.stuck) {
            (Some(end), _) => match end.ending {
                Ending::Succeeded => Status::Succeeded,
                Ending::Terminal => Status::Terminal,
                Ending::Canceled => Status::Canceled,
            },
            (None, Some(_)) => Status::Suspended,
            (None, None) if self.started_ms().is_none() => Status::NotStarted,
            (None, None) => Status::Running,
        }
    }

    /// When the first stage began.
    #[must_use]
    pub fn started_ms(&self) -> Option<i64> {
        self.stages.iter().find_map(StageState::started_ms)
    }

    /// All judgements that are planned, with how far they are, in their order.
    pub fn analyses(&self) -> impl DoubleEndedIterator<Item = (&Analyze, &AnalyzeState)> {
        self.request
            .stages
            .iter()
            .zip(&self.stages)
            .filter_map(|pair| match pair {
                (Stage::Analyze(analyze), StageState::Analyze(state)) => Some((analyze, state)),
                (Stage::Analyze(_) | Stage::Wait(_) | Stage::Approve(_) | Stage::Operate(_), _) => {
                    None
                }
            })
    }

    /// The last judgement that was made.
    #[must_use]
    pub fn last_outcome(&self) -> Option<(&Analyze, &Outcome)> {
        self.analyses()
            .rev()
            .find_map(|(analyze, state)| Some((analyze, state.outcome()?)))
    }

    /// The name under which the archive keeps a judgement of this execution.
    #[must_use]
    pub fn judgement_name(&self, stage: &Analyze) -> String {
        judgement_name(&self.id, stage.number)
    }

    /// The canary config's name; may be empty.
    #[must_use]
    pub fn config_name(&self) -> &str {
        self.request.config.name.as_deref().unwrap_or_default()
    }

    /// For lists, and for workers that look for work.
    #[must_use]
    pub fn head(&self) -> Head {
        let outcome = self.last_outcome().map(|(_, outcome)| outcome);
        Head {
            id: self.id.clone(),
            kind: self.request.kind.word().to_owned(),
            application: self.request.application.clone(),
            status: self.status().word().to_owned(),
            seq: self.seq,
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
            ended_ms: self.end.as_ref().map(|end| end.at_ms),
            due_ms: self.due_ms(),
            verdict: outcome.map(|outcome| outcome.verdict),
            score: outcome.map(|outcome| outcome.score),
            config_name: self.config_name().to_owned(),
            // Lists have one line for it; what a process wrote is in the status.
            sentence: self
                .sentence()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
        }
    }

    /// One sentence on where it stands.
    #[must_use]
    pub fn sentence(&self) -> String {
        if let Some(end) = &self.end {
            return end.sentence.clone();
        }
        if let Some(stuck) = &self.stuck {
            return format!("stuck: {}", stuck.error);
        }
        let planned = self.analyses().count();
        let judged = self
            .analyses()
            .filter(|(_, state)| state.outcome().is_some())
            .count();
        let current = self
            .current()
            .and_then(|place| self.request.stages.get(place).zip(self.stages.get(place)));
        let doing = match current {
            Some((Stage::Wait(wait), _)) => format!("waiting ({})", wait.name),
            Some((Stage::Analyze(analyze), _)) => format!("making judgement {}", analyze.number),
            Some((Stage::Approve(_), _)) => "waiting for an answer".to_owned(),
            Some((Stage::Operate(_), StageState::Operate(state))) => match state.current() {
                Some((_, step, _)) => step.sentence.clone(),
                None => "ending".to_owned(),
            },
            Some((Stage::Operate(_), _)) => "ending".to_owned(),
            None => "ending".to_owned(),
        };
        match self.request.kind {
            Kind::Canary => doing,
            Kind::Analysis | Kind::Release => {
                format!("{doing}; {judged} of {planned} judgements made")
            }
        }
    }
}

impl StageState {
    /// When it began.
    #[must_use]
    pub fn started_ms(&self) -> Option<i64> {
        use crate::stages::wait::WaitState;
        match self {
            Self::Wait(WaitState::NotStarted) => None,
            Self::Wait(WaitState::Waiting { started_ms } | WaitState::Done { started_ms, .. }) => {
                Some(*started_ms)
            }
            Self::Analyze(state) => state.started_ms(),
            Self::Approve(state) => match state {
                ApproveState::NotStarted | ApproveState::NotNeeded { .. } => None,
                ApproveState::Asked { since_ms, .. }
                | ApproveState::Answered { since_ms, .. }
                | ApproveState::Unanswered { since_ms, .. } => Some(*since_ms),
            },
            Self::Operate(state) => state.started_ms,
        }
    }
}

/// The name under which the archive keeps judgement `number` of the execution `id`.
#[must_use]
pub fn judgement_name(id: &ExecutionId, number: u32) -> String {
    format!("{id}-{number}")
}

/// The reverse of [`judgement_name`]; `None` for any other text.
#[must_use]
pub fn parse_judgement_name(name: &str) -> Option<(ExecutionId, u32)> {
    let (id, number) = name.rsplit_once('-')?;
    let parsed: u32 = number.parse().ok()?;
    // `01` and `+1` are other names than `1`.
    (parsed > 0 && parsed.to_string() == number).then(|| (ExecutionId::new(id), parsed))
}
