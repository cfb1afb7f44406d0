//! What the shape of a config cannot say: rules between its parts. A strict reading refuses what breaks them; a lenient one
//! warns, because Kayenta accepts it.

use std::collections::HashMap;
use std::fmt;

use coalmine_judges::config::{EffectLimits, EffectMeasure, JudgeConfig};

use super::wire::{CanaryConfig, Classifier, Metric, Query};
use super::{JUDGE_NAMES, MOST_WEIGHT, filled, templates};
use crate::config::node::shorten;
use crate::config::path::Path;
use crate::config::problems::{Findings, Problem};
use crate::config::shape::list;

/// How far a sum of weights may be from 100 and still count as 100: the rounding of a few additions.
pub(super) const WEIGHT_SLACK: f64 = 1e-9;

/// Among how many templates the nearest is looked for; more would take long and help nobody.
const NEAREST_OF: usize = 200;

/// Every rule that `config` breaks, up to 1,000 times. `judge` is what the judge reads of it.
pub(super) fn check(config: &CanaryConfig, judge: &JudgeConfig) -> Vec<Problem> {
    let mut problems = Findings::default();
    judge_name(config, &mut problems);
    metric_names(config, &mut problems);
    queries(config, &mut problems);
    effect_limits(config, judge, &mut problems);
    if let Some(classifier) = &config.classifier {
        group_weights(classifier, &mut problems);
        thresholds(classifier, &mut problems);
    }
    problems.problems
}

fn judge_name(config: &CanaryConfig, problems: &mut Findings) {
    let name = config
        .judge
        .as_ref()
        .and_then(|judge| filled(judge.name.as_ref()));
    let Some(name) = name.filter(|name| !JUDGE_NAMES.contains(name)) else {
        return;
    };
    let found = format!("unknown judge `{}`", shorten(name, 40));
    let problem = Problem::new(
        Path::root().key("judge").key("name"),
        found,
        list(&JUDGE_NAMES),
    );
    problems.problem(problem.did_you_mean(name, JUDGE_NAMES));
}

fn metric_names(config: &CanaryConfig, problems: &mut Findings) {
    let mut first_by_name = HashMap::new();
    for (index, metric) in config.metrics.iter().enumerate() {
        let Some(name) = &metric.name else { continue };
        let first = *first_by_name.entry(name).or_insert(index);
        if first != index {
            let path = Path::root().key("metrics").index(index).key("name");
            let found = format!(
                "metric name `{}` is taken by `metrics[{first}]`",
                shorten(name, 60)
            );
            problems.problem(Problem::new(path, found, "a name of its own"));
        }
    }
}

fn queries(config: &CanaryConfig, problems: &mut Findings) {
    let known: Vec<&str> = config.templates.keys().map(String::as_str).collect();
    for (index, metric) in config.metrics.iter().enumerate() {
        if problems.is_full() {
            return;
        }
        let Some(query) = &metric.query else { continue };
        let path = Path::root().key("metrics").index(index).key("query");
        if query.deprecated_filter().is_some() {
            let error = templates::TemplateError::Deprecated;
            problems.problem(
                Problem::new(path.key("customFilter"), error.to_string(), "")
                    .hint("write `customInlineTemplate`"),
            );
        }
        let template = match (query.inline_template(), query.filter_template()) {
            (Some(inline), _) => Some(inline),
            (None, None) => None,
            (None, Some(name)) => match config.templates.get(name) {
                Some(template) => Some(template.as_str()),
                None => {
                    unknown_template(name, &known, &path, problems);
                    continue;
                }
            },
        };
        for (key, what) in lacking(query, template) {
            problems.problem(Problem::missing(path.key(key), what));
        }
    }
}

fn unknown_template(name: &str, known: &[&str], path: &Path, problems: &mut Findings) {
    let found = format!("unknown template `{}`", shorten(name, 60));
    let expected = match known.len() {
        0 => "one of `templates`, which has none".to_owned(),
        1..=9 => list(known),
        count => format!("one of the {count} `templates`"),
    };
    let problem = Problem::new(path.key("customFilterTemplate"), found, expected);
    problems.problem(problem.did_you_mean(name, known.iter().copied().take(NEAREST_OF)));
}

/// The keys without which `query` cannot be asked, each with what it should hold. `template` is the text that the query
/// uses, not yet expanded.
fn lacking(query: &Query, template: Option<&str>) -> Vec<(&'static str, &'static str)> {
    let absent = |text: &Option<String>| filled(text.as_ref()).is_none();
    let (wanted, key, what) = match query {
        Query::Prometheus { metric_name, .. } => {
            let (wanted, what) = match template {
                None => (
                    true,
                    "the name of a metric, or a template that begins with `PromQL:`",
                ),
                // What a variable at the beginning stands for is not known yet.
                Some(text) => (
                    !text.starts_with("PromQL:") && !text.starts_with('$'),
                    "the name of a metric, because the template does not begin with `PromQL:`",
                ),
            };
            (wanted && absent(metric_name), "metricName", what)
        }
        Query::Stackdriver { metric_type, .. } => {
            (absent(metric_type), "metricType", "the type of a metric")
        }
        Query::Datadog { metric_name, .. } | Query::Signalfx { metric_name, .. } => (
            template.is_none() && absent(metric_name),
            "metricName",
            "the name of a metric, or a template",
        ),
        Query::Influxdb { metric_name, .. } => (
            template.is_none() && absent(metric_name),
            "metricName",
            "the name of a measurement, or `customInlineTemplate`",
        ),
        Query::Graphite { metric_name, .. } => {
            (absent(metric_name), "metricName", "a target expression")
        }
        Query::Wavefront { metric_name, .. } => {
            (absent(metric_name), "metricName", "the name of a metric")
        }
        Query::Atlas { q, .. } => (absent(q), "q", "a query in Atlas' stack language"),
        Query::Newrelic { select, q, .. } => {
            let parts = [
                (
                    select,
                    "select",
                    "what stands after `SELECT`, or a template",
                ),
                (q, "q", "what stands after `WHERE`, or a template"),
            ];
            return parts
                .into_iter()
                .filter(|(part, _, _)| template.is_none() && absent(part))
                .map(|(_, key, what)| (key, what))
                .collect();
        }
    };
    if wanted {
        vec![(key, what)]
    } else {
        Vec::new()
    }
}

