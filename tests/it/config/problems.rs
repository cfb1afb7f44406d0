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
    3 problems
      metrics: an empty list; expected a list with at least one item
      classifier.scoreThresholds.marginal: missing; expected a number from 0 to 100
      classifier.scoreThresholds.pass: number `101`; expected a number from 0 to 100
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
        hint: write `groups: []` for none
      classifier: missing; expected a map
        hint: write `classifier: {}` for equal weights
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
      │                                    ^^^^^^
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
