//! A text on a terminal that changes in place: only lines that differ are written anew.

use std::fmt::Write as _;

use crate::cli::console::Console;
use crate::cli::failure::Failure;

/// Hides the cursor, and keeps long lines from being broken: a broken line would move all others.
const BEGIN: &str = "\u{1b}[?25l\u{1b}[?7l";
const END: &str = "\u{1b}[?25h\u{1b}[?7h";

/// What is on the terminal. Until it is dropped the cursor stands below it.
#[derive(Debug, Default)]
pub(super) struct Screen {
    lines: Vec<String>,
    begun: bool,
}

impl Screen {
    /// What has to be written so that the terminal shows `text`, of which at most `rows` lines fit.
    pub(super) fn changes(&mut self, text: &str, rows: usize) -> String {
        let lines: Vec<String> = text.lines().take(rows).map(str::to_owned).collect();
        if self.begun && lines == self.lines {
            return String::new();
        }
        let mut out = String::new();
        if !self.begun {
            out.push_str(BEGIN);
            self.begun = true;
        }
        if !self.lines.is_empty() {
            let _ = write!(out, "\u{1b}[{}A\r", self.lines.len());
        }
        for (place, line) in lines.iter().enumerate() {
            match self.lines.get(place) {
                Some(before) if before == line => out.push_str("\r\n"),
                Some(_) => {
                    let _ = write!(out, "\u{1b}[2K{line}\r\n");
                }
                None => {
                    let _ = write!(out, "{line}\r\n");
                }
            }
        }
        if lines.len() < self.lines.len() {
            // What stands below is of before.
            out.push_str("\u{1b}[J");
        }
        self.lines = lines;
        out
    }

    /// Shows a text.
    pub(super) fn show(&mut self, text: &str, console: &mut Console) -> Result<(), Failure> {
        let rows = terminal_size::terminal_size().map_or(usize::MAX, |(_, rows)| {
            usize::from(rows.0).saturating_sub(1).max(1)
        });
        let changes = self.changes(text, rows);
        if changes.is_empty() {
            return Ok(());
        }
        console.print(&changes)
    }

    /// Gives the terminal back as it was.
    pub(super) fn end(&mut self, console: &mut Console) -> Result<(), Failure> {
        if !std::mem::take(&mut self.begun) {
            return Ok(());
        }
        self.lines.clear();
        console.print(END)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_written() {
        let mut screen = Screen::default();
        let first = screen.changes("one\ntwo\nthree\n", 10);
        assert_eq!(first, format!("{BEGIN}one\r\ntwo\r\nthree\r\n"));
        assert_eq!(screen.changes("one\ntwo\nthree\n", 10), "");
        let second = screen.changes("one\nTWO\nthree\n", 10);
        assert_eq!(second, "\u{1b}[3A\r\r\n\u{1b}[2KTWO\r\n\r\n");
        let shorter = screen.changes("one\n", 10);
        assert_eq!(shorter, "\u{1b}[3A\r\r\n\u{1b}[J");
        let longer = screen.changes("one\nmore\n", 10);
        assert_eq!(longer, "\u{1b}[1A\r\r\nmore\r\n");
        let cut = screen.changes("a\nb\nc\nd\n", 2);
        assert_eq!(cut, "\u{1b}[2A\r\u{1b}[2Ka\r\n\u{1b}[2Kb\r\n");
    }
}
