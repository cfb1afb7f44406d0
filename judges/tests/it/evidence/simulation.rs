//! Canaries whose truth is known: what they are made of, and how often a judge is wrong about them.

use std::collections::BTreeMap;

use coalmine_judges::config::evidence::Allowance;
use coalmine_judges::config::{JudgeConfig, MetricSpec, Thresholds};
use coalmine_judges::judge::{Judge, JudgeInput, Looks};
use coalmine_judges::judgement::{Judgement, MetricResult, Verdict};
use coalmine_judges::judges::coalmine_v1::CoalmineJudge;
use coalmine_judges::sequential::EvidenceState;
use coalmine_judges::series::{Grid, HistorySeries, MetricSetPair, Series};

use super::noise::Chance;

/// A canary to simulate, with good defaults.
#[derive(Clone, Copy)]
pub(super) struct Scene {
    pub(super) metrics: usize,
    pub(super) points: usize,
    pub(super) cv: f64,
    pub(super) r: f64,
    pub(super) history: usize,
    pub(super) diurnal: bool,
    pub(super) heavy: bool,
    /// One metric is a count of so many a minute.
    pub(super) errors: Option<f64>,
    /// Whether the errors come in bursts of each side's own, of ten in the mean.
    pub(super) bursty: bool,
    pub(super) tolerance: Option<f64>,
    pub(super) change: Change,
}

/// What a scene makes of a seed.
pub(super) struct Data {
    config: JudgeConfig,
    sets: Vec<MetricSetPair>,
    history: Vec<HistorySeries>,
}

/// Data of which nothing has to be cut before it is judged.
pub(super) struct All<'a>(JudgeInput<'a>);

impl All<'_> {
    pub(super) fn judge(&self) -> Judgement {
        CoalmineJudge.judge(&self.0)
    }
}

