//! Kayenta's mixer: the series of both sides become pairs.
//!
//! Pure. Unlike Kayenta's, the pairs of one metric stand in the order of their tags and have ids made of name and tags, so that
//! the same series give the same pairs. Series are never aligned with each other in time.
//!
//! Source: `MetricSetMixerService` of Kayenta.

use std::collections::{BTreeMap, BTreeSet};

use coalmine_judges::series::{Grid, MetricSetPair, Series};
use thiserror::Error;

use crate::model::metric_set::MetricSet;
use crate::model::query::SentQueries;
use crate::model::scope::Side;
use crate::sources::files::Ids;

/// Most points of all pairs together, missing ones included: 10 million, 160 MB. Many more were never measured, but
/// follow from a start or a step that nobody meant.
pub const MOST_POINTS: u64 = 10_000_000;

/// Both sides of one metric, as their source returned them.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSides {
    /// The metric's name.
    pub name: String,
    /// The series of the version now live.
    pub baseline: Vec<MetricSet>,
    /// The series of the new version.
    pub canary: Vec<MetricSet>,
}

/// All pairs of one judgement.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Paired {
    /// The pairs, by metric in the order given, and then by tags.
    pub sets: Vec<MetricSetPair>,
    /// The queries as sent, one for each pair.
    pub queries: Vec<SentQueries>,
    /// What became of series that no pair has, one sentence each.
    pub notes: Vec<String>,
}

/// Why the series of a metric cannot be paired. The first three texts hold Kayenta's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PairingError {
    /// The source returned no series for the baseline, not even an empty one.
    #[error(
        "No control metrics found for {0} and the metric service did not create a placeholder."
    )]
    NoBaseline(String),
    /// The same for the canary.
    #[error(
        "No experiment metrics found for {0} and the metric service did not create a placeholder."
    )]
    NoCanary(String),
    /// The sides are told apart by different labels, so that no series has a counterpart.
    #[error("`{metric}`: Control metrics have different tag keys than the experiment tag set ({} and {})", listed(.baseline), listed(.canary))]
    DifferentTagKeys {
        /// The metric's name.
        metric: String,
        /// The baseline's labels.
        baseline: BTreeSet<String>,
        /// The canary's labels.
        canary: BTreeSet<String>,
    },
    /// The series have room for more points than a judgement can hold.
    #[error(
        "the series up to `{metric}` have room for {points} points; expected at most {MOST_POINTS}"
    )]
    TooManyPoints {
        /// The first metric for which there is no room.
        metric: String,
        /// How many points there would be up to and with it.
        points: u64,
    },
}

impl PairingError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoBaseline(_) | Self::NoCanary(_) => {
                "does the query select anything on this side?"
            }
            Self::DifferentTagKeys { .. } => {
                "leave labels that only one side has out of the result, as by `sum by (…)`"
            }
            Self::TooManyPoints { .. } => "ask for a shorter window or a longer step",
        }
    }
}

fn listed(keys: &BTreeSet<String>) -> String {
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    format!("[{}]", keys.join(", "))
}

/// Pairs the series of all metrics.
///
/// # Errors
/// Every metric that cannot be paired, with its place in `metrics`; never an empty list.
pub fn pair(metrics: &[MetricSides]) -> Result<Paired, Vec<(usize, PairingError)>> {
    let mut mixer = Mixer {
        paired: Paired::default(),
        ids: Ids::default(),
        points: 0,
    };
    let mut errors = Vec::new();
    for (index, metric) in metrics.iter().enumerate() {
        if let Err(error) = mixer.mix(metric) {
            let full = matches!(error, PairingError::TooManyPoints { .. });
            errors.push((index, error));
            if full {
                break;
            }
        }
    }
    if errors.is_empty() {
        Ok(mixer.paired)
    } else {
        Err(errors)
    }
}

/// The labels that no series of one side shares with any of the other; all of them where each alone is shared.
fn differing(keys: &BTreeSet<String>, baseline: &[MetricSet], canary: &[MetricSet]) -> String {
    let values = |sets: &[MetricSet], key: &str| -> BTreeSet<Option<String>> {
        sets.iter().map(|set| set.tags.get(key).cloned()).collect()
    };
    let apart = keys
        .iter()
        .filter(|key| values(baseline, key).is_disjoint(&values(canary, key)));
    let mut apart: Vec<String> = apart.map(|key| format!("`{key}`")).collect();
    if apart.is_empty() {
        apart = keys.iter().map(|key| format!("`{key}`")).collect();
    }
    apart.join(", ")
}

struct Mixer {
    paired: Paired,
    ids: Ids,
    points: u64,
}

type Tags = BTreeMap<String, String>;

