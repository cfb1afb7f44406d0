//! A problem with the line that it concerns, as a person reads it in a terminal. Plain text; the caller colours it.

use super::node::shorten;
use super::problems::Problem;
use crate::model::clean::{clean, is_hidden};

/// What a piece of a rendered problem is, so that a terminal can colour it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The word `error`.
    Error,
    /// The sentence that says what is wrong.
    Message,
    /// File name, line number and frame.
    Frame,
    /// The marks below the text that is meant, and what is said beside them.
    Caret,
    /// The word `hint`.
    Hint,
}

/// Styles nothing.
#[must_use]
pub fn plain(_role: Role, text: &str) -> String {
    text.to_owned()
}

/// Longest piece of a line that a frame shows, in characters. With the line number it fits 80 columns.
const FRAME_WIDTH: usize = 72;

/// One problem with its line.
pub(super) fn frame(
    problem: &Problem,
    name: &str,
    lines: &[&str],
    style: &dyn Fn(Role, &str) -> String,
) -> String {
    let name = clean(name);
    let style = &|role, text: &str| style(role, &clean(text));
    let expected = clean(&problem.expected);
    let path = if problem.path.is_root() {
        String::new()
    } else {
        format!("{}: ", problem.path)
    };
    let mut out = format!(
        "{}: {}\n",
        style(Role::Error, "error"),
        style(Role::Message, &format!("{path}{}", problem.found))
    );
    let shown = problem
        .position
        .and_then(|position| Some((position, lines.get(position.line.checked_sub(1)?)?)));
    let Some((position, line)) = shown else {
        let place = match problem.position {
            Some(position) => format!("{name}:{}:{}", position.line, position.column),
            None => name,
        };
        out += &format!("  {} {place}\n", style(Role::Frame, "┌─"));
        if !expected.is_empty() {
            out += &format!("  {} expected {expected}\n", style(Role::Frame, "="));
        }
        return out + &hint(problem, "  ", style);
    };
    let number = position.line.to_string();
    let margin = " ".repeat(number.len());
    let bar = style(Role::Frame, "│");
    let skipped = position.column.saturating_sub(FRAME_WIDTH / 2);
    let visible: String = line
        .chars()
        .skip(skipped)
        .take(FRAME_WIDTH)
        .map(|c| if is_hidden(c) { ' ' } else { c })
        .collect();
    let offset = position.column.saturating_sub(1 + skipped);
    let width = token_width(visible.get(byte_of(&visible, offset)..).unwrap_or_default());
    let marks = "^".repeat(width);
    let carets = match (problem.is_absence(), problem.path.last_key()) {
        // What stands there is another key, and right.
        (true, Some(key)) => {
            format!("expected a key `{}` here, {expected}", shorten(key, 60))
        }
        _ if expected.is_empty() => marks,
        _ => format!("{marks} expected {expected}"),
    };
    out += &format!(
        "{margin} {} {name}:{}:{}\n",
        style(Role::Frame, "┌─"),
        position.line,
        position.column
    );
    out += &format!("{margin} {bar}\n");
    out += &format!("{} {bar} {visible}\n", style(Role::Frame, &number));
    out += &format!(
        "{margin} {bar} {}{}\n",
        " ".repeat(offset),
        style(Role::Caret, &carets)
    );
    out + &hint(problem, &format!("{margin} "), style)
}

fn hint(problem: &Problem, margin: &str, style: &dyn Fn(Role, &str) -> String) -> String {
    match &problem.hint {
        Some(hint) => format!(
            "{margin}{} {}: {}\n",
            style(Role::Frame, "="),
            style(Role::Hint, "hint"),
            clean(hint)
        ),
        None => String::new(),
    }
}

fn byte_of(text: &str, character: usize) -> usize {
    text.char_indices()
        .nth(character)
        .map_or(text.len(), |(byte, _)| byte)
}

/// How many characters the value or key at the start of `text` takes; at least 1.
fn token_width(text: &str) -> usize {
    let mut chars = text.chars();
    let width = match chars.next() {
        Some(quote @ ('"' | '\'')) => chars
            .position(|c| c == quote)
            .map_or(text.chars().count(), |at| at + 2),
        Some('{' | '[' | '|' | '>' | '-') | None => 1,
        Some(_) => text
            .chars()
            .take_while(|c| !matches!(c, ':' | ',' | ']' | '}' | '#'))
            .collect::<String>()
            .trim_end()
            .chars()
            .count(),
    };
    width.max(1)
}
