//! What a schema cannot say of a server config, and the defaults.

mod accounts;
mod deployments;
mod notify;

use std::net::SocketAddr;
use std::path::Path as FilePath;
use std::time::Duration;

use super::duration::{self, DurationText};
use super::environment::{self, Overlaid};
use super::host;
use super::secret::{SecretPlace, SecretWire};
use super::wire::ServerWire;
use super::{Collect, Judging, Limits, ServerConfig, Worker};
use crate::config::node::shorten;
use crate::config::path::Path;
use crate::config::problems::Problem;

/// Checks and fills in.
struct Rules {
    problems: Vec<Problem>,
    overlaid: Overlaid,
}

/// The config that `wire` and the environment make.
pub(super) fn config(
    mut wire: ServerWire,
    folder: &FilePath,
    variables: &[(String, String)],
) -> Result<ServerConfig, Vec<Problem>> {
    let mut overlaid = environment::overlay(&mut wire, variables);
    let mut rules = Rules {
        problems: std::mem::take(&mut overlaid.problems),
        overlaid,
    };
    let listen = rules.listen(wire.listen.as_deref());
    let token = wire.auth.unwrap_or_default().token;
    let token = token.and_then(|token| rules.secret(&token, folder, &rules.path("auth.token")));
    rules.reachable(listen, token.is_some());
    let retention = wire.retention.unwrap_or_default();
    let worker = wire.worker.unwrap_or_default();
    let limits = wire.limits.unwrap_or_default();
    let judging = wire.judging.unwrap_or_default();
    let collect = wire.collect.unwrap_or_default();
    let health = wire.health.unwrap_or_default();
    let logging = wire.logging.unwrap_or_default();
    let accounts = wire.accounts.unwrap_or_default();
    rules.accounts(&accounts, folder);
    let at = |keys: &[&str]| keys.iter().fold(Path::root(), |path, key| path.key(*key));
    let least = Duration::from_secs(1);
    let answer_deadline = rules.time(
        collect.answer_deadline.as_ref(),
        &at(&["collect", "answerDeadline"]),
        Duration::from_secs(60),
        least,
    );
    let vain = super::accounts::vain_timeouts(&accounts, answer_deadline);
    rules.overlaid.warnings.extend(vain);
    let config = ServerConfig {
        listen,
        token,
        allowed_hosts: rules.hosts(wire.allowed_hosts),
        allowed_origins: rules.origins(wire.allowed_origins),
        data_dir: wire.data_dir.map(|dir| {
            let from_variable = environment::is_variable(&rules.path("dataDir"));
            if from_variable {
                dir.into()
            } else {
                folder.join(dir)
            }
        }),
        keep_finished: rules.keep(retention.keep_finished.as_deref()),
        worker: Worker {
            concurrency: worker.concurrency.unwrap_or(16),
            lease: rules.time(
                worker.lease.as_ref(),
                &at(&["worker", "lease"]),
                Duration::from_secs(30),
                least,
            ),
        },
        limits: Limits {
            body_bytes: size(limits.body_bytes, 10 * 1024 * 1024),
            request_time: rules.time(
                limits.request_time.as_ref(),
                &at(&["limits", "requestTime"]),
                Duration::from_secs(30),
                least,
            ),
            header_time: rules.time(
                limits.header_time.as_ref(),
                &at(&["limits", "headerTime"]),
                Duration::from_secs(10),
                Duration::from_millis(100),
            ),
            write_time: rules.time(
                limits.write_time.as_ref(),
                &at(&["limits", "writeTime"]),
                Duration::from_secs(30),
                Duration::from_millis(100),
            ),
            concurrent_requests: size(limits.concurrent_requests, 256),
            connections: size(limits.connections, 1024),
            event_streams: size(limits.event_streams, 256),
            unfinished_executions: limits.unfinished_executions.unwrap_or(10_000),
        },
        judging: Judging {
            allow_same_scopes: judging.allow_same_scopes.unwrap_or_default(),
            safe_scores: judging.safe_scores.unwrap_or_default(),
            remote_judge: rules.judge(judging.remote_judge),
        },
        collect: Collect {
            deadline: rules.time(
                collect.deadline.as_ref(),
                &at(&["collect", "deadline"]),
                Duration::from_secs(600),
                least,
            ),
            metric_deadline: rules.time(
                collect.metric_deadline.as_ref(),
                &at(&["collect", "metricDeadline"]),
                Duration::from_secs(300),
                least,
            ),
            answer_deadline,
            tries: u32::try_from(collect.tries.unwrap_or(100)).unwrap_or(u32::MAX),
            cache: rules.time(
                collect.cache.as_ref(),
                &at(&["collect", "cache"]),
                Duration::from_secs(600),
                Duration::ZERO,
            ),
            settle: rules.time(
                collect.settle.as_ref(),
                &at(&["collect", "settle"]),
                Duration::from_secs(300),
                Duration::ZERO,
            ),
        },
        accounts,
        default_deployments: wire.deployments.is_none(),
        deployments: rules.deployments(wire.deployments, folder),
        notify: rules.channels(wire.notify.unwrap_or_default(), folder),
        storage_accounts: wire
            .storage_accounts
            .unwrap_or_else(|| vec!["coalmine".to_owned()]),
        folder: folder.to_path_buf(),
        health_counts_accounts: health.accounts.unwrap_or_default(),
        health_every: rules.time(
            health.every.as_ref(),
            &at(&["health", "every"]),
            Duration::from_secs(10),
            least,
        ),
        log_format: logging.format.unwrap_or_default(),
        log_level: logging.level.unwrap_or_default(),
        shutdown_grace: rules.time(
            wire.shutdown_grace.as_ref(),
            &at(&["shutdownGrace"]),
            Duration::from_secs(20),
            Duration::ZERO,
        ),
        warnings: std::mem::take(&mut rules.overlaid.warnings),
    };
    if rules.problems.is_empty() {
        Ok(config)
    } else {
        Err(rules.problems)
    }
}

