//! A real Prometheus on a free loopback port, with data of a test's own, or scraping what a test serves.
//!
//! Needs Debian's `prometheus`, which `tests/run` installs. Without it a test is skipped and says so; with `CI=true` that is a
//! failure.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

/// A running Prometheus; it is stopped, and its files removed, when it is dropped.
pub(crate) struct RealPrometheus {
    child: Child,
    url: String,
    _folder: TempDir,
}

/// What it shall be like.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    /// Samples to begin with, in the OpenMetrics text format with times in seconds, `# EOF` at the end.
    pub(crate) data: Option<String>,
    /// `scrape_configs` and the like, as YAML.
    pub(crate) config: Option<String>,
    /// Further flags, such as `--query.max-samples=1000`.
    pub(crate) flags: Vec<String>,
}

impl Setup {
    /// Scrapes `/metrics` of these addresses (`127.0.0.1:PORT`) every second; each series gets the labels that stand beside its
    /// address.
    pub(crate) fn scraping(targets: &[(&str, &[(&str, &str)])]) -> Self {
        let mut config = String::from(
            "global: { scrape_interval: 1s, scrape_timeout: 1s }\nscrape_configs:\n- job_name: test\n  static_configs:\n",
        );
        for (address, labels) in targets {
            let labels: Vec<String> = labels
                .iter()
                .map(|(name, value)| format!("{name}: \"{value}\""))
                .collect();
            config.push_str(&format!(
                "  - {{ targets: [\"{address}\"], labels: {{ {} }} }}\n",
                labels.join(", ")
            ));
        }
        Self {
            config: Some(config),
            ..Self::default()
        }
    }
}

impl RealPrometheus {
    /// `None`, with a line that says so, where there is no Prometheus.
    pub(crate) fn start(setup: &Setup) -> Option<Self> {
        let prometheus = program("prometheus")?;
        let folder = tempfile::tempdir().unwrap();
        let storage = folder.path().join("data");
        if let Some(data) = &setup.data {
            let promtool = program("promtool")?;
            load(&promtool, folder.path(), data, &storage);
        }
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, setup.config.as_deref().unwrap_or("")).unwrap();
        // Between the moment that a port was free and that Prometheus takes it, somebody else may.
        let mut said = String::new();
        for _ in 0..5 {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            drop(listener);
            let mut child = Command::new(&prometheus)
                .arg(format!("--config.file={}", config.display()))
                .arg(format!("--storage.tsdb.path={}", storage.display()))
                .arg(format!("--web.listen-address={address}"))
                .arg("--storage.tsdb.retention.time=100y")
                .args(&setup.flags)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            match until_ready(&mut child) {
                Ok(()) => {
                    return Some(Self {
                        child,
                        url: format!("http://{address}"),
                        _folder: folder,
                    });
                }
                Err(lines) => said = lines,
            }
            drop(child.kill());
            child.wait().unwrap();
        }
        panic!("Prometheus does not start:\n{said}");
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for RealPrometheus {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Reads what it logs until it is ready; if it ends before, what it logged.
fn until_ready(child: &mut Child) -> Result<(), String> {
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    loop {
        let mut line = String::new();
        if log.read_line(&mut line).unwrap() == 0 {
            return Err(said);
        }
        said.push_str(&line);
        if line.contains("Server is ready") {
            // A full pipe would stop it.
            thread::spawn(move || drop(std::io::copy(&mut log, &mut std::io::sink())));
            return Ok(());
        }
    }
}

fn load(promtool: &Path, folder: &Path, data: &str, storage: &Path) {
    let file = folder.join("data.om");
    std::fs::write(&file, data).unwrap();
    let output = Command::new(promtool)
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .arg(&file)
        .arg(storage)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn program(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&paths)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    if found.is_none() {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "no {name} here: run tests/run, which installs it"
        );
        eprintln!("skipped: no {name} here; tests/run installs it");
    }
    found
}
