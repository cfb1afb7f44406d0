//! What changed at a place since a plan was made.

use std::collections::BTreeSet;

use super::found::Found;
use super::site::production;
use crate::model::release::cluster::{GroupView, Share, View, Weights};
use crate::model::release::names::GroupName;
use crate::model::release::operation::{Change, Operation};
use crate::stages::Stage;
use crate::stages::plan::{Plan, PlannedTarget};

/// One difference that matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The target's name in the spec.
    pub target: String,
    /// What was, and what is, one sentence.
    pub sentence: String,
}

/// What differs from what the plan rests on, in a way that matters: server groups that are gone or new, their shares,
/// artifacts, templates and sizes, and whether they are enabled. More instances than were wanted are harmless, and so is that
/// a disabled group is gone which the plan has no use for.
#[must_use]
pub fn drift(plan: &Plan, found: &[Found]) -> Vec<Drift> {
    let targets = &plan.release.targets;
    let mut drifts: Vec<Drift> = targets
        .iter()
        .zip(found)
        .flat_map(|(target, found)| {
            at(target, &found.view).into_iter().map(|sentence| Drift {
                target: target.name.clone(),
                sentence,
            })
        })
        .collect();
    let unseen = targets.iter().skip(found.len());
    drifts.extend(unseen.map(|target| Drift {
        target: target.name.clone(),
        sentence: "it was not looked at".to_owned(),
    }));
    drifts
}

fn at(target: &PlannedTarget, now: &View) -> Vec<String> {
    let then = &target.observed;
    let mut sentences = Vec::new();
    for before in production(then) {
        match now.group(&before.name) {
            Some(after) => sentences.extend(changes(before, after)),
            None if before.enabled || target.next.as_ref() == Some(&before.name) => {
                sentences.push(format!("`{}` is gone", before.name));
            }
            None => {}
        }
    }
    let new = production(now).filter(|group| then.group(&group.name).is_none());
    sentences.extend(new.map(|group| {
        let (name, version) = (&group.name, &group.artifact.version);
        format!("`{name}` is new, with version `{version}`")
    }));
    for name in [&target.baseline, &target.canary].into_iter().flatten() {
        if now.group(name).is_some() && then.group(name).is_none() {
            sentences.push(format!("`{name}` is new, and the plan would make it"));
        }
    }
    match (&then.router, &now.router) {
        (Some(_), None) => sentences.push("the router is gone".to_owned()),
        (None, Some(_)) => sentences.push("there is a router now".to_owned()),
        (Some(before), Some(after)) => {
            let (before, after) = (named(&before.weights), named(&after.weights));
            if before != after {
                sentences.push(format!(
                    "the traffic was parted {}, and is parted {}",
                    parts(&before),
                    parts(&after)
                ));
            }
        }
        (None, None) => {}
    }
    sentences
}

fn changes(before: &GroupView, after: &GroupView) -> Vec<String> {
    let name = &before.name;
    let mut sentences = Vec::new();
    if before.artifact != after.artifact {
        let (was, is) = (&before.artifact.version, &after.artifact.version);
        sentences.push(format!("`{name}` had version `{was}`, and has `{is}`"));
    } else if before.template != after.template {
        sentences.push(format!("`{name}` is run in another way"));
    }
    if before.enabled != after.enabled {
        let word = |enabled| if enabled { "enabled" } else { "disabled" };
        let (was, is) = (word(before.enabled), word(after.enabled));
        sentences.push(format!("`{name}` was {was}, and is {is}"));
    }
    let (was, is) = (before.capacity, after.capacity);
    if is.desired < was.desired || (is.min, is.max) != (was.min, was.max) {
        sentences.push(format!("`{name}` had {was} instances, and has {is}"));
    }
    sentences
}

fn named(weights: &Weights) -> Vec<(&GroupName, Share)> {
    let some = weights.iter().filter(|(_, share)| **share > Share::NONE);
    some.map(|(name, share)| (name, *share)).collect()
}

fn parts(weights: &[(&GroupName, Share)]) -> String {
    let parts: Vec<String> = weights
        .iter()
        .map(|(name, share)| format!("{share} to `{name}`"))
        .collect();
    match parts.is_empty() {
        true => "to nobody".to_owned(),
        false => parts.join(", "),
    }
}

/// The server groups that a plan needs, does not make, and that are gone: one sentence for each. For a plan that is carried out
/// whatever else changed, like one that takes a release back.
#[must_use]
pub fn gone(plan: &Plan, found: &[Found]) -> Vec<Drift> {
    let mut drifts = Vec::new();
    for (target, found) in plan.release.targets.iter().zip(found) {
        let (mut made, mut gone) = (BTreeSet::new(), BTreeSet::new());
        for operation in forward(plan).filter(|it| it.place == target.place) {
            let needed: Vec<&GroupName> = match &operation.change {
                Change::CreateGroup { group, .. } => {
                    made.insert(group);
                    Vec::new()
                }
                Change::Enable { group }
                | Change::Resize { group, .. }
                | Change::AwaitHealthy { group, .. } => vec![group],
                Change::SetTraffic { weights } => {
                    let has_some = |(_, share): &(_, &Share)| **share > Share::NONE;
                    weights.iter().filter(has_some).map(|it| it.0).collect()
                }
                Change::OpenRouter { .. }
                | Change::Disable { .. }
                | Change::SetExpiry { .. }
                | Change::DeleteGroup { .. } => Vec::new(),
            };
            let is_gone =
                |name: &&GroupName| !made.contains(*name) && found.view.group(name).is_none();
            gone.extend(needed.into_iter().filter(is_gone));
        }
        drifts.extend(gone.into_iter().map(|name| Drift {
            target: target.name.clone(),
            sentence: format!("`{name}` is gone"),
        }));
    }
    drifts
}

fn forward(plan: &Plan) -> impl Iterator<Item = &Operation> {
    let operates = plan.stages.iter().filter_map(|stage| match stage {
        Stage::Operate(operate) => Some(operate),
        Stage::Wait(_) | Stage::Analyze(_) | Stage::Approve(_) => None,
    });
    operates.flat_map(|operate| operate.steps.iter().map(|step| &step.operation))
}
