//! Judgements to write reports of, made by the real judge from seeded series.
#![allow(dead_code, reason = "each user of this module needs a part of it")]

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

/// A critical failure among twenty metrics of all kinds: the incident of the drawings.
pub(crate) fn fail() -> Sample {
    let mut b = Builder::new(7)
        .thresholds(90.0, 75.0)
        .weight("Errors", 40.0)
        .weight("Latency", 30.0)
        .weight("Saturation", 20.0)
        .weight("Business", 10.0);
    let mut error_rate = b
        .level("Error rate", "Errors", 0.278, 0.35, 1.0)
        .rise(1.5)
        .critical();
    let mut chance = Chance::new(99);
    for (index, value) in error_rate.canary.iter_mut().enumerate() {
        let level = if index < 45 { 0.3 } else { 1.4 };
        *value = Some((level + 0.12 * chance.normal() + 0.3 * chance.uniform()).max(0.0));
    }
    for value in error_rate.baseline.iter_mut().flatten() {
        *value = value.max(0.0);
    }
    b.add(error_rate);
    let memory = b
        .level("Memory, resident", "Saturation", 1426.0, 0.012, 1.13)
        .rise(1.1)
        .with_holes(30);
    b.add(memory);
    let cache = b
        .level("Cache hit ratio", "Saturation", 93.2, 0.01, 0.944)
        .fall(0.97);
    b.add(cache);
    let refunds = b
        .tail("Refund p95", "Latency", 446.0, 1.0)
        .rise(1.15)
        .with_holes(2);
    b.add(refunds);
    let fraud = b
        .level("Fraud check timeouts", "Errors", 0.48, 0.3, 1.0)
        .rise(1.5)
        .without_canary();
    b.add(fraud);
    let files = b
        .level("Open file descriptors", "Saturation", 2318.0, 0.02, 1.42)
        .within(0.8, 1.2)
        .muted();
    b.add(files);
    let client = b
        .level("Client errors", "Errors", 2.24, 0.2, 1.01)
        .rise(1.15);
    b.add(client);
    let declines = b
        .level("Payment declines", "Errors", 3.86, 0.25, 0.97)
        .rise(1.15);
    b.add(declines);
    let exceptions = b
        .rare("Unhandled exceptions", "Errors", 0.06, 0.09)
        .rise(2.0)
        .replace_missing();
    b.add(exceptions);
    for (name, level, noise, ratio) in [
        ("Latency p50", 84.2, 0.02, 1.003),
        ("Latency p99", 691.0, 0.15, 1.02),
        ("Place order p95", 313.0, 0.05, 0.995),
        ("Database p95", 12.5, 0.05, 0.92),
    ] {
        let metric = b.level(name, "Latency", level, noise, ratio).rise(1.1);
        b.add(metric.remove_outliers());
    }
    let cpu = b
        .level("CPU use", "Saturation", 46.0, 0.04, 1.046)
        .within(0.85, 1.15);
    b.add(cpu);
    let gc = b.tail("GC pause time", "Saturation", 8.6, 0.96).rise(1.2);
    b.add(gc);
    let queue = b
        .tail("Worker queue depth", "Saturation", 3.3, 1.0)
        .cles(0.2, 0.8);
    b.add(queue);
    for (name, level, noise, ratio) in [
        ("Orders per minute", 38.6, 0.06, 0.998),
        ("Basket value", 61.6, 0.05, 1.0),
        ("Vouchers redeemed", 11.6, 0.3, 1.02),
    ] {
        let metric = b.level(name, "Business", level, noise, ratio).fall(0.9);
        b.add(metric);
    }
    b.context
        .notes
        .push("`metrics[3]`: the group `Refunds` has no weight and shares what is left".to_owned());
    b.context.config_text = (1..=60)
        .map(|line| format!("line_{line}: value {line}\n"))
        .collect();
    b.judge()
}

