//! What is at the places of a release: traffic asked, confirmed and measured, instances asked and ready.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::At;
use crate::executions::release::desk::Look;
use crate::executions::state::State;
use crate::model::release::cluster::{
    Capacity, GroupView, Health, Place, Role, Share, View, Weights,
};
use crate::model::release::names::GroupName;
use crate::model::release::operation::Change;
use crate::stages::plan::{PlannedTarget, Release};

/// Traffic and instances of one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetStatus {
    /// Its name in the spec.
    pub name: String,
    /// Where: account, location, cluster.
    pub place: String,
    /// When it was looked at; absent where it is out of reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<At>,
    /// Why it could not be looked at; absent where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<String>,
    /// Where people's requests go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<String>,
    /// Requests of the last minute, where the driver counts.
    pub requests: u64,
    /// How many of them had no answer, or a 5xx.
    pub failed_requests: u64,
    /// Its server groups: canary, baseline, production.
    pub groups: Vec<GroupStatus>,
}

/// One server group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupStatus {
    /// Its name.
    pub name: String,
    /// `canary`, `baseline`, `production`.
    pub role: String,
    /// What people call it: its role, with its number where several have it.
    pub label: String,
    /// The version in it.
    pub version: String,
    /// Traffic in percent.
    pub traffic: TrafficStatus,
    /// Instances.
    pub instances: InstancesStatus,
    /// Those that are not up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trouble: Vec<InstanceTrouble>,
}

/// Traffic of a server group in percent, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TrafficStatus {
    /// What the release asked for last.
    pub asked: f64,
    /// What the router was read back to have; absent where it is out of reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<f64>,
    /// The share of the requests of the last minute; absent without requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<f64>,
}

/// Instances of a server group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct InstancesStatus {
    /// How many were asked for.
    pub asked: u32,
    /// How many are up; absent where the place is out of reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<u32>,
    /// How often any of them was started anew.
    pub restarts: u32,
}

/// An instance that is not up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstanceTrouble {
    /// Its name.
    pub id: String,
    /// `starting`, `down`, `outOfService`, `draining`, `unknown`.
    pub health: String,
    /// How often it was started anew.
    pub restarts: u32,
    /// The last lines that it wrote.
    pub last_output: Vec<String>,
}

/// What a release asked for last at a place.
struct Asked {
    weights: Weights,
    sizes: BTreeMap<GroupName, Capacity>,
}

impl Asked {
    fn of(state: &State, target: &PlannedTarget) -> Self {
        let mut asked = Self {
            weights: target.weights.clone(),
            sizes: BTreeMap::new(),
        };
        let touched = state.operations().flat_map(|(_, _, state)| state.touched());
        for (step, _) in touched.filter(|(step, _)| step.operation.place == target.place) {
            match &step.operation.change {
                Change::SetTraffic { weights } => asked.weights.clone_from(weights),
                Change::CreateGroup {
                    group, capacity, ..
                }
                | Change::Resize { group, capacity } => {
                    asked.sizes.insert(group.clone(), *capacity);
                }
                Change::DeleteGroup { group } => {
                    asked.sizes.remove(group);
                }
                Change::OpenRouter { .. }
                | Change::AwaitHealthy { .. }
                | Change::Enable { .. }
                | Change::Disable { .. }
                | Change::SetExpiry { .. } => {}
            }
        }
        asked
    }

    fn share(&self, group: &GroupName) -> Share {
        self.weights.get(group).copied().unwrap_or_default()
    }
}

/// All targets, in the order of the spec.
pub(super) fn targets(state: &State, release: &Release, look: &Look) -> Vec<TargetStatus> {
    let view_of = |place: &Place| look.views.iter().find(|view| view.place == *place);
    let all = release.targets.iter();
    all.map(|target| TargetStatus {
        unseen: look.unseen.get(&target.place).cloned(),
        ..self::target(state, release, target, view_of(&target.place))
    })
    .collect()
}

