//! The text of queries: values from scopes stay values, stale points stay out.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(ask: &Ask, expected: &str) {
    assert_eq!(ask.query().unwrap(), expected);
}

#[test]
fn p27_a_value_in_a_string_of_a_template_is_escaped_for_that_string() {
    let hostile = "a\"} or up{x=\"\\\n'";
    for manner in [Manner::Kayenta, Manner::Aligned] {
        let check = |template: &str, expected: &str| {
            let mut ask = Ask::promql(template).scope(hostile);
            ask.0.manner = manner;
            check(&ask, expected);
        };
        check(
            r#"rate(x{v="${scope}",w="a\"${scope}"}[1m])"#,
            r#"rate(x{v="a\"} or up{x=\"\\\n'",w="a\"a\"} or up{x=\"\\\n'"}[1m])"#,
        );
        check(
            "rate(x{v='${scope}'}[1m])",
            r#"rate(x{v='a"} or up{x="\\\n\''}[1m])"#,
        );
        check(
            "rate(x{v=`${scope}`}[1m])",
            "rate(x{v=`a\"} or up{x=\"\\\n'`}[1m])",
        );
        // In a comment a quote opens no string.
        check("rate(x[1m]) # don't\n", "rate(x[1m]) # don't\n");
    }
}

#[test]
fn p27_a_back_tick_cannot_leave_a_back_tick_string() {
    let error = Ask::promql("rate(x{v=`${scope}`}[1m])")
        .scope("a`b")
        .query()
        .unwrap_err();
    assert!(error.message.contains("back-tick"), "{error}");
    assert_eq!(error.remedy, Remedy::Mend);
}

