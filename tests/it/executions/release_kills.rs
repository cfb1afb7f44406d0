//! The crash sweep on the local driver: real processes and real traffic, and the process that releases is killed by SIGKILL at
//! every call that changes something, before its effect, after it, and when the answer is there. The next process must come to
//! what an undisturbed one comes to: nothing left, nothing doubled, and no request of production unanswered.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use coalmine::archive::folder::FolderArchive;
use coalmine::clock::SystemClock;
use coalmine::config::release::spec::{ReleaseSpec, Strategy};
use coalmine::drivers::local::{LocalAccount, LocalDriver};
use coalmine::drivers::{Abilities, Driver, DriverError, Drivers, Fencing, Owned, Progress};
use coalmine::executions::engine::{Engine, Ports};
use coalmine::executions::release::desk::ReleaseDesk;
use coalmine::executions::release::office::Office;
use coalmine::executions::service::{Executions, Limits, Ulids};
use coalmine::executions::worker::{Worker, WorkerSettings};
use coalmine::model::release::cluster::{Place, Role, Share, Template, View};
use coalmine::model::release::names::ClusterName;
use coalmine::model::release::operation::{OpId, Operation};
use coalmine::store::data_dir::DataDir;
use coalmine::store::sqlite::SqliteStore;
use coalmine::store::{HeadFilter, Store};
use tokio_util::sync::CancellationToken;

use super::fixture::{BAD, GOOD, PlainAnalyst};
use super::release_fixture::spec;
use crate::free_port::free_port;

const ACCOUNT: &str = "local";

/// When the process is killed, counted from the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kill {
    BeforeEffect,
    AfterEffect,
    AfterAnswer,
}

impl Kill {
    const ALL: [Self; 3] = [Self::BeforeEffect, Self::AfterEffect, Self::AfterAnswer];
}

/// A driver that ends its process at one of the calls that change something.
#[derive(Debug)]
struct Killing {
    inner: LocalDriver,
    at: Option<(u64, Kill)>,
    calls: AtomicU64,
    answered: AtomicBool,
}

fn die() -> ! {
    let us = rustix::process::getpid();
    rustix::process::kill_process(us, rustix::process::Signal::KILL).unwrap();
    unreachable!("killed");
}

#[async_trait]
impl Driver for Killing {
    fn abilities(&self) -> Abilities {
        self.inner.abilities()
    }

    async fn observe(&self, place: &Place) -> Result<View, DriverError> {
        self.inner.observe(place).await
    }

    async fn apply(
        &self,
        operation: &Operation,
        id: &OpId,
        fencing: Fencing,
    ) -> Result<(), DriverError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if self.at == Some((call, Kill::BeforeEffect)) {
            die();
        }
        let answer = self.inner.apply(operation, id, fencing).await;
        if self.at == Some((call, Kill::AfterEffect)) {
            die();
        }
        if self.at == Some((call, Kill::AfterAnswer)) {
            self.answered.store(true, Ordering::SeqCst);
        }
        answer
    }

    async fn check(&self, operation: &Operation, id: &OpId) -> Result<Progress, DriverError> {
        let progress = self.inner.check(operation, id).await;
        if self.answered.load(Ordering::SeqCst) {
            die();
        }
        progress
    }

    async fn find_owned(&self) -> Result<Vec<Owned>, DriverError> {
        self.inner.find_owned().await
    }
}

fn place() -> Place {
    Place {
        account: ACCOUNT.to_owned(),
        location: "local".to_owned(),
        cluster: ClusterName::parse("shop-prod").unwrap(),
    }
}

fn local(dir: &Path) -> LocalDriver {
    let account = LocalAccount::new(dir.join("local"), env!("CARGO_BIN_EXE_coalmine"));
    LocalDriver::new(account)
}

/// The sample service, two instances of it; a canary of one, judged once; by halves.
fn local_spec(application: &str, version: &str, router: &str) -> ReleaseSpec {
    let mut spec = spec(application, version);
    let template = serde_json::json!({
        "command": [env!("CARGO_BIN_EXE_coalmine"), "sample-service", "--port", "{port}", "--version", "{version}"],
        "health": {"path": "/health", "intervalMs": 100, "timeoutMs": 2000},
        "metrics": "/metrics",
        "stopGraceMs": 3000,
    });
    let target = &mut spec.targets[0];
    target.place = place();
    target.template = Some(Template(template));
    target.size = Some(2);
    target.router = Some(router.to_owned());
    let analysis = spec.analysis.as_mut().unwrap();
    (
        analysis.warm_up_ms,
        analysis.interval_ms,
        analysis.step_secs,
    ) = (0, 300, 1);
    spec.canary.as_mut().unwrap().steps[0].judgements = 1;
    spec.promotion.strategy = Strategy::RollingRedBlack {
        shares: vec![Share::new(5_000).unwrap(), Share::ALL],
        pause_ms: 0,
        judgements: 0,
    };
    spec
}

