//! What the reports say, for each kind of judgement, and what none of them may ever contain.

use coalmine_judges::judgement::{Classification, Verdict};
use coalmine_reports::{Links, TextStyle, html, junit, markdown, text};
use scraper::{Html, Selector};

use crate::samples::{self, Sample};

/// All samples, by what they show.
pub(crate) fn all() -> Vec<(&'static str, Sample)> {
    vec![
        ("pass", samples::pass()),
        ("marginal", samples::marginal()),
        ("fail", samples::fail()),
        ("no_data", samples::no_data()),
        ("inconclusive", samples::inconclusive()),
        ("one", samples::one()),
        ("two_hundred", samples::two_hundred()),
        ("means_decide", samples::means_decide()),
        ("odd", samples::odd()),
    ]
}

pub(crate) fn page(sample: &Sample) -> String {
    html(&sample.report()).expect("a page is written for every judgement")
}

pub(crate) fn select(selector: &str) -> Selector {
    Selector::parse(selector).expect("the selector is one")
}

/// The words of a page in reading order, one line an element that has any, without charts, style and script.
fn words(page: &str) -> String {
    let document = Html::parse_document(page);
    let mut lines = Vec::new();
    let wanted = select(
        "h1, h2, h3, p, li, tr, figcaption, .st, .key3 > span, output, summary, pre, footer, header",
    );
    for element in document.select(&wanted) {
        let hidden = element
            .ancestors()
            .filter_map(scraper::ElementRef::wrap)
            .any(|ancestor| {
                matches!(
                    ancestor.value().name(),
                    "tr" | "svg" | "header" | "noscript"
                )
            });
        if hidden && element.value().name() != "tr" {
            continue;
        }
        let text: Vec<&str> = element.text().flat_map(str::split_whitespace).collect();
        if !text.is_empty() {
            lines.push(text.join(" "));
        }
    }
    lines.join("\n")
}

#[test]
fn each_verdict_reads_as_it_should_in_a_terminal() {
    for (name, sample) in all() {
        let style = TextStyle {
            report_path: Some("report.html".to_owned()),
            ..TextStyle::default()
        };
        insta::assert_snapshot!(format!("{name}.80"), text(&sample.report(), &style));
    }
}

#[test]
fn a_wide_terminal_plots_the_effects_and_lists_all() {
    let style = TextStyle {
        width: 120,
        all: true,
        ..TextStyle::default()
    };
    insta::assert_snapshot!("fail.120", text(&samples::fail().report(), &style));
}

#[test]
fn a_terminal_without_utf_8_gets_letters() {
    let style = TextStyle {
        ascii: true,
        width: 110,
        ..TextStyle::default()
    };
    let written = text(&samples::odd().report(), &style);
    assert!(written.is_ascii());
    insta::assert_snapshot!("odd.ascii", written);
}

/// Reports must not show one number and decide by another.
#[test]
fn a_limit_that_the_mean_decided_is_shown_with_the_mean() {
    let sample = samples::means_decide();
    let report = sample.report();
    let written = text(&report, &TextStyle::default());
    let first: Vec<&str> = written.lines().take(2).map(str::trim).collect();
    let headline = first.join(" ");
    assert!(
        headline.starts_with("✕ Fail: queue_time rose 10.1% [8.7, 11.5], its mean 49.4%, critical"),
        "{written}"
    );
    let all = TextStyle {
        all: true,
        ..TextStyle::default()
    };
    for (width, expected) in [(80, 4), (104, 4), (140, 4)] {
        let written = text(
            &report,
            &TextStyle {
                width,
                ..all.clone()
            },
        );
        let named = written
            .lines()
            .filter(|line| line.contains("mean +") || line.contains("mean -"))
            .filter(|line| line.contains(", at "))
            .count();
        assert_eq!(named, expected, "{width}: {written}");
        let plotted = written.matches('⋄').count();
        assert_eq!(plotted, if width >= 104 { 4 } else { 0 }, "{written}");
    }
    let written = markdown(&report, &Links::default());
    assert!(written.contains("| mean +49.4%, at most"), "{written}");
    assert!(
        written.contains("%, at most +25% | critical |"),
        "{written}"
    );
    assert_eq!(written.matches("| mean ").count(), 3, "{written}");
    let page = page(&sample);
    let document = Html::parse_document(&page);
    let ticks: Vec<String> = document
        .select(&select("use[href='#m-mean'] title"))
        .map(|title| title.text().collect())
        .collect();
    assert_eq!(ticks.len(), 4, "{ticks:?}");
    assert!(ticks[0] == "mean +49.4%, at most +25%");
    assert_eq!(document.select(&select(".eff .mean")).count(), 4);
    assert!(page.contains("on the other side of the tolerance than the shift"));
    let plain = self::page(&samples::fail());
    assert!(!plain.contains("on the other side of the tolerance than the shift"));
}

