//! One account of Prometheus: where it is, who we are there, and how much we may ask.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::secret::SecretSource;
use crate::sources::{Remedy, SourceError};

/// An account of Prometheus, or of a store that speaks its API (Thanos, Mimir, Cortex, VictoriaMetrics). Plain data, as the server
/// config has it; [`Account::new`] fills in the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// What requests call it.
    pub name: String,
    /// Address with path prefix, as it stands before `/api/v1`: `https://metrics.example.com/select/0/prometheus`. It holds no
    /// user, password, query or fragment.
    pub base_url: String,
    /// Who we are.
    #[serde(default)]
    pub auth: Auth,
    /// How the connection is secured, for `https`.
    #[serde(default)]
    pub tls: Tls,
    /// Further headers of every request, such as `X-Scope-OrgID`. Their values are secrets as well.
    #[serde(default)]
    pub headers: BTreeMap<String, SecretSource>,
    /// The label that holds the scope for resource type `gce_instance`.
    #[serde(default = "default_scope_label")]
    pub scope_label: String,
    /// Longest time for one request with its whole answer, in seconds.
    #[serde(default = "default_timeout_secs")]
    pub timeout_secs: NonZeroU32,
    /// Longest time to connect, in seconds.
    #[serde(default = "default_connect_timeout_secs")]
    pub connect_timeout_secs: NonZeroU32,
    /// Most requests at the same time, over all users of the account.
    #[serde(default = "default_max_concurrent_queries")]
    pub max_concurrent_queries: NonZeroUsize,
    /// Most requests a second, likewise; a burst may be as large. No limit where absent.
    #[serde(default)]
    pub requests_per_second: Option<NonZeroU32>,
    /// Largest answer in bytes, unpacked.
    #[serde(default = "default_max_response_bytes")]
    pub max_response_bytes: NonZeroUsize,
    /// Most series in one answer.
    #[serde(default = "default_max_series")]
    pub max_series: NonZeroUsize,
    /// How old a point must be to be believed, in seconds; younger ones may still change or arrive.
    #[serde(default = "default_settle_secs")]
    pub settle_secs: u32,
    /// What a warning beside the data means. Parts of the data may be missing then.
    #[serde(default)]
    pub on_warning: OnWarning,
}

fn default_scope_label() -> String {
    "instance".to_owned()
}

const fn not_zero(number: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(number - 1)
}

const fn not_zero_size(number: usize) -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(number - 1)
}

/// Prometheus gives up after 2 minutes by default; a canary's queries take far less.
fn default_timeout_secs() -> NonZeroU32 {
    not_zero(30)
}

fn default_connect_timeout_secs() -> NonZeroU32 {
    not_zero(5)
}

/// Prometheus runs 20 queries at a time by default (`--query.max-concurrency`); some are left for others.
fn default_max_concurrent_queries() -> NonZeroUsize {
    not_zero_size(16)
}

/// Room for 1,000 series of 1,000 points.
fn default_max_response_bytes() -> NonZeroUsize {
    not_zero_size(32 * 1024 * 1024)
}

fn default_max_series() -> NonZeroUsize {
    not_zero_size(1000)
}

/// At least two scrapes at the usual intervals, and beyond the 30 s by which VictoriaMetrics lags.
fn default_settle_secs() -> u32 {
    60
}

/// Who we are. Secrets in files are read again when the file changes, and once after a 401 or 403.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Auth {
    /// Nobody in particular.
    #[default]
    None,
    /// User and password.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: SecretSource,
    },
    /// A file that holds `user:password`, as Kayenta's `usernamePasswordFile`.
    UsernamePasswordFile(PathBuf),
    /// A bearer token.
    Bearer {
        /// The token.
        token: SecretSource,
    },
}

/// How the connection is secured. The files hold PEM; they are read again when they change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Tls {
    /// The certificates to trust, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate, with its chain.
    pub cert_file: Option<PathBuf>,
    /// Its key.
    pub key_file: Option<PathBuf>,
}

/// What a warning beside the data means. Prometheus' own remarks on a query (`PromQL warning:`, `PromQL info:`) are no missing
/// data, and never an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnWarning {
    /// The answer is refused; asking again may help.
    #[default]
    Fail,
    /// The answer counts, and the warning stands beside it.
    Warn,
    /// The answer counts.
    Ignore,
}

impl Account {
    /// An account with the defaults.
    #[must_use]
    pub fn new(name: impl Into<String>, base_url: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            base_url: base_url.into(),
            auth: Auth::None,
            tls: Tls::default(),
            headers: BTreeMap::new(),
            scope_label: default_scope_label(),
            timeout_secs: default_timeout_secs(),
            connect_timeout_secs: default_connect_timeout_secs(),
            max_concurrent_queries: default_max_concurrent_queries(),
            requests_per_second: None,
            max_response_bytes: default_max_response_bytes(),
            max_series: default_max_series(),
            settle_secs: default_settle_secs(),
            on_warning: OnWarning::default(),
        }
    }

    /// The base address, checked.
    pub(super) fn checked_url(&self) -> Result<Url, SourceError> {
        // The address itself is shown only once it is known to hold no password.
        let mend = |what: String, hint: &str| {
            let mut error = SourceError::new(
                Remedy::Mend,
                format!("account `{}`: `baseUrl` {what}", self.name),
            );
            error.hint = Some(hint.to_owned());
            error
        };
        let example = "an address looks like `https://prometheus.example.com/prefix`";
        let url = Url::parse(&self.base_url)
            .map_err(|why| mend(format!("is no address: {why}"), example))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(mend(
                "holds a user or password".to_owned(),
                "put them under `auth`, where they are kept out of logs and errors",
            ));
        }
        if !["http", "https"].contains(&url.scheme()) || !url.has_host() {
            let found = format!(
                "has the scheme `{}`; expected `http` or `https`",
                url.scheme()
            );
            return Err(mend(found, example));
        }
        if url.query().is_some() || url.fragment().is_some() {
            let found = "holds a query or fragment; expected only a path".to_owned();
            return Err(mend(found, example));
        }
        if self.tls.cert_file.is_some() != self.tls.key_file.is_some() {
            return Err(SourceError::new(
                Remedy::Mend,
                format!(
                    "account `{}`: found one of `certFile` and `keyFile`; expected both or none",
                    self.name
                ),
            ));
        }
        Ok(url)
    }
}
