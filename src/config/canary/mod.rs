//! Canary configs: Kayenta's format, as JSON or YAML.

mod own;
mod parameters;
mod query;
mod rules;
mod store;
pub mod templates;
mod warnings;
pub mod wire;

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use coalmine_judges::config::{JudgeConfig, MetricSpec, Thresholds};

use super::node::{Node, Value};
use super::path::Path;
use super::problems::{Findings, Position, Problem, Problems, Warning};
use super::shape::{Reading, Schema};

pub use store::{StoreRefusal, validate_for_store};

/// Names of the judges that a config may ask for.
pub const JUDGE_NAMES: [&str; 4] = [
    "NetflixACAJudge-v1.0",
    "CoalmineJudge-v1",
    "dredd-v1.0",
    "RemoteJudge-v1.0",
];

/// Largest weight that is read, in percent and without its sign. Kayenta accepts any; sums of such are still exact enough to
/// be compared, and a larger one makes scores that are no numbers.
const MOST_WEIGHT: f64 = 1e6;

/// How a config is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// Unknown keys, unknown words and everything that cannot be meant are problems.
    #[default]
    Strict,
    /// As Kayenta reads: only what stops its judge is a problem, and weights that no judge can reckon with; what it passes
    /// over is listed. Of a key that stands twice the last one counts.
    Lenient,
}

/// A canary config that can be judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct CanaryConfig {
    wire: wire::CanaryConfig,
    judge_config: JudgeConfig,
    warnings: Vec<Warning>,
    ignored: Vec<String>,
}

impl CanaryConfig {
    /// The part that a judge reads.
    #[must_use]
    pub fn judge_config(&self) -> &JudgeConfig {
        &self.judge_config
    }

    /// The config as Kayenta's JSON has it: name, applications, queries, scopes and templates. Keys that are not known are
    /// gone, except below `analysisConfigurations`, which is kept as it was given.
    #[must_use]
    pub fn wire(&self) -> &wire::CanaryConfig {
        &self.wire
    }

    /// What is allowed but surely not meant, in the order of the text.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What a lenient reading passed over, and why; empty after a strict one.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The config's name, unless it is empty.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        filled(self.wire.name.as_ref())
    }

    /// The judge that the config asks for, unless its name is empty. After a lenient reading it may be any text, and
    /// the judges of this build need not include it.
    #[must_use]
    pub fn judge_name(&self) -> Option<&str> {
        filled(self.wire.judge.as_ref()?.name.as_ref())
    }

    /// The config's own thresholds, if it names at least one; the other one takes its default. After a strict reading both
    /// are in 0 to 100, and `marginal` is at most `pass`.
    #[must_use]
    pub fn score_thresholds(&self) -> Option<Thresholds> {
        let own = self.wire.classifier.as_ref()?.score_thresholds?;
        (own.pass.is_some() || own.marginal.is_some()).then(|| own.filled())
    }

    /// The config as indented JSON, which [`load`] reads back to the same value.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.wire).unwrap_or_default()
    }

    /// Whether `other` judges alike and is written alike; warnings and what was ignored do not count.
    #[must_use]
    pub fn same_value(&self, other: &Self) -> bool {
        self.wire == other.wire && self.judge_config == other.judge_config
    }
}

fn filled(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// The JSON Schema of a canary config, as [`Strictness::Strict`] holds texts against it.
#[must_use]
pub fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::of::<wire::CanaryConfig>);
    &SCHEMA
}

/// Reads a canary config from JSON or YAML, so that it can be judged by.
///
/// # Errors
/// All problems at once, in the order of the text. A text that cannot be parsed has one.
pub fn load(text: &str, strictness: Strictness) -> Result<CanaryConfig, Problems> {
    let mut findings = Findings::default();
    let node = parse(text, strictness, &mut findings)?;
    judged_by(&node, strictness, findings)
}

/// Reads, strictly, a canary config that is part of another config. Paths start from the canary config.
///
/// # Errors
/// All problems at once, in the order of the text.
pub(super) fn of_node(node: &Node) -> Result<CanaryConfig, Problems> {
    judged_by(node, Strictness::Strict, Findings::default())
}