fn target(
    state: &State,
    release: &Release,
    target: &PlannedTarget,
    view: Option<&View>,
) -> TargetStatus {
    let asked = Asked::of(state, target);
    let router = view.and_then(|view| view.router.as_ref());
    let mut shown: Vec<(Role, GroupName)> = Vec::new();
    let mut show = |role: Role, group: &GroupName| {
        if !shown.iter().any(|(_, known)| known == group) {
            shown.push((role, group.clone()));
        }
    };
    let is_there = |group: &GroupName| {
        asked.sizes.contains_key(group) || view.is_some_and(|view| view.group(group).is_some())
    };
    let tried = [
        (Role::Canary, &target.canary),
        (Role::Baseline, &target.baseline),
        (Role::Production, &target.next),
    ];
    for (role, group) in tried {
        if let Some(group) = group.as_ref().filter(|group| is_there(group)) {
            show(role, group);
        }
    }
    for group in &target.previous {
        show(Role::Production, &group.name);
    }
    // What is not of the plan is shown where it serves.
    for group in view.map_or(&[][..], |view| &view.groups) {
        if router.is_some_and(|router| router.weights.contains_key(&group.name)) {
            show(group.role, &group.name);
        }
    }
    shown.sort_by_key(|(role, _)| match role {
        Role::Canary => 0,
        Role::Baseline => 1,
        Role::Production => 2,
    });
    let several = |role: Role| shown.iter().filter(|(of, _)| *of == role).count() > 1;
    let groups = shown.iter().map(|(role, name)| {
        let label = if several(*role) {
            format!("{} v{:03}", role.word(), name.number())
        } else {
            role.word().to_owned()
        };
        group(release, target, view, &asked, *role, name, label)
    });
    TargetStatus {
        name: target.name.clone(),
        place: target.place.to_string(),
        unseen: None,
        checked_at: view.map(|view| At(view.observed_ms)),
        router: router.map(|router| router.address.clone()),
        requests: router.map_or(0, |router| router.requests),
        failed_requests: router.map_or(0, |router| router.failed),
        groups: groups.collect(),
    }
}

fn group(
    release: &Release,
    target: &PlannedTarget,
    view: Option<&View>,
    asked: &Asked,
    role: Role,
    name: &GroupName,
    label: String,
) -> GroupStatus {
    let found = view.and_then(|view| view.group(name));
    let before = target.previous.iter().find(|group| group.name == *name);
    let router = view.and_then(|view| view.router.as_ref());
    let version = match (found, before) {
        (Some(found), _) => found.artifact.version.clone(),
        (None, Some(before)) => before.artifact.version.clone(),
        (None, None) if role == Role::Baseline => target
            .previous
            .first()
            .map_or_else(String::new, |source| source.artifact.version.clone()),
        (None, None) => release.spec.artifact.version.clone(),
    };
    let size = asked
        .sizes
        .get(name)
        .copied()
        .or_else(|| found.map(|found| found.capacity))
        .or_else(|| before.filter(|_| view.is_none()).map(|it| it.capacity));
    let instances = found.map_or(&[][..], |found| &found.instances);
    let percent = |share: Share| f64::from(share.basis_points()) / 100.0;
    let confirmed = view.map(|view| match found {
        // A group that may not serve has no traffic, whatever its share.
        Some(GroupView { enabled: false, .. }) | None => 0.0,
        Some(_) => percent(view.share(name)),
    });
    let measured = router
        .filter(|router| router.requests > 0 && !router.measured.is_empty())
        .map(|router| percent(router.measured.get(name).copied().unwrap_or_default()));
    GroupStatus {
        name: name.as_str().to_owned(),
        role: role.word().to_owned(),
        label,
        version,
        traffic: TrafficStatus {
            asked: percent(asked.share(name)),
            confirmed,
            measured,
        },
        instances: InstancesStatus {
            asked: size.map_or(0, |size| size.desired),
            ready: view.map(|_| found.map_or(0, GroupView::up)),
            restarts: instances
                .iter()
                .fold(0, |sum, one| sum.saturating_add(one.restarts)),
        },
        trouble: instances
            .iter()
            .filter(|one| one.health != Health::Up)
            .map(|one| InstanceTrouble {
                id: one.id.clone(),
                health: health(one.health).to_owned(),
                restarts: one.restarts,
                last_output: one.last_output.clone(),
            })
            .collect(),
    }
}

fn health(health: Health) -> &'static str {
    match health {
        Health::Up => "up",
        Health::Starting => "starting",
        Health::Down => "down",
        Health::OutOfService => "outOfService",
        Health::Draining => "draining",
        Health::Unknown => "unknown",
    }
}
