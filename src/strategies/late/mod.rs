//! What is settled late, from what was done: the steps that take a release back, and those that leave nothing behind.
//!
//! A step that was intended may have had its effect or not, so nothing here rests on it: every step is a state that shall be,
//! and asking for one that is there already is nothing. That is why these steps expect nothing of what they find.
//!
//! What is there at that moment is known where the place could be seen: nothing is asked of a server group that is gone.

mod cleanup;
mod rollback;
mod superseded;

pub use cleanup::cleanup;
pub use rollback::rollback;
pub use superseded::{is_owing, superseded};

use std::collections::{BTreeMap, BTreeSet};

use super::shares::scaled;
use super::steps::Steps;
use crate::model::release::cluster::{Capacity, GroupView, Role, Share, View, Weights};
use crate::model::release::names::GroupName;
use crate::model::release::operation::Change;
use crate::model::release::step::Step;
use crate::stages::operate::Purpose;
use crate::stages::plan::{PlannedTarget, Release};

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
    /// What is there, where that is known.
    now: Option<&'a View>,
}

impl<'a> Deeds<'a> {
    /// `now` is what is there, where that is known.
    fn at(
        target: &PlannedTarget,
        touched: &'a [Touched<'a>],
        of: impl Fn(Purpose) -> bool,
        now: Option<&'a View>,
    ) -> Self {
        let mut deeds = Self {
            now,
            ..Self::default()
        };
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

    /// Whether a server group is there, as far as is known.
    fn is_there(&self, name: &GroupName) -> bool {
        self.now.is_none_or(|view| view.group(name).is_some())
    }

    /// The shares of before, parted among those that are still there; empty where none is.
    fn shares_of_before(&self, target: &PlannedTarget) -> Weights {
        let there = target
            .weights
            .iter()
            .filter(|(name, _)| self.is_there(name));
        let there: Weights = there.map(|(name, share)| (name.clone(), *share)).collect();
        match there.len() == target.weights.len() {
            true => there,
            false => scaled(Share::ALL, &there),
        }
    }

    fn size(&self, name: &GroupName) -> u32 {
        self.sizes.get(name).map_or(0, |capacity| capacity.desired)
    }
}

/// All targets, each with what was intended there.
fn all<'a>(
    release: &'a Release,
    touched: &'a [Touched<'a>],
    of: impl Fn(Purpose) -> bool,
    present: &'a [Option<View>],
) -> Vec<(&'a PlannedTarget, Deeds<'a>)> {
    let targets = release.targets.iter().enumerate();
    targets
        .map(|(place, target)| {
            let now = present.get(place).and_then(Option::as_ref);
            (target, Deeds::at(target, touched, &of, now))
        })
        .collect()
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
        .filter(|group| !deeds.has_made(&group.name) && deeds.is_there(&group.name))
        .filter_map(|group| {
            let last = deeds.sizes.get(&group.name)?;
            (*last != group.capacity).then(|| make.resize(&group.name, *last, group.capacity))
        })
        .collect()
}

/// Whether what is new stays, because it had to keep the traffic: nothing of before is there to take it.
fn has_to_stay(target: &PlannedTarget, deeds: &Deeds<'_>) -> bool {
    let was_to_have = |name: &GroupName| {
        let last = deeds.traffic.and_then(|weights| weights.get(name));
        last.is_some_and(|share| *share > Share::NONE)
    };
    let none_of_before = deeds.shares_of_before(target).is_empty();
    let new_had_it = target.previous.is_empty() || target.next.as_ref().is_some_and(was_to_have);
    deeds.traffic.is_some() && none_of_before && new_had_it
}
