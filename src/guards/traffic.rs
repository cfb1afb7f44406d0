//! Whether production stays served.
//!
//! An instance serves where it is up, the router sends traffic to it, and its group is enabled and has a share of the traffic.
//! Unknown, starting and draining instances do not. What serves after an operation is compared with what serves now; baseline
//! and canary count for what is left, but not for what there is to lose, because they are made to be removed.
//!
//! Neither before nor after do more instances count than can be at work as the traffic is parted: one instance that gets half
//! of the traffic is the measure of all, since the traffic that it cannot carry goes nowhere else. Before, a group that is
//! still growing counts as large as it shall be, so that a new version that is weak does not make the measure small by which
//! its next share is weighed.

use crate::config::release::spec::GuardSpec;
use crate::model::release::cluster::{GroupView, Health, Role, Share, View, Weights};
use crate::model::release::names::GroupName;
use crate::model::release::operation::Change;

/// What a guard found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It may be done.
    Holds {
        /// With which numbers: `40 of 40 instances serve after it`.
        sentence: String,
    },
    /// It must not be done.
    Denied {
        /// Why, with the numbers.
        sentence: String,
    },
    /// The operation takes nothing away that serves.
    NotConcerned,
}

/// Whether `change` may be done to what `view` shows: enough of the instances that serve now serve after it
/// (`rule.least_share`, which is met where it is reached exactly, and `rule.least_instances`), unless no fewer serve than
/// before, or nothing serves now; and no group has a share of the traffic without an instance that serves.
#[must_use]
pub fn traffic(view: &View, change: &Change, rule: &GuardSpec) -> Finding {
    match change {
        Change::OpenRouter { .. }
        | Change::CreateGroup { .. }
        | Change::AwaitHealthy { .. }
        | Change::Enable { .. }
        | Change::SetExpiry { lives_ms: None, .. } => Finding::NotConcerned,
        Change::SetTraffic { weights } => parted(view, weights, rule),
        Change::Resize { group, capacity } => {
            let Some(found) = view.group(group) else {
                return Finding::NotConcerned;
            };
            let (share, ready) = (view.share(group), ready(found));
            if !found.enabled || share == Share::NONE || capacity.desired >= ready {
                Finding::NotConcerned
            } else if capacity.desired == 0 {
                denied(format!("`{group}` has {share} of the traffic"))
            } else {
                let shrunk = |it: &GroupView| match it.name == *group {
                    true => capacity.desired,
                    false => self::ready(it),
                };
                let weights = view_weights(view);
                weighed(view, &weights, left(view, &weights, shrunk), rule)
            }
        }
        Change::Disable { group } | Change::DeleteGroup { group } => ended(view, group),
        Change::SetExpiry { group, .. } => ended(view, group),
    }
}

fn denied(sentence: String) -> Finding {
    Finding::Denied { sentence }
}

fn view_weights(view: &View) -> Weights {
    let weights = view.router.as_ref().map(|router| router.weights.clone());
    weights.unwrap_or_default()
}

/// How many instances of a group could serve.
fn ready(group: &GroupView) -> u32 {
    let ready = group
        .instances
        .iter()
        .filter(|it| it.health == Health::Up && it.registered);
    u32::try_from(ready.count()).unwrap_or(u32::MAX)
}

/// The groups that serve with these shares, each with its share.
fn receivers<'a>(
    view: &'a View,
    weights: &'a Weights,
) -> impl Iterator<Item = (&'a GroupView, Share)> {
    let enabled = view.groups.iter().filter(|group| group.enabled);
    enabled.filter_map(|group| {
        let share = weights.get(&group.name).copied()?;
        (share > Share::NONE).then_some((group, share))
    })
}

/// How many instances can be at work where each group has so many and gets this share: as many as the weakest group allows.
/// `None` where no group is given.
fn carried(groups: impl Iterator<Item = (u32, Share)>) -> Option<u32> {
    let most = groups.map(|(instances, share)| {
        u64::from(instances) * u64::from(Share::ALL.basis_points())
            / u64::from(share.basis_points())
    });
    most.min()
        .map(|most| u32::try_from(most).unwrap_or(u32::MAX))
}

