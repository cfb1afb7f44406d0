//! No text from outside can become markup, whatever it is.

use coalmine_reports::{Links, SentQuery, TextStyle, html, junit, markdown, text};
use proptest::prelude::*;
use scraper::{Html, Selector};

use crate::samples::{Builder, Sample};

/// A small sample of all that is shown, with `word` in every text field.
fn sample(word: &str) -> Sample {
    let mut b = Builder::new(2).points(12, 60_000);
    let failed = b.level(word, word, 10.0, 0.05, 1.5);
    let failed = failed.tag("key", word).tag(word, "value").critical();
    b.add(failed);
    let passed = b.level(&format!("{word} "), word, 10.0, 0.05, 1.0);
    b.add(passed);
    let missing = b
        .level(&format!(" {word}"), word, 1.0, 0.1, 1.0)
        .without_canary();
    b.add(missing);
    let muted = b.level(&format!("{word}."), word, 10.0, 0.05, 2.0).muted();
    b.add(muted);
    let word = || Some(word.to_owned());
    b.context.application = word();
    b.context.baseline = word();
    b.context.canary = word();
    b.context.origin = word();
    b.context.config_name = word();
    b.context.config_text = word().unwrap();
    b.context.notes = vec![word().unwrap()];
    b.context.bundle_id = word();
    b.context.version = word().unwrap();
    b.context.data_json = Some(serde_json::to_string(&[word()]).unwrap());
    b.context.queries = vec![SentQuery {
        baseline: word(),
        canary: word(),
    }];
    b.judge()
}

/// The elements of a page, in order.
fn elements(page: &str) -> Vec<String> {
    let any = Selector::parse("*").unwrap();
    Html::parse_document(page)
        .select(&any)
        .map(|element| element.value().name().to_owned())
        // A label that is empty or equal to another changes these and nothing else.
        .filter(|name| {
            !matches!(
                name.as_str(),
                "bdi" | "option" | "span" | "code" | "text" | "label" | "select"
            )
        })
        .collect()
}

fn check(word: &str) {
    let written = sample(word);
    let report = written.report();
    let page = html(&report).expect("a page is written whatever the names");
    let document = Html::parse_document(&page);
    assert!(
        document.errors.is_empty(),
        "{word:?}: {:?}",
        document.errors
    );
    let plain = sample("plain");
    assert_eq!(
        elements(&page),
        elements(&html(&plain.report()).unwrap()),
        "{word:?} changes the page"
    );
    let xml = junit(&report);
    let document =
        roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{word:?}: {error}"));
    let cases = document
        .descendants()
        .filter(|node| node.has_tag_name("testcase"));
    assert_eq!(cases.count(), 5, "{word:?}");
    let style = TextStyle {
        color: true,
        ..TextStyle::default()
    };
    let written = text(&report, &style);
    for sequence in written.split('\u{1b}').skip(1) {
        assert!(sequence.starts_with('['), "{word:?} escapes");
        assert!(
            sequence[1..]
                .split_once('m')
                .is_some_and(|(code, _)| matches!(code, "0" | "1" | "2" | "1;31" | "33" | "36")),
            "{word:?} escapes"
        );
    }
    assert!(
        !written.contains(['\r', '\u{7}', '\u{8}', '\u{9b}', '\u{202e}']),
        "{word:?}"
    );
    let written = markdown(&report, &Links::default());
    assert_eq!(
        written
            .lines()
            .filter(|line| line.starts_with('|'))
            .map(|line| line.matches('|').count())
            .collect::<Vec<_>>(),
        markdown(&plain.report(), &Links::default())
            .lines()
            .filter(|line| line.starts_with('|'))
            .map(|line| line.matches('|').count())
            .collect::<Vec<_>>(),
        "{word:?} changes a table"
    );
}

#[test]
fn names_that_look_like_markup_are_shown_as_they_are() {
    for word in [
        "<script>alert(1)</script>",
        "</title><script>",
        "\"><img src=x onerror=alert(1)>",
        "'--><!--",
        "</textarea></style></script>",
        "&lt;b&gt; &amp",
        "a|b\\|c`d`",
        "line\nbreak\r\nand\ttab",
        "\u{1b}[2J\u{1b}]8;;x\u{7}",
        "\u{202e}gnp.exe",
        "\u{0}\u{b}\u{fffe}",
        "{{ name }}{% raw %}",
        "]]>",
        "@everyone #1 :tada: [a](b) **c**",
        "\u{9b}31m",
    ] {
        check(word);
    }
    let page = html(&sample("<script>alert(1)</script>").report()).unwrap();
    assert!(!page.contains("<script>alert"));
    assert!(page.contains("&lt;script&gt;alert(1)") || page.contains("&#60;script&#62;alert(1)"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_name_changes_the_structure_of_a_report(word in "[<>&\"'`|\\\\/a-z\\p{Cc}\\p{Cf}\\p{L}\\]\\[!-]{1,24}") {
        check(&word);
    }
}
