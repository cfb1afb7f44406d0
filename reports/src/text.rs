//! Text for a terminal.

use unicode_width::UnicodeWidthStr;

use crate::Report;
use crate::effect::axis;
use crate::format::{self, Signs};
use crate::metric::{Kind, MetricView, Plot};
use crate::terminal::{Line, Role, ascii, cut, roles, wrap};
use crate::view::{VerdictMark, View};

/// From here on there is room for the plot.
const PLOT_FROM: usize = 104;
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
    /// Where the HTML report is; the last line names it.
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
        width: style.width.clamp(NARROWEST, WIDEST),
    };
    let mut lines = page.headline(&view);
    lines.push(Line::new());
    lines.extend(page.reason(&view));
    for note in &report.context.notes {
        let note = vec![
            (Role::Marginal, "  note: ".to_owned()),
            (Role::Plain, format::clean(note)),
        ];
        lines.extend(page.indented(&note));
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
        let below = match &score.text {
            Some(text) => {
                let mut at = column(score.position);
                if at + 2 + text.len() > width {
                    at = at.min(width - 1);
                }
                Line::new()
                    .to(2 + at)
                    .add(Role::Strong, format!("{pointer} {text}"))
            }
            None => Line::new()
                .to(2)
                .add(Role::Plain, "no score: nothing was decided"),
        };
        vec![
            track,
            Line::new().to(2).add(Role::Plain, axis.finish(false)),
            below,
        ]
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

    fn rows(&self, view: &View) -> Vec<Line> {
        let passed = view.of_kind(&[Kind::Pass]).len();
        let rows: Vec<&MetricView> = view
            .metrics
            .iter()
            .filter(|metric| self.style.all || metric.kind != Kind::Pass)
            .collect();
        let columns = Columns::fit(&rows, self.width);
        let mut lines = Vec::new();
        if !rows.is_empty() {
            lines.extend(self.header(&columns, view));
        }
        for metric in &rows {
            lines.push(self.row(metric, &columns));
        }
        if !self.style.all && passed > 0 {
            let label = format!("{} {}", self.kind_mark(Kind::Pass), Kind::Pass.word());
            lines.push(
                Line::new()
                    .to(2)
                    .add(Role::Pass, label)
                    .to(columns.name)
                    .add(Role::Plain, format::counted(passed, "metric", "metrics"))
                    .to(columns.effect.max(columns.name + 13))
                    .add(Role::Faint, "--all shows them"),
            );
        }
        lines
    }

    fn header(&self, columns: &Columns, view: &View) -> Vec<Line> {
        let effect = match &view.level {
            Some(level) => format!("Effect, {level} interval"),
            None => "Effect".to_owned(),
        };
        let line = Line::new()
            .to(2)
            .add(Role::Faint, "Result")
            .to(columns.name)
            .add(Role::Faint, "Metric")
            .to(columns.effect)
            .add(
                Role::Faint,
                cut(&effect, self.width.saturating_sub(columns.effect)),
            );
        if columns.plot > 0 {
            let ticks = axis::TICKS
                .iter()
                .filter(|(_, only_with_room)| !only_with_room || columns.plot >= 100)
                .map(|(fraction, _)| {
                    let at = column(axis::position(*fraction) * 100.0, columns.plot);
                    let text = format!("{:+.0}", fraction * 100.0).replace("+0", "0");
                    let text = if *fraction == 4.0 {
                        format!("{text}%")
                    } else {
                        text
                    };
                    (at, text)
                });
            let ticks = labels(ticks, columns.plot);
            let line = line.to(columns.last);
            return vec![line.add(Role::Faint, ticks.finish(false))];
        }
        if columns.tolerance > 0 {
            return vec![line.to(columns.last).add(Role::Faint, "Tolerance")];
        }
        vec![line]
    }

    fn row(&self, metric: &MetricView, columns: &Columns) -> Line {
        let role = kind_role(metric.kind);
        let word = if metric.kind == Kind::NodataFail {
            "NodataFail".to_owned()
        } else {
            metric.kind.word().to_owned()
        };
        let (before, after) = metric
            .estimate
            .chars()
            .next()
            .filter(|c| c.is_ascii_digit() || matches!(c, '+' | '-'))
            .map_or((String::new(), true), |_| (metric.estimate.clone(), false));
        let line = Line::new()
            .to(2)
            .add(role, format!("{} {word}", self.kind_mark(metric.kind)))
            .to(columns.name)
            .add(Role::Plain, cut(&metric.label(), columns.names));
        let line = if after {
            line.to(columns.effect).add(Role::Plain, &*metric.estimate)
        } else {
            line.to(columns.effect + columns.estimates - before.width())
                .add(Role::Strong, before)
                .add(Role::Plain, format!(" {}", metric.interval))
        };
        if columns.plot > 0 {
            return self.plot(line.to(columns.last), metric, columns.plot);
        }
        if columns.tolerance > 0 {
            return line
                .to(columns.last)
                .add(Role::Faint, cut(&metric.tolerance, columns.tolerance));
        }
        line
    }

    fn plot(&self, line: Line, metric: &MetricView, width: usize) -> Line {
        let plot: &Plot = &metric.plot;
        let role = kind_role(metric.kind);
        let mut cells: Vec<(Role, char)> = vec![(Role::Plain, ' '); width];
        let at = |percent: f64| column(percent, width);
        if let Some((left, band)) = plot.band {
            for cell in &mut cells[at(left)..=at(left + band)] {
                *cell = (Role::Faint, self.sign('░', ':'));
            }
        }
        cells[at(plot.zero)] = (Role::Faint, self.sign('│', '|'));
        if let Some((low, high)) = plot.interval {
            for cell in &mut cells[at(low)..=at(high)] {
                *cell = (role, self.sign('─', '='));
            }
        }
        if plot.off.0 {
            cells[0] = (role, self.sign('◂', '<'));
        }
        if plot.off.1 {
            cells[width - 1] = (role, self.sign('▸', '>'));
        }
        if let Some(estimate) = plot.estimate {
            cells[at(estimate)] = (role, self.kind_mark(metric.kind));
        }
        cells
            .into_iter()
            .fold(line, |line, (role, sign)| line.add(role, sign.to_string()))
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
        if self.style.hyperlinks {
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

/// Columns where the parts of a row begin, and their widths.
struct Columns {
    name: usize,
    names: usize,
    effect: usize,
    estimates: usize,
    /// Start of the tolerance or the plot.
    last: usize,
    tolerance: usize,
    plot: usize,
}

impl Columns {
    fn fit(rows: &[&MetricView], width: usize) -> Self {
        let widest = |text: &dyn Fn(&MetricView) -> usize| {
            rows.iter().map(|metric| text(metric)).max().unwrap_or(0)
        };
        let name = 17;
        let estimates = widest(&|metric| {
            if metric.interval.is_empty() {
                0
            } else {
                metric.estimate.width()
            }
        });
        let intervals = widest(&|metric| metric.interval.width());
        let effects = (estimates + 1 + intervals).max(9);
        let any_tolerance = rows.iter().any(|metric| metric.tolerance_set);
        let wanted = widest(&|metric| metric.label().width()).max(6);
        let with_plot = width >= PLOT_FROM;
        let tolerance = if any_tolerance && !with_plot {
            widest(&|metric| metric.tolerance.width()).clamp(9, 16)
        } else {
            0
        };
        let taken = name + 2 + effects + if tolerance > 0 { 2 + tolerance } else { 0 };
        let plot_least = if with_plot { 2 + 32 } else { 0 };
        let room = width.saturating_sub(taken + plot_least);
        let names = wanted.min(room.max(12)).min(44);
        let effect = name + names + 2;
        let last = effect + effects + 2;
        Self {
            name,
            names,
            effect,
            estimates,
            last,
            tolerance: if tolerance > 0 {
                width.saturating_sub(last)
            } else {
                0
            },
            plot: if with_plot {
                width.saturating_sub(last).min(PLOT_WIDTH)
            } else {
                0
            },
        }
    }
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
        other => other,
    }
}

fn kind_role(kind: Kind) -> Role {
    match kind {
        Kind::High | Kind::Low | Kind::NodataFail => Role::Fail,
        Kind::Pass => Role::Pass,
        Kind::Error | Kind::Inconclusive | Kind::Nodata | Kind::Muted => Role::Plain,
    }
}
