//! Kayenta's metric set pair list, as JSON.

use std::collections::BTreeMap;

use coalmine_judges::series::{Grid, MetricSetPair, Series};
use serde_json::value::RawValue;

use super::problem::{InputError, Problem, Problems, quoted};
use super::{FileInput, Ids, one_sided_notes};
use crate::model::kayenta::{ReadPair, ReadScope, ReadSides, Scalar};
use crate::model::query::SentQueries;

/// Reads a pair list; `file` is its name in messages. Numbers may stand in strings; `null` and `"NaN"` are missing points;
/// fields that nobody reads are ignored; a pair without an id gets one from its name and tags.
///
/// # Errors
/// Everything that is wrong with it, at once; only text that is no JSON list ends the reading.
pub fn read(text: &str, file: &str) -> Result<FileInput, InputError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut problems = Problems::default();
    if text.trim_ascii().is_empty() {
        return Err(problems.fatal(
            file,
            Problem::new("an empty file", "a list of metric set pairs"),
        ));
    }
    let items: Vec<&RawValue> = match serde_json::from_str(text) {
        Ok(items) => items,
        Err(error) => return Err(problems.fatal(file, json_problem(text, &error))),
    };
    if items.is_empty() {
        problems.add(Problem::new(
            "an empty list",
            "at least one metric set pair",
        ));
    }
    let mut lines = Lines::of(text);
    let mut input = FileInput::default();
    let mut read_pairs = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        match serde_json::from_str::<ReadPair>(item.get()) {
            Ok(pair) => read_pairs.push((index, pair)),
            // A large text of nonsense must not take long.
            Err(_) if problems.is_full() => problems.count(),
            Err(error) => {
                let line = lines.line(item.get()) + error.line().saturating_sub(1);
                problems.add(
                    Problem::new(reworded(&error), "a metric set pair")
                        .at(format!("[{index}], line {line}")),
                );
            }
        }
    }
    // Ids that are given are taken first, so that one that is made never meets them.
    let mut ids = Ids::default();
    for (index, pair) in &read_pairs {
        let given = pair.id.as_deref().filter(|id| !id.is_empty());
        if given.is_some_and(|id| !ids.take(id)) {
            let id = quoted(given.unwrap_or_default().as_bytes());
            problems.add(
                Problem::new(format!("{id} again"), "an id of its own for each pair")
                    .at(format!("[{index}].id")),
            );
        }
    }
    for (index, pair) in read_pairs {
        let (set, queries) = convert(index, pair, &mut ids, &mut problems);
        input.sets.push(set);
        input.queries.push(queries);
    }
    if input
        .queries
        .iter()
        .all(|queries| *queries == SentQueries::default())
    {
        input.queries.clear();
    }
    input.notes = one_sided_notes(&input.sets, "the baseline values", "the canary values");
    problems.or(file, input)
}

fn json_problem(text: &str, error: &serde_json::Error) -> Problem {
    if error.classify() == serde_json::error::Category::Data && text.trim_start().starts_with('{') {
        return Problem::new("an object", "a list of metric set pairs")
            .hint("a list starts with `[`; is this a canary config?");
    }
    Problem::new(reworded(error), "a list of metric set pairs, as JSON").at(format!(
        "line {}, column {}",
        error.line(),
        error.column()
    ))
}

/// The parser's words without its place, which stands in front.
fn reworded(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(words, _)| words);
    let mut shown: String = text.chars().take(160).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Tells the lines of pieces of a text that come in its order: each line is counted once.
struct Lines<'a> {
    text: &'a str,
    counted: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            text,
            counted: 0,
            line: 1,
        }
    }

    /// The line in which `part` begins, which is a piece of the text behind the last one.
    fn line(&mut self, part: &str) -> usize {
        let offset = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let between = self.text.as_bytes().get(self.counted..offset);
        self.line += line_ends(between.unwrap_or_default());
        self.counted = self.counted.max(offset);
        self.line
    }
}

