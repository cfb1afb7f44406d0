//! JUnit XML for CI.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::Report;
use crate::format::Signs;
use crate::metric::{Kind, MetricView};
use crate::view::View;

pub(crate) fn write(report: &Report<'_>) -> String {
    let view = View::new(report, Signs::TERMINAL);
    let passed = view.verdict.class == "pass";
    let number = |kinds: &[Kind]| view.of_kind(kinds).len();
    let tests = view.metrics.len() + 1;
    let failures = number(&[Kind::High, Kind::Low, Kind::NodataFail]) + usize::from(!passed);
    let errors = number(&[Kind::Error]);
    let skipped = number(&[Kind::Inconclusive, Kind::Nodata, Kind::Muted]);
    let counts = format!(
        "tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\""
    );
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let name = escape(&format!("canary {}", view.title));
    let _ = writeln!(xml, "<testsuites name=\"coalmine\" {counts}>");
    let _ = writeln!(xml, "  <testsuite name=\"{name}\" {counts}>");
    verdict(&mut xml, &view, passed);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    // In the order of the judgement, so that two runs can be compared.
    let mut metrics: Vec<&MetricView> = view.metrics.iter().collect();
    metrics.sort_by_key(|metric| metric.index);
    for metric in metrics {
        let label = metric.label();
        let times = seen.entry(label.clone()).or_default();
        *times += 1;
        let label = if *times > 1 {
            format!("{label} ({times})")
        } else {
            label
        };
        testcase(&mut xml, metric, &label);
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn verdict(xml: &mut String, view: &View, passed: bool) {
    let sentence = escape(&format!("{}: {}", view.verdict.word, view.headline.plain()));
    let reason = escape(&view.paragraph.plain());
    let _ = write!(xml, "    <testcase classname=\"canary\" name=\"verdict\"");
    if passed {
        let _ = writeln!(
            xml,
            ">\n      <system-out>{sentence}\n{reason}</system-out>\n    </testcase>"
        );
    } else {
        let _ = writeln!(
            xml,
            ">\n      <failure type=\"{}\" message=\"{sentence}\">{reason}</failure>\n    </testcase>",
            view.verdict.word
        );
    }
}

fn testcase(xml: &mut String, metric: &MetricView, label: &str) {
    let class = if metric.groups.is_empty() {
        "no group".to_owned()
    } else {
        metric.groups.join(", ")
    };
    let _ = write!(
        xml,
        "    <testcase classname=\"{}\" name=\"{}\"",
        escape(&class),
        escape(label)
    );
    let message = escape(&format!("{label} {}", metric.happened.plain()));
    let why = metric
        .cautions
        .iter()
        .fold(metric.why.plain(), |why, caution| {
            format!("{why} {caution}")
        });
    let why = escape(&why);
    let _ = match metric.kind {
        Kind::Pass => writeln!(
            xml,
            ">\n      <system-out>{why}</system-out>\n    </testcase>"
        ),
        Kind::High | Kind::Low | Kind::NodataFail => writeln!(
            xml,
            ">\n      <failure type=\"{}\" message=\"{message}\">{why}</failure>\n    </testcase>",
            metric.kind.word()
        ),
        Kind::Error => writeln!(
            xml,
            ">\n      <error type=\"Error\" message=\"{message}\">{why}</error>\n    </testcase>"
        ),
        Kind::Inconclusive | Kind::Nodata | Kind::Muted => writeln!(
            xml,
            ">\n      <skipped message=\"{}: {}\"/>\n    </testcase>",
            escape(&metric.word),
            escape(&metric.brief.plain())
        ),
    };
}

/// For text and attributes. Characters that XML 1.0 forbids were replaced with all other control characters when the name was
/// cleaned; here the rest of them is.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\u{0}'..='\u{8}'
            | '\u{b}'
            | '\u{c}'
            | '\u{e}'..='\u{1f}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                escaped.push('\u{fffd}');
            }
            other => escaped.push(other),
        }
    }
    escaped
}
