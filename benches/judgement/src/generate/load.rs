//! How much there is to do: what baseline, canary and the past have in common.

use std::f64::consts::TAU;

use super::noise::autoregressive;
use crate::chance::Chance;

/// The shape of the load over time; its factors have a mean near 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// The same at all times.
    Flat,
    /// A day's wave, 1 ± 0.4; each run starts at another time of day.
    Diurnal,
    /// The same wave within each hour: as much as a day's load moves, in the time of one comparison.
    Wave,
    /// Wanders: the logarithm is AR(1) with 0.95 a minute and standard deviation 0.25.
    Wandering,
    /// Flat, with spikes to three times the load that last one to three minutes, about one each half an hour.
    Spikes,
}

impl Load {
    /// All shapes.
    pub const ALL: [Self; 5] = [
        Self::Flat,
        Self::Diurnal,
        Self::Wave,
        Self::Wandering,
        Self::Spikes,
    ];

    /// How reports call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::Diurnal => "diurnal",
            Self::Wave => "hourly wave",
            Self::Wandering => "wandering",
            Self::Spikes => "spikes",
        }
    }

    /// One factor for each minute.
    #[must_use]
    pub fn factors(self, minutes: usize, chance: &mut Chance) -> Vec<f64> {
        match self {
            Self::Flat => vec![1.0; minutes],
            Self::Diurnal => wave(1440.0, minutes, chance),
            Self::Wave => wave(60.0, minutes, chance),
            Self::Wandering => autoregressive(0.95, minutes, chance)
                .into_iter()
                .map(|z| libm::exp(0.25 * z))
                .collect(),
            Self::Spikes => {
                let mut factors = Vec::with_capacity(minutes);
                let mut left = 0;
                for _ in 0..minutes {
                    if left == 0 && chance.happens(1.0 / 30.0) {
                        left = 1 + chance.below(3);
                    }
                    factors.push(if left > 0 { 3.0 } else { 1.0 });
                    left = left.saturating_sub(1);
                }
                factors
            }
        }
    }
}

/// 1 ± 0.4, starting anywhere in the period.
fn wave(period: f64, minutes: usize, chance: &mut Chance) -> Vec<f64> {
    let start = chance.uniform();
    (0..minutes)
        .map(|minute| 1.0 + 0.4 * libm::sin(TAU * (start + minute as f64 / period)))
        .collect()
}
