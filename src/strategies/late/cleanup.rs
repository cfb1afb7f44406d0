//! What is left behind when a release is over: nothing but what should be.

use super::superseded::superseded;
use super::{
    Deeds, Outcome, Touched, all, has_to_stay, is_for_comparison, late, sizes_back, steps_at,
};
use crate::config::release::spec::Strategy;
use crate::model::release::cluster::{Capacity, GroupView, Share, View};
use crate::model::release::names::GroupName;
use crate::model::release::step::Step;
use crate::stages::operate::Purpose;
use crate::stages::plan::{PlannedTarget, Release};
use crate::strategies::site::production;
use crate::strategies::steps::Receivers;

/// The steps that leave nothing behind but what should be. `touched` has the steps of the rollback too, where there was one.
/// Depends on nothing but its arguments; `present` is as for [`rollback`](super::rollback()).
///
/// What served before is removed here and not in the promotion, so that everything up to the decision can be taken back.
#[must_use]
pub fn cleanup(
    release: &Release,
    outcome: Outcome,
    touched: &[Touched<'_>],
    present: &[Option<View>],
) -> Vec<Step> {
    match outcome {
        Outcome::Promoted | Outcome::TakenBack => {}
        Outcome::Untouched => return Vec::new(),
        Outcome::Superseded => return superseded(release, false, touched, present, &[]),
    }
    let all = all(release, touched, is_no_cleanup, present);
    let mut steps = Vec::new();
    for (target, deeds) in &all {
        steps.extend(traffic_off_sides(release, target, deeds));
    }
    for (target, deeds) in &all {
        let make = steps_at(release, target);
        for name in doomed(target, deeds, outcome).filter(|name| !deeds.disabled.contains(name)) {
            steps.push(make.disable(name, "then removed"));
        }
    }
    for (target, deeds) in &all {
        let make = steps_at(release, target);
        for name in doomed(target, deeds, outcome) {
            steps.push(make.delete(name, deeds.size(name)));
        }
    }
    if outcome == Outcome::Promoted {
        for (target, deeds) in &all {
            steps.extend(fate_of_previous(release, target, deeds));
        }
    }
    steps.into_iter().map(late).collect()
}

/// Baseline and canary have no traffic, where they could still have some.
fn traffic_off_sides(release: &Release, target: &PlannedTarget, deeds: &Deeds<'_>) -> Option<Step> {
    let last = deeds.traffic?;
    let has_share = |name: &&GroupName| last.get(*name).copied().unwrap_or_default() > Share::NONE;
    deeds.made(is_for_comparison).find(has_share)?;
    let before = deeds.shares_of_before(target);
    if before.is_empty() {
        return None;
    }
    let make = steps_at(release, target);
    Some(make.traffic(Receivers::Before(&before), last, before.clone()))
}

/// What this release made and nobody needs.
fn doomed<'a>(
    target: &'a PlannedTarget,
    deeds: &'a Deeds<'_>,
    outcome: Outcome,
) -> impl Iterator<Item = &'a GroupName> {
    let keeps = has_to_stay(target, deeds);
    deeds.made(move |role| match outcome {
        Outcome::Promoted | Outcome::Superseded => is_for_comparison(role),
        Outcome::TakenBack => is_for_comparison(role) || !keeps,
        Outcome::Untouched => false,
    })
}

/// What becomes of the groups that served before, and of their sizes.
fn fate_of_previous(release: &Release, target: &PlannedTarget, deeds: &Deeds<'_>) -> Vec<Step> {
    let make = steps_at(release, target);
    let promotion = &release.spec.promotion;
    let is_alone = promotion.strategy == Strategy::Highlander && target.next.is_some();
    let is_over = |group: &GroupView| deeds.disabled.contains(&group.name);
    let others = production(&target.observed)
        .filter(|group| !deeds.has_made(&group.name) && deeds.is_there(&group.name));
    let mut steps = Vec::new();
    for group in others {
        let size = deeds
            .sizes
            .get(&group.name)
            .map_or(group.capacity, |capacity| *capacity);
        if is_alone || is_over(group) && promotion.previous.keep_ms == 0 {
            steps.push(make.delete(&group.name, size.desired));
        } else if is_over(group) {
            let kept = match promotion.previous.scale_down {
                true => Capacity::fixed(0),
                false => group.capacity,
            };
            if size != kept {
                steps.push(make.resize(&group.name, size, kept));
            }
            steps.push(make.expire(&group.name, Some(promotion.previous.keep_ms)));
        }
    }
    let served = |group: &GroupView| target.previous.iter().any(|it| it.name == group.name);
    steps.extend(sizes_back(release, target, deeds, |group| {
        served(group) && !is_over(group) && !is_alone
    }));
    steps
}

pub(super) fn is_no_cleanup(purpose: Purpose) -> bool {
    purpose != Purpose::CleanUp
}
