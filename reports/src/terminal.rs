//! Colours, widths and line breaks of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::sentence::{Piece, Sentence};

/// What a piece of text is; the user's theme decides how that looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// As the terminal writes.
    Plain,
    /// Fail, High, Low, errors.
    Fail,
    /// Marginal, waiting, warnings.
    Marginal,
    /// Pass.
    Pass,
    /// Names, numbers that decide, the current stage.
    Strong,
    /// Units, times, hints, what is still to come.
    Faint,
    /// The canary's name.
    Canary,
}

impl Role {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Fail => Some("1;31"),
            Self::Marginal => Some("33"),
            Self::Pass => Some("36"),
            Self::Strong => Some("1"),
            Self::Faint => Some("2"),
            Self::Canary => Some("34"),
        }
    }
}

/// A line in the making: pieces of text with their roles.
#[derive(Debug, Clone, Default)]
pub struct Line {
    pieces: Vec<(Role, String)>,
    width: usize,
}

impl Line {
    /// An empty line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// More text behind it.
    #[must_use]
    pub fn add(mut self, role: Role, text: impl Into<String>) -> Self {
        let text = text.into();
        self.width += text.width();
        match self.pieces.last_mut() {
            Some((last, before)) if *last == role => before.push_str(&text),
            _ => self.pieces.push((role, text)),
        }
        self
    }

    /// Fills with spaces up to a column; nothing where it is reached.
    #[must_use]
    pub fn to(self, column: usize) -> Self {
        let missing = column.saturating_sub(self.width);
        self.add(Role::Plain, " ".repeat(missing))
    }

    pub(crate) fn join(mut self, other: Self) -> Self {
        for (role, text) in other.pieces {
            self = self.add(role, text);
        }
        self
    }

    /// Columns that it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The line as text, without spaces at its end.
    #[must_use]
    pub fn finish(&self, color: bool) -> String {
        let mut line = String::new();
        for (role, text) in &self.pieces {
            match role.code().filter(|_| color && !text.trim().is_empty()) {
                Some(code) => {
                    line.push_str("\u{1b}[");
                    line.push_str(code);
                    line.push('m');
                    line.push_str(text);
                    line.push_str("\u{1b}[0m");
                }
                None => line.push_str(text),
            }
        }
        line.truncate(line.trim_end_matches(' ').len());
        line
    }
}

/// Breaks text into lines of at most `width` columns; later lines start with `indent` spaces. A word that is longer than a
/// line stands alone on it.
#[must_use]
pub fn wrap(pieces: &[(Role, String)], indent: usize, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut line = Line::new();
    let mut empty = true;
    for word in words(pieces) {
        let length: usize = word.iter().map(|(_, text)| text.width()).sum();
        if !empty && line.width() + 1 + length > width {
            lines.push(std::mem::take(&mut line));
            line = line.to(indent);
            empty = true;
        }
        if !empty {
            // Words of one kind stay one run.
            let role = match (line.pieces.last(), word.first()) {
                (Some((last, _)), Some((next, _))) if last == next => *last,
                (_, _) => Role::Plain,
            };
            line = line.add(role, " ");
        }
        for (role, text) in word {
            line = line.add(role, text);
        }
        empty = false;
    }
    lines.push(line);
    lines
}

/// Words between spaces; a word may have several roles.
fn words(pieces: &[(Role, String)]) -> Vec<Vec<(Role, String)>> {
    let mut words: Vec<Vec<(Role, String)>> = Vec::new();
    let mut open = false;
    for (role, text) in pieces {
        for (index, part) in text.split(' ').enumerate() {
            if index > 0 {
                open = false;
            }
            if part.is_empty() {
                continue;
            }
            match words.last_mut() {
                Some(word) if open => word.push((*role, part.to_owned())),
                _ => words.push(vec![(*role, part.to_owned())]),
            }
            open = true;
        }
    }
    words
}

/// A sentence's pieces with their roles.
pub(crate) fn roles(sentence: &Sentence, plain: Role) -> Vec<(Role, String)> {
    sentence
        .0
        .iter()
        .map(|piece| match piece {
            Piece::Words(words) | Piece::Name(words) => (plain, words.clone()),
            Piece::Strong(words) => (Role::Strong, words.clone()),
        })
        .collect()
}

/// At most `columns` columns of `text`; what is cut shows as an ellipsis.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let width = c.width().unwrap_or(0);
        if used + width + 1 > columns {
            break;
        }
        used += width;
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// The text in ASCII: our own signs as their likes, letters of other alphabets as question marks.
#[must_use]
pub fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '’' | '‘' => plain.push('\''),
            '“' | '”' => plain.push('"'),
            '…' => plain.push('.'),
            '\u{2212}' => plain.push('-'),
            '×' => plain.push('x'),
            c if c.is_ascii() => plain.push(c),
            _ => plain.push('?'),
        }
    }
    plain
}
