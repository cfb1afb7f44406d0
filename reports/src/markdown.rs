//! A summary in GitHub's Markdown.

use std::fmt::Write as _;

use crate::Report;
use crate::format::{self, NOTES, Signs};
use crate::metric::{Kind, MetricView};
use crate::sentence::{Piece, Sentence};
use crate::trust;
use crate::view::View;

/// Rows of a table; a pull request is no place for two hundred.
const ROWS: usize = 30;

/// Longest name and note.
const NAME_LENGTH: usize = 120;
const NOTE_LENGTH: usize = 240;

/// What the summary links to: web addresses, or paths relative to where it will be read. Whole paths of this machine would be
/// dead links there, so of them only the file's name is written. They must be the caller's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// The HTML report.
    pub report: Option<String>,
    /// The data.
    pub data: Option<String>,
}

pub(crate) fn write(report: &Report<'_>, links: &Links) -> String {
    let view = View::new(report, Signs::PAGE);
    let mut text = String::new();
    summary(&mut text, &view);
    failed(&mut text, &view);
    let tally: Vec<String> = view
        .tally
        .iter()
        .map(|tally| format!("{} {}", format::count(tally.number), tally.kind.word()))
        .collect();
    if !tally.is_empty() {
        let _ = writeln!(text, "\n{}", tally.join(" · "));
    }
    if let Some(way_out) = view.way_out() {
        let _ = writeln!(
            text,
            "\nIt would have been **{}, {}**, if {}.",
            way_out.verdict.word,
            way_out.score,
            sentence(&way_out.condition)
        );
    }
    undecided(&mut text, &view);
    cautions(&mut text, &view);
    notes(&mut text, &report.context.notes);
    let mut last: Vec<String> = Vec::new();
    last.extend(links.report.as_ref().map(|to| link("Full report", to)));
    last.extend(links.data.as_ref().map(|to| link("Data", to)));
    if let Some(name) = &report.context.config_name {
        last.push(format!("config {}", code(&format::clean(name))));
    }
    if !last.is_empty() {
        let _ = writeln!(text, "\n{}", last.join(" · "));
    }
    text
}

fn summary(text: &mut String, view: &View) {
    let alert = match view.verdict.class {
        "fail" => "CAUTION",
        "pass" => "NOTE",
        _ => "WARNING",
    };
    let _ = writeln!(text, "> [!{alert}]");
    // Bold around the whole sentence; its own bold parts would end it.
    let _ = writeln!(
        text,
        "> **{}: {}**",
        view.verdict.word,
        plain_strong(&view.headline)
    );
    let score = view
        .score
        .text
        .as_ref()
        .map_or_else(String::new, |score| format!(", score {score} of 100"));
    let _ = writeln!(
        text,
        "> {}{score}. {}",
        sentence(&view.subject),
        sentence(&view.paragraph)
    );
}

fn failed(text: &mut String, view: &View) {
    let failed = view.of_kind(&[Kind::High, Kind::Low, Kind::NodataFail]);
    if failed.is_empty() {
        return;
    }
    let level = view.level.as_ref().map_or_else(
        || "Interval".to_owned(),
        |level| format!("{level} interval"),
    );
    let _ = writeln!(text, "\n| Failed | Effect | {level} | Tolerance | |");
    let _ = writeln!(text, "|:--|--:|:-:|:--|:--|");
    for metric in failed.iter().take(ROWS) {
        let name = code(&metric.label());
        let name = if metric.critical {
            format!("**{name}**")
        } else {
            name
        };
        let _ = writeln!(
            text,
            "| {} {name} | {} | {} | {} | {} |",
            metric.kind.mark(),
            metric.estimate,
            metric.span,
            metric.held_against(),
            if metric.critical { "critical" } else { "" }
        );
    }
    more(text, failed.len());
}

