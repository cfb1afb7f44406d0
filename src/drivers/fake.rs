//! A place in memory, for tests and simulations: everything that a driver promises, with a clock that somebody else turns.
//!
//! It watches itself: whatever would have cost a request of production is kept in [`FakeDriver::harm`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Abilities, Driver, DriverError, Fencing, Owned, Progress, Remedy};
use crate::clock::Clock;
use crate::model::ids::{ExecutionId, InstallationId};
use crate::model::release::cluster::{
    Artifact, Capacity, GroupView, Health, InstanceView, Owner, Place, Role, RouterView, Share,
    Template, View, Weights,
};
use crate::model::release::names::GroupName;
use crate::model::release::operation::{Change, OpId, Operation};

/// Instances of this version never come up.
pub const NEVER_HEALTHY: &str = "never-healthy";

/// A driver without a place.
#[derive(Debug)]
pub struct FakeDriver {
    clock: Arc<dyn Clock>,
    /// From start to up, in milliseconds.
    boot_ms: i64,
    installation: Option<InstallationId>,
    sites: Arc<Mutex<BTreeMap<Place, Site>>>,
}

#[derive(Debug, Default)]
struct Site {
    router: Option<Weights>,
    groups: BTreeMap<GroupName, Group>,
    fencing: u64,
    /// Every operation that changed something, in its order.
    changed: Vec<OpId>,
    harm: Vec<String>,
    /// Whether it is out of reach.
    is_away: bool,
}

#[derive(Debug, Clone)]
struct Group {
    role: Role,
    owner: Option<Owner>,
    artifact: Artifact,
    template: Template,
    capacity: Capacity,
    enabled: bool,
    /// When each instance was started.
    started_ms: Vec<i64>,
    created_ms: i64,
    expires_ms: Option<i64>,
}

impl FakeDriver {
    /// A driver whose instances are up after `boot_ms` milliseconds.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, boot_ms: i64) -> Self {
        Self {
            clock,
            boot_ms,
            installation: None,
            sites: Arc::default(),
        }
    }

    /// The driver of another service for the same places; what it makes carries the name of this installation.
    #[must_use]
    pub fn of_installation(&self, installation: InstallationId) -> Self {
        Self {
            clock: Arc::clone(&self.clock),
            boot_ms: self.boot_ms,
            installation: Some(installation),
            sites: Arc::clone(&self.sites),
        }
    }

    /// What was done that must never be done; empty where all went well.
    #[must_use]
    pub fn harm(&self) -> Vec<String> {
        let sites = self.sites();
        sites.values().flat_map(|site| site.harm.clone()).collect()
    }

    /// Every operation that changed something, in its order; one that changed something twice is in it twice.
    #[must_use]
    pub fn changed(&self) -> Vec<OpId> {
        let sites = self.sites();
        sites
            .values()
            .flat_map(|site| site.changed.clone())
            .collect()
    }

    /// Puts a server group there that serves, as if an earlier release had made it.
    pub fn plant(&self, place: &Place, group: &GroupName, version: &str, size: u32, share: Share) {
        let now_ms = self.clock.now_ms();
        let mut sites = self.sites();
        let site = sites.entry(place.clone()).or_default();
        let planted = Group {
            role: Role::Production,
            owner: Some(Owner {
                execution: ExecutionId::new("an-earlier-one"),
                operation: "an-earlier-one/0.0".to_owned(),
                installation: self.installation.clone(),
            }),
            artifact: Artifact {
                version: version.to_owned(),
                reference: version.to_owned(),
            },
            template: Template(serde_json::json!({"command": ["serve"]})),
            capacity: Capacity::fixed(size),
            enabled: true,
            started_ms: vec![now_ms - self.boot_ms; size as usize],
            created_ms: now_ms,
            expires_ms: None,
        };
        site.groups.insert(group.clone(), planted);
        site.router
            .get_or_insert_default()
            .insert(group.clone(), share);
    }

    /// Changes a group's sizes behind everybody's back, as something that scales would.
    pub fn scale(&self, place: &Place, group: &GroupName, capacity: Capacity) {
        let now_ms = self.clock.now_ms();
        let mut sites = self.sites();
        if let Some(group) = sites.get_mut(place).and_then(|it| it.groups.get_mut(group)) {
            group.resize(capacity, now_ms);
        }
    }

    /// Puts a place out of reach, or back into it. What happened there is not forgotten.
    pub fn put_away(&self, place: &Place, is_away: bool) {
        let mut sites = self.sites();
        sites.entry(place.clone()).or_default().is_away = is_away;
    }

    /// Removes a server group with its share behind everybody's back, as a person would.
    pub fn lose(&self, place: &Place, group: &GroupName) {
        let mut sites = self.sites();
        if let Some(site) = sites.get_mut(place) {
            site.groups.remove(group);
            if let Some(weights) = &mut site.router {
                weights.remove(group);
            }
        }
    }

    fn sites(&self) -> MutexGuard<'_, BTreeMap<Place, Site>> {
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn up(&self, group: &Group) -> u32 {
        if group.artifact.version == NEVER_HEALTHY || !group.enabled {
            return 0;
        }
        let now_ms = self.clock.now_ms();
        let up = group
            .started_ms
            .iter()
            .filter(|started| now_ms - **started >= self.boot_ms);
        u32::try_from(up.count()).unwrap_or(u32::MAX)
    }

    fn view(&self, name: &GroupName, group: &Group) -> GroupView {
        let now_ms = self.clock.now_ms();
        let instance = |(number, started_ms): (usize, &i64)| {
            let booted = now_ms - started_ms >= self.boot_ms;
            let health = match (group.enabled, booted) {
                _ if group.artifact.version == NEVER_HEALTHY => Health::Down,
                (false, _) => Health::OutOfService,
                (true, true) => Health::Up,
                (true, false) => Health::Starting,
            };
            InstanceView {
                id: format!("{name}-{number}"),
                health,
                registered: group.enabled,
                started_ms: *started_ms,
                restarts: 0,
                zone: String::new(),
                metrics_url: None,
                last_output: match health {
                    Health::Down => vec!["no such file".to_owned()],
                    Health::Up
                    | Health::Starting
                    | Health::OutOfService
                    | Health::Draining
                    | Health::Unknown => Vec::new(),
                },
            }
        };
        GroupView {
            name: name.clone(),
            role: group.role,
            owner: group.owner.clone(),
            artifact: group.artifact.clone(),
            template: group.template.clone(),
            capacity: group.capacity,
            enabled: group.enabled,
            in_flight: Some(0),
            instances: group.started_ms.iter().enumerate().map(instance).collect(),
            created_ms: group.created_ms,
            expires_ms: group.expires_ms,
        }
    }

    /// Looks at what every request would meet now.
    fn watch(&self, site: &mut Site) {
        let Some(weights) = &site.router else {
            return;
        };
        let mut harm = Vec::new();
        let total: u32 = weights.values().map(|share| share.basis_points()).sum();
        if total != Share::ALL.basis_points() && total != 0 {
            harm.push(format!("the shares add up to {total}"));
        }
        for (name, share) in weights {
            if *share == Share::NONE {
                continue;
            }
            match site.groups.get(name) {
                Some(group) if self.up(group) > 0 => {}
                Some(_) => harm.push(format!("`{name}` has {share} and nothing is up")),
                None => harm.push(format!("`{name}` has {share} and is not there")),
            }
        }
        site.harm.extend(harm);
    }
}

