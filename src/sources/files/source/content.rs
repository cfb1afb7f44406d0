//! What stands in one file of a folder.

use std::collections::BTreeMap;
use std::path::Path;

use coalmine_judges::series::Series;

use super::super::csv_table::Table;
use super::super::problem::InputError;
use super::super::{csv_long, csv_wide, open, pairs};
use crate::model::metric_set::MetricSet;
use crate::model::scope::Scope;

/// Most bytes of one file, after decompression.
const MOST_BYTES: u64 = 256 << 20;

/// The series of one file. A file that holds one side has only the first part.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) whole: bool,
    pub(super) series: Vec<Named>,
}

/// One series of a file.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) part: usize,
    pub(super) name: String,
    tags: BTreeMap<String, String>,
    pub(super) series: Series,
}

/// The points of a series within the scope's window, and whether the series knows its times.
pub(super) fn within(series: &Named, scope: &Scope) -> (MetricSet, bool) {
    let all = series.series.values();
    let window = scope.window;
    let (values, start_ms, end_ms, step_ms, timed) = match series.series.grid() {
        None => (all, window.start_ms(), window.end_ms(), 0, false),
        Some(grid) => {
            let index_from = |time_ms: i64| {
                let offset = i128::from(time_ms) - i128::from(grid.start_ms);
                let step = i128::from(grid.step_ms.max(1));
                let index = (offset + step - 1).div_euclid(step);
                usize::try_from(index.clamp(0, all.len() as i128)).unwrap_or(all.len())
            };
            let from = index_from(window.start_ms());
            let to = index_from(window.end_ms().saturating_add(1)).max(from);
            let values = &all[from..to];
            let start_ms = if values.is_empty() {
                window.start_ms()
            } else {
                grid.time_ms(from)
            };
            (values, start_ms, window.end_ms(), grid.step_ms, true)
        }
    };
    let set = MetricSet {
        name: series.name.clone(),
        tags: series.tags.clone(),
        start_ms,
        end_ms,
        step_ms,
        values: values.to_vec(),
        attributes: Default::default(),
    };
    (set, timed)
}

/// Reads a file whole; `name` is its name in messages.
pub(super) fn read(path: &Path, name: &str) -> Result<Content, InputError> {
    let renamed = |error: InputError| InputError {
        file: name.to_owned(),
        ..error
    };
    let text = open::read_text(path, MOST_BYTES).map_err(renamed)?;
    let input = if name.trim_end_matches(".gz").ends_with(".json") {
        pairs::read(&text, name)?
    } else {
        let columns = Table::open(text.as_bytes(), name)?.columns;
        let has = |word: &str| {
            columns
                .iter()
                .any(|column| column.eq_ignore_ascii_case(word))
        };
        if !(has("metric") && has("side") && has("value")) {
            let side = csv_wide::read_side(text.as_bytes(), name)?;
            let series = side.metrics.into_iter().map(|(name, series)| Named {
                part: 0,
                name,
                tags: Default::default(),
                series,
            });
            return Ok(Content {
                whole: true,
                series: series.collect(),
            });
        }
        csv_long::read(text.as_bytes(), name)?
    };
    let mut all = Vec::new();
    for set in input.sets {
        for (part, series) in [set.baseline, set.canary].into_iter().enumerate() {
            all.push(Named {
                part,
                name: set.name.clone(),
                tags: set.tags.clone(),
                series,
            });
        }
    }
    all.extend(input.history.into_iter().map(|past| Named {
        part: 2,
        name: past.name,
        tags: past.tags,
        series: past.series,
    }));
    Ok(Content {
        whole: false,
        series: all,
    })
}
