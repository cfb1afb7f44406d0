//! What is settled late, from what was done: the steps that take a release back, and those that leave nothing behind.
//!
//! A step that was intended may have had its effect or not, so nothing here rests on it: every step is a state that shall be,
//! and asking for one that is there already is nothing. That is why these steps expect nothing of what they find.

use std::collections::{BTreeMap, BTreeSet};

use super::site::production;
use super::steps::{Receivers, Steps, enough};
use crate::config::release::spec::Strategy;
use crate::model::release::cluster::{Capacity, GroupView, Role, Share, Weights};
use crate::model::release::names::GroupName;
use crate::model::release::operation::Change;
use crate::model::release::step::Step;
use crate::stages::operate::Purpose;
use crate::stages::plan::{PlannedTarget, Release};

/// How long a server group is kept that was to be removed, where the spec does not say: a day.
const KEEP_MS: u64 = 86_400_000;

/// A step that was intended: its effect is there, or may be, or is not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Touched<'a> {
    /// The step.
    pub step: &'a Step,
    /// What its stage is for.
    pub purpose: Purpose,
}

/// How a release came to its cleanup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The new version serves, or nothing was to be promoted.
    Promoted,
    /// It was taken back: the steps of [`rollback`] are done.
    TakenBack,
    /// Nothing was ever intended.
    Untouched,
    /// Another release holds the cluster: its traffic is not ours.
    Superseded,
}

/// What was intended at one target.
#[derive(Debug, Default)]
struct Deeds<'a> {
    /// What was made, in its order, with its role and its last size.
    created: Vec<(&'a GroupName, Role)>,
    sizes: BTreeMap<&'a GroupName, Capacity>,
    /// The last shares.
    traffic: Option<&'a Weights>,
    disabled: BTreeSet<&'a GroupName>,
    enabled: BTreeSet<&'a GroupName>,
    expiring: BTreeSet<&'a GroupName>,
}

impl<'a> Deeds<'a> {
    fn at(
        target: &PlannedTarget,
        touched: &'a [Touched<'a>],
        of: impl Fn(Purpose) -> bool,
    ) -> Self {
        let mut deeds = Self::default();
        let here = touched
            .iter()
            .filter(|it| of(it.purpose) && it.step.operation.place == target.place);
        for it in here {
            match &it.step.operation.change {
                Change::CreateGroup {
                    group,
                    role,
                    capacity,
                    ..
                } => {
                    deeds.created.push((group, *role));
                    deeds.sizes.insert(group, *capacity);
                }
                Change::Resize { group, capacity } => {
                    deeds.sizes.insert(group, *capacity);
                }
                Change::SetTraffic { weights } => deeds.traffic = Some(weights),
                Change::Enable { group } => {
                    deeds.enabled.insert(group);
                }
                Change::Disable { group } => {
                    deeds.disabled.insert(group);
                }
                Change::SetExpiry { group, .. } => {
                    deeds.expiring.insert(group);
                }
                Change::OpenRouter { .. }
                | Change::AwaitHealthy { .. }
                | Change::DeleteGroup { .. } => {}
            }
        }
        deeds
    }

    fn has_made(&self, name: &GroupName) -> bool {
        self.created.iter().any(|(made, _)| *made == name)
    }

    fn made(&self, wanted: impl Fn(Role) -> bool) -> impl Iterator<Item = &'a GroupName> {
        self.created
            .iter()
            .filter(move |(_, role)| wanted(*role))
            .map(|(name, _)| *name)
    }

    fn size(&self, name: &GroupName) -> u32 {
        self.sizes.get(name).map_or(0, |capacity| capacity.desired)
    }
}

fn is_forward(purpose: Purpose) -> bool {
    match purpose {
        Purpose::Deploy | Purpose::Promote => true,
        Purpose::RollBack | Purpose::CleanUp => false,
    }
}

fn is_for_comparison(role: Role) -> bool {
    match role {
        Role::Baseline | Role::Canary => true,
        Role::Production => false,
    }
}

fn is_production(role: Role) -> bool {
    !is_for_comparison(role)
}

