//! From the series of an answer to metric sets: as Kayenta lists points, or laid on the grid that was asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::range::Range;
use super::reply::{Labels, Points, RawSeries};
use crate::model::metric_set::MetricSet;
use crate::model::scope::Window;
use crate::sources::Manner;

/// Labels by which pairs of Prometheus that scrape the same targets tell themselves apart.
pub(super) const REPLICA_LABELS: [&str; 3] = ["prometheus_replica", "__replica__", "replica"];

/// Series of one question, put together from its pieces. They are told apart by all their labels, `__name__` included, and, where
/// one piece holds the same labels more than once, by their turn in it: what came apart is never put together.
#[derive(Debug, Default)]
pub(super) struct Joined {
    series: BTreeMap<(Labels, usize), Points>,
}

impl Joined {
    /// Adds the series of a later piece. Points that are not later than those of earlier pieces are its edge once more.
    pub(super) fn add(&mut self, piece: Vec<RawSeries>) {
        let mut turns: BTreeMap<Labels, usize> = BTreeMap::new();
        for RawSeries { labels, points } in piece {
            let turn = turns.entry(labels.clone()).or_default();
            let known = self.series.entry((labels, *turn)).or_default();
            *turn += 1;
            match known.last() {
                None => *known = points,
                Some(&(last, _)) => known.extend(points.into_iter().filter(|(at, _)| *at > last)),
            }
        }
    }

    /// How many series.
    pub(super) fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether two series differ in nothing but `__name__`.
    fn need_names(&self) -> bool {
        let mut seen = BTreeSet::new();
        let nameless = self.labels().map(|labels| {
            let rest = labels.iter().filter(|(label, _)| *label != "__name__");
            rest.collect::<Vec<_>>()
        });
        nameless.into_iter().any(|labels| !seen.insert(labels))
    }

    /// The labels of all series, `__name__` included.
    pub(super) fn labels(&self) -> impl Iterator<Item = &Labels> {
        self.series.keys().map(|(labels, _)| labels)
    }
}

/// What is known about a question, beside its series.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'q> {
    pub(super) metric: &'q str,
    pub(super) query: &'q str,
    pub(super) range: Range,
    pub(super) window: Window,
    pub(super) manner: Manner,
}

/// Metric sets, and what a reader should know about their points.
#[derive(Debug, Default)]
pub(super) struct Laid {
    pub(super) sets: Vec<MetricSet>,
    /// Points that are there.
    pub(super) points: u64,
    pub(super) not_numbers: u64,
    pub(super) infinite: u64,
    pub(super) off_grid: u64,
    /// Length of the longest row of equal points, one after the other.
    pub(super) longest_repeat: u64,
    /// Time of the first point of all.
    pub(super) first_ms: Option<i64>,
}

/// The sets of `joined`, without `__name__`; one without values where there is no series, or none with a point. Aligned, the name
/// stays where nothing else tells two series apart.
pub(super) fn lay(about: About<'_>, joined: Joined) -> Laid {
    let mut laid = Laid::default();
    let keeps_names = about.manner == Manner::Aligned && joined.need_names();
    for ((mut tags, _), points) in joined.series {
        if !keeps_names {
            tags.remove("__name__");
        }
        let set = match about.manner {
            Manner::Kayenta => as_listed(about, tags, &points),
            Manner::Aligned => on_grid(about, tags, &points, &mut laid.off_grid),
        };
        laid.not_numbers += count(&points, f64::is_nan);
        laid.infinite += count(&points, f64::is_infinite);
        if let Some((first_ms, set)) = set {
            laid.first_ms = laid.first_ms.into_iter().chain(first_ms).min();
            laid.longest_repeat = laid.longest_repeat.max(longest_repeat(&set.values));
            laid.points += set.values.iter().flatten().count() as u64;
            laid.sets.push(set);
        }
    }
    if laid.sets.is_empty() {
        laid.sets.push(placeholder(about));
    }
    laid
}