fn undecided(text: &mut String, view: &View) {
    let undecided = view.of_kind(&[Kind::Error, Kind::Inconclusive, Kind::Nodata, Kind::Muted]);
    if undecided.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\n<details><summary>Not counted: {}</summary>\n",
        format::counted(undecided.len(), "metric", "metrics")
    );
    let _ = writeln!(text, "| Metric | Result | Why |\n|:--|:--|:--|");
    for metric in undecided.iter().take(ROWS) {
        let _ = writeln!(
            text,
            "| {} {} | {} | {} |",
            metric.kind.mark(),
            code(&metric.label()),
            metric.word,
            why(metric)
        );
    }
    more(text, undecided.len());
    let _ = writeln!(text, "\n</details>");
}

fn cautions(text: &mut String, view: &View) {
    let shared = trust::shared(&view.metrics);
    if shared.is_empty() {
        return;
    }
    text.push('\n');
    for caution in shared {
        let names = caution.names(code);
        let _ = writeln!(
            text,
            "- **{}**: {names}. {}",
            caution.title,
            sentence(&Sentence::new().words(caution.text))
        );
    }
}

fn notes(text: &mut String, notes: &[String]) {
    if notes.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\n<details><summary>{}</summary>\n",
        format::counted(notes.len(), "note", "notes")
    );
    for note in notes.iter().take(NOTES) {
        let _ = writeln!(text, "- {}", note_text(note));
    }
    if let Some(more) = format::more_notes(notes.len()) {
        let _ = writeln!(text, "- {more}");
    }
    let _ = writeln!(text, "\n</details>");
}

/// A note: our words, and names between back-ticks. Where a word could be more than a word, all of it is code.
fn note_text(note: &str) -> String {
    let note = Signs::PAGE.shorten(&format::clean(note), NOTE_LENGTH);
    let parts: Vec<&str> = note.split('`').collect();
    let paired = parts.len() % 2 == 1;
    if !paired || !parts.iter().step_by(2).all(|words| are_words(words)) {
        return code_of(&note);
    }
    let written = parts.iter().enumerate().map(|(index, part)| {
        if index % 2 == 1 {
            code(part)
        } else {
            (*part).to_owned()
        }
    });
    written.collect()
}

/// Whether GitHub sees nothing but words: no mark-up, mention, number of an issue, address or emoji. Points and colons stand
/// only where a sentence has them.
fn are_words(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    letters.iter().enumerate().all(|(index, c)| match c {
        '.' | ':' => letters.get(index + 1).is_none_or(|next| *next == ' '),
        ' ' | ',' | ';' | '(' | ')' | '%' | '’' | '…' => true,
        c => c.is_alphanumeric(),
    })
}

fn why(metric: &MetricView) -> String {
    sentence(&metric.brief)
}

fn more(text: &mut String, rows: usize) {
    if rows > ROWS {
        let _ = writeln!(text, "\nand {} more", rows - ROWS);
    }
}

fn sentence(sentence: &Sentence) -> String {
    sentence
        .0
        .iter()
        .map(|piece| match piece {
            Piece::Words(words) => words.clone(),
            Piece::Strong(words) => format!("**{words}**"),
            Piece::Name(name) => code(name),
        })
        .collect()
}

fn plain_strong(sentence: &Sentence) -> String {
    sentence
        .0
        .iter()
        .map(|piece| match piece {
            Piece::Words(words) | Piece::Strong(words) => words.clone(),
            Piece::Name(name) => code(name),
        })
        .collect()
}

/// A name from outside. Inside of `<code>` GitHub neither mentions people nor links numbers and addresses; a character
/// reference is never markup, not even a table's bar, so every sign that could be is one.
fn code(name: &str) -> String {
    code_of(&Signs::PAGE.shorten(name, NAME_LENGTH))
}