fn line_ends(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

fn convert(
    index: usize,
    pair: ReadPair,
    ids: &mut Ids,
    problems: &mut Problems,
) -> (MetricSetPair, SentQueries) {
    let name = pair.name.unwrap_or_default();
    if name.is_empty() {
        problems.add(Problem::new("no name", "the metric's name").at(format!("[{index}].name")));
    }
    let tags: BTreeMap<String, String> = pair
        .tags
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
    if pair.values.is_none() {
        problems.add(
            Problem::new("no values", "`values.control` and `values.experiment`")
                .at(format!("[{index}].values")),
        );
    }
    let (control, experiment) = split(pair.values);
    let (control_scope, experiment_scope) = split(pair.scopes);
    let (control_query, experiment_query) = split(pair.attributes);
    let side = |word: &str,
                values: Option<Vec<Scalar>>,
                scope: Option<ReadScope>,
                problems: &mut Problems| {
        let place = format!("[{index}].scopes.{word}");
        let grid = scope.and_then(|scope| grid(scope, &place, problems));
        let place = format!("[{index}].values.{word}");
        series(values.unwrap_or_default(), grid, &place, problems)
    };
    let baseline = side("control", control, control_scope, problems);
    let canary = side("experiment", experiment, experiment_scope, problems);
    let id = match pair.id {
        Some(id) if !id.is_empty() => id,
        Some(_) | None => ids.make(&name, &tags),
    };
    let set = MetricSetPair {
        name,
        id,
        tags,
        baseline,
        canary,
    };
    let queries = SentQueries {
        baseline: control_query.and_then(query),
        canary: experiment_query.and_then(query),
    };
    (set, queries)
}

fn split<T>(sides: Option<ReadSides<T>>) -> (Option<T>, Option<T>) {
    sides.map_or((None, None), |sides| (sides.control, sides.experiment))
}

fn query(mut attributes: BTreeMap<String, serde_json::Value>) -> Option<String> {
    match attributes.remove("query") {
        Some(serde_json::Value::String(query)) => Some(query),
        Some(_) | None => None,
    }
}

fn series(values: Vec<Scalar>, grid: Option<Grid>, place: &str, problems: &mut Problems) -> Series {
    let mut points = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        match value {
            Scalar::Value(value) => points.push(Some(value)),
            Scalar::Hole => points.push(None),
            Scalar::Other(found) => {
                problems.add(
                    Problem::new(found, "a number, `null`, `NaN`, `Infinity` or `-Infinity`")
                        .at(format!("{place}[{index}]")),
                );
            }
        }
    }
    Series::new(grid, points)
}

/// The grid of a scope; `None` where it has no start or no step.
fn grid(scope: ReadScope, place: &str, problems: &mut Problems) -> Option<Grid> {
    let start = number(
        scope.start_time_millis,
        &format!("{place}.startTimeMillis"),
        problems,
    );
    let step = number(scope.step_millis, &format!("{place}.stepMillis"), problems);
    let start_ms = match start {
        Some(start) => Some(start),
        None => scope
            .start_time_iso
            .filter(|text| !text.is_empty())
            .and_then(|text| match text.parse::<jiff::Timestamp>() {
                Ok(time) => Some(time.as_millisecond()),
                Err(_) => {
                    problems.add(
                        Problem::new(
                            quoted(text.as_bytes()),
                            "a time like `2024-05-01T12:00:00Z`",
                        )
                        .at(format!("{place}.startTimeIso")),
                    );
                    None
                }
            }),
    };
    let step_ms = step
        .and_then(|step| u64::try_from(step).ok())
        .filter(|step| *step > 0);
    Some(Grid {
        start_ms: start_ms?,
        step_ms: step_ms?,
    })
}

fn number(value: Scalar, place: &str, problems: &mut Problems) -> Option<i64> {
    let mut wrong = |found: String| {
        problems.add(Problem::new(found, "whole milliseconds").at(place));
        None
    };
    match value {
        Scalar::Hole => None,
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
        Scalar::Value(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            Some(number as i64)
        }
        Scalar::Value(number) => wrong(format!("`{number}`")),
        Scalar::Other(found) => wrong(found.into()),
    }
}
