//! Canaries for tests: metrics with shapes, in groups with weights.

use std::collections::BTreeMap;

use coalmine_judges::config::{JudgeConfig, MetricSpec, Thresholds};
use coalmine_judges::judge::{Judge, JudgeInput};
use coalmine_judges::judgement::Judgement;
use coalmine_judges::judges::netflix_aca::NetflixAcaJudge;
use coalmine_judges::series::{MetricSetPair, Series};

/// How a metric of the tests comes out.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    Same,
    Higher,
    Lower,
    NoData,
    Infinite,
    /// One point a side whose noise ties: Kayenta's Error.
    Tied,
}

pub(crate) fn sides(shape: Shape) -> (Vec<f64>, Vec<f64>) {
    let level = |base: f64| {
        (0..20)
            .map(|i| base + f64::from(i * 7 % 20) / 10.0)
            .collect::<Vec<f64>>()
    };
    match shape {
        Shape::Same => (level(100.0), level(100.05)),
        Shape::Higher => (level(100.0), level(150.0)),
        Shape::Lower => (level(100.0), level(50.0)),
        Shape::NoData => (level(100.0), Vec::new()),
        Shape::Infinite => (level(100.0), [level(100.0), vec![f64::INFINITY]].concat()),
        Shape::Tied => (vec![100.0], vec![101.0]),
    }
}

/// A canary under construction: metrics with shapes, in groups with weights.
#[derive(Default)]
pub(crate) struct Canary {
    pub(crate) config: JudgeConfig,
    pub(crate) sets: Vec<MetricSetPair>,
}

impl Canary {
    pub(crate) fn metric(self, name: &str, group: &str, shape: Shape) -> Self {
        self.metric_as(MetricSpec::new(name, [group]), shape)
    }

    pub(crate) fn critical(self, name: &str, group: &str, shape: Shape) -> Self {
        self.metric_as(
            MetricSpec {
                critical: true,
                ..MetricSpec::new(name, [group])
            },
            shape,
        )
    }

    pub(crate) fn metric_as(mut self, spec: MetricSpec, shape: Shape) -> Self {
        let (baseline, canary) = sides(shape);
        self.sets.push(MetricSetPair {
            name: spec.name.clone(),
            id: spec.name.clone(),
            tags: BTreeMap::new(),
            baseline: Series::untimed(baseline),
            canary: Series::untimed(canary),
        });
        self.config.metrics.push(spec);
        self
    }

    pub(crate) fn weight(mut self, group: &str, percent: f64) -> Self {
        self.config.group_weights.insert(group.to_owned(), percent);
        self
    }

    pub(crate) fn judge(&self) -> Judgement {
        NetflixAcaJudge
            .judge(&JudgeInput::new(&self.config, Thresholds::default(), &self.sets).unwrap())
    }
}
