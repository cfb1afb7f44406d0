//! Input that nobody means well with, and input that is merely broken.

use coalmine::config::node::Node;
use coalmine::config::{Strictness, fuzz_load, load};
use insta::assert_snapshot;
use proptest::prelude::*;

/// What a strict reading says about `text`.
fn refusal(text: &str) -> String {
    load(text, Strictness::Strict).unwrap_err().to_string()
}

#[test]
fn texts_without_a_config_are_refused() {
    for text in ["", " \n\n", "# only\n# comments\n", "---\n", "\u{feff}"] {
        assert!(!refusal(text).is_empty(), "{text:?}");
    }
    assert_snapshot!(refusal(""), @r"
    1 problem
      no content; expected a map of keys and values
    ");
    assert_snapshot!(refusal("# only\n# comments\n"), @r"
    1 problem
      no content; expected a map of keys and values
    ");
    assert_snapshot!(refusal("---\n"), @r"
    1 problem
      line 2, column 1: nothing (`null`); expected a map of keys and values
    ");
    assert_snapshot!(refusal("just text"), @r"
    1 problem
      line 1, column 1: text `just text`; expected a map of keys and values
    ");
    assert_snapshot!(refusal("- a\n- b\n"), @r"
    1 problem
      line 1, column 1: a list of 2 items; expected a map of keys and values
    ");
    assert_snapshot!(refusal("[1, 2]"), @r"
    1 problem
      line 1, column 1: a list of 2 items; expected a map of keys and values
    ");
}

#[test]
fn syntax_errors_say_where() {
    assert_snapshot!(refusal("{\"name\": \"ä\", }"), @r"
    1 problem
      line 1, column 15: no valid JSON: key must be a string
        hint: remove the comma before `}`
    ");
    assert_snapshot!(refusal("{\"metrics\": [\n  {\"name\": \"m\"\n"), @r#"
    1 problem
      line 3, column 1: no valid JSON: EOF while parsing an object
        hint: the text ends too early; write the `"`, `]` or `}` that is missing
    "#);
    assert_snapshot!(refusal("{} {}"), @r"
    1 problem
      line 1, column 4: no valid JSON: trailing characters
        hint: a file holds one config; remove what follows it
    ");
    assert_snapshot!(refusal("name: [a\nmetrics: }"), @r"
    1 problem
      line 2, column 8: no valid YAML: illegal placement of ':' indicator
    ");
    assert_snapshot!(refusal("metrics:\n\t- name: m\n"), @r"
    1 problem
      line 2, column 2: no valid YAML: tabs disallowed within this context (block indentation)
        hint: YAML is indented with spaces only
    ");
    assert_snapshot!(refusal("name: a\n---\nname: b\n"), @r"
    1 problem
      line 2, column 1: a second document; expected one document in a file
        hint: remove `---` and what follows, or put it into a file of its own
    ");
    assert_snapshot!(refusal("name: !secret a\n"), @r"
    3 problems
      metrics: missing; expected a list with at least one item
      classifier: missing; expected a map
        hint: write `classifier: {}`
      name: tag `!secret`
        hint: remove the tag; a config holds plain values
    ");
    assert_snapshot!(refusal("base: &b {x: 1}\nmetrics:\n  <<: *b\n"), @r"
    1 problem
      line 3, column 3: merge key `<<`
        hint: YAML 1.2 has no merging; write the keys out, or use an alias for the whole map
    ");
    assert_snapshot!(refusal("? [a, b]\n: c\n"), @r"
    1 problem
      line 1, column 3: a list or map as a key; expected a word as a key
    ");
    assert_snapshot!(refusal("a: &a [*a]\n"), @r"
    1 problem
      line 1, column 8: an alias inside the value that it names
    ");
    assert_snapshot!(refusal(r#"{"name": "\ud800"}"#), @r#"
    1 problem
      line 1, column 10: no valid JSON: the text "\ud800" has half of a surrogate pair
    "#);
}

#[test]
fn syntax_errors_say_what_to_do() {
    assert_snapshot!(refusal("{\"metrics\": [\n  1,\n]}"), @r"
    1 problem
      line 3, column 1: no valid JSON: expected value
        hint: remove the comma before `]`
    ");
    assert_snapshot!(refusal("{\n  \"name\": \"c\",\n}"), @r"
    1 problem
      line 3, column 1: no valid JSON: key must be a string
        hint: remove the comma before `}`
    ");
    assert_snapshot!(refusal("{'name': 1}"), @r"
    1 problem
      line 1, column 2: no valid JSON: key must be a string
        hint: write texts in double quotes
    ");
    assert_snapshot!(refusal("{\"a\": 1 \"b\": 2}"), @r"
    1 problem
      line 1, column 9: no valid JSON: expected `,` or `}`
        hint: write a comma before it, or close what is open
    ");
    assert_snapshot!(refusal("{\"a\" 1}"), @r"
    1 problem
      line 1, column 6: no valid JSON: expected `:`
        hint: write `:` between a key and its value
    ");
    assert_snapshot!(refusal("{\"a\": \"x\ny\"}"), @r"
    1 problem
      line 1, column 8: no valid JSON: control character (\u0000-\u001F) found while parsing a string
        hint: write `\n` for the end of a line in a text, and `\t` for a tab
    ");
    assert_snapshot!(refusal("{\"a\": 1, // one\n\"b\": 2}"), @r"
    1 problem
      line 1, column 10: no valid JSON: key must be a string
        hint: JSON has no comments; remove it, or write the config as YAML
    ");
    assert_snapshot!(refusal("// a config\n{\"name\": \"c\"}"), @r"
    1 problem
      line 2, column 8: no valid YAML: mapping values are not allowed in this context
        hint: JSON has no comments; remove them, or write the config as YAML
    ");
    assert_snapshot!(refusal("/* a config */ {\"name\": \"c\"}"), @r"
    1 problem
      line 1, column 28: no valid YAML: invalid trailing content after double-quoted scalar
        hint: JSON has no comments; remove them, or write the config as YAML
    ");
    assert_snapshot!(refusal("metrics:\n  - name: m\n   groups: [g]\n"), @r"
    1 problem
      line 3, column 4: no valid YAML: while parsing a block collection, did not find expected '-' indicator
        hint: this line's indentation fits no line above
    ");
    assert_snapshot!(refusal("judge:\n  name: a\n version: b\n"), @r"
    1 problem
      line 3, column 2: no valid YAML: while parsing a block mapping, did not find expected key
        hint: this line's indentation fits no line above
    ");
    assert_snapshot!(refusal("description: from a: to b\n"), @r"
    1 problem
      line 1, column 20: no valid YAML: mapping values are not allowed in this context
        hint: a text with `: ` in it needs quotes; a key begins in the column of the other keys of its map
    ");
    assert_snapshot!(refusal("groups: [a b: c\nname: d\n"), @r"
    1 problem
      line 2, column 5: no valid YAML: while parsing a flow mapping, did not find expected ',' or '}'
        hint: write a comma between two items, and `}` or `]` at the end
    ");
    assert_snapshot!(refusal("name: \"a\n"), @r"
    1 problem
      line 1, column 7: no valid YAML: while scanning a quoted scalar, found unexpected end of stream
        hint: close the text with the quote that it begins with
    ");
    assert_snapshot!(refusal("name: \"\\d\"\n"), @r"
    1 problem
      line 1, column 7: no valid YAML: while parsing a quoted scalar, found unknown escape character
        hint: write `\\` for a backslash, or use single quotes
    ");
    assert_snapshot!(refusal("name: @a\n"), @r"
    1 problem
      line 1, column 7: no valid YAML: unexpected character: `@'
        hint: write a text that begins with this character in quotes
    ");
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    assert_snapshot!(refusal("{\"name\": \"a\",\n \"name\": \"b\"}"), @r"
    3 problems
      metrics: missing; expected a list with at least one item
      classifier: missing; expected a map
        hint: write `classifier: {}`
      name: key `name` stands twice; expected each key once in a map
    ");
    assert_snapshot!(refusal("name: a\nmetrics: []\nname: b\n"), @r"
    3 problems
      classifier: missing; expected a map
        hint: write `classifier: {}`
      metrics: an empty list; expected a list with at least one item
      name: key `name` stands twice; expected each key once in a map
    ");
}

#[test]
fn what_is_wrong_with_a_scalar_hides_no_other_problem() {
    let yaml = "metrics:\n- name: m\n  name: n\n  groups: g\nclassifier:\n  groupWeights: {g: 1e999, h: !secret x, i: text}\n";
    assert_snapshot!(refusal(yaml), @r"
    5 problems
      metrics[0].name: key `name` stands twice; expected each key once in a map
      metrics[0].groups: text `g`; expected a list
        hint: write `[g]` for a list of one
      classifier.groupWeights.g: number `1e999`; expected a finite number, at most 1.8e308
      classifier.groupWeights.h: tag `!secret`
        hint: remove the tag; a config holds plain values
      classifier.groupWeights.i: text `text`; expected a number
    ");
    let json = r#"{"metrics": [{"name": "m", "groups": [], "groups": "g"}], "classifier": {"groupWeights": {"g": 1e999, "h": "x"}}}"#;
    assert_snapshot!(refusal(json), @r"
    4 problems
      metrics[0].groups: key `groups` stands twice; expected each key once in a map
      metrics[0].groups: text `g`; expected a list
        hint: write `[g]` for a list of one
      classifier.groupWeights.g: number `1e999`; expected a finite number, at most 1.8e308
      classifier.groupWeights.h: text `x`; expected a number
    ");
}

#[test]
fn of_a_key_that_stands_twice_the_last_counts_in_a_lenient_reading() {
    let json = r#"{"name": "a", "metrics": [], "name": "b", "metrics": [{"name": "m", "name": "n", "groups": ["g"]}], "classifier": {}}"#;
    let yaml = "name: a\nmetrics: []\nname: b\nmetrics:\n- name: m\n  name: n\n  groups: [g]\nclassifier: {}\n";
    for text in [json, yaml] {
        let config = load(text, Strictness::Lenient).unwrap();
        assert_eq!(config.name(), Some("b"));
        assert_eq!(config.judge_config().metrics[0].name, "n");
        let mut ignored = config.ignored().to_vec();
        ignored.sort();
        assert_eq!(
            ignored,
            [
                "metrics: stands twice; the last one counts",
                "metrics[0].name: stands twice; the last one counts",
                "name: stands twice; the last one counts",
            ]
        );
    }
}

#[test]
fn numbers_that_are_not_finite_are_refused() {
    assert_snapshot!(refusal("classifier: {groupWeights: {g: .inf}}"), @r"
    2 problems
      metrics: missing; expected a list with at least one item
      classifier.groupWeights.g: number `.inf`; expected a finite number, at most 1.8e308
    ");
    assert_snapshot!(refusal("classifier: {groupWeights: {g: .nan}}"), @r"
    2 problems
      metrics: missing; expected a list with at least one item
      classifier.groupWeights.g: number `.nan`; expected a finite number, at most 1.8e308
    ");
    assert_snapshot!(refusal("classifier: {groupWeights: {g: 1e999}}"), @r"
    2 problems
      metrics: missing; expected a list with at least one item
      classifier.groupWeights.g: number `1e999`; expected a finite number, at most 1.8e308
    ");
    assert_snapshot!(refusal("{\"classifier\": {\"groupWeights\": {\"g\": 1e999}}}"), @r"
    2 problems
      metrics: missing; expected a list with at least one item
      classifier.groupWeights.g: number `1e999`; expected a finite number, at most 1.8e308
    ");
}

#[test]
fn deep_nesting_is_refused_in_both_languages() {
    let json = "[".repeat(10_000) + &"]".repeat(10_000);
    assert_snapshot!(refusal(&json), @r"
    1 problem
      line 1, column 65: nested more than 64 levels deep; expected at most 64
    ");
    let flow = "a: ".to_owned() + &json;
    assert_snapshot!(refusal(&flow), @r"
    1 problem
      line 1, column 259: nested more than 64 levels deep; expected at most 64
    ");
    let block: String = (0..10_000).map(|_| "- ").collect();
    assert_snapshot!(refusal(&block), @r"
    1 problem
      line 1, column 129: nested more than 64 levels deep; expected at most 64
    ");
    let fits = "{\"x\":".repeat(64) + "1" + &"}".repeat(64);
    assert!(Node::parse(&fits).is_ok());
    assert!(Node::parse(&format!("[{fits}]")).is_err());
}

#[test]
fn a_yaml_bomb_is_refused_before_it_grows() {
    let mut bomb = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..30 {
        let alias = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 9].join(", "));
    }
    assert_snapshot!(refusal(&bomb), @r"
    1 problem
      line 5, column 15: aliases that expand to more than 1048576 bytes
        hint: write the values out, or repeat smaller ones
    ");
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(100_000),
        ["*a"; 1000].join(", ")
    );
    assert!(refusal(&long).contains("aliases that expand"));
    let deep: String = (1..200).fold("a0: &a0 []\n".to_owned(), |text, level| {
        text + &format!("a{level}: &a{level} [*a{}]\n", level - 1)
    });
    assert!(refusal(&deep).contains("levels deep"), "{}", refusal(&deep));
}

#[test]
fn a_text_beyond_the_limit_is_refused() {
    assert_snapshot!(refusal(&" ".repeat(4 * 1024 * 1024 + 1)), @r"
    1 problem
      4194305 bytes of text; expected at most 4194304
    ");
}

#[test]
fn a_large_text_full_of_mistakes_is_refused_in_bounded_words() {
    let metric = r#"{"nmae":1,"grups":2,"query":{"type":"x"}},"#;
    let text = format!("{{\"metrics\":[{}{{}}]}}", metric.repeat(50_000));
    let problems = load(&text, Strictness::Strict).unwrap_err();
    assert_eq!(problems.len(), 1_000);
    let metric =
        r#"{"name":"m","groups":[],"query":{"type":"prometheus","customFilterTemplate":"t"}},"#;
    let text = format!(
        "{{\"metrics\":[{}{{\"groups\":[]}}],\"classifier\":{{}}}}",
        metric.repeat(20_000)
    );
    let config = load(&text, Strictness::Lenient).unwrap();
    assert!(config.warnings().len() <= 2_000);
}

#[test]
fn names_pass_through_untouched() {
    let name = "<script>alert('\u{202e}\\n\")</script>";
    let quoted = serde_json::Value::from(name).to_string();
    let text = format!(
        "{{\"metrics\":[{{\"name\":{quoted},\"groups\":[{quoted}]}}],\"classifier\":{{}}}}"
    );
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        let config = load(&text, strictness).unwrap();
        let spec = &config.judge_config().metrics[0];
        assert_eq!((spec.name.as_str(), spec.groups[0].as_str()), (name, name));
    }
}

#[test]
fn huge_and_tiny_numbers_keep_their_value() {
    let text = "metrics: [{name: m, groups: [], analysisConfigurations: {canary: {effectSize: {allowedIncrease: 1.7976931348623157e308, allowedDecrease: 5e-324, criticalIncrease: 123456789012345678901234567890}}}}]\nclassifier: {}";
    let config = load(text, Strictness::Strict).unwrap();
    let effect = config.judge_config().metrics[0].effect;
    assert_eq!(effect.allowed_increase, f64::MAX);
    assert_eq!(effect.allowed_decrease, 5e-324);
    assert_eq!(
        effect.critical_increase,
        123_456_789_012_345_678_901_234_567_890.0
    );
}

#[test]
fn plain_scalars_follow_the_core_schema_of_yaml() {
    let read = |text: &str| Node::parse(&format!("v: {text}")).unwrap().to_json()["v"].clone();
    for (text, value) in [
        ("~", serde_json::json!(null)),
        ("", serde_json::json!(null)),
        ("null", serde_json::json!(null)),
        ("True", serde_json::json!(true)),
        ("yes", serde_json::json!("yes")),
        ("NO", serde_json::json!("NO")),
        ("12", serde_json::json!(12)),
        ("+12", serde_json::json!(12)),
        ("012", serde_json::json!(12)),
        ("0x1F", serde_json::json!(31)),
        ("0o17", serde_json::json!(15)),
        ("1_000", serde_json::json!("1_000")),
        (".5", serde_json::json!(0.5)),
        ("5.", serde_json::json!(5.0)),
        ("-1.5e3", serde_json::json!(-1500.0)),
        ("1e", serde_json::json!("1e")),
        (".", serde_json::json!(".")),
        ("1.2.3", serde_json::json!("1.2.3")),
        ("12:30", serde_json::json!("12:30")),
        ("'12'", serde_json::json!("12")),
        ("\"true\"", serde_json::json!("true")),
        ("!!str 12", serde_json::json!("12")),
        ("!!int 12", serde_json::json!(12)),
        ("|\n  12\n", serde_json::json!("12\n")),
    ] {
        assert_eq!(read(text), value, "{text:?}");
    }
}

/// The body of the fuzz target runs over its corpus, so that what fuzzing found stays found.
#[test]
fn the_fuzz_corpus_still_holds() {
    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fuzz/corpus/canary_config"
    );
    let mut replayed = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        fuzz_load(&std::fs::read(entry.unwrap().path()).unwrap());
        replayed += 1;
    }
    assert!(replayed >= 10, "only {replayed} files in {corpus}");
}

/// Any plain value; keys and texts are those of configs half of the time.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let word = prop_oneof![
        proptest::sample::select(vec![
            "name",
            "metrics",
            "groups",
            "query",
            "type",
            "prometheus",
            "analysisConfigurations",
            "canary",
            "direction",
            "increase",
            "effectSize",
            "allowedIncrease",
            "measure",
            "cles",
            "outliers",
            "strategy",
            "remove",
            "outlierFactor",
            "critical",
            "muted",
            "classifier",
            "groupWeights",
            "scoreThresholds",
            "pass",
            "marginal",
            "templates",
            "judge",
            "scopeName",
            "configVersion",
            "coalmine",
            "createdTimestamp",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        word.clone().prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::btree_map(word.clone(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A config of the right shape with some parts replaced by any value.
fn near_config() -> impl Strategy<Value = serde_json::Value> {
    let part = |good: serde_json::Value| prop_oneof![8 => Just(good), 1 => value()];
    let canary = (
        part("increase".into()),
        part(true.into()),
        part(1.25.into()),
        part("cles".into()),
        part(serde_json::json!({"strategy": "remove", "outlierFactor": 2})),
    )
        .prop_map(|(direction, flag, limit, measure, outliers)| {
            serde_json::json!({
                "direction": direction, "critical": flag, "outliers": outliers,
                "effectSize": {"measure": measure, "allowedIncrease": limit},
            })
        });
    let metric = (
        any::<String>(),
        part(serde_json::json!(["g"])),
        canary,
        part(serde_json::json!({"type": "atlas", "q": "x"})),
        value(),
    )
        .prop_map(|(name, groups, canary, query, other)| {
            serde_json::json!({
                "name": name, "groups": groups, "query": query, "extensions": other,
                "analysisConfigurations": {"canary": canary, "coalmine": {"kind": "count"}},
            })
        });
    let metrics = prop::collection::vec(metric, 0..4);
    (
        metrics,
        part(serde_json::json!({"g": 40.5})),
        part("c".into()),
    )
        .prop_map(|(metrics, weights, name)| {
            serde_json::json!({
                "name": name, "metrics": metrics, "classifier": {"groupWeights": weights},
            })
        })
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        fuzz_load(text.as_bytes());
    }

    #[test]
    fn no_yaml_like_text_panics(text in "([-?:,{}\\[\\]&*!|>'\"%@# \n\ta-c0-9.~]|: |- |\n  ){0,80}") {
        fuzz_load(text.as_bytes());
    }

    #[test]
    fn json_is_read_as_the_json_library_reads_it(value in value()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            if text.starts_with(['{', '[']) {
                let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(Node::parse(&text).unwrap().to_json(), expected);
            }
        }
    }

    #[test]
    fn what_loads_reads_back_to_the_same_value(value in near_config()) {
        fuzz_load(value.to_string().as_bytes());
    }
}