/// Twenty metrics without a change that counts, none with a tolerance.
pub(crate) fn pass() -> Sample {
    let mut b = Builder::new(3);
    for index in 0..20 {
        let group = ["errors", "latency", "resources"][index % 3];
        let mut metric = b.level(
            &format!("http_server_metric_{index}"),
            group,
            10.0 * (index + 1) as f64,
            0.1,
            1.0,
        );
        metric.canary = metric.baseline.iter().rev().copied().collect();
        // The same noise in another order, a little apart, so that the sides are neither equal nor different.
        for value in metric.canary.iter_mut().flatten() {
            *value *= 1.0005;
        }
        b.add(metric);
    }
    b.judge()
}

/// Two of twelve metrics failed: the score lies between the thresholds.
pub(crate) fn marginal() -> Sample {
    let mut b = Builder::new(11);
    for index in 0..12 {
        let ratio = if index < 2 { 1.3 } else { 1.0 };
        let mut metric = b.level(
            &format!("queue_latency_{index}"),
            "latency",
            120.0,
            0.05,
            ratio,
        );
        if index >= 2 {
            metric.canary = metric
                .baseline
                .iter()
                .rev()
                .map(|value| value.map(|v| v * 1.0001))
                .collect();
        }
        b.add(metric);
    }
    b.judge()
}

/// Both sides of every metric are empty.
pub(crate) fn no_data() -> Sample {
    let mut b = Builder::new(5);
    for name in ["requests", "errors", "latency"] {
        let mut metric = b.level(name, "service", 1.0, 0.1, 1.0).without_canary();
        if name != "errors" {
            metric.baseline = Vec::new();
        }
        b.add(metric);
    }
    b.judge()
}

/// A critical metric without data among metrics that pass.
pub(crate) fn inconclusive() -> Sample {
    let mut b = Builder::new(13).points(30, 60_000);
    let metric = b
        .level("checkout_success", "business", 99.0, 0.01, 1.0)
        .critical()
        .without_canary();
    b.add(metric);
    for index in 0..5 {
        let mut metric = b.level(&format!("latency_{index}"), "latency", 50.0, 0.1, 1.0);
        metric.canary = metric
            .baseline
            .iter()
            .rev()
            .map(|value| value.map(|v| v * 1.001))
            .collect();
        b.add(metric);
    }
    b.judge()
}

/// One metric, by the defaults.
pub(crate) fn one() -> Sample {
    let mut b = Builder::new(17);
    let metric = b.level("latency_p99", "latency", 120.0, 0.1, 1.2);
    b.add(metric);
    b.judge()
}

/// Two hundred metrics with tags, some of them failing in every way.
pub(crate) fn two_hundred() -> Sample {
    let mut b = Builder::new(23).points(120, 30_000);
    for index in 0..200 {
        let group = [
            "errors",
            "latency",
            "saturation",
            "traffic",
            "business",
            "dependencies",
        ][index % 6];
        let name = format!(
            "service_{}_{group}_seconds_bucket_p{}",
            index / 6,
            50 + index % 50
        );
        let ratio = if index % 41 == 0 {
            1.4
        } else if index % 67 == 0 {
            0.7
        } else {
            1.0
        };
        let level = 10f64.powi(index as i32 % 9 - 3);
        let mut metric = match index % 4 {
            0 => b.tail(&name, group, level, ratio),
            _ => b.level(&name, group, level, 0.08, ratio),
        };
        if ratio == 1.0 {
            metric.canary = metric
                .baseline
                .iter()
                .rev()
                .map(|value| value.map(|v| v * 1.0002))
                .collect();
        }
        metric = match index % 5 {
            0 => metric.rise(1.1),
            1 => metric.within(0.9, 1.1),
            _ => metric,
        };
        if index % 29 == 3 {
            metric = metric.without_canary();
        }
        if index % 31 == 5 {
            metric = metric.with_holes(7);
        }
        if index % 37 == 6 {
            metric = metric.muted();
        }
        metric = metric.tag("zone", ["a", "b", "c"][index % 3]);
        b.add(metric);
    }
    b.judge()
}

