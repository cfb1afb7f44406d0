//! A judge under test, and what it answers.

use coalmine_judges::config::Thresholds;
use coalmine_judges::judge::{Judge, JudgeInput, Looks, TrafficShare};
use coalmine_judges::judgement::{Classification, Judgement, MetricResult, Verdict};
use coalmine_judges::judges::coalmine_v1::CoalmineJudge;
use coalmine_judges::judges::netflix_aca::NetflixAcaJudge;
use coalmine_judges::sequential::EvidenceState;
use coalmine_judges::series::MetricSetPair;

use crate::case::Case;

/// A judge, and what the benchmark must know of it. Anything that implements [`Judge`] can be one.
pub struct Contender {
    judge: Box<dyn Judge>,
    /// The judge knows that it is asked again and again. One that does not is asked each time as if it were the only one.
    repeated: bool,
    /// The first minute at which asking is of use.
    first_look: usize,
    /// How much speaks against a metric, on any scale: what is compared at matched false-alarm rates.
    suspicion: fn(&MetricResult) -> f64,
    /// Whether the smallest change that the judge says it could have seen is above its own margin; absent where it says none.
    blind: fn(&MetricResult) -> Option<bool>,
    /// What a look hands on to the next one.
    carry: fn(&Judgement) -> Option<EvidenceState>,
    /// Whether the evidence over all looks speaks against the canary, whichever metric it comes from.
    alarmed: fn(&Judgement) -> bool,
    /// The required numbers are about this judge.
    required: bool,
}

impl std::fmt::Debug for Contender {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Contender")
            .field("judge", &self.name())
            .finish_non_exhaustive()
    }
}

impl Contender {
    /// All judges that there are, the reference first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![Self::netflix_aca(), Self::coalmine()]
    }

    /// Kayenta's judge. It is asked from minute 10 on, because with fewer points its interval is false.
    #[must_use]
    pub fn netflix_aca() -> Self {
        Self {
            judge: Box::new(NetflixAcaJudge),
            repeated: false,
            first_look: 10,
            suspicion: clearance,
            blind: |_| None,
            carry: |_| None,
            alarmed: |_| false,
            required: false,
        }
    }

    /// The evidence judge, which knows that it is asked again and carries its evidence from look to look.
    #[must_use]
    pub fn coalmine() -> Self {
        Self {
            suspicion: improbability,
            blind: beyond_the_margin,
            carry: |judgement| judgement.evidence.clone(),
            alarmed: |judgement| {
                judgement
                    .evidence
                    .as_ref()
                    .is_some_and(EvidenceState::alarmed)
            },
            ..Self::required(Box::new(CoalmineJudge))
        }
    }

    /// Any judge that shall reach the required numbers, judged by its classifications; asked at every minute.
    #[must_use]
    pub fn required(judge: Box<dyn Judge>) -> Self {
        Self {
            judge,
            repeated: true,
            first_look: 1,
            suspicion: clearance,
            blind: |_| None,
            carry: |_| None,
            alarmed: |_| false,
            required: true,
        }
    }

    /// The judge's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.judge.name()
    }

    /// Whether the required numbers are about this judge.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// The answer to everything, asked once.
    #[must_use]
    pub fn answer(&self, case: &Case) -> Answer {
        Answer::of(&self.judgement(case, &case.sets, Looks::Once), self)
    }

    /// The answers after each minute, up to and with the last.
    #[must_use]
    pub fn watch(&self, case: &Case) -> Vec<(usize, Answer)> {
        let minutes = case.minutes();
        let mut answers = Vec::with_capacity(minutes);
        let mut carried = None;
        for minute in self.first_look..=minutes {
            let sets = case.until(minute);
            let looks = if self.repeated {
                Looks::Repeated {
                    carried: carried.as_ref(),
                    last: minute == minutes,
                }
            } else {
                Looks::Once
            };
            let judgement = self.judgement(case, &sets, looks);
            answers.push((minute, Answer::of(&judgement, self)));
            carried = (self.carry)(&judgement);
        }
        answers
    }

    /// The judgement itself.
    ///
    /// # Panics
    /// Where the case's config does not name its own metrics, which is a mistake of the benchmark.
    #[must_use]
    pub fn judgement(&self, case: &Case, sets: &[MetricSetPair], looks: Looks<'_>) -> Judgement {
        #[expect(
            clippy::expect_used,
            reason = "cases name their own metrics; a broken one must stop the benchmark"
        )]
        let input = JudgeInput::new(&case.config, Thresholds::default(), sets)
            .expect("a case names its metrics")
            .with_history(&case.history)
            .with_instances(&case.instances)
            .with_looks(looks);
        let share = case
            .traffic
            .and_then(|(baseline, canary)| TrafficShare::new(baseline, canary));
        self.judge.judge(&match share {
            Some(share) => input.with_traffic(share),
            None => input,
        })
    }
}

/// What counts of a judgement.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The whole canary.
    pub verdict: Verdict,
    /// Each metric.
    pub classes: Vec<Classification>,
    /// For each metric whether the judge says that it could not have seen its margin.
    pub blind: Vec<Option<bool>>,
    /// Whether the evidence over all looks raised an alarm.
    pub alarmed: bool,
    /// How much speaks against the worst metric.
    pub suspicion: f64,
}

impl Answer {
    fn of(judgement: &Judgement, contender: &Contender) -> Self {
        let results = &judgement.results;
        Self {
            verdict: judgement.verdict,
            classes: results.iter().map(|result| result.classification).collect(),
            blind: results.iter().map(contender.blind).collect(),
            alarmed: (contender.alarmed)(judgement),
            suspicion: results.iter().map(contender.suspicion).fold(0.0, f64::max),
        }
    }

    /// Whether any metric is High or Low, or all of them together raised an alarm.
    #[must_use]
    pub fn flagged(&self) -> bool {
        self.alarmed || self.classes.iter().copied().any(is_flag)
    }
}

/// High or Low: the judge says that the version changed the metric.
#[must_use]
pub fn is_flag(class: Classification) -> bool {
    match class {
        Classification::High | Classification::Low => true,
        Classification::Pass
        | Classification::Inconclusive
        | Classification::Nodata
        | Classification::NodataFailMetric
        | Classification::Error => false,
    }
}

/// How far the interval of the shift is clear of zero, as a share of the estimate: Kayenta flags from 0.25 on. 0 where it holds
/// zero or there is none.
fn clearance(result: &MetricResult) -> f64 {
    let Some(shift) = result.shift else {
        return 0.0;
    };
    let nearest = shift.low.max(-shift.high);
    if nearest > 0.0 && shift.estimate != 0.0 {
        nearest / shift.estimate.abs()
    } else {
        0.0
    }
}

/// How improbable what was seen is without a change: `-ln p`. 0 where nothing was compared.
fn improbability(result: &MetricResult) -> f64 {
    let evidence = result.evidence.as_ref();
    evidence.map_or(0.0, |evidence| {
        -libm::log(evidence.p.max(f64::MIN_POSITIVE))
    })
}

fn beyond_the_margin(result: &MetricResult) -> Option<bool> {
    let evidence = result.evidence.as_ref()?;
    Some(evidence.visible_change? > evidence.margin.high)
}
