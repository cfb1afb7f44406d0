//! What is wrong with an input file, all of it at once.

use std::fmt;

/// How many problems of one file are kept; the others are counted.
pub const MAX_PROBLEMS: usize = 20;

/// One thing that is wrong in an input file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: ``line 3, column `value` ``, `[2].id`, or empty for the whole file.
    pub place: String,
    /// What stands there.
    pub found: String,
    /// What should stand there.
    pub expected: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem of the whole file.
    pub fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            place: String::new(),
            found: found.into(),
            expected: expected.into(),
            hint: None,
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self
    }

    /// Says in which line and column.
    #[must_use]
    pub fn at_cell(self, line: u64, column: &str) -> Self {
        self.at(format!("line {line}, column `{column}`"))
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(formatter, "{}: ", self.place)?;
        }
        write!(
            formatter,
            "found {}; expected {}",
            self.found, self.expected
        )
    }
}

/// A file that cannot be used, with all its problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError {
    /// The file, as the user named it.
    pub file: String,
    /// The first [`MAX_PROBLEMS`] problems; at least one.
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub more: u64,
}

impl fmt::Display for InputError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len() as u64 + self.more;
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(formatter, "cannot read `{}`: {count} {noun}", self.file)
    }
}

impl std::error::Error for InputError {}

/// Collects the problems of one file.
#[derive(Debug, Default)]
pub(super) struct Problems {
    kept: Vec<Problem>,
    more: u64,
}

impl Problems {
    /// Notes a problem.
    pub(super) fn add(&mut self, problem: Problem) {
        if self.kept.len() < MAX_PROBLEMS {
            self.kept.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// Whether further problems are only counted; then nobody needs to word them.
    pub(super) fn is_full(&self) -> bool {
        self.kept.len() >= MAX_PROBLEMS
    }

    /// Counts a problem that nobody will read.
    pub(super) fn count(&mut self) {
        self.more += 1;
    }

    /// Whether there is none so far.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// `value` where there is no problem, else all of them as the error of `file`.
    pub(super) fn or<T>(self, file: &str, value: T) -> Result<T, InputError> {
        if self.is_empty() {
            Ok(value)
        } else {
            Err(self.error(file))
        }
    }

    /// All problems as the error of `file`, with one that ends the reading.
    pub(super) fn fatal(mut self, file: &str, problem: Problem) -> InputError {
        self.add(problem);
        self.error(file)
    }

    fn error(self, file: &str) -> InputError {
        InputError {
            file: file.to_owned(),
            problems: self.kept,
            more: self.more,
        }
    }
}

/// The first 40 characters of `text` in back-ticks; control characters are escaped, bytes that are not UTF-8 replaced.
pub(super) fn quoted(text: &[u8]) -> String {
    let head = &text[..text.len().min(200)];
    let decoded = String::from_utf8_lossy(head);
    let mut shown = String::from("`");
    for (index, character) in decoded.chars().enumerate() {
        if index == 40 {
            shown.push('…');
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown.push('`');
    shown
}