/// Goes on with what the folder has: a first deployment, then a release; until both have ended.
async fn go_on(dir: &Path, router: &str, application: &str, at: Option<(u64, Kill)>) -> u64 {
    let folder = DataDir::open(&dir.join("data")).unwrap();
    let store = Arc::new(SqliteStore::open(&folder.database()).await.unwrap());
    store.release_all().await.unwrap();
    let driver = Arc::new(Killing {
        inner: local(dir),
        at,
        calls: AtomicU64::new(0),
        answered: AtomicBool::new(false),
    });
    let engine = Engine::new(Ports {
        headline: coalmine_reports::headline,
        store: Arc::clone(&store) as _,
        archive: Arc::new(FolderArchive::open(&folder.archive()).unwrap()),
        analyst: Arc::new(PlainAnalyst),
        observer: Arc::new(PlainAnalyst),
        clock: Arc::new(SystemClock),
        drivers: Drivers::new([(ACCOUNT.to_owned(), Arc::clone(&driver) as Arc<dyn Driver>)]),
        channels: Arc::from([]),
    });
    let executions = Executions::new(engine.clone(), Arc::new(Ulids), Limits::default());
    let office = Office::new(executions.clone());
    let stop = CancellationToken::new();
    let worker = tokio::spawn({
        let (engine, stop) = (engine.clone(), stop.clone());
        let settings = WorkerSettings {
            name: "sweep".to_owned(),
            lease: Duration::from_secs(30),
            most: 4,
            look_every: Duration::from_millis(100),
        };
        async move { Worker::new(engine, settings).run(stop).await }
    });
    let mut changes = executions.changes();
    loop {
        let all = HeadFilter {
            most: 10,
            ..HeadFilter::default()
        };
        let heads = store.heads(&all).await.unwrap();
        if heads.iter().all(|head| head.ended_ms.is_some()) {
            let spec = match heads.len() {
                // Nothing is compared at a first deployment.
                0 => local_spec(application, "1.0.0", router),
                1 => local_spec(application, "2.0.0", router),
                _ => break,
            };
            let planned = office.plan(Arc::new(spec)).await.unwrap();
            office.start(planned.plan, "sweep", None).await.unwrap();
        }
        let _ = tokio::time::timeout(Duration::from_millis(200), changes.recv()).await;
    }
    stop.cancel();
    worker.await.unwrap();
    let all = HeadFilter {
        most: 10,
        ..HeadFilter::default()
    };
    let heads = store.heads(&all).await.unwrap();
    let became: Vec<String> = heads.into_iter().map(|head| head.sentence).collect();
    std::fs::write(dir.join("became"), became.join("\n")).unwrap();
    store.close().await;
    driver.calls.load(Ordering::SeqCst)
}

/// What is there at the end, without what differs from run to run.
fn topology(view: &View) -> String {
    let groups: Vec<String> = view
        .groups
        .iter()
        .map(|group| {
            format!(
                "{} {} {} {} {} share {}",
                group.name,
                group.role.word(),
                group.artifact.version,
                group.capacity,
                if group.enabled { "enabled" } else { "disabled" },
                view.share(&group.name)
            )
        })
        .collect();
    groups.join("\n")
}

/// The child. It is told by its environment what to do, and prints how many calls it made.
#[test]
#[ignore = "the child of the sweep"]
fn the_child_that_is_killed() {
    let told = |name: &str| std::env::var(name).unwrap();
    let dir = PathBuf::from(told("COALMINE_SWEEP_DIR"));
    let at = std::env::var("COALMINE_SWEEP_AT").ok().map(|at| {
        let (call, kill) = at.split_once(' ').unwrap();
        let kill = Kill::ALL
            .into_iter()
            .find(|it| format!("{it:?}") == kill)
            .unwrap();
        (call.parse().unwrap(), kill)
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (router, application) = (
        told("COALMINE_SWEEP_ROUTER"),
        told("COALMINE_SWEEP_APPLICATION"),
    );
    let calls = runtime.block_on(go_on(&dir, &router, &application, at));
    std::fs::write(dir.join("calls"), calls.to_string()).unwrap();
}

/// Runs the child once; whether it was killed.
fn run_child(dir: &Path, router: &str, application: &str, at: Option<(u64, Kill)>) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args([
            "--exact",
            "executions::release_kills::the_child_that_is_killed",
        ])
        .args(["--ignored", "--nocapture"])
        .env("COALMINE_SWEEP_DIR", dir)
        .env("COALMINE_SWEEP_ROUTER", router)
        .env("COALMINE_SWEEP_APPLICATION", application)
        .stdin(Stdio::null());
    if let Some((call, kill)) = at {
        child.env("COALMINE_SWEEP_AT", format!("{call} {kill:?}"));
    }
    let output = child.output().unwrap();
    use std::os::unix::process::ExitStatusExt as _;
    if output.status.signal() == Some(9) {
        return true;
    }
    let told = String::from_utf8_lossy(&output.stderr);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{at:?}: {said}\n{told}");
    false
}

/// Asks production again and again, from its first answer on, until it is told to stop.
fn ask_all_the_time(
    router: String,
    stop: Arc<AtomicBool>,
) -> std::thread::JoinHandle<(u64, Vec<String>)> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async move {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let (mut answered, mut failed) = (0, Vec::new());
            while !stop.load(Ordering::SeqCst) {
                let request = http.get(format!("http://{router}/"));
                let answer = request.timeout(Duration::from_secs(20)).send().await;
                match answer {
                    Ok(answer) if answer.status().is_success() => answered += 1,
                    _ if answered == 0 => {}
                    Ok(answer) => failed.push(answer.status().to_string()),
                    Err(error) => failed.push(format!("{error:?}")),
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            (answered, failed)
        })
    })
}

