//! The traffic guard: which operations leave production served.

use coalmine::config::release::spec::GuardSpec;
use coalmine::guards::traffic::{Finding, traffic};
use coalmine::model::release::cluster::{Capacity, GroupView, Health, Role, Share, View, Weights};
use coalmine::model::release::operation::Change;

use crate::strategies::fixture::{found_at, group, name, percent};

/// Groups of production with so many instances up, and shares in percent: `search-v001` and on.
fn view(groups: &[(u32, u32)]) -> View {
    let groups = groups.iter().enumerate().map(|(place, (up, share))| {
        let name = format!("search-v{:03}", place + 1);
        (group(&name, Capacity::fixed(*up)), *share)
    });
    found_at("here", groups.collect()).view
}

fn of(number: u32) -> coalmine::model::release::names::GroupName {
    name(&format!("search-v{number:03}"))
}

fn shares(shares: &[(u32, u32)]) -> Change {
    let weights = shares
        .iter()
        .map(|(number, share)| (of(*number), percent(*share)))
        .collect();
    Change::SetTraffic { weights }
}

fn rule(least_share: u32, least_instances: u32) -> GuardSpec {
    GuardSpec {
        least_share: Share::new(least_share).unwrap(),
        least_instances,
    }
}

fn said(view: &View, change: &Change, rule: &GuardSpec) -> String {
    match traffic(view, change, rule) {
        Finding::Holds { sentence } => format!("holds: {sentence}"),
        Finding::Denied { sentence } => format!("denied: {sentence}"),
        Finding::NotConcerned => "not concerned".to_owned(),
    }
}

fn changed(view: &View, change: impl Fn(&mut GroupView)) -> View {
    let mut view = view.clone();
    view.groups.iter_mut().for_each(change);
    view
}

#[test]
fn the_share_of_what_must_serve_is_met_where_it_is_reached_exactly() {
    let two = view(&[(10, 50), (10, 50)]);
    let all_to_the_first = shares(&[(1, 100)]);
    let with = |least| said(&two, &all_to_the_first, &rule(least, 1));
    assert_eq!(with(5_000), "holds: 10 instances serve after it, 20 do now");
    assert_eq!(
        with(5_001),
        "denied: 10 instances serve after it, 20 do now; at least 50.01% must"
    );
    assert_eq!(with(0), "holds: 10 instances serve after it, 20 do now");
}

#[test]
fn the_least_number_of_instances_counts_too() {
    let two = view(&[(2, 50), (10, 50)]);
    let to_the_small_one = shares(&[(1, 100)]);
    let with = |least| said(&two, &to_the_small_one, &rule(0, least));
    assert_eq!(
        with(2),
        "holds: 2 instances serve after it, 12 do now, of which 4 count as the traffic is parted"
    );
    assert_eq!(
        with(3),
        "denied: 2 instances serve after it, 12 do now, of which 4 count as the traffic is parted; at least 3 must"
    );
    // The rule says 0 instances: one is the least all the same.
    assert_eq!(
        with(0),
        "holds: 2 instances serve after it, 12 do now, of which 4 count as the traffic is parted"
    );
}

#[test]
fn what_does_not_make_it_worse_is_allowed() {
    let sick = view(&[(1, 100), (1, 0)]);
    let other = shares(&[(2, 100)]);
    let strict = rule(10_000, 5);
    assert_eq!(
        said(&sick, &other, &strict),
        "holds: 1 instances serve after it, 1 do now"
    );
}

#[test]
fn where_nothing_serves_anything_that_serves_is_allowed() {
    let fresh = view(&[(3, 0)]);
    assert_eq!(
        said(&fresh, &shares(&[(1, 100)]), &rule(10_000, 5)),
        "holds: 3 instances serve after it, and none does now"
    );
}

