//! How far an operation is, by what is kept and what runs.

use std::time::Duration;

use super::core::Core;
use super::operate::{Asking, router_to_open, whose};
use crate::drivers::Progress;
use crate::drivers::local::state::{SavedGroup, SavedInstance, SavedPlace, only_shares};
use crate::model::release::cluster::{Health, Place};
use crate::model::release::operation::Change;
use crate::model::release::process::{HealthCheck, ProcessTemplate};

/// An instance counts as up when it has been for so many questions,
const QUESTIONS: u32 = 2;
/// but at least so long,
const SHORTEST: Duration = Duration::from_millis(300);
/// and at most so long.
const LONGEST: Duration = Duration::from_secs(3);

/// A process that ended so often soon after its start, one time after the other, will do so the next time.
const CRASHES: u32 = 5;
/// As many bytes of what a process wrote are told with what is wrong with it.
const OUTPUT_BYTES: usize = 4 * 1024;

/// Longest time that a disabled group waits for its requests; less where an instance is given less to end in. Some requests have
/// no end: a page that is told of events, a long poll.
const DRAIN: Duration = Duration::from_secs(30);

/// How far an operation is where there is nothing at all.
pub(crate) fn progress_of_nothing(change: &Change) -> Progress {
    match change {
        Change::DeleteGroup { .. } | Change::Disable { .. } | Change::SetExpiry { .. } => {
            Progress::Done
        }
        Change::OpenRouter { .. }
        | Change::CreateGroup { .. }
        | Change::Resize { .. }
        | Change::AwaitHealthy { .. }
        | Change::SetTraffic { .. }
        | Change::Enable { .. } => Progress::NotStarted,
    }
}

impl Core {
    /// How far the operation is.
    pub(super) fn progress(
        &self,
        place: &Place,
        change: &Change,
        Asking { id, now_ms, .. }: Asking<'_>,
    ) -> Progress {
        let Some(place) = self.saved.place(place) else {
            return progress_of_nothing(change);
        };
        let Some(name) = change.group() else {
            return self.progress_of_router(place, change);
        };
        let Some(group) = place.group(name) else {
            return progress_of_nothing(change);
        };
        if group.deleting {
            return match change {
                Change::DeleteGroup { .. } => in_flight(going(group)),
                Change::Disable { .. } | Change::SetExpiry { .. } => Progress::Done,
                Change::OpenRouter { .. }
                | Change::CreateGroup { .. }
                | Change::Resize { .. }
                | Change::AwaitHealthy { .. }
                | Change::SetTraffic { .. }
                | Change::Enable { .. } => Progress::Failed {
                    why: format!("`{name}` is being removed"),
                },
            };
        }
        match change {
            Change::OpenRouter { .. } | Change::SetTraffic { .. } => Progress::NotStarted,
            Change::CreateGroup { .. } => {
                let operation = id.to_string();
                if group.owner.as_ref().map(|it| &it.operation) == Some(&operation) {
                    Progress::Done
                } else {
                    Progress::Failed {
                        why: format!("`{name}` was made by {}", whose(group)),
                    }
                }
            }
            Change::Resize { capacity, .. } if group.capacity != *capacity => Progress::NotStarted,
            Change::Resize { .. } => self.progress_of_size(group),
            Change::AwaitHealthy { instances, .. } => self.progress_of_health(group, *instances),
            Change::Enable { .. } if group.enabled => Progress::Done,
            Change::Enable { .. } | Change::DeleteGroup { .. } => Progress::NotStarted,
            Change::Disable { .. } if group.enabled => Progress::NotStarted,
            Change::Disable { .. } => match self.in_flight(group) {
                0 => Progress::Done,
                // They go on until they end, or until the group is removed.
                _ if waited_enough(group, now_ms) => Progress::Done,
                1 => in_flight("1 request is still in it"),
                requests => in_flight(format!("{requests} requests are still in it")),
            },
            Change::SetExpiry { lives_ms: None, .. } if group.expires_ms.is_none() => {
                Progress::Done
            }
            Change::SetExpiry { .. } => {
                if group.expiry_operation.as_ref() == Some(&id.to_string()) {
                    Progress::Done
                } else {
                    Progress::NotStarted
                }
            }
        }
    }

    fn progress_of_router(&self, place: &SavedPlace, change: &Change) -> Progress {
        match (&place.router, change) {
            (Some(router), Change::SetTraffic { weights }) => {
                if router.weights == only_shares(weights) {
                    Progress::Done
                } else {
                    Progress::NotStarted
                }
            }
            (Some(_), Change::OpenRouter { address })
                if let Err(refusal) = router_to_open(place, address.as_deref()) =>
            {
                Progress::Failed {
                    why: refusal.message,
                }
            }
            (Some(router), _) if !self.routers.contains_key(&place.place) => in_flight(format!(
                "the address {} is taken by another process",
                router.address
            )),
            (Some(_), _) => Progress::Done,
            (None, _) => Progress::NotStarted,
        }
    }