fn code_of(name: &str) -> String {
    let name = format::clean(name);
    let letters: Vec<char> = name.chars().collect();
    let mut escaped = String::from("<code>");
    for (index, &c) in letters.iter().enumerate() {
        let between_letters = |index: usize| {
            let beside = |index: Option<usize>| {
                index
                    .and_then(|index| letters.get(index))
                    .is_some_and(|c| c.is_alphanumeric())
            };
            beside(index.checked_sub(1)) && beside(Some(index + 1))
        };
        let harmless = !c.is_ascii_punctuation()
            || matches!(c, '.' | ',' | '/' | '-' | '%' | ';')
            || (c == '_' && between_letters(index));
        if harmless {
            escaped.push(c);
        } else {
            let _ = write!(escaped, "&#{};", u32::from(c));
        }
    }
    escaped.push_str("</code>");
    escaped
}

fn link(text: &str, to: &str) -> String {
    let lower = to.to_ascii_lowercase();
    if lower.starts_with("https://") || lower.starts_with("http://") {
        return format!("[{text}]({})", destination(to, &[]));
    }
    let drive =
        matches!(to.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic());
    if drive || to.starts_with(['/', '\\', '~']) || lower.starts_with("file:") {
        let name = to.rsplit(['/', '\\']).next().unwrap_or(to);
        return format!("{text}: {}", code(name));
    }
    // In a path these are letters like any other; in an address they would end it, or begin a scheme.
    format!("[{text}]({})", destination(to, &['%', '#', '?', ':']))
}

/// An address inside of `(…)`; `also` is encoded too.
fn destination(address: &str, also: &[char]) -> String {
    let mut escaped = String::with_capacity(address.len());
    for c in address.chars() {
        let ends = matches!(
            c,
            '(' | ')' | '<' | '>' | '[' | ']' | '\\' | '"' | '`' | '|' | '*'
        );
        if c.is_control() || c.is_whitespace() || ends || also.contains(&c) {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(escaped, "%{byte:02X}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_no_markup() {
        assert_eq!(code("http_p99.ms"), "<code>http_p99.ms</code>");
        assert_eq!(
            code("a|b`c`<b>@all"),
            "<code>a&#124;b&#96;c&#96;&#60;b&#62;&#64;all</code>"
        );
        assert_eq!(code("_x_"), "<code>&#95;x&#95;</code>");
        assert_eq!(code("two\nlines"), "<code>two\u{fffd}lines</code>");
    }

    #[test]
    fn a_note_has_code_for_names_and_is_code_where_a_word_could_be_more() {
        let check = |note: &str, written: &str| assert_eq!(note_text(note), written);
        check(
            "`a|b` has 3 points, 2 are missing: see below.",
            "<code>a&#124;b</code> has 3 points, 2 are missing: see below.",
        );
        check("ask @all", "<code>ask &#64;all</code>");
        check("www.example.com", "<code>www.example.com</code>");
        check("`a` and `b", "<code>&#96;a&#96; and &#96;b</code>");
        check("`a` :tada:", "<code>&#96;a&#96; &#58;tada&#58;</code>");
    }

    #[test]
    fn a_path_stays_inside_of_its_brackets_and_is_encoded() {
        let check = |to: &str, written: &str| assert_eq!(link("Data", to), written, "{to}");
        check("my report (1).html", "[Data](my%20report%20%281%29.html)");
        check("a/50%#1?.html", "[Data](a/50%25%231%3F.html)");
        check("javascript:alert", "[Data](javascript%3Aalert)");
        check("../out/r.html", "[Data](../out/r.html)");
        check(
            "https://ci.example/r?job=1#top",
            "[Data](https://ci.example/r?job=1#top)",
        );
    }

    #[test]
    fn a_whole_path_is_no_link_and_does_not_leak() {
        let check = |to: &str| assert_eq!(link("Data", to), "Data: <code>x.html</code>", "{to}");
        check("/tmp/x.html");
        check("/home/somebody/deep/x.html");
        check("C:\\Users\\x.html");
        check("\\\\server\\share\\x.html");
        check("~/x.html");
        check("file:///tmp/x.html");
    }
}
