//! What a config means to the judge.

use coalmine::config::{CanaryConfig, Strictness, load};
use coalmine_judges::config::{
    Direction, EffectLimits, EffectMeasure, MetricSpec, NanStrategy, OutlierFactor, Outliers,
    Thresholds,
};
use insta::assert_snapshot;

fn read(text: &str, strictness: Strictness) -> CanaryConfig {
    load(text, strictness).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

/// The one metric of a config that has `canary` under `analysisConfigurations.canary`.
fn spec(canary: &str, strictness: Strictness) -> (MetricSpec, Vec<String>) {
    let text = format!(
        "metrics: [{{name: m, groups: [g], analysisConfigurations: {{canary: {canary}}}}}]\nclassifier: {{}}"
    );
    let config = read(&text, strictness);
    let spec = config.judge_config().metrics[0].clone();
    (spec, config.ignored().to_vec())
}

#[track_caller]
fn check(canary: &str, expected: impl FnOnce(&mut MetricSpec)) {
    let mut spec_expected = MetricSpec::new("m", ["g"]);
    expected(&mut spec_expected);
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        let (spec, ignored) = spec(canary, strictness);
        assert_eq!(spec, spec_expected, "{canary} {strictness:?}");
        assert_eq!(ignored, [""; 0], "{canary} {strictness:?}");
    }
}

#[test]
fn what_is_absent_takes_kayentas_default() {
    check("{}", |_| {});
    check("null", |_| {});
    check("{effectSize: null, outliers: {}}", |_| {});
    let config = read(
        "metrics: [{name: m, groups: []}]\nclassifier: {}",
        Strictness::Strict,
    );
    assert_eq!(
        config.judge_config().metrics,
        [MetricSpec::new("m", [""; 0])]
    );
    assert_eq!(
        (
            config.name(),
            config.judge_name(),
            config.score_thresholds()
        ),
        (None, None, None)
    );
}

#[test]
fn every_setting_reaches_the_judge() {
    check("{direction: decrease, nanStrategy: replace}", |spec| {
        spec.direction = Direction::Decrease;
        spec.nan_strategy = NanStrategy::Replace;
    });
    check(
        "{critical: true, mustHaveData: true, muted: true}",
        |spec| {
            (spec.critical, spec.must_have_data, spec.muted) = (true, true, true);
        },
    );
    check("{outliers: {strategy: remove}}", |spec| {
        spec.outliers = Outliers::Remove {
            factor: OutlierFactor::DEFAULT,
        };
    });
    check("{outliers: {strategy: remove, outlierFactor: 2}}", |spec| {
        spec.outliers = Outliers::Remove {
            factor: OutlierFactor::new(2.0).unwrap(),
        };
    });
    check("{outliers: {strategy: keep, outlierFactor: 2}}", |_| {});
    check(
        "{effectSize: {allowedIncrease: 2, allowedDecrease: 0.5, criticalIncrease: 3.5, criticalDecrease: 0.25}}",
        |spec| {
            spec.effect = EffectLimits {
                measure: EffectMeasure::MeanRatio,
                allowed_increase: 2.0,
                allowed_decrease: 0.5,
                critical_increase: 3.5,
                critical_decrease: 0.25,
            };
        },
    );
}

#[test]
fn the_measure_decides_the_default_limits() {
    check(
        "{effectSize: {measure: cles, allowedIncrease: 0.7}}",
        |spec| {
            spec.effect = EffectLimits::defaults(EffectMeasure::Cles);
            spec.effect.allowed_increase = 0.7;
            assert_eq!(spec.effect.critical_decrease, 0.5);
        },
    );
}

#[test]
fn a_threshold_that_is_absent_takes_its_own_default() {
    let thresholds = |text: &str, strictness| {
        let text = format!("metrics: [{{name: m, groups: []}}]\nclassifier: {{{text}}}");
        let found = read(&text, strictness).score_thresholds();
        found.map(|found| (found.pass, found.marginal))
    };
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        let check = |text: &str, expected| assert_eq!(thresholds(text, strictness), expected);
        check("scoreThresholds: {pass: 80}", Some((80.0, 75.0)));
        check("scoreThresholds: {marginal: 10}", Some((95.0, 10.0)));
        check("scoreThresholds: {pass: 2, marginal: 1}", Some((2.0, 1.0)));
        check("scoreThresholds: {}", None);
        check("", None);
    }
    let lone = thresholds("scoreThresholds: {pass: 10}", Strictness::Lenient);
    assert_eq!(lone, Some((10.0, 75.0)));
}

#[test]
fn lenient_null_is_false_for_a_flag_and_zero_for_a_number() {
    let (read, ignored) = spec(
        "{critical: null, muted: null, effectSize: {allowedIncrease: null}}",
        Strictness::Lenient,
    );
    let mut expected = MetricSpec::new("m", ["g"]);
    expected.effect.allowed_increase = 0.0;
    assert_eq!(read, expected);
    assert_snapshot!(ignored.join("\n"), @"metrics[0].analysisConfigurations.canary.effectSize.allowedIncrease: `null`, read as 0");
}

