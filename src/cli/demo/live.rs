//! Three releases of a sample service under steady load: the first one deploys it, the second one is slow and is taken back, the
//! third one is good and takes over. All of it runs on this machine, in a folder that is removed at the end.

use std::env;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::load::Load;
use super::{recorded, report_file};
use crate::archive::whole_file::WholeFile;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::release::{Client, Released, released};
use crate::cli::{LocalParts, Parts, RunningEngine};
use crate::config::server::{self, EngineUse};

/// The application's name; every report of the demo holds it.
const APPLICATION: &str = "sampleshop";
const SPEC: &str = include_str!("../../../configs/examples/demo/sampleshop.release.yaml");
const CONFIG_FILE: &str = "sampleshop.canary.yaml";
const CONFIG: &str = include_str!("../../../configs/examples/demo/sampleshop.canary.yaml");
/// How the program is named in the spec; the demo names this very one.
const PROGRAM: &str = "command: [coalmine, ";
/// Longest time until every process has ended.
const END: Duration = Duration::from_secs(60);

const STORY: &str = "\
A sample service with steady traffic, on this machine: 3 instances behind a proxy, 100 requests a second.
Version 1.0.0 goes live first. 1.1.0 answers slowly and should be caught; 1.2.0 is good and should take over.
";

/// One of the releases of the story.
struct Act {
    version: &'static str,
    build: &'static str,
    title: &'static str,
    expected: &'static str,
}

const ACTS: [Act; 3] = [
    Act {
        version: "1.0.0",
        build: "good",
        title: "First deployment: there is nothing to compare it with",
        expected: "promoted",
    },
    Act {
        version: "1.1.0",
        build: "slow",
        title: "A bad version: a canary and a fresh baseline, 20% of the traffic each",
        expected: "rolledBack",
    },
    Act {
        version: "1.2.0",
        build: "good",
        title: "A good version: judged twice, then it takes over by halves",
        expected: "promoted",
    },
];

/// A text that every report of the live demo holds.
fn mark() -> String {
    format!("\"application\":\"{APPLICATION}\"")
}

/// 0 where everything came out as it should; 1 where it did not.
pub(super) fn run(
    out: Option<&Path>,
    keep: bool,
    parts: Parts,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let path = report_file::choose(out, &[recorded::mark(), mark()])?;
    let file = report_file::open(&path)?;
    let folder = TempDir::with_prefix("coalmine-demo-")
        .map_err(|error| Failure::new(format!("cannot make a folder for the demo: {error}")))?;
    let program = env::current_exe()
        .map_err(|error| Failure::new(format!("cannot find this program: {error}")))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start threads: {error}")))?;
    console.tell(&format!("{STORY}\n"))?;
    runtime.block_on(async {
        let data_dir = folder.path().join("data");
        let stage = Stage::open(parts, &data_dir, &program).await?;
        let played = stage.play(file, &path, keep, console).await;
        let closed = stage.close().await;
        let exit = played?;
        closed?;
        Ok(exit)
    })
}

/// A service of our own, and what it holds.
struct Stage {
    engine: RunningEngine,
    client: Client,
    local: LocalParts,
    account: PathBuf,
    program: PathBuf,
}

impl Stage {
    async fn open(parts: Parts, data_dir: &Path, program: &Path) -> Result<Self, Failure> {
        let settings = [
            ("--listen".to_owned(), "127.0.0.1:0".to_owned()),
            ("--data-dir".to_owned(), data_dir.display().to_string()),
        ];
        let config = server::without_file(&settings)
            .map_err(|problems| Failure::new(format!("the demo's own config: {problems:?}")))?;
        let engine = (parts.own_engine)(config, EngineUse::Run)
            .await
            .map_err(|error| Failure::new(error.message).passing())?;
        let client = Client::new(&engine.url)?
            .with_token(engine.token.clone())
            .within();
        Ok(Self {
            engine,
            client,
            local: parts.local,
            account: data_dir.join("deployments/local"),
            program: program.to_path_buf(),
        })
    }

