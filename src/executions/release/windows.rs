//! The windows of judgements: where and when both sides are looked for, and whether they can be compared.

use std::collections::{BTreeMap, BTreeSet};

use super::engine::{Held, no_release};
use super::event::{Cause, Hold, ReleaseEvent};
use super::gap;
use super::operate::Looked;
use crate::executions::engine::{Engine, Turn, TurnError};
use crate::executions::event::Event;
use crate::executions::state::State;
use crate::executions::watch::watched;
use crate::guards::comparable;
use crate::model::release::cluster::{GroupView, Place, View};
use crate::model::scope::{INSTANCES, Scope, ScopePair, Window};
use crate::stages::plan::Comparison;
use crate::stages::{Stage, StageState};
use crate::store::Lease;

/// The scope of metrics that name none.
const DEFAULT_SCOPE: &str = "default";

impl Engine {
    pub(super) async fn open_window(
        &self,
        lease: &Lease,
        state: State,
        stage: usize,
    ) -> Result<Turn, TurnError> {
        let (Some(comparison), Some(release)) = (comparison(&state, stage), &state.request.release)
        else {
            return Err(no_release(&state));
        };
        let comparison = comparison.clone();
        let limits = release.spec.limits.clone();
        let places: Vec<Place> = release.targets.iter().map(|it| it.place.clone()).collect();
        let now_ms = self.ports().clock.now_ms().max(state.updated_ms);
        // All windows of a block begin together, once all targets are ready for it.
        let began_ms = block_start(&state, stage);
        let judged: Vec<usize> = match began_ms {
            Some(_) => vec![comparison.target],
            None => first_comparisons(&state, stage)
                .map(|it| it.target)
                .collect(),
        };
        let looked_at = judged.iter().filter_map(|target| places.get(*target));
        let found = match self.find(looked_at).await {
            Ok(found) => found,
            Err(error) => return self.driver_away(lease, state, &error, &limits, None).await,
        };
        let views: BTreeMap<usize, View> = judged
            .into_iter()
            .zip(found.into_iter().map(|found| found.view))
            .collect();
        let (Some(view), Some(place)) =
            (views.get(&comparison.target), places.get(comparison.target))
        else {
            return Err(TurnError::Invariant(format!(
                "stage {stage} judges a target that there is not"
            )));
        };
        if began_ms.is_none() {
            let why: Vec<String> = first_comparisons(&state, stage)
                .filter_map(|it| Some((views.get(&it.target)?, it)))
                .flat_map(|(view, comparison)| not_comparable(view, comparison, now_ms))
                .collect();
            if !why.is_empty() {
                let held = Held {
                    hold: Hold::NotComparable,
                    why: format!("nothing can be compared yet: {}", why.join("; ")),
                    until_ms: None,
                    most_ms: Some(limits.healthy_ms),
                    cause: Cause::NoVerdict,
                    step: None,
                };
                return self.hold_up(lease, state, held).await;
            }
        }
        let start_ms = began_ms.unwrap_or(now_ms);
        let (scopes, until_ms) = scopes(&state, view, place, &comparison, start_ms);
        // Later windows are judged all the same: an instance that fails may be the canary's doing. But it is kept in mind.
        let differences = match began_ms {
            Some(_) => not_comparable(view, &comparison, now_ms),
            None => Vec::new(),
        };
        let event = ReleaseEvent::WindowOpened {
            stage,
            scopes,
            until_ms,
            differences,
        };
        let state = self
            .append(Some(lease), state, Event::Release(event))
            .await?;
        // At once: what a source that knows only the present has not begun to look at is lost.
        for task in watched(&state) {
            self.ports().analyst_of(&state.request).watch(&task).await;
        }
        Ok(Turn::Again(Box::new(state)))
    }

    pub(super) async fn look_again(
        &self,
        lease: &Lease,
        state: State,
        stage: usize,
    ) -> Result<Turn, TurnError> {
        let (Some(comparison), Some(release)) = (comparison(&state, stage), &state.request.release)
        else {
            return Err(no_release(&state));
        };
        let Some(target) = release.targets.get(comparison.target) else {
            return Err(no_release(&state));
        };
        let trouble = match self.look(&target.place).await {
            Looked::At(view) => gap::trouble(&view, &comparison.canary),
            Looked::Away(error) => {
                let limits = release.spec.limits.clone();
                return self.driver_away(lease, state, &error, &limits, None).await;
            }
        };
        let event = ReleaseEvent::LookedAgain { stage, trouble };
        self.happened(lease, state, event).await
    }
}

