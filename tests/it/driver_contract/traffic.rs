//! Shares are set all at once, and groups are taken out of traffic and back.

use coalmine::drivers::Progress;
use coalmine::model::release::cluster::{Health, Role, Share};
use coalmine::model::release::operation::Change;

use super::{
    Site, apply, check, create, for_every_driver, group, id, perform, refused, view, weights,
};

for_every_driver!(
    shares_are_set_together_and_read_back,
    shares_that_cannot_be_change_nothing,
    a_disabled_group_is_out_of_service_until_it_is_enabled,
    a_router_is_opened_once,
);

async fn pair(site: &impl Site) {
    perform(site, Change::OpenRouter { address: None }, &id("A", 0)).await;
    for (step, name) in [(1, "search-v001"), (2, "search-v002")] {
        let made = create(site, name, Role::Production, 1);
        perform(site, made, &id("A", step)).await;
        let healthy = Change::AwaitHealthy {
            group: group(name),
            instances: 1,
        };
        perform(site, healthy, &id("A", step + 10)).await;
    }
}

async fn shares_are_set_together_and_read_back(site: &impl Site) {
    pair(site).await;
    for (step, old, new) in [(20, 10_000, 0), (21, 7_525, 2_475), (22, 0, 10_000)] {
        let change = Change::SetTraffic {
            weights: weights(&[("search-v001", old), ("search-v002", new)]),
        };
        assert_eq!(
            check(site, &change, &id("A", step)).await,
            Progress::NotStarted
        );
        perform(site, change, &id("A", step)).await;
        let view = view(site).await;
        let shares = ["search-v001", "search-v002"].map(|name| view.share(&group(name)));
        assert_eq!(shares, [old, new].map(|it| Share::new(it).unwrap()));
    }
}

async fn shares_that_cannot_be_change_nothing(site: &impl Site) {
    pair(site).await;
    let good = weights(&[("search-v001", 10_000)]);
    let change = Change::SetTraffic {
        weights: good.clone(),
    };
    perform(site, change, &id("A", 20)).await;
    for (bad, words) in [
        (weights(&[("search-v001", 9_999)]), "9999"),
        (weights(&[]), "add up to 0"),
        (
            weights(&[("search-v001", 5_000), ("search-v009", 5_000)]),
            "search-v009",
        ),
    ] {
        let change = Change::SetTraffic { weights: bad };
        refused(apply(site, &change, &id("A", 21)).await, &[words]);
        assert_eq!(view(site).await.router.unwrap().weights, good);
    }
}

async fn a_disabled_group_is_out_of_service_until_it_is_enabled(site: &impl Site) {
    pair(site).await;
    let name = group("search-v001");
    let disable = Change::Disable {
        group: name.clone(),
    };
    assert_eq!(
        check(site, &disable, &id("A", 30)).await,
        Progress::NotStarted
    );
    perform(site, disable, &id("A", 30)).await;
    let found = view(site).await;
    let found = found.group(&name).unwrap();
    assert!(!found.enabled);
    assert_eq!(found.instances[0].health, Health::OutOfService);
    assert!(!found.instances[0].registered);
    assert_eq!(found.up(), 0);

    let enable = Change::Enable {
        group: name.clone(),
    };
    assert_eq!(
        check(site, &enable, &id("A", 31)).await,
        Progress::NotStarted
    );
    perform(site, enable, &id("A", 31)).await;
    let healthy = Change::AwaitHealthy {
        group: name.clone(),
        instances: 1,
    };
    perform(site, healthy, &id("A", 32)).await;
    assert_eq!(view(site).await.group(&name).unwrap().up(), 1);
}

async fn a_router_is_opened_once(site: &impl Site) {
    perform(site, Change::OpenRouter { address: None }, &id("A", 0)).await;
    let first = view(site).await.router.unwrap().address;
    perform(site, Change::OpenRouter { address: None }, &id("B", 0)).await;
    let same = Change::OpenRouter {
        address: Some(first.clone()),
    };
    perform(site, same, &id("B", 1)).await;
    assert_eq!(view(site).await.router.unwrap().address, first);
}
