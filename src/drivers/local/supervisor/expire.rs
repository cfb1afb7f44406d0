//! The dead man: baseline and canary go at their deadline, whether anybody is there to ask for it or not. What serves in
//! production stays.

use crate::drivers::local::state::{SavedGroup, SavedPlace};
use crate::model::release::cluster::{Role, Share, Weights};
use crate::model::release::names::GroupName;

/// Lets go what is past its deadline; `is_up` says whether a group has an instance that serves. Gives a line for each.
pub(super) fn expire(
    place: &mut SavedPlace,
    is_up: impl Fn(&SavedGroup) -> bool,
    now_ms: i64,
) -> Vec<String> {
    let due: Vec<(GroupName, Role)> = place
        .groups
        .iter()
        .filter(|group| !group.deleting && group.expires_ms.is_some_and(|at| at <= now_ms))
        .map(|group| (group.name.clone(), group.role))
        .collect();
    let mut told = Vec::new();
    for (name, role) in due {
        let share = place.share(&name);
        if share > Share::NONE {
            let heirs = match role {
                Role::Production => continue,
                Role::Baseline | Role::Canary => heirs(place, &is_up, &name),
            };
            // Better a canary that lives too long than nobody who answers.
            if heirs.is_empty() {
                continue;
            }
            if let Some(router) = &mut place.router {
                router.weights.remove(&name);
                hand_over(&mut router.weights, share, &heirs);
            }
        }
        if let Some(group) = place.group_mut(&name) {
            group.deleting = true;
        }
        let heirs = if share > Share::NONE {
            format!("; its {share} of the traffic went to production")
        } else {
            String::new()
        };
        told.push(format!(
            "`{name}` ({}) is past its deadline and is removed{heirs}",
            role.word()
        ));
    }
    told
}

/// The groups of production that can take over.
fn heirs(
    place: &SavedPlace,
    is_up: &impl Fn(&SavedGroup) -> bool,
    but: &GroupName,
) -> Vec<GroupName> {
    let can = place.groups.iter().filter(|group| {
        group.role == Role::Production
            && group.name != *but
            && group.enabled
            && !group.deleting
            && is_up(group)
    });
    let can: Vec<GroupName> = can.map(|group| group.name.clone()).collect();
    let serving = |name: &&GroupName| place.share(name) > Share::NONE;
    if can.iter().any(|name| serving(&name)) {
        can.iter().filter(serving).cloned().collect()
    } else {
        can
    }
}