#[test]
fn p27_a_scope_outside_every_string_cannot_open_one() {
    let filter = json!({ "metricName": "x", "customInlineTemplate": "v=${scope}" });
    check(
        &Ask::of(&filter).like_kayenta().scope(r#""a"} or up{v="b""#),
        r#"avg(x{v=\"a\"} or up{v=\"b\"})"#,
    );
}

#[test]
fn p27_a_parameter_outside_strings_may_be_a_piece_of_a_query_and_values_in_it_stay_values() {
    let ask = Ask::promql("sum(rate(x{${filter}}[${window}]))")
        .scope("a\"b")
        .parameter("filter", r#"code=~"5..",v="${scope}""#)
        .parameter("window", "5m");
    check(&ask, r#"sum(rate(x{code=~"5..",v="a\"b"}[5m]))"#);
}

#[test]
fn p27_matchers_of_resource_types_are_quoted_for_regular_expressions_and_strings() {
    let ask = |resource: &str| {
        Ask::of(&json!({ "metricName": "x", "resourceType": resource }))
            .like_kayenta()
            .scope("web.v1|.*\"")
    };
    check(
        &ask("gce_instance").parameter("project", "p+q"),
        r#"avg(x{instance=~"web\\.v1\\|\\.\\*\"-.{4}",zone=~".+/projects/p\\+q/zones/eu-1-.{1}"})"#,
    );
    check(
        &ask("aws_ec2_instance"),
        r#"avg(x{asg_groupName="web.v1|.*\"",zone=~"eu-1.{1}"})"#,
    );
}

#[test]
fn p27_values_that_hold_the_marks_that_tell_values_apart_are_refused() {
    let error = Ask::promql("x{v=\"${scope}\"}")
        .scope("a\u{E002}\"b")
        .query()
        .unwrap_err();
    assert!(error.message.contains("private character"), "{error}");
}

#[test]
fn p26_names_beyond_the_old_alphabet_are_quoted() {
    let query = json!({
        "metricName": "http.errors", "customInlineTemplate": "v=\"1\"", "groupByFields": ["zone", "k8s.pod"],
    });
    let quoted = r#"{"http.errors",v="1"}"#;
    check(
        &Ask::of(&query),
        &format!(r#"avg(last_over_time({quoted}[60s])) by (zone,"k8s.pod")"#),
    );
    check(
        &Ask::of(&query).like_kayenta(),
        &format!(r#"avg({quoted}) by (zone,"k8s.pod")"#),
    );
    // Kayenta writes no quotes, and this reads as a difference.
    let dashed = json!({ "metricName": "a-b", "customInlineTemplate": "v=\"1\"" });
    check(&Ask::of(&dashed).like_kayenta(), r#"avg(a-b{v="1"})"#);
    check(
        &Ask::of(&dashed),
        r#"avg(last_over_time({"a-b",v="1"}[60s]))"#,
    );
}

#[test]
fn p12_bare_selectors_are_read_over_one_step_only() {
    for (query, expected) in [
        ("x", "last_over_time(x[60s])"),
        ("avg(x{a=\"}\"})", "avg(last_over_time(x{a=\"}\"}[60s]))"),
        (
            "sum by (pod) (x) / on(pod) group_left(node) y offset 5m",
            "sum by (pod) (last_over_time(x[60s])) / on(pod) group_left(node) last_over_time(y[60s] offset 5m)",
        ),
        (
            "{__name__=\"x\"} > bool 1e3",
            "last_over_time({__name__=\"x\"}[60s]) > bool 1e3",
        ),
        (
            "x @ end() offset -5m + 1",
            "last_over_time(x[60s] @ end() offset -5m) + 1",
        ),
        (
            "max(x) by (a) or vector(0)",
            "max(last_over_time(x[60s])) by (a) or vector(0)",
        ),
        (
            "histogram_quantile(0.9, sum(rate(b[5m])) by (le))",
            "histogram_quantile(0.9, sum(rate(b[5m])) by (le))",
        ),
        (
            "max_over_time(x[5m:1m] offset 1h)",
            "max_over_time(x[5m:1m] offset 1h)",
        ),
        ("time() - timestamp(x)", "time() - timestamp(x)"),
        ("absent(x{a='b'})", "absent(x{a='b'})"),
        (
            "job:errors:rate5m # x\n",
            "last_over_time(job:errors:rate5m[60s]) # x\n",
        ),
        (
            "count_values(\"v\", x)",
            "count_values(\"v\", last_over_time(x[60s]))",
        ),
        (
            "clamp_max(x, Inf)",
            "clamp_max(last_over_time(x[60s]), Inf)",
        ),
        // MetricsQL.
        ("rate(x) keep_metric_names", "rate(x) keep_metric_names"),
        ("WITH (a = x) a", "WITH (a = x) a"),
    ] {
        check(&Ask::promql(query), expected);
        check(&Ask::promql(query).like_kayenta(), query);
    }
    // Beyond the look-back no sample is seen twice.
    check(&Ask::promql("x").window(0, 3_600_000, 300), "x");
}

#[test]
fn p13_the_tail_of_a_target_with_its_own_timestamps_is_one_step_long() {
    let ask = Ask::of(&json!({ "metricName": "x", "resourceType": "aws_ec2_instance" }));
    let query = ask.window(0, 600_000, 15).query().unwrap();
    assert!(query.contains("[15s]"), "{query}");
}

proptest! {
    /// Pieces of PromQL in any order: what is guarded once has no bare selector, and stays as it is.
    #[test]
    fn p12_any_pieces_of_a_query_can_be_guarded(pieces in prop::collection::vec(piece(), 0..25)) {
        coalmine::sources::prometheus::fuzz_query(pieces.concat().as_bytes());
    }

    /// Whatever a scope holds, the query keeps its form: with the value taken out, it is the query of a plain scope.
    #[test]
    fn p27_no_scope_changes_the_form_of_a_query(value in "[a-z$\"'\\\\{}=\n\r,#$()ä`]{1,12}") {
        for quote in ['"', '\''] {
            let template = format!("sum(rate(x{{v={quote}${{scope}}{quote}}}[1m])) # {quote}");
            let ask = |scope: &str| Ask::promql(&template).scope(scope).query();
            // A value may name variables, as for Kayenta; those that do not exist are refused.
            let Ok(query) = ask(&value) else {
                let names_a_variable = value.contains("${");
                prop_assert!(names_a_variable);
                continue;
            };
            let plain = ask("plain").unwrap();
            let (before, after) = plain.split_once("plain").unwrap();
            let written = query.strip_prefix(before).unwrap().strip_suffix(after).unwrap();
            prop_assert!(!written.contains('\n'));
            let mut escaped = false;
            for c in written.chars() {
                prop_assert!(escaped || c != quote, "{query}");
                escaped = c == '\\' && !escaped;
            }
            prop_assert!(!escaped, "{query}");
        }
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "x",
        "y:z",
        " ",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "[5m]",
        "[1h:]",
        "\"",
        "'",
        "`",
        "\\",
        "#",
        "\n",
        ",",
        "=~",
        "sum",
        "by",
        "without",
        " offset ",
        "-5m",
        " @ ",
        "end()",
        "rate(",
        "timestamp(",
        "inf",
        "ä",
        "1e3",
        "0.5",
        "with",
        "bool",
        "group_left",
    ])
}
