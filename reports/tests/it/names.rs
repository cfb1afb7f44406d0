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

/// The elements of a page, in order, but for the labels of charts and what stands for code in our messages.
fn elements(page: &str) -> Vec<String> {
    let any = Selector::parse("*").unwrap();
    Html::parse_document(page)
        .select(&any)
        // Back-ticks in a note mark code; a label that is empty or long changes how many fit into a chart.
        .filter(|element| !matches!(element.value().name(), "code" | "text"))
        .map(|element| {
            let classes: Vec<&str> = element.value().classes().collect();
            format!("{}.{}", element.value().name(), classes.join("."))
        })
        .collect()
}

/// The structure of a summary as GitHub reads it, and its words outside of code.
///
/// Names stand inside of `<code>` as text alone, so they change neither; there GitHub links and mentions nothing.
fn markdown_structure(written: &str, word: &str) -> (Vec<String>, String) {
    use pulldown_cmark::{Event, Options, Parser};
    let mut events = Vec::new();
    let mut outside = String::new();
    let mut code = false;
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_GFM
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH;
    for event in Parser::new_ext(written, options) {
        if event == Event::InlineHtml("<code>".into()) {
            assert!(!code, "{word:?} nests code: {written}");
            code = true;
        } else if event == Event::InlineHtml("</code>".into()) {
            assert!(code, "{word:?} ends code: {written}");
            code = false;
        } else if let Event::Text(text) = event {
            outside.push_str(if code { "" } else { &text });
        } else {
            assert!(!code, "{word:?} puts {event:?} into code: {written}");
            events.push(format!("{event:?}"));
        }
    }
    assert!(!code, "{word:?} leaves code open: {written}");
    (events, outside)
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
        !written.contains([
            '\r', '\u{7}', '\u{8}', '\u{9b}', '\u{202e}', '\u{61c}', '\u{200b}', '\u{2066}'
        ]),
        "{word:?}"
    );
    let written = markdown(&report, &Links::default());
    let (events, outside) = markdown_structure(&written, word);
    let plain = markdown(&plain.report(), &Links::default());
    let (plain_events, _) = markdown_structure(&plain, "plain");
    assert_eq!(
        events, plain_events,
        "{word:?} changes the summary: {written}"
    );
    // Outside of code GitHub would see people, issues, addresses and emoji in these.
    for sign in ["@", "#", "://", "www.", ":tada:", "GH-"] {
        assert!(
            !outside.contains(sign),
            "{word:?} puts {sign} outside of code: {written}"
        );
    }
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
        "![i](https://a.example/i.png)",
        "www.example.com https://example.com a@example.com",
        "</code><a href='//a'>b</a><code>",
        "`` `code` ``",
        "<!-- -->",
        "- [x] ~~a~~ $b$ [^c] GH-1",
        "<details><summary>a",
        "&#60;b&#62; &copy;",
        "\u{61c}\u{200b}\u{2066}a",
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
