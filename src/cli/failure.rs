//! What is said when something went wrong: what it is, where, what to do, and what came of it.

use std::fmt::Write as _;
use std::path::Path;

use super::exit::Exit;
use crate::archive::whole_file::WriteError;
use crate::config::problems::{Problems, Role};
use crate::model::clean::clean;
use crate::sources::files::problem::InputError;

/// An error for the person who called.
#[derive(Debug)]
pub(super) struct Failure {
    parts: Vec<Part>,
    /// What came of it, as a sentence.
    consequence: Option<String>,
    /// How the program ends.
    exit: Exit,
}

#[derive(Debug)]
enum Part {
    Plain {
        message: String,
        details: Vec<String>,
        hints: Vec<String>,
        count: u64,
    },
    Config {
        file: String,
        text: String,
        problems: Box<Problems>,
    },
}

impl Failure {
    /// One sentence, lower case and without a full stop.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            parts: vec![Part::Plain {
                message: message.into(),
                details: Vec::new(),
                hints: Vec::new(),
                count: 1,
            }],
            consequence: None,
            exit: Exit::BadInput,
        }
    }

    /// A config with its problems, each shown in its line.
    pub(super) fn config(file: String, text: String, problems: Problems) -> Self {
        Self {
            parts: vec![Part::Config {
                file,
                text,
                problems: Box::new(problems),
            }],
            consequence: None,
            exit: Exit::BadInput,
        }
    }

    /// A file that cannot be written.
    pub(super) fn write(path: &Path, error: &WriteError) -> Self {
        let failure = Self::new(format!("cannot write `{}`: {error}", path.display()));
        match error {
            WriteError::Compression(_) => {
                failure.hint("names ending in `.json` and `.json.gz` are possible")
            }
            WriteError::Directory | WriteError::NoFolder(_) | WriteError::System(_) => failure,
        }
    }

    /// Adds what to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(Part::Plain { hints, .. }) = self.parts.last_mut() {
            hints.push(hint.into());
        }
        self
    }

    /// Adds a line below the message.
    pub(super) fn detail(mut self, detail: impl Into<String>) -> Self {
        if let Some(Part::Plain { details, .. }) = self.parts.last_mut() {
            details.push(detail.into());
        }
        self
    }

    /// Says that the message stands for so many errors.
    pub(super) fn counts(mut self, number: usize) -> Self {
        if let Some(Part::Plain { count, .. }) = self.parts.last_mut() {
            *count = number as u64;
        }
        self
    }

    /// Says that the same call may succeed later.
    pub(super) fn passing(mut self) -> Self {
        self.exit = Exit::OutOfReach;
        self
    }

    /// Says that the one who asks may not.
    pub(super) fn forbidden(mut self) -> Self {
        self.exit = Exit::NotAllowed;
        self
    }

    /// How the program ends.
    pub(super) fn exit(&self) -> Exit {
        self.exit
    }

    /// Adds another failure, so that all are told at once. Where one must be mended, waiting does not help.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        if other.exit == Exit::BadInput {
            self.exit = Exit::BadInput;
        }
        self
    }

    /// The first failure of several, with all others; `None` for none.
    pub(super) fn all(failures: impl IntoIterator<Item = Self>) -> Option<Self> {
        failures.into_iter().reduce(Self::and)
    }

    /// Says what came of it, unless that was said already where more was known.
    pub(super) fn so(mut self, consequence: impl Into<String>) -> Self {
        self.consequence.get_or_insert(consequence.into());
        self
    }

    /// The text for standard error.
    pub(super) fn text(&self, paint: &dyn Fn(Role, &str) -> String) -> String {
        let mut text = String::new();
        for part in &self.parts {
            if !text.is_empty() {
                text.push('\n');
            }
            match part {
                Part::Plain {
                    message,
                    details,
                    hints,
                    count: _,
                } => {
                    let word = paint(Role::Error, "error");
                    let _ = writeln!(text, "{word}: {}", paint(Role::Message, &clean(message)));
                    for detail in details {
                        let _ = writeln!(text, "  {}", clean(detail));
                    }
                    for hint in hints {
                        let _ = writeln!(text, "{}: {}", paint(Role::Hint, "hint"), clean(hint));
                    }
                }
                Part::Config {
                    file,
                    text: config,
                    problems,
                } => text.push_str(&problems.render(file, config, paint)),
            }
        }
        let count: u64 = self.parts.iter().map(Part::count).sum();
        if let Some(consequence) = &self.consequence {
            let noun = if count == 1 { "error" } else { "errors" };
            let _ = writeln!(text, "\n{count} {noun}. {}", clean(consequence));
        }
        text
    }
}

impl Part {
    fn count(&self) -> u64 {
        match self {
            Self::Plain { count, .. } => *count,
            Self::Config { problems, .. } => problems.len() as u64,
        }
    }
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        let mut hints: Vec<String> = Vec::new();
        for problem in &error.problems {
            if let Some(hint) = &problem.hint
                && !hints.contains(hint)
            {
                hints.push(hint.clone());
            }
        }
        let whole = error.to_string();
        let (message, details) = match error.problems.as_slice() {
            [only] if error.more == 0 => (format!("cannot read `{}`: {only}", error.file), vec![]),
            several => {
                let mut details: Vec<String> = several.iter().map(ToString::to_string).collect();
                if error.more > 0 {
                    details.push(format!("and {} more", error.more));
                }
                (whole, details)
            }
        };
        Self {
            parts: vec![Part::Plain {
                message,
                details,
                hints,
                count: error.problems.len() as u64 + error.more,
            }],
            consequence: None,
            exit: Exit::BadInput,
        }
    }
}