impl Data {
    pub(super) fn all(&self) -> All<'_> {
        let input = JudgeInput::new(&self.config, Thresholds::default(), &self.sets).unwrap();
        All(input.with_history(&self.history))
    }

    pub(super) fn sides(&self) -> Vec<Vec<f64>> {
        let sides = self
            .sets
            .iter()
            .flat_map(|set| [&set.baseline, &set.canary]);
        sides.map(|side| side.present().collect()).collect()
    }

    /// The judgement of the first `points`.
    fn judge(&self, points: usize, looks: Looks<'_>) -> Judgement {
        let first = |series: &Series| {
            Series::new(series.grid(), series.values().iter().take(points).copied())
        };
        let sets: Vec<MetricSetPair> = self
            .sets
            .iter()
            .map(|set| MetricSetPair {
                baseline: first(&set.baseline),
                canary: first(&set.canary),
                ..set.clone()
            })
            .collect();
        let input = JudgeInput::new(&self.config, Thresholds::default(), &sets)
            .unwrap()
            .with_history(&self.history)
            .with_looks(looks);
        CoalmineJudge.judge(&input)
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Change {
    None,
    Step(f64),
    Late(f64),
    Spread,
    Bimodal,
    Tail,
    /// Errors in so many minutes, so many a minute.
    Burst(usize, f64),
    Rate(f64),
}

pub(super) const SCENE: Scene = Scene {
    metrics: 1,
    points: 60,
    cv: 0.2,
    r: 0.0,
    history: 0,
    diurnal: false,
    heavy: false,
    errors: None,
    bursty: false,
    tolerance: None,
    change: Change::None,
};

impl Scene {
    fn level(&self, minute: usize) -> f64 {
        if self.diurnal {
            1.0 + 0.4 * (std::f64::consts::TAU * minute as f64 / 1440.0).sin()
        } else {
            1.0
        }
    }

    fn side(&self, chance: &mut Chance, start: usize, n: usize) -> Vec<f64> {
        let spread = (1.0 + self.cv * self.cv).ln().sqrt();
        let noise = chance.autoregressive(n, self.r);
        noise
            .into_iter()
            .enumerate()
            .map(|(index, z)| {
                let z = if self.heavy { z * z.abs() } else { z };
                100.0 * self.level(start + index) * (spread * z).exp()
            })
            .collect()
    }

    fn changed(&self, chance: &mut Chance, mut canary: Vec<f64>) -> Vec<f64> {
        let n = canary.len();
        for (index, value) in canary.iter_mut().enumerate() {
            let factor = match self.change {
                Change::None | Change::Burst(..) | Change::Rate(_) => 1.0,
                Change::Step(by) => 1.0 + by,
                Change::Late(by) => {
                    if index >= n / 2 {
                        1.0 + by
                    } else {
                        1.0
                    }
                }
                Change::Spread => {
                    let off = (*value / 100.0 / self.level(0)).ln();
                    (2.0 * off).exp()
                }
                Change::Bimodal => {
                    if chance.uniform() < 0.5 {
                        0.5
                    } else {
                        1.5
                    }
                }
                Change::Tail => {
                    if chance.uniform() < 0.15 {
                        10.0
                    } else {
                        1.0
                    }
                }
            };
            *value *= factor;
        }
        canary
    }

    pub(super) fn data(&self, seed: u64) -> Data {
        let mut chance = Chance(seed.wrapping_mul(0x5851_F42D_4C95_7F2D) ^ 0x1405_7B7E_F767_814F);
        let start = (chance.uniform() * 1440.0) as usize;
        let grid = |minute: usize| Grid {
            start_ms: minute as i64 * 60_000,
            step_ms: 60_000,
        };
        let series = |minute: usize, values: Vec<f64>| {
            Series::new(Some(grid(minute)), values.into_iter().map(Some))
        };
        let (mut config, mut sets, mut history) = (JudgeConfig::default(), Vec::new(), Vec::new());
        for metric in 0..self.metrics {
            let name = format!("m{metric}");
            let mut spec = MetricSpec::new(&name, ["all"]);
            if let Some(tolerance) = self.tolerance {
                spec.evidence.tolerance = Allowance::ratio(tolerance);
            }
            config.metrics.push(spec);
            let at = start + self.history;
            let (baseline, canary) = if let (0, Some(rate)) = (metric, self.errors) {
                let mut side = |times: f64| {
                    (0..self.points)
                        .map(|_| {
                            if self.bursty {
                                let bursts = chance.poisson(rate * times / 10.0) as usize;
                                (0..bursts).map(|_| chance.geometric(10.0)).sum()
                            } else {
                                chance.poisson(rate * times)
                            }
                        })
                        .collect::<Vec<f64>>()
                };
                let baseline = side(1.0);
                let mut canary = side(if let Change::Rate(times) = self.change {
                    times
                } else {
                    1.0
                });
                if let Change::Burst(minutes, size) = self.change {
                    for _ in 0..minutes {
                        let at = (chance.uniform() * self.points as f64) as usize;
                        canary[at] += size;
                    }
                }
                (baseline, canary)
            } else {
                if self.history > 0 {
                    let past = self.side(&mut chance, start, self.history);
                    history.push(HistorySeries {
                        name: name.clone(),
                        tags: BTreeMap::new(),
                        series: series(start, past),
                    });
                }
                let baseline = self.side(&mut chance, at, self.points);
                let canary = self.side(&mut chance, at, self.points);
                let canary = if metric == 0 {
                    self.changed(&mut chance, canary)
                } else {
                    canary
                };
                (baseline, canary)
            };
            sets.push(MetricSetPair {
                id: name.clone(),
                name,
                tags: BTreeMap::new(),
                baseline: series(at, baseline),
                canary: series(at, canary),
            });
        }
        Data {
            config,
            sets,
            history,
        }
    }

    /// The canary's judgement in run number `seed`.
    pub(super) fn judge(&self, seed: u64) -> Judgement {
        self.data(seed).judge(self.points, Looks::Once)
    }

    /// Looks after every point from the fifth on, up to the first that flags something: that point.
    pub(super) fn first_alarm(&self, seed: u64) -> Option<usize> {
        let data = self.data(seed);
        let mut carried: Option<EvidenceState> = None;
        for points in 5..=self.points {
            let looks = Looks::Repeated {
                carried: carried.as_ref(),
                last: points == self.points,
            };
            let judgement = data.judge(points, looks);
            let failed = |result: &MetricResult| result.classification.failed();
            if judgement.results.iter().any(failed) {
                return Some(points);
            }
            carried = judgement.evidence;
        }
        None
    }

    /// Share of `runs` canaries flagged at any of the looks, and the median point of the first alarm.
    pub(super) fn alarms(&self, runs: u64) -> (f64, Option<usize>) {
        let mut found: Vec<usize> = (0..runs)
            .filter_map(|seed| self.first_alarm(seed))
            .collect();
        found.sort_unstable();
        let share = found.len() as f64 / runs as f64;
        (share, found.get(runs as usize / 2).copied())
    }

    /// Shares of `runs` canaries that were flagged (any metric High or Low) and that passed.
    pub(super) fn shares(&self, runs: u64) -> (f64, f64) {
        let (mut flagged, mut passed) = (0, 0);
        for seed in 0..runs {
            let judgement = self.judge(seed);
            flagged += u64::from(
                judgement
                    .results
                    .iter()
                    .any(|result| result.classification.failed()),
            );
            passed += u64::from(judgement.verdict == Verdict::Pass);
        }
        (flagged as f64 / runs as f64, passed as f64 / runs as f64)
    }
}
