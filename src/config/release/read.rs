//! Reads the canary config that a release spec names or holds.

use coalmine_judges::config::Thresholds;
use serde_json::Value as Json;

use super::wire::ConfigWire;
use super::{Reader, RefusedFile};
use crate::config::canary::{self, CanaryConfig, Strictness, wire};
use crate::config::node::{Node, Value};
use crate::config::path::Path;
use crate::config::problems::{Findings, Problem, Warning};

/// A canary config, as a spec keeps it.
#[derive(Debug, Default)]
pub(super) struct ReadConfig {
    pub(super) wire: wire::CanaryConfig,
    /// Its own thresholds, if it has any.
    pub(super) thresholds: Option<Thresholds>,
    /// What is allowed in it but surely not meant.
    pub(super) warnings: Vec<Warning>,
}

impl ReadConfig {
    fn of(config: &CanaryConfig, warnings: Vec<Warning>) -> Self {
        Self {
            wire: config.wire().clone(),
            thresholds: config.score_thresholds(),
            warnings,
        }
    }
}

/// Where it stands in the spec.
pub(super) fn path() -> Path {
    Path::root().key("analysis").key("config")
}

/// Reads it. What is wrong with one that stands in the spec `node` itself is told like everything else of the spec; a file has
/// its problems for itself.
pub(super) fn config(
    given: &ConfigWire,
    node: &Node,
    reader: &Reader<'_>,
    findings: &mut Findings,
) -> Result<Option<ReadConfig>, RefusedFile> {
    match &given.0 {
        Json::String(file) => from_file(file, reader, findings),
        Json::Object(_) => Ok(from_spec(node, findings)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) => {
            let found = path().nearest(node).to_string();
            let expected = "the path of a canary config, or the config itself";
            findings.problem(Problem::new(path(), found, expected));
            Ok(None)
        }
    }
}

fn from_file(
    file: &str,
    reader: &Reader<'_>,
    findings: &mut Findings,
) -> Result<Option<ReadConfig>, RefusedFile> {
    if file.trim().is_empty() {
        findings.problem(Problem::new(
            path(),
            "an empty text",
            "the path of a canary config",
        ));
        return Ok(None);
    }
    let text = match reader(file) {
        Ok(text) => text,
        Err(why) => {
            findings.problem(Problem::new(path(), why, ""));
            return Ok(None);
        }
    };
    match canary::load(&text, Strictness::Strict) {
        Ok(config) => {
            let warnings = config.warnings().iter().map(|warning| Warning {
                path: path(),
                message: format!("`{file}`: {warning}"),
                position: None,
            });
            Ok(Some(ReadConfig::of(&config, warnings.collect())))
        }
        Err(problems) => Err(RefusedFile {
            name: Some(file.to_owned()),
            text,
            problems,
        }),
    }
}

fn from_spec(node: &Node, findings: &mut Findings) -> Option<ReadConfig> {
    let config = path().nearest(node);
    // Something else stands there only if the walk and the path disagree, which is no config either.
    if !matches!(config.value, Value::Map(_)) {
        return None;
    }
    match canary::of_node(config) {
        Ok(config) => {
            let warnings = config.warnings().iter().map(|warning| Warning {
                path: warning.path.below(&path()),
                ..warning.clone()
            });
            Some(ReadConfig::of(&config, warnings.collect()))
        }
        Err(problems) => {
            for problem in problems.iter() {
                findings.problem(Problem {
                    path: problem.path.below(&path()),
                    ..problem.clone()
                });
            }
            None
        }
    }
}