/// The config of a tree, with what was found before.
fn judged_by(
    node: &Node,
    strictness: Strictness,
    mut findings: Findings,
) -> Result<CanaryConfig, Problems> {
    let wire = read(node, strictness, &mut findings);
    let shown: HashSet<Path> = findings
        .problems
        .iter()
        .map(|problem| problem.path.clone())
        .collect();

    let mut meaning = Findings::default();
    let judge_config = judge_config(&wire, &mut meaning);
    let broken_rules = rules::check(&wire, &judge_config);
    let mut warnings = Vec::new();
    match strictness {
        Strictness::Strict => broken_rules
            .into_iter()
            .for_each(|problem| meaning.problem(problem)),
        Strictness::Lenient => warnings.extend(broken_rules.into_iter().map(as_warning)),
    }
    // A part with a wrong shape was left out, so what follows from its absence is no news.
    let mut news = meaning.problems;
    news.retain(|problem| !shown.contains(&problem.path));
    match strictness {
        Strictness::Strict => news.retain(|problem| !findings.mislaid.contains_key(&problem.path)),
        Strictness::Lenient => {
            for problem in news.iter_mut().filter(|problem| problem.is_absence()) {
                if let Some(hint) = findings.mislaid.get(&problem.path) {
                    problem.hint = Some(hint.clone());
                }
            }
        }
    }
    let mut problems: Vec<Problem> = findings.problems.into_iter().chain(news).collect();
    for problem in &mut problems {
        problem.position = problem.position.or_else(|| place(node, &problem.path));
    }
    problems.sort_by_key(|problem| problem.position);
    problems.truncate(Findings::MOST);
    if let Some(problems) = Problems::new(problems) {
        return Err(problems);
    }

    let consequences = warnings::all(&wire, &judge_config);
    warnings.retain(|rule| consequences.iter().all(|warning| warning.path != rule.path));
    warnings.extend(consequences);
    for warning in &mut warnings {
        warning.position = place(node, &warning.path);
    }
    warnings.sort_by_key(|warning| warning.position);
    let mut ignored = findings.ignored;
    ignored.extend(meaning.ignored);
    Ok(CanaryConfig {
        wire,
        judge_config,
        warnings,
        ignored,
    })
}

/// Reads a canary config as a service stores it: it need not be complete enough to be judged by. The second value lists
/// what was ignored.
///
/// # Errors
/// All problems of its shape at once. What [`validate_for_store`] checks is not among them.
pub fn load_wire(
    text: &str,
    strictness: Strictness,
) -> Result<(wire::CanaryConfig, Vec<String>), Problems> {
    let mut findings = Findings::default();
    let node = parse(text, strictness, &mut findings)?;
    let wire = read(&node, strictness, &mut findings);
    match Problems::new(findings.problems) {
        Some(problems) => Err(problems),
        None => Ok((wire, findings.ignored)),
    }
}

/// Takes a config as a service holds it, so that it can be judged by; lenient as [`Strictness::Lenient`] is.
///
/// # Errors
/// All problems at once, without places.
pub fn of_wire(wire: wire::CanaryConfig) -> Result<CanaryConfig, Problems> {
    let mut meaning = Findings::default();
    let judge_config = judge_config(&wire, &mut meaning);
    if let Some(problems) = Problems::new(meaning.problems) {
        return Err(problems);
    }
    let broken_rules = rules::check(&wire, &judge_config);
    let mut warnings: Vec<Warning> = broken_rules.into_iter().map(as_warning).collect();
    let consequences = warnings::all(&wire, &judge_config);
    warnings.retain(|rule| consequences.iter().all(|warning| warning.path != rule.path));
    warnings.extend(consequences);
    Ok(CanaryConfig {
        wire,
        judge_config,
        warnings,
        ignored: meaning.ignored,
    })
}

/// A broken rule that Kayenta accepts.
fn as_warning(problem: Problem) -> Warning {
    Warning {
        message: problem.sentence(),
        path: problem.path,
        position: None,
    }
}

