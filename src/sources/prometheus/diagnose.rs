//! Further questions to the store where an answer looks strange: why nothing came, and why points are missing. They only add
//! warnings; a question that fails says nothing.

use super::ask;
use super::failure::shorten;
use super::http::Http;
use super::promql::{Outline, Reading, Selector};
use super::range::Range;

/// Most selectors of one query that are asked about.
const MAX_ASKED: usize = 3;

/// Most time that is looked at, in seconds: a day.
const MAX_SPAN_SECS: u64 = 86_400;

/// Says for each metric of an empty answer whether the store has it at all, so that a wrong scope is not taken for a dead metric.
pub(super) async fn nothing_came(http: &Http, outline: &Outline, range: Range) -> Vec<String> {
    let mut warnings = Vec::new();
    let span = span_secs(range);
    for selector in asked(outline) {
        let Some(name) = selector.name.as_deref() else {
            continue;
        };
        let query = format!("count(last_over_time({name}[{span}s]))");
        let Ok(found) = ask::instant_values(http, &query, range.end_ms).await else {
            continue;
        };
        warnings.push(match found.first() {
            Some(count) if selector.text != name => format!(
                "the store has {count} series of `{name}` in the window, but `{}` gives nothing: see the scope and the labels",
                shorten(&selector.text)
            ),
            Some(_) => format!("the store has series of `{name}`, but the query gives nothing"),
            None => format!("the store has no series of `{name}` in the window: see the metric's name"),
        });
    }
    warnings
}

/// Says where points are missing because too few scrapes lie in the time that the query looks back for one point.
pub(super) async fn holes(http: &Http, outline: &Outline, range: Range) -> Vec<String> {
    let mut warnings = Vec::new();
    let span = span_secs(range).max(600);
    for selector in asked(outline) {
        let Reading::Range(Some(looks_back_ms)) = selector.reading else {
            continue;
        };
        // A rate is made of two scrapes; a value over time, such as the guard of a bare gauge, of one.
        let needed = if selector.is_over_time { 1 } else { 2 };
        let query = format!("max(count_over_time({}[{span}s]))", selector.text);
        let Ok(found) = ask::instant_values(http, &query, range.end_ms).await else {
            continue;
        };
        let Some(scrapes) = found.first().copied().filter(|count| *count >= 1.0) else {
            continue;
        };
        // At least so far apart, since the span may begin and end just before one.
        let interval_secs = span as f64 / (scrapes + 1.0);
        if (looks_back_ms as f64) < f64::from(needed) * interval_secs * 1000.0 {
            warnings.push(format!(
                "`{}` has a point about every {:.0} s, but each value looks back only {} s and needs {needed}: values are missing; take a longer step or range",
                shorten(&selector.text),
                span as f64 / scrapes,
                looks_back_ms / 1000
            ));
        }
    }
    warnings
}

/// Whether pairs of Prometheus scrape the same targets and nothing in the query tells them apart, while it adds up.
pub(super) fn replicas(query: &str, outline: &Outline, label: Option<&str>) -> Option<String> {
    let label = label.filter(|label| outline.adds_up && !query.contains(*label))?;
    Some(format!(
        "series in this store carry the label `{label}`: where two Prometheus scrape the same targets, sums and counts double; aggregate by `max without ({label})` first"
    ))
}

fn asked(outline: &Outline) -> impl Iterator<Item = &Selector> {
    let mut seen: Vec<&str> = Vec::new();
    let all = outline.selectors.iter();
    all.filter(move |selector| {
        let fresh = !seen.contains(&selector.text.as_str());
        seen.push(&selector.text);
        fresh
    })
    .take(MAX_ASKED)
}

fn span_secs(range: Range) -> u64 {
    let window = range.end_ms.abs_diff(range.start_ms) / 1000;
    (window + range.step_ms.unsigned_abs() / 1000).min(MAX_SPAN_SECS)
}
