//! A place in memory that does what a driver should, and what must hold of it after every step.

use coalmine::config::release::spec::GuardSpec;
use coalmine::guards::traffic::{Finding, traffic};
use coalmine::model::ids::ExecutionId;
use coalmine::model::release::cluster::{
    Capacity, GroupView, Health, InstanceView, Owner, RouterView, Share, View, Weights,
};
use coalmine::model::release::names::GroupName;
use coalmine::model::release::operation::Change;
use coalmine::model::release::step::{Expect, Step};

use super::fixture::instance;

#[derive(Debug, Clone)]
pub(crate) struct Simulator {
    pub(crate) views: Vec<View>,
    rule: GuardSpec,
}

impl Simulator {
    pub(crate) fn new(views: Vec<View>, rule: &GuardSpec) -> Self {
        Self {
            views,
            rule: rule.clone(),
        }
    }

    fn view(&mut self, step: &Step) -> &mut View {
        let place = &step.operation.place;
        self.views
            .iter_mut()
            .find(|view| view.place == *place)
            .unwrap()
    }

    /// Does a step as the engine does: what it rests on must hold, the guard must not deny it, and afterwards all must be
    /// served.
    pub(crate) fn perform(&mut self, step: &Step) {
        let rule = self.rule.clone();
        let view = self.view(step);
        if let Some(expect) = &step.expect {
            holds(view, expect, step);
        }
        let change = &step.operation.change;
        if let Finding::Denied { sentence } = traffic(view, change, &rule) {
            panic!(
                "the guard denies `{}`: {sentence}\n{view:#?}",
                step.sentence
            );
        }
        let was_served = is_served(view);
        apply(view, change);
        must_be_served(view, was_served, step);
    }
}

fn holds(view: &View, expect: &Expect, step: &Step) {
    match expect {
        Expect::Absent { group } => assert!(view.group(group).is_none(), "{step:?}"),
        Expect::Traffic { weights } => assert_eq!(weights_of(view), *weights, "{step:?}"),
        Expect::Capacity { group, capacity } => {
            assert_eq!(view.group(group).unwrap().capacity, *capacity, "{step:?}");
        }
    }
}

pub(crate) fn weights_of(view: &View) -> Weights {
    let router = view.router.as_ref();
    router
        .map(|router| router.weights.clone())
        .unwrap_or_default()
}

fn is_served(view: &View) -> bool {
    !weights_of(view).is_empty()
}

fn ready(group: &GroupView) -> usize {
    let ready = |it: &&InstanceView| it.health == Health::Up && it.registered;
    group.instances.iter().filter(ready).count()
}

fn must_be_served(view: &View, was_served: bool, step: &Step) {
    let weights = weights_of(view);
    if weights.is_empty() {
        assert!(!was_served, "`{}` leaves nobody to serve", step.sentence);
        return;
    }
    let sum: u32 = weights.values().map(|share| share.basis_points()).sum();
    assert_eq!(sum, 10_000, "after `{}`: {weights:?}", step.sentence);
    for (name, share) in weights.iter().filter(|(_, share)| **share > Share::NONE) {
        let group = view
            .group(name)
            .unwrap_or_else(|| panic!("`{name}` is gone: {step:?}"));
        assert!(
            group.enabled && ready(group) > 0,
            "after `{}`, `{name}` has {share} and nobody who serves",
            step.sentence
        );
    }
}

fn found<'a>(view: &'a mut View, name: &GroupName) -> &'a mut GroupView {
    let found = view.groups.iter_mut().find(|group| group.name == *name);
    found.unwrap_or_else(|| panic!("`{name}` is not there"))
}

fn sized(group: &mut GroupView, capacity: Capacity) {
    group.capacity = capacity;
    let wanted = capacity.desired as usize;
    group.instances.truncate(wanted);
    while group.instances.len() < wanted {
        let id = format!("{}-{}", group.name, group.instances.len());
        group.instances.push(instance(id, Health::Starting));
    }
}

pub(crate) fn apply(view: &mut View, change: &Change) {
    match change {
        Change::OpenRouter { address } => {
            view.router.get_or_insert_with(|| RouterView {
                address: address.clone().unwrap_or_default(),
                weights: Weights::new(),
                measured: Weights::new(),
                requests: 0,
                failed: 0,
            });
        }
        Change::CreateGroup {
            group,
            role,
            artifact,
            template,
            capacity,
            lives_ms,
        } => {
            if view.group(group).is_some() {
                return;
            }
            let newest = view.groups.iter().map(|group| group.created_ms).max();
            let mut made = GroupView {
                name: group.clone(),
                role: *role,
                owner: Some(Owner {
                    execution: ExecutionId::new("this"),
                    operation: "0".to_owned(),
                    installation: None,
                }),
                artifact: artifact.clone(),
                template: template.clone(),
                capacity: Capacity::fixed(0),
                enabled: true,
                in_flight: None,
                instances: Vec::new(),
                created_ms: newest.unwrap_or(0) + 1,
                expires_ms: lives_ms.map(|ms| i64::try_from(ms).unwrap()),
            };
            sized(&mut made, *capacity);
            view.groups.push(made);
        }
        Change::Resize { group, capacity } => sized(found(view, group), *capacity),
        Change::AwaitHealthy { group, instances } => {
            let group = found(view, group);
            assert!(
                group.enabled,
                "`{}` never becomes healthy: disabled",
                group.name
            );
            let wanted = *instances as usize;
            assert!(
                wanted <= group.instances.len(),
                "`{}` has too few",
                group.name
            );
            for it in group.instances.iter_mut().take(wanted) {
                it.health = Health::Up;
                it.registered = true;
            }
        }
        Change::SetTraffic { weights } => {
            view.router.as_mut().expect("a router").weights = weights.clone();
        }
        Change::Enable { group } => {
            let group = found(view, group);
            if !group.enabled {
                group.enabled = true;
                group
                    .instances
                    .iter_mut()
                    .for_each(|it| it.health = Health::Starting);
            }
        }
        Change::Disable { group } => {
            // Doing nothing to what is not there is what the state asks for.
            let group = view.groups.iter_mut().find(|it| it.name == *group);
            if let Some(group) = group {
                group.enabled = false;
                for it in &mut group.instances {
                    it.health = Health::OutOfService;
                    it.registered = false;
                }
            }
        }
        Change::SetExpiry { group, lives_ms } => {
            found(view, group).expires_ms = lives_ms.map(|ms| i64::try_from(ms).unwrap());
        }
        Change::DeleteGroup { group } => {
            assert_eq!(view.share(group), Share::NONE, "`{group}` has traffic");
            view.groups.retain(|it| it.name != *group);
        }
    }
}
