//! Reading of pages.

use coalmine::sources::scrape::exposition::{self, Sample};
use proptest::prelude::*;

#[test]
fn a_page_that_cannot_be_read_says_where() {
    let check = |page: &str, expect: &str| {
        let error = exposition::parse(page, |_| true).expect_err(page);
        assert_eq!(error.to_string(), expect);
    };
    check(
        "ok 1\na{b=\"c\" 1",
        "line 2: found `1`; expected `,` or `}` after a label",
    );
    check(
        "a{b=\"c",
        "line 1: found the end of the line; expected `\"` at the end of a text",
    );
    check("a", "line 1: found the end of the line; expected a number");
    check("a x1", "line 1: found `x1`; expected a number");
    check(
        "{b=\"c\"} 1",
        "line 1: found `1`; expected the name of a metric",
    );
    check(
        "<html>",
        "line 1: found `<html>`; expected the name of a metric",
    );
}

#[test]
fn odd_but_right_lines_are_read() {
    let page = "# HELP a b\n#a 2\n\n a { x = \"1\" , } +Inf 123\r\na{x=\"\\\\\\\"\\n\\d\"} NaN # {id=\"7\"} 1.0\n{\"a.b\",x=\"y\"} 1e3\n# EOF\n";
    let samples = exposition::parse(page, |_| true).unwrap();
    let shown: Vec<String> = samples
        .iter()
        .map(|sample| format!("{} {:?} {}", sample.name, sample.labels, sample.value))
        .collect();
    assert_eq!(
        shown,
        [
            r#"a {"x": "1"} inf"#,
            r#"a {"x": "\\\"\n\\d"} NaN"#,
            r#"a.b {"x": "y"} 1000"#,
        ]
    );
}

fn any_sample() -> impl Strategy<Value = Sample> {
    let labels = prop::collection::btree_map("[a-z_][a-z0-9_]{0,5}", any::<String>(), 0..4);
    ("[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", labels, any::<f64>()).prop_map(|(name, mut labels, value)| {
        for text in labels.values_mut() {
            text.retain(|c| {
                !['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'].contains(&c)
            });
        }
        Sample {
            name,
            labels,
            value,
        }
    })
}

proptest! {
    #[test]
    fn a_page_reads_back_to_what_was_written(samples in prop::collection::vec(any_sample(), 0..6)) {
        let mut page = String::new();
        for Sample { name, labels, value } in &samples {
            let labels: Vec<String> = labels
                .iter()
                .map(|(key, text)| {
                    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                    format!("{key}=\"{text}\"")
                })
                .collect();
            page += &format!("{name}{{{}}} {value}\n", labels.join(","));
        }
        let read = exposition::parse(&page, |_| true).map_err(|e| TestCaseError::fail(format!("{e}: {page:?}")))?;
        prop_assert_eq!(read.len(), samples.len());
        for (read, sample) in read.iter().zip(&samples) {
            prop_assert_eq!(&read.name, &sample.name);
            prop_assert_eq!(&read.labels, &sample.labels);
            prop_assert!(read.value == sample.value || (read.value.is_nan() && sample.value.is_nan()));
        }
    }

    #[test]
    fn no_page_panics(page in any::<String>(), line in "[a{}\"=,\\\\ 1#\n]{0,40}") {
        let _ = exposition::parse(&page, |_| true);
        let _ = exposition::parse(&line, |_| true);
    }
}
