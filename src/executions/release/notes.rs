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
use crate::model::release::cluster::{Place, Share, View};
use crate::model::release::step::Step;
use crate::model::release::window::{Moment, Windows};
use crate::stages::operate::Purpose;
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
            // Once it has begun, or promotes, that window has no say any more.
            let is_over = state.is_some_and(|state| match moment {
                Moment::Start => state.has_touched(),
                Moment::Promote => state.operations().any(|(_, operate, at)| {
                    operate.purpose == Purpose::Promote && at.touched().count() > 0
                }),
            });
            if is_over {
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
