//! Text for a terminal.

use unicode_width::UnicodeWidthStr;

mod rows;

use crate::Report;
use crate::format::{self, NOTES, Signs};
use crate::metric::Kind;
use crate::terminal::{Line, Role, ascii, cut, roles, wrap};
use crate::trust;
use crate::view::{VerdictMark, View};

/// Wider lines are hard to follow.
const WIDEST: usize = 160;
const NARROWEST: usize = 40;
/// Widest plot and score axis.
const PLOT_WIDTH: usize = 64;
/// Groups that are listed.
const GROUPS: usize = 12;

/// How text for a terminal looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextStyle {
    /// Whether to colour, with the 16 ANSI colours.
    pub color: bool,
    /// Whether to write ASCII only.
    pub ascii: bool,
    /// Columns of the terminal; from 104 on effects are plotted.
    pub width: usize,
    /// Whether to list the metrics that passed.
    pub all: bool,
    /// Whether the terminal shows hyperlinks (OSC 8).
    pub hyperlinks: bool,
    /// Where the HTML report is; the last line names it, as a hyperlink where this is a whole path.
    pub report_path: Option<String>,
}

impl Default for TextStyle {
    /// No colour, 80 columns, only what did not pass.
    fn default() -> Self {
        Self {
            color: false,
            ascii: false,
            width: 80,
            all: false,
            hyperlinks: false,
            report_path: None,
        }
    }
}

pub(crate) fn write(report: &Report<'_>, style: &TextStyle) -> String {
    let signs = if style.ascii {
        Signs::ASCII
    } else {
        Signs::TERMINAL
    };
    let view = View::new(report, signs);
    let page = Page {
        style,
        signs,
        width: style.width.clamp(NARROWEST, WIDEST),
    };
    let mut lines = page.headline(&view);
    lines.push(Line::new());
    lines.extend(page.reason(&view));
    for note in report.context.notes.iter().take(NOTES) {
        let note = vec![
            (Role::Marginal, "  note: ".to_owned()),
            (Role::Plain, format::clean(note)),
        ];
        lines.extend(page.indented(&note));
    }
    if let Some(more) = format::more_notes(report.context.notes.len()) {
        lines.extend(page.indented(&[(Role::Faint, format!("  {more}"))]));
    }
    lines.push(Line::new());
    if !view.metrics.is_empty() {
        lines.extend(page.score(&view));
        lines.push(Line::new());
    }
    if !view.groups.is_empty() {
        lines.extend(page.groups(&view));
        lines.push(Line::new());
    }
    if !view.metrics.is_empty() {
        lines.extend(page.rows(&view));
        lines.push(Line::new());
        lines.extend(page.cautions(&view));
    }
    lines.extend(page.way_out(&view));
    let mut text = String::new();
    for line in lines {
        text.push_str(&page.line(&line));
        text.push('\n');
    }
    if let Some(path) = &style.report_path {
        text.push_str(&page.path(path));
        text.push('\n');
    }
    // What comes last must not be an empty line.
    while text.ends_with("\n\n") {
        text.pop();
    }
    text
}

struct Page<'a> {
    style: &'a TextStyle,
    signs: Signs,
    width: usize,
}