/// The limits of a metric that are written, each with its key.
pub(super) fn written_limits(
    metric: &Metric,
    limits: EffectLimits,
) -> impl Iterator<Item = (&'static str, f64)> {
    let canary = metric.analysis_configurations.0.get("canary");
    let effect = canary.and_then(|canary| canary.get("effectSize"));
    [
        ("allowedIncrease", limits.allowed_increase),
        ("allowedDecrease", limits.allowed_decrease),
        ("criticalIncrease", limits.critical_increase),
        ("criticalDecrease", limits.critical_decrease),
    ]
    .into_iter()
    .filter(move |(key, _)| effect.and_then(|effect| effect.get(key)).is_some())
}

/// Where the limits of the metric at `index` stand.
pub(super) fn limits_path(index: usize) -> Path {
    Path::root()
        .key("metrics")
        .index(index)
        .key("analysisConfigurations")
        .key("canary")
        .key("effectSize")
}

/// A limit that no effect can reach is none.
fn effect_limits(config: &CanaryConfig, judge: &JudgeConfig, problems: &mut Findings) {
    for (index, (metric, spec)) in config.metrics.iter().zip(&judge.metrics).enumerate() {
        for (key, limit) in written_limits(metric, spec.effect) {
            let (reachable, expected) = match spec.effect.measure {
                EffectMeasure::MeanRatio => (
                    limit >= 0.0,
                    "at least 0: the canary's mean over the baseline's",
                ),
                EffectMeasure::Cles => (
                    (0.0..=1.0).contains(&limit),
                    "0 to 1, because `cles` is a chance",
                ),
            };
            if !reachable {
                let found = format!("number `{}`", Brief(limit));
                problems.problem(Problem::new(limits_path(index).key(key), found, expected));
            }
        }
    }
}

fn group_weights(classifier: &Classifier, problems: &mut Findings) {
    let path = Path::root().key("classifier").key("groupWeights");
    // What is larger is refused in every reading.
    let reckons = |weight: &f64| weight.abs() <= MOST_WEIGHT;
    for (group, weight) in &classifier.group_weights {
        if *weight < 0.0 && reckons(weight) {
            let found = format!("weight {}", Brief(*weight));
            problems.problem(Problem::new(path.key(group.as_str()), found, "0 to 100"));
        }
    }
    let sum: f64 = classifier.group_weights.values().sum();
    if classifier.group_weights.values().all(reckons) && sum > 100.0 + WEIGHT_SLACK {
        let most = 8;
        let mut parts: Vec<String> = classifier
            .group_weights
            .iter()
            .take(most)
            .map(|(group, weight)| format!("{} {}", shorten(group, 40), Brief(*weight)))
            .collect();
        if classifier.group_weights.len() > most {
            parts.push("…".to_owned());
        }
        problems.problem(Problem::new(
            path,
            format!("weights add up to {}", Brief(round(sum))),
            format!("at most 100 ({})", parts.join(", ")),
        ));
    }
}

fn thresholds(classifier: &Classifier, problems: &mut Findings) {
    let Some(own) = classifier.score_thresholds else {
        return;
    };
    let both = own.filled();
    if both.marginal <= both.pass {
        return;
    }
    let path = Path::root().key("classifier").key("scoreThresholds");
    let (pass, marginal) = (Brief(both.pass), Brief(both.marginal));
    problems.problem(match (own.pass, own.marginal) {
        (_, Some(_)) => {
            let whose = own.pass.map_or("the default pass", |_| "pass");
            Problem::new(
                path.key("marginal"),
                format!("marginal {marginal} is above {whose} {pass}"),
                format!("at most {pass}"),
            )
        }
        (_, None) => Problem::new(
            path.key("pass"),
            format!("pass {pass} is below the default marginal {marginal}"),
            format!("at least {marginal}"),
        )
        .hint("write `marginal` too"),
    });
}

/// A number for a sentence: beyond 1e15 not with all its digits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Brief(pub(super) f64);

impl fmt::Display for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        if size >= 1e15 || (size > 0.0 && size < 1e-6) {
            write!(f, "{:e}", self.0)
        } else {
            write!(f, "{}", self.0)
        }
    }
}

/// `number` with at most two decimals, for a sentence.
pub(super) fn round(number: f64) -> f64 {
    let rounded = (number * 100.0).round() / 100.0;
    if rounded.is_finite() { rounded } else { number }
}
