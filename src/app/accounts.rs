//! Accounts of metric stores, from the server config to sources.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use super::{AppError, secret};
use crate::analysis::collect::{AccountLimits, Collector};
use crate::clock::Clock;
use crate::config::server::ServerConfig;
use crate::config::server::accounts::{AccountAuthWire, AccountWire, OnWarningWire, TlsWire};
use crate::config::server::duration::{self, DurationText};
use crate::config::server::secret::{SecretPlace, SecretWire};
use crate::model::secret::SecretSource;
use crate::sources::files::FilesSource;
use crate::sources::prometheus::{Account, Auth, OnWarning, PrometheusSource, Tls};
use crate::sources::scrape::{ScrapeAccount, ScrapeSource};
use crate::sources::{MetricSource, Sources};

/// All accounts. Nothing is asked of them yet.
///
/// # Errors
/// `Account`, `Secret`: the first account that cannot be used.
pub fn sources(config: &ServerConfig, clock: &Arc<dyn Clock>) -> Result<Sources, AppError> {
    let accounts = config.accounts.iter().map(|account| {
        let name = account.name().to_owned();
        Ok((name, source(config, account, clock)?))
    });
    Ok(Sources::new(accounts.collect::<Result<_, AppError>>()?))
}

fn source(
    config: &ServerConfig,
    account: &AccountWire,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn MetricSource>, AppError> {
    let refused = |cause: crate::sources::SourceError| AppError::Account {
        name: account.name().to_owned(),
        cause: Box::new(cause),
    };
    Ok(match account {
        AccountWire::Files { name: _, folder } => Arc::new(FilesSource::new(config.path(folder))),
        AccountWire::Scrape {
            name: _,
            instances,
            instances_from_requests,
        } => {
            let account = ScrapeAccount {
                instances: instances.clone().unwrap_or_default(),
                instances_from_requests: instances_from_requests.unwrap_or_default(),
            };
            Arc::new(ScrapeSource::new(account, Arc::clone(clock)).map_err(refused)?)
        }
        AccountWire::Prometheus { .. } => {
            let account = prometheus(config, account)?;
            let source = PrometheusSource::with_clock(account, Arc::clone(clock));
            Arc::new(source.map_err(refused)?)
        }
    })
}

/// The account as its source reads it. Secrets in files stay there, and are read again when they change.
fn prometheus(config: &ServerConfig, wire: &AccountWire) -> Result<Account, AppError> {
    let AccountWire::Prometheus {
        name,
        base_url,
        auth,
        tls,
        headers,
        scope_label,
        timeout,
        connect_timeout,
        concurrency,
        requests_per_second,
        response_bytes,
        series,
        settle,
        on_warning,
    } = wire
    else {
        return Ok(Account::new(wire.name(), ""));
    };
    let mut account = Account::new(name, base_url);
    let placed = |wire: &SecretWire, what: String| held(config, wire, &what);
    account.auth = match auth {
        None => Auth::None,
        Some(AccountAuthWire::Basic { username, password }) => Auth::Basic {
            username: username.clone(),
            password: placed(password, format!("the password of account `{name}`"))?,
        },
        Some(AccountAuthWire::UsernamePasswordFile { file }) => {
            Auth::UsernamePasswordFile(config.path(file))
        }
        Some(AccountAuthWire::Bearer { token }) => Auth::Bearer {
            token: placed(token, format!("the token of account `{name}`"))?,
        },
    };
    let TlsWire {
        ca_file,
        cert_file,
        key_file,
    } = tls.clone().unwrap_or_default();
    let path = |file: Option<String>| file.map(|file| config.path(&file));
    account.tls = Tls {
        ca_file: path(ca_file),
        cert_file: path(cert_file),
        key_file: path(key_file),
    };
    for (header, value) in headers.iter().flatten() {
        let what = format!("the header `{header}` of account `{name}`");
        account.headers.insert(header.clone(), placed(value, what)?);
    }
    if let Some(label) = scope_label {
        account.scope_label.clone_from(label);
    }
    if let Some(secs) = seconds(timeout.as_ref()).and_then(NonZeroU32::new) {
        account.timeout_secs = secs;
    }
    if let Some(secs) = seconds(connect_timeout.as_ref()).and_then(NonZeroU32::new) {
        account.connect_timeout_secs = secs;
    }
    if let Some(secs) = seconds(settle.as_ref()) {
        account.settle_secs = secs;
    }
    if let Some(most) = size(*concurrency) {
        account.max_concurrent_queries = most;
    }
    if let Some(most) = size(*response_bytes) {
        account.max_response_bytes = most;
    }
    if let Some(most) = size(*series) {
        account.max_series = most;
    }
    let per_second = requests_per_second.and_then(|most| u32::try_from(most).ok());
    account.requests_per_second = per_second.and_then(NonZeroU32::new);
    account.on_warning = match on_warning.unwrap_or_default() {
        OnWarningWire::Fail => OnWarning::Fail,
        OnWarningWire::Warn => OnWarning::Warn,
        OnWarningWire::Ignore => OnWarning::Ignore,
    };
    Ok(account)
}

fn held(config: &ServerConfig, wire: &SecretWire, what: &str) -> Result<SecretSource, AppError> {
    if let Some(file) = &wire.file {
        return Ok(SecretSource::file(config.path(file)));
    }
    let place = SecretPlace::Environment(wire.env.clone().unwrap_or_default());
    Ok(SecretSource::value(secret(&place, what)?))
}

/// Whole seconds, rounded up. The config was checked; what cannot be read is the default.
fn seconds(text: Option<&DurationText>) -> Option<u32> {
    let duration: Duration = duration::parse(&text?.0)?;
    u32::try_from(duration.as_millis().div_ceil(1000)).ok()
}

fn size(number: Option<u64>) -> Option<NonZeroUsize> {
    NonZeroUsize::new(usize::try_from(number?).ok()?)
}

/// The collector asks no account more at once than the account bears.
pub(super) fn limited(config: &ServerConfig, mut collector: Collector) -> Collector {
    for account in &config.accounts {
        if let AccountWire::Prometheus {
            name, concurrency, ..
        } = account
            && let Some(most) = size(*concurrency)
        {
            let limits = AccountLimits {
                concurrency: most.get(),
            };
            collector = collector.limit(name, limits);
        }
    }
    collector
}
