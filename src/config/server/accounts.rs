//! Accounts of metric stores, as the server config has them.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::duration::{self, DurationText};
use super::secret::SecretWire;

/// One metric store and how we come in.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "lowercase",
    rename_all_fields = "camelCase"
)]
#[schemars(deny_unknown_fields)]
#[expect(clippy::large_enum_variant, reason = "a handful of them, read once")]
pub enum AccountWire {
    /// A folder of files: CSV and Kayenta's pair lists (`docs/input-files.md`). The scope of a request names a file.
    Files {
        /// What requests call it.
        name: String,
        /// The folder.
        folder: String,
    },
    /// Instances whose pages of metrics are read by this server itself, while a canary runs. It knows nothing of the past.
    Scrape {
        /// What requests call it.
        name: String,
        /// Addresses of pages by scope, or by `location/scope`, which goes first: `http://10.0.0.7:9100/metrics`, or `host:port`.
        #[serde(default)]
        instances: Option<BTreeMap<String, Vec<String>>>,
        /// Whether a request may list instances itself, as the parameter `instances` of a scope: `false` where absent. Whoever may
        /// post a canary can then make the server read any address that it reaches.
        #[serde(default)]
        instances_from_requests: Option<bool>,
    },
    /// Prometheus, or a store that speaks its API (Thanos, Mimir, Cortex, VictoriaMetrics).
    Prometheus {
        /// What requests call it.
        name: String,
        /// Address with path prefix, as it stands before `/api/v1`. It holds no user, password, query or fragment.
        base_url: String,
        /// Who we are there; nobody where absent.
        #[serde(default)]
        auth: Option<AccountAuthWire>,
        /// How the connection is secured, for `https`.
        #[serde(default)]
        tls: Option<TlsWire>,
        /// Further headers of every request, such as `X-Scope-OrgID`, each from a file or the environment.
        #[serde(default)]
        headers: Option<BTreeMap<String, SecretWire>>,
        /// The label that holds the scope for resource type `gce_instance`: `instance` where absent.
        #[serde(default)]
        scope_label: Option<String>,
        /// Longest time for one request with its whole answer: `30s` where absent.
        #[serde(default)]
        timeout: Option<DurationText>,
        /// Longest time to connect: `5s` where absent.
        #[serde(default)]
        connect_timeout: Option<DurationText>,
        /// Most requests at the same time: 16 where absent.
        #[schemars(range(min = 1, max = 1024))]
        #[serde(default)]
        concurrency: Option<u64>,
        /// Most requests a second; no limit where absent.
        #[schemars(range(min = 1, max = 1_000_000))]
        #[serde(default)]
        requests_per_second: Option<u64>,
        /// Largest answer in bytes, unpacked: 33554432 (32 MiB) where absent.
        #[schemars(range(min = 1024, max = 1_073_741_824))]
        #[serde(default)]
        response_bytes: Option<u64>,
        /// Most series in one answer: 1000 where absent.
        #[schemars(range(min = 1, max = 1_000_000))]
        #[serde(default)]
        series: Option<u64>,
        /// How old a point must be to be believed; younger ones may still change or arrive: `60s` where absent.
        #[serde(default)]
        settle: Option<DurationText>,
        /// What a warning beside the data means; parts of the data may be missing then: `fail` where absent.
        #[serde(default)]
        on_warning: Option<OnWarningWire>,
    },
}

impl AccountWire {
    /// What requests call it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Files { name, .. }
            | Self::Scrape { name, .. }
            | Self::Prometheus { name, .. } => name,
        }
    }
}

/// Who we are at a metric store.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[schemars(deny_unknown_fields)]
pub enum AccountAuthWire {
    /// User and password.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: SecretWire,
    },
    /// A file that holds `user:password`, as Kayenta's `usernamePasswordFile`.
    UsernamePasswordFile {
        /// The file.
        file: String,
    },
    /// A bearer token.
    Bearer {
        /// The token.
        token: SecretWire,
    },
}

/// How a connection is secured. The files hold PEM.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct TlsWire {
    /// The certificates to trust, instead of the system's.
    pub ca_file: Option<String>,
    /// Our own certificate, with its chain.
    pub cert_file: Option<String>,
    /// Its key.
    pub key_file: Option<String>,
}

/// What a warning beside the data means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnWarningWire {
    /// The answer is refused; asking again may help.
    #[default]
    Fail,
    /// The answer counts, and the warning stands beside it.
    Warn,
    /// The answer counts.
    Ignore,
}

/// A warning for each account that is to wait longer for an answer than anybody who asks it does (`collect.answerDeadline`). What
/// is no duration is told elsewhere.
pub(super) fn vain_timeouts(accounts: &[AccountWire], answer_deadline: Duration) -> Vec<String> {
    let vain = |account: &AccountWire| {
        let AccountWire::Prometheus {
            name,
            timeout: Some(DurationText(text)),
            ..
        } = account
        else {
            return None;
        };
        let timeout = duration::parse(text).filter(|timeout| *timeout >= answer_deadline)?;
        Some(format!(
            "account `{name}`: `timeout` is {} s, and every question ends after `collect.answerDeadline`, {} s; raise the latter above it",
            timeout.as_secs(),
            answer_deadline.as_secs()
        ))
    };
    accounts.iter().filter_map(vain).collect()
}
