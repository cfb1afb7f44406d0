//! Counts what a judge answered.

use coalmine_judges::judgement::{Classification, Verdict};

use crate::case::Case;
use crate::contender::{Answer, Contender, is_flag};
use crate::rate::{Rate, Standing};
use crate::scenario::{Disguise, Goal, Measure, Scenario, Trial, UNITS};

/// What one judge answered to the runs of one scenario.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tally {
    /// Runs.
    pub runs: u64,
    /// See [`Measure::Flagged`].
    pub flagged: u64,
    /// See [`Measure::Found`].
    pub found: u64,
    /// See [`Measure::Sound`].
    pub sound: u64,
    /// See [`Measure::Same`].
    pub same: u64,
    /// Last verdicts: Pass, Marginal, Inconclusive, Fail.
    pub verdicts: [u64; 4],
    /// Metrics that were Inconclusive at the last look, and that there were.
    pub undecided: Rate,
    /// Of the metrics that were Inconclusive, those whose smallest visible change is above the margin; among those for which
    /// it was worked out.
    pub justified: Rate,
    /// Of the metrics that were Inconclusive, those of which the judge says that it could not have seen its margin; among those
    /// of which it says anything.
    pub stated: Rate,
    /// Minute of the first flag, of the runs that had one.
    pub first_flags: Vec<f64>,
    /// What spoke against each run's canary most, in the order of the runs.
    pub suspicions: Vec<f64>,
}

/// Largest change that a Pass may leave possible where nothing else is said, for levels.
const MARGIN: f64 = 0.25;

impl Tally {
    /// Counts one run.
    pub fn add(&mut self, scenario: &Scenario, contender: &Contender, case: &Case) {
        self.runs += 1;
        match scenario.trial {
            Trial::Once => {
                let answer = contender.answer(case);
                self.flagged += u64::from(answer.flagged());
                self.found += u64::from(first_is_flagged(&answer));
                self.end(case, &answer);
            }
            Trial::EveryMinute => {
                let answers = contender.watch(case);
                let first = answers.iter().find(|(_, answer)| answer.flagged());
                if let Some((minute, _)) = first {
                    self.flagged += 1;
                    self.first_flags.push(*minute as f64);
                }
                self.found += u64::from(answers.iter().any(|(_, answer)| first_is_flagged(answer)));
                if let Some((_, last)) = answers.last() {
                    self.end(case, last);
                }
            }
            Trial::Disguised(disguise) => {
                let answer = contender.answer(case);
                self.flagged += u64::from(answer.flagged());
                self.found += u64::from(first_is_flagged(&answer));
                self.same += u64::from(same_in(disguise, contender, case, &answer));
                self.end(case, &answer);
            }
        }
    }

    fn end(&mut self, case: &Case, answer: &Answer) {
        let index = match answer.verdict {
            Verdict::Pass => 0,
            Verdict::Marginal => 1,
            Verdict::Inconclusive => 2,
            Verdict::Fail => 3,
        };
        self.verdicts[index] += 1;
        self.suspicions.push(answer.suspicion);
        let sound = answer.classes.iter().all(|class| match class {
            Classification::Pass
            | Classification::High
            | Classification::Low
            | Classification::Inconclusive => true,
            Classification::Nodata | Classification::NodataFailMetric | Classification::Error => {
                false
            }
        });
        self.sound += u64::from(sound && answer.classes.len() == case.sets.len());
        let known = answer.blind.iter().zip(&case.smallest_visible);
        for (class, (blind, visible)) in answer.classes.iter().zip(known) {
            self.undecided.of += 1;
            if *class == Classification::Inconclusive {
                self.undecided.hits += 1;
                if let Some(blind) = blind {
                    self.stated.of += 1;
                    self.stated.hits += u64::from(*blind);
                }
                if let Some(visible) = visible {
                    self.justified.of += 1;
                    self.justified.hits += u64::from(*visible > MARGIN);
                }
            }
        }
    }

    /// Puts later runs behind earlier ones.
    pub fn append(&mut self, later: &Self) {
        self.runs += later.runs;
        self.flagged += later.flagged;
        self.found += later.found;
        self.sound += later.sound;
        self.same += later.same;
        for (sum, more) in self.verdicts.iter_mut().zip(later.verdicts) {
            *sum += more;
        }
        for (sum, more) in [
            (&mut self.undecided, later.undecided),
            (&mut self.justified, later.justified),
            (&mut self.stated, later.stated),
        ] {
            sum.hits += more.hits;
            sum.of += more.of;
        }
        self.first_flags.extend(&later.first_flags);
        self.suspicions.extend(&later.suspicions);
    }

    /// The share that a required number is about.
    #[must_use]
    pub fn rate(&self, measure: Measure) -> Rate {
        let hits = match measure {
            Measure::Flagged => self.flagged,
            Measure::Found => self.found,
            Measure::Passed => self.verdicts[0],
            Measure::Sound => self.sound,
            Measure::Same => self.same,
        };
        Rate {
            hits,
            of: self.runs,
        }
    }

    /// How the tally stands to a required number.
    #[must_use]
    pub fn standing(&self, goal: Goal) -> Standing {
        goal.bound.standing(self.rate(goal.measure))
    }
}

fn first_is_flagged(answer: &Answer) -> bool {
    answer.classes.first().copied().is_some_and(is_flag)
}

fn same_in(disguise: Disguise, contender: &Contender, case: &Case, answer: &Answer) -> bool {
    let same = |other: &Answer, classes: &[Classification]| {
        other.verdict == answer.verdict && other.classes == classes
    };
    match disguise {
        Disguise::Units => UNITS.iter().all(|&unit| {
            let other = contender.answer(&case.scaled(unit));
            same(&other, &answer.classes)
        }),
        Disguise::Order => {
            // Each metric gets another place, by a rotation of the reversed order.
            let count = case.sets.len();
            let order: Vec<usize> = (0..count).map(|at| (2 * count - 2 - at) % count).collect();
            let classes: Vec<Classification> = order.iter().map(|&at| answer.classes[at]).collect();
            same(&contender.answer(&case.permuted(&order)), &classes)
        }
        Disguise::Mirror => {
            let classes: Vec<Classification> = answer.classes.iter().map(exchanged).collect();
            same(&contender.answer(&case.mirrored()), &classes)
        }
        Disguise::Twice => contender.answer(case) == *answer,
    }
}

fn exchanged(class: &Classification) -> Classification {
    match class {
        Classification::High => Classification::Low,
        Classification::Low => Classification::High,
        Classification::Pass
        | Classification::Inconclusive
        | Classification::Nodata
        | Classification::NodataFailMetric
        | Classification::Error => *class,
    }
}
