//! The proxy under load.

use std::time::{Duration, Instant};

use coalmine::drivers::Progress;
use coalmine::model::release::cluster::Health;
use coalmine::model::release::operation::Change;

use super::load::{Load, get};
use super::site::{LocalSite, sample};
use crate::driver_contract::group;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_parted_by_the_shares_and_counted() {
    let site = LocalSite::new();
    let address = site.open_router().await;
    for name in ["search-v001", "search-baseline-v001", "search-canary-v001"] {
        site.create_healthy(name, 1, &[]).await;
    }
    site.shares(&[
        ("search-v001", 8_000),
        ("search-baseline-v001", 1_000),
        ("search-canary-v001", 1_000),
    ])
    .await;
    let load = Load::start(&address, 4);
    load.more(2_000).await;
    let tally = load.end().await;
    assert_eq!(tally.failures, [] as [String; 0]);
    let total = tally.total() as f64;
    for (name, share) in [
        ("search-v001", 0.8),
        ("search-baseline-v001", 0.1),
        ("search-canary-v001", 0.1),
    ] {
        let found = tally.of(name) as f64 / total;
        // Five standard deviations of a share of as many independent requests.
        let tolerance = 5.0 * (share * (1.0 - share) / total).sqrt();
        assert!(
            (found - share).abs() < tolerance,
            "{name}: {found} of {total}"
        );
    }
    let router = site.see().await.router.unwrap();
    assert_eq!((router.requests, router.failed), (tally.total(), 0));
    let measured = router.measured[&group("search-v001")].basis_points();
    let expected = tally.of("search-v001") as f64 / total * 10_000.0;
    assert!(
        (f64::from(measured) - expected).abs() <= 1.0,
        "{measured} {expected}"
    );
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_groups_come_change_and_go() {
    let site = LocalSite::new();
    let address = site.open_router().await;
    site.create_healthy("search-v001", 2, &["--latency-ms", "10"])
        .await;
    site.shares(&[("search-v001", 10_000)]).await;
    let load = Load::start(&address, 8);
    load.more(50).await;

    site.resize("search-v001", 3).await;
    site.until_healthy("search-v001", 3).await;
    load.more(50).await;
    site.create_healthy("search-v002", 2, &["--latency-ms", "10"])
        .await;
    site.shares(&[("search-v001", 5_000), ("search-v002", 5_000)])
        .await;
    load.more(50).await;
    site.resize("search-v001", 1).await;
    load.more(50).await;
    site.shares(&[("search-v002", 10_000)]).await;
    site.disable("search-v001").await;
    assert_eq!(site.group("search-v001").await.in_flight, Some(0));
    let before = load.tally().of("search-v001");
    load.more(50).await;
    assert_eq!(load.tally().of("search-v001"), before, "disabled is out");
    site.enable("search-v001").await;
    site.until_healthy("search-v001", 1).await;
    site.shares(&[("search-v001", 10_000)]).await;
    load.more(50).await;
    site.delete("search-v002").await;
    load.more(50).await;

    let tally = load.end().await;
    assert_eq!(tally.failures, [] as [String; 0]);
    assert!(tally.of("search-v001") > 0 && tally.of("search-v002") > 0);
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_group_drains_before_it_is_out_of_service() {
    let site = LocalSite::new();
    let address = site.open_router().await;
    site.create_healthy("search-v001", 1, &["--latency-ms", "1500"])
        .await;
    site.shares(&[("search-v001", 10_000)]).await;
    let request = tokio::spawn(async move { get(&format!("http://{address}/")).await });
    site.until("in flight", |view| view.groups[0].in_flight == Some(1))
        .await;

    let disable = Change::Disable {
        group: group("search-v001"),
    };
    let id = site.next();
    crate::driver_contract::apply(&site, &disable, &id)
        .await
        .unwrap();
    assert_eq!(
        crate::driver_contract::check(&site, &disable, &id).await,
        Progress::InFlight {
            why: "1 request is still in it".to_owned()
        }
    );
    let draining = site.group("search-v001").await;
    assert_eq!(draining.instances[0].health, Health::Draining);
    crate::driver_contract::until_done(&site, &disable, &id).await;
    assert_eq!(request.await.unwrap().0, 200);
    let out = site.group("search-v001").await;
    assert_eq!(out.instances[0].health, Health::OutOfService);
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_an_end_does_not_keep_a_group_from_being_disabled() {
    let site = LocalSite::new();
    let address = site.open_router().await;
    // From 4 to 16 seconds: far longer than an instance is given to end in.
    let mut template = sample(&["--latency-ms", "8000"]);
    template.0["stopGraceMs"] = 300.into();
    site.create_of("search-v001", 1, template).await;
    site.until_healthy("search-v001", 1).await;
    site.shares(&[("search-v001", 10_000)]).await;
    let request = tokio::spawn(async move { get(&format!("http://{address}/")).await });
    site.until("in flight", |view| view.groups[0].in_flight == Some(1))
        .await;
    let since = Instant::now();
    site.disable("search-v001").await;
    assert!(since.elapsed() >= Duration::from_millis(300));
    assert_eq!(site.group("search-v001").await.in_flight, Some(1));
    assert_eq!(request.await.unwrap().0, 200, "it goes on");
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_is_removed_finishes_its_request() {
    let site = LocalSite::new();
    let address = site.open_router().await;
    site.create_healthy("search-v001", 1, &["--latency-ms", "1000"])
        .await;
    site.shares(&[("search-v001", 10_000)]).await;
    let request = tokio::spawn(async move { get(&format!("http://{address}/")).await });
    site.until("in flight", |view| view.groups[0].in_flight == Some(1))
        .await;
    site.resize("search-v001", 0).await;
    assert_eq!(request.await.unwrap().0, 200);
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_is_up_the_proxy_says_so_and_counts_it() {
    let site = LocalSite::new();
    let address = site.open_router().await;
    let url = format!("http://{address}/");
    let (status, _, body) = get(&url).await;
    assert_eq!(status, 503);
    assert_eq!(body, "no instance is up for this request\n");
    // A group without a share gets nothing, even where nobody else answers.
    site.create_healthy("search-v001", 1, &[]).await;
    assert_eq!(get(&url).await.0, 503);
    site.shares(&[("search-v001", 10_000)]).await;
    let (status, headers, body) = get(&url).await;
    assert_eq!(
        (status.as_u16(), body.as_str()),
        (200, "sample service search-v001\n")
    );
    assert!(headers.contains("x-version"), "{headers}");
    let router = site.see().await.router.unwrap();
    assert_eq!((router.requests, router.failed), (3, 2));
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_of_5xx_are_counted_as_failed() {
    let site = LocalSite::new();
    let address = site.open_router().await;
    site.create_healthy("search-v001", 1, &["--error-share", "1"])
        .await;
    site.shares(&[("search-v001", 10_000)]).await;
    assert_eq!(get(&format!("http://{address}/")).await.0, 500);
    let router = site.see().await.router.unwrap();
    assert_eq!((router.requests, router.failed), (1, 1));
    site.finish().await;
}
