//! Series as they were fetched, before anybody judged them: how much is there, and between which values.

use std::collections::BTreeMap;

use unicode_width::UnicodeWidthStr as _;

use crate::format::{self, Signs, clean, clean_lines};
use crate::terminal::{Line, Role, wrap};
use crate::text::TextStyle;

/// Narrowest column of metrics; longer names stand on a line of their own.
const NARROWEST_NAME: usize = 12;
const MINUTE_MS: u64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// One series, or the place where one was expected.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchedSeries<'a> {
    /// The metric's name.
    pub metric: &'a str,
    /// What tells it from others of the same metric.
    pub tags: &'a BTreeMap<String, String>,
    /// The word for the side.
    pub side: &'a str,
    /// Time of the first point, there or missing, in milliseconds since 1970-01-01T00:00:00Z.
    pub start_ms: i64,
    /// Distance of two points in milliseconds.
    pub step_ms: u64,
    /// The points; missing ones are `None`.
    pub values: &'a [Option<f64>],
    /// How many points the window has room for.
    pub expected: u64,
    /// Whether it could not be fetched: that is another thing than no data.
    pub failed: bool,
}

/// One query as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedQuery<'a> {
    /// The metric's name.
    pub metric: &'a str,
    /// The word for the side.
    pub side: &'a str,
    /// Its text.
    pub query: &'a str,
}

/// All that a listing of fetched series shows; parts without content are left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FetchedReport<'a> {
    /// The first lines, each a sentence: what is compared, when, from where.
    pub about: Vec<String>,
    /// The series in order; those of one metric stand together.
    pub series: Vec<FetchedSeries<'a>>,
    /// What the store warned of, one sentence each.
    pub warnings: Vec<String>,
    /// The queries in order; those of one metric stand together.
    pub queries: Vec<FetchedQuery<'a>>,
}

/// The listing as text; ends with a line break. Queries are not broken, so that they can be copied.
#[must_use]
pub fn fetched(report: &FetchedReport<'_>, style: &TextStyle) -> String {
    let signs = if style.ascii {
        Signs::ASCII
    } else {
        Signs::TERMINAL
    };
    let mut lines = Vec::new();
    for about in &report.about {
        lines.extend(paragraph(Role::Plain, about, 0, style));
    }
    let mut parts = vec![lines];
    parts.push(Table::of(report, signs, style).lines());
    let warnings = report.warnings.iter();
    parts.push(
        warnings
            .flat_map(|warning| paragraph(Role::Marginal, &format!("warning: {warning}"), 2, style))
            .collect(),
    );
    parts.push(queries(&report.queries));
    let parts = parts.iter().filter(|part| !part.is_empty()).map(|part| {
        let lines: Vec<String> = part.iter().map(|line| line.finish(style.color)).collect();
        lines.join("\n") + "\n"
    });
    parts.collect::<Vec<_>>().join("\n")
}

/// A span of time for people: `12 Mar 2026, 11:00 to 12:30 UTC`. Outside of the calendar: in milliseconds.
#[must_use]
pub fn window(start_ms: i64, end_ms: i64) -> String {
    let written = || {
        let exact = [start_ms, end_ms]
            .iter()
            .any(|time| time.rem_euclid(60_000) != 0);
        let clock = |time| {
            if exact {
                format::clock_seconds(time)
            } else {
                format::clock(time)
            }
        };
        let (first, last) = (format::date(start_ms)?, format::date(end_ms)?);
        let (start, end) = (clock(start_ms)?, clock(end_ms)?);
        Some(if first == last {
            format!("{first}, {start} to {end} UTC")
        } else {
            format!("{first}, {start}, to {last}, {end} UTC")
        })
    };
    written().unwrap_or_else(|| format!("{start_ms} to {end_ms} ms"))
}

fn paragraph(role: Role, text: &str, indent: usize, style: &TextStyle) -> Vec<Line> {
    let width = style.width.clamp(40, 160) - 2;
    let lines = wrap(&[(role, clean(text))], indent, width);
    lines
        .into_iter()
        .map(|line| Line::new().add(Role::Plain, "  ").join(line))
        .collect()
}