    /// Ends every process, and the service.
    async fn close(self) -> Result<(), Failure> {
        let stopped = (self.local.end)(self.account, END).await;
        let ended = (self.engine.stop)().await;
        stopped.map_err(|error| Failure::new(error.message).passing())?;
        // The demo has no channels, and so nothing to leave undone.
        ended
            .map(drop)
            .map_err(|error| Failure::new(error.message).passing())
    }

    fn request(&self, act: &Act) -> Value {
        let program = serde_json::Value::from(self.program.display().to_string());
        let spec = SPEC.replace(PROGRAM, &format!("command: [{program}, "));
        json!({
            "spec": spec,
            "files": { CONFIG_FILE: CONFIG },
            "version": act.version,
            "artifact": act.build,
        })
    }

    /// Where everything is while it goes on. The address carries the token, so that a browser asks for none.
    fn still_serving(&self) -> String {
        let url = match &self.engine.token {
            Some(token) => self
                .engine
                .url
                .replacen("://", &format!("://demo:{token}@"), 1),
            None => self.engine.url.clone(),
        };
        format!(
            "Still serving: {url}/\n  Releases: coalmine release list --data-dir {}\n  Ctrl-C ends it and everything that it started.\n",
            self.engine.data_dir.display()
        )
    }

    async fn play(
        &self,
        file: WholeFile,
        path: &Path,
        keep: bool,
        console: &mut Console,
    ) -> Result<Exit, Failure> {
        let began = Instant::now();
        let (mut load, mut right, mut bad) = (None, true, None);
        for (number, act) in ACTS.iter().enumerate() {
            console.tell(&format!("{}. {}\n", number + 1, act.title))?;
            let request = self.request(act);
            let engine = (&self.engine.ended, self.engine.data_dir.as_path());
            let status = match released(&self.client, engine, &request, "demo", console).await? {
                Released::Over(status) => status,
                Released::Interrupted => {
                    console.note("stopped: everything that was started is ended");
                    return Ok(Exit::NotAllowed);
                }
            };
            let became = status.outcome.as_ref().map(|it| it.decision.as_str());
            right &= became == Some(act.expected);
            if load.is_none() {
                let address = status.targets.first().and_then(|it| it.router.clone());
                let address = address.ok_or_else(|| {
                    Failure::new("the sample service has no address; its release says why")
                })?;
                load = Some(Load::on(&format!("http://{address}/"))?);
            }
            if act.expected == "rolledBack" {
                bad = status.report.clone();
            }
            if let Some(load) = load.as_ref().filter(|_| number > 0) {
                let (answered, failed) = load.counts();
                console.tell(&format!(
                    "   {answered} requests answered so far, {failed} failed\n\n"
                ))?;
            } else {
                console.tell("\n")?;
            }
        }
        let (answered, failed) = load.as_ref().map(Load::counts).unwrap_or_default();
        let report = match bad {
            // The engine keeps it as a file, in a folder that goes with the demo.
            Some(report) => Some(std::fs::read_to_string(&report).map_err(|error| {
                Failure::new(format!("cannot read the report `{report}`: {error}")).passing()
            })?),
            None => None,
        };
        if let Some(html) = &report {
            report_file::finish(file, path, html)?;
        }
        let right = right && failed == 0;
        let secs = began.elapsed().as_secs();
        let verdict = if right {
            "Both came out as they should"
        } else {
            "It did not come out as it should"
        };
        console.tell(&format!(
            "{verdict}: {answered} requests answered, {failed} failed, in {secs} s.\n"
        ))?;
        if report.is_some() {
            let style = console.text_style();
            let shown = Console::shown_path(path, &style);
            console.tell(&format!("Why 1.1.0 was taken back: {}\n", shown))?;
        }
        if keep {
            console.tell(&self.still_serving())?;
            // Without signals there is nothing to wait for.
            let _ = tokio::signal::ctrl_c().await;
        }
        drop(load);
        Ok(if right { Exit::Pass } else { Exit::Fail })
    }
}