#[test]
fn only_what_is_up_and_registered_in_an_enabled_group_serves() {
    let two = view(&[(4, 100), (4, 0)]);
    let to_the_other = shares(&[(2, 100)]);
    for health in [
        Health::Starting,
        Health::Down,
        Health::OutOfService,
        Health::Draining,
        Health::Unknown,
    ] {
        let sick = changed(&two, |group| {
            if group.name == of(2) {
                group.instances.iter_mut().for_each(|it| it.health = health);
            }
        });
        assert_eq!(
            said(&sick, &to_the_other, &rule(0, 1)),
            "denied: `search-v002` has no healthy instance, and would get 100% of the traffic",
            "{health:?}"
        );
    }
    let apart = changed(&two, |group| {
        if group.name == of(2) {
            group
                .instances
                .iter_mut()
                .for_each(|it| it.registered = false);
        }
    });
    assert_eq!(
        said(&apart, &to_the_other, &rule(0, 1)),
        "denied: `search-v002` has no healthy instance, and would get 100% of the traffic"
    );
    let off = changed(&two, |group| group.enabled = group.name != of(2));
    assert_eq!(
        said(&off, &to_the_other, &rule(0, 1)),
        "denied: `search-v002` is disabled, and would get 100% of the traffic"
    );
}

#[test]
fn instances_that_were_taken_out_one_by_one_count() {
    // Half of the second group is taken out: a partial disable that no flag of the group shows.
    let two = changed(&view(&[(10, 50), (10, 50)]), |group| {
        if group.name == of(2) {
            group
                .instances
                .iter_mut()
                .take(5)
                .for_each(|it| it.registered = false);
        }
    });
    assert_eq!(
        said(&two, &shares(&[(2, 100)]), &rule(5_001, 1)),
        "denied: 5 instances serve after it, 15 do now; at least 50.01% must"
    );
}

#[test]
fn groups_without_a_share_do_not_serve_however_healthy() {
    let two = view(&[(2, 100), (40, 0)]);
    let to_a_third = shares(&[(1, 100)]);
    assert_eq!(
        said(&two, &to_a_third, &rule(10_000, 1)),
        "holds: 2 instances serve after it, 2 do now"
    );
}

#[test]
fn a_group_with_little_traffic_does_not_count_with_all_its_instances() {
    let nearly_through = view(&[(40, 1), (38, 99)]);
    assert_eq!(
        said(&nearly_through, &shares(&[(2, 100)]), &rule(10_000, 1)),
        "holds: 38 instances serve after it, 78 do now, of which 38 count as the traffic is parted"
    );
    let fleet = view(&[(4, 25), (4, 25), (4, 25), (4, 25)]);
    assert_eq!(
        said(&fleet, &shares(&[(1, 100)]), &rule(5_000, 1)),
        "denied: 4 instances serve after it, 16 do now; at least 50% must"
    );
}

#[test]
fn a_new_version_that_is_weak_does_not_lower_what_its_next_share_is_weighed_by() {
    // Of its five instances one is up. Ten served before it came.
    let mut weak = changed(&view(&[(10, 75), (5, 25)]), |group| {
        if group.name == of(2) {
            let asked = group.instances.iter_mut().skip(1);
            asked.for_each(|it| it.health = Health::Starting);
        }
    });
    let half = shares(&[(1, 50), (2, 50)]);
    assert_eq!(
        said(&weak, &half, &rule(5_000, 1)),
        "denied: 11 instances serve after it, of which 2 count as the traffic is parted, 11 do now; at least 50% must"
    );
    // With all of its instances it may.
    weak.groups[1]
        .instances
        .iter_mut()
        .for_each(|it| it.health = Health::Up);
    assert_eq!(
        said(&weak, &half, &rule(5_000, 1)),
        "holds: 15 instances serve after it, of which 10 count as the traffic is parted, 15 do now, of which 13 count as the traffic is parted"
    );
    // Back to what is whole is never worse.
    let mut back = view(&[(10, 50), (5, 50)]);
    back.groups[1].instances.truncate(1);
    assert_eq!(
        said(&back, &shares(&[(1, 100)]), &rule(10_000, 1)),
        "holds: 10 instances serve after it, 11 do now, of which 2 count as the traffic is parted"
    );
}

