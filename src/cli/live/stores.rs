//! The metric store that is read: an account of the server config, or a Prometheus by its address alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::analysis::collect::{Collector, Listener};
use crate::cli::failure::Failure;
use crate::cli::{MakeCollector, serve};
use crate::config::server::accounts::AccountWire;
use crate::config::server::{self, ServerConfig};

/// One metric store. Nothing was sent yet.
pub(super) struct Store {
    name: String,
    /// With this account alone: what is wrong with others does not matter here.
    config: ServerConfig,
    /// Where the account stands, for errors.
    file: Option<PathBuf>,
}

impl Store {
    /// The account that is called `source` in the server config, or the Prometheus at `url`.
    ///
    /// # Errors
    /// No server config, one with errors, no such account, one that cannot be asked for a past window.
    pub(super) fn choose(
        source: Option<&str>,
        url: Option<&str>,
        config: Option<&Path>,
    ) -> Result<Self, Failure> {
        match (source, url) {
            (Some(source), _) => Self::account(source, config),
            (None, Some(url)) => Self::at(url),
            // The argument parser asks for one of them.
            (None, None) => Err(Failure::new("no metric store is named")),
        }
    }

    fn at(url: &str) -> Result<Self, Failure> {
        let name = host(url);
        let mut config =
            server::without_file(&[]).map_err(|refused| serve::refused("defaults", *refused))?;
        config.accounts = vec![AccountWire::Prometheus {
            name: name.clone(),
            base_url: url.to_owned(),
            auth: None,
            tls: None,
            headers: None,
            scope_label: None,
            timeout: None,
            connect_timeout: None,
            concurrency: None,
            requests_per_second: None,
            response_bytes: None,
            series: None,
            settle: None,
            on_warning: None,
        }];
        Ok(Self {
            name,
            config,
            file: None,
        })
    }

    fn account(wanted: &str, config: Option<&Path>) -> Result<Self, Failure> {
        let path = config
            .map(Path::to_path_buf)
            .or_else(serve::config_of_environment);
        let Some(path) = path else {
            return Err(Failure::new(format!(
                "no server config tells of the account `{wanted}`; expected `--server-config FILE` or the variable `{}`",
                serve::CONFIG_VARIABLE
            ))
            .hint("`--prometheus URL` reads from a Prometheus without any"));
        };
        let mut config = serve::read(&path, &serve::variables())?;
        let known: Vec<String> = config
            .accounts
            .iter()
            .map(|account| format!("`{}`", account.name()))
            .collect();
        config.accounts.retain(|account| account.name() == wanted);
        match config.accounts.first() {
            None => {
                let known = match known.as_slice() {
                    [] => "no account".to_owned(),
                    known => known.join(", "),
                };
                Err(Failure::new(format!(
                    "no account is called `{wanted}`; `{}` has {known}",
                    path.display()
                )))
            }
            Some(AccountWire::Scrape { .. }) => Err(Failure::new(format!(
                "the account `{wanted}` reads pages of instances, which know nothing of the past; expected a metric store or files"
            ))
            .hint("`coalmine serve` reads such pages while a canary runs")),
            Some(AccountWire::Files { .. } | AccountWire::Prometheus { .. }) => Ok(Self {
                name: wanted.to_owned(),
                config,
                file: Some(path),
            }),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a scope may be compared with itself.
    pub(super) fn allows_same(&self) -> bool {
        self.config.judging.allow_same_scopes
    }

    /// Waits no longer than `deadline` for everything.
    pub(super) fn within(&mut self, deadline: Duration) {
        let collect = &mut self.config.collect;
        collect.deadline = deadline;
        collect.metric_deadline = deadline;
        collect.answer_deadline = collect.answer_deadline.min(deadline);
    }

    /// What asks this store.
    ///
    /// # Errors
    /// An account that cannot be used, a secret that is not there.
    pub(super) fn collector(
        &self,
        make: MakeCollector,
        listener: Listener,
    ) -> Result<Collector, Failure> {
        let collector = make(&self.config).map_err(|error| {
            let mut failure = Failure::new(error.message);
            if let Some(file) = &self.file {
                failure = failure.detail(format!("in `{}`", file.display()));
            }
            match error.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })?;
        Ok(collector.listener(listener))
    }
}

/// Host and port of an address, without what may be a secret; it stands in reports.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if host.is_empty() { "prometheus" } else { host }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_named_by_its_host_and_never_by_a_secret() {
        for (url, name) in [
            ("http://localhost:9090", "localhost:9090"),
            ("https://metrics.example.com/prod/", "metrics.example.com"),
            ("https://user:secret@example.com/x", "example.com"),
            ("https://example.com?token=secret", "example.com"),
            ("", "prometheus"),
        ] {
            assert_eq!(host(url), name);
        }
    }
}