struct Ran {
    /// What is there at the end.
    topology: String,
    /// What became of each release, for who reads that something else is there.
    became: String,
    calls: u64,
    answered: u64,
}

/// One scenario, killed at `at`; then once more if `again` is given, during the recovery.
fn scenario(application: &str, kills: &[(u64, Kill)]) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let router = format!("127.0.0.1:{}", free_port());
    let stop = Arc::new(AtomicBool::new(false));
    let asking = ask_all_the_time(router.clone(), Arc::clone(&stop));
    for at in kills {
        // A later kill may come after the recovery's last call: then it ends by itself.
        run_child(dir.path(), &router, application, Some(*at));
    }
    let killed = run_child(dir.path(), &router, application, None);
    assert!(!killed);
    stop.store(true, Ordering::SeqCst);
    let (answered, failed) = asking.join().unwrap();
    assert!(
        failed.is_empty(),
        "{kills:?}: production failed: {failed:?}"
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let topology = runtime.block_on(async {
        let driver = local(dir.path());
        let view = driver.observe(&place()).await.unwrap();
        let owned = driver.find_owned().await.unwrap();
        let left: Vec<_> = owned
            .iter()
            .filter(|it| it.role != Role::Production)
            .collect();
        assert!(left.is_empty(), "{kills:?}: left behind: {left:?}");
        for group in &view.groups {
            let instances = u32::try_from(group.instances.len()).unwrap();
            assert_eq!(instances, group.capacity.desired, "{kills:?}: {group:?}");
        }
        driver.stop(Duration::from_secs(60)).await.unwrap();
        topology(&view)
    });
    assert!(
        processes_of(dir.path()).is_empty(),
        "{kills:?}: processes are left: {:?}",
        processes_of(dir.path())
    );
    let calls = std::fs::read_to_string(dir.path().join("calls")).unwrap();
    Ran {
        topology,
        became: std::fs::read_to_string(dir.path().join("became")).unwrap(),
        calls: calls.parse().unwrap(),
        answered,
    }
}

/// Processes that name the folder in their command or environment.
fn processes_of(dir: &Path) -> Vec<String> {
    let needle = dir.to_str().unwrap().as_bytes();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if name.parse::<u32>().is_err() || name == std::process::id().to_string() {
            continue;
        }
        for file in ["cmdline", "environ"] {
            let text = std::fs::read(entry.path().join(file)).unwrap_or_default();
            if text.windows(needle.len()).any(|part| part == needle) {
                found.push(format!("{name}: {}", String::from_utf8_lossy(&text)));
                break;
            }
        }
    }
    found
}

/// Kills at every call, in four scenarios at a time; what was seen, in one line.
fn sweep(application: &str, what: &str) {
    let began = Instant::now();
    let undisturbed = scenario(application, &[]);
    let mut plan: Vec<Vec<(u64, Kill)>> = Vec::new();
    for call in 1..=undisturbed.calls {
        plan.extend(Kill::ALL.map(|kill| vec![(call, kill)]));
    }
    if std::env::var_os("COALMINE_LONG").is_some() {
        // And once more while it recovers.
        let mut chance = fastrand::Rng::with_seed(5);
        for _ in 0..200 {
            let first = (
                chance.u64(1..=undisturbed.calls),
                Kill::ALL[chance.usize(..3)],
            );
            let second = (chance.u64(1..=6), Kill::ALL[chance.usize(..3)]);
            plan.push(vec![first, second]);
        }
    }
    let (next, answered) = (AtomicUsize::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(kills) = plan.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let ran = scenario(application, kills);
                    assert_eq!(
                        ran.topology, undisturbed.topology,
                        "{kills:?}: {}",
                        ran.became
                    );
                    answered.fetch_add(ran.answered, Ordering::SeqCst);
                }
            });
        }
    });
    let line = format!(
        "crash sweep, local driver, {what}: {} calls, {} runs killed: 0 left, 0 doubled, 0 of {} requests failed, {} s\n",
        undisturbed.calls,
        plan.len(),
        answered.load(Ordering::SeqCst),
        began.elapsed().as_secs()
    );
    let _ = std::io::stderr().write_all(line.as_bytes());
}

#[test]
fn a_promotion_survives_a_kill_at_every_call() {
    sweep(GOOD, "a promotion");
}

#[test]
fn a_rollback_survives_a_kill_at_every_call() {
    sweep(BAD, "a rollback");
}
