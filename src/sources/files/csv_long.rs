//! Long CSV: one row for each point of each metric and side.
//!
//! The header has `timestamp`, `metric`, `side` and `value` in any order and case; every further column is a tag, of which
//! an empty cell means that the row has no such tag. `side` is `baseline`, `canary` or `history`. Rows come in any order.

use std::collections::BTreeMap;
use std::io::Read;

use coalmine_judges::series::{MetricSetPair, Series};
use rustc_hash::FxHashMap;

use super::csv_table::{Row, Table, name, note_duplicates, uneven};
use super::problem::{InputError, Problem, Problems, quoted};
use super::time::Timestamps;
use super::{FileInput, Ids, grid, label, note_on, one_sided_notes, scalar};
use crate::model::history::HistorySeries;

const NEEDED: [&str; 4] = ["timestamp", "metric", "side", "value"];
const SIDES: [&str; 3] = ["baseline", "canary", "history"];
const HISTORY: usize = 2;

/// A row that waits for its grid. 24 bytes: time, value and line are all that is kept of a row.
#[derive(Debug, Clone, Copy)]
struct Point {
    time_ms: i64,
    value: f64,
    line: u32,
}

/// The rows of one metric with one set of tags, by side.
struct Group {
    name: String,
    tags: BTreeMap<String, String>,
    sides: [Vec<Point>; 3],
}

/// Where the columns stand.
struct Layout {
    timestamp: usize,
    metric: usize,
    side: usize,
    value: usize,
    tags: Vec<usize>,
}

/// Reads a long CSV file; `file` is its name in messages. Memory: 24 bytes a row beside the series themselves.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn read(input: impl Read, file: &str) -> Result<FileInput, InputError> {
    let mut table = Table::open(input, file)?;
    let layout = layout(&table.columns).map_err(|problems| problems.error_of(file))?;
    let columns = table.columns.clone();
    let mut reading = Reading {
        layout,
        columns,
        timestamps: Timestamps::default(),
        groups: Vec::new(),
        by_key: FxHashMap::default(),
        key: Vec::new(),
        problems: Problems::default(),
    };
    loop {
        match table.next(&mut reading.problems) {
            Ok(Some(row)) => reading.take(&row),
            Ok(None) => break,
            Err(problem) => return Err(reading.problems.fatal(file, problem)),
        }
    }
    let Reading {
        groups,
        mut problems,
        ..
    } = reading;
    if groups.is_empty() && problems.is_empty() {
        problems.add(Problem::new("no rows", "at least one row after the header"));
    }
    let input = assemble(groups, &mut problems);
    problems.or(file, input)
}

/// Problems of the header, before anything else can be read.
struct HeaderProblems(Vec<Problem>);

impl HeaderProblems {
    fn error_of(self, file: &str) -> InputError {
        InputError {
            file: file.to_owned(),
            problems: self.0,
            more: 0,
        }
    }
}

fn layout(columns: &[String]) -> Result<Layout, HeaderProblems> {
    let at = |wanted: &str| {
        columns
            .iter()
            .position(|column| column.eq_ignore_ascii_case(wanted))
    };
    let [timestamp, metric, side, value] = NEEDED.map(at);
    if let (Some(timestamp), Some(metric), Some(side), Some(value)) =
        (timestamp, metric, side, value)
    {
        let tags = (0..columns.len())
            .filter(|column| ![timestamp, metric, side, value].contains(column))
            .collect();
        return Ok(Layout {
            timestamp,
            metric,
            side,
            value,
            tags,
        });
    }
    let missing: Vec<&str> = NEEDED
        .into_iter()
        .filter(|name| at(name).is_none())
        .collect();
    let wide = metric.is_none() && side.is_none() && value.is_none();
    let found: Vec<String> = columns
        .iter()
        .take(8)
        .map(|column| quoted(column.as_bytes()))
        .collect();
    let problem = Problem::new(
        format!("the columns {}", found.join(", ")),
        format!("also `{}`", missing.join("`, `")),
    )
    .at("line 1");
    let problem = if wide && timestamp.is_some() {
        problem.hint("files with one column for each metric are given as --baseline and --canary")
    } else {
        problem.hint("the header of a long file is `timestamp,metric,side,value`, then tags")
    };
    Err(HeaderProblems(vec![problem]))
}

struct Reading {
    layout: Layout,
    columns: Vec<String>,
    timestamps: Timestamps,
    groups: Vec<Group>,
    by_key: FxHashMap<Box<[u8]>, usize>,
    key: Vec<u8>,
    problems: Problems,
}

impl Reading {
    fn take(&mut self, row: &Row<'_>) {
        let Layout {
            timestamp,
            metric,
            side,
            value,
            ..
        } = self.layout;
        let time_ms = self.timestamps.read(row.cell(timestamp), row.line);
        let time_ms = self.noted(time_ms, row.line, timestamp);
        let point = self.noted(scalar::value(row.cell(value)), row.line, value);
        let side = self.noted(read_side(row.cell(side)), row.line, side);
        let group = self.group(row, metric);
        if let (Some(time_ms), Some(value), Some(side), Some(group)) = (time_ms, point, side, group)
        {
            self.groups[group].sides[side].push(Point {
                time_ms,
                value,
                line: u32::try_from(row.line).unwrap_or(u32::MAX),
            });
        }
    }

