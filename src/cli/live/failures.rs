//! What kept series from being had, as errors for people: what failed alike is told together.

use crate::analysis::task;
use crate::cli::failure::Failure;

/// How many different errors are told, and of each how many metrics.
const MOST_KINDS: usize = 10;
const MOST_PLACES: usize = 5;

/// What failed alike.
struct Kind<'f> {
    message: &'f str,
    hint: Option<&'f str>,
    passing: bool,
    all: Vec<&'f task::Failure>,
}

/// One error for each kind of failure. `metrics` are the names in the config's order.
pub(in crate::cli) fn told(failures: &[task::Failure], metrics: &[String]) -> Failure {
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    for failure in failures {
        let (_, message) = tried(failure);
        let hint = failure.hint.as_deref();
        let alike = kinds.iter_mut().find(|kind| {
            kind.message == message && kind.hint == hint && kind.passing == failure.passing
        });
        match alike {
            Some(kind) => kind.all.push(failure),
            None => kinds.push(Kind {
                message,
                hint,
                passing: failure.passing,
                all: vec![failure],
            }),
        }
    }
    let more: usize = kinds
        .iter()
        .skip(MOST_KINDS)
        .map(|kind| kind.all.len())
        .sum();
    // What must be mended is told first, and decides how the program ends.
    kinds.sort_by_key(|kind| kind.passing);
    let all_pass = kinds.iter().all(|kind| kind.passing);
    let told = kinds.iter().take(MOST_KINDS).map(|kind| kind.told(metrics));
    let told = told.chain((more > 0).then(|| {
        let failure = Failure::new(format!("{more} more, of other kinds")).counts(more);
        if all_pass { failure.passing() } else { failure }
    }));
    Failure::all(told).unwrap_or_else(|| Failure::new("nothing could be fetched"))
}

impl Kind<'_> {
    fn told(&self, metrics: &[String]) -> Failure {
        let name = |failure: &task::Failure| failure.metric.and_then(|place| metrics.get(place));
        let place = |failure: &task::Failure| match (name(failure), failure.side) {
            (Some(name), Some(side)) => Some(format!("`{name}`, {side}")),
            (Some(name), None) => Some(format!("`{name}`, both sides")),
            (None, _) => None,
        };
        let mut error = Failure::new(self.message).counts(self.all.len());
        for failure in self.all.iter().take(MOST_PLACES) {
            let (tried, _) = tried(failure);
            let words: Vec<String> = [place(failure), tried.map(str::to_owned)]
                .into_iter()
                .flatten()
                .collect();
            if !words.is_empty() {
                error = error.detail(words.join(": "));
            }
            // A query is of use where something is wrong with it.
            if let Some(query) = failure.query.as_deref().filter(|_| !self.passing) {
                error = error.detail(format!("  {query}"));
            }
        }
        let more = self.all.len().saturating_sub(MOST_PLACES);
        if more > 0 {
            error = error.detail(format!("and {more} more"));
        }
        if let Some(hint) = self.hint {
            error = error.hint(hint);
        }
        if self.passing { error.passing() } else { error }
    }
}

/// How long it was tried, and what was the matter; the former differs between metrics where the latter is the same.
fn tried(failure: &task::Failure) -> (Option<&str>, &str) {
    match failure.message.split_once(": ") {
        Some((tried, message)) if failure.passing && tried.starts_with("gave up") => {
            (Some(tried), message)
        }
        Some(_) | None => (None, &failure.message),
    }
}
