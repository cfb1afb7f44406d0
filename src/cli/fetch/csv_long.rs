//! What was fetched, a row for each point: the format that `coalmine judge --data` reads.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::side_word;
use crate::analysis::collect::Gathered;
use crate::cli::failure::Failure;
use crate::model::metric_set::MetricSet;

/// Columns that every file has; a tag of such a name cannot have its own.
const COLUMNS: [&str; 4] = ["timestamp", "metric", "side", "value"];

/// Missing points have no row.
///
/// # Errors
/// Tags that cannot be columns; times outside of the calendar.
pub(super) fn text(gathered: &Gathered) -> Result<String, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(format!("cannot write the data: {error}"));
    let mut tags: BTreeSet<String> = BTreeSet::new();
    for answered in gathered.answers() {
        for set in answered.answer.iter().flat_map(|fetched| &fetched.sets) {
            tags.extend(set.tags.keys().cloned());
        }
    }
    let taken = tags
        .iter()
        .find(|tag| COLUMNS.contains(&tag.to_lowercase().as_str()));
    if let Some(tag) = taken {
        return Err(Failure::new(format!(
            "the series have a label `{tag}`, and a CSV has a column of that name already"
        ))
        .hint("`--format json` writes any labels"));
    }
    let mut table = csv::Writer::from_writer(Vec::new());
    let header = COLUMNS.into_iter().chain(tags.iter().map(String::as_str));
    table.write_record(header).map_err(|error| failed(&error))?;
    for answered in gathered.answers() {
        for set in answered.answer.iter().flat_map(|fetched| &fetched.sets) {
            for (time_ms, value) in points(set) {
                let time = Timestamp::from_millisecond(time_ms).map_err(|error| failed(&error))?;
                let cells = [
                    time.to_string(),
                    answered.metric.to_owned(),
                    side_word(answered.side).to_owned(),
                    number(value),
                ];
                let of_tags = tags
                    .iter()
                    .map(|tag| set.tags.get(tag).cloned().unwrap_or_default());
                table
                    .write_record(cells.into_iter().chain(of_tags))
                    .map_err(|error| failed(&error))?;
            }
        }
    }
    let bytes = table.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

fn points(set: &MetricSet) -> impl Iterator<Item = (i64, f64)> {
    let points = set.values.iter().enumerate();
    points.filter_map(|(index, value)| {
        let after = (index as u64).saturating_mul(set.step_ms);
        Some((set.start_ms.saturating_add_unsigned(after), (*value)?))
    })
}

/// The shortest text that is read as the same number.
fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => format!("{value:?}"),
    }
}
