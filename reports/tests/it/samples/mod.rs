//! Judgements to write reports of, made by the real judge from seeded series.
#![allow(
    dead_code,
    unused_imports,
    reason = "each user of this module needs a part of it"
)]

mod odd;
mod ordinary;

use std::collections::BTreeMap;

use coalmine_judges::config::{
    Direction, EffectLimits, EffectMeasure, JudgeConfig, MetricSpec, NanStrategy, OutlierFactor,
    Outliers, Thresholds,
};
use coalmine_judges::judge::{Judge, JudgeInput};
use coalmine_judges::judgement::Judgement;
use coalmine_judges::judges::netflix_aca::NetflixAcaJudge;
use coalmine_judges::series::{Grid, MetricSetPair, Series};
use coalmine_reports::{Context, Report, SentQuery};

pub(crate) use odd::{crowded, many_points, means_decide, odd};
pub(crate) use ordinary::{fail, inconclusive, marginal, no_data, one, pass, two_hundred};

/// 12 March 2026, 11:00 UTC.
pub(crate) const START_MS: i64 = 1_773_313_200_000;

/// A judgement with all that a report needs.
pub(crate) struct Sample {
    pub(crate) judgement: Judgement,
    pub(crate) sets: Vec<MetricSetPair>,
    pub(crate) context: Context,
}

impl Sample {
    pub(crate) fn report(&self) -> Report<'_> {
        Report {
            judgement: &self.judgement,
            sets: &self.sets,
            context: &self.context,
        }
    }
}

/// Builds a [`Sample`] metric by metric.
pub(crate) struct Builder {
    config: JudgeConfig,
    sets: Vec<MetricSetPair>,
    thresholds: Thresholds,
    pub(crate) points: usize,
    pub(crate) step_ms: u64,
    pub(crate) context: Context,
    chance: Chance,
}

/// A metric in the making.
pub(crate) struct Metric {
    pub(crate) spec: MetricSpec,
    pub(crate) baseline: Vec<Option<f64>>,
    pub(crate) canary: Vec<Option<f64>>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) timed: bool,
}

impl Metric {
    pub(crate) fn rise(mut self, allowed: f64) -> Self {
        self.spec.direction = Direction::Increase;
        self.spec.effect.allowed_increase = allowed;
        self.spec.effect.critical_increase = allowed;
        self
    }
    pub(crate) fn fall(mut self, allowed: f64) -> Self {
        self.spec.direction = Direction::Decrease;
        self.spec.effect.allowed_decrease = allowed;
        self.spec.effect.critical_decrease = allowed;
        self
    }
    pub(crate) fn within(mut self, low: f64, high: f64) -> Self {
        self.spec.effect.allowed_decrease = low;
        self.spec.effect.allowed_increase = high;
        self
    }
    pub(crate) fn cles(mut self, low: f64, high: f64) -> Self {
        self.spec.effect = EffectLimits {
            allowed_decrease: low,
            allowed_increase: high,
            ..EffectLimits::defaults(EffectMeasure::Cles)
        };
        self
    }
    pub(crate) fn critical(mut self) -> Self {
        self.spec.critical = true;
        self
    }
    pub(crate) fn muted(mut self) -> Self {
        self.spec.muted = true;
        self
    }
    pub(crate) fn must_have_data(mut self) -> Self {
        self.spec.must_have_data = true;
        self
    }
    pub(crate) fn replace_missing(mut self) -> Self {
        self.spec.nan_strategy = NanStrategy::Replace;
        self
    }
    pub(crate) fn remove_outliers(mut self) -> Self {
        self.spec.outliers = Outliers::Remove {
            factor: OutlierFactor::DEFAULT,
        };
        self
    }
    pub(crate) fn untimed(mut self) -> Self {
        self.timed = false;
        self
    }
    pub(crate) fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }
    pub(crate) fn without_canary(mut self) -> Self {
        self.canary = vec![None; self.canary.len()];
        self
    }
    /// Every `nth` point of both sides is missing, and a hole of a tenth in the canary.
    pub(crate) fn with_holes(mut self, nth: usize) -> Self {
        let length = self.canary.len();
        for index in (0..length).step_by(nth) {
            self.baseline[index] = None;
        }
        for index in length / 2..length / 2 + length / 10 {
            self.canary[index] = None;
        }
        self
    }
}

/// A small generator of chance, the same on every machine.
#[derive(Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    /// In 0 to 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
    /// Mean 0, standard deviation 1, about normal.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