impl Page<'_> {
    fn line(&self, line: &Line) -> String {
        let text = line.finish(self.style.color);
        if self.style.ascii { ascii(&text) } else { text }
    }

    fn verdict_mark(&self, verdict: VerdictMark) -> String {
        if self.style.ascii {
            verdict.letter.to_string()
        } else {
            verdict.mark.to_string()
        }
    }

    fn kind_mark(&self, kind: Kind) -> char {
        if self.style.ascii {
            kind.letter()
        } else {
            kind.mark()
        }
    }

    /// A sign of the plot, and what stands for it in ASCII.
    fn sign(&self, sign: char, plain: char) -> char {
        if self.style.ascii { plain } else { sign }
    }

    /// Text with two spaces before each line.
    fn indented(&self, pieces: &[(Role, String)]) -> Vec<Line> {
        wrap(pieces, 2, self.width.saturating_sub(2))
            .into_iter()
            .enumerate()
            .map(|(index, line)| {
                // The first line has its indent as well.
                if index == 0 { prefix(line) } else { line }
            })
            .collect()
    }

    fn headline(&self, view: &View) -> Vec<Line> {
        let role = verdict_role(view.verdict);
        let mut pieces = vec![
            (role, format!("{} ", self.verdict_mark(view.verdict))),
            (strong(role), format!("{}:", view.verdict.word)),
            (Role::Plain, " ".to_owned()),
        ];
        pieces.extend(roles(&view.headline, Role::Plain));
        wrap(&pieces, 2, self.width)
    }

    fn reason(&self, view: &View) -> Vec<Line> {
        let mut lines = self.indented(&roles(&view.subject, Role::Faint));
        lines.extend(self.indented(&roles(&view.paragraph, Role::Plain)));
        lines
    }

    fn score(&self, view: &View) -> Vec<Line> {
        let score = &view.score;
        let width = (self.width - 4).min(PLOT_WIDTH);
        let column = |percent: f64| ((percent / 100.0) * (width - 1) as f64).round() as usize;
        let mut track = Line::new().to(2);
        for zone in &score.zones {
            let (from, to) = (column(zone.left), column(zone.left + zone.width));
            let last = to == width - 1;
            for index in from..(if last { width } else { to }) {
                let sign = if index == from && index > 0 {
                    self.sign('┼', '+')
                } else {
                    self.sign('─', '-')
                };
                track = track.add(verdict_role(zone.verdict), sign.to_string());
            }
        }
        let ticks = score
            .ticks
            .iter()
            .map(|(position, label)| (column(*position), label.clone()));
        let axis = labels(ticks, width).to(0);
        let pointer = self.sign('▲', '^');
        let axis = Line::new().to(2).add(Role::Plain, axis.finish(false));
        let mut lines = vec![track, axis];
        // Words stay on the page: before their pointer where there is no room behind it.
        let point = |role: Role, pointer: char, text: &str, position: f64| {
            let at = 2 + column(position);
            let (at, text) = if at + 2 + text.width() <= self.width {
                (at, format!("{pointer} {text}"))
            } else {
                let text = format!("{text} {pointer}");
                ((at + 1).saturating_sub(text.width()), text)
            };
            Line::new().to(at).add(role, text)
        };
        lines.push(match &score.text {
            Some(text) => point(Role::Strong, pointer, text, score.position),
            None => Line::new().to(2).add(Role::Plain, score.none),
        });
        if let Some((text, position)) = &score.second {
            lines.push(point(Role::Plain, self.sign('△', '^'), text, *position));
        }
        lines
    }

    fn groups(&self, view: &View) -> Vec<Line> {
        let shown = &view.groups[..view.groups.len().min(GROUPS)];
        let widest = |text: &dyn Fn(usize) -> usize| (0..shown.len()).map(text).max().unwrap_or(0);
        let names = widest(&|index| shown[index].name.width()).min(self.width / 3);
        let points = widest(&|index| shown[index].points.width());
        let passed = widest(&|index| shown[index].passed.width());
        let mut lines = Vec::new();
        for group in shown {
            let line = Line::new()
                .to(2)
                .add(Role::Strong, cut(&group.name, names))
                .to(names + 4)
                .add(Role::Plain, &*group.points)
                .to(names + points + 7)
                .add(Role::Plain, format!("{} passed", group.passed))
                .to(names + points + passed + 17);
            let mut rest = group.lost_on.plain();
            if !group.not_counted.is_empty() {
                if !rest.is_empty() {
                    rest.push_str(", ");
                }
                rest.push_str(&format!("not counted: {}", group.not_counted));
            }
            let room = self.width.saturating_sub(line.width());
            let role = if group.lost_on.is_empty() {
                Role::Plain
            } else {
                Role::Fail
            };
            lines.push(if rest.is_empty() || room < 12 {
                line
            } else if let Some(names) = rest.strip_prefix("lost on ") {
                line.add(role, "lost on")
                    .add(Role::Plain, format!(" {}", cut(names, room - 8)))
            } else {
                line.add(role, cut(&rest, room))
            });
        }
        if view.groups.len() > shown.len() {
            let more = view.groups.len() - shown.len();
            lines.push(Line::new().to(2).add(
                Role::Faint,
                format!("and {}", format::counted(more, "more group", "more groups")),
            ));
        }
        if let Some(note) = &view.groups_note {
            lines.extend(self.indented(&[(Role::Plain, note.clone())]));
        }
        lines
    }

    /// What a reader should know before trusting the rows; an empty line after it.
    fn cautions(&self, view: &View) -> Vec<Line> {
        let mut lines = Vec::new();
        for caution in trust::shared(&view.metrics) {
            let names = caution.names(|name| self.signs.shorten(name, 40));
            let pieces = [
                (Role::Marginal, format!("{}: ", caution.title)),
                (Role::Plain, names),
                (Role::Faint, format!(". {}", caution.text)),
            ];
            lines.extend(self.indented(&pieces));
        }
        if !lines.is_empty() {
            lines.push(Line::new());
        }
        lines
    }

    fn way_out(&self, view: &View) -> Vec<Line> {
        let Some(way_out) = view.way_out() else {
            return Vec::new();
        };
        let mut pieces = vec![
            (Role::Plain, "It would have been ".to_owned()),
            (
                verdict_role(way_out.verdict),
                format!("{}, {}", way_out.verdict.word, way_out.score),
            ),
            (Role::Plain, ", if ".to_owned()),
        ];
        pieces.extend(roles(&way_out.condition, Role::Plain));
        pieces.push((Role::Plain, ".".to_owned()));
        self.indented(&pieces)
    }

    /// Where the report is. Never broken: it is there to be copied.
    fn path(&self, path: &str) -> String {
        let shown = format::clean(path);
        let shown = if self.style.ascii {
            ascii(&shown)
        } else {
            shown
        };
        let text = if self.style.color {
            format!("\u{1b}[4m{shown}\u{1b}[0m")
        } else {
            shown
        };
        // A hyperlink needs a whole path.
        if self.style.hyperlinks && path.starts_with('/') {
            let address = address(path);
            format!("  Report: \u{1b}]8;;{address}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\")
        } else {
            format!("  Report: {text}")
        }
    }
}