/// The text as a tree. What the tree cannot hold is among `findings`.
fn parse(text: &str, strictness: Strictness, findings: &mut Findings) -> Result<Node, Problems> {
    let other_file = other_file_hint(text);
    let refused = |mut problems: Problems| {
        if let Some(hint) = other_file {
            problems.hint(hint);
        }
        problems
    };
    let parsed = Node::read(text).map_err(refused)?;
    for problem in parsed.repeated {
        match strictness {
            Strictness::Strict => findings.problem(problem),
            Strictness::Lenient => {
                findings.ignore(&problem.path, "stands twice; the last one counts")
            }
        }
    }
    for problem in parsed.broken {
        let path = problem.path.clone();
        findings.problem(problem);
        findings.broken.insert(path);
    }
    let node = parsed.node;
    let hint = match &node.value {
        Value::Map(_) => return Ok(node),
        Value::List(items) => items.first().and_then(list_hint),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => other_file,
    };
    let mut problem = Problem::new(Path::root(), node.to_string(), "a map of keys and values");
    problem.hint = hint.map(str::to_owned);
    Err(problem.at(node.position).into())
}

/// What to do with a list that has `first` in place of a config.
fn list_hint(first: &Node) -> Option<&'static str> {
    let Value::Map(entries) = &first.value else {
        return None;
    };
    let has = |key: &str| entries.iter().any(|entry| entry.key == key);
    if has("metrics") {
        Some("the config stands one level too deep; remove the list around it")
    } else {
        has("values")
            .then_some("this looks like a list of metric set pairs, which is given as `--pairs`")
    }
}

/// What to do with a text that is neither JSON nor YAML of a config, by its first line.
fn other_file_hint(text: &str) -> Option<&'static str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
    let first = text.lines().next().unwrap_or_default();
    if first.starts_with("//") || first.starts_with("/*") {
        Some("JSON has no comments; remove them, or write the config as YAML")
    } else if first.contains(',') && !first.contains([':', '{', '[', '#']) {
        Some(
            "this looks like series in CSV, which are given as `--data`, or as `--baseline` and `--canary`",
        )
    } else {
        None
    }
}

fn read(node: &Node, strictness: Strictness, findings: &mut Findings) -> wire::CanaryConfig {
    let reading = match strictness {
        Strictness::Strict => Reading::Strict,
        Strictness::Lenient => Reading::Lenient {
            opaque: &["analysisConfigurations", "judgeConfigurations"],
        },
    };
    let value = schema().read(node, reading, findings);
    serde_json::from_value(value).unwrap_or_else(|error| {
        findings.problem(Problem::new(Path::root(), error.to_string(), ""));
        wire::CanaryConfig::default()
    })
}

fn place(node: &Node, path: &Path) -> Option<Position> {
    Some(path.nearest(node).position)
}

/// What the judge reads, with Kayenta's meaning of absent and `null` parts.
fn judge_config(wire: &wire::CanaryConfig, findings: &mut Findings) -> JudgeConfig {
    let path = Path::root().key("metrics");
    let metrics = wire
        .metrics
        .iter()
        .enumerate()
        .map(|(index, metric)| metric_spec(metric, &path.index(index), findings))
        .collect();
    let group_weights = match &wire.classifier {
        Some(classifier) => classifier.group_weights.clone(),
        None => {
            findings.problem(
                Problem::missing(Path::root().key("classifier"), "a map")
                    .hint("write `classifier: {}`"),
            );
            BTreeMap::new()
        }
    };
    for (group, weight) in &group_weights {
        if weight.abs() > MOST_WEIGHT {
            let path = Path::root().key("classifier").key("groupWeights");
            let found = format!("weight {}", rules::Brief(*weight));
            findings.problem(Problem::new(
                path.key(group.as_str()),
                found,
                "0 to 100; no judge can reckon with more than 1000000",
            ));
        }
    }
    JudgeConfig {
        metrics,
        group_weights,
    }
}

fn metric_spec(metric: &wire::Metric, path: &Path, findings: &mut Findings) -> MetricSpec {
    if metric.groups.is_none() {
        findings.problem(Problem::missing(path.key("groups"), "a list").hint("write `groups: []`"));
    }
    let name = metric.name.clone().unwrap_or_default();
    let mut spec = MetricSpec::new(name, metric.groups.iter().flatten());
    parameters::read(
        &metric.analysis_configurations.0,
        &path.key("analysisConfigurations"),
        &mut spec,
        findings,
    );
    spec
}
