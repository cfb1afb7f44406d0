//! What came out, as one value that all formats draw: terminal table, CSV and page say the same.

mod csv;
mod html;
mod terminal;

use std::collections::BTreeMap;

use crate::contender::Contender;
use crate::rate::{Rate, Standing, quantile};
use crate::scenario::{Goal, Measure, Scenario, Section, Trial};
use crate::tally::Tally;
use crate::timing::{MOST_MICROSECONDS, SORTING_MICROSECONDS, Times};

pub use self::csv::csv;
pub use self::html::html;
pub use self::terminal::terminal;

/// False-alarm rates at which recall is compared.
pub const MATCHED: [f64; 3] = [0.01, 0.02, 0.05];

/// Everything that came out.
#[derive(Debug, Clone)]
pub struct Report {
    /// Names of the judges, in the order of all columns.
    pub judges: Vec<String>,
    /// Runs that were asked for.
    pub runs: u64,
    /// The required numbers, in the order of the scenarios.
    pub goals: Vec<GoalRow>,
    /// All scenarios.
    pub rows: Vec<Row>,
    /// What judging costs; absent where it was not measured.
    pub times: Option<Times>,
    /// For each judge whether the required numbers are about it.
    pub required: Vec<bool>,
}

/// A required number beside the measured ones.
#[derive(Debug, Clone)]
pub struct GoalRow {
    /// Where its scenario stands.
    pub section: Section,
    /// What its scenario is.
    pub what: String,
    /// What is required.
    pub goal: Goal,
    /// What was measured, for each judge, and how it stands.
    pub measured: Vec<(Rate, Standing)>,
}

/// A scenario and what each judge made of it.
#[derive(Debug, Clone)]
pub struct Row {
    /// Where it stands.
    pub section: Section,
    /// Its name.
    pub name: String,
    /// What it is.
    pub what: String,
    /// Whether its canaries have a fault.
    pub faulty: bool,
    /// What counts most in it.
    pub measure: Measure,
    /// Whether it was looked at more than once.
    pub watched: bool,
    /// One for each judge.
    pub tallies: Vec<Tally>,
    /// For each judge the shares of faulty canaries found where so many healthy ones of the same base are flagged ([`MATCHED`]).
    pub matched: Vec<[Option<f64>; 3]>,
}

impl Report {
    /// Puts together what [`crate::run::run`] counted.
    #[must_use]
    pub fn new(
        scenarios: &[Scenario],
        contenders: &[Contender],
        tallies: Vec<Vec<Tally>>,
        runs: u64,
        times: Option<Times>,
    ) -> Self {
        let by_name: BTreeMap<&str, &Vec<Tally>> = scenarios
            .iter()
            .zip(&tallies)
            .map(|(scenario, tallies)| (scenario.name.as_str(), tallies))
            .collect();
        let (mut goals, mut rows) = (Vec::new(), Vec::new());
        for (scenario, tallies) in scenarios.iter().zip(&tallies) {
            for goal in &scenario.goals {
                let measured = tallies.iter();
                goals.push(GoalRow {
                    section: scenario.section,
                    what: scenario.what.clone(),
                    goal: *goal,
                    measured: measured
                        .map(|tally| (tally.rate(goal.measure), tally.standing(*goal)))
                        .collect(),
                });
            }
            let healthy = scenario.matched_with.as_deref();
            let healthy = healthy.and_then(|name| by_name.get(name));
            let matched = (0..contenders.len()).map(|judge| {
                let healthy = healthy.map(|tallies| &tallies[judge].suspicions);
                MATCHED.map(|rate| recall(healthy?, &tallies[judge].suspicions, rate))
            });
            rows.push(Row {
                section: scenario.section,
                name: scenario.name.clone(),
                what: scenario.what.clone(),
                faulty: scenario.faulty,
                measure: main_measure(scenario),
                watched: scenario.trial == Trial::EveryMinute,
                matched: matched.collect(),
                tallies: tallies.clone(),
            });
        }
        Self {
            judges: contenders
                .iter()
                .map(|judge| judge.name().to_owned())
                .collect(),
            required: contenders.iter().map(Contender::is_required).collect(),
            runs,
            goals,
            rows,
            times,
        }
    }

    /// Required numbers that were not reached, by the judges that they are about; the time among them.
    #[must_use]
    pub fn missed(&self) -> usize {
        let mut missed = 0;
        for (judge, _) in self
            .required
            .iter()
            .enumerate()
            .filter(|(_, required)| **required)
        {
            let goals = self.goals.iter();
            missed += goals
                .filter(|row| matches!(row.measured[judge].1, Standing::Missed | Standing::Close))
                .count();
            missed += usize::from(self.time_standing(judge) == Standing::Missed);
        }
        missed
    }

    /// How the time of a metric stands to what it may be; the machine's speed is taken out by the time of sorting.
    #[must_use]
    pub fn time_standing(&self, judge: usize) -> Standing {
        let Some(times) = &self.times else {
            return Standing::Unknown;
        };
        let slower = (times.sorting / SORTING_MICROSECONDS).max(1.0);
        if times.metric[judge] <= MOST_MICROSECONDS {
            Standing::Met
        } else if times.metric[judge] <= MOST_MICROSECONDS * slower {
            Standing::Close
        } else {
            Standing::Missed
        }
    }

    /// The rows of one section.
    pub fn section(&self, section: Section) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.section == section)
    }
}

fn main_measure(scenario: &Scenario) -> Measure {
    match scenario.section {
        Section::Passing => Measure::Passed,
        Section::Invariance => Measure::Same,
        Section::Recorded => Measure::Flagged,
        Section::Healthy
        | Section::Faulty
        | Section::Watched
        | Section::Unusual
        | Section::Grid => {
            if scenario.faulty {
                Measure::Found
            } else {
                Measure::Flagged
            }
        }
    }
}

/// Share of `faulty` above the threshold that at most `rate` of `healthy` exceed. Absent where `healthy` is too few for the rate.
fn recall(healthy: &[f64], faulty: &[f64], rate: f64) -> Option<f64> {
    let allowed = (rate * healthy.len() as f64).floor() as usize;
    if allowed == 0 || faulty.is_empty() {
        return None;
    }
    let mut ranked = healthy.to_vec();
    ranked.sort_unstable_by(|a, b| b.total_cmp(a));
    let threshold = ranked.get(allowed)?;
    let found = faulty.iter().filter(|suspicion| *suspicion > threshold);
    Some(found.count() as f64 / faulty.len() as f64)
}

impl Row {
    /// Minute by which half, and by which nine in ten, of one judge's runs were flagged; absent where fewer were.
    #[must_use]
    pub fn minutes(&self, judge: usize) -> [Option<f64>; 2] {
        let tally = &self.tallies[judge];
        let mut minutes = tally.first_flags.clone();
        minutes.resize(tally.runs as usize, f64::INFINITY);
        minutes.sort_unstable_by(f64::total_cmp);
        [0.5, 0.9].map(|share| {
            let minute = quantile(&minutes, share).filter(|minute| minute.is_finite());
            minute.filter(|_| self.watched)
        })
    }
}

/// A share in percent with one decimal, `–` where there is none.
fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1}", share * 100.0))
}

/// The ends of the 95 % interval.
fn interval_ends(rate: Rate) -> [f64; 2] {
    let (low, high) = rate.interval(0.95);
    [low, high]
}

/// The 95 % interval in percent.
fn interval(rate: Rate) -> String {
    let [low, high] = interval_ends(rate);
    format!("{:.1}–{:.1}", low * 100.0, high * 100.0)
}
