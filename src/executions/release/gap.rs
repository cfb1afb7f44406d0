//! A judgement that is made long after its window ended says how the canary was, not how it is: a service that was down for hours
//! comes back to series that a metric store still has. Before anything follows from it the canary is looked at. Pure.

use std::collections::BTreeMap;

use super::event::{Cause, Decision, ReleaseEvent};
use crate::executions::state::State;
use crate::model::release::cluster::{Health, View};
use crate::model::release::names::GroupName;
use crate::stages::{Stage, StageState};

/// A judgement that is made so many milliseconds after its window, or sooner, is not late, however short the interval.
const NEVER_LATE_MS: i64 = 5 * 60_000;

/// What is known of windows and of looks, by stage. Made by `transition` alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gaps {
    /// When the window of each judgement ends, in milliseconds since 1970-01-01T00:00:00Z.
    pub(super) windows: BTreeMap<usize, i64>,
    /// What was wrong with the canary at the look after a late judgement; `None` where it was well.
    pub(super) looks: BTreeMap<usize, Option<String>>,
}

impl State {
    /// By how many milliseconds a judgement came after its window; `None` where there is none, or it is not late.
    #[must_use]
    pub fn late_by_ms(&self, stage: usize) -> Option<i64> {
        let window_ms = self.release.as_ref()?.gaps.windows.get(&stage)?;
        let interval_ms = self.spec()?.analysis.as_ref()?.interval_ms;
        let interval_ms = i64::try_from(interval_ms).unwrap_or(i64::MAX);
        let ended_ms = match self.stages.get(stage)? {
            StageState::Analyze(state) => state.ended_ms()?,
            StageState::Wait(_) | StageState::Approve(_) | StageState::Operate(_) => return None,
        };
        let late_ms = ended_ms.saturating_sub(*window_ms);
        let most_ms = interval_ms.saturating_mul(2).max(NEVER_LATE_MS);
        (late_ms > most_ms).then_some(late_ms)
    }

    /// The first late judgement after which nobody looked at the canary.
    #[must_use]
    pub fn unseen(&self) -> Option<usize> {
        let release = self.release.as_ref()?;
        let windows = release.gaps.windows.keys().copied();
        windows
            .filter(|stage| !release.gaps.looks.contains_key(stage))
            .find(|stage| self.late_by_ms(*stage).is_some())
    }

    /// What follows from the look after the judgement of a stage, where it found the canary unwell.
    pub(super) fn gone(&self, stage: usize) -> Option<ReleaseEvent> {
        let trouble = self.release.as_ref()?.gaps.looks.get(&stage)?.as_ref()?;
        let number = match self.request.stages.get(stage)? {
            Stage::Analyze(analyze) => analyze.number,
            Stage::Wait(_) | Stage::Approve(_) | Stage::Operate(_) => return None,
        };
        let late_min = self.late_by_ms(stage)? / 60_000;
        Some(ReleaseEvent::Decided {
            decision: Decision::RolledBack,
            cause: Cause::NoVerdict,
            reason: format!(
                "judgement {number} was made {late_min} min after its window, and now {trouble}"
            ),
            by: None,
        })
    }
}

/// What keeps the canary from being as it was when it was judged: it is gone, out of traffic, or not all of it is up.
#[must_use]
pub fn trouble(view: &View, canary: &GroupName) -> Option<String> {
    let Some(group) = view.group(canary) else {
        return Some(format!("there is no `{canary}` any more"));
    };
    if !group.enabled {
        return Some(format!("`{canary}` is disabled"));
    }
    let (up, asked) = (group.up(), group.capacity.desired);
    if up == 0 || up < asked {
        let down = group.instances.iter().find(|it| it.health != Health::Up);
        let said = down.and_then(|it| it.last_output.last());
        let said = said.map_or_else(String::new, |line| format!(", it said: {line}"));
        return Some(format!(
            "{up} of {asked} instances of `{canary}` are up{said}"
        ));
    }
    None
}
