//! What Kayenta accepts without a word and nobody means: said when a config is saved or checked.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use coalmine_judges::config::{EffectMeasure, JudgeConfig, MetricSpec};

use super::rules::{Brief, WEIGHT_SLACK, limits_path, round, written_limits};
use super::store::is_storable_name;
use super::wire::CanaryConfig;
use crate::config::node::shorten;
use crate::config::path::Path;
use crate::config::problems::{Findings, Warning};

/// An allowed rise from which on percent were probably meant: fivefold.
const LARGE_FACTOR: f64 = 5.0;

/// Everything odd about a config.
pub(super) fn all(wire: &CanaryConfig, judge: &JudgeConfig) -> Vec<Warning> {
    let mut found = Found {
        wire,
        judge,
        warnings: Vec::new(),
    };
    found.names();
    found.templates();
    found.metrics();
    found.limits();
    found.weights();
    found.thresholds();
    found.warnings
}

struct Found<'c> {
    wire: &'c CanaryConfig,
    judge: &'c JudgeConfig,
    warnings: Vec<Warning>,
}

impl Found<'_> {
    fn warn(&mut self, path: Path, message: impl Into<String>) {
        if self.warnings.len() >= Findings::MOST {
            return;
        }
        self.warnings.push(Warning {
            path,
            message: message.into(),
            position: None,
        });
    }

    fn metric_path(index: usize) -> Path {
        Path::root().key("metrics").index(index)
    }

    fn names(&mut self) {
        let name = self.wire.name.as_deref().unwrap_or_default();
        if !is_storable_name(name) {
            let message = format!(
                "`{}` can be judged by but not stored; a stored name has only letters, digits, `-` and `_`",
                shorten(name, 60)
            );
            self.warn(Path::root().key("name"), message);
        }
        let mut by_folded: HashMap<String, &str> = HashMap::new();
        for (index, spec) in self.judge.metrics.iter().enumerate() {
            let first = *by_folded
                .entry(spec.name.to_lowercase())
                .or_insert(spec.name.as_str());
            if first != spec.name {
                let message = format!(
                    "`{}` differs from `{}` only in upper and lower case; series are joined by the exact name",
                    shorten(&spec.name, 60),
                    shorten(first, 60)
                );
                self.warn(Self::metric_path(index).key("name"), message);
            }
        }
    }

    fn templates(&mut self) {
        let used: BTreeSet<&str> = self
            .wire
            .metrics
            .iter()
            .filter_map(|metric| metric.query.as_ref())
            .filter(|query| query.inline_template().is_none())
            .filter_map(|query| query.filter_template())
            .collect();
        for name in self.wire.templates.keys() {
            if !used.contains(name.as_str()) {
                let message = "no query uses this template";
                self.warn(Path::root().key("templates").key(name.as_str()), message);
            }
        }
    }

    fn metrics(&mut self) {
        for (index, spec) in self.judge.metrics.iter().enumerate() {
            let path = Self::metric_path(index);
            if spec.groups.is_empty() {
                let message = if spec.critical {
                    "is in no group; it can fail the canary, but it adds nothing to the score"
                } else {
                    "is in no group, so it counts in no score"
                };
                self.warn(path.key("groups"), message);
            }
            if spec.muted && spec.critical {
                let message =
                    "the metric is muted, so it cannot fail the canary though it is critical";
                self.warn(
                    path.key("analysisConfigurations")
                        .key("canary")
                        .key("critical"),
                    message,
                );
            }
            let metric = self.wire.metrics.get(index);
            if metric.is_some_and(|metric| {
                metric.query.is_some()
                    && metric.scope_name.as_deref().unwrap_or_default().is_empty()
            }) {
                let message = "has a query but no `scopeName`, so it cannot be read from a source; usual is `default`";
                self.warn(path.key("scopeName"), message);
            }
        }
        let metrics = &self.judge.metrics;
        if !metrics.is_empty() && metrics.iter().all(|spec| spec.muted) {
            let message = "all metrics are muted, so the score is always 0";
            self.warn(Path::root().key("metrics"), message);
        }
    }

    /// A critical limit on the near side of the allowed one never decides anything: a metric fails at the allowed limit
    /// first. A limit on the wrong side of no change allows nothing. What is not written is no mistake.
    fn limits(&mut self) {
        let (wire, judge) = (self.wire, self.judge);
        for (index, (metric, spec)) in wire.metrics.iter().zip(&judge.metrics).enumerate() {
            let limits = spec.effect;
            let neutral = limits.measure.neutral();
            let factors = limits.measure == EffectMeasure::MeanRatio;
            for (key, limit) in written_limits(metric, limits) {
                let number = Brief(limit);
                let message = match key {
                    "allowedIncrease" if limit < neutral => {
                        format!(
                            "{number} is below {neutral}, which is no change, so no rise is allowed"
                        )
                    }
                    "allowedDecrease" if limit > neutral => {
                        format!(
                            "{number} is above {neutral}, which is no change, so no fall is allowed"
                        )
                    }
                    "allowedIncrease" if factors && limit >= LARGE_FACTOR => format!(
                        "{number} is a factor, not percent: a rise counts from {number} times the baseline on; for 10 percent write 1.1"
                    ),
                    "criticalIncrease" if limit < limits.allowed_increase => format!(
                        "{number} is below `allowedIncrease` {}; a rise that is allowed cannot be critical",
                        Brief(limits.allowed_increase)
                    ),
                    "criticalDecrease" if limit > limits.allowed_decrease => format!(
                        "{number} is above `allowedDecrease` {}; a fall that is allowed cannot be critical",
                        Brief(limits.allowed_decrease)
                    ),
                    _ => continue,
                };
                self.warn(limits_path(index).key(key), message);
            }
        }
    }

    fn counted(&self) -> impl Iterator<Item = &MetricSpec> {
        self.judge.metrics.iter().filter(|spec| !spec.muted)
    }

    /// The groups that have a score, each with the weight that it gets.
    fn effective_weights(&self) -> BTreeMap<&str, f64> {
        let groups: BTreeSet<&str> = self
            .counted()
            .flat_map(|spec| spec.groups.iter().map(String::as_str))
            .collect();
        let weights = &self.judge.group_weights;
        let left = 100.0 - weights.values().sum::<f64>();
        let unweighted = groups
            .iter()
            .filter(|group| !weights.contains_key(**group))
            .count();
        #[expect(clippy::cast_precision_loss, reason = "far fewer groups than 2^52")]
        let share = left / unweighted.max(1) as f64;
        groups
            .into_iter()
            .map(|group| (group, weights.get(group).copied().unwrap_or(share)))
            .collect()
    }

    fn weights(&mut self) {
        let weights = &self.judge.group_weights;
        if weights.is_empty() {
            return;
        }
        let path = Path::root().key("classifier").key("groupWeights");
        let sum: f64 = weights.values().sum();
        let left = 100.0 - sum;
        let effective = self.effective_weights();
        let sharing: Vec<String> = effective
            .keys()
            .filter(|group| !weights.contains_key(**group))
            .map(|group| format!("`{}`", shorten(group, 40)))
            .collect();
        let share = effective
            .iter()
            .find(|(group, _)| !weights.contains_key(**group))
            .map(|(_, share)| Brief(round(*share)));
        let lost: Vec<(String, f64)> = weights
            .iter()
            .filter(|(group, weight)| **weight != 0.0 && !effective.contains_key(group.as_str()))
            .map(|(group, weight)| (group.clone(), *weight))
            .collect();
        let named = named(&sharing);
        match share {
            Some(_) if left.abs() <= WEIGHT_SLACK => self.warn(
                path.clone(),
                format!("the weights add up to 100, so nothing is left for {named}: weight 0"),
            ),
            Some(share) if left > 0.0 => self.warn(
                path.clone(),
                format!(
                    "weights add up to {}, not 100; the {} left are shared by {named}: {share} each",
                    Brief(round(sum)),
                    Brief(round(left))
                ),
            ),
            Some(share) => self.warn(
                path.clone(),
                format!(
                    "weights add up to {}, more than 100, so {named} gets a negative weight: {share}",
                    Brief(round(sum))
                ),
            ),
            None if left.abs() > WEIGHT_SLACK => self.warn(
                path.clone(),
                format!(
                    "weights add up to {}, not 100; a canary that passes every metric scores {}",
                    Brief(round(sum)),
                    Brief(round(effective.values().sum()))
                ),
            ),
            None => {}
        }
        for (group, weight) in lost {
            self.warn(
                path.key(group),
                format!(
                    "no metric that counts is in this group, so its weight {} is lost from every score",
                    Brief(weight)
                ),
            );
        }
    }

    fn thresholds(&mut self) {
        let path = Path::root().key("classifier").key("scoreThresholds");
        let own = self
            .wire
            .classifier
            .as_ref()
            .and_then(|classifier| classifier.score_thresholds)
            .unwrap_or_default();
        let both = own.filled();
        let best = self.best_score();
        for (key, given, threshold) in [
            ("pass", own.pass, both.pass),
            ("marginal", own.marginal, both.marginal),
        ] {
            if threshold > best + WEIGHT_SLACK && self.counted().next().is_some() {
                let whose = if given.is_some() { "" } else { "the default " };
                self.warn(
                    path.key(key),
                    format!(
                        "cannot be reached: the best possible score is {}, {whose}`{key}` is {}",
                        Brief(round(best)),
                        Brief(threshold)
                    ),
                );
            }
        }
    }

    /// The score of a canary whose every metric passes.
    fn best_score(&self) -> f64 {
        self.effective_weights().values().sum()
    }
}

/// The first few of `names`, joined.
fn named(names: &[String]) -> String {
    let most = 5;
    let shown = names.iter().take(most).cloned().collect::<Vec<_>>();
    match names.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
