//! What is refused, in which words, and where.

use coalmine::config::problems::{Role, plain};
use coalmine::config::{Strictness, load};
use insta::assert_snapshot;

/// The problems of `text` as a person reads them; panics where it loads.
fn refusal(text: &str, strictness: Strictness) -> String {
    match load(text, strictness) {
        Err(problems) => problems.to_string(),
        Ok(config) => panic!("loaded as {:?}", config.judge_config()),
    }
}

fn strict(text: &str) -> String {
    refusal(text, Strictness::Strict)
}

fn lenient(text: &str) -> String {
    refusal(text, Strictness::Lenient)
}

/// A config whose one metric has `canary` under `analysisConfigurations.canary`, as one line of YAML.
fn metric(canary: &str) -> String {
    format!(
        "metrics:\n- name: m\n  groups: [g]\n  analysisConfigurations:\n    canary: {canary}\nclassifier: {{}}\n"
    )
}

#[test]
fn every_problem_is_reported_at_once_in_the_order_of_the_text() {
    let text = r#"
name: checkout
applications: checkout
judge: {name: NetflixACAJudge-v2.0}
metrics:
- name: a
  groups: [latency]
  direction: increase
  analysisConfigurations:
    canary:
      direction: increse
      nanstrategy: replace
      critical: yes
      outliers: {strategy: remove, outlierFactor: 0}
      effectSize: {allowedIncrease: "1.1", measure: median}
- name: a
  query: {type: promehteus, metricName: x}
- groups: []
  query: {type: prometheus, customFilter: x, customFilterTemplate: lantency}
templates: {latency: x}
classifier:
  groupWeights: {latency: 60, errors: 60}
  scoreThresholds: {pass: 75, marginal: 95}
"#;
    assert_snapshot!(strict(text), @r"
    17 problems
      applications: text `checkout`; expected a list
        hint: write `[checkout]` for a list of one
      judge.name: unknown judge `NetflixACAJudge-v2.0`; expected `NetflixACAJudge-v1.0`, `CoalmineJudge-v1`, `dredd-v1.0` or `RemoteJudge-v1.0`
        hint: did you mean `NetflixACAJudge-v1.0`?
      metrics[0].direction: unknown key `direction`; expected `analysisConfigurations`, `groups`, `name`, `query` or `scopeName`
        hint: `direction` belongs under `analysisConfigurations.canary`
      metrics[0].analysisConfigurations.canary.direction: unknown value `increse`; expected `increase`, `decrease` or `either`
        hint: did you mean `increase`?
      metrics[0].analysisConfigurations.canary.nanstrategy: unknown key `nanstrategy`; expected `critical`, `direction`, `effectSize`, `mustHaveData`, `muted`, `nanStrategy` or `outliers`
        hint: did you mean `nanStrategy`?
      metrics[0].analysisConfigurations.canary.critical: text `yes`; expected `true` or `false`
        hint: write `true`
      metrics[0].analysisConfigurations.canary.outliers.outlierFactor: number `0`; expected a number above 0
      metrics[0].analysisConfigurations.canary.effectSize.allowedIncrease: text `1.1`; expected a number
        hint: remove the quotes
      metrics[0].analysisConfigurations.canary.effectSize.measure: unknown value `median`; expected `meanRatio` or `cles`
      metrics[1].groups: missing; expected a list
        hint: write `groups: []`
      metrics[1].name: metric name `a` is taken by `metrics[0]`; expected a name of its own
      metrics[1].query.type: unknown value `promehteus`; expected `prometheus`, `stackdriver`, `datadog`, `newrelic`, `influxdb`, `signalfx`, `graphite`, `wavefront` or `atlas`
        hint: did you mean `prometheus`?
      metrics[2].name: missing; expected text that is not empty
      metrics[2].query.customFilter: CanaryMetricSetQueryConfig.customFilter is deprecated, use CanaryMetricSetQueryConfig.customInlineTemplate instead.
        hint: write `customInlineTemplate`
      metrics[2].query.customFilterTemplate: unknown template `lantency`; expected `latency`
        hint: did you mean `latency`?
      classifier.groupWeights: weights add up to 120; expected at most 100 (errors 60, latency 60)
      classifier.scoreThresholds.marginal: marginal 95 is above pass 75; expected at most 75
    ");
}

#[test]
fn what_is_missing_is_named_with_the_shortest_way_to_write_it() {
    assert_snapshot!(strict("metrics: [{}]"), @r"
    3 problems
      classifier: missing; expected a map
        hint: write `classifier: {}`
      metrics[0].name: missing; expected text that is not empty
      metrics[0].groups: missing; expected a list
        hint: write `groups: []`
    ");
    assert_snapshot!(strict("{}"), @r"
    2 problems
      metrics: missing; expected a list with at least one item
      classifier: missing; expected a map
        hint: write `classifier: {}`
    ");
    assert_snapshot!(strict("metrics: []\nclassifier: {scoreThresholds: {pass: 101}}"), @r"
    2 problems
      metrics: an empty list; expected a list with at least one item
      classifier.scoreThresholds.pass: number `101`; expected a number from 0 to 100
    ");
}

#[test]
fn a_misspelt_key_is_not_missing_too() {
    let text =
        "metrics: [{name: m, groops: [g], query: {type: datadog, metricNmae: x}}]\nclasifier: {}";
    assert_snapshot!(strict(text), @r"
    3 problems
      metrics[0].groops: unknown key `groops`; expected `analysisConfigurations`, `groups`, `name`, `query` or `scopeName`
        hint: did you mean `groups`?
      metrics[0].query.metricNmae: unknown key `metricNmae`; expected `customFilterTemplate`, `customInlineTemplate`, `metricName`, `serviceType` or `type`
        hint: did you mean `metricName`?
      clasifier: unknown key `clasifier`; expected `applications`, `classifier`, `configVersion`, `createdTimestamp`, `createdTimestampIso`, `description`, `id`, `judge`, `metrics`, `name`, `templates`, `updatedTimestamp` or `updatedTimestampIso`
        hint: did you mean `classifier`?
    ");
    assert_snapshot!(lenient(text), @r"
    2 problems
      classifier: missing; expected a map
        hint: write `classifier` for `clasifier`
      metrics[0].groups: missing; expected a list
        hint: write `groups` for `groops`
    ");
}

#[test]
fn a_key_at_the_wrong_level_is_sent_to_the_right_one() {
    let indented =
        "metrics:\n- name: m\n  groups: [g]\n  classifier:\n    groupWeights: {g: 100}\n";
    assert_snapshot!(strict(indented), @r"
    1 problem
      metrics[0].classifier: unknown key `classifier`; expected `analysisConfigurations`, `groups`, `name`, `query` or `scopeName`
        hint: move `metrics[0].classifier` to the top level
    ");
    assert_snapshot!(lenient(indented), @r"
    1 problem
      classifier: missing; expected a map
        hint: move `metrics[0].classifier` to the top level
    ");
    let wrapped = "canaryConfig:\n  metrics: [{name: m, groups: [g]}]\n  classifier: {}\n";
    assert_snapshot!(strict(wrapped), @r"
    1 problem
      canaryConfig: unknown key `canaryConfig`; expected `applications`, `classifier`, `configVersion`, `createdTimestamp`, `createdTimestampIso`, `description`, `id`, `judge`, `metrics`, `name`, `templates`, `updatedTimestamp` or `updatedTimestampIso`
        hint: the config stands one level too deep; remove `canaryConfig:` and move what is below it up
    ");
    assert_snapshot!(lenient(wrapped), @r"
    1 problem
      classifier: missing; expected a map
        hint: the config stands one level too deep; remove `canaryConfig:` and move what is below it up
    ");
}

#[test]
fn an_unknown_key_at_the_top_level_shows_the_known_ones() {
    let text = "metrics: [{name: m, groups: [g]}]\nclassifier: {}\nthresholds: {}";
    assert_snapshot!(strict(text), @r"
    1 problem
      thresholds: unknown key `thresholds`; expected `applications`, `classifier`, `configVersion`, `createdTimestamp`, `createdTimestampIso`, `description`, `id`, `judge`, `metrics`, `name`, `templates`, `updatedTimestamp` or `updatedTimestampIso`
    ");
}

#[test]
fn another_kind_of_file_is_recognised() {
    assert_snapshot!(strict("[{\"name\": \"m\", \"values\": {\"experiment\": []}}]"), @r"
    1 problem
      line 1, column 1: a list of 1 item; expected a map of keys and values
        hint: this looks like a list of metric set pairs, which is given as `--pairs`
    ");
    assert_snapshot!(strict("timestamp,m\n0,1\n60,2\n"), @r"
    1 problem
      line 1, column 1: text `timestamp,m 0,1 60,2`; expected a map of keys and values
        hint: this looks like series in CSV, which are given as `--data`, or as `--baseline` and `--canary`
    ");
    assert_snapshot!(strict("\"timestamp\",\"m\"\n0,1\n"), @r"
    1 problem
      line 1, column 12: no valid YAML: invalid trailing content after double-quoted scalar
        hint: this looks like series in CSV, which are given as `--data`, or as `--baseline` and `--canary`
    ");
    assert_snapshot!(strict("- metrics: [{name: m, groups: [g]}]\n  classifier: {}\n"), @r"
    1 problem
      line 1, column 1: a list of 1 item; expected a map of keys and values
        hint: the config stands one level too deep; remove the list around it
    ");
}

#[test]
fn values_of_the_wrong_kind_are_shown_with_what_to_write_instead() {
    assert_snapshot!(strict(&metric("{critical: \"true\", muted: 1, mustHaveData: null}")), @r"
    3 problems
      metrics[0].analysisConfigurations.canary.critical: text `true`; expected `true` or `false`
        hint: remove the quotes
      metrics[0].analysisConfigurations.canary.muted: number `1`; expected `true` or `false`
      metrics[0].analysisConfigurations.canary.mustHaveData: nothing (`null`); expected `true` or `false`
    ");
    assert_snapshot!(strict(&metric("{effectSize: {allowedIncrease: null, criticalIncrease: [1]}}")), @r"
    2 problems
      metrics[0].analysisConfigurations.canary.effectSize.allowedIncrease: nothing (`null`); expected a number
      metrics[0].analysisConfigurations.canary.effectSize.criticalIncrease: a list of 1 item; expected a number
    ");
    assert_snapshot!(strict("configVersion: 1.0\nmetrics: 7\nclassifier: []"), @r#"
    3 problems
      configVersion: number `1.0`; expected text
        hint: write it in quotes: `"1.0"`
      metrics: number `7`; expected a list with at least one item
      classifier: an empty list; expected a map
    "#);
    assert_snapshot!(strict("createdTimestamp: 1.5\nmetrics: [{name: '', groups: g}]\nclassifier: {}"), @r"
    3 problems
      createdTimestamp: number `1.5`; expected a whole number
      metrics[0].name: text ``; expected text that is not empty
      metrics[0].groups: text `g`; expected a list
        hint: write `[g]` for a list of one
    ");
}

#[test]
fn a_threshold_is_held_against_the_default_of_the_other() {
    let config = |thresholds: &str| {
        format!(
            "metrics: [{{name: m, groups: [g]}}]\nclassifier: {{scoreThresholds: {thresholds}}}"
        )
    };
    assert_snapshot!(strict(&config("{pass: 10}")), @r"
    1 problem
      classifier.scoreThresholds.pass: pass 10 is below the default marginal 75; expected at least 75
        hint: write `marginal` too
    ");
    assert_snapshot!(strict(&config("{marginal: 99}")), @r"
    1 problem
      classifier.scoreThresholds.marginal: marginal 99 is above the default pass 95; expected at most 95
    ");
}

#[test]
fn weights_beyond_reckoning_are_refused_in_both_readings() {
    let text = "metrics: [{name: m, groups: [g]}]\nclassifier: {groupWeights: {g: 1e308, h: -1.0e308, i: 2000000, j: 1000000, k: -1000000}}";
    assert_snapshot!(strict(text), @r"
    4 problems
      classifier.groupWeights.g: weight 1e308; expected 0 to 100; no judge can reckon with more than 1000000
      classifier.groupWeights.h: weight -1e308; expected 0 to 100; no judge can reckon with more than 1000000
      classifier.groupWeights.i: weight 2000000; expected 0 to 100; no judge can reckon with more than 1000000
      classifier.groupWeights.k: weight -1000000; expected 0 to 100
    ");
    assert_snapshot!(lenient(text), @r"
    3 problems
      classifier.groupWeights.g: weight 1e308; expected 0 to 100; no judge can reckon with more than 1000000
      classifier.groupWeights.h: weight -1e308; expected 0 to 100; no judge can reckon with more than 1000000
      classifier.groupWeights.i: weight 2000000; expected 0 to 100; no judge can reckon with more than 1000000
    ");
}

#[test]
fn limits_that_no_effect_can_reach_are_refused() {
    assert_snapshot!(strict(&metric("{effectSize: {measure: cles, allowedIncrease: 1.2, criticalDecrease: -0.1}}")), @r"
    2 problems
      metrics[0].analysisConfigurations.canary.effectSize.allowedIncrease: number `1.2`; expected 0 to 1, because `cles` is a chance
      metrics[0].analysisConfigurations.canary.effectSize.criticalDecrease: number `-0.1`; expected 0 to 1, because `cles` is a chance
    ");
    assert_snapshot!(strict(&metric("{effectSize: {allowedIncrease: -10, allowedDecrease: 1.5}}")), @r"
    1 problem
      metrics[0].analysisConfigurations.canary.effectSize.allowedIncrease: number `-10`; expected at least 0: the canary's mean over the baseline's
    ");
}

#[test]
fn a_query_that_cannot_be_asked_is_refused() {
    let queries = [
        "{type: prometheus}",
        "{type: prometheus, metricName: ''}",
        "{type: prometheus, customInlineTemplate: 'a=b'}",
        "{type: stackdriver}",
        "{type: datadog}",
        "{type: newrelic}",
        "{type: newrelic, select: s}",
        "{type: influxdb}",
        "{type: signalfx}",
        "{type: graphite}",
        "{type: wavefront}",
        "{type: atlas}",
    ];
    let metrics: String = queries
        .iter()
        .enumerate()
        .map(|(index, query)| {
            format!("- {{name: m{index}, groups: [g], scopeName: default, query: {query}}}\n")
        })
        .collect();
    assert_snapshot!(strict(&format!("metrics:\n{metrics}classifier: {{}}")), @r"
    13 problems
      metrics[0].query.metricName: missing; expected the name of a metric, or a template that begins with `PromQL:`
      metrics[1].query.metricName: missing; expected the name of a metric, or a template that begins with `PromQL:`
      metrics[2].query.metricName: missing; expected the name of a metric, because the template does not begin with `PromQL:`
      metrics[3].query.metricType: missing; expected text
      metrics[4].query.metricName: missing; expected the name of a metric, or a template
      metrics[5].query.select: missing; expected what stands after `SELECT`, or a template
      metrics[5].query.q: missing; expected what stands after `WHERE`, or a template
      metrics[6].query.q: missing; expected what stands after `WHERE`, or a template
      metrics[7].query.metricName: missing; expected the name of a measurement, or `customInlineTemplate`
      metrics[8].query.metricName: missing; expected the name of a metric, or a template
      metrics[9].query.metricName: missing; expected a target expression
      metrics[10].query.metricName: missing; expected the name of a metric
      metrics[11].query.q: missing; expected a query in Atlas' stack language
    ");
}

#[test]
fn what_stops_kayentas_judge_is_refused_leniently_too() {
    for canary in [
        "{direction: null}",
        "{direction: 5}",
        "{nanStrategy: null}",
        "{outliers: {strategy: null}}",
        "{outliers: {strategy: remove, outlierFactor: 0}}",
        "{outliers: {strategy: remove, outlierFactor: null}}",
        "{outliers: {strategy: remove, outlierFactor: -1}}",
        "{critical: 'true'}",
        "{muted: 1}",
        "{effectSize: {allowedIncrease: '1.1'}}",
        "5",
    ] {
        let problems = lenient(&metric(canary));
        assert!(problems.starts_with("1 problem\n"), "{canary}: {problems}");
    }
    assert_snapshot!(lenient("metrics: [{name: m, groups: null}]\nclassifier: null"), @r"
    2 problems
      metrics[0].groups: missing; expected a list
        hint: write `groups: []`
      classifier: missing; expected a map
        hint: write `classifier: {}`
    ");
    assert_snapshot!(lenient("metrics: [{name: m, groups: [], query: {type: cloudwatch}}, null]\nclassifier: {groupWeights: {g: null}}"), @r"
    3 problems
      metrics[0].query.type: unknown value `cloudwatch`; expected `prometheus`, `stackdriver`, `datadog`, `newrelic`, `influxdb`, `signalfx`, `graphite`, `wavefront` or `atlas`
      metrics[1]: nothing (`null`); expected a map
      classifier.groupWeights.g: nothing (`null`); expected a number
    ");
    assert_snapshot!(lenient("metrics: [{name: m, groups: [], query: {}, analysisConfigurations: {other: 1}}]\nclassifier: {}"), @r"
    2 problems
      metrics[0].query.type: missing; expected `prometheus`, `stackdriver`, `datadog`, `newrelic`, `influxdb`, `signalfx`, `graphite`, `wavefront` or `atlas`
      metrics[0].analysisConfigurations.other: `1`; expected a map
    ");
}

#[test]
fn a_problem_shows_its_line() {
    let text = "\u{feff}metrics:\n- name: m\n  groups: [g]\n  analysisConfigurations:\n    canary:\n      direction: increse # typo\nclassifier: {}\n";
    let problems = load(text, Strictness::Strict).unwrap_err();
    assert_snapshot!(problems.render("checkout.yaml", text, &plain), @r"
    error: metrics[0].analysisConfigurations.canary.direction: unknown value `increse`
      ┌─ checkout.yaml:6:18
      │
    6 │       direction: increse # typo
      │                  ^^^^^^^ expected `increase`, `decrease` or `either`
      = hint: did you mean `increase`?
    ");
}

#[test]
fn an_absent_key_marks_no_other_key() {
    let text = "name: c\nmetrics:\n- groups: [g]\n";
    let problems = load(text, Strictness::Strict).unwrap_err();
    assert_snapshot!(problems.render("c.yaml", text, &plain), @r"
    error: classifier: missing
      ┌─ c.yaml:1:1
      │
    1 │ name: c
      │ expected a key `classifier` here, a map
      = hint: write `classifier: {}`

    error: metrics[0].name: missing
      ┌─ c.yaml:3:3
      │
    3 │ - groups: [g]
      │   expected a key `name` here, text that is not empty
    ");
}

#[test]
fn a_files_name_cannot_steer_the_terminal() {
    for text in ["{", "metrics: 1\nclassifier: {}", ""] {
        let problems = load(text, Strictness::Strict).unwrap_err();
        let shown = problems.render("a\u{1b}[2J\nb.yaml", text, &plain);
        assert!(shown.contains(r"a\u{1b}[2J\nb.yaml"), "{shown}");
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
    }
}

#[test]
fn a_long_line_is_cut_around_the_problem() {
    let long = "x".repeat(200);
    let text = format!(
        "{{\"description\": \"{long}\", \"nmae\": \"{long}\", \"metrics\": [{{\"name\": \"m\", \"groups\": []}}], \"classifier\": {{}}}}"
    );
    let problems = load(&text, Strictness::Strict).unwrap_err();
    assert_snapshot!(problems.render("c.json", &text, &plain), @r#"
    error: nmae: unknown key `nmae`
      ┌─ c.json:1:221
      │
    1 │ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "nmae": "xxxxxxxxxxxxxxxxxxxxxxxxxxxx
      │                                    ^^^^^^ expected `applications`, `classifier`, `configVersion`, `createdTimestamp`, `createdTimestampIso`, `description`, `id`, `judge`, `metrics`, `name`, `templates`, `updatedTimestamp` or `updatedTimestampIso`
      = hint: did you mean `name`?
    "#);
}

#[test]
fn the_parts_of_a_rendered_problem_can_be_coloured() {
    let text = "metrics: [{name: m, groups: []}]\nclassifier: {groupWeight: {}}";
    let problems = load(text, Strictness::Strict).unwrap_err();
    let coloured = problems.render("c.yaml", text, &|role, piece| match role {
        Role::Error => format!("<e>{piece}</e>"),
        Role::Message => format!("<m>{piece}</m>"),
        Role::Frame => format!("<f>{piece}</f>"),
        Role::Caret => format!("<c>{piece}</c>"),
        Role::Hint => format!("<h>{piece}</h>"),
    });
    assert_snapshot!(coloured, @r"
    <e>error</e>: <m>classifier.groupWeight: unknown key `groupWeight`</m>
      <f>┌─</f> c.yaml:2:14
      <f>│</f>
    <f>2</f> <f>│</f> classifier: {groupWeight: {}}
      <f>│</f>              <c>^^^^^^^^^^^ expected `groupWeights` or `scoreThresholds`</c>
      <f>=</f> <h>hint</h>: did you mean `groupWeights`?
    ");
}
