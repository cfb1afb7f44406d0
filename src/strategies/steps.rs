//! The lines of plans: each operation with its sentence, what it changes, what it rests on and what takes it back.
//!
//! Where sizes can change by themselves, a `Resize` names the number that the plan found; a driver that scales should take it
//! for the least where it pins, and never remove instances that something else asked for.

use crate::config::release::spec::Limits;
use crate::model::release::cluster::{Artifact, Capacity, Place, Role, Share, Template, Weights};
use crate::model::release::names::GroupName;
use crate::model::release::operation::{Change, Operation};
use crate::model::release::step::{Expect, Step};

/// Makes the steps of one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps<'a> {
    pub(super) place: &'a Place,
    pub(super) limits: &'a Limits,
}

/// A server group that is to be made.
#[derive(Debug, Clone)]
pub(super) struct NewGroup {
    pub(super) name: GroupName,
    pub(super) role: Role,
    pub(super) artifact: Artifact,
    pub(super) template: Template,
    pub(super) capacity: Capacity,
    pub(super) lives_ms: Option<u64>,
}

/// `1 instance`, `3 instances`.
pub(super) fn instances(count: u32) -> String {
    match count {
        1 => "1 instance".to_owned(),
        count => format!("{count} instances"),
    }
}

fn sizes(capacity: Capacity) -> String {
    if capacity.min == capacity.max {
        instances(capacity.desired)
    } else {
        format!("{capacity}")
    }
}

/// `90 s`, `20 min`, `24 h`.
pub(super) fn duration(ms: u64) -> String {
    let secs = ms.div_ceil(1000);
    match (secs % 3600, secs % 60) {
        (0, _) if secs > 0 => format!("{} h", secs / 3600),
        (_, 0) if secs > 0 => format!("{} min", secs / 60),
        _ => format!("{secs} s"),
    }
}

/// How many of so many instances must be healthy before a server group has its traffic back: all of up to nine, 90% of up to
/// nineteen, 95% of more, so that one instance that will not start does not hold up a rollback.
pub(super) fn enough(desired: u32) -> u32 {
    match desired {
        0..10 => desired,
        10..20 => (desired * 9).div_ceil(10),
        20.. => u32::try_from((u64::from(desired) * 19).div_ceil(20)).unwrap_or(desired),
    }
}

