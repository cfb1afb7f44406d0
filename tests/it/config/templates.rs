//! Query templates beyond Kayenta's own cases.

use std::collections::BTreeMap;
use std::error::Error;

use coalmine::config::canary::templates::{
    Scope, TemplateError, bindings, escape_all, expand, substitute,
};
use coalmine::config::canary::wire::Query;
use coalmine::config::{Strictness, load};
use insta::assert_snapshot;
use proptest::prelude::*;

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[track_caller]
fn check(template: &str, values: &[(&str, &str)], expected: &str) {
    assert_eq!(
        substitute(template, &map(values)).as_deref(),
        Ok(expected),
        "{template}"
    );
}

fn failure(template: &str, values: &[(&str, &str)]) -> String {
    substitute(template, &map(values)).unwrap_err().to_string()
}

fn query(json: serde_json::Value) -> Query {
    serde_json::from_value(json).unwrap()
}

#[test]
fn variables_take_their_value_or_their_default() {
    check("a ${x} b", &[("x", "1")], "a 1 b");
    check("${x}${x}", &[("x", "1")], "11");
    check("${x:-2}", &[("x", "1")], "1");
    check("${x:-2}", &[], "2");
    check("${x:-}", &[], "");
    check("${x:-a:-b}", &[], "a:-b");
    check("${x}", &[("x", "")], "");
    check("äöü ${ü} …", &[("ü", "ß")], "äöü ß …");
}

#[test]
fn values_are_expanded_themselves() {
    check("${a}", &[("a", "<${b}>"), ("b", "${c:-d}")], "<d>");
    check("${x:-$${b}}", &[("b", "1")], "${b}");
}

#[test]
fn what_is_no_variable_stays() {
    check("$x {y} $ ${open", &[], "$x {y} $ ${open");
    check("$${x}", &[("x", "1")], "${x}");
    check("$$${x}", &[("x", "1")], "$${x}");
    check("$${a ${x}}", &[("x", "1")], "${a 1}");
    check(
        "sum by (le) (rate(x{a=~\"^b$\"}[1m]))",
        &[],
        "sum by (le) (rate(x{a=~\"^b$\"}[1m]))",
    );
}

#[test]
fn expansions_without_end_are_refused() {
    assert_snapshot!(failure("${a}", &[("a", "${a}")]), @"variable `a` contains itself: a -> a");
    assert_snapshot!(failure("${a}", &[("a", "${b}"), ("b", "x${c}"), ("c", "${a}")]), @"variable `a` contains itself: a -> b -> c -> a");
    assert_snapshot!(failure("${nope}", &[("scope", "s"), ("location", "l")]), @"variable `nope` has no value; known are `location`, `scope`");
    let names: Vec<String> = (0..200).map(|level| format!("v{level}")).collect();
    let chain: BTreeMap<String, String> = (0..199)
        .map(|level| (names[level].clone(), format!("${{{}}}", names[level + 1])))
        .collect();
    assert_snapshot!(substitute("${v0}", &chain).unwrap_err().to_string(), @"expands to more than 1048576 bytes, 10000 variables or 64 values inside each other");
    for leaf in ["", "lol"] {
        let mut bomb: BTreeMap<String, String> = (0..40)
            .map(|level| {
                (
                    names[level].clone(),
                    format!("${{{0}}}${{{0}}}", names[level + 1]),
                )
            })
            .collect();
        bomb.insert("v40".to_owned(), leaf.to_owned());
        assert!(
            substitute("${v0}", &bomb)
                .unwrap_err()
                .to_string()
                .contains("expands to more")
        );
    }
}

#[test]
fn a_failure_names_its_cause() {
    let inline = query(serde_json::json!({"type": "datadog", "customInlineTemplate": "$\\{x}"}));
    let error = expand(&map(&[]), &inline, &map(&[])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Problem evaluating custom filter template: ${x}"
    );
    assert_eq!(
        error.source().unwrap().to_string(),
        "variable `x` has no value; known are none"
    );
}

#[test]
fn an_old_filter_is_refused_and_no_template_is_no_error() {
    let old = query(
        serde_json::json!({"type": "prometheus", "customFilter": "", "customInlineTemplate": "x"}),
    );
    assert_eq!(
        expand(&map(&[]), &old, &map(&[])),
        Err(TemplateError::Deprecated)
    );
    let none = query(
        serde_json::json!({"type": "prometheus", "customInlineTemplate": "", "customFilterTemplate": ""}),
    );
    assert_eq!(expand(&map(&[]), &none, &map(&[])), Ok(None));
    let named = query(serde_json::json!({"type": "newrelic", "customFilterTemplate": "t"}));
    assert_eq!(
        expand(&map(&[("t", "T")]), &named, &map(&[])),
        Ok(Some("T".to_owned()))
    );
}

#[test]
fn later_bindings_win() {
    let scope = Scope {
        attributes: map(&[
            ("scope", "s"),
            ("location", ""),
            ("resourceType", "from scope"),
            ("step", "60"),
        ]),
        extended: map(&[("scope", "extended"), ("extra", "e")]),
    };
    let check = |json: serde_json::Value, expected: &[(&str, &str)]| {
        assert_eq!(bindings(&query(json), &scope), map(expected));
    };
    check(
        serde_json::json!({"type": "prometheus", "resourceType": "from query"}),
        &[
            ("scope", "extended"),
            ("resourceType", "from query"),
            ("extra", "e"),
        ],
    );
    check(
        serde_json::json!({"type": "stackdriver", "resourceType": ""}),
        &[
            ("scope", "extended"),
            ("resourceType", "from scope"),
            ("extra", "e"),
        ],
    );
    check(
        serde_json::json!({"type": "newrelic"}),
        &[("scope", "extended"), ("step", "60"), ("extra", "e")],
    );
    check(
        serde_json::json!({"type": "atlas"}),
        &[("scope", "extended"), ("extra", "e")],
    );
}

#[test]
fn a_whole_config_is_escaped_and_nothing_else_in_it_changes() {
    let text = r#"{"metrics": [{"name": "${m}", "groups": [], "query": {"type": "prometheus", "customInlineTemplate": "a ${b}"}}],
        "templates": {"t": "${x} $${y}"}, "classifier": {}}"#;
    let config = load(text, Strictness::Lenient).unwrap();
    let escaped = escape_all(config.wire().clone());
    assert_eq!(escaped.templates["t"], "$\\{x} $$\\{y}");
    assert_eq!(escaped.metrics[0].name.as_deref(), Some("${m}"));
    assert_eq!(
        escaped.metrics[0].query.as_ref().unwrap().inline_template(),
        Some("a $\\{b}")
    );
}

proptest! {
    #[test]
    fn no_template_panics_and_values_without_marks_are_final(
        template in "([$]\\{[a-c]\\}|[$]\\{|\\}|:-|[a-c$ä]){0,20}",
        a in "[$]?\\{?[a-c]\\}?", b in "([$]\\{c\\}|x){0,3}",
    ) {
        let values = map(&[("a", &a), ("b", &b), ("c", "C")]);
        if let Ok(expanded) = substitute(&template, &values) && !template.contains('$') {
            prop_assert_eq!(expanded, template);
        }
    }
}
