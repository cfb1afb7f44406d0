//! Nobody is there any more: the supervisor ends baseline and canary by itself.

use std::time::Duration;

use coalmine::model::release::cluster::{Role, Share};
use coalmine::model::release::operation::Change;

use super::load::Load;
use super::site::LocalSite;
use crate::driver_contract::group;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn baseline_and_canary_go_at_their_deadline_and_production_serves_on() {
    let site = LocalSite::new();
    let address = site.open_router().await;
    site.create_healthy("search-v001", 1, &[]).await;
    for (name, role) in [
        ("search-baseline-v001", Role::Baseline),
        ("search-canary-v001", Role::Canary),
    ] {
        site.create_as(name, role, 1, Some(4_000), &["--latency-ms", "20"])
            .await;
        site.until_healthy(name, 1).await;
    }
    site.shares(&[
        ("search-v001", 8_000),
        ("search-baseline-v001", 1_000),
        ("search-canary-v001", 1_000),
    ])
    .await;
    let load = Load::start(&address, 4);
    load.more(100).await;
    let view = site
        .until("production alone", |view| view.groups.len() == 1)
        .await;
    assert_eq!(view.groups[0].name, group("search-v001"));
    assert_eq!(view.share(&group("search-v001")), Share::ALL);
    load.more(100).await;
    let tally = load.end().await;
    assert_eq!(tally.failures, [] as [String; 0]);
    assert!(tally.of("search-canary-v001") > 0, "{tally:?}");
    assert_eq!(site.processes().len(), 1);
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_that_passed_while_no_supervisor_lived_is_kept() {
    let site = LocalSite::new();
    site.open_router().await;
    site.create_healthy("search-v001", 1, &[]).await;
    site.shares(&[("search-v001", 10_000)]).await;
    site.create_as("search-canary-v001", Role::Canary, 1, Some(1_000), &[])
        .await;
    site.kill_supervisor().await;
    assert_eq!(site.processes().len(), 2);
    site.until("production alone", |view| view.groups.len() == 1)
        .await;
    assert_eq!(site.processes().len(), 1);
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_production_group_with_traffic_stays_after_its_deadline_and_without_goes() {
    let site = LocalSite::new();
    site.open_router().await;
    for name in ["search-v001", "search-v002"] {
        site.create_healthy(name, 1, &[]).await;
    }
    site.shares(&[("search-v002", 10_000)]).await;
    for name in ["search-v001", "search-v002"] {
        let group = group(name);
        let lives_ms = Some(1);
        site.perform(Change::SetExpiry { group, lives_ms }).await;
    }
    let view = site.until("one left", |view| view.groups.len() == 1).await;
    assert_eq!(view.groups[0].name, group("search-v002"));
    // The next looks do not take it either.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(site.group("search-v002").await.up(), 1);
    site.finish().await;
}
