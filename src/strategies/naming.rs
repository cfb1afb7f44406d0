//! Names of the server groups that a plan makes.

use super::found::PlanProblem;
use crate::model::release::cluster::{Place, Role, View};
use crate::model::release::names::{ClusterName, GroupName, NUMBERS};

/// The cluster that server groups of this role have beside production's: the same name with a detail more.
pub(super) fn cluster_for(place: &Place, role: Role) -> Result<ClusterName, PlanProblem> {
    let production = place.cluster.as_str();
    let text = match (role, production.contains('-')) {
        (Role::Production, _) => return Ok(place.cluster.clone()),
        // Without a stack, an empty one stands before the detail.
        (Role::Baseline | Role::Canary, false) => format!("{production}--{}", role.word()),
        (Role::Baseline | Role::Canary, true) => format!("{production}-{}", role.word()),
    };
    ClusterName::parse(&text).map_err(|error| PlanProblem {
        target: None,
        message: error.to_string(),
        hint: "choose a shorter or plainer name for the cluster".to_owned(),
    })
}

/// The next server group of a cluster: the number after that of the newest, which need not be the greatest, from 999 to 0
/// again, and past numbers that are in use. `v000` in an empty cluster.
pub(super) fn next_group(view: &View, cluster: &ClusterName) -> Result<GroupName, PlanProblem> {
    let there = || {
        view.groups
            .iter()
            .filter(|group| group.name.cluster() == *cluster)
    };
    let newest = there().max_by_key(|group| (group.created_ms, group.name.number()));
    let first = newest.map_or(0, |group| (group.name.number() + 1) % NUMBERS);
    (0..NUMBERS)
        .map(|distance| cluster.group((first + distance) % NUMBERS))
        .find(|name| view.group(name).is_none())
        .ok_or_else(|| PlanProblem {
            target: None,
            message: format!("all {NUMBERS} numbers of cluster `{cluster}` are taken"),
            hint: "remove server groups that serve no more".to_owned(),
        })
}