fn is_production(group: &GroupView) -> bool {
    match group.role {
        Role::Production => true,
        Role::Baseline | Role::Canary => false,
    }
}

/// What serves after an operation.
struct Left {
    /// How many instances.
    all: u32,
    /// How many of them count as the traffic is parted.
    counts: u32,
}

fn left(view: &View, weights: &Weights, ready: impl Fn(&GroupView) -> u32) -> Left {
    let all =
        receivers(view, weights).fold(0_u32, |sum, (group, _)| sum.saturating_add(ready(group)));
    // Baseline and canary are as small as the spec says, and judged by what that does to them.
    let production = receivers(view, weights).filter(|(group, _)| is_production(group));
    let carried = carried(production.map(|(group, share)| (ready(group), share)));
    Left {
        all,
        counts: carried.map_or(all, |carried| all.min(carried)),
    }
}

/// A group that serves no more must have no share. One that is not there, or is disabled, takes nothing away.
fn ended(view: &View, name: &GroupName) -> Finding {
    match view.group(name) {
        Some(group) if group.enabled && view.share(name) > Share::NONE => {
            denied(format!("`{name}` has {} of the traffic", view.share(name)))
        }
        Some(_) | None => Finding::NotConcerned,
    }
}

fn parted(view: &View, weights: &Weights, rule: &GuardSpec) -> Finding {
    if view.router.is_none() {
        return denied("there is no router whose traffic could be parted".to_owned());
    }
    let sum: u64 = weights
        .values()
        .map(|share| u64::from(share.basis_points()))
        .sum();
    if sum != u64::from(Share::ALL.basis_points()) {
        let percent = sum / 100;
        return denied(format!(
            "the shares add up to {percent}%, not to all traffic"
        ));
    }
    for (name, share) in weights.iter().filter(|(_, share)| **share > Share::NONE) {
        let why = match view.group(name) {
            None => "is not there",
            Some(group) if !group.enabled => "is disabled",
            Some(group) if ready(group) == 0 => "has no healthy instance",
            Some(_) => continue,
        };
        return denied(format!(
            "`{name}` {why}, and would get {share} of the traffic"
        ));
    }
    weighed(view, weights, left(view, weights, ready), rule)
}

/// Whether what is left with the shares `to` is enough.
fn weighed(view: &View, to: &Weights, left: Left, rule: &GuardSpec) -> Finding {
    let weights = view_weights(view);
    let serves: Vec<(&GroupView, Share)> = receivers(view, &weights)
        .filter(|(group, _)| ready(group) > 0)
        .collect();
    let has_production = serves.iter().any(|(group, _)| is_production(group));
    let to_lose = || {
        let counts = |group: &GroupView| !has_production || is_production(group);
        serves.iter().filter(move |(group, _)| counts(group))
    };
    let all = to_lose().fold(0_u32, |sum, (group, _)| sum.saturating_add(ready(group)));
    let carried = carried(to_lose().map(|(group, share)| {
        let grows = to.get(&group.name).is_some_and(|then| then > share);
        let instances = match grows {
            true => ready(group).max(group.capacity.desired),
            false => ready(group),
        };
        (instances, *share)
    }));
    let now = carried.map_or(all, |carried| all.min(carried));
    if now == 0 {
        let sentence = format!("{} instances serve after it, and none does now", left.all);
        return Finding::Holds { sentence };
    }
    let of_which = |counts: u32, all: u32| match counts < all {
        true => format!(", of which {counts} count as the traffic is parted"),
        false => String::new(),
    };
    let sentence = format!(
        "{} instances serve after it{}, {all} do now{}",
        left.all,
        of_which(left.counts, left.all),
        of_which(now, all)
    );
    if left.counts >= now {
        return Finding::Holds { sentence };
    }
    let least = u64::from(now) * u64::from(rule.least_share.basis_points());
    if u64::from(left.counts) * u64::from(Share::ALL.basis_points()) < least {
        return denied(format!("{sentence}; at least {} must", rule.least_share));
    }
    let fewest = rule.least_instances.max(1);
    if left.counts < fewest {
        return denied(format!("{sentence}; at least {fewest} must"));
    }
    Finding::Holds { sentence }
}