    fn progress_of_size(&self, group: &SavedGroup) -> Progress {
        let running = group.staying().filter(|it| self.seat(it).is_some()).count();
        let going = group.instances.len() - group.staying().count();
        let desired = group.capacity.desired;
        if going > 0 {
            in_flight(format!("{} still to go", instances(going)))
        } else if u32::try_from(running).is_ok_and(|running| running == desired) {
            Progress::Done
        } else {
            let trouble = self.trouble(group).unwrap_or_default();
            in_flight(format!("{running} of {desired} instances run{trouble}"))
        }
    }

    fn progress_of_health(&self, group: &SavedGroup, wanted: u32) -> Progress {
        if !group.enabled {
            return in_flight("the group is disabled");
        }
        let check = health_check(group);
        let interval = Duration::from_millis(check.interval_ms);
        let long_enough = (interval * QUESTIONS).clamp(SHORTEST, LONGEST);
        let (mut up, mut for_long) = (0u32, 0u32);
        for seat in group.staying().filter_map(|it| self.seat(it)) {
            if seat.is_up() {
                up += 1;
                for_long += u32::from(seat.up_for() >= long_enough);
            }
        }
        if for_long >= wanted {
            return Progress::Done;
        }
        if up >= wanted {
            return in_flight(format!(
                "{up} of {wanted} instances are up, not all of them for {} ms yet",
                long_enough.as_millis()
            ));
        }
        let hopeless = group.staying().find_map(|instance| {
            let trouble = self.troubles.get(&instance.token)?;
            if trouble.hopeless {
                return Some(format!("{} {}", instance.id, trouble.why));
            }
            (trouble.soon >= CRASHES).then(|| {
                let (id, why, times) = (&instance.id, &trouble.why, trouble.soon);
                let told = format!("{id} {why}, {times} times in a row, each soon after its start");
                self.with_output(told, instance)
            })
        });
        if let Some(why) = hopeless {
            return Progress::Failed { why };
        }
        let trouble = self.trouble(group).unwrap_or_default();
        in_flight(format!("{up} of {wanted} instances are up{trouble}"))
    }

    /// What is wrong with the first instance that is not up, to be put after something else.
    fn trouble(&self, group: &SavedGroup) -> Option<String> {
        let not_up = group
            .staying()
            .filter(|it| self.seat(it).is_none_or(|seat| !seat.is_up()));
        let mut told: Vec<String> = not_up
            .map(|instance| {
                let what = self.trouble_of(instance, &health_check(group));
                self.with_output(format!("; {} {what}", instance.id), instance)
            })
            .collect();
        // Those of which something is known say more than those that just start.
        told.sort_by_key(|told| !told.contains('\n'));
        told.into_iter().next()
    }

    /// A sentence, and below it the last lines that the instance wrote, the last of them in any case.
    fn with_output(&self, sentence: String, instance: &SavedInstance) -> String {
        let lines = self.last_output(instance);
        let mut room = OUTPUT_BYTES;
        let fits = lines.iter().rev().take_while(|line| {
            let before = room;
            room = room.saturating_sub(line.len() + 1);
            before > line.len()
        });
        let shown = fits.count();
        if shown == 0 {
            return sentence;
        }
        let last = lines.get(lines.len() - shown..).unwrap_or_default();
        format!("{sentence}; its last output:\n{}", last.join("\n"))
    }

    fn trouble_of(&self, instance: &SavedInstance, check: &HealthCheck) -> String {
        let trouble = self.troubles.get(&instance.token);
        match (self.seat(instance).map(|seat| seat.health()), trouble) {
            (_, Some(trouble)) if trouble.times > 1 => {
                format!("{} ({} times in a row)", trouble.why, trouble.times)
            }
            (_, Some(trouble)) => trouble.why.clone(),
            (Some(Health::Down), None) => {
                format!(
                    "was up, and gives no good answer to `{}` any more",
                    check.path
                )
            }
            (Some(_), None) => format!("has given no good answer to `{}` yet", check.path),
            (None, None) => "is not started yet".to_owned(),
        }
    }
}

/// How the group's instances are asked.
pub(super) fn health_check(group: &SavedGroup) -> HealthCheck {
    let template = ProcessTemplate::of(&group.template);
    template.map(|template| template.health).unwrap_or_default()
}

/// Whether a disabled group has had its time for the requests in it.
fn waited_enough(group: &SavedGroup, now_ms: i64) -> bool {
    let template = ProcessTemplate::of(&group.template);
    let grace = template.map(|template| Duration::from_millis(template.stop_grace_ms));
    let longest = grace.map_or(DRAIN, |grace| grace.min(DRAIN));
    let since = group.disabled_ms.unwrap_or_default();
    let waited = u64::try_from(now_ms.saturating_sub(since)).unwrap_or_default();
    Duration::from_millis(waited) >= longest
}

fn going(group: &SavedGroup) -> String {
    match group.instances.len() {
        0 => "it is being removed".to_owned(),
        left => format!("{} still to go", instances(left)),
    }
}

fn instances(count: usize) -> String {
    match count {
        1 => "1 instance is".to_owned(),
        count => format!("{count} instances are"),
    }
}

fn in_flight(why: impl Into<String>) -> Progress {
    Progress::InFlight { why: why.into() }
}
