//! Variables of the environment that win over the server config.

use super::secret::SecretWire;
use super::wire::{
    AuthWire, LogFormat, LogLevel, LoggingWire, RetentionWire, ServerWire, WorkerWire,
};
use crate::config::path::Path;
use crate::config::problems::Problem;
use crate::config::shape::{list, nearest};

/// A variable that is read, and what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The key of the config that it stands for.
    pub key: &'static str,
}

/// The variables that are read. Beside them `COALMINE_CONFIG` names the config file.
pub const VARIABLES: [Variable; 10] = [
    Variable {
        name: "COALMINE_LISTEN",
        key: "listen",
    },
    Variable {
        name: "COALMINE_TOKEN",
        key: "auth.token.env",
    },
    Variable {
        name: "COALMINE_TOKEN_FILE",
        key: "auth.token.file",
    },
    Variable {
        name: "COALMINE_ALLOWED_HOSTS",
        key: "allowedHosts",
    },
    Variable {
        name: "COALMINE_ALLOWED_ORIGINS",
        key: "allowedOrigins",
    },
    Variable {
        name: "COALMINE_DATA_DIR",
        key: "dataDir",
    },
    Variable {
        name: "COALMINE_KEEP_FINISHED",
        key: "retention.keepFinished",
    },
    Variable {
        name: "COALMINE_CONCURRENCY",
        key: "worker.concurrency",
    },
    Variable {
        name: "COALMINE_LOG_FORMAT",
        key: "logging.format",
    },
    Variable {
        name: "COALMINE_LOG_LEVEL",
        key: "logging.level",
    },
];

/// Flags of the command line, which are handed over as variables and win over them.
const FLAGS: [Variable; 2] = [
    Variable {
        name: "--listen",
        key: "listen",
    },
    Variable {
        name: "--data-dir",
        key: "dataDir",
    },
];

/// Variables of ours that are not for the server.
const OTHERS: [&str; 2] = ["COALMINE_CONFIG", "COALMINE_WRITE"];

/// How all of ours begin.
const PREFIX: &str = "COALMINE_";

/// Whether a problem concerns a variable and not the text.
pub(super) fn is_variable(path: &Path) -> bool {
    path.last_key().is_some_and(is_ours)
}

fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX) || FLAGS.iter().any(|flag| flag.name == name)
}

/// The path under which problems of `name` are told.
pub(super) fn path(name: &str) -> Path {
    Path::root().key(name)
}

/// What came of the environment.
#[derive(Debug, Default)]
pub(super) struct Overlaid {
    /// What is wrong with it.
    pub(super) problems: Vec<Problem>,
    /// What is surely not meant.
    pub(super) warnings: Vec<String>,
    /// The variables that count, so that problems name them and not the key; the last one of a key won.
    pub(super) set: Vec<Variable>,
}

/// Lays the variables over `wire`. An empty one counts as absent.
pub(super) fn overlay(wire: &mut ServerWire, variables: &[(String, String)]) -> Overlaid {
    let mut overlaid = Overlaid::default();
    for (name, value) in variables {
        let value = value.trim();
        if value.is_empty() || !is_ours(name) {
            continue;
        }
        let known = VARIABLES
            .iter()
            .chain(&FLAGS)
            .find(|variable| variable.name == name);
        let Some(known) = known else {
            let near = nearest(name, VARIABLES.iter().map(|variable| variable.name));
            if let Some(near) = near.filter(|_| !OTHERS.contains(&name.as_str())) {
                overlaid.warnings.push(format!(
                    "the variable `{name}` is not read; did you mean `{near}`?"
                ));
            }
            continue;
        };
        overlaid.set.push(*known);
        match set(wire, known, value) {
            Ok(()) => {}
            Err(problem) => overlaid.problems.push(*problem),
        }
    }
    overlaid
}

fn set(wire: &mut ServerWire, variable: &Variable, value: &str) -> Result<(), Box<Problem>> {
    let text = || Some(value.to_owned());
    let items = || {
        Some(
            value
                .split(',')
                .map(|item| item.trim().to_owned())
                .collect(),
        )
    };
    let wrong = |expected: String| {
        let found = format!("text `{}`", crate::config::node::shorten(value, 40));
        Box::new(Problem::new(path(variable.name), found, expected))
    };
    match variable.key {
        "listen" => wire.listen = text(),
        "auth.token.env" => token(wire).env = Some(variable.name.to_owned()),
        "auth.token.file" => token(wire).file = text(),
        "allowedHosts" => wire.allowed_hosts = items(),
        "allowedOrigins" => wire.allowed_origins = items(),
        "dataDir" => wire.data_dir = text(),
        "retention.keepFinished" => {
            let retention = wire.retention.get_or_insert_with(RetentionWire::default);
            retention.keep_finished = text();
        }
        "worker.concurrency" => {
            let number = value
                .parse::<u64>()
                .ok()
                .filter(|number| (1..=1024).contains(number));
            let number = number.ok_or_else(|| wrong("a whole number from 1 to 1024".to_owned()))?;
            let worker = wire.worker.get_or_insert_with(WorkerWire::default);
            worker.concurrency = Some(number);
        }
        "logging.format" => {
            let format = word::<LogFormat>(value).ok_or_else(|| wrong(list(&["text", "json"])))?;
            wire.logging.get_or_insert_with(LoggingWire::default).format = Some(format);
        }
        "logging.level" => {
            let words = ["error", "warn", "info", "debug", "trace"];
            let level = word::<LogLevel>(value).ok_or_else(|| wrong(list(&words)))?;
            wire.logging.get_or_insert_with(LoggingWire::default).level = Some(level);
        }
        // A test holds that every key of the table is here.
        other => return Err(wrong(format!("a variable for `{other}`"))),
    }
    Ok(())
}

/// The place of the token, emptied: the environment names one, whatever the text says.
fn token(wire: &mut ServerWire) -> &mut SecretWire {
    let auth = wire.auth.get_or_insert_with(AuthWire::default);
    auth.token.insert(SecretWire::default())
}

fn word<T: serde::de::DeserializeOwned>(value: &str) -> Option<T> {
    serde_json::from_value(value.into()).ok()
}