impl Site {
    fn in_reach(&self, place: &Place) -> Result<(), DriverError> {
        match self.is_away {
            false => Ok(()),
            true => Err(DriverError::new(
                Remedy::Retry,
                format!("{place} is out of reach"),
            )),
        }
    }
}

impl Group {
    fn resize(&mut self, capacity: Capacity, now_ms: i64) {
        self.capacity = capacity;
        self.started_ms.resize(capacity.desired as usize, now_ms);
    }
}

/// What keeps a group from being changed by an execution.
fn refuse(site: &Site, name: &GroupName) -> DriverError {
    let found = if site.groups.contains_key(name) {
        "it belongs to somebody else"
    } else {
        "there is none"
    };
    DriverError::new(
        Remedy::GiveUp,
        format!("cannot change the server group `{name}`: {found}"),
    )
}

#[async_trait]
impl Driver for FakeDriver {
    fn abilities(&self) -> Abilities {
        Abilities {
            shares: true,
            scaling: true,
            native_rollout: false,
        }
    }

    async fn observe(&self, place: &Place) -> Result<View, DriverError> {
        let sites = self.sites();
        let nothing = Site::default();
        let site = sites.get(place).unwrap_or(&nothing);
        site.in_reach(place)?;
        let router = site.router.as_ref().map(|weights| RouterView {
            address: "127.0.0.1:1".to_owned(),
            weights: weights.clone(),
            measured: Weights::new(),
            requests: 0,
            failed: 0,
        });
        Ok(View {
            place: place.clone(),
            groups: site
                .groups
                .iter()
                .map(|(name, group)| self.view(name, group))
                .collect(),
            router,
            fencing: site.fencing,
            observed_ms: self.clock.now_ms(),
        })
    }

