//! The way back.

use super::{
    Deeds, Touched, all, has_to_stay, is_forward, is_production, late, sizes_back, steps_at,
};
use crate::model::release::cluster::{GroupView, Share, View, Weights};
use crate::model::release::step::Step;
use crate::stages::plan::{PlannedTarget, Release};
use crate::strategies::site::production;
use crate::strategies::steps::{Receivers, enough};

/// How long a server group is kept that was to be removed, where the spec does not say: a day.
const KEEP_MS: u64 = 86_400_000;

/// The steps that take back what was intended, in this order: what served before is enabled and healthy, then has the
/// traffic again, then what is new is disabled, then sizes are as they were. Empty where nothing needs to be taken back.
/// Depends on nothing but its arguments. `present` is what is there now, target by target: `None`, or nothing at all, where
/// that is not known, and then everything is taken to be there.
///
/// What served before and is gone is passed over; its share goes to the others of before. Where nothing of before is there,
/// or nothing served before, what is new keeps the traffic once it was to have it: no traffic is never better than some.
#[must_use]
pub fn rollback(release: &Release, touched: &[Touched<'_>], present: &[Option<View>]) -> Vec<Step> {
    let all = all(release, touched, is_forward, present);
    let mut steps = Vec::new();
    for (target, deeds) in &all {
        let make = steps_at(release, target);
        for group in was_disabled(target, deeds) {
            steps.push(make.enable(&group.name));
        }
    }
    for (target, deeds) in &all {
        let make = steps_at(release, target);
        for group in was_disabled(target, deeds).filter(|group| group.capacity.desired > 0) {
            let size = group.capacity.desired;
            steps.push(make.await_healthy(&group.name, enough(size), size));
        }
    }
    for (target, deeds) in &all {
        steps.extend(traffic_back(release, target, deeds));
    }
    for (target, deeds) in &all {
        let make = steps_at(release, target);
        let new = deeds
            .made(is_production)
            .filter(|name| !has_to_stay(target, deeds) && deeds.is_there(name));
        for name in new.filter(|_| deeds.traffic.is_some()) {
            steps.push(make.disable(name, "then removed"));
        }
        for group in was_enabled(target, deeds) {
            steps.push(make.disable(&group.name, "as before"));
        }
    }
    for (target, deeds) in &all {
        steps.extend(sizes_back(release, target, deeds, |_| true));
        let make = steps_at(release, target);
        for name in &deeds.expiring {
            let observed = target.observed.group(name);
            let expires = observed.is_some_and(|group| group.expires_ms.is_some());
            if expires && deeds.is_there(name) {
                let keep_ms = match release.spec.promotion.previous.keep_ms {
                    0 => KEEP_MS,
                    keep_ms => keep_ms,
                };
                steps.push(make.expire(name, Some(keep_ms)));
            }
        }
    }
    steps.into_iter().map(late).collect()
}

/// What served, and was disabled since.
fn was_disabled<'a>(
    target: &'a PlannedTarget,
    deeds: &'a Deeds<'_>,
) -> impl Iterator<Item = &'a GroupView> {
    production(&target.observed)
        .filter(|group| group.enabled && deeds.disabled.contains(&group.name))
        .filter(|group| deeds.is_there(&group.name))
}

/// What did not serve, and was enabled since.
fn was_enabled<'a>(
    target: &'a PlannedTarget,
    deeds: &'a Deeds<'_>,
) -> impl Iterator<Item = &'a GroupView> {
    production(&target.observed)
        .filter(|group| !group.enabled && deeds.enabled.contains(&group.name))
        .filter(|group| deeds.is_there(&group.name))
}

fn traffic_back(release: &Release, target: &PlannedTarget, deeds: &Deeds<'_>) -> Option<Step> {
    let last = deeds.traffic?;
    let make = steps_at(release, target);
    let before = deeds.shares_of_before(target);
    if before.is_empty() {
        let next = target.next.as_ref().filter(|next| deeds.is_there(next))?;
        let to_next = Weights::from([(next.clone(), Share::ALL)]);
        let was_to_have_it = last.get(next).is_some_and(|share| *share > Share::NONE);
        let weights = match target.weights.is_empty() {
            true => last.clone(),
            false if was_to_have_it => to_next,
            // What is new never had traffic, and nothing of before is there: it is left as it is.
            false => return None,
        };
        return Some(make.traffic(Receivers::One(next), &Weights::new(), weights));
    }
    Some(make.traffic(Receivers::Before(&before), last, before.clone()))
}
