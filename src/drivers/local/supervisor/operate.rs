//! What an operation changes in what is kept. Pure: the keeper makes it so.

use std::net::SocketAddr;

use crate::drivers::Fencing;
use crate::drivers::local::state::{SavedGroup, SavedPlace, only_shares};
use crate::drivers::local::wire::Refusal;
use crate::model::ids::InstallationId;
use crate::model::release::cluster::{Owner, Role, Share, Weights};
use crate::model::release::names::GroupName;
use crate::model::release::operation::{Change, OpId};
use crate::model::release::process::ProcessTemplate;

/// Who asks, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) id: &'a OpId,
    /// Whose mark a group that is made gets.
    pub(super) installation: Option<&'a InstallationId>,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(super) now_ms: i64,
}

/// Refuses the number of a lock that somebody else has taken over.
pub(super) fn fence(place: &mut SavedPlace, fencing: Fencing) -> Result<(), Refusal> {
    if fencing.0 < place.fencing {
        return Err(Refusal::never(format!(
            "the lock of {} was taken over: found the fencing number {}; expected at least {}",
            place.place, fencing.0, place.fencing
        )));
    }
    place.fencing = fencing.0;
    Ok(())
}

/// The address that a router shall be opened at; `None` where it is open already.
pub(super) fn router_to_open(
    place: &SavedPlace,
    address: Option<&str>,
) -> Result<Option<SocketAddr>, Refusal> {
    let asked = match address {
        None => None,
        Some(text) => Some(text.parse::<SocketAddr>().map_err(|_| {
            Refusal::never(format!(
                "`{text}` is no address of a router; expected one such as `127.0.0.1:8080`"
            ))
        })?),
    };
    if let Some(asked) = asked.filter(|asked| !asked.ip().is_loopback()) {
        return Err(Refusal::never(format!(
            "a router at {asked} could be reached from other machines, and asks nobody who they are; expected an address such as `127.0.0.1:{}`",
            asked.port()
        )));
    }
    match (&place.router, asked) {
        (Some(router), Some(asked)) if asked.port() != 0 && asked != router.address => {
            Err(Refusal::never(format!(
                "the router of {} listens at {}; it cannot be opened at {asked}",
                place.place, router.address
            )))
        }
        (Some(_), _) => Ok(None),
        (None, asked) => Ok(Some(
            asked.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
        )),
    }
}

/// Changes the place. Doing it twice is doing it once.
pub(super) fn change(
    place: &mut SavedPlace,
    change: &Change,
    asking: Asking<'_>,
) -> Result<(), Refusal> {
    match change {
        // Needs a socket, and is done by who has one.
        Change::OpenRouter { .. } => Ok(()),
        Change::CreateGroup { .. } => create(place, change, asking),
        Change::Resize { group, capacity } => {
            ours(place, group)?.capacity = *capacity;
            Ok(())
        }
        Change::AwaitHealthy { group, .. } => match place.group(group) {
            Some(_) => Ok(()),
            None => Err(absent(group)),
        },
        Change::SetTraffic { weights } => set_traffic(place, weights),
        Change::Enable { group } => {
            let group = ours(place, group)?;
            group.enabled = true;
            group.disabled_ms = None;
            Ok(())
        }
        Change::Disable { group } => {
            // What is not there serves nobody.
            if place.group(group).is_some_and(|group| !group.deleting) {
                let group = ours(place, group)?;
                group.enabled = false;
                // Asked again it does not wait anew.
                group.disabled_ms.get_or_insert(asking.now_ms);
            }
            Ok(())
        }
        Change::SetExpiry { group, lives_ms } => {
            if place.group(group).is_none_or(|group| group.deleting) {
                return Ok(());
            }
            let group = ours(place, group)?;
            let operation = asking.id.to_string();
            if group.expiry_operation.as_ref() != Some(&operation) {
                group.expires_ms = lives_ms.map(|lives_ms| deadline(asking.now_ms, lives_ms));
                group.expiry_operation = Some(operation);
            }
            Ok(())
        }
        Change::DeleteGroup { group } => delete(place, group),
    }
}