fn queries(queries: &[FetchedQuery<'_>]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut rest = queries;
    while let Some(first) = rest.first() {
        let same = rest
            .iter()
            .take_while(|query| query.metric == first.metric)
            .count();
        let (here, after) = rest.split_at(same);
        rest = after;
        lines.push(
            Line::new()
                .add(Role::Plain, "  ")
                .add(Role::Strong, clean(first.metric)),
        );
        let mut here = here.iter().peekable();
        while let Some(query) = here.next() {
            let same = here.next_if(|next| next.query == query.query);
            let side = if same.is_some() { "both" } else { query.side };
            let text = clean_lines(query.query);
            let mut label = side;
            for line in text.trim().lines() {
                lines.push(
                    Line::new()
                        .add(Role::Plain, "    ")
                        .add(Role::Faint, label)
                        .to(14)
                        .add(Role::Plain, line),
                );
                label = "";
            }
        }
    }
    lines
}

/// A row as text, before widths are known.
struct Row {
    name: String,
    side: String,
    failed: bool,
    points: String,
    some_missing: bool,
    times: [String; 2],
    numbers: [String; 3],
}

struct Table<'s> {
    rows: Vec<Row>,
    style: &'s TextStyle,
}

const TITLES: [&str; 8] = [
    "Metric", "Side", "Points", "First", "Last", "Minimum", "Median", "Maximum",
];

impl<'s> Table<'s> {
    fn of(report: &FetchedReport<'_>, signs: Signs, style: &'s TextStyle) -> Self {
        let clock = Clock::of(&report.series);
        let rows = report.series.iter();
        Self {
            rows: rows.map(|series| Row::of(series, clock, signs)).collect(),
            style,
        }
    }

    fn lines(&self) -> Vec<Line> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let widest = |of: &dyn Fn(&Row) -> &str, title: &str| {
            let rows = self.rows.iter().map(|row| of(row).width());
            rows.max().unwrap_or(0).max(title.width())
        };
        let side = widest(&|row| &row.side, TITLES[1]);
        // What is no number of points may reach into the columns behind it.
        let points = self.rows.iter().filter(|row| !row.times[0].is_empty());
        let points = points
            .map(|row| row.points.width())
            .max()
            .unwrap_or(0)
            .max(TITLES[2].len());
        let times = [0, 1].map(|at| widest(&|row| &row.times[at], TITLES[3 + at]));
        let numbers = [0, 1, 2].map(|at| widest(&|row| &row.numbers[at], TITLES[5 + at]));
        let others =
            side + points + times.iter().sum::<usize>() + numbers.iter().sum::<usize>() + 2 * 8;
        let room = self.style.width.saturating_sub(others).max(NARROWEST_NAME);
        let fitting = self
            .rows
            .iter()
            .map(|row| row.name.width())
            .filter(|width| *width <= room);
        let name = fitting.max().unwrap_or(NARROWEST_NAME).max(TITLES[0].len());
        let widths = Widths {
            name,
            side,
            points,
            times,
            numbers,
        };
        let mut lines = vec![widths.line(TITLES.map(|title| (Role::Faint, title.to_owned())))];
        let mut before = "";
        for row in &self.rows {
            let shown = if row.name == before { "" } else { &row.name };
            before = &row.name;
            let own_line = shown.width() > name;
            if own_line {
                lines.push(Line::new().add(Role::Plain, "  ").add(Role::Strong, shown));
            }
            let shown = if own_line { "" } else { shown };
            let role = match (row.failed, row.some_missing) {
                (true, _) => Role::Fail,
                (false, true) => Role::Marginal,
                (false, false) => Role::Plain,
            };
            let plain = |text: &String| (Role::Plain, text.clone());
            lines.push(widths.line([
                (Role::Strong, shown.to_owned()),
                plain(&row.side),
                (role, row.points.clone()),
                plain(&row.times[0]),
                plain(&row.times[1]),
                plain(&row.numbers[0]),
                plain(&row.numbers[1]),
                plain(&row.numbers[2]),
            ]));
        }
        lines
    }
}

struct Widths {
    name: usize,
    side: usize,
    points: usize,
    times: [usize; 2],
    numbers: [usize; 3],
}

