//! A summary in GitHub's Markdown.

use std::fmt::Write as _;

use crate::Report;
use crate::format::{self, Signs};
use crate::metric::{Kind, MetricView};
use crate::sentence::{Piece, Sentence};
use crate::view::View;

/// Rows of a table; a pull request is no place for two hundred.
const ROWS: usize = 30;

/// Addresses that the summary links to; they are written as given, so they must be the caller's own.
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
    let mut last: Vec<String> = Vec::new();
    if let Some(address) = &links.report {
        last.push(format!("[Full report]({})", destination(address)));
    }
    if let Some(address) = &links.data {
        last.push(format!("[Data]({})", destination(address)));
    }
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
    let name = Signs::PAGE.shorten(&format::clean(name), 120);
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

/// An address inside of `(…)`.
fn destination(address: &str) -> String {
    let mut escaped = String::with_capacity(address.len());
    for c in address.chars() {
        if c.is_control() || c.is_whitespace() || matches!(c, '(' | ')' | '<' | '>' | '\\' | '"') {
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
    fn an_address_stays_inside_of_its_brackets() {
        assert_eq!(
            destination("my report (1).html"),
            "my%20report%20%281%29.html"
        );
    }
}
