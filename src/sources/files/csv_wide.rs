//! Wide CSV: one file for each side, the first column `timestamp`, one column for each metric.

use std::collections::BTreeMap;
use std::io::Read;

use coalmine_judges::series::{MetricSetPair, Series};

use super::csv_table::{Table, note_duplicates, uneven};
use super::problem::{InputError, Problem, Problems, quoted};
use super::time::Timestamps;
use super::{FileInput, Ids, grid, one_sided_notes, scalar};

/// One side: its metrics in the order of the columns.
#[derive(Debug, Clone, PartialEq)]
pub struct WideSide {
    /// The file's name.
    pub file: String,
    /// Name and points of each metric.
    pub metrics: Vec<(String, Series)>,
}

/// Reads one side; `file` is its name in messages. A file with a header alone is a side without points.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn read_side(input: impl Read, file: &str) -> Result<WideSide, InputError> {
    let mut table = Table::open(input, file)?;
    check_header(&table.columns).map_err(|problem| Problems::default().fatal(file, problem))?;
    let columns = table.columns.clone();
    let mut problems = Problems::default();
    let mut timestamps = Timestamps::default();
    let mut keys: Vec<(i64, u32)> = Vec::new();
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); columns.len() - 1];
    loop {
        let row = match table.next(&mut problems) {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(problem) => return Err(problems.fatal(file, problem)),
        };
        match timestamps.read(row.cell(0), row.line) {
            Ok(time_ms) => keys.push((time_ms, u32::try_from(row.line).unwrap_or(u32::MAX))),
            Err(problem) => problems.add(problem.at_cell(row.line, &columns[0])),
        }
        for (index, column) in values.iter_mut().enumerate() {
            match scalar::value(row.cell(index + 1)) {
                Ok(value) => column.push(value),
                Err(problem) => problems.add(problem.at_cell(row.line, &columns[index + 1])),
            }
        }
    }
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    note_duplicates(&sorted, "a row", &mut problems);
    sorted.dedup_by_key(|(time_ms, _)| *time_ms);
    let times: Vec<i64> = sorted.iter().map(|(time_ms, _)| *time_ms).collect();
    let span = grid::fit(&times).unwrap_or_else(|trouble| {
        problems.add(uneven(trouble, "the rows", |row| sorted[row].1));
        None
    });
    problems.or(file, ())?;
    let metrics = columns
        .into_iter()
        .skip(1)
        .zip(values)
        .map(|(name, column)| {
            let series = span.map_or_else(Series::default, |span| {
                let rows = keys.iter().map(|(time_ms, _)| *time_ms).zip(column);
                span.lay(rows)
            });
            (name, series)
        })
        .collect();
    Ok(WideSide {
        file: file.to_owned(),
        metrics,
    })
}

fn check_header(columns: &[String]) -> Result<(), Problem> {
    let first = columns.first().map_or("", String::as_str);
    let has = |name: &str| {
        columns
            .iter()
            .any(|column| column.eq_ignore_ascii_case(name))
    };
    if has("metric") && has("side") && has("value") {
        return Err(Problem::new("a long file", "one column for each metric")
            .at("line 1")
            .hint("files with the columns timestamp, metric, side and value are given as --data"));
    }
    if !first.eq_ignore_ascii_case("timestamp") {
        return Err(Problem::new(
            quoted(first.as_bytes()),
            "`timestamp`, then one column for each metric",
        )
        .at("line 1, column 1"));
    }
    if columns.len() < 2 {
        return Err(
            Problem::new("no metric", "at least one column after `timestamp`").at("line 1"),
        );
    }
    Ok(())
}

/// Joins both sides by the names of their columns, which order the pairs.
#[must_use]
pub fn join(baseline: WideSide, canary: WideSide) -> FileInput {
    let mut ids = Ids::default();
    let mut notes = Vec::new();
    for side in [&baseline, &canary] {
        if side.metrics.iter().all(|(_, series)| series.is_empty()) {
            notes.push(format!("`{}` has no rows", side.file));
        }
    }
    let mut series: BTreeMap<String, (Series, Series)> = BTreeMap::new();
    for (name, of_baseline) in baseline.metrics {
        series.entry(name).or_default().0 = of_baseline;
    }
    for (name, of_canary) in canary.metrics {
        series.entry(name).or_default().1 = of_canary;
    }
    let sets: Vec<MetricSetPair> = series
        .into_iter()
        .map(|(name, (baseline, canary))| MetricSetPair {
            id: ids.make(&name, &BTreeMap::new()),
            name,
            tags: BTreeMap::new(),
            baseline,
            canary,
        })
        .collect();
    if notes.is_empty() {
        let (baseline, canary) = (baseline.file, canary.file);
        notes = one_sided_notes(&sets, &format!("`{baseline}`"), &format!("`{canary}`"));
    }
    FileInput {
        sets,
        notes,
        ..FileInput::default()
    }
}
