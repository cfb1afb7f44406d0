//! What varies from minute to minute and is each side's own.

use crate::chance::Chance;

/// How far single points stray.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tails {
    /// Normal.
    Normal,
    /// The signed square of a normal variable over √3: variance 1, much at zero and much far out; keeps dependence.
    SignedSquare,
    /// Student's t with 2.5 degrees of freedom, scaled to the quartiles of a standard normal variable; for independent noise.
    StudentT,
}

/// Noise with location 0 and scale 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// How far single points stray.
    pub tails: Tails,
    /// How much of a point's deviation the next one keeps, 0 to below 1.
    pub rho: f64,
}

impl Noise {
    /// Independent normal noise.
    pub const WHITE: Self = Self::ar(0.0);

    /// Normal noise, autoregressive of order 1.
    #[must_use]
    pub const fn ar(rho: f64) -> Self {
        Self {
            tails: Tails::Normal,
            rho,
        }
    }

    /// Heavy-tailed noise, autoregressive of order 1 before its tails are stretched.
    #[must_use]
    pub const fn heavy(rho: f64) -> Self {
        Self {
            tails: Tails::SignedSquare,
            rho,
        }
    }

    /// Independent Student-t noise.
    pub const STUDENT: Self = Self {
        tails: Tails::StudentT,
        rho: 0.0,
    };

    /// How reports call it.
    #[must_use]
    pub fn words(self) -> String {
        let tails = match self.tails {
            Tails::Normal => "",
            Tails::SignedSquare => "heavy-tailed ",
            Tails::StudentT => "t(2.5) ",
        };
        if self.rho == 0.0 {
            format!("independent {tails}noise")
        } else {
            format!("{tails}AR({})", self.rho)
        }
    }

    /// One deviation for each minute, from the stationary distribution on.
    #[must_use]
    pub fn deviations(self, minutes: usize, chance: &mut Chance) -> Vec<f64> {
        /// Upper quartile of Student's t with 2.5 degrees of freedom over that of the normal distribution: 0.785014 / 0.674490,
        /// the first by integrating the density with Simpson's rule.
        const T_SCALE: f64 = 1.163_863;
        match self.tails {
            Tails::Normal => autoregressive(self.rho, minutes, chance),
            Tails::SignedSquare => autoregressive(self.rho, minutes, chance)
                .into_iter()
                .map(|z| z * z.abs() / 3.0_f64.sqrt())
                .collect(),
            Tails::StudentT => (0..minutes)
                .map(|_| chance.student_t(2.5) / T_SCALE)
                .collect(),
        }
    }

    /// Variance of a mean of dependent points over that of independent ones, `(1 + ρ) / (1 − ρ)`.
    #[must_use]
    pub fn variance_inflation(self) -> f64 {
        (1.0 + self.rho) / (1.0 - self.rho)
    }
}

/// Normal noise of variance 1, each point keeping `rho` of the one before.
#[must_use]
pub fn autoregressive(rho: f64, minutes: usize, chance: &mut Chance) -> Vec<f64> {
    let fresh = (1.0 - rho * rho).sqrt();
    let mut deviations = Vec::with_capacity(minutes);
    let mut last = chance.normal();
    for _ in 0..minutes {
        deviations.push(last);
        last = rho * last + fresh * chance.normal();
    }
    deviations
}