impl Mixer {
    fn mix(&mut self, metric: &MetricSides) -> Result<(), PairingError> {
        let MetricSides {
            name,
            baseline,
            canary,
        } = metric;
        let (Some(first_baseline), Some(first_canary)) = (baseline.first(), canary.first()) else {
            return Err(if baseline.is_empty() {
                PairingError::NoBaseline(name.clone())
            } else {
                PairingError::NoCanary(name.clone())
            });
        };
        let keys = |sets: &[MetricSet]| -> BTreeSet<String> {
            sets.iter()
                .flat_map(|set| set.tags.keys().cloned())
                .collect()
        };
        let (baseline_keys, canary_keys) = (keys(baseline), keys(canary));
        let both_tagged = !baseline_keys.is_empty() && !canary_keys.is_empty();
        if both_tagged && baseline_keys != canary_keys {
            return Err(PairingError::DifferentTagKeys {
                metric: name.clone(),
                baseline: baseline_keys,
                canary: canary_keys,
            });
        }
        let untagged = |sets: &[MetricSet]| sets.iter().position(|set| set.tags.is_empty());
        let lent = match (untagged(baseline), untagged(canary)) {
            // An untagged side without counterpart lends its times to stand-ins; its values are of no use.
            (Some(lender), None) => Some((Side::Baseline, &baseline[lender])),
            (None, Some(lender)) => Some((Side::Canary, &canary[lender])),
            (Some(_), Some(_)) | (None, None) => None,
        };
        let (mut baselines, mut canaries) = (by_tags(baseline), by_tags(canary));
        let (mut for_baseline, mut for_canary) = (first_baseline, first_canary);
        match lent {
            Some((Side::Baseline, lender)) => {
                baselines.clear();
                for_baseline = lender;
            }
            Some((Side::Canary, lender)) => {
                canaries.clear();
                for_canary = lender;
            }
            None => {}
        }
        if both_tagged
            && lent.is_none()
            && baselines.keys().all(|tags| !canaries.contains_key(tags))
        {
            let differing = differing(&baseline_keys, baseline, canary);
            self.paired.notes.push(format!(
                "no series of `{name}` has the same labels on both sides (they differ in {differing}), so nothing of it is compared; \
                 aggregate them in the query, as by `sum(…)` or `avg without (…)`"
            ));
        }
        let all: BTreeSet<&Tags> = baselines.keys().chain(canaries.keys()).copied().collect();
        for tags in all {
            let baseline = sampled(baselines.get(tags).copied(), for_baseline);
            let canary = sampled(canaries.get(tags).copied(), for_canary);
            self.add(name, tags, &baseline, &canary)?;
        }
        self.note_unused(name, Side::Baseline, baseline, baselines.len());
        self.note_unused(name, Side::Canary, canary, canaries.len());
        Ok(())
    }

    fn add(
        &mut self,
        name: &str,
        tags: &Tags,
        baseline: &OneSide<'_>,
        canary: &OneSide<'_>,
    ) -> Result<(), PairingError> {
        self.points = self.points.saturating_add(baseline.points());
        self.points = self.points.saturating_add(canary.points());
        if self.points > MOST_POINTS {
            return Err(PairingError::TooManyPoints {
                metric: name.to_owned(),
                points: self.points,
            });
        }
        self.paired.sets.push(MetricSetPair {
            name: name.to_owned(),
            id: self.ids.make(name, tags),
            tags: tags.clone(),
            baseline: baseline.series(),
            canary: canary.series(),
        });
        self.paired.queries.push(SentQueries {
            baseline: baseline.query(),
            canary: canary.query(),
        });
        Ok(())
    }

    fn note_unused(&mut self, name: &str, side: Side, sets: &[MetricSet], used: usize) {
        let with_values = sets.iter().filter(|set| !set.values.is_empty()).count();
        let unused = with_values.saturating_sub(used);
        if unused > 0 {
            let verb = if unused == 1 { "has" } else { "have" };
            self.paired.notes.push(format!(
                "{unused} series of `{name}` on the {side}'s side {verb} no counterpart that its tags could name, and {} not judged",
                if unused == 1 { "is" } else { "are" },
            ));
        }
    }
}

/// The series by their tags; of several with the same tags the first one.
fn by_tags(sets: &[MetricSet]) -> BTreeMap<&Tags, &MetricSet> {
    let mut by_tags = BTreeMap::new();
    for set in sets {
        by_tags.entry(&set.tags).or_insert(set);
    }
    by_tags
}

/// What one side brings to a pair: a series, or only the times of one.
struct OneSide<'a> {
    times: &'a MetricSet,
    values: &'a [Option<f64>],
}

fn sampled<'a>(set: Option<&'a MetricSet>, stand_in: &'a MetricSet) -> OneSide<'a> {
    match set {
        Some(set) => OneSide {
            times: set,
            values: &set.values,
        },
        None => OneSide {
            times: stand_in,
            values: &[],
        },
    }
}

impl OneSide<'_> {
    /// How many points the series gets: those that it has, and missing ones up to what its own times have room for. Nothing is
    /// cut off.
    fn points(&self) -> u64 {
        let MetricSet {
            start_ms,
            end_ms,
            step_ms,
            ..
        } = *self.times;
        let length = if end_ms > start_ms {
            end_ms.abs_diff(start_ms)
        } else {
            0
        };
        let room = length.checked_div(step_ms).unwrap_or(0);
        room.max(self.values.len() as u64)
    }

    /// The series, padded at the end. Its caller knows that there is room.
    fn series(&self) -> Series {
        let grid = (self.times.step_ms > 0).then_some(Grid {
            start_ms: self.times.start_ms,
            step_ms: self.times.step_ms,
        });
        let points = usize::try_from(self.points()).unwrap_or(self.values.len());
        let missing = points.saturating_sub(self.values.len());
        let padding = std::iter::repeat_n(None, missing);
        Series::new(grid, self.values.iter().copied().chain(padding))
    }

    fn query(&self) -> Option<String> {
        self.times.attributes.get("query").cloned()
    }
}
