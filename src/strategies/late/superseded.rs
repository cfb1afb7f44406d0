//! What a release leaves behind that another took over from.
//!
//! Production is the other's: only baseline and canary are removed, and they have no traffic once the other parted it anew. But
//! the other may end without touching what this one did: then this one takes its own share out of the traffic, and gives back
//! the sizes that it pinned; a new version that was on its way and still has traffic is taken back as a whole. That needs the
//! place, which has one master at a time.

use super::cleanup::{cleanup, is_no_cleanup};
use super::rollback::rollback;
use super::{Deeds, Outcome, Touched, all, is_for_comparison, is_production, late, steps_at};
use crate::model::release::cluster::{Capacity, GroupView, Role, Share, View, Weights};
use crate::model::release::names::GroupName;
use crate::model::release::step::Step;
use crate::stages::operate::Purpose;
use crate::stages::plan::{PlannedTarget, Release};
use crate::strategies::shares::scaled;
use crate::strategies::site::production;
use crate::strategies::steps::Receivers;

/// For each target, whether something of this release is in production there still: a share of its baseline or canary, a size
/// that it pinned, or, where it is not promoted, a share of the new version. False where the place could not be seen.
#[must_use]
pub fn is_owing(
    release: &Release,
    is_promoted: bool,
    touched: &[Touched<'_>],
    present: &[Option<View>],
) -> Vec<bool> {
    let all = all(release, touched, is_no_cleanup, present);
    all.iter()
        .map(|(target, deeds)| {
            deeds.now.is_some_and(|now| {
                has_share(now, deeds, is_for_comparison)
                    || !is_promoted && has_share(now, deeds, is_production)
                    || pinned(target, deeds, now).next().is_some()
            })
        })
        .collect()
}

/// The steps that leave nothing behind, target by target; `is_ours` says for each whether the release is its master again.
/// Depends on nothing but its arguments.
#[must_use]
pub fn superseded(
    release: &Release,
    is_promoted: bool,
    touched: &[Touched<'_>],
    present: &[Option<View>],
    is_ours: &[bool],
) -> Vec<Step> {
    let all = all(release, touched, is_no_cleanup, present);
    let mut steps = Vec::new();
    for (place, (target, deeds)) in all.iter().enumerate() {
        let make = steps_at(release, target);
        let is_ours = is_ours.get(place).copied().unwrap_or_default();
        let ours = deeds.now.filter(|_| is_ours);
        if let Some(now) = ours
            && !is_promoted
            && has_share(now, deeds, is_production)
        {
            steps.extend(all_of_it(release, target, touched, now));
            continue;
        }
        if let Some(now) = ours {
            steps.extend(traffic_off(release, target, deeds, now));
            for (group, before) in pinned(target, deeds, now) {
                steps.push(make.resize(&group.name, group.capacity, before));
            }
        }
        let sides = || deeds.made(is_for_comparison);
        for name in sides().filter(|name| !deeds.disabled.contains(name)) {
            steps.push(make.disable(name, "then removed"));
        }
        for name in sides() {
            steps.push(make.delete(name, deeds.size(name)));
        }
    }
    steps.into_iter().map(late).collect()
}

fn weights(now: &View) -> Weights {
    let router = now.router.as_ref();
    router
        .map(|router| router.weights.clone())
        .unwrap_or_default()
}

/// The way back and the cleanup of one target.
fn all_of_it(
    release: &Release,
    target: &PlannedTarget,
    touched: &[Touched<'_>],
    now: &View,
) -> Vec<Step> {
    let here = Release {
        spec: std::sync::Arc::clone(&release.spec),
        targets: vec![target.clone()],
    };
    let present = [Some(now.clone())];
    let mut steps = rollback(&here, touched, &present);
    let mut done = touched.to_vec();
    done.extend(steps.iter().map(|step| Touched {
        step,
        purpose: Purpose::RollBack,
    }));
    let rest = cleanup(&here, Outcome::TakenBack, &done, &present);
    steps.extend(rest);
    steps
}

fn has_share(now: &View, deeds: &Deeds<'_>, of: impl Fn(Role) -> bool) -> bool {
    deeds
        .made(of)
        .any(|name| now.group(name).is_some() && now.share(name) > Share::NONE)
}

/// What our baseline and canary have goes to the others, as they have it now, or as those of before had it.
fn traffic_off(
    release: &Release,
    target: &PlannedTarget,
    deeds: &Deeds<'_>,
    now: &View,
) -> Option<Step> {
    if !has_share(now, deeds, is_for_comparison) {
        return None;
    }
    let last = weights(now);
    let is_ours = |name: &GroupName| deeds.made(is_for_comparison).any(|made| made == name);
    let others = last
        .iter()
        .filter(|(name, share)| !is_ours(name) && **share > Share::NONE);
    let others: Weights = others.map(|(name, share)| (name.clone(), *share)).collect();
    let to = match others.is_empty() {
        true => deeds.shares_of_before(target),
        false => scaled(Share::ALL, &others),
    };
    let make = steps_at(release, target);
    (!to.is_empty()).then(|| make.traffic(Receivers::Before(&to), &last, to.clone()))
}

/// What served before, still serves, and has the very size that this release gave it; with the size of before.
fn pinned<'a>(
    target: &'a PlannedTarget,
    deeds: &'a Deeds<'_>,
    now: &'a View,
) -> impl Iterator<Item = (&'a GroupView, Capacity)> {
    production(&target.observed)
        .filter(|before| !deeds.has_made(&before.name))
        .filter_map(|before| {
            let group = now.group(&before.name).filter(|group| group.enabled)?;
            let given = deeds.sizes.get(&group.name)?;
            (group.capacity == *given && *given != before.capacity)
                .then_some((group, before.capacity))
        })
}
