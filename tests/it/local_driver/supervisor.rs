//! The supervisor itself: one for each folder, as long as it is needed.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;
use std::time::{Duration, Instant};

use coalmine::drivers::local::{LocalAccount, LocalDriver};
use coalmine::drivers::{Driver as _, Fencing, Progress, Remedy};
use coalmine::model::release::cluster::Role;
use coalmine::model::release::operation::{Change, Operation};

use super::site::{LocalSite, PROGRAM, kill};
use crate::driver_contract::{BOUND, Site as _, apply, apply_under, create, id, refused};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looking_at_nothing_starts_nothing() {
    let site = LocalSite::new();
    site.see().await;
    site.driver().find_owned().await.unwrap();
    assert!(!site.path().join("supervisor.lock").exists());
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drivers_that_start_one_at_the_same_time_end_with_one() {
    let site = LocalSite::new();
    let drivers: Vec<LocalDriver> = (0..6).map(|_| site.second_driver()).collect();
    let operation = Operation {
        place: site.place(),
        change: create(&site, "search-v001", Role::Production, 1),
    };
    let all = drivers.iter().map(|driver| {
        let operation = operation.clone();
        async move { driver.apply(&operation, &id("A", 1), Fencing(1)).await }
    });
    for done in futures_util::future::join_all(all).await {
        done.unwrap();
    }
    site.until_healthy("search-v001", 1).await;
    assert_eq!(site.processes().len(), 1);
    let held = site.supervisor();
    // Whoever comes later finds it held, says so, and goes.
    let late = Command::new(PROGRAM)
        .arg("supervise")
        .arg("--dir")
        .arg(site.path())
        .output()
        .unwrap();
    assert!(late.status.success());
    let told = String::from_utf8_lossy(&late.stdout);
    assert_eq!(told, "another supervisor has the folder\n");
    assert_eq!(site.supervisor(), held);
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_ends_by_itself_when_there_is_nothing_left() {
    let site = LocalSite::with_grace(Duration::from_millis(300));
    site.create_healthy("search-v001", 1, &[]).await;
    site.delete("search-v001").await;
    site.finish_by_itself().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_number_of_the_lock_outlives_the_supervisor() {
    let site = LocalSite::with_grace(Duration::from_millis(100));
    let apply = async |change: Change, step, number| {
        apply_under(&site, &change, &id("A", step), Fencing(number)).await
    };
    let made = |name| create(&site, name, Role::Production, 0);
    apply(made("search-v001"), 1, 9).await.unwrap();
    let group = crate::driver_contract::group("search-v001");
    apply(Change::DeleteGroup { group }, 2, 9).await.unwrap();
    let pid = site.supervisor();
    site.until_gone(pid).await;
    refused(apply(made("search-v002"), 3, 8).await, &["taken over"]);
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_socket_is_for_its_user_alone_and_the_session_is_its_own() {
    let site = LocalSite::new();
    site.create("search-v001", 0, &[]).await;
    let socket = fs::metadata(site.path().join("supervisor.sock")).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    assert_eq!(socket.uid(), rustix::process::getuid().as_raw());
    let stat = fs::read_to_string(format!("/proc/{}/stat", site.supervisor())).unwrap();
    let session = stat.rsplit_once(") ").unwrap().1.split(' ').nth(3).unwrap();
    assert_eq!(session, site.supervisor().to_string());
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_the_supervisor_alone() {
    let site = LocalSite::new();
    site.create_healthy("search-v001", 1, &[]).await;
    let pid = site.supervisor();
    let raw = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let processes = site.processes();
    rustix::process::kill_process(raw, rustix::process::Signal::TERM).unwrap();
    site.until_gone(pid).await;
    assert_eq!(site.processes(), processes);
    site.until("up", |view| view.groups[0].up() == 1).await;
    assert_eq!(site.processes(), processes);
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_cannot_be_read_is_not_taken_for_an_empty_one() {
    let site = LocalSite::new();
    fs::write(site.path().join("state.json"), "{\"version\": 7}").unwrap();
    let error = site.driver().observe(&site.place()).await.unwrap_err();
    assert_eq!(error.remedy, Remedy::Retry);
    let cause = error.cause.unwrap().to_string();
    assert!(cause.contains("state.json"), "{cause}");
    fs::remove_file(site.path().join("state.json")).unwrap();
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_that_cannot_be_started_is_worth_another_try_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let driver = LocalDriver::new(LocalAccount::new(folder.path(), "/nonexistent/coalmine"));
    let site = LocalSite::new();
    let operation = Operation {
        place: site.place(),
        change: Change::OpenRouter { address: None },
    };
    let error = driver
        .apply(&operation, &id("A", 1), Fencing(1))
        .await
        .unwrap_err();
    assert_eq!(error.remedy, Remedy::Retry);
    let cause = error.cause.as_ref().unwrap().to_string();
    assert!(cause.contains("No such file"), "{error}: {cause}");
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_cannot_be_written_refuses_and_changes_nothing() {
    let site = LocalSite::new();
    site.create_healthy("search-v001", 1, &[]).await;
    let before = site.state();
    // A folder in the way of the file: a rename onto it fails, also for root.
    let state = site.path().join("state.json");
    fs::rename(&state, site.path().join("aside")).unwrap();
    fs::create_dir(&state).unwrap();
    fs::write(state.join("in-the-way"), "").unwrap();
    let operation = Operation {
        place: site.place(),
        change: create(&site, "search-v002", Role::Production, 1),
    };
    let error = site
        .driver()
        .apply(&operation, &id("A", 2), Fencing(1))
        .await
        .unwrap_err();
    assert_eq!(error.remedy, Remedy::Retry);
    assert!(error.to_string().contains("nothing was changed"), "{error}");
    assert_eq!(site.see().await.groups.len(), 1);
    fs::remove_dir_all(&state).unwrap();
    fs::rename(site.path().join("aside"), &state).unwrap();
    assert_eq!(site.state(), before);
    site.driver()
        .apply(&operation, &id("A", 2), Fencing(1))
        .await
        .unwrap();
    site.until_healthy("search-v002", 1).await;
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ended_while_nothing_can_be_written_keeps_its_output_and_is_started_later() {
    let site = LocalSite::new();
    site.create_healthy("search-v001", 1, &[]).await;
    let outputs = || {
        let entries = fs::read_dir(site.path().join("output")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = outputs();
    let state = site.path().join("state.json");
    fs::rename(&state, site.path().join("aside")).unwrap();
    fs::create_dir(&state).unwrap();
    fs::write(state.join("in-the-way"), "").unwrap();
    let since = Instant::now();
    kill(site.processes()[0]);
    let log = || fs::read_to_string(site.path().join("supervisor.log")).unwrap();
    let complaints = || log().matches("cannot write").count();
    // Several looks went by; not each of them said so.
    while complaints() < 2 {
        assert!(since.elapsed() < BOUND, "{}", log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(since.elapsed() >= Duration::from_secs(1), "{}", log());
    assert_eq!(outputs(), before);
    fs::remove_dir_all(&state).unwrap();
    fs::rename(site.path().join("aside"), &state).unwrap();
    let view = site
        .until("up again", |view| view.groups[0].up() == 1)
        .await;
    assert_eq!(view.groups[0].instances[0].restarts, 1);
    assert_eq!(outputs().len(), 1);
    assert_ne!(outputs(), before);
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_router_keeps_the_address_that_was_asked_for() {
    let site = LocalSite::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    let open = |address: &str| Change::OpenRouter {
        address: Some(address.to_owned()),
    };
    let taken = apply(&site, &open(&address), &id("A", 1)).await;
    refused(taken, &["cannot listen", &address]);
    let nonsense = apply(&site, &open("here"), &id("A", 1)).await;
    refused(nonsense, &["`here`"]);
    let open_to_all = apply(&site, &open("0.0.0.0:0"), &id("A", 1)).await;
    refused(open_to_all, &["0.0.0.0:0", "other machines"]);
    drop(free);
    site.perform(open(&address)).await;
    assert_eq!(site.see().await.router.unwrap().address, address);
    let moved = apply(&site, &open("127.0.0.1:1"), &id("A", 2)).await;
    refused(moved, &[&address]);
    let progress = site.progress(open("127.0.0.1:1")).await;
    assert!(matches!(progress, Progress::Failed { .. }), "{progress:?}");
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_whose_path_is_too_long_for_a_socket_is_served_all_the_same() {
    let name = "deep".repeat(30);
    let folder = tempfile::Builder::new().prefix(&name).tempdir().unwrap();
    let site = LocalSite::in_folder(folder, Duration::from_secs(20));
    site.create_healthy("search-v001", 1, &[]).await;
    let elsewhere = fs::read_to_string(site.path().join("socket-folder")).unwrap();
    let metadata = fs::metadata(&elsewhere).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o700);
    site.finish().await;
    assert!(fs::metadata(&elsewhere).is_err(), "{elsewhere} is left");
}