/// A `file` address: bytes that are no part of one are percent-encoded, so that a path cannot end the sequence.
fn address(path: &str) -> String {
    let mut address = String::from("file://");
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~') {
            address.push(char::from(byte));
        } else {
            address.push_str(&format!("%{byte:02X}"));
        }
    }
    address
}

fn prefix(line: Line) -> Line {
    Line::new().to(2).join(line)
}

/// The cell of a position in percent.
fn column(percent: f64, width: usize) -> usize {
    ((percent / 100.0).clamp(0.0, 1.0) * (width - 1) as f64).round() as usize
}

/// Labels centred on their columns; one that would touch the last is left out.
fn labels(ticks: impl Iterator<Item = (usize, String)>, width: usize) -> Line {
    let mut line = Line::new();
    for (at, text) in ticks {
        let length = text.width();
        let start = at
            .saturating_sub(length / 2)
            .min(width.saturating_sub(length));
        if line.width() == 0 || start > line.width() {
            line = line.to(start).add(Role::Plain, text);
        }
    }
    line
}

fn verdict_role(verdict: VerdictMark) -> Role {
    match verdict.class {
        "fail" => Role::Fail,
        "marginal" => Role::Marginal,
        "pass" => Role::Pass,
        _ => Role::Plain,
    }
}

fn strong(role: Role) -> Role {
    match role {
        Role::Plain => Role::Strong,
        Role::Fail | Role::Marginal | Role::Pass | Role::Strong | Role::Faint | Role::Canary => {
            role
        }
    }
}
