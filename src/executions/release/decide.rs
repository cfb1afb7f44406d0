//! What follows from what happened: whether a release goes on, asks, or is taken back. Pure.

use coalmine_judges::judgement::Verdict;

use super::event::{Cause, Decision, ReleaseEvent};
use super::operate::TOO_LONG;
use crate::config::release::spec::{Consequence, ReleaseSpec, Strategy};
use crate::executions::state::{Cancel, State};
use crate::model::release::operation::Change;
use crate::model::release::step::Step;
use crate::stages::analyze::{Analyze, AnalyzeState};
use crate::stages::approve::{ApproveState, Choice};
use crate::stages::operate::{Purpose, StepState};
use crate::stages::{Stage, StageState};

/// Judgements in a row, since sizes and shares changed last: places of their stages, first and last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The first stage.
    pub first: usize,
    /// The last stage.
    pub last: usize,
}

/// What the judgements of a block came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// The worst of the last verdicts of all targets; Inconclusive where the last judgement could not be made.
    pub verdict: Verdict,
    /// The score with it, where there is one.
    pub score: Option<f64>,
}

impl State {
    /// The spec of a release; `None` for other executions.
    #[must_use]
    pub fn spec(&self) -> Option<&ReleaseSpec> {
        self.request.release.as_ref().map(|it| it.spec.as_ref())
    }

    /// The block that a stage belongs to; `None` where it judges nothing.
    #[must_use]
    pub fn block_of(&self, stage: usize) -> Option<Block> {
        let is_judged =
            |place: usize| matches!(self.request.stages.get(place), Some(Stage::Analyze(_)));
        if !is_judged(stage) {
            return None;
        }
        let mut block = Block {
            first: stage,
            last: stage,
        };
        while block.first > 0 && is_judged(block.first - 1) {
            block.first -= 1;
        }
        while is_judged(block.last + 1) {
            block.last += 1;
        }
        Some(block)
    }

    /// The last block before a stage.
    #[must_use]
    pub fn block_before(&self, stage: usize) -> Option<Block> {
        (0..stage).rev().find_map(|place| self.block_of(place))
    }

    fn analysis(&self, stage: usize) -> Option<(&Analyze, &AnalyzeState)> {
        match (self.request.stages.get(stage)?, self.stages.get(stage)?) {
            (Stage::Analyze(analyze), StageState::Analyze(state)) => Some((analyze, state)),
            (Stage::Analyze(_) | Stage::Wait(_) | Stage::Approve(_) | Stage::Operate(_), _) => None,
        }
    }

    /// What a block came to; `None` while it is not settled.
    #[must_use]
    pub fn answer(&self, block: Block) -> Option<Answer> {
        let targets = self.request.release.as_ref()?.targets.len();
        let mut last: Vec<Option<Answer>> = vec![None; targets];
        for place in block.first..=block.last {
            let (analyze, state) = self.analysis(place)?;
            let answer = match state {
                AnalyzeState::Judged { outcome, .. } => Answer {
                    verdict: outcome.verdict,
                    score: Some(outcome.score),
                },
                AnalyzeState::Failed { .. } => Answer {
                    verdict: Verdict::Inconclusive,
                    score: None,
                },
                AnalyzeState::NotStarted
                | AnalyzeState::Opened { .. }
                | AnalyzeState::Collecting { .. }
                | AnalyzeState::Collected { .. } => return None,
            };
            let target = analyze.comparison.as_ref()?.target;
            *last.get_mut(target)? = Some(answer);
        }
        last.into_iter()
            .flatten()
            .max_by(|a, b| a.verdict.cmp(&b.verdict))
    }

