//! What is wrong with a config: every finding with its path, what was found, what was expected, and a hint.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::node::shorten;
use super::path::Path;
use super::render::frame;
pub use super::render::{Role, plain};
use super::shape::nearest;

/// A place in a text, counted in lines and characters from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Character within the line, from 1.
    pub column: usize,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the config: `metrics[2].direction`. The root where it concerns the text as a whole.
    pub path: Path,
    /// What stands there, in words.
    pub found: String,
    /// What should stand there, in words; empty where `found` says it all.
    pub expected: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where in the text; of an absent key, where the map begins that lacks it.
    pub position: Option<Position>,
}

/// What stands where a key is absent.
const MISSING: &str = "missing";

impl Problem {
    /// A problem without hint and place.
    #[must_use]
    pub fn new(path: Path, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            path,
            found: found.into(),
            expected: expected.into(),
            hint: None,
            position: None,
        }
    }

    /// The problem that the last key of `path` is absent.
    #[must_use]
    pub fn missing(path: Path, expected: impl Into<String>) -> Self {
        Self::new(path, MISSING, expected)
    }

    /// Whether the path's last key is absent.
    pub(crate) fn is_absence(&self) -> bool {
        self.found == MISSING
    }

    /// The same problem with a place.
    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    /// The same problem with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same problem with the one of `known` as a hint that `word` was probably meant to be, if there is one.
    #[must_use]
    pub(crate) fn did_you_mean<'k>(
        self,
        word: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) -> Self {
        match nearest(word, known.into_iter()) {
            Some(near) => self.hint(format!("did you mean `{near}`?")),
            None => self,
        }
    }

    /// Found and expected as one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        if self.expected.is_empty() {
            self.found.clone()
        } else {
            format!("{}; expected {}", self.found, self.expected)
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.path.is_root(), self.position) {
            (true, Some(at)) => write!(f, "line {}, column {}: ", at.line, at.column)?,
            (true, None) => {}
            (false, _) => write!(f, "{}: ", self.path)?,
        }
        f.write_str(&self.sentence())
    }
}

/// All that is wrong with a config; at least one problem, and at most 1,000.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Takes problems, in the order in which they shall be shown; `None` where there are none.
    #[must_use]
    pub fn new(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self(problems))
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// How many there are; at least 1.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Gives each problem this hint in place of its own.
    pub(crate) fn hint(&mut self, hint: &str) {
        for problem in &mut self.0 {
            problem.hint = Some(hint.to_owned());
        }
    }

    /// `1 problem`, `7 problems`.
    #[must_use]
    pub fn count(&self) -> String {
        match self.len() {
            1 => "1 problem".to_owned(),
            count => format!("{count} problems"),
        }
    }

    /// Each problem with the line of `text` that it concerns. `name` is the file's name, whose control characters show as
    /// escapes; `style` colours a piece of text
    /// ([`plain`] leaves it as it is).
    #[must_use]
    pub fn render(&self, name: &str, text: &str, style: &dyn Fn(Role, &str) -> String) -> String {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let name = &shorten(name, usize::MAX);
        let lines: Vec<&str> = text.lines().collect();
        let frames: Vec<String> = self
            .iter()
            .map(|problem| frame(problem, name, &lines, style))
            .collect();
        frames.join("\n")
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.count())?;
        for problem in self.iter() {
            write!(f, "\n  {problem}")?;
            if let Some(hint) = &problem.hint {
                write!(f, "\n    hint: {hint}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Something that is allowed but surely not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where in the config; the root where it concerns the config as a whole.
    pub path: Path,
    /// What is odd and what follows from it, with the numbers.
    pub message: String,
    /// Where in the text.
    pub position: Option<Position>,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_root() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

/// Collects findings while a config is checked.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// What refuses the config.
    pub(crate) problems: Vec<Problem>,
    /// What was passed over, and why.
    pub(crate) ignored: Vec<String>,
    /// Keys that are absent because they are written otherwise or elsewhere, each with what to do.
    pub(crate) mislaid: HashMap<Path, String>,
    /// Where scalars stand that are told already; nothing more is told of them.
    pub(crate) broken: HashSet<Path>,
}

impl Findings {
    /// Most problems that are kept: enough for any person, and bounded for hostile texts.
    pub(crate) const MOST: usize = 1_000;

    /// Whether further problems would be dropped.
    pub(crate) fn is_full(&self) -> bool {
        self.problems.len() >= Self::MOST
    }

    /// Adds a problem; beyond 1,000 they are dropped.
    pub(crate) fn problem(&mut self, problem: Problem) {
        if !self.is_full() && !self.broken.contains(&problem.path) {
            self.problems.push(problem);
        }
    }

    /// Lists something that was passed over; beyond 1,000 it is not listed.
    pub(crate) fn ignore(&mut self, path: &Path, why: impl fmt::Display) {
        if self.ignored.len() < Self::MOST {
            self.ignored.push(format!("{path}: {why}"));
        }
    }
}
