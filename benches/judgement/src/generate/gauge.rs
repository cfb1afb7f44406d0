//! Levels that are measured anew each minute: latencies, CPU shares, sizes.

use super::load::Load;
use super::noise::Noise;
use super::{HOUR, Past, Points};
use crate::chance::Chance;
use crate::rate;

/// What the new version does to a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// Nothing.
    None,
    /// The level is this many times as high.
    Step(f64),
    /// The same from the middle of the comparison on.
    LateStep(f64),
    /// The level rises evenly, until at the end it is this many times as high.
    Ramp(f64),
    /// In this share of the minutes, chosen by chance, the level is this many times as high.
    Tail(f64, f64),
    /// The noise has this many times its scale.
    Spread(f64),
    /// Half of the minutes are this share higher, half of them this share lower.
    Bimodal(f64),
    /// Starts at this many times the level, half of the excess gone each minute. Not a fault: a fresh process warms up.
    WarmUp(f64),
    /// From this minute on the level differs by so many standard deviations of the difference of both sides.
    Deviations(f64, usize),
}

impl Change {
    /// How reports call it.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::None => "no change".to_owned(),
            Self::Step(factor) => format!("{:+.0} %", (factor - 1.0) * 100.0),
            Self::LateStep(factor) => {
                format!("{:+.0} % from the middle on", (factor - 1.0) * 100.0)
            }
            Self::Ramp(factor) => format!("rising evenly to {:+.0} %", (factor - 1.0) * 100.0),
            Self::Tail(share, factor) => {
                format!("{:.0} % of the minutes × {factor}", share * 100.0)
            }
            Self::Spread(factor) => format!("spread × {factor}"),
            Self::Bimodal(share) => format!("bimodal ± {:.0} %", share * 100.0),
            Self::WarmUp(factor) => format!("warm-up from × {factor}"),
            Self::Deviations(size, 0) => format!("{size} sd"),
            Self::Deviations(size, start) => format!("{size} sd from minute {start} on"),
        }
    }

    /// Factor of the noise's scale.
    fn spread(self) -> f64 {
        match self {
            Self::Spread(factor) => factor,
            Self::None
            | Self::Step(_)
            | Self::LateStep(_)
            | Self::Ramp(_)
            | Self::Tail(..)
            | Self::Bimodal(_)
            | Self::WarmUp(_)
            | Self::Deviations(..) => 1.0,
        }
    }

    /// One factor of the level for each minute; `sd` is that of the logarithm of one side.
    fn factors(self, sd: f64, minutes: usize, chance: &mut Chance) -> Vec<f64> {
        let each = |factor: &dyn Fn(usize) -> f64| (0..minutes).map(factor).collect::<Vec<f64>>();
        let last = minutes.saturating_sub(1).max(1) as f64;
        match self {
            Self::None | Self::Spread(_) => vec![1.0; minutes],
            Self::Step(factor) => vec![factor; minutes],
            Self::LateStep(factor) => each(&|at| if at >= minutes / 2 { factor } else { 1.0 }),
            Self::Ramp(factor) => each(&|at| 1.0 + (factor - 1.0) * at as f64 / last),
            Self::Tail(share, factor) => {
                let count = (share * minutes as f64).round() as usize;
                spread_over(count, minutes, factor, 1.0, chance)
            }
            Self::Bimodal(share) => {
                spread_over(minutes / 2, minutes, 1.0 + share, 1.0 - share, chance)
            }
            Self::WarmUp(factor) => each(&|at| 1.0 + (factor - 1.0) * libm::exp2(-(at as f64))),
            Self::Deviations(size, start) => {
                let factor = libm::exp(size * sd * 2.0_f64.sqrt());
                each(&|at| if at >= start { factor } else { 1.0 })
            }
        }
    }
}

/// `chosen` in `count` of the minutes, `other` in the rest.
fn spread_over(
    count: usize,
    minutes: usize,
    chosen: f64,
    other: f64,
    chance: &mut Chance,
) -> Vec<f64> {
    let mut factors = vec![other; minutes];
    for at in chance.choose(count, minutes) {
        factors[at] = chosen;
    }
    factors
}

/// How the instances of each side differ from one another, although their version is the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Instances {
    /// Instances of each side.
    pub count: usize,
    /// Standard deviation of the logarithm of an instance's level; it lasts as long as the instance.
    pub sd: f64,
}

