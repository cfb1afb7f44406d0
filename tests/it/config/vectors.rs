//! Kayenta's behaviour, case by case, from `judges/tests/vectors/kayenta_vectors.json`.

use std::collections::BTreeMap;

use coalmine::config::canary::templates::{Scope, bindings, escape, expand, unescape};
use coalmine::config::canary::wire::Query;
use coalmine::config::canary::{load_wire, validate_for_store};
use coalmine::config::{Strictness, load};
use serde_json::Value;

/// Runs `check` on each case of `kind`; every failure is named. `count` holds that none was lost.
fn each(kind: &str, count: usize, check: impl Fn(&Value, &Value) -> Result<(), String>) {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/judges/tests/vectors/kayenta_vectors.json"
    );
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases: Vec<&Value> = cases.iter().filter(|case| case["kind"] == kind).collect();
    assert_eq!(cases.len(), count, "cases of kind {kind}");
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let result = check(&case["input"], &case["expected"]);
            result.err().map(|why| format!("{}: {why}", case["name"]))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn equal<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result<(), String> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("found {found:?}, expected {expected:?}"))
    }
}

#[test]
fn a_lenient_reading_refuses_exactly_the_configs_that_stop_kayentas_judge() {
    each("judge", 289, |input, expected| {
        let refused = expected["exception"]
            .as_str()
            .filter(|exception| !exception.contains("Could not find metric config"));
        let loaded = load(&input["canaryConfig"].to_string(), Strictness::Lenient);
        match (loaded, refused) {
            (Ok(config), None) => {
                let metrics = input["canaryConfig"]["metrics"].as_array().unwrap();
                equal(config.judge_config().metrics.len(), metrics.len())
            }
            (Err(_), Some(_)) => Ok(()),
            (Ok(_), Some(why)) => Err(format!("loaded, but Kayenta says {why}")),
            (Err(problems), None) => Err(problems.to_string()),
        }
    });
}

#[test]
fn configs_are_stored_or_refused_in_kayentas_words() {
    each("canaryConfigValidation", 7, |input, expected| {
        let (wire, _) = load_wire(&input.to_string(), Strictness::Lenient)
            .map_err(|problems| problems.to_string())?;
        let refusal = validate_for_store(&wire)
            .err()
            .map(|error| error.to_string());
        equal(refusal.as_deref(), expected["message"].as_str())
    });
}

#[test]
fn templates_are_escaped_for_the_way() {
    each("escapeTemplates", 1, |input, expected| {
        let escaped = escape(input["template"].as_str().unwrap());
        equal(Some(escaped.as_str()), expected["value"].as_str())
    });
}

#[test]
fn templates_are_unescaped_before_use() {
    each("unescapeTemplate", 3, |input, expected| {
        let unescaped = unescape(input["template"].as_str().unwrap());
        equal(Some(unescaped.as_str()), expected["value"].as_str())
    });
}

#[test]
fn templates_expand_or_fail_in_kayentas_words() {
    each("expandTemplate", 5, |input, expected| {
        let map = |key: &str| -> BTreeMap<String, String> {
            serde_json::from_value(input[key].clone()).unwrap_or_default()
        };
        let query: Query = serde_json::from_value(serde_json::json!({
            "type": "prometheus",
            "customInlineTemplate": input["inline"],
            "customFilterTemplate": input["customFilterTemplate"],
        }))
        .unwrap();
        let scope = Scope {
            attributes: BTreeMap::new(),
            extended: map("extendedScopeParams"),
        };
        match expand(&map("templates"), &query, &bindings(&query, &scope)) {
            Ok(value) => equal(value.as_deref(), expected["value"].as_str()),
            Err(error) => equal(Some(error.to_string().as_str()), expected["error"].as_str()),
        }
    });
}