fn size(number: Option<u64>, default: usize) -> usize {
    number.map_or(default, |number| {
        usize::try_from(number).unwrap_or(usize::MAX)
    })
}

impl Rules {
    fn wrong(&mut self, path: Path, found: &str, expected: &str) {
        let found = format!("text `{}`", shorten(found, 40));
        self.problems.push(Problem::new(path, found, expected));
    }

    /// The path of a key, or of the variable that was set in its place.
    fn path(&self, key: &str) -> Path {
        let set = self.overlaid.set.iter().rev();
        match set
            .into_iter()
            .find(|variable| variable.key.starts_with(key))
        {
            Some(variable) => environment::path(variable.name),
            None => key.split('.').fold(Path::root(), |path, key| path.key(key)),
        }
    }

    fn listen(&mut self, text: Option<&str>) -> SocketAddr {
        let Some(text) = text else {
            return ServerConfig::default_listen();
        };
        match parse_listen(text) {
            Some(address) => address,
            None => {
                let path = self.path("listen");
                self.wrong(
                    path,
                    text,
                    "an address with a port, such as `127.0.0.1:8090`, `0.0.0.0:8090` or `[::1]:8090`",
                );
                ServerConfig::default_listen()
            }
        }
    }

    /// What other machines can reach must ask who they are.
    fn reachable(&mut self, listen: SocketAddr, has_token: bool) {
        if let Some(problem) = open_to_all(listen, has_token, self.path("listen")) {
            // A token that is written wrongly is told of already.
            if !self
                .problems
                .iter()
                .any(|known| known.path == self.path("auth.token"))
            {
                self.problems.push(problem);
            }
        }
    }

    fn secret(
        &mut self,
        secret: &SecretWire,
        folder: &FilePath,
        path: &Path,
    ) -> Option<SecretPlace> {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        match (filled(&secret.file), filled(&secret.env)) {
            (Some(file), None) => {
                let from_variable = environment::is_variable(path);
                let file = if from_variable {
                    file.into()
                } else {
                    folder.join(file)
                };
                Some(SecretPlace::File(file))
            }
            (None, Some(name)) => Some(SecretPlace::Environment(name)),
            (Some(_), Some(_)) => {
                self.problems.push(Problem::new(
                    path.clone(),
                    "both `file` and `env`",
                    "one of them",
                ));
                None
            }
            (None, None) => {
                self.problems.push(Problem::new(
                    path.clone(),
                    "neither `file` nor `env`",
                    "`{file: PATH}` or `{env: NAME}`",
                ));
                None
            }
        }
    }

