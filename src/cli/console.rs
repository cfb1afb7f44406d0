//! The terminal, or whatever stands in its place: who may be coloured, how wide it is, what time it is.

use std::env;
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;

use clap::ValueEnum;
use coalmine_reports::TextStyle;

use super::failure::Failure;
use super::{Manners, tolerate_broken_pipe};
use crate::clock::{Clock, FixedClock, SystemClock};
use crate::config::problems::Role;
use crate::model::clean::clean;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Warnings that are printed; the report has all of them.
const MAX_WARNINGS: usize = 20;
/// Width of what is no terminal.
const DEFAULT_WIDTH: usize = 80;

/// Prints, and knows how.
pub(super) struct Console {
    color: ColorChoice,
    ascii: bool,
    quiet: bool,
    clock: Box<dyn Clock>,
}

impl Console {
    pub(super) fn new(manners: &Manners) -> Self {
        let fixed = manners.now.map(jiff::Timestamp::as_millisecond);
        Self {
            color: manners.color,
            ascii: manners.ascii || (io::stdout().is_terminal() && locale_is_not_utf8()),
            quiet: manners.quiet,
            clock: match fixed {
                Some(now_ms) => Box::new(FixedClock(now_ms)),
                None => Box::new(SystemClock),
            },
        }
    }

    pub(super) fn quiet(&self) -> bool {
        self.quiet
    }

    pub(super) fn ascii(&self) -> bool {
        self.ascii
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Whether a line may be redrawn on standard error.
    pub(super) fn shows_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// How text for standard output looks.
    pub(super) fn text_style(&self) -> TextStyle {
        let terminal = io::stdout().is_terminal();
        let width = if terminal {
            terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
        } else {
            None
        };
        TextStyle {
            color: self.colors(terminal),
            ascii: self.ascii,
            width: width.unwrap_or(DEFAULT_WIDTH),
            hyperlinks: terminal && supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout),
            ..TextStyle::default()
        }
    }

    /// The path of a report as text shows it: whole where the terminal makes it a hyperlink, else as it was given.
    pub(super) fn shown_path(path: &Path, style: &TextStyle) -> String {
        let whole = style.hyperlinks.then(|| std::path::absolute(path).ok());
        let path = whole.flatten().unwrap_or_else(|| path.to_path_buf());
        clean(&path.display().to_string())
    }

    /// Writes data to standard output.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        tolerate_broken_pipe(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
    }

    /// Writes text for people to standard output, unless that was not wanted.
    pub(super) fn tell(&mut self, text: &str) -> Result<(), Failure> {
        if self.quiet {
            return Ok(());
        }
        self.print(text)
    }

    /// Writes warnings to standard error, unless that was not wanted.
    pub(super) fn warn(&mut self, warnings: &[String]) {
        if self.quiet {
            return;
        }
        let word = self.on_stderr("33", "warning");
        for warning in warnings.iter().take(MAX_WARNINGS) {
            let warning = clean(warning);
            self.complain(&format!("{word}: {warning}\n"));
        }
        if warnings.len() > MAX_WARNINGS {
            let more = warnings.len() - MAX_WARNINGS;
            self.complain(&format!("{word}: {more} more\n"));
        }
    }

    /// Writes an error to standard error.
    pub(super) fn fail(&mut self, failure: &Failure) {
        let ascii = self.ascii;
        let text = failure.text(&|role, text| {
            let text = if ascii {
                plain_frame(text)
            } else {
                text.to_owned()
            };
            let code = match role {
                Role::Error => "1;31",
                Role::Message => "1",
                Role::Frame => "34",
                Role::Caret => "31",
                Role::Hint => "36",
            };
            self.on_stderr(code, &text)
        });
        self.complain(&text);
    }

    /// Says on standard error what happens meanwhile, unless that was not wanted.
    pub(super) fn note(&mut self, text: &str) {
        if !self.quiet {
            self.complain(&format!("{}\n", clean(text)));
        }
    }

    /// Asks on standard error; the answer comes on standard input.
    pub(super) fn ask(&mut self, question: &str) {
        self.complain(question);
    }

    /// Standard error that is gone has nobody left to tell.
    fn complain(&self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    fn on_stderr(&self, code: &str, text: &str) -> String {
        if self.colors(io::stderr().is_terminal()) {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn colors(&self, terminal: bool) -> bool {
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                terminal
                    && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

fn plain_frame(text: &str) -> String {
    text.replace("┌─", "-->").replace('│', "|")
}

/// Whether the locale names an encoding other than UTF-8. Where it names nothing, as in many containers, UTF-8 is right.
fn locale_is_not_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| env::var(name).ok())
        .find(|value| !value.is_empty());
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        !(locale.contains("utf-8") || locale.contains("utf8"))
    })
}