fn count(points: &[(f64, Option<f64>)], wanted: impl Fn(f64) -> bool) -> u64 {
    points
        .iter()
        .filter_map(|(_, value)| *value)
        .filter(|value| wanted(*value))
        .count() as u64
}

/// Kayenta's list: null points skipped, holes not filled; the step is that of the first two points in whole seconds.
fn as_listed(
    about: About<'_>,
    tags: Labels,
    points: &[(f64, Option<f64>)],
) -> Option<(Option<i64>, MetricSet)> {
    let there = points.iter().filter(|(_, value)| value.is_some());
    let times: Vec<f64> = there.clone().take(2).map(|(at, _)| *at).collect();
    let first = *times.first()?;
    let start_ms = (first * 1000.0).floor() as i64;
    let step_secs = match times.get(1) {
        Some(second) => millis(*second).saturating_sub(millis(first)).max(0) / 1000,
        None => 0,
    };
    let values: Vec<Option<f64>> = there
        .map(|(_, value)| value.filter(|value| !value.is_nan()))
        .collect();
    let length = i64::try_from(values.len()).unwrap_or(i64::MAX);
    let step_ms = step_secs.saturating_mul(1000);
    let set = MetricSet {
        name: about.metric.to_owned(),
        tags,
        start_ms,
        end_ms: start_ms.saturating_add(step_ms.saturating_mul(length)),
        step_ms: step_ms.unsigned_abs(),
        values,
        attributes: attributes(about),
    };
    Some((Some(start_ms), set))
}

/// One value for each moment that was asked about; a point that lies on none of them is counted in `off_grid`.
fn on_grid(
    about: About<'_>,
    tags: Labels,
    points: &[(f64, Option<f64>)],
    off_grid: &mut u64,
) -> Option<(Option<i64>, MetricSet)> {
    let range = about.range;
    let room = usize::try_from(range.points()).unwrap_or(usize::MAX);
    let mut values = vec![None; room];
    let mut first_ms = None;
    for (at, value) in points {
        let offset = millis(*at).saturating_sub(range.start_ms);
        let (index, rest) = (
            offset.div_euclid(range.step_ms),
            offset.rem_euclid(range.step_ms),
        );
        let slot = usize::try_from(index)
            .ok()
            .and_then(|index| values.get_mut(index));
        match slot {
            Some(slot) if rest == 0 => {
                *slot = value.filter(|value| !value.is_nan());
                if slot.is_some() && first_ms.is_none() {
                    first_ms = Some(range.start_ms.saturating_add(offset));
                }
            }
            Some(_) | None => *off_grid += 1,
        }
    }
    let set = MetricSet {
        values,
        tags,
        ..placeholder(about)
    };
    (!points.is_empty()).then_some((first_ms, set))
}

/// A set without values. For Kayenta it has the request's window; aligned, the grid's.
fn placeholder(about: About<'_>) -> MetricSet {
    let range = about.range;
    let (start_ms, end_ms) = match about.manner {
        Manner::Kayenta => (about.window.start_ms(), about.window.end_ms()),
        Manner::Aligned => (range.start_ms, range.end_ms.saturating_add(range.step_ms)),
    };
    MetricSet {
        name: about.metric.to_owned(),
        tags: BTreeMap::new(),
        start_ms,
        end_ms,
        step_ms: range.step_ms.unsigned_abs(),
        values: Vec::new(),
        attributes: attributes(about),
    }
}

fn attributes(about: About<'_>) -> BTreeMap<String, String> {
    BTreeMap::from([("query".to_owned(), about.query.to_owned())])
}

/// Seconds as milliseconds, rounded: Prometheus counts in milliseconds, and a double of this size is exact to a fraction of one.
fn millis(secs: f64) -> i64 {
    (secs * 1000.0).round() as i64
}

fn longest_repeat(values: &[Option<f64>]) -> u64 {
    let mut longest = 0;
    let mut row: u64 = 0;
    let mut last = None;
    for value in values {
        row = match value {
            Some(_) if *value == last => row + 1,
            Some(_) => 1,
            None => 0,
        };
        last = *value;
        longest = longest.max(row);
    }
    longest
}