impl Steps<'_> {
    fn step(&self, change: Change, sentence: String, before: String, after: String) -> Step {
        let longest_ms = match change {
            Change::AwaitHealthy { .. } => self.limits.healthy_ms,
            Change::OpenRouter { .. }
            | Change::CreateGroup { .. }
            | Change::Resize { .. }
            | Change::SetTraffic { .. }
            | Change::Enable { .. }
            | Change::Disable { .. }
            | Change::SetExpiry { .. }
            | Change::DeleteGroup { .. } => self.limits.operation_ms,
        };
        Step {
            operation: Operation {
                place: self.place.clone(),
                change,
            },
            sentence,
            before,
            after,
            expect: None,
            undo: None,
            longest_ms,
        }
    }

    pub(super) fn open_router(&self, address: Option<&str>) -> Step {
        let change = Change::OpenRouter {
            address: address.map(str::to_owned),
        };
        let sentence = format!("Open a router for {}", self.place.cluster);
        let after = address.unwrap_or("any address").to_owned();
        self.step(change, sentence, String::new(), after)
    }

    pub(super) fn create(&self, new: &NewGroup) -> Step {
        let change = Change::CreateGroup {
            group: new.name.clone(),
            role: new.role,
            artifact: new.artifact.clone(),
            template: new.template.clone(),
            capacity: new.capacity,
            lives_ms: new.lives_ms,
        };
        let sentence = format!("Create {}", new.name);
        Step {
            expect: Some(Expect::Absent {
                group: new.name.clone(),
            }),
            undo: Some(Change::DeleteGroup {
                group: new.name.clone(),
            }),
            ..self.step(change, sentence, "0".to_owned(), sizes(new.capacity))
        }
    }

    pub(super) fn resize(&self, group: &GroupName, from: Capacity, to: Capacity) -> Step {
        let change = |capacity| Change::Resize {
            group: group.clone(),
            capacity,
        };
        let is_about_limits = from.desired == to.desired;
        let (sentence, before, after) = if is_about_limits && to == from.pinned() {
            let least = from.min.to_string();
            let sentence = format!("Pin the size of {group}");
            (sentence, least, format!("at least {}", to.min))
        } else if is_about_limits && from.min > to.min {
            let sentence = format!("Unpin the size of {group}");
            (
                sentence,
                from.min.to_string(),
                format!("at least {}", to.min),
            )
        } else {
            (format!("Resize {group}"), sizes(from), sizes(to))
        };
        Step {
            expect: Some(Expect::Capacity {
                group: group.clone(),
                capacity: from,
            }),
            undo: Some(change(from)),
            ..self.step(change(to), sentence, before, after)
        }
    }

    pub(super) fn await_healthy(&self, group: &GroupName, least: u32, of: u32) -> Step {
        let change = Change::AwaitHealthy {
            group: group.clone(),
            instances: least,
        };
        let after = if least == of {
            format!("{} up", instances(least))
        } else {
            format!("{least} of {} up", instances(of))
        };
        let sentence = format!("Wait until {group} is healthy");
        self.step(change, sentence, String::new(), after)
    }

    /// `to` are the groups that people read of, all with the same share.
    pub(super) fn traffic(&self, to: Receivers<'_>, from: &Weights, weights: Weights) -> Step {
        let share = |weights: &Weights| to.share(weights);
        let (before, after) = (share(from), share(&weights));
        let each = match to {
            Receivers::BaselineAndCanary(..) => " each",
            Receivers::One(_) | Receivers::Before(_) => "",
        };
        let before = match before {
            Share::NONE => "0".to_owned(),
            share => share.to_string(),
        };
        let undo = (!from.is_empty()).then(|| Change::SetTraffic {
            weights: from.clone(),
        });
        Step {
            expect: Some(Expect::Traffic {
                weights: from.clone(),
            }),
            undo,
            ..self.step(
                Change::SetTraffic { weights },
                to.sentence(),
                before,
                format!("{after}{each}"),
            )
        }
    }

    pub(super) fn enable(&self, group: &GroupName) -> Step {
        let change = Change::Enable {
            group: group.clone(),
        };
        Step {
            undo: Some(Change::Disable {
                group: group.clone(),
            }),
            ..self.step(
                change,
                format!("Enable {group}"),
                "disabled".to_owned(),
                "enabled".to_owned(),
            )
        }
    }

    /// `after` says what becomes of it.
    pub(super) fn disable(&self, group: &GroupName, after: impl Into<String>) -> Step {
        let change = Change::Disable {
            group: group.clone(),
        };
        Step {
            undo: Some(Change::Enable {
                group: group.clone(),
            }),
            ..self.step(
                change,
                format!("Take {group} out of traffic"),
                String::new(),
                after.into(),
            )
        }
    }

    pub(super) fn expire(&self, group: &GroupName, lives_ms: Option<u64>) -> Step {
        let change = Change::SetExpiry {
            group: group.clone(),
            lives_ms,
        };
        let (sentence, after) = match lives_ms {
            Some(ms) => (
                format!("Keep {group} for {}", duration(ms)),
                "then removed".to_owned(),
            ),
            None => (format!("Keep {group}"), "for good".to_owned()),
        };
        self.step(change, sentence, String::new(), after)
    }

    pub(super) fn delete(&self, group: &GroupName, size: u32) -> Step {
        let change = Change::DeleteGroup {
            group: group.clone(),
        };
        let sentence = format!("Remove {group}");
        self.step(change, sentence, size.to_string(), instances(0))
    }
}

/// Whom a change of the traffic is told of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Receivers<'a> {
    /// Both, with equal shares.
    BaselineAndCanary(&'a GroupName),
    /// One group.
    One(&'a GroupName),
    /// Those that had the traffic before.
    Before(&'a Weights),
}

impl Receivers<'_> {
    fn share(&self, weights: &Weights) -> Share {
        let of = |name: &GroupName| weights.get(name).copied().unwrap_or_default();
        match self {
            Self::BaselineAndCanary(name) | Self::One(name) => of(name),
            Self::Before(before) => before
                .keys()
                .fold(Share::NONE, |sum, name| sum.saturating_add(of(name))),
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::BaselineAndCanary(_) => "Traffic to baseline and canary".to_owned(),
            Self::One(name) => format!("Traffic to {name}"),
            Self::Before(before) => match (before.keys().next(), before.len()) {
                (Some(name), 1) => format!("Traffic to {name}"),
                (_, many) => format!("Traffic to the {many} groups of before"),
            },
        }
    }
}
