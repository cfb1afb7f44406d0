//! Whether production stays served.
//!
//! An instance serves where it is up, the router sends traffic to it, and its group is enabled and has a share of the traffic.
//! Unknown, starting and draining instances do not. What serves after an operation is compared with what serves now; baseline
//! and canary count for what is left, but not for what there is to lose, because they are made to be removed. Nor do more
//! instances than can be at work as the traffic is parted.

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
                let left = serving(view, &view_weights(view)) - (ready - capacity.desired);
                weighed(view, left, rule)
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

/// How many instances serve with these shares.
fn serving(view: &View, weights: &Weights) -> u32 {
    counted(view, weights, |_| true)
}

fn counted(view: &View, weights: &Weights, of: impl Fn(&GroupView) -> bool) -> u32 {
    let has_share = |name| weights.get(name).is_some_and(|share| *share > Share::NONE);
    view.groups
        .iter()
        .filter(|group| group.enabled && has_share(&group.name) && of(group))
        .fold(0, |sum, group| sum.saturating_add(ready(group)))
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
    weighed(view, serving(view, weights), rule)
}

/// Whether what is left is enough.
fn weighed(view: &View, left: u32, rule: &GuardSpec) -> Finding {
    let weights = view_weights(view);
    let serves: Vec<(u32, Share, Role)> = view
        .groups
        .iter()
        .filter(|group| group.enabled)
        .map(|group| (ready(group), view.share(&group.name), group.role))
        .filter(|(ready, share, _)| *ready > 0 && *share > Share::NONE)
        .collect();
    let has_production = serves.iter().any(|(.., role)| *role == Role::Production);
    let counts = |role: Role| !has_production || role == Role::Production;
    let all = counted(view, &weights, |group| counts(group.role));
    // What the groups could carry at most, parted as the traffic is: a group with little of it does not count with all of
    // its instances, so that a rollout that is nearly through is not measured by what it replaces.
    let carried = serves
        .iter()
        .filter(|(.., role)| counts(*role))
        .map(|(ready, share, _)| {
            let whole = u64::from(*ready) * u64::from(Share::ALL.basis_points());
            whole / u64::from(share.basis_points())
        })
        .min();
    let carried = carried.map_or(0, |most| u32::try_from(most).unwrap_or(u32::MAX));
    let now = all.min(carried);
    if now == 0 {
        let sentence = format!("{left} instances serve after it, and none does now");
        return Finding::Holds { sentence };
    }
    let of_which = if now < all {
        format!(", of which {now} count as the traffic is parted")
    } else {
        String::new()
    };
    let sentence = format!("{left} instances serve after it, {all} do now{of_which}");
    if left >= now {
        return Finding::Holds { sentence };
    }
    let least = u64::from(now) * u64::from(rule.least_share.basis_points());
    if u64::from(left) * u64::from(Share::ALL.basis_points()) < least {
        return denied(format!("{sentence}; at least {} must", rule.least_share));
    }
    let fewest = rule.least_instances.max(1);
    if left < fewest {
        return denied(format!("{sentence}; at least {fewest} must"));
    }
    Finding::Holds { sentence }
}
