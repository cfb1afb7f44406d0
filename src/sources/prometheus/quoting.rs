//! Names and values as PromQL wants them written.

use super::promql::{is_name, is_name_start};

/// Whether `name` can stand in a query without quotes.
pub(super) fn is_plain_name(name: &str) -> bool {
    name.starts_with(is_name_start) && name.chars().all(is_name)
}

/// Writes `c` such that it stands for itself in a string of the quote `quote`; false where it cannot: back-tick strings know no
/// escapes.
pub(super) fn push_escaped(out: &mut String, c: char, quote: char) -> bool {
    match c {
        c if quote == '`' => {
            out.push(c);
            return c != '`';
        }
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        c if c == quote => out.extend(['\\', c]),
        c => out.push(c),
    }
    true
}

/// `text` fit to stand between double quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        push_escaped(&mut out, c, '"');
    }
    out
}

/// `text` as a regular expression that matches only itself: what Go's `regexp.QuoteMeta` gives.
pub(super) fn regex_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