/// Metrics whose means lie on the other side of their limit than their shifts: three outliers move a mean, and hardly the shift.
/// The critical one is `queue_time`.
pub(crate) fn means_decide() -> Sample {
    let mut b = Builder::new(37);
    let outliers = |metric: &mut Metric, value: f64| {
        for index in [10, 40, 70] {
            metric.canary[index] = Some(value);
        }
    };
    let mut rise = b
        .level("queue_time", "latency", 100.0, 0.04, 1.1)
        .rise(1.25);
    outliers(&mut rise, 1300.0);
    b.add(rise.critical());
    let mut fall = b
        .level("throughput", "traffic", 100.0, 0.04, 0.9)
        .fall(0.75);
    outliers(&mut fall, -1000.0);
    b.add(fall);
    // The shift is beyond the limit and the mean is not.
    let mut within = b
        .level("render_time", "latency", 100.0, 0.04, 1.3)
        .rise(1.25);
    outliers(&mut within, -300.0);
    b.add(within);
    let mut times = b
        .level("batch_time", "latency", 100.0, 0.04, 1.1)
        .rise(1.25);
    outliers(&mut times, 7000.0);
    b.add(times);
    let plain = b.level("idle_time", "latency", 100.0, 0.04, 1.4).rise(1.25);
    b.add(plain);
    b.judge()
}

/// Everything that is odd at once.
pub(crate) fn odd() -> Sample {
    let mut b = Builder::new(29);
    let some = |values: &[f64]| values.iter().map(|value| Some(*value)).collect::<Vec<_>>();
    let script = b.level("<script>alert(1)</script>", "<b>group</b>", 1.0, 0.1, 2.5);
    b.add(script);
    let long = b.level(&"very_long_metric_name_".repeat(14), "g", 1.0, 0.1, 0.3);
    b.add(long);
    let rtl = b.level("زمن الاستجابة | p99 `x`", "مجموعة", 10.0, 0.1, 1.0);
    b.add(rtl);
    let infinite = b.metric(
        "infinite",
        "g",
        some(&[1.0, 2.0, f64::INFINITY, 4.0]),
        some(&[1.0, f64::NEG_INFINITY, 3.0, 4.0]),
    );
    b.add(infinite);
    let single = b.metric("single", "g", some(&[1.0]), some(&[2.0]));
    b.add(single);
    let tiny = b.metric(
        "tiny",
        "g",
        some(&[1e-300, 2e-300, 3e-300, 2e-300]),
        some(&[4e-300, 5e-300, 6e-300, 7e-300]),
    );
    b.add(tiny);
    let huge = b.metric(
        "huge",
        "g",
        some(&[1e300, -1e300, 1.5e300, 1.7e308]),
        some(&[1.7e308, 1.6e308, 1.2e300, -1.7e308]),
    );
    b.add(huge);
    let zero = b.metric(
        "from zero",
        "g",
        vec![Some(0.0); 40],
        (0..40).map(|i| Some(f64::from(i % 3))).collect(),
    );
    b.add(zero);
    let constant = b.metric("constant", "g", vec![Some(5.0); 30], vec![Some(6.0); 30]);
    b.add(constant);
    let same = b.metric("same", "g", vec![Some(5.0); 30], vec![Some(5.0); 30]);
    b.add(same);
    let untimed = b.level("untimed", "g", 3.0, 0.1, 1.1).untimed();
    b.add(untimed);
    let negative = b.level("negative", "", -20.0, 0.1, 0.5);
    b.add(negative);
    let empty = b.metric("", "g", Vec::new(), Vec::new());
    b.add(empty.must_have_data());
    let uneven = b.metric(
        "uneven",
        "g",
        some(&[1.0; 3]),
        (0..500).map(|i| Some(f64::from(i))).collect(),
    );
    b.add(uneven);
    b.context
        .notes
        .push("a note with <img src=x onerror=alert(1)>".to_owned());
    b.judge()
}

/// One metric with a hundred thousand points.
pub(crate) fn many_points() -> Sample {
    let mut b = Builder::new(31).points(100_000, 1_000);
    let metric = b.tail("request_seconds", "latency", 0.2, 1.05);
    b.add(metric);
    b.judge()
}
