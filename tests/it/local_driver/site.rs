//! A folder with a driver, and the check that nothing of it is left.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use coalmine::drivers::local::{LocalAccount, LocalDriver};
use coalmine::drivers::{Driver, Progress, Remedy};
use coalmine::model::ids::InstallationId;
use coalmine::model::release::cluster::{
    Artifact, Capacity, GroupView, Place, Role, Template, View,
};
use coalmine::model::release::names::{ClusterName, GroupName};
use coalmine::model::release::operation::{Change, OpId};
use coalmine::model::release::process::{HealthCheck, ProcessTemplate};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::driver_contract::{BOUND, Site, check, group, id, perform, view, weights};

/// This program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_coalmine");

/// One account of this machine.
pub(crate) struct LocalSite {
    folder: TempDir,
    driver: LocalDriver,
    steps: AtomicU32,
    ended: bool,
}

impl LocalSite {
    pub(crate) fn new() -> Self {
        Self::with_grace(Duration::from_secs(20))
    }

    /// A supervisor that ends `grace` after its last group.
    pub(crate) fn with_grace(grace: Duration) -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), grace)
    }

    pub(crate) fn in_folder(folder: TempDir, grace: Duration) -> Self {
        let driver = LocalDriver::new(account(folder.path(), grace));
        Self {
            folder,
            driver,
            steps: AtomicU32::new(100),
            ended: false,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Another driver of the same folder, as another service has one.
    pub(crate) fn second_driver(&self) -> LocalDriver {
        LocalDriver::new(account(self.path(), Duration::from_secs(20)))
    }

    /// The name of the next operation.
    pub(crate) fn next(&self) -> OpId {
        id("T", self.steps.fetch_add(1, Ordering::SeqCst))
    }

    /// Applies and waits until it is done.
    pub(crate) async fn perform(&self, change: Change) {
        let id = self.next();
        perform(self, change, &id).await;
    }

    pub(crate) async fn open_router(&self) -> String {
        self.perform(Change::OpenRouter { address: None }).await;
        view(self).await.router.unwrap().address
    }

    /// A group of the sample service; `arguments` beside those that it needs.
    pub(crate) async fn create(&self, name: &str, size: u32, arguments: &[&str]) {
        self.create_as(name, Role::Production, size, None, arguments)
            .await;
    }

    pub(crate) async fn create_as(
        &self,
        name: &str,
        role: Role,
        size: u32,
        lives_ms: Option<u64>,
        arguments: &[&str],
    ) {
        self.perform(Change::CreateGroup {
            group: group(name),
            role,
            artifact: artifact(name),
            template: sample(arguments),
            capacity: Capacity::fixed(size),
            lives_ms,
        })
        .await;
    }

    /// A group of production, of a template of the test's own.
    pub(crate) async fn create_of(&self, name: &str, size: u32, template: Template) {
        self.perform(Change::CreateGroup {
            group: group(name),
            role: Role::Production,
            artifact: artifact(name),
            template,
            capacity: Capacity::fixed(size),
            lives_ms: None,
        })
        .await;
    }

    pub(crate) async fn until_healthy(&self, name: &str, instances: u32) {
        let group = group(name);
        self.perform(Change::AwaitHealthy { group, instances })
            .await;
    }

    pub(crate) async fn create_healthy(&self, name: &str, size: u32, arguments: &[&str]) {
        self.create(name, size, arguments).await;
        self.until_healthy(name, size).await;
    }

    pub(crate) async fn shares(&self, shares: &[(&str, u32)]) {
        let weights = weights(shares);
        self.perform(Change::SetTraffic { weights }).await;
    }

    pub(crate) async fn resize(&self, name: &str, size: u32) {
        self.perform(Change::Resize {
            group: group(name),
            capacity: Capacity::fixed(size),
        })
        .await;
    }

    pub(crate) async fn enable(&self, name: &str) {
        let group = group(name);
        self.perform(Change::Enable { group }).await;
    }

    pub(crate) async fn disable(&self, name: &str) {
        let group = group(name);
        self.perform(Change::Disable { group }).await;
    }

    pub(crate) async fn delete(&self, name: &str) {
        let group = group(name);
        self.perform(Change::DeleteGroup { group }).await;
    }

    pub(crate) async fn see(&self) -> View {
        view(self).await
    }

    pub(crate) async fn group(&self, name: &str) -> GroupView {
        let view = view(self).await;
        view.group(&group(name)).unwrap().clone()
    }

    pub(crate) async fn progress(&self, change: Change) -> Progress {
        check(self, &change, &self.next()).await
    }

    /// Waits until the place is so. A supervisor that dies meanwhile is no reason to give up.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&View) -> bool) -> View {
        let since = Instant::now();
        loop {
            let observed = self.driver.observe(&self.place()).await;
            match observed {
                Ok(view) if is_so(&view) => return view,
                Err(error) if error.remedy == Remedy::GiveUp => panic!("never {what}: {error}"),
                observed => assert!(since.elapsed() < BOUND, "never {what}: {observed:#?}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The supervisor's process, by its lock.
    pub(crate) fn supervisor(&self) -> u32 {
        let since = Instant::now();
        loop {
            let lock = fs::read_to_string(self.path().join("supervisor.lock")).unwrap();
            // It may be written in this moment.
            if let Ok(pid) = lock.trim().parse() {
                return pid;
            }
            assert!(since.elapsed() < BOUND, "no process in the lock");
            std::thread::yield_now();
        }
    }

    /// Kills the supervisor, if there is one.
    pub(crate) fn strike(&self) -> u32 {
        let pid = self.supervisor();
        // The lock names the one before until the next one has it.
        if command_line(pid).contains(&*self.path().to_string_lossy()) {
            kill(pid);
        }
        pid
    }

    /// Kills the supervisor, and waits until it is gone.
    pub(crate) async fn kill_supervisor(&self) {
        let pid = self.strike();
        self.until_gone(pid).await;
        // Its other threads may hold the socket a little longer; the lock is free when all is.
        let lock = fs::File::open(self.path().join("supervisor.lock")).unwrap();
        let since = Instant::now();
        while lock.try_lock().is_err() {
            assert!(since.elapsed() < BOUND, "{pid} holds the lock still");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn until_gone(&self, pid: u32) {
        let since = Instant::now();
        while is_running(pid) {
            assert!(since.elapsed() < BOUND, "{pid} never ended");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The processes that have the mark of this folder.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let Ok(mark) = fs::read_to_string(self.path().join("mark")) else {
            return Vec::new();
        };
        let wanted = format!("COALMINE_SUPERVISOR={}", mark.trim());
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        pids.filter(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let mut lines = environment.split(|byte| *byte == 0);
            lines.any(|line| line == wanted.as_bytes())
        })
        .collect()
    }

    pub(crate) fn state(&self) -> Value {
        let text = fs::read_to_string(self.path().join("state.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Ends everything, and fails if a process, a group or an open port is left.
    pub(crate) async fn finish(mut self) {
        let addresses = self.addresses();
        self.driver.stop(BOUND).await.unwrap();
        self.check_nothing_left(&addresses);
        self.ended = true;
    }

    /// Waits until the supervisor ends by itself, and fails if anything is left.
    pub(crate) async fn finish_by_itself(mut self) {
        let addresses = self.addresses();
        let pid = self.supervisor();
        self.until_gone(pid).await;
        self.check_nothing_left(&addresses);
        self.ended = true;
    }

    fn addresses(&self) -> Vec<String> {
        let Ok(text) = fs::read_to_string(self.path().join("state.json")) else {
            return Vec::new();
        };
        let state: Value = serde_json::from_str(&text).unwrap();
        let places = state["places"].as_array().unwrap().iter();
        places
            .filter_map(|place| Some(place["router"]["address"].as_str()?.to_owned()))
            .collect()
    }

    fn check_nothing_left(&self, addresses: &[String]) {
        assert_eq!(self.processes(), [] as [u32; 0], "processes are left");
        if self.path().join("state.json").exists() {
            for place in self.state()["places"].as_array().unwrap() {
                assert_eq!(place["groups"], json!([]), "groups are left");
                assert_eq!(place["router"], Value::Null, "a router is left");
            }
        }
        for address in addresses {
            assert!(
                TcpStream::connect(address).is_err(),
                "{address} is open still"
            );
        }
        let socket = self.path().join("supervisor.sock");
        assert!(!socket.exists(), "the socket is left");
        let outputs = fs::read_dir(self.path().join("output"));
        let outputs = outputs.map_or(0, Iterator::count);
        assert_eq!(outputs, 0, "outputs are left");
    }
}

impl Drop for LocalSite {
    /// A story that failed must not leave processes either.
    #[allow(clippy::print_stderr, reason = "the log of what failed")]
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if let Ok(log) = fs::read_to_string(self.path().join("supervisor.log")) {
            eprintln!("supervisor: {log}");
        }
        if let Ok(lock) = fs::read_to_string(self.path().join("supervisor.lock"))
            && let Ok(pid) = lock.trim().parse()
            && command_line(pid).contains(&self.path().to_string_lossy().into_owned())
        {
            kill(pid);
        }
        for pid in self.processes() {
            kill(pid);
        }
    }
}

pub(crate) fn kill(pid: u32) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = kill_process(pid, Signal::KILL);
}

/// Whether it runs; one that ended and was not looked at does not.
pub(crate) fn is_running(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn command_line(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

fn installation() -> InstallationId {
    InstallationId::new("01SITE")
}

fn account(folder: &Path, grace: Duration) -> LocalAccount {
    LocalAccount {
        grace,
        installation: Some(installation()),
        ..LocalAccount::new(folder, PROGRAM)
    }
}

/// The version of a group is its own name, so that answers tell where they are from.
pub(crate) fn artifact(name: &str) -> Artifact {
    Artifact {
        version: name.to_owned(),
        reference: PROGRAM.to_owned(),
    }
}

/// The sample service, asked often.
pub(crate) fn sample(arguments: &[&str]) -> Template {
    let words = ["{artifact}", "sample-service", "--port", "{port}"];
    let more = ["--version", "{version}", "--latency-ms", "2"];
    let words = words.iter().chain(&more).chain(arguments);
    ProcessTemplate {
        command: words.map(|word| (*word).to_owned()).collect(),
        environment: std::collections::BTreeMap::new(),
        health: HealthCheck {
            path: "/health".to_owned(),
            interval_ms: 50,
            timeout_ms: 2_000,
        },
        metrics: Some("/metrics".to_owned()),
        stop_grace_ms: 5_000,
    }
    .to_template()
}

#[async_trait]
impl Site for LocalSite {
    fn driver(&self) -> &dyn Driver {
        &self.driver
    }

    fn installation(&self) -> InstallationId {
        installation()
    }

    fn place(&self) -> Place {
        Place {
            account: "local".to_owned(),
            location: "local".to_owned(),
            cluster: ClusterName::parse("search").unwrap(),
        }
    }

    fn template(&self) -> Template {
        // The contract's artifact is no program.
        let mut template = sample(&["--latency-ms", "0"]);
        template.0["command"][0] = PROGRAM.into();
        template.0["command"] = {
            let words = template.0["command"].as_array().unwrap();
            words[..4].to_vec().into()
        };
        template
    }

    async fn plant_foreign(&self, group: &GroupName) {
        let state = json!({
            "version": 1,
            "places": [{
                "place": self.place(),
                "fencing": 0,
                "groups": [{
                    "name": group,
                    "role": "production",
                    "artifact": {"version": "1", "reference": "other"},
                    "template": self.template(),
                    "capacity": Capacity::fixed(0),
                    "enabled": true,
                    "createdMs": 0,
                }],
            }],
        });
        fs::write(self.path().join("state.json"), state.to_string()).unwrap();
    }

    async fn end(self: Box<Self>) {
        self.finish().await;
    }
}