    fn noted<T>(&mut self, read: Result<T, Problem>, line: u64, column: usize) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problems
                    .add(problem.at_cell(line, &self.columns[column]));
                None
            }
        }
    }

    /// The index of the row's group. Names are looked up as bytes, so that only a new group allocates.
    fn group(&mut self, row: &Row<'_>, metric: usize) -> Option<usize> {
        self.key.clear();
        self.key.extend_from_slice(row.cell(metric));
        for &tag in &self.layout.tags {
            let cell = row.cell(tag);
            // The length in front keeps `a`, `bc` and `ab`, `c` apart.
            self.key
                .extend_from_slice(&(cell.len() as u64).to_le_bytes());
            self.key.extend_from_slice(cell);
        }
        if let Some(&group) = self.by_key.get(self.key.as_slice()) {
            return Some(group);
        }
        let metric_name = self.noted(name(row.cell(metric)), row.line, metric);
        let mut tags = BTreeMap::new();
        let mut whole = true;
        for index in 0..self.layout.tags.len() {
            let column = self.layout.tags[index];
            let cell = row.cell(column);
            if cell.is_empty() {
                continue;
            }
            match self.noted(name(cell), row.line, column) {
                Some(value) => {
                    tags.insert(self.columns[column].clone(), value);
                }
                None => whole = false,
            }
        }
        let name = metric_name?;
        if !whole {
            return None;
        }
        let group = self.groups.len();
        self.groups.push(Group {
            name,
            tags,
            sides: Default::default(),
        });
        self.by_key.insert(self.key.as_slice().into(), group);
        Some(group)
    }
}

fn read_side(cell: &[u8]) -> Result<usize, Problem> {
    SIDES
        .iter()
        .position(|side| cell.eq_ignore_ascii_case(side.as_bytes()))
        .ok_or_else(|| {
            let problem = Problem::new(quoted(cell), "`baseline`, `canary` or `history`");
            if cell.eq_ignore_ascii_case(b"control") {
                problem.hint("Kayenta's `control` is the `baseline`")
            } else if cell.eq_ignore_ascii_case(b"experiment") {
                problem.hint("Kayenta's `experiment` is the `canary`")
            } else {
                problem
            }
        })
}

/// Puts all rows on their grids; every series that lies on none is a problem.
fn assemble(mut groups: Vec<Group>, problems: &mut Problems) -> FileInput {
    // The order of the rows means nothing, so that nothing may follow from it.
    groups.sort_by(|a, b| (&a.name, &a.tags).cmp(&(&b.name, &b.tags)));
    let mut laid: [Vec<Series>; 3] = Default::default();
    for side in 0..SIDES.len() {
        let what = |group: &Group| {
            format!(
                "`{}` of the {}",
                label(&group.name, &group.tags),
                SIDES[side]
            )
        };
        let mut times: Vec<Vec<i64>> = Vec::with_capacity(groups.len());
        for group in &mut groups {
            let points = &mut group.sides[side];
            if !points.is_sorted_by_key(|point| (point.time_ms, point.line)) {
                points.sort_unstable_by_key(|point| (point.time_ms, point.line));
            }
            let points = &group.sides[side];
            if points.windows(2).any(|p| p[0].time_ms == p[1].time_ms) {
                let keys: Vec<(i64, u32)> = points.iter().map(|p| (p.time_ms, p.line)).collect();
                note_duplicates(&keys, &what(group), problems);
            }
            let mut distinct: Vec<i64> = points.iter().map(|point| point.time_ms).collect();
            distinct.dedup();
            times.push(distinct);
        }
        let borrowed: Vec<&[i64]> = times.iter().map(Vec::as_slice).collect();
        let spans = grid::fit_side(&borrowed);
        for ((group, span), times_ms) in groups.iter_mut().zip(spans).zip(&times) {
            let span = span.unwrap_or_else(|trouble| {
                let line = |row: usize| line_at(&group.sides[side], times_ms[row]);
                problems.add(uneven(trouble, &what(group), line));
                None
            });
            // The rows are released as soon as they stand in their series.
            let points = std::mem::take(&mut group.sides[side]);
            laid[side].push(span.map_or_else(Series::default, |span| {
                span.lay(points.into_iter().map(|p| (p.time_ms, p.value)))
            }));
        }
    }
    pair_up(groups, laid)
}

/// The line of the first of the sorted points with this time.
fn line_at(points: &[Point], time_ms: i64) -> u32 {
    let place = points.partition_point(|point| point.time_ms < time_ms);
    points.get(place).map_or(0, |point| point.line)
}

fn pair_up(groups: Vec<Group>, laid: [Vec<Series>; 3]) -> FileInput {
    let mut ids = Ids::default();
    let mut input = FileInput::default();
    let mut past_alone = Vec::new();
    let [baselines, canaries, histories] = laid;
    let series = baselines.into_iter().zip(canaries).zip(histories);
    for (group, ((baseline, canary), history)) in groups.into_iter().zip(series) {
        if !history.is_empty() {
            input.history.push(HistorySeries {
                name: group.name.clone(),
                tags: group.tags.clone(),
                series: history,
            });
        }
        if baseline.is_empty() && canary.is_empty() {
            past_alone.push(label(&group.name, &group.tags));
            continue;
        }
        input.sets.push(MetricSetPair {
            id: ids.make(&group.name, &group.tags),
            name: group.name,
            tags: group.tags,
            baseline,
            canary,
        });
    }
    let what = format!("only rows of the {}", SIDES[HISTORY]);
    input
        .notes
        .extend(note_on(&past_alone, "has", "have", &what));
    let one_sided = one_sided_notes(&input.sets, "the baseline rows", "the canary rows");
    input.notes.extend(one_sided);
    input
}