    fn hosts(&mut self, hosts: Option<Vec<String>>) -> Vec<String> {
        let path = self.path("allowedHosts");
        let mut allowed = Vec::new();
        for (index, host) in hosts.unwrap_or_default().into_iter().enumerate() {
            if let Some(name) = host::configured(&host) {
                allowed.push(name);
            } else {
                let path = if environment::is_variable(&path) {
                    path.clone()
                } else {
                    path.index(index)
                };
                self.wrong(
                    path,
                    &host,
                    "a name or address without scheme, port and path, such as `canary.example.com` or `[2001:db8::1]`",
                );
            }
        }
        allowed
    }

    fn origins(&mut self, origins: Option<Vec<String>>) -> Vec<String> {
        let path = self.path("allowedOrigins");
        let mut allowed = Vec::new();
        for (index, origin) in origins.unwrap_or_default().into_iter().enumerate() {
            let origin = origin.to_lowercase();
            let rest = origin
                .strip_prefix("https://")
                .or_else(|| origin.strip_prefix("http://"));
            if rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['/', '@', ' ', '*'])) {
                allowed.push(origin);
            } else {
                let path = if environment::is_variable(&path) {
                    path.clone()
                } else {
                    path.index(index)
                };
                self.wrong(
                    path,
                    &origin,
                    "scheme, name and port without path, such as `https://ui.example.com`",
                );
            }
        }
        allowed
    }

    fn keep(&mut self, text: Option<&str>) -> Option<Duration> {
        let default = Duration::from_secs(90 * 86_400);
        match text {
            None => Some(default),
            Some("forever") => None,
            Some(text) => {
                let parsed = duration::parse(text);
                if parsed.is_none() {
                    let path = self.path("retention.keepFinished");
                    let expected = format!("{}, or `forever`", duration::EXPECTED);
                    self.wrong(path, text, &expected);
                }
                parsed.or(Some(default))
            }
        }
    }

    fn time(
        &mut self,
        text: Option<&DurationText>,
        path: &Path,
        default: Duration,
        least: Duration,
    ) -> Duration {
        let Some(DurationText(text)) = text else {
            return default;
        };
        match duration::parse(text) {
            Some(time) if time >= least => time,
            Some(_) => {
                let expected = format!("at least {} ms", least.as_millis());
                self.wrong(path.clone(), text, &expected);
                default
            }
            None => {
                self.wrong(path.clone(), text, duration::EXPECTED);
                default
            }
        }
    }

    fn judge(&mut self, name: Option<String>) -> Option<String> {
        let known = coalmine_judges::judges::NAMES;
        let name = name?;
        if known.contains(&name.as_str()) {
            return Some(name);
        }
        let path = Path::root().key("judging").key("remoteJudge");
        let problem = Problem::new(
            path,
            format!("unknown value `{}`", shorten(&name, 40)),
            crate::config::shape::list(&known),
        );
        self.problems.push(problem.did_you_mean(&name, known));
        None
    }
}

/// The address that `text` names: digits, or `localhost`, with a port.
pub(super) fn parse_listen(text: &str) -> Option<SocketAddr> {
    let text = text.trim();
    if let Some(port) = text.strip_prefix("localhost:") {
        let port = port.parse().ok()?;
        return Some(SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, port)));
    }
    text.parse().ok()
}

/// The problem of an address that other machines can reach without a token.
pub(super) fn open_to_all(listen: SocketAddr, has_token: bool, path: Path) -> Option<Problem> {
    if listen.ip().to_canonical().is_loopback() || has_token {
        return None;
    }
    let found = format!("`{listen}`, which other machines can reach, and no token");
    let problem = Problem::new(path, found, "a loopback address, or `auth.token`");
    Some(problem.hint("write `auth: {token: {file: PATH}}`, or set COALMINE_TOKEN_FILE"))
}
