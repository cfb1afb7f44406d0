//! What a schema cannot say of the accounts of metric stores.

use std::collections::HashSet;
use std::path::Path as FilePath;
use std::time::Duration;

use super::super::accounts::{AccountAuthWire, AccountWire};
use super::Rules;
use crate::config::node::shorten;
use crate::config::path::Path;
use crate::config::problems::Problem;

impl Rules {
    pub(super) fn accounts(&mut self, accounts: &[AccountWire], folder: &FilePath) {
        let mut seen = HashSet::new();
        for (index, account) in accounts.iter().enumerate() {
            let path = Path::root().key("accounts").index(index);
            if account.name().trim().is_empty() {
                self.problems
                    .push(Problem::new(path.key("name"), "an empty text", "a name"));
            } else if !seen.insert(account.name()) {
                let found = format!("the name `{}` a second time", shorten(account.name(), 40));
                self.problems.push(Problem::new(
                    path.key("name"),
                    found,
                    "a name of its own for each account",
                ));
            }
            self.account(account, &path, folder);
        }
    }

    fn account(&mut self, account: &AccountWire, path: &Path, folder: &FilePath) {
        match account {
            AccountWire::Files { name: _, folder } => {
                if folder.trim().is_empty() {
                    let problem = Problem::new(path.key("folder"), "an empty text", "a folder");
                    self.problems.push(problem);
                }
            }
            AccountWire::Scrape {
                name: _,
                instances,
                instances_from_requests,
            } => {
                let any = instances
                    .as_ref()
                    .is_some_and(|instances| !instances.is_empty());
                if !any && !instances_from_requests.unwrap_or_default() {
                    self.problems.push(Problem::new(
                        path.key("instances"),
                        "no instances",
                        "a list for each scope, or `instancesFromRequests: true`",
                    ));
                }
            }
            AccountWire::Prometheus {
                name: _,
                base_url,
                auth,
                tls,
                headers,
                scope_label: _,
                timeout,
                connect_timeout,
                concurrency: _,
                requests_per_second: _,
                response_bytes: _,
                series: _,
                settle,
                on_warning: _,
            } => {
                self.url(base_url, &path.key("baseUrl"));
                let least = Duration::from_secs(1);
                let second = Duration::from_secs(1);
                self.time(timeout.as_ref(), &path.key("timeout"), second, least);
                self.time(
                    connect_timeout.as_ref(),
                    &path.key("connectTimeout"),
                    second,
                    least,
                );
                self.time(settle.as_ref(), &path.key("settle"), second, Duration::ZERO);
                let auth_path = path.key("auth");
                match auth {
                    Some(AccountAuthWire::Basic {
                        username: _,
                        password,
                    }) => {
                        self.secret(password, folder, &auth_path.key("password"));
                    }
                    Some(AccountAuthWire::Bearer { token }) => {
                        self.secret(token, folder, &auth_path.key("token"));
                    }
                    Some(AccountAuthWire::UsernamePasswordFile { file: _ }) | None => {}
                }
                for (header, secret) in headers.iter().flatten() {
                    self.secret(secret, folder, &path.key("headers").key(header.as_str()));
                }
                let tls = tls.clone().unwrap_or_default();
                if tls.cert_file.is_some() != tls.key_file.is_some() {
                    self.problems.push(Problem::new(
                        path.key("tls"),
                        "one of `certFile` and `keyFile`",
                        "both or none",
                    ));
                }
            }
        }
    }

    /// Never shows the address: it may hold a password.
    fn url(&mut self, url: &str, path: &Path) {
        let rest = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        let example = "an address such as `https://prometheus.example.com/prefix`";
        let found = match rest {
            None => "no `http://` or `https://` at its beginning",
            Some(rest) if rest.split('/').next().is_none_or(str::is_empty) => "no host",
            Some(rest)
                if rest
                    .split('/')
                    .next()
                    .is_some_and(|host| host.contains('@')) =>
            {
                let hint = "put user and password under `auth`, where they are kept out of logs and errors";
                let problem =
                    Problem::new(path.clone(), "a user or password in the address", example);
                self.problems.push(problem.hint(hint));
                return;
            }
            Some(rest) if rest.contains(['?', '#']) => "a query or fragment",
            Some(_) => return,
        };
        self.problems
            .push(Problem::new(path.clone(), found, example));
    }
}