/// A positive gauge: `level × load × exp(sd × noise)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gauge {
    /// Level at mean load, in the metric's unit.
    pub level: f64,
    /// Coefficient of variation of one side's normal noise; 0.2 is 20 %.
    pub cv: f64,
    /// What both sides share.
    pub load: Load,
    /// What is each side's own.
    pub noise: Noise,
    /// What the new version does.
    pub change: Change,
    /// What is known of the live version.
    pub past: Past,
    /// Instances with levels of their own; absent where all are alike.
    pub instances: Option<Instances>,
    /// Minutes of the comparison.
    pub minutes: usize,
}

impl Gauge {
    /// A healthy gauge of an hour: level 100, flat load, independent noise, nothing known of the past.
    #[must_use]
    pub fn healthy(cv: f64) -> Self {
        Self {
            level: 100.0,
            cv,
            load: Load::Flat,
            noise: Noise::WHITE,
            change: Change::None,
            past: Past::Unknown,
            instances: None,
            minutes: HOUR,
        }
    }

    /// The same under another load.
    #[must_use]
    pub fn load(self, load: Load) -> Self {
        Self { load, ..self }
    }

    /// The same with other noise.
    #[must_use]
    pub fn noise(self, noise: Noise) -> Self {
        Self { noise, ..self }
    }

    /// The same with a change.
    #[must_use]
    pub fn change(self, change: Change) -> Self {
        Self { change, ..self }
    }

    /// The same with a past.
    #[must_use]
    pub fn past(self, past: Past) -> Self {
        Self { past, ..self }
    }

    /// Standard deviation of the logarithm of one side's points around level and load.
    #[must_use]
    pub fn log_sd(&self) -> f64 {
        libm::sqrt(libm::log1p(self.cv * self.cv))
    }

    /// The smallest relative change that could be seen by whoever knows the noise.
    #[must_use]
    pub fn smallest_visible(&self) -> f64 {
        rate::smallest_visible(self.log_sd(), self.noise.variance_inflation(), self.minutes)
    }

    /// The points of one run.
    #[must_use]
    pub fn points(&self, chance: &mut Chance) -> Points {
        let (before, series) = self.past.extent();
        let load = self.load.factors(before + self.minutes, chance);
        let (earlier, now) = load.split_at(before);
        let change = self.change.factors(self.log_sd(), self.minutes, chance);
        let unchanged = vec![1.0; self.minutes];
        let past = (0..series).map(|_| self.series(earlier, 1.0, chance));
        let mut points = Points {
            past: past.collect(),
            ..Points::default()
        };
        if let Some(instances) = self.instances {
            let baseline = self.fleet(instances, now, &unchanged, 1.0, chance);
            let canary = self.fleet(instances, now, &change, self.change.spread(), chance);
            points.baseline = mean(&baseline);
            points.canary = mean(&canary);
            points.instances = [baseline, canary];
        } else {
            points.baseline = self.series(now, 1.0, chance);
            points.canary = times(self.series(now, self.change.spread(), chance), &change);
        }
        points
    }

    /// Level, load and noise of `spread` times its scale.
    fn series(&self, load: &[f64], spread: f64, chance: &mut Chance) -> Vec<f64> {
        let sd = self.log_sd() * spread;
        let noise = self.noise.deviations(load.len(), chance);
        let noise = noise.into_iter().zip(load);
        noise
            .map(|(deviation, load)| self.level * load * libm::exp(sd * deviation))
            .collect()
    }

    /// One series for each instance; their noise is so much larger that the mean's is about that of a side without instances.
    fn fleet(
        &self,
        instances: Instances,
        load: &[f64],
        change: &[f64],
        spread: f64,
        chance: &mut Chance,
    ) -> Vec<Vec<f64>> {
        let spread = spread * libm::sqrt(instances.count as f64);
        (0..instances.count)
            .map(|_| {
                let level = libm::exp(instances.sd * chance.normal());
                let series = times(self.series(load, spread, chance), change);
                series.into_iter().map(|value| value * level).collect()
            })
            .collect()
    }
}

fn times(values: Vec<f64>, factors: &[f64]) -> Vec<f64> {
    let both = values.into_iter().zip(factors);
    both.map(|(value, factor)| value * factor).collect()
}

/// Minute by minute the mean of all series.
fn mean(series: &[Vec<f64>]) -> Vec<f64> {
    let minutes = series.first().map_or(0, Vec::len);
    let at = |minute: usize| series.iter().map(|values| values[minute]).sum::<f64>();
    (0..minutes)
        .map(|minute| at(minute) / series.len() as f64)
        .collect()
}
