//! What belongs to others: why it keeps a plan from being made.

use super::found::{Found, PlanProblem};
use super::site::{Intent, production};
use crate::config::release::spec::{ReleaseSpec, Strategy};
use crate::model::release::cluster::{GroupView, Role, Share, View};

/// Groups of production that the plan would change and that are not ours.
pub(super) fn foreign(
    spec: &ReleaseSpec,
    found: &Found,
    groups: &[&GroupView],
    intent: Intent,
) -> Vec<PlanProblem> {
    let ends = intent.promotes
        && match spec.promotion.strategy {
            Strategy::Judge | Strategy::None | Strategy::Native => false,
            Strategy::Highlander | Strategy::RedBlack { .. } | Strategy::RollingRedBlack { .. } => {
                true
            }
        };
    let is_alone = ends && spec.promotion.strategy == Strategy::Highlander;
    let pins =
        |group: &GroupView| found.abilities.scaling && group.capacity != group.capacity.pinned();
    production(&found.view)
        .filter(|group| group.owner.is_none())
        .filter(|group| {
            let serves = groups.iter().any(|it| it.name == group.name);
            is_alone || serves && (ends || pins(group))
        })
        .map(|group| PlanProblem {
            target: None,
            message: format!(
                "`{}` was not made by a release, and the plan would change it",
                group.name
            ),
            hint: "only what releases made is changed; use strategy `none` for the first one, then take it out by hand".to_owned(),
        })
        .collect()
}

/// Baselines and canaries of others that have traffic.
pub(super) fn leftovers(view: &View) -> Vec<PlanProblem> {
    view.groups
        .iter()
        .filter(|group| group.role != Role::Production && view.share(&group.name) > Share::NONE)
        .map(|group| {
            let of = group.owner.as_ref().map_or_else(
                || "nobody known".to_owned(),
                |owner| format!("release `{}`", owner.execution),
            );
            PlanProblem {
                target: None,
                message: format!(
                    "`{}` of {of} has {} of the traffic",
                    group.name,
                    view.share(&group.name)
                ),
                hint: "wait until that release has ended, or abort it".to_owned(),
            }
        })
        .collect()
}
