//! The rows of metrics: name, effect, and its plot or its tolerance.

use unicode_width::UnicodeWidthStr;

use super::{PLOT_WIDTH, Page, column, labels};
use crate::effect::axis;
use crate::format;
use crate::metric::{Kind, MetricView, Plot};
use crate::terminal::{Line, Role, cut};
use crate::view::View;

/// From this width on there is room for the plot.
const PLOT_FROM: usize = 104;
/// The longest title of the column of effects, and the width from which on it is written in full.
const TITLE: &str = "Effect, 98% interval";
const TITLE_FROM: usize = 72;
/// Columns that a name has at least.
const NAME_LEAST: usize = 12;

impl Page<'_> {
    pub(super) fn rows(&self, view: &View) -> Vec<Line> {
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
            lines.extend(self.below(metric, &columns));
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
            .add(Role::Faint, cut(&effect, columns.title_room(self.width)));
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
            .add(Role::Plain, self.name(&metric.label(), columns.names));
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
                .add(Role::Faint, columns.tolerance_of(metric));
        }
        line
    }

    /// What a row has to name and has no room for: the mean that decided, with its limit.
    fn below(&self, metric: &MetricView, columns: &Columns) -> Option<Line> {
        metric.mean.as_ref()?;
        let text = metric.held_against();
        if columns.tolerance >= text.width() {
            return None;
        }
        let room = self.width.saturating_sub(columns.name);
        let at = columns.effect.min(self.width.saturating_sub(text.width()));
        Some(
            Line::new()
                .to(at.max(columns.name))
                .add(Role::Plain, cut(&text, room)),
        )
    }

    /// A name in so many columns. Its end stays: it often tells it from its neighbours.
    fn name(&self, label: &str, columns: usize) -> String {
        if label.width() <= columns {
            return label.to_owned();
        }
        cut(&self.signs.shorten(label, columns), columns)
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
        if let Some(mean) = plot.mean {
            cells[at(mean)] = (role, self.sign('⋄', 'o'));
        }
        if let Some(estimate) = plot.estimate {
            cells[at(estimate)] = (role, self.kind_mark(metric.kind));
        }
        cells
            .into_iter()
            .fold(line, |line, (role, sign)| line.add(role, sign.to_string()))
    }
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
    /// Room for the title of the effects.
    fn title_room(&self, width: usize) -> usize {
        let end = if self.plot > 0 || self.tolerance > 0 {
            self.last.saturating_sub(2)
        } else {
            width
        };
        end.saturating_sub(self.effect)
    }

    /// The tolerance in its column, with the mean where there is room for both.
    fn tolerance_of(&self, metric: &MetricView) -> String {
        let whole = metric.held_against();
        if whole.width() <= self.tolerance {
            whole
        } else {
            cut(&metric.tolerance, self.tolerance)
        }
    }

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
        // The column's title has its place too, but names come first.
        let least = if width < TITLE_FROM { 9 } else { TITLE.width() };
        let effects = (estimates + 1 + intervals).max(least);
        let any_tolerance = rows.iter().any(|metric| metric.tolerance_set);
        let wanted = widest(&|metric| metric.label().width()).max(6);
        let with_plot = width >= PLOT_FROM;
        let tolerance = if any_tolerance && !with_plot {
            widest(&|metric| metric.tolerance.width()).clamp(9, 16)
        } else {
            0
        };
        // On a narrow terminal names come first.
        let tolerance = if width < name + 2 + effects + 2 + tolerance + NAME_LEAST {
            0
        } else {
            tolerance
        };
        let taken = name + 2 + effects + if tolerance > 0 { 2 + tolerance } else { 0 };
        let plot_least = if with_plot { 2 + 32 } else { 0 };
        let room = width.saturating_sub(taken + plot_least);
        let names = wanted.min(room.max(NAME_LEAST)).min(44);
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

fn kind_role(kind: Kind) -> Role {
    match kind {
        Kind::High | Kind::Low | Kind::NodataFail => Role::Fail,
        Kind::Pass => Role::Pass,
        Kind::Error | Kind::Inconclusive | Kind::Nodata | Kind::Muted => Role::Plain,
    }
}