#[test]
fn colours_and_links_are_escape_sequences_and_nothing_else_changes() {
    let sample = samples::fail();
    let colored = TextStyle {
        color: true,
        hyperlinks: true,
        report_path: Some("/tmp/a b;\u{7}c.html".to_owned()),
        ..TextStyle::default()
    };
    let plain = TextStyle {
        color: false,
        hyperlinks: false,
        ..colored.clone()
    };
    let written = text(&sample.report(), &colored);
    assert!(written.starts_with("\u{1b}[1;31m✕ Fail:"), "{written}");
    assert!(
        written.contains("\u{1b}]8;;file:///tmp/a%20b%3B%07c.html\u{1b}\\"),
        "{written}"
    );
    let mut without = String::new();
    let mut rest = written.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        without.push_str(before);
        let end = if after.starts_with(']') {
            after.find('\\')
        } else {
            after.find('m')
        };
        rest = &after[end.unwrap() + 1..];
    }
    without.push_str(rest);
    assert_eq!(without, text(&sample.report(), &plain));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for (name, sample) in all() {
        for width in [60, 80, 104, 132] {
            let style = TextStyle {
                width,
                all: true,
                ..TextStyle::default()
            };
            for line in text(&sample.report(), &style).lines() {
                let columns = unicode_width::UnicodeWidthStr::width(line);
                // A word that is longer than a line stands alone on it.
                let is_one_word = line.trim().split(' ').count() == 1;
                assert!(
                    columns <= width || is_one_word,
                    "{name} at {width}: {columns}: {line}"
                );
            }
        }
    }
}

#[test]
fn each_verdict_reads_as_it_should_in_a_pull_request() {
    let links = Links {
        report: Some("artifacts/report.html".to_owned()),
        data: None,
    };
    for (name, sample) in all() {
        insta::assert_snapshot!(format!("{name}.md"), markdown(&sample.report(), &links));
    }
}

#[test]
fn a_markdown_table_keeps_its_columns_whatever_the_names() {
    for (name, sample) in all() {
        let written = markdown(&sample.report(), &Links::default());
        let mut columns = None;
        for line in written.lines() {
            if !line.starts_with('|') {
                columns = None;
                continue;
            }
            let bars = line.matches('|').count();
            assert_eq!(*columns.get_or_insert(bars), bars, "{name}: {line}");
        }
        assert!(!written.contains("<script"), "{name}");
    }
}

#[test]
fn junit_has_a_case_for_each_metric_and_one_for_the_verdict() {
    for (name, sample) in all() {
        let written = junit(&sample.report());
        let document = roxmltree::Document::parse(&written).expect("JUnit is XML");
        let cases: Vec<_> = document
            .descendants()
            .filter(|node| node.has_tag_name("testcase"))
            .collect();
        assert_eq!(cases.len(), sample.judgement.results.len() + 1, "{name}");
        let outcome = |node: &roxmltree::Node<'_, '_>| {
            ["failure", "error", "skipped"]
                .into_iter()
                .find(|tag| node.children().any(|child| child.has_tag_name(*tag)))
                .unwrap_or("passed")
        };
        let verdict = if sample.judgement.verdict == Verdict::Pass {
            "passed"
        } else {
            "failure"
        };
        assert_eq!(outcome(&cases[0]), verdict, "{name}");
        for (result, case) in sample.judgement.results.iter().zip(&cases[1..]) {
            let expected = match result.classification {
                _ if result.spec.muted => "skipped",
                Classification::High | Classification::Low | Classification::NodataFailMetric => {
                    "failure"
                }
                Classification::Error => "error",
                Classification::Inconclusive | Classification::Nodata => "skipped",
                Classification::Pass => "passed",
            };
            assert_eq!(outcome(case), expected, "{name}: {}", result.name());
        }
        let suite = document.root_element();
        for (attribute, outcome_of) in [
            ("failures", "failure"),
            ("errors", "error"),
            ("skipped", "skipped"),
        ] {
            let number = cases
                .iter()
                .filter(|case| outcome(case) == outcome_of)
                .count();
            assert_eq!(
                suite.attribute(attribute),
                Some(number.to_string().as_str()),
                "{name}"
            );
        }
    }
    insta::assert_snapshot!("fail.junit", junit(&samples::fail().report()));
}

#[test]
fn each_verdict_reads_as_it_should_on_a_page() {
    for (name, sample) in all() {
        if name != "two_hundred" {
            insta::assert_snapshot!(format!("{name}.page"), words(&page(&sample)));
        }
    }
}

#[test]
fn no_report_says_nan_or_inf() {
    let spoken = |text: &str| {
        text.split(|c: char| !c.is_alphanumeric())
            .any(|word| matches!(word, "NaN" | "nan" | "inf" | "Inf" | "null" | "undefined"))
    };
    for (name, sample) in all() {
        let report = sample.report();
        assert!(
            !spoken(&text(&report, &TextStyle::default())),
            "{name} in text"
        );
        assert!(
            !spoken(&markdown(&report, &Links::default())),
            "{name} in Markdown"
        );
        assert!(!spoken(&junit(&report)), "{name} in JUnit");
        let page = page(&sample);
        // The page's script has a right to its words; charts and texts have not.
        let before_script = page
            .rsplit_once("<script>")
            .expect("the page has a script")
            .0;
        let before_data = before_script
            .split("<script type=\"application/json\"")
            .next()
            .unwrap();
        assert!(!spoken(before_data), "{name} on the page");
        assert!(
            !before_data.contains("NaN") && !before_data.contains("inf%"),
            "{name} in a chart"
        );
    }
}

#[test]
fn a_report_of_nothing_can_be_written() {
    let sample = samples::Builder::new(1).judge();
    let page = page(&sample);
    assert!(page.contains("there were no metrics to judge"));
    assert!(Html::parse_document(&page).errors.is_empty());
    let written = text(&sample.report(), &TextStyle::default());
    assert!(
        written.starts_with("◇ Inconclusive: there were no metrics to judge"),
        "{written}"
    );
}
