//! The composition root: from a server config to a server that runs. The only place that names adapters.

pub mod accounts;
mod background;
pub mod local;
mod made_token;
pub mod notify;
mod parts;
mod releases;
mod serve;
mod whereabouts;

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use crate::analysis::collect::{Collector, Keep, Patience};
use crate::clock::{Clock, SystemClock};
use crate::config::server::ServerConfig;
use crate::config::server::secret::SecretPlace;
use crate::sources::Sources;
use crate::store::data_dir::DataDirError;

pub use parts::parts;
pub use serve::{Running, own_engine, serve};

/// Why the server does not run.
#[derive(Debug, Error)]
pub enum AppError {
    /// The data folder is not to be had.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// There is nowhere to keep data.
    #[error("no data folder is named, and there is no home folder")]
    NoDataDir,
    /// The database is not to be had.
    #[error("cannot open the database")]
    Store(#[from] crate::store::StoreError),
    /// The archive is not to be had.
    #[error("cannot open the archive")]
    Archive(#[from] crate::archive::ArchiveError),
    /// An account cannot be used.
    #[error("account `{name}` cannot be used")]
    Account {
        /// Which one.
        name: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A channel cannot be used.
    #[error("channel `{name}` cannot be used")]
    Channel {
        /// Which one.
        name: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A secret is not where the config says.
    #[error("cannot read {what} from {place}: {why}")]
    Secret {
        /// What it is for.
        what: String,
        /// Where it should be.
        place: String,
        /// Why it cannot be read; never the secret.
        why: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on `{listen}`")]
    Listen {
        /// The address.
        listen: std::net::SocketAddr,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// What holds local server groups does not do what it was asked.
    #[error(transparent)]
    Driver(crate::drivers::DriverError),
    /// A part of the server ended before it was told to.
    #[error("the {part} broke off; this is a defect of Coalmine, please report it")]
    BrokeOff {
        /// Which one.
        part: &'static str,
    },
    /// The system refuses something that the server needs.
    #[error("cannot {doing}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl AppError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::DataDir(error) => Some(error.hint().to_owned()),
            Self::NoDataDir => Some("name one: `--data-dir DIR`".to_owned()),
            Self::Listen { .. } => {
                Some("another address or port: `--listen 127.0.0.1:0` takes a free one".to_owned())
            }
            Self::Driver(error) => error.hint.clone(),
            Self::Store(_)
            | Self::Archive(_)
            | Self::Account { .. }
            | Self::Channel { .. }
            | Self::Secret { .. }
            | Self::BrokeOff { .. }
            | Self::System { .. } => None,
        }
    }
}

impl AppError {
    /// Whether the config says something that cannot be; else something outside is not to be had.
    #[must_use]
    pub fn is_config(&self) -> bool {
        match self {
            Self::NoDataDir | Self::Account { .. } | Self::Channel { .. } | Self::Secret { .. } => {
                true
            }
            Self::DataDir(_)
            | Self::Store(_)
            | Self::Archive(_)
            | Self::Listen { .. }
            | Self::Driver(_)
            | Self::BrokeOff { .. }
            | Self::System { .. } => false,
        }
    }
}

/// Least length of the token that requests carry.
const TOKEN_LENGTH: usize = 16;

/// The token that requests must carry.
fn token(config: &ServerConfig) -> Result<Option<String>, AppError> {
    let Some(place) = &config.token else {
        return Ok(None);
    };
    let what = "the token of requests";
    let token = secret(place, what)?;
    if token.chars().count() < TOKEN_LENGTH || token.contains(char::is_whitespace) {
        return Err(AppError::Secret {
            what: what.to_owned(),
            place: shown(place),
            why: format!("expected at least {TOKEN_LENGTH} characters without white space"),
        });
    }
    Ok(Some(token))
}

/// Reads a secret. The error never shows it.
fn secret(place: &SecretPlace, what: &str) -> Result<String, AppError> {
    let failed = |why: String| AppError::Secret {
        what: what.to_owned(),
        place: shown(place),
        why,
    };
    let text = match place {
        SecretPlace::File(path) => {
            std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?
        }
        SecretPlace::Environment(name) => env::var(name).map_err(|error| {
            failed(match error {
                env::VarError::NotPresent => "it is not set".to_owned(),
                env::VarError::NotUnicode(_) => "it is no text".to_owned(),
            })
        })?,
    };
    let text = text.trim();
    if text.is_empty() {
        return Err(failed("it is empty".to_owned()));
    }
    Ok(text.to_owned())
}

fn shown(place: &SecretPlace) -> String {
    match place {
        SecretPlace::File(path) => format!("the file `{}`", path.display()),
        SecretPlace::Environment(name) => format!("the variable `{name}`"),
    }
}

/// The data folder: as configured, else the user's own.
fn data_dir(config: &ServerConfig) -> Result<PathBuf, AppError> {
    if let Some(path) = &config.data_dir {
        return Ok(path.clone());
    }
    let filled = |name| env::var_os(name).filter(|value| !value.is_empty());
    if let Some(data) = filled("XDG_DATA_HOME") {
        return Ok(Path::new(&data).join("coalmine"));
    }
    let home = filled("HOME").ok_or(AppError::NoDataDir)?;
    Ok(Path::new(&home).join(".local/share/coalmine"))
}

/// What collects from the accounts of the config, without a server.
///
/// # Errors
/// `Account`, `Secret`: the first account that cannot be used.
pub fn collector_of(config: &ServerConfig) -> Result<Collector, AppError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let sources = accounts::sources(config, &clock)?;
    Ok(collector(config, &sources, clock))
}

/// What collects from `sources`, as the config says.
#[must_use]
pub fn collector(config: &ServerConfig, sources: &Sources, clock: Arc<dyn Clock>) -> Collector {
    let collect = &config.collect;
    let collector = Collector::new(Arc::new(sources.clone()), clock)
        .patience(Patience {
            attempts: collect.tries,
            attempt: collect.answer_deadline,
            metric: collect.metric_deadline,
            judgement: collect.deadline,
            history: Patience::default().history.min(collect.deadline),
            ..Patience::default()
        })
        .keep(Keep {
            age: collect.cache,
            settle: collect.settle,
            ..Keep::default()
        });
    accounts::limited(config, collector)
}
