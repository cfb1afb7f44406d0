//! Texts that nobody means well with.

use coalmine::config::release::{Overrides, fuzz_load, load};
use proptest::prelude::*;

use super::{refused, spec};

#[test]
fn texts_without_a_spec_are_refused() {
    for text in [
        "",
        "# nothing\n",
        "[1, 2]",
        "just text",
        "a: &a [*a]\n",
        "{\"a\": 1",
    ] {
        assert!(!refused(text).is_empty(), "{text:?}");
    }
}

#[test]
fn long_lists_are_refused_before_their_items_are_looked_at() {
    let many = |item: &str| vec![item; 20_000].join(", ");
    let windows = many("{from: \"08:00\", to: \"09:00\", zone: Erope/Berlin}");
    let text = spec(&format!("windows: [{windows}]\n"));
    let told = refused(&text);
    assert!(
        told.contains("windows: a list of 20000 items; expected at most 100"),
        "{told}"
    );

    let targets = format!(
        "version: coalmine/v1\napplication: a\nartifact: {{version: a, reference: a}}\ntargets: [{}]\n",
        many("{}")
    );
    assert!(refused(&targets).contains("targets: a list of 20000 items; expected at most 100"));
    let stages = spec(&format!("stages: [{}]\n", many("{type: approve}")));
    assert!(refused(&stages).contains("stages: a list of 20000 items"));
    let steps = spec(&format!(
        "analysis: {{config: c.yaml}}\ncanary: {{steps: [{}]}}\n",
        many("{share: 5%}")
    ));
    assert!(refused(&steps).contains("canary.steps: a list of 20000 items"));
}

#[test]
fn characters_that_no_process_takes_are_refused() {
    let told = refused(
        r#"{"version": "coalmine/v1", "application": "a", "artifact": {"version": "a\u001b", "reference": "a"},
        "targets": [{"name": "a\nb", "process": {"command": ["a\u0000", "{port}"], "environment": {"A=B": "1", "C": "\u0000"}}}]}"#,
    );
    for part in [
        "artifact.version: text `a\\u{1b}`; expected text without control characters",
        "targets[0].name: text `a\\nb`; expected text without control characters",
        "targets[0].process.command[0]: a text with a NUL character",
        "targets[0].process.environment[\"A=B\"]: a variable named `A=B`; expected a name without `=`",
        "targets[0].process.environment.C: a text with a NUL character",
    ] {
        assert!(told.contains(part), "no `{part}` in:\n{told}");
    }
}

/// Pieces of specs, whose mixtures come further than mere noise.
fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        "version: coalmine/v1\n",
        "application: a\n",
        "targets: [{}]\n",
        "targets: [{process: {command: [\"{port}\"]}}]\n",
        "artifact: {version: 1, reference: a}\n",
        "artifact: {version: \"1\", reference: a}\n",
        "analysis: {config: c.yaml}\n",
        "analysis: {config: {metrics: [], classifier: {}}}\n",
        "analysis: {config: 5, interval: 9999999999999999999d}\n",
        "canary: {steps: [{share: 60%}]}\n",
        "canary: {}\n",
        "stages: [{type: promote}, {type: wait}]\n",
        "stages: [{type: deploy, share: 5%}, {type: analyze}]\n",
        "promotion: {strategy: judge, shares: [1%, 1%]}\n",
        "windows: [{from: \"99:00\", to: x, zone: Mars/Base}]\n",
        "blackouts: [{from: 2026-02-30, zone: UTC}]\n",
        "guard: {leastShare: 101%}\n",
        "limits: {release: 1s}\n",
        "ask: {who: [\"\"]}\n",
        "onVerdict: {fail: promote}\n",
        "x: &x {a: *x}\n",
        "ü\n",
    ];
    proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        fuzz_load(text.as_bytes());
    }

    #[test]
    fn any_mixture_of_pieces_is_read_or_refused(pieces in proptest::collection::vec(piece(), 0..12)) {
        fuzz_load(pieces.concat().as_bytes());
    }

    #[test]
    fn a_share_reads_back(basis_points in 0_u32..=10_000, noise in "[0-9.%]{0,6}") {
        use coalmine::config::release::share;
        use coalmine::model::release::cluster::Share;
        let written = Share::new(basis_points).unwrap();
        prop_assert_eq!(share::parse(&written.to_string()), Some(written));
        if let Some(read) = share::parse(&noise) {
            prop_assert!(noise.ends_with('%') && read <= Share::ALL);
        }
    }
}

#[test]
fn a_reader_that_fails_is_told() {
    let reader = |_: &str| Err("the disk is gone".to_owned());
    let text = spec("analysis: {config: c.yaml}\n");
    let told = load(&text, &reader, &Overrides::default()).unwrap_err();
    assert!(super::told(&told).contains("analysis.config: the disk is gone"));
}
