//! Release specs: from text to a checked value, or to all problems at once.
//!
//! Nothing here reads a file, a clock or the environment: who loads a spec hands over how the canary config that it names is
//! read, and what the command line says in its place.

mod read;
mod rules;
pub mod share;
pub mod spec;
mod warnings;
pub mod wire;

use std::path::PathBuf;
use std::sync::LazyLock;

use super::node::{Node, Value};
use super::path::{Path, Segment};
use super::problems::{Findings, Problem, Problems, Warning};
use super::shape::{Reading, Schema};
use spec::ReleaseSpec;
use wire::SpecWire;

/// Reads the file that a spec names, by its path as it is written there; an error is one sentence for people.
pub type Reader<'r> = dyn Fn(&str) -> Result<String, String> + 'r;

/// What the command line says in place of the spec.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    /// The artifact's version.
    pub version: Option<String>,
    /// The artifact's reference, which no folder is put before.
    pub artifact: Option<String>,
    /// The spec's folder, which paths of programs that begin with `./` or `../` start from; where absent they stay as they are.
    pub folder: Option<PathBuf>,
}

impl Overrides {
    /// A path of the spec as it is meant.
    fn in_folder(&self, path: &str) -> String {
        match &self.folder {
            Some(folder) if path.starts_with("./") || path.starts_with("../") => {
                let path = path.strip_prefix("./").unwrap_or(path);
                folder.join(path).to_string_lossy().into_owned()
            }
            Some(_) | None => path.to_owned(),
        }
    }
}

/// A spec that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The spec.
    pub spec: ReleaseSpec,
    /// What is allowed but surely not meant, in the order of the text; of the canary config too.
    pub warnings: Vec<Warning>,
}

/// A text that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedFile {
    /// The canary config's path as the spec has it; `None` for the spec itself.
    pub name: Option<String>,
    /// The text.
    pub text: String,
    /// All that is wrong with it.
    pub problems: Problems,
}

/// A spec that is refused, for itself or for its canary config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The spec, if anything is wrong with it, then its canary config; at least one of them.
    pub files: Vec<RefusedFile>,
}

/// The JSON Schema of a release spec.
#[must_use]
pub fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::of::<SpecWire>);
    &SCHEMA
}

/// Reads a release spec from JSON or YAML.
///
/// # Errors
/// All problems at once, those of the canary config too. A text that cannot be parsed has one.
pub fn load(
    text: &str,
    reader: &Reader<'_>,
    overrides: &Overrides,
) -> Result<Loaded, Box<Refused>> {
    read_whole(text, reader, overrides, false)
}

/// Checks a release spec whose artifact may be absent, since it can be given when the release is started. The artifact of the
/// outcome may be a stand-in: it must not be released.
///
/// # Errors
/// As [`load`].
pub fn check(text: &str, reader: &Reader<'_>) -> Result<Loaded, Box<Refused>> {
    read_whole(text, reader, &Overrides::default(), true)
}

/// Whether a text seems to be meant as a release spec: a map with our version, and an application or targets.
#[must_use]
pub fn looks_like(text: &str) -> bool {
    let Ok(parsed) = Node::read(text) else {
        return false;
    };
    let Value::Map(entries) = &parsed.node.value else {
        return false;
    };
    let has = |key: &str| entries.iter().any(|entry| entry.key == key);
    has("version") && (has("application") || has("targets")) && !has("metrics")
}