/// Adds `share` to the heirs, in proportion to what they have; equally where none has anything. What does not divide goes to
/// the first.
fn hand_over(weights: &mut Weights, share: Share, heirs: &[GroupName]) {
    let has = |weights: &Weights, name| {
        let share = weights.get(name).copied().unwrap_or_default();
        u64::from(share.basis_points())
    };
    let all: u64 = heirs.iter().map(|name| has(weights, name)).sum();
    let count = heirs.len() as u64;
    let total = u64::from(share.basis_points());
    let mut parts: Vec<u64> = heirs
        .iter()
        .map(|name| match all {
            0 => total / count.max(1),
            all => total * has(weights, name) / all,
        })
        .collect();
    let given: u64 = parts.iter().sum();
    if let Some(first) = parts.first_mut() {
        *first += total - given;
    }
    for (name, part) in heirs.iter().zip(parts) {
        let part = u32::try_from(part).ok().and_then(Share::new);
        let entry = weights.entry(name.clone()).or_default();
        *entry = entry.saturating_add(part.unwrap_or_default());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]
mod tests {
    use super::*;
    use crate::drivers::local::state::SavedRouter;
    use crate::model::release::cluster::{Artifact, Capacity, Place, Template};
    use crate::model::release::names::ClusterName;

    const NOW: i64 = 1_000_000;

    /// Groups as `name role share deadline`, `!` where it is not up.
    fn check(
        groups: &[(&str, Role, u32, Option<i64>, bool)],
        expected: &[(&str, u32)],
        gone: &[&str],
    ) {
        let name = |text: &str| GroupName::parse(text).unwrap();
        let mut place = SavedPlace {
            place: Place {
                account: "local".to_owned(),
                location: "local".to_owned(),
                cluster: ClusterName::parse("a").unwrap(),
            },
            fencing: 0,
            router: Some(SavedRouter {
                address: "127.0.0.1:1".parse().unwrap(),
                weights: groups
                    .iter()
                    .filter(|it| it.2 > 0)
                    .map(|it| (name(it.0), Share::new(it.2).unwrap()))
                    .collect(),
            }),
            groups: groups
                .iter()
                .map(|it| SavedGroup {
                    name: name(it.0),
                    role: it.1,
                    owner: None,
                    artifact: Artifact {
                        version: "1".to_owned(),
                        reference: String::new(),
                    },
                    template: Template(serde_json::Value::Null),
                    capacity: Capacity::fixed(1),
                    enabled: true,
                    disabled_ms: None,
                    created_ms: 0,
                    expires_ms: it.3,
                    expiry_operation: None,
                    deleting: false,
                    instances: Vec::new(),
                })
                .collect(),
        };
        let up = |group: &SavedGroup| groups.iter().any(|it| it.0 == group.name.as_str() && it.4);
        expire(&mut place, up, NOW);
        let weights = place.router.unwrap().weights;
        let found: Vec<(&str, u32)> = weights
            .iter()
            .map(|(name, share)| (name.as_str(), share.basis_points()))
            .collect();
        assert_eq!(found, expected);
        let deleting = place.groups.iter().filter(|it| it.deleting);
        let found: Vec<&str> = deleting.map(|it| it.name.as_str()).collect();
        assert_eq!(found, gone);
    }

    #[test]
    fn a_canary_past_its_deadline_leaves_its_share_to_production() {
        use Role::{Baseline, Canary, Production};
        let past = Some(NOW);
        check(
            &[
                ("a-v001", Production, 6_000, None, true),
                ("a-v002", Production, 3_001, None, true),
                ("a-baseline-v001", Baseline, 500, past, true),
                ("a-canary-v001", Canary, 499, past, true),
            ],
            &[("a-v001", 6_667), ("a-v002", 3_333)],
            &["a-baseline-v001", "a-canary-v001"],
        );
    }

    #[test]
    fn what_has_not_reached_its_deadline_stays() {
        let later = Some(NOW + 1);
        check(
            &[
                ("a-v001", Role::Production, 9_000, None, true),
                ("a-canary-v001", Role::Canary, 1_000, later, true),
            ],
            &[("a-canary-v001", 1_000), ("a-v001", 9_000)],
            &[],
        );
    }

    #[test]
    fn a_canary_that_alone_serves_stays() {
        let past = Some(NOW - 1);
        check(
            &[
                ("a-v001", Role::Production, 5_000, None, false),
                ("a-canary-v001", Role::Canary, 5_000, past, true),
            ],
            &[("a-canary-v001", 5_000), ("a-v001", 5_000)],
            &[],
        );
    }

    #[test]
    fn a_production_group_goes_only_without_a_share() {
        let past = Some(NOW - 1);
        check(
            &[
                ("a-v001", Role::Production, 0, past, true),
                ("a-v002", Role::Production, 10_000, past, true),
            ],
            &[("a-v002", 10_000)],
            &["a-v001"],
        );
    }

    #[test]
    fn groups_of_production_that_stand_by_share_what_a_canary_had() {
        let past = Some(NOW - 1);
        check(
            &[
                ("a-v001", Role::Production, 0, None, true),
                ("a-v002", Role::Production, 0, None, true),
                ("a-canary-v001", Role::Canary, 10_000, past, true),
            ],
            &[("a-v001", 5_000), ("a-v002", 5_000)],
            &["a-canary-v001"],
        );
    }
}
