//! What the tests of one metric found, before it is known which level all metrics together leave to it.

use super::level::Uncertain;
use super::result::{
    Basis, ChangeEstimate, ChangeScale, EvidenceReason, Limits, MetricEvidence, Pairing, TestKind,
    TestOutcome,
};
use crate::config::Direction;
use crate::config::evidence::MetricKind;
use crate::judgement::{Classification, Reason};

/// A test, and whether its estimate is a change that counts, up or down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tested {
    pub(crate) outcome: TestOutcome,
    pub(crate) large_rise: bool,
    pub(crate) large_fall: bool,
}

/// Everything that the classification needs but the level.
#[derive(Debug, Clone)]
pub(crate) struct Examined {
    pub(crate) kind: MetricKind,
    pub(crate) declared: bool,
    pub(crate) scale: ChangeScale,
    pub(crate) pairing: Pairing,
    pub(crate) points: usize,
    pub(crate) warm_up: usize,
    pub(crate) basis: Basis,
    pub(crate) autocorrelation: f64,
    pub(crate) inflation: f64,
    pub(crate) effective: f64,
    pub(crate) instance_std: Option<f64>,
    pub(crate) tolerance: Limits,
    pub(crate) margin: Limits,
    pub(crate) change: ChangeEstimate,
    pub(crate) tests: Vec<Tested>,
    /// Half-width that the interval has about no change, and that the margin leaves (on the scale of the estimate).
    pub(crate) width: Option<(f64, f64)>,
    /// For the smallest visible change, with the share of the level that its test has.
    pub(crate) uncertain: Option<Uncertain>,
    pub(crate) step_minutes: Option<f64>,
    /// What keeps it from being decided, whatever the level.
    pub(crate) obstacle: Option<EvidenceReason>,
    /// What passes it although there is nothing to bound.
    pub(crate) passes: Option<EvidenceReason>,
    /// Whether the tests are about the other outcome of a share (failures instead of successes), so that a rise is a fall.
    pub(crate) complement: bool,
    /// Whether exchangeable signs are all that the tests rest on, so that few points cannot reach a small level.
    pub(crate) signs_only: bool,
}

/// Share of the level and number of directions.
fn sides(direction: Direction) -> f64 {
    match direction {
        Direction::Either => 2.0,
        Direction::Increase | Direction::Decrease => 1.0,
    }
}

impl Tested {
    /// The outcome with finite numbers only: a size that has none is the largest there is.
    fn written(&self) -> TestOutcome {
        let estimate = self.outcome.estimate;
        TestOutcome {
            estimate: if estimate.is_nan() {
                0.0
            } else {
                estimate.clamp(f64::MIN, f64::MAX)
            },
            ..self.outcome
        }
    }

    /// p-value on the metric's level, in the directions that count, and whether it is a rise.
    fn p(&self, direction: Direction) -> (f64, bool) {
        let outcome = self.outcome;
        let (rise, fall) = (
            if direction.counts_increase() {
                outcome.p_rise
            } else {
                1.0
            },
            if direction.counts_decrease() {
                outcome.p_fall
            } else {
                1.0
            },
        );
        let p = rise.min(fall) * sides(direction) / outcome.share;
        (p.min(1.0), rise <= fall)
    }
}

impl Examined {
    /// The direction on the scale of the tests.
    fn inner(&self, direction: Direction) -> Direction {
        if self.complement {
            direction.mirrored()
        } else {
            direction
        }
    }

    /// The metric's p-value: the smallest of its tests', each at its share, in the directions that count.
    pub(crate) fn p(&self, direction: Direction) -> f64 {
        let direction = self.inner(direction);
        self.tests
            .iter()
            .map(|tested| tested.p(direction).0)
            .fold(1.0, f64::min)
    }

    /// The answer of one of several looks before the last: a change that the evidence over time proves (`culprit`: whether it is a
    /// rise) is High or Low where it is large enough; a Pass needs an interval that holds at all looks, and points enough for
    /// `level`.
    pub(crate) fn classify_early(
        &self,
        direction: Direction,
        culprit: Option<bool>,
        level: f64,
    ) -> (Classification, EvidenceReason) {
        if let Some(proven) = self.classify_culprit(culprit) {
            return proven;
        }
        let without_tests = Self {
            change: self.change_at_all_looks(),
            tests: Vec::new(),
            ..self.clone()
        };
        without_tests.classify(direction, level)
    }

    /// High or Low where the evidence over time proves a change and its size counts.
    pub(crate) fn classify_culprit(
        &self,
        culprit: Option<bool>,
    ) -> Option<(Classification, EvidenceReason)> {
        let rise = culprit?;
        let up = rise != self.complement;
        // Any of the tests may show the size: a burst moves the number of events and not the typical step.
        let large = |tested: &Tested| {
            if up {
                tested.large_rise
            } else {
                tested.large_fall
            }
        };
        self.tests.iter().any(large).then(|| {
            let classification = if rise {
                Classification::High
            } else {
                Classification::Low
            };
            let test = TestKind::Sequential;
            (classification, EvidenceReason::Proven { test })
        })
    }