fn read_whole(
    text: &str,
    reader: &Reader<'_>,
    overrides: &Overrides,
    artifact_later: bool,
) -> Result<Loaded, Box<Refused>> {
    let own = |problems| RefusedFile {
        name: None,
        text: text.to_owned(),
        problems,
    };
    let alone = |file| Box::new(Refused { files: vec![file] });
    let mut findings = Findings::default();
    let node = parse(text, &mut findings).map_err(|problems| alone(own(problems)))?;
    let value = schema().read(&node, Reading::Strict, &mut findings);
    let wire = serde_json::from_value(value).unwrap_or_else(|error| {
        findings.problem(Problem::new(Path::root(), error.to_string(), ""));
        SpecWire::default()
    });

    let given = wire.analysis.as_ref().and_then(|it| it.config.as_ref());
    let config = given.map(|given| read::config(given, &node, reader, &mut findings));
    let (config, refused_config) = match config {
        Some(Ok(config)) => (config, None),
        Some(Err(refused)) => (None, Some(refused)),
        None => (None, None),
    };
    let mut told_by_config = Vec::new();
    let config = config.map(|mut config| {
        told_by_config = std::mem::take(&mut config.warnings);
        config
    });

    let outcome = rules::spec(wire, config, overrides, artifact_later);
    let shape = findings.problems;
    let news = outcome
        .problems
        .into_iter()
        .filter(|problem| !follows(&problem.path, &shape))
        .filter(|problem| !findings.mislaid.contains_key(&problem.path));
    let mut problems: Vec<Problem> = shape.iter().cloned().chain(news).collect();
    for problem in &mut problems {
        let place = || Some(problem.path.nearest(&node).position);
        problem.position = problem.position.or_else(place);
    }
    problems.sort_by_key(|problem| problem.position);
    problems.truncate(Findings::MOST);
    let refused: Vec<RefusedFile> = Problems::new(problems)
        .map(own)
        .into_iter()
        .chain(refused_config)
        .collect();
    if !refused.is_empty() {
        return Err(Box::new(Refused { files: refused }));
    }

    let mut warnings = warnings::all(&outcome.spec);
    warnings.extend(told_by_config);
    for warning in &mut warnings {
        let place = || Some(warning.path.nearest(&node).position);
        warning.position = warning.position.or_else(place);
    }
    warnings.sort_by_key(|warning| warning.position);
    Ok(Loaded {
        spec: outcome.spec,
        warnings,
    })
}

/// The text as a tree. What the tree cannot hold is among `findings`.
fn parse(text: &str, findings: &mut Findings) -> Result<Node, Problems> {
    let parsed = Node::read(text)?;
    for problem in parsed.repeated {
        findings.problem(problem);
    }
    for problem in parsed.broken {
        let path = problem.path.clone();
        findings.problem(problem);
        findings.broken.insert(path);
    }
    let node = parsed.node;
    if matches!(node.value, Value::Map(_)) {
        return Ok(node);
    }
    let problem = Problem::new(Path::root(), node.to_string(), "a map of keys and values");
    Err(problem.at(node.position).into())
}

/// Whether a broken rule at `path` follows from a part that was left out for its shape, or may speak of another place: an item
/// that was left out moves those behind it.
fn follows(path: &Path, shape: &[Problem]) -> bool {
    shape.iter().any(|known| {
        let known = &known.path;
        let left_out_of = match known.segments().last() {
            Some(Segment::Index(_)) => known.parent(),
            Some(Segment::Key(key)) if key == "type" => known.parent().and_then(|it| it.parent()),
            Some(Segment::Key(_)) | None => None,
        };
        known == path
            || known.is_within(path)
            || left_out_of.is_some_and(|list| !list.is_root() && path.is_within(&list))
    })
}

/// A time in milliseconds as a spec has it: `90s` is `1m30s`.
pub(crate) fn brief(ms: u64) -> String {
    const UNITS: [(&str, u64); 5] = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    let mut rest = ms;
    let mut text = String::new();
    for (unit, size) in UNITS {
        if rest >= size {
            text += &format!("{}{unit}", rest / size);
            rest %= size;
        }
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

/// Loads `data` as a release spec; the body of the fuzz target `release_spec`. Files that it names hold nothing.
///
/// # Panics
/// Where a promise of [`load`] is broken: a spec that was loaded must, written as JSON and read back, be the same value.
pub fn fuzz_load(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let reader = |_: &str| Err("no such file".to_owned());
    let _ = looks_like(&text);
    match load(&text, &reader, &Overrides::default()) {
        Ok(loaded) => {
            let written = serde_json::to_string(&loaded.spec).unwrap_or_default();
            let again = serde_json::from_str::<ReleaseSpec>(&written);
            assert!(
                again.as_ref().is_ok_and(|again| *again == loaded.spec),
                "`{written}` reads back as {again:?}"
            );
        }
        Err(refused) => {
            for file in &refused.files {
                let _ = file
                    .problems
                    .render("fuzz", &file.text, &super::problems::plain);
            }
        }
    }
}
