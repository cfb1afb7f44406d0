//! Server groups come, change their size, and go.

use coalmine::drivers::Progress;
use coalmine::model::release::cluster::{Capacity, Health, Role};
use coalmine::model::release::operation::Change;

use super::{Site, apply, check, create, for_every_driver, group, id, perform, until_done, view};

for_every_driver!(
    a_place_without_anything_is_empty,
    nothing_is_begun_before_it_is_applied,
    a_group_is_made_once_and_gets_healthy,
    a_group_grows_and_shrinks_to_the_sizes_that_are_asked,
    a_group_that_goes_leaves_nothing,
    whatever_is_owned_is_found,
    a_deadline_is_set_moved_and_taken_back,
);

async fn a_place_without_anything_is_empty(site: &impl Site) {
    let view = view(site).await;
    assert_eq!(view.place, site.place());
    assert_eq!((view.groups, view.router), (Vec::new(), None));
    assert_eq!(site.driver().find_owned().await.unwrap(), []);
}

async fn nothing_is_begun_before_it_is_applied(site: &impl Site) {
    let name = group("search-v001");
    for change in [
        Change::OpenRouter { address: None },
        create(site, "search-v001", Role::Production, 1),
        Change::Resize {
            group: name.clone(),
            capacity: Capacity::fixed(2),
        },
        Change::AwaitHealthy {
            group: name.clone(),
            instances: 1,
        },
        Change::SetTraffic {
            weights: super::weights(&[("search-v001", 10_000)]),
        },
        Change::Enable { group: name },
    ] {
        let progress = check(site, &change, &id("A", 1)).await;
        assert_eq!(progress, Progress::NotStarted, "{change:?}");
    }
    assert_eq!(view(site).await.groups, []);
}

async fn a_group_is_made_once_and_gets_healthy(site: &impl Site) {
    perform(site, Change::OpenRouter { address: None }, &id("A", 0)).await;
    let made = create(site, "search-v001", Role::Production, 2);
    perform(site, made, &id("A", 1)).await;
    let healthy = Change::AwaitHealthy {
        group: group("search-v001"),
        instances: 2,
    };
    perform(site, healthy, &id("A", 2)).await;

    let view = view(site).await;
    assert_eq!(view.groups.len(), 1, "{view:?}");
    let found = &view.groups[0];
    assert_eq!(found.role, Role::Production);
    assert_eq!(found.artifact.version, "5.4.0");
    assert_eq!(found.capacity, Capacity::fixed(2));
    assert_eq!(found.template, site.template());
    assert!(found.enabled);
    let owner = found.owner.as_ref().unwrap();
    assert_eq!(owner.execution.as_str(), "A");
    assert_eq!(found.instances.len(), 2);
    for instance in &found.instances {
        assert_eq!(instance.health, Health::Up, "{instance:?}");
        assert!(instance.registered, "{instance:?}");
    }
    assert_ne!(found.instances[0].id, found.instances[1].id);
    let router = view.router.unwrap();
    assert!(router.weights.is_empty(), "no share is given unasked");
}

async fn a_group_grows_and_shrinks_to_the_sizes_that_are_asked(site: &impl Site) {
    let made = create(site, "search-v001", Role::Production, 1);
    perform(site, made, &id("A", 1)).await;
    for (step, size) in [(2, 3), (3, 2), (4, 0)] {
        let resize = Change::Resize {
            group: group("search-v001"),
            capacity: Capacity::fixed(size),
        };
        assert_eq!(
            check(site, &resize, &id("A", step)).await,
            Progress::NotStarted
        );
        perform(site, resize, &id("A", step)).await;
        let found = view(site).await;
        let found = found.group(&group("search-v001")).unwrap();
        assert_eq!(found.capacity, Capacity::fixed(size));
        assert_eq!(found.instances.len(), size as usize, "{found:?}");
    }
}

async fn a_group_that_goes_leaves_nothing(site: &impl Site) {
    let made = create(site, "search-v001", Role::Production, 2);
    perform(site, made, &id("A", 1)).await;
    let gone = Change::DeleteGroup {
        group: group("search-v001"),
    };
    assert_eq!(check(site, &gone, &id("A", 2)).await, Progress::NotStarted);
    perform(site, gone.clone(), &id("A", 2)).await;
    assert_eq!(view(site).await.groups, []);
    // What is not there is gone.
    perform(site, gone, &id("B", 0)).await;
    assert_eq!(site.driver().find_owned().await.unwrap(), []);
}

async fn whatever_is_owned_is_found(site: &impl Site) {
    let production = create(site, "search-v001", Role::Production, 1);
    perform(site, production, &id("A", 1)).await;
    let mut canary = create(site, "search-canary-v001", Role::Canary, 1);
    if let Change::CreateGroup { lives_ms, .. } = &mut canary {
        *lives_ms = Some(600_000);
    }
    perform(site, canary, &id("B", 1)).await;
    let mut owned = site.driver().find_owned().await.unwrap();
    owned.sort_by(|a, b| a.group.cmp(&b.group));
    let found: Vec<_> = owned
        .iter()
        .map(|it| {
            assert_eq!(it.place, site.place());
            assert_eq!(it.installation, Some(site.installation()));
            let execution = it.execution.as_str();
            (
                it.group.as_str(),
                it.role,
                execution,
                it.expires_ms.is_some(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("search-canary-v001", Role::Canary, "B", true),
            ("search-v001", Role::Production, "A", false),
        ]
    );
}

async fn a_deadline_is_set_moved_and_taken_back(site: &impl Site) {
    let name = group("search-v001");
    let made = create(site, "search-v001", Role::Production, 1);
    perform(site, made, &id("A", 1)).await;
    let expires = |lives_ms| Change::SetExpiry {
        group: name.clone(),
        lives_ms,
    };
    perform(site, expires(Some(500_000)), &id("A", 2)).await;
    let first = view(site).await.group(&name).unwrap().expires_ms.unwrap();
    // The same again does not move it.
    apply(site, &expires(Some(500_000)), &id("A", 2))
        .await
        .unwrap();
    let again = view(site).await.group(&name).unwrap().expires_ms;
    assert_eq!(again, Some(first));

    let later = expires(Some(900_000));
    assert_eq!(check(site, &later, &id("A", 3)).await, Progress::NotStarted);
    perform(site, later, &id("A", 3)).await;
    let moved = view(site).await.group(&name).unwrap().expires_ms.unwrap();
    assert!(moved > first, "{moved} {first}");

    perform(site, expires(None), &id("A", 4)).await;
    assert_eq!(view(site).await.group(&name).unwrap().expires_ms, None);
    until_done(site, &expires(None), &id("A", 4)).await;
}