impl Widths {
    /// Words stand to the left, numbers to the right.
    fn line(&self, cells: [(Role, String); 8]) -> Line {
        let [name, side, points, first, last, low, middle, high] = cells;
        let mut line = Line::new();
        for ((role, text), width, right) in [
            (name, self.name, false),
            (side, self.side, false),
            (points, self.points, true),
            (first, self.times[0], false),
            (last, self.times[1], false),
            (low, self.numbers[0], true),
            (middle, self.numbers[1], true),
            (high, self.numbers[2], true),
        ] {
            let missing = width.saturating_sub(text.width());
            line = line.add(Role::Plain, "  ");
            line = if right {
                line.add(Role::Plain, " ".repeat(missing)).add(role, text)
            } else {
                line.add(role, text).add(Role::Plain, " ".repeat(missing))
            };
        }
        line
    }
}

/// How much of a time must be told.
#[derive(Debug, Clone, Copy)]
struct Clock {
    date: bool,
    seconds: bool,
}

impl Clock {
    fn of(series: &[FetchedSeries<'_>]) -> Self {
        let first = series
            .iter()
            .filter_map(|series| Some(series.time(series.first()?)));
        let last = series
            .iter()
            .filter_map(|series| Some(series.time(series.last()?)));
        let days: Vec<i64> = first
            .chain(last)
            .map(|time| time.div_euclid(DAY_MS))
            .collect();
        let seconds = |series: &FetchedSeries<'_>| {
            !series.step_ms.is_multiple_of(MINUTE_MS) || series.start_ms.rem_euclid(60_000) != 0
        };
        Self {
            date: days.iter().any(|day| Some(day) != days.first()),
            seconds: series
                .iter()
                .any(|series| series.first().is_some() && seconds(series)),
        }
    }

    fn text(self, time_ms: i64) -> String {
        let clock = if self.seconds {
            format::clock_seconds(time_ms)
        } else {
            format::clock(time_ms)
        };
        let day = if self.date {
            format::day(time_ms)
        } else {
            None
        };
        let words: Vec<String> = day.into_iter().chain(clock).collect();
        words.join(" ")
    }
}

impl FetchedSeries<'_> {
    fn first(&self) -> Option<usize> {
        self.values.iter().position(Option::is_some)
    }

    fn last(&self) -> Option<usize> {
        self.values.iter().rposition(Option::is_some)
    }

    fn time(&self, index: usize) -> i64 {
        let after = u64::try_from(index)
            .unwrap_or(u64::MAX)
            .saturating_mul(self.step_ms);
        self.start_ms.saturating_add_unsigned(after)
    }
}

impl Row {
    fn of(series: &FetchedSeries<'_>, clock: Clock, signs: Signs) -> Self {
        let tags: Vec<String> = series
            .tags
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let name = match tags.as_slice() {
            [] => clean(series.metric),
            tags => clean(&format!("{} {{{}}}", series.metric, tags.join(", "))),
        };
        let mut found: Vec<f64> = series.values.iter().flatten().copied().collect();
        found.sort_unstable_by(f64::total_cmp);
        let ends = series.first().zip(series.last());
        let count = found.len() as u64;
        let points = if series.failed {
            "not fetched".to_owned()
        } else if found.is_empty() {
            "no data".to_owned()
        } else {
            format!("{count} of {}", series.expected.max(count))
        };
        let number =
            |value: Option<f64>| value.map_or_else(String::new, |value| signs.value(value));
        Self {
            name,
            side: clean(series.side),
            failed: series.failed,
            points,
            some_missing: count < series.expected,
            times: match ends {
                Some((first, last)) => [first, last].map(|index| clock.text(series.time(index))),
                None => [String::new(), String::new()],
            },
            numbers: [
                number(found.first().copied()),
                number(median(&found)),
                number(found.last().copied()),
            ],
        }
    }
}

/// The middle of sorted values, of an even number the mean of the two in the middle; `None` of none.
fn median(sorted: &[f64]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get(sorted.len() / 2 - 1)?;
    // Both may be infinite, with different signs; their middle is nothing to show.
    let middle = lower / 2.0 + upper / 2.0;
    Some(if middle.is_nan() { 0.0 } else { middle })
}