    async fn apply(
        &self,
        operation: &Operation,
        id: &OpId,
        fencing: Fencing,
    ) -> Result<(), DriverError> {
        let now_ms = self.clock.now_ms();
        let mut sites = self.sites();
        let site = sites.entry(operation.place.clone()).or_default();
        site.in_reach(&operation.place)?;
        if fencing.0 < site.fencing {
            return Err(DriverError::new(
                Remedy::GiveUp,
                format!(
                    "the lock number {} is too old; found {}",
                    fencing.0, site.fencing
                ),
            ));
        }
        site.fencing = fencing.0;
        match &operation.change {
            Change::OpenRouter { .. } => {
                site.router.get_or_insert_default();
            }
            Change::CreateGroup {
                group,
                role,
                artifact,
                template,
                capacity,
                lives_ms,
            } => {
                let owner = Owner {
                    execution: id.execution.clone(),
                    operation: id.to_string(),
                    installation: self.installation.clone(),
                };
                match site.groups.get(group) {
                    Some(there)
                        if there.owner.as_ref().map(|it| &it.operation)
                            == Some(&owner.operation) =>
                    {
                        return Ok(());
                    }
                    Some(_) => return Err(refuse(site, group)),
                    None => {}
                }
                let made = Group {
                    role: *role,
                    owner: Some(owner),
                    artifact: artifact.clone(),
                    template: template.clone(),
                    capacity: *capacity,
                    enabled: true,
                    started_ms: vec![now_ms; capacity.desired as usize],
                    created_ms: now_ms,
                    expires_ms: lives_ms
                        .map(|ms| now_ms.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX))),
                };
                site.groups.insert(group.clone(), made);
            }
            Change::Resize { group, capacity } => {
                if !site.groups.contains_key(group) {
                    return Err(refuse(site, group));
                }
                if let Some(group) = site.groups.get_mut(group) {
                    group.resize(*capacity, now_ms);
                }
            }
            Change::AwaitHealthy { .. } => return Ok(()),
            Change::SetTraffic { weights } => {
                if site.router.is_none() {
                    return Err(DriverError::new(Remedy::GiveUp, "there is no router"));
                }
                site.router = Some(weights.clone());
            }
            Change::Enable { group } | Change::Disable { group } => {
                let enabled = matches!(operation.change, Change::Enable { .. });
                match site.groups.get_mut(group) {
                    Some(group) => group.enabled = enabled,
                    None if enabled => return Err(refuse(site, group)),
                    None => return Ok(()),
                }
            }
            Change::SetExpiry { group, lives_ms } => {
                if let Some(group) = site.groups.get_mut(group) {
                    group.expires_ms = lives_ms
                        .map(|ms| now_ms.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)));
                }
            }
            Change::DeleteGroup { group } => {
                let share = site.router.as_ref().and_then(|it| it.get(group));
                if share.is_some_and(|share| *share != Share::NONE) {
                    return Err(DriverError::new(
                        Remedy::Retry,
                        format!("`{group}` has a share of the traffic"),
                    ));
                }
                if site.groups.remove(group).is_none() {
                    return Ok(());
                }
            }
        }
        site.changed.push(id.clone());
        self.watch(site);
        Ok(())
    }

    async fn check(&self, operation: &Operation, id: &OpId) -> Result<Progress, DriverError> {
        let sites = self.sites();
        let nothing = Site::default();
        let site = sites.get(&operation.place).unwrap_or(&nothing);
        site.in_reach(&operation.place)?;
        let done_if = |done: bool| {
            if done {
                Progress::Done
            } else {
                Progress::NotStarted
            }
        };
        Ok(match &operation.change {
            Change::OpenRouter { .. } => done_if(site.router.is_some()),
            Change::CreateGroup { group, .. } => match site.groups.get(group) {
                None => Progress::NotStarted,
                Some(there) => {
                    let owner = there.owner.as_ref().map(|owner| owner.operation.as_str());
                    if owner == Some(id.to_string().as_str()) {
                        Progress::Done
                    } else {
                        Progress::Failed {
                            why: format!("`{group}` belongs to somebody else"),
                        }
                    }
                }
            },
            Change::Resize { group, capacity } => match site.groups.get(group) {
                None => Progress::Failed {
                    why: format!("there is no `{group}`"),
                },
                Some(group) => done_if(group.capacity == *capacity),
            },
            Change::AwaitHealthy { group, instances } => match site.groups.get(group) {
                None => Progress::Failed {
                    why: format!("there is no `{group}`"),
                },
                Some(there) => {
                    let up = self.up(there);
                    if up >= *instances {
                        Progress::Done
                    } else {
                        let why = format!("{up} of {instances} instances of `{group}` are up");
                        Progress::InFlight { why }
                    }
                }
            },
            Change::SetTraffic { weights } => done_if(site.router.as_ref() == Some(weights)),
            Change::Enable { group } => {
                done_if(site.groups.get(group).is_some_and(|it| it.enabled))
            }
            Change::Disable { group } => {
                done_if(site.groups.get(group).is_none_or(|it| !it.enabled))
            }
            Change::SetExpiry { group, lives_ms } => done_if(
                site.groups
                    .get(group)
                    .is_none_or(|it| it.expires_ms.is_some() == lives_ms.is_some()),
            ),
            Change::DeleteGroup { group } => done_if(!site.groups.contains_key(group)),
        })
    }

    async fn find_owned(&self) -> Result<Vec<Owned>, DriverError> {
        let sites = self.sites();
        let mut owned = Vec::new();
        for (place, site) in sites.iter() {
            for (name, group) in &site.groups {
                if let Some(owner) = &group.owner {
                    owned.push(Owned {
                        place: place.clone(),
                        group: name.clone(),
                        role: group.role,
                        execution: owner.execution.clone(),
                        installation: owner.installation.clone(),
                        expires_ms: group.expires_ms,
                    });
                }
            }
        }
        Ok(owned)
    }
}
