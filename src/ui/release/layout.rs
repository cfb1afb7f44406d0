//! What all texts about releases share: marks, colours, columns, and how numbers are written.

use coalmine_reports::terminal::{Line, Role, ascii, cut, wrap};

use super::status::{Mark, PhaseState};
use crate::model::clean::clean;

/// Wider lines are hard to follow.
const WIDEST: usize = 120;
/// What is narrower is broken by the terminal.
const NARROWEST: usize = 60;

/// How text about a release looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour, with the 16 ANSI colours.
    pub color: bool,
    /// Whether to write ASCII only.
    pub ascii: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// What every command needs to reach the same service: ` --server URL`; may be empty.
    pub flags: String,
    /// What stands before the paths of reports: `http://127.0.0.1:8090`; may be empty.
    pub base: String,
}

impl Default for Style {
    /// No colour, 80 columns, paths as they are.
    fn default() -> Self {
        Self {
            color: false,
            ascii: false,
            width: 80,
            flags: String::new(),
            base: String::new(),
        }
    }
}

/// Lines in the making.
pub(super) struct Page<'a> {
    pub(super) style: &'a Style,
    pub(super) width: usize,
    text: String,
}

impl<'a> Page<'a> {
    pub(super) fn new(style: &'a Style) -> Self {
        Self {
            style,
            width: style.width.clamp(NARROWEST, WIDEST),
            text: String::new(),
        }
    }

    pub(super) fn line(&mut self, line: &Line) {
        let line = line.finish(self.style.color);
        if self.style.ascii {
            self.text.push_str(&ascii(&line));
        } else {
            self.text.push_str(&line);
        }
        self.text.push('\n');
    }

    /// An empty line, but never two.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Text over as many lines as it needs, each after so many spaces; the first after `before`.
    pub(super) fn wrapped(&mut self, before: &str, indent: usize, pieces: &[(Role, String)]) {
        let lines = wrap(pieces, 0, self.width.saturating_sub(indent));
        for (index, line) in lines.iter().enumerate() {
            let start = if index == 0 { before } else { "" };
            let text = line.finish(self.style.color);
            let text = if self.style.ascii { ascii(&text) } else { text };
            let spaces = " ".repeat(indent.saturating_sub(start.chars().count()));
            self.text
                .push_str(format!("{start}{spaces}{text}").trim_end());
            self.text.push('\n');
        }
    }

    /// A line that begins with a mark, over as many lines as it needs.
    pub(super) fn marked(&mut self, mark: (Role, &'static str), pieces: &[(Role, String)]) {
        let mut all = vec![(mark.0, format!("{} ", mark.1))];
        all.extend_from_slice(pieces);
        for line in wrap(&all, 2, self.width) {
            self.line(&line);
        }
    }

    pub(super) fn finish(mut self) -> String {
        while self.text.ends_with("\n\n") {
            self.text.pop();
        }
        self.text
    }

    /// A sign, or what stands for it in ASCII.
    pub(super) fn sign(&self, sign: &'static str, plain: &'static str) -> &'static str {
        if self.style.ascii { plain } else { sign }
    }

    pub(super) fn mark(&self, mark: Mark) -> (Role, &'static str) {
        match mark {
            Mark::Pass => (Role::Pass, self.sign("✓", "P")),
            Mark::Running => (Role::Strong, self.sign("◉", ">")),
            Mark::Waiting => (Role::Marginal, self.sign("‖", "!")),
            Mark::Fail => (Role::Fail, self.sign("✕", "F")),
            Mark::Stopped => (Role::Strong, self.sign("⊘", "x")),
        }
    }

    pub(super) fn phase_mark(&self, state: PhaseState) -> (Role, &'static str) {
        match state {
            PhaseState::Done => (Role::Pass, self.sign("✓", "+")),
            PhaseState::Running => (Role::Strong, self.sign("◉", ">")),
            PhaseState::Waiting => (Role::Marginal, self.sign("‖", "!")),
            PhaseState::Later => (Role::Faint, self.sign("○", ".")),
            PhaseState::Stopped => (Role::Fail, self.sign("✕", "x")),
            PhaseState::PassedOver => (Role::Faint, self.sign("–", "-")),
        }
    }

    /// The mark of a verdict, or of a metric's result.
    pub(super) fn result_mark(&self, word: &str) -> (Role, &'static str) {
        match word {
            "Pass" => (Role::Pass, self.sign("✓", "P")),
            "Marginal" => (Role::Marginal, self.sign("◐", "M")),
            "Fail" => (Role::Fail, self.sign("✕", "F")),
            "High" => (Role::Fail, self.sign("▲", "H")),
            "Low" => (Role::Fail, self.sign("▼", "L")),
            "NodataFailMetric" => (Role::Fail, self.sign("◍", "N")),
            "Error" => (Role::Plain, self.sign("✕", "E")),
            "Nodata" => (Role::Plain, self.sign("◌", "n")),
            "Muted" => (Role::Plain, self.sign("⊘", "m")),
            // Inconclusive, and words of a newer server.
            _ => (Role::Plain, self.sign("◇", "?")),
        }
    }

    /// `5.3.2 → 5.4.0`.
    pub(super) fn arrow(&self) -> &'static str {
        self.sign("→", "->")
    }
}

/// Text at the right end of a column.
pub(super) fn right(line: Line, end: usize, role: Role, text: &str) -> Line {
    let width = text.chars().count();
    line.to(end.saturating_sub(width)).add(role, text)
}

/// What comes from outside, in at most so many columns.
pub(super) fn fit(text: &str, columns: usize) -> String {
    cut(&clean(text), columns)
}

/// A score: `93`, `89.9`. Never rounded up, so that none looks as if it had reached what it has not.
pub(super) fn score(score: f64) -> String {
    let tenths = (score * 10.0 + 1e-9).floor() / 10.0;
    trimmed(tenths, 1)
}

/// A share in percent: `25%`, `2.5%`.
pub(super) fn percent(percent: f64, decimals: usize) -> String {
    format!("{}%", trimmed(percent, decimals))
}

fn trimmed(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// `1 operation`, `4 operations`.
pub(super) fn counted(number: usize, one: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {one}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_score_looks_better_than_it_is() {
        assert_eq!(score(89.99), "89.9");
        assert_eq!(score(93.0), "93");
        assert_eq!(score(100.0), "100");
        assert_eq!(score(66.7), "66.7");
        assert_eq!(percent(2.5, 2), "2.5%");
        assert_eq!(percent(24.71, 1), "24.7%");
        assert_eq!(percent(0.0, 1), "0%");
    }
}
