//! Processes that end, that never get well, and that cannot be started.

use std::time::{Duration, Instant};

use coalmine::drivers::Progress;
use coalmine::model::release::cluster::{Capacity, Health, Role};
use coalmine::model::release::operation::Change;

use super::load::get;
use super::site::{LocalSite, artifact, kill, sample};
use crate::driver_contract::{BOUND, group};

/// What is said while the group is waited for, once it holds `word`.
async fn until_told(site: &LocalSite, name: &str, instances: u32, word: &str) -> String {
    let since = Instant::now();
    loop {
        let awaited = Change::AwaitHealthy {
            group: group(name),
            instances,
        };
        let progress = site.progress(awaited).await;
        if let Progress::InFlight { why } | Progress::Failed { why } = &progress
            && why.contains(word)
        {
            return why.clone();
        }
        assert!(since.elapsed() < BOUND, "no `{word}`: {progress:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_was_killed_is_started_again() {
    let site = LocalSite::new();
    site.open_router().await;
    site.create_healthy("search-v001", 2, &[]).await;
    let before = site.processes();
    assert_eq!(before.len(), 2);
    kill(before[0]);
    let view = site
        .until("started again", |view| {
            let instances = &view.groups[0].instances;
            instances.iter().any(|it| it.restarts == 1)
                && instances.iter().all(|it| it.health == Health::Up)
        })
        .await;
    let restarts: Vec<u32> = view.groups[0]
        .instances
        .iter()
        .map(|it| it.restarts)
        .collect();
    assert_eq!(restarts.iter().sum::<u32>(), 1, "{restarts:?}");
    let after = site.processes();
    assert_eq!(after.len(), 2);
    assert!(after.contains(&before[1]) && !after.contains(&before[0]));
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_never_gets_healthy_tells_the_last_output() {
    let site = LocalSite::new();
    site.open_router().await;
    site.create(
        "search-canary-v001",
        2,
        &["--crash-on-start", "no such table: users"],
    )
    .await;
    let why = until_told(&site, "search-canary-v001", 2, "in a row").await;
    assert!(
        why.starts_with("0 of 2 instances are up; search-canary-v001-"),
        "{why}"
    );
    assert!(why.contains("exited with code 1 ("), "{why}");
    assert!(
        why.ends_with("times in a row); its last output:\nno such table: users"),
        "{why}"
    );
    let found = site.group("search-canary-v001").await;
    let view = &found.instances[0];
    assert_eq!(view.health, Health::Down);
    assert_eq!(view.last_output, ["no such table: users"]);
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_says_it_is_not_well_is_not_up() {
    let site = LocalSite::new();
    site.open_router().await;
    site.create("search-canary-v001", 1, &["--never-healthy"])
        .await;
    let why = until_told(&site, "search-canary-v001", 1, "sample service").await;
    assert!(
        why.starts_with("0 of 1 instances are up; search-canary-v001-1 has given no good answer to `/health` yet; its last output:\nsample service"),
        "{why}"
    );
    assert_eq!(site.group("search-canary-v001").await.up(), 0);
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_falls_ill_gets_no_more_requests() {
    let site = LocalSite::new();
    let address = site.open_router().await;
    site.create_healthy("search-v001", 1, &["--unhealthy-after-ms", "1500"])
        .await;
    site.shares(&[("search-v001", 10_000)]).await;
    assert_eq!(get(&format!("http://{address}/")).await.0, 200);
    site.until("down", |view| {
        view.groups[0].instances[0].health == Health::Down
    })
    .await;
    assert_eq!(get(&format!("http://{address}/")).await.0, 503);
    let why = until_told(&site, "search-v001", 1, "any more").await;
    assert!(why.contains("was up, and gives no good answer"), "{why}");
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_ends_again_and_again_is_given_up_with_all_that_it_wrote() {
    let site = LocalSite::new();
    site.open_router().await;
    let written: Vec<String> = (1..=12).map(|line| format!("line {line}")).collect();
    let arguments = ["--crash-on-start", &written.join("\n")];
    site.create("search-canary-v001", 1, &arguments).await;
    let why = until_told(&site, "search-canary-v001", 1, "each soon after its start").await;
    assert!(
        why.starts_with("search-canary-v001-1 exited with code 1, 5 times in a row"),
        "{why}"
    );
    let shown: Vec<&str> = why.lines().skip(1).collect();
    assert_eq!(shown, written);
    let awaited = Change::AwaitHealthy {
        group: group("search-canary-v001"),
        instances: 1,
    };
    let progress = site.progress(awaited).await;
    assert!(matches!(progress, Progress::Failed { .. }), "{progress:?}");
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_does_not_exist_fails_at_once() {
    let site = LocalSite::new();
    let mut template = sample(&[]);
    template.0["command"] = serde_json::json!(["/nonexistent/search", "{port}"]);
    let change = Change::CreateGroup {
        group: group("search-v001"),
        role: Role::Production,
        artifact: artifact("search-v001"),
        template,
        capacity: Capacity::fixed(1),
        lives_ms: None,
    };
    site.perform(change).await;
    let why = until_told(&site, "search-v001", 1, "cannot be started").await;
    assert!(
        why.contains("search-v001-1 cannot be started: `/nonexistent/search`: No such file"),
        "{why}"
    );
    let awaited = Change::AwaitHealthy {
        group: group("search-v001"),
        instances: 1,
    };
    let progress = site.progress(awaited).await;
    assert!(matches!(progress, Progress::Failed { .. }), "{progress:?}");
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_does_not_end_is_killed_with_all_that_it_started() {
    let site = LocalSite::new();
    let mut template = sample(&[]);
    // Both pass over SIGTERM; the second is in a session of its own, so that no signal to the group reaches it.
    let script =
        "trap '' TERM; setsid sh -c \"trap '' TERM; sleep 600\" & sleep 600 & wait; sleep 600";
    template.0["command"] = serde_json::json!(["sh", "-c", script]);
    template.0["stopGraceMs"] = 200.into();
    site.create_of("search-v001", 1, template).await;
    let since = Instant::now();
    while site.processes().len() < 4 {
        assert!(since.elapsed() < BOUND, "{:?}", site.processes());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    site.delete("search-v001").await;
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_metrics_of_each_instance_is_told() {
    let site = LocalSite::new();
    let address = site.open_router().await;
    site.create_healthy("search-v001", 1, &[]).await;
    site.shares(&[("search-v001", 10_000)]).await;
    get(&format!("http://{address}/")).await;
    let found = site.group("search-v001").await;
    let url = found.instances[0].metrics_url.clone().unwrap();
    let (status, _, page) = get(&url).await;
    assert_eq!(status, 200);
    for expected in [
        "sample_requests_total{status=\"200\"} 1",
        "sample_request_duration_seconds_bucket{le=\"0.1\"} 1",
        "sample_request_duration_seconds_count 1",
        "sample_requests_in_flight 0",
        "sample_resident_memory_bytes ",
    ] {
        assert!(page.contains(expected), "no `{expected}` in:\n{page}");
    }
    site.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_of_the_service_do_not_reach_instances() {
    let site = LocalSite::new();
    site.create("search-v001", 1, &[]).await;
    let pid = site.processes()[0];
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    let text = String::from_utf8_lossy(&environment);
    let ours: Vec<&str> = text
        .split('\0')
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("COALMINE_"))
        .collect();
    assert_eq!(ours.len(), 2, "{ours:?}");
    assert!(text.contains("\0PORT="), "{text}");
    // What tests are started with, and what nobody said may be passed on.
    for pid in [pid, site.supervisor()] {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
        let text = String::from_utf8_lossy(&environment);
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        assert!(!text.contains("CARGO_MANIFEST_DIR="), "{text}");
        let path = format!("PATH={}", std::env::var("PATH").unwrap());
        assert!(text.split('\0').any(|line| line == path), "{text}");
    }
    site.finish().await;
}

/// The limits of open files, soft and hard.
fn open_files(process: &str) -> (String, String) {
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let line = limits
        .lines()
        .find(|it| it.starts_with("Max open files"))
        .unwrap();
    let mut words = line["Max open files".len()..].split_whitespace();
    let mut next = || words.next().unwrap().to_owned();
    (next(), next())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_supervisor_may_open_as_many_files_as_it_can_and_instances_as_before() {
    let site = LocalSite::new();
    site.create_healthy("search-v001", 1, &[]).await;
    let (soft, hard) = open_files(&site.supervisor().to_string());
    assert_eq!(soft, hard);
    let instance = site.processes()[0].to_string();
    assert_eq!(open_files(&instance), open_files("self"));
    site.finish().await;
}
