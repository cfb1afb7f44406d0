//! Events in each minute: errors, restarts, requests.

use super::load::Load;
use super::{HOUR, Past, Points};
use crate::chance::Chance;

/// How events come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Process {
    /// One by one, independently.
    Poisson,
    /// The rate of each minute is gamma distributed with this shape, the same for both sides.
    SharedGamma(f64),
    /// The rate of each minute is gamma distributed with this shape, each side's own (negative binomial counts).
    OwnGamma(f64),
    /// Bursts come one by one, each with a geometric number of events of this mean; each side's own.
    Bursts(f64),
    /// In this share of the minutes nothing can happen; each side's own.
    ZeroInflated(f64),
}

impl Process {
    /// How reports call it.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Poisson => "Poisson".to_owned(),
            Self::SharedGamma(shape) => format!("shared gamma({shape})"),
            Self::OwnGamma(shape) => format!("each side's own gamma({shape})"),
            Self::Bursts(mean) => format!("each side's own bursts of {mean}"),
            Self::ZeroInflated(share) => format!("{:.0} % forced zeros", share * 100.0),
        }
    }
}

/// What the new version does to a count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// Nothing.
    None,
    /// This many times as many events.
    Ratio(f64),
    /// So many more events a minute.
    More(f64),
    /// In so many minutes, this many times as many events as `max(rate, floor)` has; the floor keeps rare events visible.
    /// The minutes are scattered in runs with even numbers and one block in the others.
    Burst {
        /// Minutes with more events.
        minutes: usize,
        /// How many times as many.
        factor: f64,
        /// Rate that is multiplied at least, in events a minute.
        floor: f64,
    },
}

impl Change {
    /// How reports call it.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::None => "no change".to_owned(),
            Self::Ratio(factor) => format!("× {factor}"),
            Self::More(events) => format!("{events:+} a minute"),
            Self::Burst {
                minutes, factor, ..
            } => format!("× {factor} in {minutes} minutes"),
        }
    }
}

/// A count of events a minute and side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Count {
    /// Events a minute at mean load, of the baseline.
    pub rate: f64,
    /// The canary's traffic over the baseline's.
    pub traffic: f64,
    /// How they come.
    pub process: Process,
    /// What both sides share.
    pub load: Load,
    /// What the new version does.
    pub change: Change,
    /// What is known of the live version.
    pub past: Past,
    /// Minutes of the comparison.
    pub minutes: usize,
}

impl Count {
    /// Healthy Poisson events of an hour under flat load, nothing known of the past.
    #[must_use]
    pub fn healthy(rate: f64) -> Self {
        Self {
            rate,
            traffic: 1.0,
            process: Process::Poisson,
            load: Load::Flat,
            change: Change::None,
            past: Past::Unknown,
            minutes: HOUR,
        }
    }

    /// The same under another load.
    #[must_use]
    pub fn load(self, load: Load) -> Self {
        Self { load, ..self }
    }

    /// The same with events that come otherwise.
    #[must_use]
    pub fn process(self, process: Process) -> Self {
        Self { process, ..self }
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

    /// The points of one run.
    #[must_use]
    pub fn points(&self, run: u64, chance: &mut Chance) -> Points {
        let (before, series) = self.past.extent();
        let mut rates = self.load.factors(before + self.minutes, chance);
        for rate in &mut rates {
            *rate *= self.rate;
            if let Process::SharedGamma(shape) = self.process {
                *rate *= chance.gamma(shape) / shape;
            }
        }
        let (earlier, now) = rates.split_at(before);
        let changed = self.changed(now, run, chance);
        Points {
            baseline: self.events(now, chance),
            canary: self.events(&changed, chance),
            past: (0..series).map(|_| self.events(earlier, chance)).collect(),
            ..Points::default()
        }
    }

    fn changed(&self, rates: &[f64], run: u64, chance: &mut Chance) -> Vec<f64> {
        let mut rates: Vec<f64> = rates.iter().map(|rate| rate * self.traffic).collect();
        match self.change {
            Change::None => {}
            Change::Ratio(factor) => rates.iter_mut().for_each(|rate| *rate *= factor),
            Change::More(events) => rates.iter_mut().for_each(|rate| *rate += events),
            Change::Burst {
                minutes,
                factor,
                floor,
            } => {
                let among = rates.len();
                let chosen = if run.is_multiple_of(2) {
                    chance.choose(minutes, among)
                } else {
                    let start = chance.below(among.saturating_sub(minutes) + 1);
                    (start..(start + minutes).min(among)).collect()
                };
                for at in chosen {
                    rates[at] = rates[at].max(floor) * factor;
                }
            }
        }
        rates
    }

    fn events(&self, rates: &[f64], chance: &mut Chance) -> Vec<f64> {
        let mut events = Vec::with_capacity(rates.len());
        for &rate in rates {
            let count = match self.process {
                Process::Poisson | Process::SharedGamma(_) => chance.poisson(rate),
                Process::OwnGamma(shape) => {
                    let rate = rate * chance.gamma(shape) / shape;
                    chance.poisson(rate)
                }
                Process::Bursts(mean) => {
                    let bursts = chance.poisson(rate / mean);
                    (0..bursts).map(|_| chance.geometric(mean)).sum()
                }
                Process::ZeroInflated(share) if chance.happens(share) => 0,
                Process::ZeroInflated(_) => chance.poisson(rate),
            };
            events.push(count as f64);
        }
        events
    }
}
