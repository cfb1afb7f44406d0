//! Judges that are wrong in ways that the benchmark must see.

use std::sync::atomic::{AtomicU64, Ordering};

use coalmine_judges::judge::{Judge, JudgeInput};
use coalmine_judges::judgement::{Classification, Judgement, Verdict};
use coalmine_judges::judges::netflix_aca::NetflixAcaJudge;

/// Means of baseline and canary, where both sides have points.
type Means = Option<(f64, f64)>;

/// A judge that classifies each metric by the means alone.
struct Wrong {
    name: &'static str,
    classify: fn(Means) -> Classification,
}

impl Judge for Wrong {
    fn name(&self) -> &'static str {
        self.name
    }

    fn judge(&self, input: &JudgeInput<'_>) -> Judgement {
        let mut judgement = NetflixAcaJudge.judge(input);
        for result in &mut judgement.results {
            let means = result.baseline.stats.mean.zip(result.canary.stats.mean);
            result.classification = (self.classify)(means);
        }
        let failed = judgement
            .results
            .iter()
            .any(|result| result.classification.failed());
        judgement.verdict = if failed { Verdict::Fail } else { Verdict::Pass };
        judgement
    }
}

fn wrong(name: &'static str, classify: fn(Means) -> Classification) -> Box<dyn Judge> {
    Box::new(Wrong { name, classify })
}

/// Finds every fault and many that are none.
pub(crate) fn alarmist() -> Box<dyn Judge> {
    wrong("alarmist", |_| Classification::High)
}

/// Never finds anything.
pub(crate) fn sleeper() -> Box<dyn Judge> {
    wrong("sleeper", |_| Classification::Pass)
}

/// Never says anything.
pub(crate) fn silent() -> Box<dyn Judge> {
    wrong("silent", |_| Classification::Inconclusive)
}

/// Takes a difference of 5 for large, whatever the unit.
pub(crate) fn bound_to_a_unit() -> Box<dyn Judge> {
    wrong("bound to a unit", |means| match means {
        Some((baseline, canary)) if canary - baseline > 5.0 => Classification::High,
        Some(_) | None => Classification::Pass,
    })
}

/// Sees rises only.
pub(crate) fn one_eyed() -> Box<dyn Judge> {
    wrong("one-eyed", |means| match means {
        Some((baseline, canary)) if canary > 1.05 * baseline => Classification::High,
        Some(_) | None => Classification::Pass,
    })
}

/// Says one thing and then another.
pub(crate) fn fickle() -> Box<dyn Judge> {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    wrong("fickle", |_| {
        if ASKED.fetch_add(1, Ordering::Relaxed).is_multiple_of(7) {
            Classification::High
        } else {
            Classification::Pass
        }
    })
}
