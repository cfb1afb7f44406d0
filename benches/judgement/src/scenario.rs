//! What is tried: a generator of canaries whose truth is known, how the judges are asked, and what is required of them.

use crate::case::Case;
use crate::chance::Chance;
use crate::rate::Bound;

/// Part of the report that a scenario stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Healthy canaries, one look.
    Healthy,
    /// Healthy canaries that should end in Pass.
    Passing,
    /// Faulty canaries, one look.
    Faulty,
    /// A look at every minute.
    Watched,
    /// Healthy canaries in unusual data.
    Unusual,
    /// The same in other clothes.
    Invariance,
    /// All bases with all changes, one metric.
    Grid,
    /// Recorded in a real system.
    Recorded,
}

impl Section {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 8] = [
        Self::Healthy,
        Self::Passing,
        Self::Faulty,
        Self::Watched,
        Self::Unusual,
        Self::Invariance,
        Self::Grid,
        Self::Recorded,
    ];

    /// Its heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy canaries, one look",
            Self::Passing => "Healthy canaries that should pass",
            Self::Faulty => "Faulty canaries, one look",
            Self::Watched => "A look at every minute",
            Self::Unusual => "Healthy canaries in unusual data",
            Self::Invariance => "The same in other clothes",
            Self::Grid => "One metric: bases and changes",
            Self::Recorded => "Recorded: Online Boutique",
        }
    }
}

/// Another form of the same canary, which must be judged the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Disguise {
    /// Twelve units from 1e-8 to 1e6.
    Units,
    /// The metrics in another order.
    Order,
    /// Baseline and canary exchanged, with their limits: High and Low exchange as well.
    Mirror,
    /// Asked twice.
    Twice,
}

/// The units of [`Disguise::Units`]: powers of ten and numbers that no binary fraction is.
pub const UNITS: [f64; 12] = [
    1e-8, 3e-7, 1e-6, 3e-5, 1e-4, 1e-3, 0.07, 10.0, 1e3, 6e4, 3.3e5, 1e6,
];

/// How the judges are asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trial {
    /// Once, when all data is there.
    Once,
    /// After each minute; the first flag counts.
    EveryMinute,
    /// Once as it is, and once in each of its disguises.
    Disguised(Disguise),
}

/// What of a scenario's runs is counted for a required number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Runs with any metric High or Low, at any look.
    Flagged,
    /// Runs whose first metric, the changed one, is High or Low, at any look.
    Found,
    /// Runs that end in Pass.
    Passed,
    /// Runs that end in Pass or Inconclusive, or are flagged: none of a healthy canary's ends is missing data or an error.
    Sound,
    /// Runs that are judged the same in each disguise.
    Same,
}

impl Measure {
    /// How reports call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Flagged => "flagged",
            Self::Found => "found",
            Self::Passed => "passed",
            Self::Sound => "sound",
            Self::Same => "the same",
        }
    }
}

/// A required number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    /// What is counted.
    pub measure: Measure,
    /// What it must be.
    pub bound: Bound,
}

impl Goal {
    /// How reports write it: `flagged ≤ 2 %`.
    #[must_use]
    pub fn words(self) -> String {
        format!("{} {}", self.measure.word(), self.bound.words())
    }
}

/// Makes one run's canary from its chance and its number.
pub type Make = Box<dyn Fn(&mut Chance, u64) -> Case + Send + Sync>;

/// A kind of canary that is tried again and again.
pub struct Scenario {
    /// Names its chance as well: a renamed scenario has other canaries.
    pub name: String,
    /// What it is, in words.
    pub what: String,
    /// Where it stands.
    pub section: Section,
    /// How the judges are asked.
    pub trial: Trial,
    /// Whether the canaries have a fault.
    pub faulty: bool,
    /// What is required of the judge that the numbers are about.
    pub goals: Vec<Goal>,
    /// Name of the healthy scenario on which thresholds for matched false-alarm rates are set.
    pub matched_with: Option<String>,
    /// How often it can be run at most; absent where runs never repeat.
    pub most_runs: Option<u64>,
    /// Makes its canaries.
    pub make: Make,
}

impl std::fmt::Debug for Scenario {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Scenario")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Scenario {
    /// A scenario of healthy canaries, asked once, without a required number.
    pub fn healthy(
        section: Section,
        name: impl Into<String>,
        what: impl Into<String>,
        make: impl Fn(&mut Chance, u64) -> Case + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            what: what.into(),
            section,
            trial: Trial::Once,
            faulty: false,
            goals: Vec::new(),
            matched_with: None,
            most_runs: None,
            make: Box::new(make),
        }
    }

    /// A scenario of faulty canaries, whose fault is in the first metric.
    pub fn faulty(
        section: Section,
        name: impl Into<String>,
        what: impl Into<String>,
        make: impl Fn(&mut Chance, u64) -> Case + Send + Sync + 'static,
    ) -> Self {
        Self {
            faulty: true,
            ..Self::healthy(section, name, what, make)
        }
    }

    /// The same asked otherwise.
    #[must_use]
    pub fn trial(self, trial: Trial) -> Self {
        Self { trial, ..self }
    }

    /// The same with a required number.
    #[must_use]
    pub fn goal(mut self, measure: Measure, bound: Bound) -> Self {
        self.goals.push(Goal { measure, bound });
        self
    }

    /// The same with the healthy scenario that it is compared with.
    #[must_use]
    pub fn matched_with(self, name: impl Into<String>) -> Self {
        Self {
            matched_with: Some(name.into()),
            ..self
        }
    }

    /// The canary of one run.
    #[must_use]
    pub fn case(&self, run: u64) -> Case {
        (self.make)(&mut Chance::of(&self.name, run), run)
    }

    /// How often it is run where `runs` are asked for.
    #[must_use]
    pub fn runs(&self, runs: u64) -> u64 {
        self.most_runs.map_or(runs, |most| runs.min(most))
    }
}
