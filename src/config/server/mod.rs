//! The server config: what `coalmine serve` reads, from a file, from the environment, or from nothing at all.
//!
//! A text is either taken whole or refused with every problem that it has. Secrets never stand in it: it names files and
//! variables, and who needs a secret reads it there.

pub mod accounts;
pub mod deployments;
pub mod duration;
pub mod environment;
pub mod host;
mod mask;
pub mod notify;
mod rules;
pub mod secret;
pub mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path as FilePath, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use super::node::{Node, Value};
use super::path::Path;
use super::problems::{Findings, Problem, Problems};
use super::shape::{Reading, Schema};
use accounts::AccountWire;
use deployments::Deployment;
use notify::Channel;
use secret::SecretPlace;
use wire::{LogFormat, LogLevel, ServerWire};

/// The port where nothing else is said: Kayenta's.
pub const DEFAULT_PORT: u16 = 8090;

/// What a server that runs for one command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineUse {
    /// To be asked: it does nothing by itself, goes on with nothing that it finds, and is not found by the data folder.
    Plan,
    /// To look at what is kept, beside whoever serves it: it writes nothing, and starts no supervisor.
    Look,
    /// To do releases: all that a service does.
    Run,
}

/// How `coalmine serve` serves: every default filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The token that requests must carry; `None` only on a loopback address.
    pub token: Option<SecretPlace>,
    /// Names that clients may use in the `Host` header, in the form of [`host::host_name`].
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may call Kayenta's paths, lower case.
    pub allowed_origins: Vec<String>,
    /// Folder for everything that is kept; `None` for the user's own.
    pub data_dir: Option<PathBuf>,
    /// How long an execution is kept after it has ended; `None` for ever.
    pub keep_finished: Option<Duration>,
    /// How executions are worked on.
    pub worker: Worker,
    /// What is too much.
    pub limits: Limits,
    /// Where we differ from Kayenta.
    pub judging: Judging,
    /// How series are collected.
    pub collect: Collect,
    /// Metric stores, in order; names are unique. Paths in it are as they were written.
    pub accounts: Vec<AccountWire>,
    /// Accounts of the drivers that release, in order; names are unique.
    pub deployments: Vec<Deployment>,
    /// Whether nothing was said about them.
    pub default_deployments: bool,
    /// Who is told of releases, in order; names are unique.
    pub notify: Vec<Channel>,
    /// Names of the one place where configs and results are kept; at least one.
    pub storage_accounts: Vec<String>,
    /// What relative paths of the config start from.
    pub folder: PathBuf,
    /// Whether a metric store that does not answer makes the server `DOWN`.
    pub health_counts_accounts: bool,
    /// How often the parts are asked how they are.
    pub health_every: Duration,
    /// How a line of the log looks.
    pub log_format: LogFormat,
    /// The least level that is logged.
    pub log_level: LogLevel,
    /// How long requests may take to finish after SIGTERM.
    pub shutdown_grace: Duration,
    /// What is allowed but surely not meant, one sentence each.
    pub warnings: Vec<String>,
}

/// How executions are worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Worker {
    /// How many at once.
    pub concurrency: u64,
    /// How long a lease lasts.
    pub lease: Duration,
}

/// What is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest body in bytes.
    pub body_bytes: usize,
    /// Longest time for one request.
    pub request_time: Duration,
    /// Longest time until the head of a request is there.
    pub header_time: Duration,
    /// Longest time in which a client takes nothing of its answer.
    pub write_time: Duration,
    /// Most requests at once.
    pub concurrent_requests: usize,
    /// Most open connections.
    pub connections: usize,
    /// Most clients that follow events.
    pub event_streams: usize,
    /// Most executions that have not ended.
    pub unfinished_executions: u64,
}

/// Where we differ from Kayenta.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judging {
    /// Whether a scope may be compared with itself.
    pub allow_same_scopes: bool,
    /// Whether scores follow the safe verdict.
    pub safe_scores: bool,
    /// The judge of `POST /judge`.
    pub remote_judge: Option<String>,
}

/// How series are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collect {
    /// For all metrics of one judgement.
    pub deadline: Duration,
    /// For one metric of one side.
    pub metric_deadline: Duration,
    /// For one answer.
    pub answer_deadline: Duration,
    /// How often a question is asked at most.
    pub tries: u32,
    /// How long an answer serves equal questions.
    pub cache: Duration,
    /// How long a window must be over before its answer is kept.
    pub settle: Duration,
}

/// A server config that is refused, with its text as it may be shown: what looks like a secret is masked.
#[derive(Debug)]
pub struct Refused {
    /// All that is wrong.
    pub problems: Problems,
    /// The text, masked; as many lines as were read.
    pub text: String,
}

/// The JSON Schema of a server config.
#[must_use]
pub fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::of::<ServerWire>);
    &SCHEMA
}

/// Reads a server config from JSON or YAML. `folder` is what relative paths start from; `variables` are those of the
/// environment, which win over the text ([`environment::VARIABLES`]).
///
/// # Errors
/// All problems at once.
pub fn load(
    text: &str,
    folder: &FilePath,
    variables: &[(String, String)],
) -> Result<ServerConfig, Box<Refused>> {
    let refused = |mut problems: Vec<Problem>| {
        let text = mask::mask(text, &mut problems);
        let problems = Problems::new(problems)
            .unwrap_or_else(|| Problem::new(Path::root(), "nothing is wrong", "").into());
        Box::new(Refused { problems, text })
    };
    let node = Node::parse(text).map_err(|problems| refused(problems.iter().cloned().collect()))?;
    if !matches!(node.value, Value::Map(_)) {
        let problem = Problem::new(Path::root(), node.to_string(), "a map of keys and values");
        return Err(refused(vec![problem.at(node.position)]));
    }
    let mut findings = Findings::default();
    let value = schema().read(&node, Reading::Strict, &mut findings);
    let wire = serde_json::from_value(value).unwrap_or_else(|error| {
        findings.problem(Problem::new(Path::root(), error.to_string(), ""));
        ServerWire::default()
    });
    let mut problems = findings.problems;
    let outcome = rules::config(wire, folder, variables);
    let news = outcome.as_ref().err().cloned().unwrap_or_default();
    for mut problem in news {
        // What follows from a part that was left out is no news.
        if problems.iter().any(|known| known.path == problem.path) {
            continue;
        }
        if !environment::is_variable(&problem.path) {
            problem.position = Some(problem.path.nearest(&node).position);
        }
        problems.push(problem);
    }
    problems.sort_by_key(|problem| problem.position);
    match outcome {
        Ok(config) if problems.is_empty() => Ok(config),
        Ok(_) | Err(_) => Err(refused(problems)),
    }
}

/// The config where there is no file.
///
/// # Errors
/// Problems of the environment, all at once.
pub fn without_file(variables: &[(String, String)]) -> Result<ServerConfig, Box<Refused>> {
    rules::config(ServerWire::default(), FilePath::new(""), variables).map_err(|problems| {
        Box::new(Refused {
            problems: Problems::new(problems)
                .unwrap_or_else(|| Problem::new(Path::root(), "nothing is wrong", "").into()),
            text: String::new(),
        })
    })
}

impl ServerConfig {
    /// Where the server listens if nothing is said: `127.0.0.1:8090`.
    #[must_use]
    pub fn default_listen() -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT))
    }

    /// A path of the config as it is meant: relative ones start from the config's folder.
    #[must_use]
    pub fn path(&self, written: &str) -> PathBuf {
        self.folder.join(written)
    }
}
