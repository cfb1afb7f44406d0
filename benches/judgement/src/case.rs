//! One simulated canary: what a judge is given, and the same in other clothes.

use std::collections::BTreeMap;

use coalmine_judges::config::evidence::{Allowance, Change, MetricKind};
use coalmine_judges::config::{JudgeConfig, MetricSpec};
use coalmine_judges::series::{Grid, HistorySeries, InstanceSeries, MetricSetPair, Series, Side};

use crate::generate::Points;

/// Distance of two points.
pub const MINUTE_MS: u64 = 60_000;

/// Where every comparison starts: 2023-11-14T22:13:00Z, a full minute.
pub const START_MS: i64 = 1_699_999_980_000;

/// A grid of minutes that starts so many minutes after the comparison (before it where negative).
#[must_use]
pub fn minutes_from(offset: i64) -> Grid {
    Grid {
        start_ms: START_MS + offset * MINUTE_MS as i64,
        step_ms: MINUTE_MS,
    }
}

/// One canary, complete: all of its metrics for the whole comparison, and the past.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// How to judge.
    pub config: JudgeConfig,
    /// What to judge, in the order of `config`.
    pub sets: Vec<MetricSetPair>,
    /// The live version's past.
    pub history: Vec<HistorySeries>,
    /// Series of single instances, where there are any.
    pub instances: Vec<InstanceSeries>,
    /// Traffic of baseline and canary, where it is not equal.
    pub traffic: Option<(f64, f64)>,
    /// For each metric the smallest change that nobody could miss although the noise is known: the relative change that a
    /// two-sided test at 2 % finds in 80 % of runs. Absent where it was not worked out.
    pub smallest_visible: Vec<Option<f64>>,
}

/// Words for one metric beside its points.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wish {
    /// What its points are; absent where the judge shall find out.
    pub kind: Option<MetricKind>,
    /// The smallest relative change worth stopping for; absent for the judge's default.
    pub tolerance: Option<f64>,
    /// The metric whose points are its denominators.
    pub denominator: Option<String>,
    /// See [`Case::smallest_visible`].
    pub smallest_visible: Option<f64>,
}

impl Wish {
    /// A tolerance of 5 %, as the rows of the numbers table that look for a change of level state.
    #[must_use]
    pub fn five_percent() -> Self {
        Self {
            tolerance: Some(0.05),
            ..Self::default()
        }
    }
}

impl Case {
    /// A canary of one metric.
    #[must_use]
    pub fn single(points: Points, wish: Wish) -> Self {
        let mut case = Self::default();
        case.add("metric", points, wish);
        case
    }

    /// Adds failures as parts of requests, and the requests beside them.
    pub fn add_proportion(&mut self, shares: Points, requests: Points) {
        let wish = Wish {
            kind: Some(MetricKind::Proportion),
            denominator: Some("requests".to_owned()),
            ..Wish::default()
        };
        self.add("shares", shares, wish);
        self.add("requests", requests, Wish::default());
    }

    /// Adds a metric, all of them in one group.
    pub fn add(&mut self, name: &str, points: Points, wish: Wish) {
        let mut spec = MetricSpec::new(name, ["all"]);
        spec.evidence.kind = wish.kind;
        spec.evidence.denominator = wish.denominator;
        if let Some(share) = wish.tolerance {
            spec.evidence.tolerance = Allowance::ratio(share);
        }
        self.config.metrics.push(spec);
        self.smallest_visible.push(wish.smallest_visible);
        let now =
            |values: Vec<f64>| Series::new(Some(minutes_from(0)), values.into_iter().map(Some));
        self.sets.push(MetricSetPair {
            name: name.to_owned(),
            id: name.to_owned(),
            tags: BTreeMap::new(),
            baseline: now(points.baseline),
            canary: now(points.canary),
        });
        let sides = [Side::Baseline, Side::Canary].into_iter();
        for (side, instances) in sides.zip(points.instances) {
            for (index, values) in instances.into_iter().enumerate() {
                self.instances.push(InstanceSeries {
                    pair: name.to_owned(),
                    side,
                    instance: format!("instance {index}"),
                    series: now(values),
                });
            }
        }
        for (index, values) in points.past.into_iter().enumerate() {
            let grid = minutes_from(-(values.len() as i64));
            self.history.push(HistorySeries {
                name: name.to_owned(),
                tags: BTreeMap::from([("replica".to_owned(), index.to_string())]),
                series: Series::new(Some(grid), values.into_iter().map(Some)),
            });
        }
    }