fn steps_at<'a>(release: &'a Release, target: &'a PlannedTarget) -> Steps<'a> {
    Steps {
        place: &target.place,
        limits: &release.spec.limits,
    }
}

/// What was done expects nothing of what it finds, and is not taken back itself.
fn late(step: Step) -> Step {
    Step {
        expect: None,
        undo: None,
        ..step
    }
}

/// The steps that take back what was intended, in this order: what served before is enabled and healthy, then has the
/// traffic again, then what is new is disabled, then sizes are as they were. Empty where nothing needs to be taken back.
/// Depends on nothing but its arguments.
///
/// Where nothing served before, what is new keeps the traffic once it was to have it: no traffic is never better than some.
#[must_use]
pub fn rollback(release: &Release, touched: &[Touched<'_>]) -> Vec<Step> {
    let all: Vec<(&PlannedTarget, Deeds<'_>)> = release
        .targets
        .iter()
        .map(|target| (target, Deeds::at(target, touched, is_forward)))
        .collect();
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
            .filter(|_| !target.previous.is_empty());
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
            if observed.is_some_and(|group| group.expires_ms.is_some()) {
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
}

/// What did not serve, and was enabled since.
fn was_enabled<'a>(
    target: &'a PlannedTarget,
    deeds: &'a Deeds<'_>,
) -> impl Iterator<Item = &'a GroupView> {
    production(&target.observed)
        .filter(|group| !group.enabled && deeds.enabled.contains(&group.name))
}

fn traffic_back(release: &Release, target: &PlannedTarget, deeds: &Deeds<'_>) -> Option<Step> {
    let last = deeds.traffic?;
    let make = steps_at(release, target);
    if target.weights.is_empty() {
        let next = target.next.as_ref()?;
        return Some(make.traffic(Receivers::One(next), &Weights::new(), last.clone()));
    }
    let to = Receivers::Before(&target.weights);
    Some(make.traffic(to, last, target.weights.clone()))
}

/// Sizes of groups that were there before and were changed since, as they were.
fn sizes_back(
    release: &Release,
    target: &PlannedTarget,
    deeds: &Deeds<'_>,
    wanted: impl Fn(&GroupView) -> bool,
) -> Vec<Step> {
    let make = steps_at(release, target);
    let observed = target.observed.groups.iter().filter(|group| wanted(group));
    observed
        .filter(|group| !deeds.has_made(&group.name))
        .filter_map(|group| {
            let last = deeds.sizes.get(&group.name)?;
            (*last != group.capacity).then(|| make.resize(&group.name, *last, group.capacity))
        })
        .collect()
}

/// The steps that leave nothing behind but what should be. `touched` has the steps of the rollback too, where there was one.
/// Depends on nothing but its arguments.
///
/// What served before is removed here and not in the promotion, so that everything up to the decision can be taken back.
#[must_use]
pub fn cleanup(release: &Release, outcome: Outcome, touched: &[Touched<'_>]) -> Vec<Step> {
    if outcome == Outcome::Untouched {
        return Vec::new();
    }
    let all: Vec<(&PlannedTarget, Deeds<'_>)> = release
        .targets
        .iter()
        .map(|target| {
            let deeds = Deeds::at(target, touched, |purpose| purpose != Purpose::CleanUp);
            (target, deeds)
        })
        .collect();
    let mut steps = Vec::new();
    if outcome != Outcome::Superseded {
        for (target, deeds) in &all {
            steps.extend(traffic_off_sides(release, target, deeds));
        }
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
    let to = Receivers::Before(&target.weights);
    Some(steps_at(release, target).traffic(to, last, target.weights.clone()))
}

/// What this release made and nobody needs.
fn doomed<'a>(
    target: &'a PlannedTarget,
    deeds: &'a Deeds<'_>,
    outcome: Outcome,
) -> impl Iterator<Item = &'a GroupName> {
    // What is new stays where it had to keep the traffic.
    let keeps = target.previous.is_empty() && deeds.traffic.is_some();
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
    let others = production(&target.observed).filter(|group| !deeds.has_made(&group.name));
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
