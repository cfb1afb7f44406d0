//! Where something is released.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use super::{MINUTE_MS, Rules, SECOND_MS};
use crate::config::node::shorten;
use crate::config::path::Path;
use crate::config::problems::Problem;
use crate::config::release::Overrides;
use crate::config::release::spec::Target;
use crate::config::release::wire::{HealthWire, ProcessWire, TargetWire};
use crate::model::release::cluster::{Place, Role};
use crate::model::release::names::ClusterName;
use crate::model::release::process::{HealthCheck, ProcessTemplate};

/// Longest name of an account, a location or a target.
const MOST_NAME_BYTES: usize = 128;

impl Rules {
    pub(super) fn targets(
        &mut self,
        application: &str,
        mut targets: Vec<TargetWire>,
        overrides: &Overrides,
    ) -> Vec<Target> {
        self.few(&mut targets, Path::root().key("targets"), 100);
        let mut names: HashMap<String, usize> = HashMap::new();
        let mut places: HashMap<Place, usize> = HashMap::new();
        // A cluster may be wrong for the application alone, which is said once.
        if let Err(error) = ClusterName::of(application, None, None) {
            let path = Path::root().key("application");
            self.problem(Problem::new(path, error.why, ""));
            return Vec::new();
        }
        let mut read = Vec::new();
        for (index, target) in targets.into_iter().enumerate() {
            let path = Path::root().key("targets").index(index);
            let Some(target) = self.target(application, target, &path, overrides) else {
                continue;
            };
            let first = *names.entry(target.name.clone()).or_insert(index);
            if first != index {
                let found = format!(
                    "the name `{}`, which targets[{first}] has too",
                    shorten(&target.name, 40)
                );
                let problem = Problem::new(path.key("name"), found, "a name of its own");
                self.problem(problem.hint("a target without `name` is called as its location"));
            }
            let first = *places.entry(target.place.clone()).or_insert(index);
            if first != index {
                let found = format!("{}, where targets[{first}] is too", target.place);
                let expected = "another account, location, stack or detail";
                self.problem(Problem::new(path, found, expected));
            }
            read.push(target);
        }
        read
    }

    fn target(
        &mut self,
        application: &str,
        wire: TargetWire,
        path: &Path,
        overrides: &Overrides,
    ) -> Option<Target> {
        let account = wire.account.unwrap_or_else(|| "local".to_owned());
        let location = wire.location.unwrap_or_else(|| "local".to_owned());
        let name = wire.name.unwrap_or_else(|| location.clone());
        for (text, key) in [
            (&account, "account"),
            (&location, "location"),
            (&name, "name"),
        ] {
            self.plain(text, path.key(key), MOST_NAME_BYTES);
        }
        let router = wire.router;
        let router = router.map(|router| self.router(router, path.key("router")));
        let template = wire.process.map(|process| {
            let process = self.process(process, &path.key("process"), overrides);
            process.to_template()
        });
        let (stack, detail) = (wire.stack.as_deref(), wire.detail.as_deref());
        let cluster = match cluster(application, stack, detail) {
            Ok(cluster) => cluster,
            Err(why) => {
                let key = match (stack, detail) {
                    (_, Some(_)) => path.key("detail"),
                    (Some(_), None) => path.key("stack"),
                    (None, None) => Path::root().key("application"),
                };
                self.problem(Problem::new(key, why, ""));
                return None;
            }
        };
        Some(Target {
            name,
            place: Place {
                account,
                location,
                cluster,
            },
            template,
            size: wire.size,
            router,
        })
    }