    /// The interval stretched about its estimate so that it holds at every look: by √((1 + r₀/n) ln((n + r₀)/(r₀α²)))/z with r₀ = 8
    /// and α the 10 % that the interval leaves, the boundary of the normal mixture over that of one look.
    fn change_at_all_looks(&self) -> ChangeEstimate {
        const PRIOR: f64 = 8.0;
        const LEAVES: f64 = 0.1;
        const ONE_LOOK: f64 = 1.645;
        let n = self.effective.max(1.0);
        let all = ((1.0 + PRIOR / n) * ((n + PRIOR) / (PRIOR * LEAVES * LEAVES)).ln()).sqrt();
        let factor = all / ONE_LOOK;
        let Some(estimate) = self.change.estimate else {
            return self.change;
        };
        let stretched = |end: Option<f64>| match self.scale {
            ChangeScale::Ratio if estimate > 0.0 => {
                end.map(|end| estimate * (end / estimate).powf(factor))
            }
            ChangeScale::Ratio => None,
            ChangeScale::Difference => end.map(|end| estimate + (end - estimate) * factor),
        };
        let finite = |end: Option<f64>| end.filter(|value| value.is_finite());
        ChangeEstimate {
            low: finite(stretched(self.change.low)),
            high: finite(stretched(self.change.high)),
            ..self.change
        }
    }

    /// The answer at `level`.
    pub(crate) fn classify(
        &self,
        direction: Direction,
        level: f64,
    ) -> (Classification, EvidenceReason) {
        let undecided = |reason| (Classification::Inconclusive, reason);
        if let Some(obstacle) = &self.obstacle {
            return undecided(obstacle.clone());
        }
        let needed = self.fewest_points(direction, level);
        if self.points < needed {
            return undecided(EvidenceReason::TooFewPoints {
                found: self.points,
                needed,
            });
        }
        if let Some((rise, test)) = self.proven(direction, level) {
            let classification = if rise != self.complement {
                Classification::High
            } else {
                Classification::Low
            };
            return (classification, EvidenceReason::Proven { test });
        }
        if let Some(passes) = &self.passes {
            return (Classification::Pass, passes.clone());
        }
        if self.ruled_out(direction) {
            return (Classification::Pass, EvidenceReason::RuledOut);
        }
        undecided(if self.suspected(direction) {
            EvidenceReason::Suspected
        } else if self.p(direction) <= level {
            EvidenceReason::SmallButUnbounded
        } else {
            EvidenceReason::TooWide
        })
    }

    fn proven(&self, direction: Direction, level: f64) -> Option<(bool, TestKind)> {
        let direction = self.inner(direction);
        let mut best: Option<(f64, bool, TestKind)> = None;
        for tested in &self.tests {
            let (p, rise) = tested.p(direction);
            let large = if rise {
                tested.large_rise
            } else {
                tested.large_fall
            };
            if large && p <= level && best.is_none_or(|(least, ..)| p < least) {
                best = Some((p, rise, tested.outcome.test));
            }
        }
        best.map(|(_, rise, test)| (rise, test))
    }

    fn ruled_out(&self, direction: Direction) -> bool {
        let direction = self.inner(direction);
        let below = self
            .change
            .high
            .is_some_and(|high| high <= self.margin.high);
        let above = self.change.low.is_some_and(|low| low >= self.margin.low);
        (below || !direction.counts_increase()) && (above || !direction.counts_decrease())
    }

    fn suspected(&self, direction: Direction) -> bool {
        let direction = self.inner(direction);
        let Some(estimate) = self.change.estimate else {
            return direction.counts_increase();
        };
        (direction.counts_increase() && estimate > self.tolerance.high)
            || (direction.counts_decrease() && estimate < self.tolerance.low)
    }

    /// The fewest points whose signs alone could reach the level.
    fn fewest_points(&self, direction: Direction, level: f64) -> usize {
        if !self.signs_only {
            return 1;
        }
        let share = self
            .tests
            .first()
            .map_or(1.0, |tested| tested.outcome.share);
        let one_sided = level * share / sides(direction);
        (-one_sided.log2()).ceil().max(1.0) as usize
    }

    /// The numbers for the judgement.
    pub(crate) fn evidence(&self, direction: Direction, level: f64) -> MetricEvidence {
        let one_sided =
            level * self.tests.first().map_or(1.0, |t| t.outcome.share) / sides(direction);
        let visible = self.uncertain.as_ref().map(|uncertain| {
            // Found four times out of five: 0.84 standard errors beyond the edge.
            let size = uncertain.reach(one_sided.min(0.4)) + uncertain.reach(0.2);
            match self.scale {
                ChangeScale::Ratio => size.exp(),
                ChangeScale::Difference => size,
            }
        });
        let points_needed = self.width.and_then(|(half, room)| {
            let times = half / room;
            (times > 1.0).then(|| (self.points as f64 * (times * times - 1.0)).ceil())
        });
        MetricEvidence {
            kind: self.kind,
            declared: self.declared,
            scale: self.scale,
            complement: self.complement,
            pairing: self.pairing,
            points: self.points,
            warm_up: self.warm_up,
            basis: self.basis,
            autocorrelation: self.autocorrelation,
            inflation: self.inflation,
            effective_points: self.effective,
            instance_std: self.instance_std,
            tolerance: self.tolerance,
            margin: self.margin,
            change: self.change,
            tests: self.tests.iter().map(Tested::written).collect(),
            p: self.p(direction),
            level,
            visible_change: visible.filter(|value| value.is_finite()),
            points_needed: points_needed.filter(|value| value.is_finite()),
            minutes_needed: points_needed
                .filter(|value| value.is_finite())
                .and_then(|points| Some(points * self.step_minutes?)),
        }
    }
}

/// The reason as a judgement holds it.
pub(crate) fn as_reason(finding: EvidenceReason) -> Reason {
    Reason::Evidence { finding }
}
