//! What was fetched, for people.

use std::collections::BTreeMap;
use std::sync::Arc;

use coalmine_reports::{FetchedQuery, FetchedReport, FetchedSeries, TextStyle, fetched};

use super::side_word;
use crate::analysis::collect::{Answered, Gathered};
use crate::model::scope::Side;
use crate::sources::Fetched;

/// Metrics that one warning names.
const MOST_NAMED: usize = 5;

pub(super) fn text(gathered: &Gathered, style: &TextStyle) -> String {
    let answers: Vec<Answered<'_>> = gathered.answers().collect();
    let ordered = by_metric(&answers);
    let none = BTreeMap::new();
    let mut series = Vec::new();
    for answered in &ordered {
        let row = |fetched: Option<&Fetched>| FetchedSeries {
            metric: answered.metric,
            tags: &none,
            side: side_word(answered.side),
            start_ms: answered.scope.window.start_ms(),
            step_ms: answered.scope.step_secs.saturating_mul(1000),
            values: &[],
            expected: fetched.map_or(0, |fetched| fetched.expected_points),
            failed: fetched.is_none(),
        };
        match &answered.answer {
            Err(_) => series.push(row(None)),
            Ok(fetched) => {
                let sets = fetched.sets.len().max(1) as u64;
                for set in &fetched.sets {
                    series.push(FetchedSeries {
                        tags: &set.tags,
                        start_ms: set.start_ms,
                        step_ms: set.step_ms,
                        values: &set.values,
                        expected: fetched.expected_points / sets,
                        ..row(Some(fetched))
                    });
                }
            }
        }
    }
    settle_room(&mut series);
    // The sides of one series stand together.
    series.sort_by_key(|one| {
        let first = series_place(&ordered, one.metric);
        (first, one.tags.clone())
    });
    let queries = ordered.iter().map(|answered| FetchedQuery {
        metric: answered.metric,
        side: side_word(answered.side),
        query: answered.query,
    });
    let report = FetchedReport {
        about: about(gathered, &answers),
        warnings: warnings(&ordered),
        queries: queries.collect(),
        series,
    };
    fetched(&report, style)
}

/// Whether a point stands on the very edge of a window differs between stores; where one series has it, there is room for it.
fn settle_room(series: &mut [FetchedSeries<'_>]) {
    let mut most: BTreeMap<(String, u64), u64> = BTreeMap::new();
    let key = |one: &FetchedSeries<'_>| (one.metric.to_owned(), one.step_ms);
    for one in &*series {
        let there = one.values.iter().flatten().count() as u64;
        let room = most.entry(key(one)).or_default();
        *room = there.max(*room);
    }
    for one in series {
        let there = most.get(&key(one)).copied().unwrap_or_default();
        if one.expected.saturating_add(1) == there {
            one.expected = there;
        }
    }
}

fn series_place(ordered: &[&Answered<'_>], metric: &str) -> Option<usize> {
    ordered
        .iter()
        .position(|answered| answered.metric == metric)
}

/// Both sides of a metric, then its history.
fn by_metric<'a, 'g>(answers: &'a [Answered<'g>]) -> Vec<&'a Answered<'g>> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for answered in answers {
        let place = places.len();
        places.entry(answered.metric).or_insert(place);
    }
    let mut ordered: Vec<&Answered<'_>> = answers.iter().collect();
    ordered.sort_by_key(|answered| places.get(answered.metric).copied());
    ordered
}

/// What is compared, when, and from where.
fn about(gathered: &Gathered, answers: &[Answered<'_>]) -> Vec<String> {
    let of = |side: Side| answers.iter().find(|answered| answered.side == Some(side));
    let (Some(baseline), Some(canary)) = (of(Side::Baseline), of(Side::Canary)) else {
        return Vec::new();
    };
    let name = |answered: &Answered<'_>, side: &str| {
        let scope = answered.scope;
        let words = [&scope.scope, &scope.location].map(String::as_str);
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [] => side.to_owned(),
            words => words.join(" in "),
        }
    };
    let (baseline_window, canary_window) = (baseline.scope.window, canary.scope.window);
    let when = if baseline_window == canary_window {
        coalmine_reports::window(canary_window.start_ms(), canary_window.end_ms())
    } else {
        let baseline =
            coalmine_reports::window(baseline_window.start_ms(), baseline_window.end_ms());
        let canary = coalmine_reports::window(canary_window.start_ms(), canary_window.end_ms());
        format!("{canary} against {baseline}")
    };
    let builds = answers
        .iter()
        .filter_map(|answered| answered.answer.as_ref().ok()?.build.clone());
    let build = builds
        .max()
        .map_or_else(String::new, |build| format!(" ({build})"));
    vec![
        format!(
            "{} against {}",
            name(canary, "canary"),
            name(baseline, "baseline")
        ),
        format!("{when}, step {} s", canary.scope.step_secs),
        format!("from {}{build}", gathered.account()),
    ]
}

/// Each warning once, with the metrics that it concerns.
fn warnings(answers: &[&Answered<'_>]) -> Vec<String> {
    let mut order: Vec<&str> = Vec::new();
    let mut places: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    let came: Vec<(&Answered<'_>, &Arc<Fetched>)> = answers
        .iter()
        .filter_map(|answered| Some((*answered, answered.answer.as_ref().ok()?)))
        .collect();
    for (answered, fetched) in &came {
        for warning in &fetched.warnings {
            let named = places.entry(warning).or_insert_with(|| {
                order.push(warning);
                Vec::new()
            });
            match named.last_mut() {
                Some((metric, side)) if *metric == answered.metric => *side = "both sides",
                Some(_) | None => named.push((answered.metric, side_word(answered.side))),
            }
        }
    }
    let mut all = Vec::new();
    for warning in order {
        let named = places.get(warning).map(Vec::as_slice).unwrap_or_default();
        let shown = named.iter().take(MOST_NAMED);
        let shown: Vec<String> = shown
            .map(|(metric, side)| format!("`{metric}` ({side})"))
            .collect();
        let more = match named.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        all.push(format!("{}{more}: {warning}", shown.join(", ")));
    }
    let lost = answers.iter().filter(|answered| answered.side.is_none());
    for answered in lost {
        if let Err(failure) = &answered.answer {
            all.push(format!(
                "no history of `{}`: {}",
                answered.metric, failure.message
            ));
        }
    }
    all
}
