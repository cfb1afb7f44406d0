//! What a driver never does, whoever asks.

use coalmine::drivers::Fencing;
use coalmine::model::release::cluster::{Capacity, Role};
use coalmine::model::release::operation::Change;

use super::{
    Site, apply, apply_under, create, for_every_driver, group, id, perform, refused, view, weights,
};

for_every_driver!(
    what_is_not_ours_is_not_touched,
    a_name_that_is_taken_is_refused,
    what_has_traffic_is_not_removed,
    what_is_not_there_cannot_be_changed,
    a_lock_that_was_taken_over_does_nothing_more,
);

async fn what_is_not_ours_is_not_touched(site: &impl Site) {
    let name = group("search-v001");
    site.plant_foreign(&name).await;
    let before = view(site).await;
    assert_eq!(before.group(&name).unwrap().owner, None);
    for change in [
        Change::Resize {
            group: name.clone(),
            capacity: Capacity::fixed(2),
        },
        Change::Disable {
            group: name.clone(),
        },
        Change::SetExpiry {
            group: name.clone(),
            lives_ms: Some(1),
        },
        Change::DeleteGroup {
            group: name.clone(),
        },
        create(site, "search-v001", Role::Production, 1),
    ] {
        refused(apply(site, &change, &id("A", 1)).await, &["search-v001"]);
    }
    assert_eq!(view(site).await.groups, before.groups);
    assert_eq!(site.driver().find_owned().await.unwrap(), []);
}

async fn a_name_that_is_taken_is_refused(site: &impl Site) {
    let made = create(site, "search-v001", Role::Production, 1);
    perform(site, made.clone(), &id("A", 1)).await;
    refused(
        apply(site, &made, &id("B", 1)).await,
        &["search-v001", "A/0.1"],
    );
    let owner = view(site).await.groups[0].owner.clone().unwrap();
    assert_eq!(owner.execution.as_str(), "A");
}

async fn what_has_traffic_is_not_removed(site: &impl Site) {
    perform(site, Change::OpenRouter { address: None }, &id("A", 0)).await;
    let made = create(site, "search-v001", Role::Production, 1);
    perform(site, made, &id("A", 1)).await;
    let all = Change::SetTraffic {
        weights: weights(&[("search-v001", 10_000)]),
    };
    perform(site, all, &id("A", 2)).await;
    let gone = Change::DeleteGroup {
        group: group("search-v001"),
    };
    refused(
        apply(site, &gone, &id("A", 3)).await,
        &["search-v001", "100%"],
    );
    assert_eq!(view(site).await.groups.len(), 1);
}

async fn what_is_not_there_cannot_be_changed(site: &impl Site) {
    let name = group("search-v007");
    for change in [
        Change::Resize {
            group: name.clone(),
            capacity: Capacity::fixed(1),
        },
        Change::Enable {
            group: name.clone(),
        },
        Change::AwaitHealthy {
            group: name.clone(),
            instances: 1,
        },
    ] {
        refused(apply(site, &change, &id("A", 1)).await, &["search-v007"]);
    }
}

async fn a_lock_that_was_taken_over_does_nothing_more(site: &impl Site) {
    let apply = async |name, execution, step, number| {
        let change = create(site, name, Role::Production, 0);
        apply_under(site, &change, &id(execution, step), Fencing(number)).await
    };
    apply("search-v001", "A", 1, 7).await.unwrap();
    apply("search-v002", "B", 1, 8).await.unwrap();
    let late = apply("search-v003", "A", 2, 7).await;
    refused(late, &["taken over", "7", "8"]);
    apply("search-v004", "B", 2, 8).await.unwrap();
    let names = view(site).await.groups;
    let names: Vec<&str> = names.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["search-v001", "search-v002", "search-v004"]);
}
