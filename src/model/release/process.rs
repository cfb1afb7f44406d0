//! How an instance is run as a process of this machine: what a [`Template`] of a local place holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cluster::Template;

/// How an instance is run as a process.
///
/// In the words of `command` and in the values of `environment`, `{artifact}` stands for the artifact's reference, `{version}`
/// for its version, and `{port}` for the port of 127.0.0.1 that the instance shall listen on, which the driver chooses. Nothing
/// else in braces is replaced, and no shell looks at the words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProcessTemplate {
    /// The program and its arguments; at least the program.
    pub command: Vec<String>,
    /// Variables of its environment, beside those that the driver passes on.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// How it is asked whether it is well.
    #[serde(default)]
    pub health: HealthCheck,
    /// The path of its page of metrics, beginning with `/`; `None` where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<String>,
    /// From SIGTERM to SIGKILL, in milliseconds.
    #[serde(default = "default_stop_grace_ms")]
    pub stop_grace_ms: u64,
}

/// How an instance is asked whether it is well: it is up while a `GET` is answered by 2xx.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct HealthCheck {
    /// The path, beginning with `/`.
    pub path: String,
    /// From one question to the next, in milliseconds; more than 0.
    pub interval_ms: u64,
    /// The longest time for the answer, in milliseconds; more than 0.
    pub timeout_ms: u64,
}

impl Default for HealthCheck {
    /// `/health`, every second, answered within a second.
    fn default() -> Self {
        Self {
            path: "/health".to_owned(),
            interval_ms: 1_000,
            timeout_ms: 1_000,
        }
    }
}

/// As long as container platforms of small services are set to wait, and short enough for a person who looks on.
fn default_stop_grace_ms() -> u64 {
    10_000
}

/// The placeholders of a [`ProcessTemplate`].
pub const PLACEHOLDERS: [&str; 3] = ["artifact", "version", "port"];

impl ProcessTemplate {
    /// Reads a template of a local place.
    ///
    /// # Errors
    /// A value of another shape, in serde's words.
    pub fn of(template: &Template) -> Result<Self, serde_json::Error> {
        serde_json::from_value(template.0.clone())
    }

    /// The template that [`Self::of`] reads back.
    #[must_use]
    pub fn to_template(&self) -> Template {
        // Texts and whole numbers below text keys: nothing of it can fail to be JSON.
        Template(serde_json::to_value(self).unwrap_or_default())
    }

    /// `text` with the placeholders replaced, each once: what a value holds is not looked at again.
    #[must_use]
    pub fn fill(text: &str, artifact: &str, version: &str, port: u16) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            let (before, from_brace) = rest.split_at(start);
            filled.push_str(before);
            let name = PLACEHOLDERS.into_iter().find(|name| {
                let inner = from_brace.strip_prefix('{');
                inner
                    .and_then(|inner| inner.strip_prefix(name))
                    .is_some_and(|after| after.starts_with('}'))
            });
            let taken = name.map_or(1, |name| name.len() + 2);
            match name {
                Some("artifact") => filled.push_str(artifact),
                Some("version") => filled.push_str(version),
                Some(_) => filled.push_str(&port.to_string()),
                None => filled.push('{'),
            }
            rest = from_brace.get(taken..).unwrap_or_default();
        }
        filled.push_str(rest);
        filled
    }
}