fn comparison(state: &State, stage: usize) -> Option<&Comparison> {
    match state.request.stages.get(stage)? {
        Stage::Analyze(analyze) => analyze.comparison.as_ref(),
        Stage::Wait(_) | Stage::Approve(_) | Stage::Operate(_) => None,
    }
}

/// When the windows of a block began, for all of its targets; `None` before they did.
fn block_start(state: &State, stage: usize) -> Option<i64> {
    let block = state.block_of(stage)?;
    let stages = state.stages.get(block.first..=block.last)?;
    stages.iter().filter_map(StageState::started_ms).min()
}

/// The first comparison of each target in the block that a stage belongs to.
fn first_comparisons(state: &State, stage: usize) -> impl Iterator<Item = &Comparison> {
    let block = state.block_of(stage);
    let stages = block.into_iter().flat_map(|block| block.first..=block.last);
    stages
        .filter_map(|place| comparison(state, place))
        .filter(|it| it.in_block == 1)
}

/// Why the two cannot be compared.
pub(super) fn not_comparable(view: &View, comparison: &Comparison, now_ms: i64) -> Vec<String> {
    let (baseline, canary) = (&comparison.baseline, &comparison.canary);
    comparable::differences(view, baseline, canary, comparison.alike, now_ms)
}

/// Where and when both sides are looked for, by every scope name that the config uses; and when the window ends.
fn scopes(
    state: &State,
    view: &View,
    place: &Place,
    comparison: &Comparison,
    start_ms: i64,
) -> (BTreeMap<String, ScopePair>, i64) {
    let step_ms = i64::try_from(comparison.step_secs.saturating_mul(1000))
        .unwrap_or(i64::MAX)
        .max(1);
    let after_ms = i64::try_from(comparison.after_ms).unwrap_or(i64::MAX);
    // On the grid of the points: the first that was wholly within.
    let first_ms = start_ms
        .div_euclid(step_ms)
        .saturating_add(1)
        .saturating_mul(step_ms);
    let end_ms = start_ms.saturating_add(after_ms).max(first_ms);
    let from_ms = match comparison.look_back_ms {
        Some(look_back_ms) => {
            let back = end_ms.saturating_sub(i64::try_from(look_back_ms).unwrap_or(i64::MAX));
            first_ms.max(back)
        }
        None => first_ms,
    };
    let window = Window::new(from_ms, end_ms).unwrap_or_else(|_| Window::at(end_ms));
    let side = |group: Option<&GroupView>, name: &str| Scope {
        scope: name.to_owned(),
        location: place.location.clone(),
        window,
        step_secs: comparison.step_secs,
        parameters: parameters(group),
    };
    let pair = ScopePair {
        baseline: side(
            view.group(&comparison.baseline),
            comparison.baseline.as_str(),
        ),
        canary: side(view.group(&comparison.canary), comparison.canary.as_str()),
    };
    let metrics = &state.request.config.metrics;
    let mut names: BTreeSet<String> = metrics
        .iter()
        .filter_map(|metric| metric.scope_name.clone())
        .collect();
    names.insert(DEFAULT_SCOPE.to_owned());
    let scopes = names.into_iter().map(|name| (name, pair.clone())).collect();
    (scopes, end_ms)
}

fn parameters(group: Option<&GroupView>) -> BTreeMap<String, String> {
    let Some(group) = group else {
        return BTreeMap::new();
    };
    let mut parameters = BTreeMap::from([
        ("serverGroup".to_owned(), group.name.to_string()),
        ("cluster".to_owned(), group.name.cluster().to_string()),
        ("version".to_owned(), group.artifact.version.clone()),
    ]);
    let pages: Vec<&str> = group
        .instances
        .iter()
        .filter_map(|instance| instance.metrics_url.as_deref())
        .collect();
    if !pages.is_empty() {
        parameters.insert(INSTANCES.to_owned(), pages.join(","));
    }
    parameters
}
