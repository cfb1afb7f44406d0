//! What is allowed but surely not meant.

use coalmine::config::{Strictness, load};
use insta::assert_snapshot;

fn warnings(text: &str, strictness: Strictness) -> String {
    let config = load(text, strictness).unwrap_or_else(|problems| panic!("{text}\n{problems}"));
    let lines: Vec<String> = config.warnings().iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn strict(text: &str) -> String {
    warnings(text, Strictness::Strict)
}

fn lenient(text: &str) -> String {
    warnings(text, Strictness::Lenient)
}

/// A config with one metric in each of `groups`, and this classifier.
fn grouped(groups: &[&str], classifier: &str) -> String {
    let metrics: Vec<String> = groups
        .iter()
        .map(|group| format!("{{name: in {group}, groups: [{group}]}}"))
        .collect();
    format!(
        "metrics: [{}]\nclassifier: {classifier}",
        metrics.join(", ")
    )
}

/// A config with one metric in group `g` that has these settings.
fn metric(canary: &str) -> String {
    format!(
        "metrics: [{{name: m, groups: [g], analysisConfigurations: {{canary: {canary}}}}}, {{name: n, groups: [g]}}]\nclassifier: {{}}"
    )
}

#[test]
fn a_sound_config_has_no_warnings() {
    assert_eq!(
        strict(&grouped(&["a", "b"], "{groupWeights: {a: 60, b: 40}}")),
        ""
    );
    assert_eq!(strict(&grouped(&["a", "b"], "{}")), "");
    assert_eq!(
        strict(&grouped(
            &["a", "b", "c"],
            "{groupWeights: {a: 33.3, b: 33.3, c: 33.4}}"
        )),
        ""
    );
    assert_eq!(
        strict(&metric(
            "{critical: true, effectSize: {allowedIncrease: 1.5}}"
        )),
        ""
    );
}

#[test]
fn weights_that_do_not_sum_to_100_say_what_follows() {
    assert_snapshot!(strict(&grouped(&["a"], "{groupWeights: {a: 40}}")), @r"
    classifier.scoreThresholds.pass: cannot be reached: the best possible score is 40, the default `pass` is 95
    classifier.scoreThresholds.marginal: cannot be reached: the best possible score is 40, the default `marginal` is 75
    classifier.groupWeights: weights add up to 40, not 100; a canary that passes every metric scores 40
    ");
    assert_snapshot!(strict(&grouped(&["a", "b", "c"], "{groupWeights: {a: 40}}")), @"classifier.groupWeights: weights add up to 40, not 100; the 60 left are shared by `b`, `c`: 30 each");
    assert_snapshot!(lenient(&grouped(&["a", "b"], "{groupWeights: {a: 70, b: 50}}")), @"classifier.groupWeights: weights add up to 120, not 100; a canary that passes every metric scores 120");
    assert_snapshot!(lenient(&grouped(&["a", "b"], "{groupWeights: {a: 120}}")), @"classifier.groupWeights: weights add up to 120, more than 100, so `b` gets a negative weight: -20");
    assert_snapshot!(lenient(&grouped(&["a", "b"], "{groupWeights: {a: -20, b: 120}}")), @"classifier.groupWeights.a: weight -20; expected 0 to 100");
}

#[test]
fn a_group_for_which_nothing_is_left_gets_no_weight() {
    assert_snapshot!(strict(&grouped(&["a", "b"], "{groupWeights: {a: 100}}")), @"classifier.groupWeights: the weights add up to 100, so nothing is left for `b`: weight 0");
}

#[test]
fn the_weight_of_a_group_without_metrics_is_lost() {
    assert_snapshot!(strict(&grouped(&["a"], "{groupWeights: {a: 70, b: 30}, scoreThresholds: {pass: 80, marginal: 60}}")), @r"
    classifier.groupWeights.b: no metric that counts is in this group, so its weight 30 is lost from every score
    classifier.scoreThresholds.pass: cannot be reached: the best possible score is 70, `pass` is 80
    ");
    let muted = "metrics: [{name: m, groups: [a]}, {name: n, groups: [b], analysisConfigurations: {canary: {muted: true}}}]\nclassifier: {groupWeights: {a: 97, b: 3}}";
    assert_snapshot!(strict(muted), @"classifier.groupWeights.b: no metric that counts is in this group, so its weight 3 is lost from every score");
}

#[test]
fn thresholds_beyond_reach_are_told() {
    assert_snapshot!(lenient(&grouped(&["a"], "{scoreThresholds: {pass: 101, marginal: 75}}")), @"classifier.scoreThresholds.pass: cannot be reached: the best possible score is 100, `pass` is 101");
    assert_snapshot!(lenient(&grouped(&["a"], "{scoreThresholds: {pass: 10, marginal: 90}}")), @"classifier.scoreThresholds.marginal: marginal 90 is above pass 10; expected at most 10");
}

#[test]
fn metrics_that_count_for_nothing_are_told() {
    assert_snapshot!(strict("metrics: [{name: m, groups: []}, {name: c, groups: [], analysisConfigurations: {canary: {critical: true}}}, {name: n, groups: [g]}]\nclassifier: {}"), @r"
    metrics[0].groups: is in no group, so it counts in no score
    metrics[1].groups: is in no group; it can fail the canary, but it adds nothing to the score
    ");
    assert_snapshot!(strict("metrics: [{name: m, groups: [g], analysisConfigurations: {canary: {muted: true, critical: true}}}]\nclassifier: {}"), @r"
    metrics: all metrics are muted, so the score is always 0
    metrics[0].analysisConfigurations.canary.critical: the metric is muted, so it cannot fail the canary though it is critical
    ");
}

#[test]
fn a_critical_limit_inside_the_allowed_ones_is_told_where_it_is_written() {
    assert_snapshot!(strict(&metric("{effectSize: {allowedIncrease: 1.5, criticalIncrease: 1.2, allowedDecrease: 0.5, criticalDecrease: 0.8}}")), @r"
    metrics[0].analysisConfigurations.canary.effectSize.criticalIncrease: 1.2 is below `allowedIncrease` 1.5; a rise that is allowed cannot be critical
    metrics[0].analysisConfigurations.canary.effectSize.criticalDecrease: 0.8 is above `allowedDecrease` 0.5; a fall that is allowed cannot be critical
    ");
    assert_eq!(
        strict(&metric(
            "{effectSize: {allowedIncrease: 1.5, criticalIncrease: 1.5}}"
        )),
        ""
    );
}

#[test]
fn a_limit_on_the_wrong_side_of_no_change_is_told() {
    assert_snapshot!(strict(&metric("{effectSize: {allowedIncrease: 0.9, allowedDecrease: 1.5}}")), @r"
    metrics[0].analysisConfigurations.canary.effectSize.allowedIncrease: 0.9 is below 1, which is no change, so no rise is allowed
    metrics[0].analysisConfigurations.canary.effectSize.allowedDecrease: 1.5 is above 1, which is no change, so no fall is allowed
    ");
    assert_snapshot!(strict(&metric("{effectSize: {measure: cles, allowedIncrease: 0.1, allowedDecrease: 0.9}}")), @r"
    metrics[0].analysisConfigurations.canary.effectSize.allowedIncrease: 0.1 is below 0.5, which is no change, so no rise is allowed
    metrics[0].analysisConfigurations.canary.effectSize.allowedDecrease: 0.9 is above 0.5, which is no change, so no fall is allowed
    ");
    assert_snapshot!(lenient(&metric("{effectSize: {allowedIncrease: -10}}")), @"metrics[0].analysisConfigurations.canary.effectSize.allowedIncrease: -10 is below 1, which is no change, so no rise is allowed");
    assert_snapshot!(lenient(&metric("{effectSize: {measure: cles, allowedIncrease: 1.2}}")), @"metrics[0].analysisConfigurations.canary.effectSize.allowedIncrease: number `1.2`; expected 0 to 1, because `cles` is a chance");
}

#[test]
fn an_allowed_rise_in_percent_is_told() {
    assert_snapshot!(strict(&metric("{effectSize: {allowedIncrease: 10}}")), @"metrics[0].analysisConfigurations.canary.effectSize.allowedIncrease: 10 is a factor, not percent: a rise counts from 10 times the baseline on; for 10 percent write 1.1");
    assert_eq!(strict(&metric("{effectSize: {allowedIncrease: 4.9}}")), "");
}

#[test]
fn large_numbers_are_told_in_few_digits() {
    let text = metric("{effectSize: {allowedIncrease: 1e308, criticalIncrease: 1e20}}");
    assert_snapshot!(strict(&text), @r"
    metrics[0].analysisConfigurations.canary.effectSize.allowedIncrease: 1e308 is a factor, not percent: a rise counts from 1e308 times the baseline on; for 10 percent write 1.1
    metrics[0].analysisConfigurations.canary.effectSize.criticalIncrease: 1e20 is below `allowedIncrease` 1e308; a rise that is allowed cannot be critical
    ");
}

#[test]
fn a_query_that_cannot_be_asked_is_told_in_a_lenient_reading() {
    let config = |query: &str| {
        format!(
            "metrics: [{{name: m, groups: [g], scopeName: default, query: {query}}}]\ntemplates: {{t: 'PromQL:x'}}\nclassifier: {{}}"
        )
    };
    assert_snapshot!(lenient(&config("{type: stackdriver, customFilterTemplate: t}")), @"metrics[0].query.metricType: missing; expected the type of a metric");
    assert_eq!(
        strict(&config("{type: prometheus, customFilterTemplate: t}")),
        ""
    );
    let variable = "{type: prometheus, customInlineTemplate: '${x}', customFilterTemplate: t}";
    assert!(!strict(&config(variable)).contains("metricName"));
}

#[test]
fn templates_and_scopes_are_checked_against_the_queries() {
    assert_snapshot!(strict("metrics: [{name: m, groups: [g], query: {type: datadog, customFilterTemplate: used}}]\ntemplates: {used: a, unused: b}\nclassifier: {}"), @r"
    metrics[0].scopeName: has a query but no `scopeName`, so it cannot be read from a source; usual is `default`
    templates.unused: no query uses this template
    ");
}

#[test]
fn names_that_cause_trouble_later_are_told() {
    assert_snapshot!(strict("name: my config\nmetrics: [{name: latency, groups: [g]}, {name: Latency, groups: [g]}]\nclassifier: {}"), @r"
    name: `my config` can be judged by but not stored; a stored name has only letters, digits, `-` and `_`
    metrics[1].name: `Latency` differs from `latency` only in upper and lower case; series are joined by the exact name
    ");
}

#[test]
fn what_a_strict_reading_refuses_is_a_warning_in_a_lenient_one() {
    assert_snapshot!(lenient("judge: {name: other}\nmetrics: [{name: m, groups: [g]}, {name: m, groups: [g], scopeName: default, query: {type: prometheus, customFilter: x, customFilterTemplate: t}}]\nclassifier: {}"), @r"
    judge.name: unknown judge `other`; expected `NetflixACAJudge-v1.0`, `CoalmineJudge-v1`, `dredd-v1.0` or `RemoteJudge-v1.0`
    metrics[1].name: metric name `m` is taken by `metrics[0]`; expected a name of its own
    metrics[1].query.customFilter: CanaryMetricSetQueryConfig.customFilter is deprecated, use CanaryMetricSetQueryConfig.customInlineTemplate instead.
    metrics[1].query.customFilterTemplate: unknown template `t`; expected one of `templates`, which has none
    ");
}

#[test]
fn a_warning_knows_its_place() {
    let text = "metrics:\n- name: m\n  groups: [g]\ntemplates:\n  unused: x\nclassifier: {}\n";
    let config = load(text, Strictness::Strict).unwrap();
    let position = config.warnings()[0].position.unwrap();
    assert_eq!((position.line, position.column), (5, 11));
}