#[test]
fn a_canary_is_as_small_as_its_spec_says() {
    let mut both = view(&[(10, 100), (1, 0), (1, 0)]);
    both.groups[1].role = Role::Baseline;
    both.groups[2].role = Role::Canary;
    assert_eq!(
        said(
            &both,
            &shares(&[(1, 50), (2, 25), (3, 25)]),
            &rule(10_000, 1)
        ),
        "holds: 12 instances serve after it, 10 do now"
    );
}

#[test]
fn a_group_with_traffic_is_neither_removed_nor_disabled_nor_emptied() {
    let two = view(&[(4, 100), (4, 0)]);
    for (one, other) in [
        (
            Change::Disable { group: of(1) },
            Change::Disable { group: of(2) },
        ),
        (
            Change::DeleteGroup { group: of(1) },
            Change::DeleteGroup { group: of(2) },
        ),
        (
            Change::Resize {
                group: of(1),
                capacity: Capacity::fixed(0),
            },
            Change::Resize {
                group: of(2),
                capacity: Capacity::fixed(0),
            },
        ),
        (
            Change::SetExpiry {
                group: of(1),
                lives_ms: Some(1),
            },
            Change::SetExpiry {
                group: of(2),
                lives_ms: Some(1),
            },
        ),
    ] {
        let denied = "denied: `search-v001` has 100% of the traffic";
        assert_eq!(said(&two, &one, &rule(0, 1)), denied, "{one:?}");
        assert_eq!(
            said(&two, &other, &rule(0, 1)),
            "not concerned",
            "{other:?}"
        );
    }
}

#[test]
fn a_group_with_traffic_may_shrink_as_far_as_enough_serve() {
    let one = view(&[(10, 100)]);
    let to = |size| Change::Resize {
        group: of(1),
        capacity: Capacity::fixed(size),
    };
    assert_eq!(
        said(&one, &to(5), &rule(5_000, 1)),
        "holds: 5 instances serve after it, 10 do now"
    );
    assert_eq!(
        said(&one, &to(4), &rule(5_000, 1)),
        "denied: 4 instances serve after it, 10 do now; at least 50% must"
    );
    assert_eq!(said(&one, &to(11), &rule(10_000, 99)), "not concerned");
}

#[test]
fn baseline_and_canary_are_nothing_to_lose() {
    let mut both = view(&[(2, 50), (8, 25), (8, 25)]);
    both.groups[1].role = Role::Baseline;
    both.groups[2].role = Role::Canary;
    assert_eq!(
        said(&both, &shares(&[(1, 100)]), &rule(10_000, 1)),
        "holds: 2 instances serve after it, 2 do now"
    );
    // Where they alone serve, they are what there is to lose.
    let mut alone = view(&[(2, 0), (8, 50), (8, 50)]);
    alone.groups[1].role = Role::Baseline;
    alone.groups[2].role = Role::Canary;
    assert_eq!(
        said(&alone, &shares(&[(1, 100)]), &rule(5_000, 1)),
        "denied: 2 instances serve after it, 16 do now; at least 50% must"
    );
}

#[test]
fn what_cannot_be_told_is_denied() {
    let mut one = view(&[(4, 100)]);
    let rule = rule(0, 1);
    assert_eq!(
        said(&one, &shares(&[(7, 100)]), &rule),
        "denied: `search-v007` is not there, and would get 100% of the traffic"
    );
    assert_eq!(
        said(&one, &shares(&[(1, 99)]), &rule),
        "denied: the shares add up to 99%, not to all traffic"
    );
    let nobody = Change::SetTraffic {
        weights: Weights::new(),
    };
    assert_eq!(
        said(&one, &nobody, &rule),
        "denied: the shares add up to 0%, not to all traffic"
    );
    one.router = None;
    assert_eq!(
        said(&one, &shares(&[(1, 100)]), &rule),
        "denied: there is no router whose traffic could be parted"
    );
}

#[test]
fn what_is_gone_already_takes_nothing_away() {
    let one = view(&[(4, 100)]);
    let delete = Change::DeleteGroup { group: of(9) };
    let disable = Change::Disable { group: of(9) };
    assert_eq!(said(&one, &delete, &rule(0, 1)), "not concerned");
    assert_eq!(said(&one, &disable, &rule(0, 1)), "not concerned");
}