impl Builder {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            config: JudgeConfig::default(),
            sets: Vec::new(),
            thresholds: Thresholds::default(),
            points: 90,
            step_ms: 60_000,
            context: Context {
                application: Some("checkout".to_owned()),
                baseline: Some("2.18.3".to_owned()),
                canary: Some("2.19.0".to_owned()),
                origin: Some("CSV files `baseline.csv` and `canary.csv`".to_owned()),
                judged_at_ms: Some(START_MS + 5_400_000),
                config_name: Some("checkout canary".to_owned()),
                config_text: "name: checkout canary\njudge:\n  name: NetflixACAJudge-v1.0\n"
                    .to_owned(),
                version: "0.1.0".to_owned(),
                bundle_id: Some("4f81c2d09e77ab12".to_owned()),
                data_json: Some("{\"version\":1,\"note\":\"</script><b>\"}".to_owned()),
                ..Context::default()
            },
            chance: Chance::new(seed),
        }
    }

    pub(crate) fn thresholds(mut self, pass: f64, marginal: f64) -> Self {
        self.thresholds = Thresholds { pass, marginal };
        self
    }

    pub(crate) fn weight(mut self, group: &str, weight: f64) -> Self {
        self.config.group_weights.insert(group.to_owned(), weight);
        self
    }

    pub(crate) fn points(mut self, points: usize, step_ms: u64) -> Self {
        self.points = points;
        self.step_ms = step_ms;
        self
    }

    /// Normal noise around `level`; the canary's level is `level * ratio`.
    pub(crate) fn level(
        &mut self,
        name: &str,
        group: &str,
        level: f64,
        noise: f64,
        ratio: f64,
    ) -> Metric {
        let points = self.points;
        let mut side = |mean: f64| -> Vec<Option<f64>> {
            let mut drift = 0.0;
            (0..points)
                .map(|_| {
                    drift = 0.7 * drift + self.chance.normal();
                    Some(mean + level * noise * (0.5 * drift + 0.6 * self.chance.normal()))
                })
                .collect()
        };
        let (baseline, canary) = (side(level), side(level * ratio));
        self.metric(name, group, baseline, canary)
    }

    /// A heavy tail above `level`.
    pub(crate) fn tail(&mut self, name: &str, group: &str, level: f64, ratio: f64) -> Metric {
        let points = self.points;
        let mut side = |level: f64| -> Vec<Option<f64>> {
            (0..points)
                .map(|_| Some(level * (0.45 * self.chance.normal()).exp()))
                .collect()
        };
        let (baseline, canary) = (side(level), side(level * ratio));
        self.metric(name, group, baseline, canary)
    }

    /// Counts of rare events.
    pub(crate) fn rare(
        &mut self,
        name: &str,
        group: &str,
        baseline_rate: f64,
        canary_rate: f64,
    ) -> Metric {
        let points = self.points;
        let mut side = |rate: f64| -> Vec<Option<f64>> {
            (0..points)
                .map(|_| Some(f64::from(u8::from(self.chance.uniform() < rate))))
                .collect()
        };
        let (baseline, canary) = (side(baseline_rate), side(canary_rate));
        self.metric(name, group, baseline, canary)
    }

    pub(crate) fn metric(
        &mut self,
        name: &str,
        group: &str,
        baseline: Vec<Option<f64>>,
        canary: Vec<Option<f64>>,
    ) -> Metric {
        Metric {
            spec: MetricSpec::new(
                name,
                [group].iter().filter(|group| !group.is_empty()).copied(),
            ),
            baseline,
            canary,
            tags: BTreeMap::new(),
            timed: true,
        }
    }

    pub(crate) fn add(&mut self, metric: Metric) {
        let grid = metric.timed.then_some(Grid {
            start_ms: START_MS,
            step_ms: self.step_ms,
        });
        let index = self.sets.len();
        if !self
            .config
            .metrics
            .iter()
            .any(|spec| spec.name == metric.spec.name)
        {
            self.config.metrics.push(metric.spec.clone());
        }
        self.context.queries.push(SentQuery {
            baseline: Some(query(&metric.spec.name, "baseline")),
            canary: Some(query(&metric.spec.name, "canary")),
        });
        self.sets.push(MetricSetPair {
            name: metric.spec.name,
            id: format!("pair-{index}"),
            tags: metric.tags,
            baseline: Series::new(grid, metric.baseline),
            canary: Series::new(grid, metric.canary),
        });
    }

    pub(crate) fn judge(self) -> Sample {
        let input = JudgeInput::new(&self.config, self.thresholds, &self.sets)
            .expect("every set has its metric");
        Sample {
            judgement: NetflixAcaJudge.judge(&input),
            sets: self.sets,
            context: self.context,
        }
    }
}

fn query(name: &str, side: &str) -> String {
    format!(
        "sum(rate({}_total{{cluster=\"checkout-{side}\"}}[1m]))",
        name.to_lowercase().replace([' ', ','], "_")
    )
}
