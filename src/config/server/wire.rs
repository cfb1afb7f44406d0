//! The server config as it is written. What it means is decided by [`super::load`]; the JSON Schema and the strict reading follow
//! from these types.

use schemars::JsonSchema;
use serde::Deserialize;

use super::accounts::AccountWire;
use super::deployments::DeploymentWire;
use super::duration::DurationText;
use super::notify::ChannelWire;
use super::secret::SecretWire;

/// How `coalmine serve` serves. Every key but `version` may be absent.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(
    title = "Coalmine server config",
    deny_unknown_fields,
    extend("required" = ["version"])
)]
pub struct ServerWire {
    /// Version of this format.
    #[schemars(with = "Version")]
    pub version: Option<Version>,
    /// Address and port: `127.0.0.1:8090` where absent; port 0 takes a free one. Any address that other machines can reach needs
    /// `auth`.
    pub listen: Option<String>,
    /// Who may ask.
    pub auth: Option<AuthWire>,
    /// Names that clients may use for this server in the `Host` header, without port. On a loopback address the loopback names
    /// are always allowed, and so they are on all addresses (`0.0.0.0`); otherwise every name is allowed where this is absent.
    pub allowed_hosts: Option<Vec<String>>,
    /// Origins, as `https://ui.example.com`, whose pages may call Kayenta's paths from a browser. Our own resources answer no
    /// page of another origin.
    pub allowed_origins: Option<Vec<String>>,
    /// Folder for everything that is kept. Where absent: `$XDG_DATA_HOME/coalmine`, else `~/.local/share/coalmine`.
    pub data_dir: Option<String>,
    /// What is forgotten, and when.
    pub retention: Option<RetentionWire>,
    /// How executions are worked on.
    pub worker: Option<WorkerWire>,
    /// What is too much.
    pub limits: Option<LimitsWire>,
    /// Where we differ from Kayenta.
    pub judging: Option<JudgingWire>,
    /// How series are collected from accounts.
    pub collect: Option<CollectWire>,
    /// Metric stores. The first one is asked where a request names none.
    pub accounts: Option<Vec<AccountWire>>,
    /// Accounts of the drivers that release: what `account` of a release spec's targets names. Where absent: one of type `local`
    /// that is called `local`, if requests must carry a token. Named here they are served without a token too: then whoever
    /// reaches the server can start programs.
    pub deployments: Option<Vec<DeploymentWire>>,
    /// Who is told of releases; nobody where absent.
    pub notify: Option<Vec<ChannelWire>>,
    /// Names of the one place where configs and results are kept, as requests on Kayenta's paths may give them; the first is
    /// shown where a request gives none: `[coalmine]` where absent. Several, so that pipelines that name the accounts of a
    /// Kayenta before us go on.
    #[schemars(length(min = 1))]
    pub storage_accounts: Option<Vec<String>>,
    /// What `/health` says.
    pub health: Option<HealthWire>,
    /// What is logged to standard error, and how.
    pub logging: Option<LoggingWire>,
    /// How long requests may take to finish after SIGTERM: `20s` where absent.
    pub shutdown_grace: Option<DurationText>,
}

/// Version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Version {
    /// The first.
    #[serde(rename = "coalmine/v1")]
    V1,
}

/// Who may ask.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct AuthWire {
    /// The token that every request but those for `/health` must carry: `Authorization: Bearer TOKEN`, or as the password of
    /// `Authorization: Basic` with any user. At least 16 characters.
    pub token: Option<SecretWire>,
}

/// What is forgotten, and when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct RetentionWire {
    /// How long an execution is kept after it has ended, with its judgements and bundles: `90d` where absent; `forever` keeps all.
    pub keep_finished: Option<String>,
}

/// How executions are worked on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct WorkerWire {
    /// How many executions are worked on at once: 16 where absent. Those that wait do not count.
    #[schemars(range(min = 1, max = 1024))]
    pub concurrency: Option<u64>,
    /// How long a lease lasts: `30s` where absent. After a crash an execution may rest for so long.
    pub lease: Option<DurationText>,
}

/// What is too much.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct LimitsWire {
    /// Largest body of a request in bytes: 10485760 (10 MiB) where absent. A larger one is answered by 413.
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub body_bytes: Option<u64>,
    /// Longest time for one request, from its head to the head of its answer: `30s` where absent. Ends with 408 while the body is
    /// still coming, else with 503.
    pub request_time: Option<DurationText>,
    /// Longest time until the head of a request is there: `10s` where absent.
    pub header_time: Option<DurationText>,
    /// Longest time in which a client takes nothing of its answer: `30s` where absent. Its connection is closed then.
    pub write_time: Option<DurationText>,
    /// Most requests at once: 256 where absent. More are answered by 503 with `Retry-After`.
    #[schemars(range(min = 1, max = 65536))]
    pub concurrent_requests: Option<u64>,
    /// Most open connections: 1024 where absent. More wait until they are accepted.
    #[schemars(range(min = 1, max = 65536))]
    pub connections: Option<u64>,
    /// Most clients that follow events at once: 256 where absent. More are answered by 503.
    #[schemars(range(min = 1, max = 65536))]
    pub event_streams: Option<u64>,
    /// Most executions that have not ended: 10000 where absent. More are not started.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub unfinished_executions: Option<u64>,
}

/// Where we differ from Kayenta.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct JudgingWire {
    /// Whether a canary may compare a scope with itself (an A/A test): `false` where absent.
    pub allow_same_scopes: Option<bool>,
    /// Whether a score that passes by Kayenta's rules while the safe verdict does not is moved below the pass threshold:
    /// `false` where absent.
    pub safe_scores: Option<bool>,
    /// The judge that answers `POST /judge`: the config's own where absent.
    pub remote_judge: Option<String>,
}

/// How series are collected from accounts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct CollectWire {
    /// Longest time for all metrics of one judgement, with retries: `10m` where absent.
    pub deadline: Option<DurationText>,
    /// Longest time for one metric of one side, with retries: `5m` where absent.
    pub metric_deadline: Option<DurationText>,
    /// Longest time for one answer: `1m` where absent.
    pub answer_deadline: Option<DurationText>,
    /// How often one question is asked at most: 100 where absent; pauses of up to 30 s stand between.
    #[schemars(range(min = 1, max = 10_000))]
    pub tries: Option<u64>,
    /// How long an answer serves equal questions: `10m` where absent; `0s` shares only what is asked at the same time.
    pub cache: Option<DurationText>,
    /// How long a window must be over before its answer is kept, because stores get points late: `5m` where absent.
    pub settle: Option<DurationText>,
}

/// What `/health` says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct HealthWire {
    /// Whether a metric store that does not answer makes the whole server `DOWN`, as in Kayenta: `false` where absent. It is shown
    /// in any case.
    pub accounts: Option<bool>,
    /// How often the parts are asked: `10s` where absent.
    pub every: Option<DurationText>,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct LoggingWire {
    /// `text` for people, `json` for machines: `text` where absent.
    pub format: Option<LogFormat>,
    /// The least level that is logged: `info` where absent.
    pub level: Option<LogLevel>,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The least level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What a person should look at.
    Error,
    /// What went on anyway.
    Warn,
    /// What happened.
    #[default]
    Info,
    /// How it happened.
    Debug,
    /// Everything.
    Trace,
}