    /// What settles the release now; `None` where it goes on.
    #[must_use]
    pub(super) fn decision(&self) -> Option<ReleaseEvent> {
        let release = self.release.as_ref()?;
        let decided = |decision, cause, reason: String, by: Option<String>| {
            Some(ReleaseEvent::Decided {
                decision,
                cause,
                reason,
                by,
            })
        };
        if let Some(other) = &release.lost_to {
            let reason = format!("release `{other}` took the cluster over");
            return decided(Decision::Superseded, Cause::NotAllowed, reason, None);
        }
        if let Some(cancel) = &self.cancel {
            let by = Some(cancel.by.clone());
            return decided(
                Decision::CalledOff,
                Cause::Person,
                words("called off", cancel),
                by,
            );
        }
        if let Some(wish) = &release.rollback {
            let by = Some(wish.by.clone());
            return decided(
                Decision::RolledBack,
                Cause::Person,
                words("taken back", wish),
                by,
            );
        }
        let back = |cause, reason| decided(Decision::RolledBack, cause, reason, None);
        let forward = self.late_stage(Purpose::RollBack)?;
        for place in 0..forward {
            match (self.request.stages.get(place)?, self.stages.get(place)?) {
                (Stage::Operate(_), StageState::Operate(state)) => {
                    let failed = state.current().and_then(|(number, step, at)| match at {
                        StepState::Failed { why, .. } => Some((number, step, why)),
                        StepState::Waiting
                        | StepState::Intended { .. }
                        | StepState::Done { .. } => None,
                    });
                    if let Some((_, step, why)) = failed {
                        return back(Cause::Operation, not_done(step, why));
                    }
                }
                (
                    Stage::Approve(_),
                    StageState::Approve(ApproveState::Answered {
                        choice: Choice::Reject,
                        by,
                        reason,
                        ..
                    }),
                ) => {
                    let wish = Cancel {
                        by: by.clone(),
                        reason: reason.clone(),
                    };
                    let by = Some(by.clone());
                    return decided(
                        Decision::RolledBack,
                        Cause::Person,
                        words("rejected", &wish),
                        by,
                    );
                }
                (Stage::Approve(_), StageState::Approve(ApproveState::Unanswered { .. })) => {
                    let what = self.answer_before(place);
                    return back(Cause::NoAnswer, format!("nobody answered in time; {what}"));
                }
                (Stage::Analyze(_), StageState::Analyze(_)) => {
                    if let Some(event) = self.after_judgement(place) {
                        return Some(event);
                    }
                }
                (Stage::Wait(_) | Stage::Approve(_) | Stage::Operate(_) | Stage::Analyze(_), _) => {
                }
            }
        }
        let is_done = self.current() == Some(forward) && self.unseen().is_none();
        is_done.then(|| ReleaseEvent::Decided {
            decision: Decision::Promoted,
            cause: match self.block_before(forward) {
                Some(_) => Cause::Verdict,
                None => Cause::Operation,
            },
            reason: self.success_of_release(forward),
            by: None,
        })
    }

    /// What follows from the judgement of this stage, beyond going on.
    fn after_judgement(&self, stage: usize) -> Option<ReleaseEvent> {
        let spec = self.spec()?;
        let analysis = spec.analysis.as_ref()?;
        let (analyze, state) = self.analysis(stage)?;
        let back = |cause, reason: String| {
            Some(ReleaseEvent::Decided {
                decision: Decision::RolledBack,
                cause,
                reason,
                by: None,
            })
        };
        match state {
            AnalyzeState::NotStarted
            | AnalyzeState::Opened { .. }
            | AnalyzeState::Collecting { .. }
            | AnalyzeState::Collected { .. } => return None,
            AnalyzeState::Failed { failures, .. } => {
                let target = analyze.comparison.as_ref().map_or(0, |it| it.target);
                let targets = &self.request.release.as_ref()?.targets;
                let of = match targets.get(target) {
                    Some(named) if targets.len() > 1 => format!(" of target `{}`", named.name),
                    Some(_) | None => String::new(),
                };
                let failed = self.failed_judgements(target);
                if failed > analysis.errors as usize {
                    let what = failures
                        .first()
                        .map_or("no reason", |failure| failure.message.as_str());
                    return back(
                        Cause::NoVerdict,
                        format!(
                            "no verdict: {what} ({failed} judgements{of} failed, at most {} may)",
                            analysis.errors
                        ),
                    );
                }
            }
            AnalyzeState::Judged { outcome, .. } => match outcome.verdict {
                Verdict::Fail => return back(Cause::Verdict, outcome.sentence(analyze.number)),
                Verdict::Inconclusive if spec.on.inconclusive == Consequence::RollBack => {
                    let row = self.inconclusive_in_a_row(stage);
                    if row > analysis.inconclusive as usize {
                        return back(
                            Cause::NoVerdict,
                            format!(
                                "{} ({row} in a row were inconclusive)",
                                outcome.sentence(analyze.number)
                            ),
                        );
                    }
                }
                Verdict::Pass | Verdict::Marginal | Verdict::Inconclusive => {}
            },
        }
        if let Some(gone) = self.gone(stage) {
            return Some(gone);
        }
        let block = self.block_of(stage)?;
        if stage != block.last {
            return None;
        }
        let answer = self.answer(block)?;
        let cause = match answer.verdict {
            Verdict::Inconclusive => Cause::NoVerdict,
            Verdict::Pass | Verdict::Marginal | Verdict::Fail => Cause::Verdict,
        };
        let is_asked = match self.request.stages.get(block.last + 1) {
            Some(Stage::Approve(approve)) => {
                approve.when.is_empty() || approve.when.contains(&answer.verdict)
            }
            Some(Stage::Wait(_) | Stage::Analyze(_) | Stage::Operate(_)) | None => false,
        };
        match spec.on.of(answer.verdict) {
            Consequence::RollBack => back(cause, self.answer_words(block)),
            // What asks for a person and has nobody to ask never goes on.
            Consequence::Ask if !is_asked => back(
                cause,
                format!(
                    "{}, and the plan has nobody to ask",
                    self.answer_words(block)
                ),
            ),
            Consequence::Ask | Consequence::Promote => None,
        }
    }