#[test]
fn a_lenient_reading_lists_what_it_passes_over() {
    let config = read(
        r#"{"name": "imported", "configVersion": 1.0, "id": 7, "isNew": true, "applications": null,
            "judge": {"name": "NetflixACAJudge-v1.0", "judgeConfigurations": {"x": {"y": null}}},
            "metrics": [{"name": "m", "groups": ["g"], "extensions": {},
              "query": {"type": "prometheus", "metricName": "x", "step": "60", "serviceType": "prometheus"},
              "analysisConfigurations": {"other": {"critical": true}, "canary": {"direction": "sideways",
                "nanStrategy": "Replace", "outliers": {"strategy": "trim", "outlierFactor": -1}, "effectSize":
                {"measure": "bogus", "allowedIncrease": 2}, "kind": 3, "critical": true}}}],
            "classifier": {"groupWeights": {"g": "100"}, "scoreThresholds": {"pass": "95", "marginal": 75}}}"#,
        Strictness::Lenient,
    );
    let mut expected = MetricSpec::new("m", ["g"]);
    expected.critical = true;
    expected.effect.allowed_increase = 2.0;
    assert_eq!(config.judge_config().metrics, [expected]);
    assert_eq!(config.judge_config().group_weights["g"], 100.0);
    assert_eq!(config.score_thresholds(), Some(Thresholds::default()));
    assert_eq!(config.wire().config_version.as_deref(), Some("1.0"));
    assert_eq!(config.wire().id.as_deref(), Some("7"));
    assert_snapshot!(config.ignored().join("\n"), @r"
    isNew: unknown key
    metrics[0].extensions: unknown key
    metrics[0].query.step: unknown key
    metrics[0].analysisConfigurations.other: unknown key
    metrics[0].analysisConfigurations.canary.kind: unknown key
    metrics[0].analysisConfigurations.canary.direction: unknown value `sideways`, read as the default; known are `increase`, `decrease` or `either`
    metrics[0].analysisConfigurations.canary.nanStrategy: unknown value `Replace`, read as the default; known are `remove` or `replace`
    metrics[0].analysisConfigurations.canary.outliers.strategy: unknown value `trim`, read as the default; known are `keep` or `remove`
    metrics[0].analysisConfigurations.canary.effectSize.measure: unknown value `bogus`, read as the default; known are `meanRatio` or `cles`
    ");
}

#[test]
fn an_outlier_factor_matters_only_where_outliers_are_removed() {
    let (spec, _) = spec(
        "{outliers: {strategy: keep, outlierFactor: 0}}",
        Strictness::Lenient,
    );
    assert_eq!(spec.outliers, Outliers::Keep);
}

#[test]
fn a_level_that_is_no_map_is_read_as_absent_leniently() {
    let (read, ignored) = spec("{outliers: remove, effectSize: 2}", Strictness::Lenient);
    assert_eq!(read, MetricSpec::new("m", ["g"]));
    assert_snapshot!(ignored.join("\n"), @r"
    metrics[0].analysisConfigurations.canary.outliers: no map, read as absent
    metrics[0].analysisConfigurations.canary.effectSize: no map, read as absent
    ");
}

#[test]
fn our_own_settings_pass_through() {
    let text = "metrics: [{name: m, groups: [], analysisConfigurations: {coalmine: {kind: count, tolerance: 0.1}}}]\nclassifier: {}";
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        let config = read(text, strictness);
        let written: serde_json::Value = serde_json::from_str(&config.to_json()).unwrap();
        assert_eq!(
            written["metrics"][0]["analysisConfigurations"],
            serde_json::json!({"coalmine": {"kind": "count", "tolerance": 0.1}})
        );
        assert_eq!(config.ignored(), [""; 0]);
    }
}

#[test]
fn all_that_kayenta_knows_is_written_as_it_was_read() {
    let text = r#"{"createdTimestamp": 1577836800000, "updatedTimestamp": 1577836800001,
        "createdTimestampIso": "2020-01-01T00:00:00Z", "updatedTimestampIso": "2020-01-01T00:00:00.001Z",
        "name": "all", "id": "x", "description": "d", "configVersion": "1", "applications": ["a", "b"],
        "judge": {"name": "NetflixACAJudge-v1.0", "judgeConfigurations": {"deep": [1, null]}},
        "metrics": [
          {"name": "1", "query": {"type": "prometheus", "metricName": "m", "resourceType": "r", "labelBindings": ["l"],
            "groupByFields": ["f"], "customInlineTemplate": "i", "customFilterTemplate": "t", "serviceType": "prometheus"}},
          {"name": "2", "query": {"type": "stackdriver", "metricType": "m", "resourceType": "r", "crossSeriesReducer": "c",
            "perSeriesAligner": "p", "groupByFields": ["f"], "customInlineTemplate": "i", "serviceType": "stackdriver"}},
          {"name": "3", "query": {"type": "datadog", "metricName": "m", "customFilterTemplate": "t", "serviceType": "datadog"}},
          {"name": "4", "query": {"type": "newrelic", "select": "s", "q": "q", "serviceType": "newrelic"}},
          {"name": "5", "query": {"type": "influxdb", "metricName": "m", "fields": ["f"], "serviceType": "influxdb"}},
          {"name": "6", "query": {"type": "signalfx", "metricName": "m", "queryPairs": [{"key": "k", "value": "v"}],
            "aggregationMethod": "mean", "serviceType": "signalfx"}},
          {"name": "7", "query": {"type": "graphite", "metricName": "m", "serviceType": "graphite"}},
          {"name": "8", "query": {"type": "wavefront", "metricName": "m", "aggregate": "avg", "summarization": "MEAN"}},
          {"name": "9", "query": {"type": "atlas", "q": "q", "serviceType": "atlas"}}
        ],
        "templates": {"t": "x"},
        "classifier": {"groupWeights": {"g": 100.0}, "scoreThresholds": {"pass": 95.0, "marginal": 75.0}}}"#;
    let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
    for metric in value["metrics"].as_array_mut().unwrap() {
        metric["groups"] = serde_json::json!(["g"]);
        metric["scopeName"] = "default".into();
        metric["analysisConfigurations"] = serde_json::json!({"canary": {"direction": "increase"}});
    }
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        let config = read(&value.to_string(), strictness);
        let written: serde_json::Value = serde_json::from_str(&config.to_json()).unwrap();
        assert_eq!(written, value);
        assert_eq!(config.ignored(), [""; 0]);
    }
}

