//! Series from files: Kayenta's pair lists ([`pairs`]) and CSV, long ([`csv_long`]) or wide ([`csv_wide`]).
//!
//! [`FilesSource`] makes a folder of such files an account of a metric store.
//! The parsers take readers and return values; they open nothing. Opening (plain or gzip, with a limit on what comes out)
//! stands in [`open`]. Every problem of a file is reported at once. A value that was read is never dropped, merged with
//! another or moved by more than half a step in time; a missing point stays missing.

pub mod csv_long;
mod csv_table;
pub mod csv_wide;
pub mod grid;
pub mod open;
pub mod pairs;
pub mod problem;
mod scalar;
mod source;
mod step;
mod time;

use std::collections::{BTreeMap, HashMap, HashSet};

use coalmine_judges::series::{MetricSetPair, Series};

use crate::model::history::HistorySeries;
use crate::model::kayenta;
use crate::model::query::SentQueries;

pub use source::FilesSource;

/// All that was read from the files of one judgement.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FileInput {
    /// The pairs: those of a list in its order, those of CSV by name and tags, whatever the order of rows and columns.
    pub sets: Vec<MetricSetPair>,
    /// The live cluster's own past, where a file has it.
    pub history: Vec<HistorySeries>,
    /// The queries as sent, one for each pair; empty where no file knows any.
    pub queries: Vec<SentQueries>,
    /// What a reader of the judgement should know of the input, one sentence each.
    pub notes: Vec<String>,
}

/// The name, followed by the tags where there are any, as reports write it: `latency {pod=b, zone=a}`.
#[must_use]
pub fn label(name: &str, tags: &BTreeMap<String, String>) -> String {
    if tags.is_empty() {
        name.to_owned()
    } else {
        format!("{name} {{{}}}", listed(tags, ", "))
    }
}

fn listed(tags: &BTreeMap<String, String>, separator: &str) -> String {
    let tags: Vec<String> = tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    tags.join(separator)
}

/// Hands out ids that are different from each other and the same for the same input.
#[derive(Debug, Default)]
pub struct Ids {
    taken: HashSet<String>,
    /// The number that is tried next, for each name that was there before.
    next: HashMap<String, usize>,
}

impl Ids {
    /// Takes an id that the input gives; whether it was free.
    fn take(&mut self, id: &str) -> bool {
        self.taken.insert(id.to_owned())
    }

    /// Makes an id from name and tags, `latency{zone=a}`; `#2`, `#3` and so on tell equal ones apart.
    pub fn make(&mut self, name: &str, tags: &BTreeMap<String, String>) -> String {
        let base = if tags.is_empty() {
            name.to_owned()
        } else {
            format!("{name}{{{}}}", listed(tags, ","))
        };
        if self.taken.insert(base.clone()) {
            return base;
        }
        // Goes on where the last equal name stopped: a list of equal names must not take the square of its length.
        let number = self.next.entry(base.clone()).or_insert(2);
        loop {
            let id = format!("{base}#{number}");
            *number += 1;
            if self.taken.insert(id.clone()) {
                return id;
            }
        }
    }
}

/// How many names a note lists; the report has them all.
const MAX_NAMED: usize = 5;

/// One note for all of `labels`: `` `a` and `b` are only in … ``; of many the first five and the number of the others. `None`
/// for none.
#[must_use]
pub fn note_on(labels: &[String], singular: &str, plural: &str, what: &str) -> Option<String> {
    let quoted: Vec<String> = labels
        .iter()
        .take(MAX_NAMED)
        .map(|label| format!("`{label}`"))
        .collect();
    let (last, first) = quoted.split_last()?;
    let verb = if labels.len() == 1 { singular } else { plural };
    let names = match labels.len() - quoted.len() {
        0 if first.is_empty() => last.clone(),
        0 => format!("{} and {last}", first.join(", ")),
        more => format!("{} and {more} more", quoted.join(", ")),
    };
    Some(format!("{names} {verb} {what}"))
}

/// Notes on pairs of which one side has no rows at all, one for each side.
fn one_sided_notes(sets: &[MetricSetPair], baseline: &str, canary: &str) -> Vec<String> {
    let labels = |only: fn(&MetricSetPair) -> (&Series, &Series)| -> Vec<String> {
        sets.iter()
            .filter(|set| {
                let (there, other) = only(set);
                !there.is_empty() && other.is_empty()
            })
            .map(|set| label(&set.name, &set.tags))
            .collect()
    };
    let of_baseline = labels(|set| (&set.baseline, &set.canary));
    let of_canary = labels(|set| (&set.canary, &set.baseline));
    let paired = sets.len() > of_baseline.len() + of_canary.len();
    let mut notes: Vec<String> = [(&of_baseline, baseline), (&of_canary, canary)]
        .into_iter()
        .filter_map(|(labels, side)| note_on(labels, "is", "are", &format!("only in {side}")))
        .collect();
    if !paired && !notes.is_empty() && sets.iter().any(|set| !set.tags.is_empty()) {
        notes.push(
            "no series has the same tags on both sides; a column that names the version must not be a tag"
                .to_owned(),
        );
    }
    notes
}

/// Reads `data` as a pair list; the body of the fuzz target `pairs_json`.
///
/// # Panics
/// Where a promise is broken: what was read, written again, must read back to the same pairs.
pub fn fuzz_pairs_json(data: &[u8]) {
    let read = open::utf8(data.to_vec(), "fuzz").and_then(|text| pairs::read(&text, "fuzz"));
    match read {
        Ok(input) => {
            let none = SentQueries::default();
            let written: Vec<kayenta::MetricSetPair> = input
                .sets
                .iter()
                .enumerate()
                .map(|(index, set)| {
                    kayenta::MetricSetPair::of(set, input.queries.get(index).unwrap_or(&none))
                })
                .collect();
            let text = serde_json::to_string(&written).unwrap_or_default();
            let again = pairs::read(&text, "again");
            assert!(
                again.as_ref() == Ok(&input),
                "`{text}` reads back as {again:?}"
            );
        }
        Err(error) => assert_explained(&error),
    }
}

/// Reads `data` as a long CSV; the body of the fuzz target `csv_long`.
///
/// # Panics
/// Where a promise is broken: ids are unique, and no pair and no history series is without a point.
pub fn fuzz_csv_long(data: &[u8]) {
    match csv_long::read(data, "fuzz") {
        Ok(input) => {
            let ids: HashSet<&str> = input.sets.iter().map(|set| set.id.as_str()).collect();
            assert_eq!(ids.len(), input.sets.len(), "ids are unique");
            for set in &input.sets {
                assert!(!(set.baseline.is_empty() && set.canary.is_empty()));
            }
            assert!(input.history.iter().all(|past| !past.series.is_empty()));
        }
        Err(error) => assert_explained(&error),
    }
}

fn assert_explained(error: &problem::InputError) {
    assert!(!error.problems.is_empty(), "an error says what is wrong");
    assert!(error.problems.len() <= problem::MAX_PROBLEMS);
    for problem in &error.problems {
        assert!(problem.to_string().len() < 2_000, "{problem}");
    }
}
