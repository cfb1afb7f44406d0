//! Shares of runs: with intervals, and whether a measured share can be squared with a required one.

use coalmine_judges::stats::normal;
use statrs::distribution::{Beta, Binomial, ContinuousCDF, DiscreteCDF};

/// How many of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate {
    /// Runs that did.
    pub hits: u64,
    /// All runs.
    pub of: u64,
}

impl Rate {
    /// The share, 0 to 1; absent without runs.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.of > 0).then(|| self.hits as f64 / self.of as f64)
    }

    /// The exact interval of Clopper and Pearson (1934) at `confidence`: never too narrow. 0 to 1 without runs.
    #[must_use]
    pub fn interval(self, confidence: f64) -> (f64, f64) {
        let tail = (1.0 - confidence) / 2.0;
        let (hits, misses) = (self.hits as f64, self.of.saturating_sub(self.hits) as f64);
        let beta = |a: f64, b: f64, p: f64, otherwise: f64| {
            Beta::new(a, b).map_or(otherwise, |beta| beta.inverse_cdf(p))
        };
        // A parameter of 0 makes no distribution: there the end is 0 or 1.
        (
            beta(hits, misses + 1.0, tail, 0.0),
            beta(hits + 1.0, misses, 1.0 - tail, 1.0),
        )
    }
}

/// What a share must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// This share or less.
    AtMost(f64),
    /// This share or more.
    AtLeast(f64),
}

/// How a measured share stands to a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is on the right side.
    Met,
    /// It is on the wrong side, but so close that the number of runs does not decide.
    Close,
    /// It is on the wrong side, and its interval is too.
    Missed,
    /// There were no runs.
    Unknown,
}

impl Standing {
    /// How reports call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Close => "missed, within error",
            Self::Missed => "missed",
            Self::Unknown => "not measured",
        }
    }
}

impl Bound {
    /// Compares the share itself, and then its 95 % interval.
    #[must_use]
    pub fn standing(self, rate: Rate) -> Standing {
        let Some(share) = rate.share() else {
            return Standing::Unknown;
        };
        let (low, high) = rate.interval(0.95);
        let (met, close) = match self {
            Self::AtMost(bound) => (share <= bound, low <= bound),
            Self::AtLeast(bound) => (share >= bound, high >= bound),
        };
        match (met, close) {
            (true, _) => Standing::Met,
            (false, true) => Standing::Close,
            (false, false) => Standing::Missed,
        }
    }

    /// Probability of a count at least as far on the wrong side, were the true share the bound itself: small where the judge
    /// cannot be as good as required. 1 without runs. Exact binomial tail.
    #[must_use]
    pub fn excuse(self, rate: Rate) -> f64 {
        let share = match self {
            Self::AtMost(bound) | Self::AtLeast(bound) => bound,
        };
        let Ok(binomial) = Binomial::new(share, rate.of) else {
            return 1.0;
        };
        match self {
            Self::AtMost(_) if rate.hits == 0 => 1.0,
            Self::AtMost(_) => binomial.sf(rate.hits - 1),
            Self::AtLeast(_) => binomial.cdf(rate.hits),
        }
    }

    /// How reports write it.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::AtMost(share) => format!("≤ {} %", percent(share)),
            Self::AtLeast(share) => format!("≥ {} %", percent(share)),
        }
    }
}

fn percent(share: f64) -> String {
    let percent = (share * 1000.0).round() / 10.0;
    format!("{percent}")
}

/// The smallest relative change of a positive gauge that a two-sided test at 2 % finds in 80 % of runs, were spread and
/// dependence known: `(z₀.₉₉ + z₀.₈) · σ · sqrt(π/3) · sqrt(2 · VIF / n)` on logarithms.
///
/// `sd` is one side's standard deviation of logarithms, `inflation` (1 + ρ) / (1 − ρ), `points` a side. Source: asymptotic
/// efficiency of the rank test under normal noise, 3/π.
#[must_use]
pub fn smallest_visible(sd: f64, inflation: f64, points: usize) -> f64 {
    let z = normal::quantile(0.99) + normal::quantile(0.8);
    let error = sd * libm::sqrt(std::f64::consts::PI / 3.0 * 2.0 * inflation / points as f64);
    libm::expm1(z * error)
}

/// The value below or at which this share of the ascending `values` lies; absent without values.
#[must_use]
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.max(1) - 1).copied()
}