    /// The address where the proxy listens, in numbers.
    fn router(&mut self, text: String, path: Path) -> String {
        let local = text.strip_prefix("localhost:");
        let numbers = local.map_or_else(|| text.clone(), |port| format!("127.0.0.1:{port}"));
        match numbers.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => numbers,
            Ok(address) => {
                let found = format!("the address `{}`", shorten(&text, 60));
                let expected = format!(
                    "an address of this machine alone, such as `127.0.0.1:{}`",
                    address.port()
                );
                let problem = Problem::new(path, found, expected);
                self.problem(problem.hint("the proxy asks nobody who they are, and would be open to other machines; put a web server in front of it where they need it"));
                text
            }
            Err(_) => {
                let expected = "an address with a port, such as `127.0.0.1:8080`";
                self.wrong(path, &text, expected);
                text
            }
        }
    }

    fn process(
        &mut self,
        wire: ProcessWire,
        path: &Path,
        overrides: &Overrides,
    ) -> ProcessTemplate {
        let mut command = wire.command;
        let environment = wire.environment.unwrap_or_default();
        let command_path = path.key("command");
        if let Some(program) = command.first_mut() {
            if program.trim().is_empty() {
                let problem = Problem::new(command_path.index(0), "an empty text", "a program");
                self.problem(problem);
            }
            *program = overrides.in_folder(program);
        }
        for (index, word) in command.iter().enumerate() {
            self.no_nul(word, command_path.index(index));
        }
        self.environment(&environment, &path.key("environment"));
        let takes_port = command
            .iter()
            .chain(environment.values())
            .any(|text| text.contains("{port}"));
        if !takes_port && !command.is_empty() {
            let found = "no `{port}` in `command` and `environment`";
            let expected = "the place where the instance is told its port";
            let problem = Problem::new(command_path, found, expected);
            self.problem(problem.hint("write it as the program wants it, such as `[\"{artifact}\", \"--port\", \"{port}\"]`, or `environment: {PORT: \"{port}\"}`"));
        }
        let health = wire.health.unwrap_or_default();
        if let Some(metrics) = &wire.metrics {
            self.web_path(metrics, path.key("metrics"), "/metrics");
        }
        ProcessTemplate {
            command,
            environment,
            health: self.health(health, &path.key("health")),
            metrics: wire.metrics,
            stop_grace_ms: self.time(wire.grace.as_ref(), path.key("grace"), 10 * SECOND_MS, 0),
        }
    }

    fn environment(&mut self, environment: &BTreeMap<String, String>, path: &Path) {
        for (name, value) in environment {
            if name.is_empty() || name.contains(['=', '\0']) {
                let found = format!("a variable named `{}`", shorten(name, 40));
                let problem = Problem::new(path.key(name.as_str()), found, "a name without `=`");
                self.problem(problem);
            }
            self.no_nul(value, path.key(name.as_str()));
        }
    }

    /// No process can be started with such a text.
    fn no_nul(&mut self, text: &str, path: Path) {
        if text.contains('\0') {
            self.problem(Problem::new(
                path,
                "a text with a NUL character",
                "text without it",
            ));
        }
    }

    fn health(&mut self, wire: HealthWire, path: &Path) -> HealthCheck {
        let default = HealthCheck::default();
        if let Some(asked) = &wire.path {
            self.web_path(asked, path.key("path"), &default.path);
        }
        let mut time = |text, key, default_ms| {
            let least_ms = 10;
            let ms = self.time(text, path.key(key), default_ms, least_ms);
            if ms > 10 * MINUTE_MS {
                let found = format!("`{}`", super::super::brief(ms));
                self.problem(Problem::new(path.key(key), found, "at most `10m`"));
            }
            ms
        };
        HealthCheck {
            interval_ms: time(wire.interval.as_ref(), "interval", default.interval_ms),
            timeout_ms: time(wire.timeout.as_ref(), "timeout", default.timeout_ms),
            path: wire.path.unwrap_or(default.path),
        }
    }

    fn web_path(&mut self, text: &str, path: Path, example: &str) {
        let odd = |c: char| c.is_whitespace() || c.is_control() || c == '#';
        if !text.starts_with('/') || text.contains(odd) {
            let expected = format!("a path that begins with `/`, such as `{example}`");
            self.wrong(path, text, &expected);
        }
    }
}

/// The cluster of production, if those of baseline and canary have names too.
fn cluster(
    application: &str,
    stack: Option<&str>,
    detail: Option<&str>,
) -> Result<ClusterName, String> {
    let cluster = ClusterName::of(application, stack, detail).map_err(|error| error.to_string())?;
    for role in [Role::Baseline, Role::Canary] {
        let named = cluster.with_detail(role.word());
        named.map_err(|error| error.to_string())?;
    }
    Ok(cluster)
}
