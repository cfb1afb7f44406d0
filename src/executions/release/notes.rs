//! What guards, windows, locks and comparisons say now of a plan, or of what is left of it.

use std::collections::{BTreeMap, BTreeSet};

use super::desk::{DeskError, Note};
use super::engine::lock_name;
use super::office::Office;
use super::windows::not_comparable;
use crate::executions::engine::with_causes;
use crate::executions::state::State;
use crate::guards::traffic::{self, Finding};
use crate::guards::windows::{self, Opening};
use crate::model::release::cluster::{Place, View};
use crate::model::release::step::Step;
use crate::model::release::window::Moment;
use crate::stages::plan::Plan;
use crate::stages::{Stage, StageState};

impl Office {
    /// What guards, windows and locks say now of a plan, or of what is left of it.
    pub(super) async fn notes(
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
            let note = match windows::opening(&spec.windows, moment, now_ms) {
                Ok(Opening::Open { closes_ms: None }) => continue,
                Ok(Opening::Open {
                    closes_ms: Some(closes_ms),
                }) => Note {
                    holds: false,
                    what: "window".to_owned(),
                    sentence: format!("open, closes at {}", shown(closes_ms)),
                },
                Ok(Opening::Closed { opens_ms, why }) => Note {
                    holds: true,
                    what: "window".to_owned(),
                    sentence: match opens_ms {
                        Some(opens_ms) => format!("{why}; opens at {}", shown(opens_ms)),
                        None => why,
                    },
                },
                Err(bad) => Note {
                    holds: true,
                    what: "window".to_owned(),
                    sentence: bad.to_string(),
                },
            };
            notes.push(note);
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
                    Finding::NotConcerned => {
                        (false, format!("`{}` touches no traffic", step.sentence))
                    }
                    Finding::Denied { sentence } => (true, sentence),
                };
            notes.push(Note {
                holds,
                what: "guard".to_owned(),
                sentence,
            });
        }
        for target in &plan.release.targets {
            let name = lock_name(&target.place);
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
        notes.extend(state.and_then(|state| not_alike(state, &by_place, now_ms)));
        Ok(notes)
    }
}

/// What differs now between the two that are being compared.
fn not_alike(state: &State, views: &BTreeMap<&Place, &View>, now_ms: i64) -> Option<Note> {
    let block = state.current().and_then(|stage| state.block_of(stage))?;
    let stages = state.request.stages.get(block.first..=block.last)?;
    let mut differences = BTreeSet::new();
    for stage in stages {
        let comparison = match stage {
            Stage::Analyze(analyze) => analyze.comparison.as_ref(),
            Stage::Wait(_) | Stage::Approve(_) | Stage::Operate(_) => None,
        };
        let targets = state.request.release.as_ref().map(|it| &it.targets);
        let Some((comparison, targets)) = comparison.zip(targets) else {
            continue;
        };
        let place = targets.get(comparison.target).map(|it| &it.place);
        if let Some(view) = place.and_then(|place| views.get(place)) {
            differences.extend(not_comparable(view, comparison, now_ms));
        }
    }
    let sentences: Vec<String> = differences.into_iter().collect();
    (!sentences.is_empty()).then(|| Note {
        holds: false,
        what: "comparison".to_owned(),
        sentence: sentences.join("; "),
    })
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

fn shown(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| format!("{ms} ms"), |at| format!("{at:.0}"))
}
