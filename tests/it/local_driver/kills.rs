//! The supervisor dies, and another one takes over.

use std::time::Duration;

use coalmine::model::release::cluster::Health;

use super::load::{Load, get};
use super::site::{LocalSite, PROGRAM, is_running, kill, sample};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_supervisor_takes_over_what_runs() {
    let site = LocalSite::new();
    let address = site.open_router().await;
    site.create_healthy("search-v001", 2, &[]).await;
    site.create_healthy("search-v002", 1, &[]).await;
    site.shares(&[("search-v001", 5_000), ("search-v002", 5_000)])
        .await;
    let before = site.see().await;
    let processes = site.processes();
    let first = site.supervisor();
    site.kill_supervisor().await;
    assert_eq!(site.processes(), processes, "instances outlive it");

    let after = site.see().await;
    assert_ne!(site.supervisor(), first);
    assert_eq!(site.processes(), processes, "none is doubled, none is lost");
    assert_eq!(after.router.as_ref().unwrap().address, address);
    assert_eq!(
        after.router.as_ref().unwrap().weights,
        before.router.as_ref().unwrap().weights
    );
    assert_eq!(after.groups, before.groups);
    // What was up is believed to be, so that nobody waits.
    let load = Load::start(&address, 2);
    load.more(100).await;
    let tally = load.end().await;
    assert_eq!(tally.failures, [] as [String; 0]);
    assert!(tally.of("search-v001") > 0 && tally.of("search-v002") > 0);

    // Those that were taken over can be ended and are started again as others are.
    site.resize("search-v001", 1).await;
    assert_eq!(site.processes().len(), 2);
    for pid in site.processes() {
        kill(pid);
    }
    site.until("all up again", |view| {
        view.groups.iter().all(|group| {
            let instance = &group.instances[0];
            instance.restarts == 1 && instance.health == Health::Up
        })
    })
    .await;
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_ended_meanwhile_is_started_again() {
    let site = LocalSite::new();
    site.open_router().await;
    site.create_healthy("search-v001", 2, &[]).await;
    site.kill_supervisor().await;
    let victim = site.processes()[0];
    kill(victim);
    site.until_gone(victim).await;
    site.until("two up again", |view| view.groups[0].up() == 2)
        .await;
    assert_eq!(site.processes().len(), 2);
    site.finish().await;
}

/// As a program that writes its title over its environment does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_hides_its_environment_is_taken_over_and_ended_all_the_same() {
    let site = LocalSite::new();
    site.open_router().await;
    let mut template = sample(&[]);
    let words = ["env", "-i", PROGRAM, "sample-service", "--port", "{port}"];
    template.0["command"] = serde_json::json!(words);
    site.create_of("search-v001", 1, template).await;
    site.until_healthy("search-v001", 1).await;
    assert_eq!(site.processes(), [] as [u32; 0], "it has no mark");
    let pid = || {
        let state = site.state();
        let pid = state["places"][0]["groups"][0]["instances"][0]["process"]["pid"].as_u64();
        u32::try_from(pid.unwrap()).unwrap()
    };
    let before = pid();
    site.kill_supervisor().await;
    let view = site.until("up", |view| view.groups[0].up() == 1).await;
    assert_eq!(view.groups[0].instances[0].restarts, 0);
    assert_eq!(pid(), before);
    site.delete("search-v001").await;
    let ended = !is_running(before);
    if !ended {
        kill(before);
    }
    assert!(ended, "it was left running");
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_of_ours_that_nobody_knows_is_killed_and_others_are_not() {
    let site = LocalSite::new();
    site.open_router().await;
    site.create_healthy("search-v001", 1, &[]).await;
    site.kill_supervisor().await;
    let mark = std::fs::read_to_string(site.path().join("mark")).unwrap();
    let start = |mark: &str| {
        let mut command = std::process::Command::new("sleep");
        command.arg("600").env("COALMINE_SUPERVISOR", mark);
        command.env("COALMINE_INSTANCE", "a-start-that-was-never-kept");
        command.spawn().unwrap()
    };
    let (mut ours, mut other) = (start(mark.trim()), start("another mark"));
    site.see().await;
    // A wait on a process that was killed returns.
    ours.wait().unwrap();
    assert!(is_running(other.id()));
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(site.processes().len(), 1);
    site.finish().await;
}

/// Kills the supervisor at 30 moments while groups are made, grow and go; in the end all is as it was asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_that_is_killed_at_any_moment_neither_doubles_nor_loses_a_process() {
    let site = LocalSite::new();
    let address = site.open_router().await;
    site.create_healthy("search-v001", 1, &[]).await;
    site.shares(&[("search-v001", 10_000)]).await;
    for round in 0u64..30 {
        let killer = async {
            tokio::time::sleep(Duration::from_millis(round * 7 % 101)).await;
            site.strike();
        };
        let size = u32::try_from(round % 3 + 1).unwrap();
        let asked = async {
            // The driver starts a new one where none answers; an error in between is met by doing it again.
            let change = coalmine::model::release::operation::Change::Resize {
                group: crate::driver_contract::group("search-v001"),
                capacity: coalmine::model::release::cluster::Capacity::fixed(size),
            };
            let id = site.next();
            while crate::driver_contract::apply(&site, &change, &id)
                .await
                .is_err()
            {}
        };
        tokio::join!(killer, asked);
        site.until("of the size asked", |view| {
            view.groups[0].instances.len() == size as usize && view.groups[0].up() == size
        })
        .await;
        assert_eq!(site.processes().len(), size as usize, "round {round}");
    }
    assert_eq!(get(&format!("http://{address}/")).await.0, 200);
    site.finish().await;
}