    /// What has come in after so many minutes.
    #[must_use]
    pub fn until(&self, minutes: usize) -> Vec<MetricSetPair> {
        let cut = |series: &Series| {
            let values = series.values();
            Series::new(series.grid(), values[..minutes.min(values.len())].to_vec())
        };
        self.map_sides(cut)
    }

    fn map_sides(&self, change: impl Fn(&Series) -> Series) -> Vec<MetricSetPair> {
        let sets = self.sets.iter();
        sets.map(|set| MetricSetPair {
            baseline: change(&set.baseline),
            canary: change(&set.canary),
            ..set.clone()
        })
        .collect()
    }

    /// Minutes of the comparison.
    #[must_use]
    pub fn minutes(&self) -> usize {
        let lengths = self.sets.iter().map(|set| set.canary.len());
        lengths.max().unwrap_or(0)
    }

    /// The same in another unit: all points times `factor`, and bounds that are stated in the metric's unit as well.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let scale = |series: &Series| map_values(series, |value| value * factor);
        let mut scaled = self.clone();
        scaled.sets = self.map_sides(scale);
        for past in &mut scaled.history {
            past.series = scale(&past.series);
        }
        for instance in &mut scaled.instances {
            instance.series = scale(&instance.series);
        }
        for spec in &mut scaled.config.metrics {
            for allowance in [&mut spec.evidence.tolerance, &mut spec.evidence.margin] {
                for change in [&mut allowance.increase, &mut allowance.decrease] {
                    if let Some(Change::Absolute(size)) = change {
                        *size *= factor;
                    }
                }
            }
        }
        scaled
    }

    /// The same with the metrics in the order that `order` names.
    #[must_use]
    pub fn permuted(&self, order: &[usize]) -> Self {
        let mut permuted = self.clone();
        permuted.config.metrics = pick(&self.config.metrics, order);
        permuted.sets = pick(&self.sets, order);
        permuted.smallest_visible = pick(&self.smallest_visible, order);
        permuted.history.reverse();
        permuted
    }

    /// Baseline and canary exchanged, with their limits and what counts.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let mut mirrored = self.clone();
        for set in &mut mirrored.sets {
            std::mem::swap(&mut set.baseline, &mut set.canary);
        }
        for instance in &mut mirrored.instances {
            instance.side = match instance.side {
                Side::Baseline => Side::Canary,
                Side::Canary => Side::Baseline,
            };
        }
        mirrored.traffic = self.traffic.map(|(baseline, canary)| (canary, baseline));
        for spec in &mut mirrored.config.metrics {
            spec.direction = spec.direction.mirrored();
            spec.evidence.tolerance = spec.evidence.tolerance.mirrored();
            spec.evidence.margin = spec.evidence.margin.mirrored();
        }
        mirrored
    }
}

/// A series of the same times with other values; missing points stay missing.
#[must_use]
pub fn map_values(series: &Series, change: impl Fn(f64) -> f64) -> Series {
    let values = series.values().iter();
    Series::new(series.grid(), values.map(|value| value.map(&change)))
}

fn pick<T: Clone>(all: &[T], order: &[usize]) -> Vec<T> {
    order
        .iter()
        .filter_map(|&index| all.get(index).cloned())
        .collect()
}
