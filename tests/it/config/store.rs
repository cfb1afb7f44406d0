//! What a service may store though no judge could judge by it.

use coalmine::config::Strictness;
use coalmine::config::canary::{StoreRefusal, load_wire, validate_for_store};

fn check(text: &str, expected: Result<(), StoreRefusal>) {
    let (wire, _) = load_wire(text, Strictness::Lenient).unwrap();
    assert_eq!(validate_for_store(&wire), expected, "{text}");
}

#[test]
fn the_first_refusal_is_the_one_that_kayenta_gives() {
    check("{}", Err(StoreRefusal::NoName));
    check(
        r#"{"name": "a b", "metrics": [{}]}"#,
        Err(StoreRefusal::NoApplication),
    );
    check(
        r#"{"name": "a b", "applications": ["a"], "metrics": [{}]}"#,
        Err(StoreRefusal::BadName("a b".into())),
    );
    check(
        r#"{"name": "ä", "applications": ["a"]}"#,
        Err(StoreRefusal::BadName("ä".into())),
    );
    check(
        r#"{"name": "a-_9", "applications": ["a"], "metrics": [{"name": "m"}, {"name": ""}]}"#,
        Err(StoreRefusal::NoMetricName),
    );
}

#[test]
fn nothing_else_is_checked_when_a_config_is_stored() {
    check(
        r#"{"name": "n", "applications": [""], "classifier": {"groupWeights": {"g": 900}, "scoreThresholds": {"pass": -1}},
            "judge": {"name": "nobody"}, "metrics": [{"name": "m", "query": {"type": "atlas"},
            "analysisConfigurations": {"canary": {"critical": "true", "direction": null}}}]}"#,
        Ok(()),
    );
}

#[test]
fn a_stored_config_keeps_the_settings_that_no_judge_could_use() {
    let text = r#"{"metrics": [{"name": "m", "analysisConfigurations": {"canary": {"critical": "true"}, "x": {"y": null}}}], "z": 1}"#;
    let (wire, ignored) = load_wire(text, Strictness::Lenient).unwrap();
    assert_eq!(ignored, ["z: unknown key"]);
    assert_eq!(
        serde_json::to_value(&wire).unwrap()["metrics"][0]["analysisConfigurations"],
        serde_json::json!({"canary": {"critical": "true"}, "x": {"y": null}})
    );
}