#[test]
fn yaml_and_json_of_a_config_are_the_same_config() {
    let yaml = "name: c\nmetrics:\n- name: m\n  groups: [g]\n  analysisConfigurations: &a\n    canary: {direction: increase}\n- name: n\n  groups: [g]\n  analysisConfigurations: *a\nclassifier: {groupWeights: {g: 100}}\n";
    let config = read(yaml, Strictness::Strict);
    assert_eq!(
        config.judge_config().metrics[1].direction,
        Direction::Increase
    );
    assert!(read(&config.to_json(), Strictness::Strict).same_value(&config));
}

#[test]
fn yaml_on_one_line_is_not_taken_for_json() {
    let text = "{name: flow, applications: [a], metrics: [{name: m, groups: [g]}], classifier: {groupWeights: {g: 100}}}";
    let config = load(text, Strictness::Strict).unwrap();
    assert_eq!(config.name(), Some("flow"));
}

/// The example for people is a config, and asks for what the text beside it says.
#[test]
fn the_manuals_example_of_a_history_loads() {
    let manual = include_str!("../../../docs/input-files.md");
    let (_, section) = manual.split_once("## The past of a metric").unwrap();
    let (_, example) = section.split_once("```yaml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let config = read(example, Strictness::Strict);
    let history = config.wire().metrics[0].history().unwrap().unwrap();
    assert_eq!((history.hours, history.scope.as_deref()), (24, Some("v41")));
}

#[test]
fn a_history_is_asked_for_in_one_way_only() {
    let with = |history: &str| {
        format!(
            "metrics: [{{name: m, groups: [], analysisConfigurations: {{coalmine: {{history: {history}}}}}}}]\nclassifier: {{}}"
        )
    };
    let config = read(&with("{hours: 24, scope: web-live}"), Strictness::Strict);
    let history = config.wire().metrics[0].history().unwrap().unwrap();
    assert_eq!(
        (history.hours, history.scope.as_deref()),
        (24, Some("web-live"))
    );
    for (bad, word) in [
        ("{hours: 0}", "1 to 2160"),
        ("{hours: 2161}", "1 to 2160"),
        ("{}", "hours"),
        ("{hours: 1, days: 2}", "days"),
        ("24", "number"),
    ] {
        let text = with(bad);
        assert!(load(&text, Strictness::Strict).is_err(), "{bad}");
        // Kayenta keeps what it does not know, so a lenient reading finds it later.
        let lenient = read(&text, Strictness::Lenient);
        let error = lenient.wire().metrics[0].history().expect_err(bad);
        assert!(
            error.contains(word) || error.contains("24"),
            "{bad}: {error}"
        );
    }
}

#[test]
fn a_config_that_a_service_holds_is_read_as_a_lenient_text_is() {
    let text = "metrics: [{name: m, groups: [g], analysisConfigurations: {canary: {direction: up}}}, {name: m, groups: []}]\nclassifier: {groupWeights: {g: 100}}";
    let from_text = read(text, Strictness::Lenient);
    let held = coalmine::config::canary::of_wire(from_text.wire().clone()).unwrap();
    assert!(held.same_value(&from_text));
    assert_eq!(held.ignored(), from_text.ignored());
    let messages = |config: &CanaryConfig| {
        let mut all: Vec<String> = config
            .warnings()
            .iter()
            .map(|w| w.message.clone())
            .collect();
        all.sort();
        all
    };
    assert_eq!(messages(&held), messages(&from_text));
    assert!(!messages(&held).is_empty());
    let nothing = coalmine::config::canary::wire::CanaryConfig::default();
    let problems = coalmine::config::canary::of_wire(nothing).expect_err("no classifier");
    assert!(problems.to_string().contains("classifier"), "{problems}");
}