fn create(place: &mut SavedPlace, change: &Change, asking: Asking<'_>) -> Result<(), Refusal> {
    let Change::CreateGroup {
        group,
        role,
        artifact,
        template,
        capacity,
        lives_ms,
    } = change
    else {
        return Ok(());
    };
    let operation = asking.id.to_string();
    if let Some(there) = place.group(group) {
        if there.owner.as_ref().map(|it| &it.operation) != Some(&operation) {
            let owner = whose(there);
            return Err(Refusal::never(format!(
                "there is a server group `{group}` already; it was made by {owner}"
            )));
        }
        if there.deleting {
            return Err(Refusal::never(format!(
                "`{group}` was made by this operation, and is being removed since"
            )));
        }
        return Ok(());
    }
    let process = ProcessTemplate::of(template).map_err(|error| {
        Refusal::never(format!("the template of `{group}` cannot be run: {error}"))
    })?;
    if process.command.first().is_none_or(String::is_empty) {
        return Err(Refusal::never(format!(
            "the template of `{group}` has no command"
        )));
    }
    if *role == Role::Production && lives_ms.is_some() {
        return Err(Refusal::never(format!(
            "`{group}` is of production and cannot be made with a deadline"
        )));
    }
    place.groups.push(SavedGroup {
        name: group.clone(),
        role: *role,
        owner: Some(Owner {
            execution: asking.id.execution.clone(),
            operation,
            installation: asking.installation.cloned(),
        }),
        artifact: artifact.clone(),
        template: template.clone(),
        capacity: *capacity,
        enabled: true,
        disabled_ms: None,
        created_ms: asking.now_ms,
        expires_ms: lives_ms.map(|lives_ms| deadline(asking.now_ms, lives_ms)),
        expiry_operation: None,
        deleting: false,
        instances: Vec::new(),
    });
    Ok(())
}

fn set_traffic(place: &mut SavedPlace, weights: &Weights) -> Result<(), Refusal> {
    let sum: u64 = weights
        .values()
        .map(|it| u64::from(it.basis_points()))
        .sum();
    let all = u64::from(Share::ALL.basis_points());
    if sum != all {
        return Err(Refusal::never(format!(
            "the shares of {} add up to {sum} hundredths of a percent; expected {all}",
            place.place
        )));
    }
    let weights = only_shares(weights);
    for group in weights.keys() {
        match place.group(group) {
            None => return Err(absent(group)),
            Some(there) if there.deleting => return Err(going(group)),
            Some(_) => {}
        }
    }
    let told = place.place.to_string();
    let Some(router) = &mut place.router else {
        return Err(Refusal::never(format!("there is no router for {told}")));
    };
    router.weights = weights;
    Ok(())
}

fn delete(place: &mut SavedPlace, name: &GroupName) -> Result<(), Refusal> {
    let Some(there) = place.group(name) else {
        return Ok(());
    };
    if there.deleting {
        return Ok(());
    }
    if there.owner.is_none() {
        return Err(not_ours(name));
    }
    let share = place.share(name);
    if share > Share::NONE {
        return Err(Refusal::never(format!(
            "`{name}` has {share} of the traffic and is not removed"
        ))
        .hint("give its share to other groups first"));
    }
    ours(place, name)?.deleting = true;
    Ok(())
}

/// The group, if it is ours to change.
fn ours<'a>(place: &'a mut SavedPlace, name: &GroupName) -> Result<&'a mut SavedGroup, Refusal> {
    match place.group_mut(name) {
        None => Err(absent(name)),
        Some(group) if group.owner.is_none() => Err(not_ours(name)),
        Some(group) if group.deleting => Err(going(name)),
        Some(group) => Ok(group),
    }
}

fn deadline(now_ms: i64, lives_ms: u64) -> i64 {
    now_ms.saturating_add(i64::try_from(lives_ms).unwrap_or(i64::MAX))
}

/// Who made a group, for people.
pub(super) fn whose(group: &SavedGroup) -> String {
    match &group.owner {
        Some(owner) => format!("the operation {}", owner.operation),
        None => "nobody that we know".to_owned(),
    }
}

fn absent(group: &GroupName) -> Refusal {
    Refusal::never(format!("there is no server group `{group}`"))
}

fn going(group: &GroupName) -> Refusal {
    Refusal::never(format!("`{group}` is being removed"))
}

fn not_ours(group: &GroupName) -> Refusal {
    Refusal::never(format!(
        "`{group}` was not made by Coalmine and is not touched"
    ))
}
