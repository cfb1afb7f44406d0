//! What the shape of a config cannot say: rules between its parts. A strict reading refuses what breaks them; a lenient one
//! warns, because Kayenta accepts it.

use std::collections::HashMap;

use super::wire::{CanaryConfig, Classifier};
use super::{JUDGE_NAMES, filled, templates};
use crate::config::node::shorten;
use crate::config::path::Path;
use crate::config::problems::{Findings, Problem};
use crate::config::shape::{list, nearest};

/// How far a sum of weights may be from 100 and still count as 100: the rounding of a few additions.
pub(super) const WEIGHT_SLACK: f64 = 1e-9;

/// Among how many templates the nearest is looked for; more would take long and help nobody.
const NEAREST_OF: usize = 200;

/// Every rule that `config` breaks, up to 1,000 times.
pub(super) fn check(config: &CanaryConfig) -> Vec<Problem> {
    let mut problems = Findings::default();
    judge_name(config, &mut problems);
    metric_names(config, &mut problems);
    queries(config, &mut problems);
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
    problems.problem(match nearest(name, JUDGE_NAMES.into_iter()) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem,
    });
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
        if query.inline_template().is_some() {
            continue;
        }
        let Some(name) = query.filter_template() else {
            continue;
        };
        if config.templates.contains_key(name) {
            continue;
        }
        let found = format!("unknown template `{}`", shorten(name, 60));
        let expected = match known.len() {
            0 => "one of `templates`, which has none".to_owned(),
            1..=9 => list(&known),
            count => format!("one of the {count} `templates`"),
        };
        let problem = Problem::new(path.key("customFilterTemplate"), found, expected);
        problems.problem(
            match nearest(name, known.iter().copied().take(NEAREST_OF)) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem,
            },
        );
    }
}

fn group_weights(classifier: &Classifier, problems: &mut Findings) {
    let path = Path::root().key("classifier").key("groupWeights");
    for (group, weight) in &classifier.group_weights {
        if *weight < 0.0 {
            let found = format!("weight {weight}");
            problems.problem(Problem::new(path.key(group.as_str()), found, "0 to 100"));
        }
    }
    let sum: f64 = classifier.group_weights.values().sum();
    if sum > 100.0 + WEIGHT_SLACK {
        let most = 8;
        let mut parts: Vec<String> = classifier
            .group_weights
            .iter()
            .take(most)
            .map(|(group, weight)| format!("{} {weight}", shorten(group, 40)))
            .collect();
        if classifier.group_weights.len() > most {
            parts.push("…".to_owned());
        }
        problems.problem(Problem::new(
            path,
            format!("weights add up to {}", round(sum)),
            format!("at most 100 ({})", parts.join(", ")),
        ));
    }
}

fn thresholds(classifier: &Classifier, problems: &mut Findings) {
    let Some(thresholds) = classifier.score_thresholds else {
        return;
    };
    if let (Some(pass), Some(marginal)) = (thresholds.pass, thresholds.marginal)
        && marginal > pass
    {
        let path = Path::root()
            .key("classifier")
            .key("scoreThresholds")
            .key("marginal");
        problems.problem(Problem::new(
            path,
            format!("marginal {marginal} is above pass {pass}"),
            format!("at most {pass}"),
        ));
    }
}

/// `number` with at most two decimals, for a sentence.
pub(super) fn round(number: f64) -> f64 {
    let rounded = (number * 100.0).round() / 100.0;
    if rounded.is_finite() { rounded } else { number }
}