    fn inconclusive_in_a_row(&self, last: usize) -> usize {
        let target = |analyze: &Analyze| analyze.comparison.as_ref().map(|it| it.target);
        let Some((of, _)) = self.analysis(last) else {
            return 0;
        };
        (0..=last)
            .rev()
            .filter_map(|place| self.analysis(place))
            .filter(|(analyze, _)| target(analyze) == target(of))
            // What could not be made is no answer either.
            .take_while(|(_, state)| match state {
                AnalyzeState::Judged { outcome, .. } => outcome.verdict == Verdict::Inconclusive,
                AnalyzeState::Failed { .. } => true,
                AnalyzeState::NotStarted
                | AnalyzeState::Opened { .. }
                | AnalyzeState::Collecting { .. }
                | AnalyzeState::Collected { .. } => false,
            })
            .count()
    }

    /// The answer of the last block before a stage, in words.
    #[must_use]
    pub fn answer_before(&self, stage: usize) -> String {
        self.block_before(stage).map_or_else(
            || "nothing was judged".to_owned(),
            |block| self.answer_words(block),
        )
    }

    fn answer_words(&self, block: Block) -> String {
        let worst = self.answer(block).map(|answer| answer.verdict);
        let said = (block.first..=block.last).rev().find_map(|place| {
            let (analyze, state) = self.analysis(place)?;
            match state {
                AnalyzeState::Judged { outcome, .. } if Some(outcome.verdict) == worst => {
                    Some(outcome.sentence(analyze.number))
                }
                AnalyzeState::Failed { failures, .. } => {
                    let what = failures
                        .first()
                        .map_or("no reason", |it| it.message.as_str());
                    Some(format!(
                        "judgement {} could not be made: {what}",
                        analyze.number
                    ))
                }
                AnalyzeState::NotStarted
                | AnalyzeState::Opened { .. }
                | AnalyzeState::Collecting { .. }
                | AnalyzeState::Collected { .. }
                | AnalyzeState::Judged { .. } => None,
            }
        });
        said.unwrap_or_else(|| "nothing was judged".to_owned())
    }

    fn success_of_release(&self, forward: usize) -> String {
        let version = self
            .spec()
            .map_or("", |spec| spec.artifact.version.as_str());
        let judged = self
            .block_before(forward)
            .map(|block| self.answer_words(block));
        let promotes = self
            .spec()
            .is_some_and(|spec| spec.promotion.strategy != Strategy::Judge);
        match (promotes, judged) {
            (true, Some(judged)) => format!("{version} serves: {judged}"),
            (true, None) => format!("{version} serves; nothing was judged"),
            (false, Some(judged)) => format!("{judged}; nothing was to be promoted"),
            (false, None) => "nothing was to be judged or promoted".to_owned(),
        }
    }

    /// Whether the question of a stage must be asked.
    #[must_use]
    pub(super) fn must_ask(&self, stage: usize, when: &[Verdict]) -> bool {
        let answer = self.block_before(stage).map(|block| self.answer(block));
        match answer {
            _ if when.is_empty() => true,
            // Nothing was judged, or is not settled: a person looks.
            None | Some(None) => true,
            Some(Some(answer)) => when.contains(&answer.verdict),
        }
    }
}

fn words(what: &str, wish: &Cancel) -> String {
    if wish.reason.is_empty() {
        format!("{what} by {}", wish.by)
    } else {
        format!("{what} by {}: {}", wish.by, wish.reason)
    }
}

/// What was not done, and why.
fn not_done(step: &Step, why: &str) -> String {
    if let Change::AwaitHealthy { group, .. } = &step.operation.change {
        let name = group.as_str();
        return match why.strip_prefix(TOO_LONG) {
            Some(why) => format!("{name} did not become healthy in time: {why}"),
            None => format!("{name} did not become healthy: {why}"),
        };
    }
    format!("`{}` failed: {why}", step.sentence)
}

/// The stage whose question can be answered now.
#[must_use]
pub fn answerable(state: &State) -> Option<usize> {
    let stage = state.current()?;
    let asked = matches!(
        state.stages.get(stage),
        Some(StageState::Approve(ApproveState::Asked { .. }))
    );
    asked.then_some(stage)
}
