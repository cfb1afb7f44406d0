//! What the evidence judge found, in words.

use coalmine_judges::evidence::result::{ChangeScale, EvidenceReason, MetricEvidence, TestKind};
use coalmine_judges::judgement::MetricResult;

use crate::format;

/// The finding as a sentence without its end.
pub(crate) fn finding(result: &MetricResult, finding: &EvidenceReason) -> String {
    let evidence = result.evidence.as_deref();
    match finding {
        EvidenceReason::Proven { test } => {
            format!("{} is proven{}", named(*test), interval(evidence))
        }
        EvidenceReason::RuledOut => format!(
            "a change beyond the margin is ruled out{}",
            interval(evidence)
        ),
        EvidenceReason::NoEvents { rate } => format!(
            "no events on either side; more than {} a point is ruled out",
            short(*rate)
        ),
        EvidenceReason::TooFewPoints { found, needed } => format!(
            "{} points are too few for an answer at this level, which needs {}",
            format::count(*found),
            format::count(*needed)
        ),
        EvidenceReason::TooDependent { effective, needed } => format!(
            "the points depend on one another so much that they count for {}, and {} are needed; history would help",
            short(*effective),
            short(*needed)
        ),
        EvidenceReason::TooFewEvents { found, needed } => format!(
            "{} events are too few to tell the sides apart, which needs {}",
            short(*found),
            short(*needed)
        ),
        EvidenceReason::TooWide => format!(
            "no change is proven, and a change beyond the margin is not ruled out{}{}",
            interval(evidence),
            still_needed(evidence)
        ),
        EvidenceReason::Suspected => format!(
            "a change that counts is likely but not proven{}{}",
            interval(evidence),
            still_needed(evidence)
        ),
        EvidenceReason::SmallButUnbounded => format!(
            "a small change is proven, and one beyond the margin is not ruled out{}",
            interval(evidence)
        ),
        EvidenceReason::TrafficSplit { found, expected } => format!(
            "the canary got {} of the traffic and should have got {}, so events cannot be compared",
            format::share(*found),
            format::share(*expected)
        ),
    }
}

fn named(test: TestKind) -> &'static str {
    match test {
        TestKind::Location => "a change of the level",
        TestKind::Tail => "a change of the extremes",
        TestKind::Spread => "a change of the spread",
        TestKind::Events => "a change of the number of events",
        TestKind::TypicalEvents => "a change of the events in most steps",
        TestKind::Incidence => "a change of how many steps have events",
        TestKind::Drift => "a drift",
        TestKind::Sequential => "a change over all looks",
    }
}

fn interval(evidence: Option<&MetricEvidence>) -> String {
    let Some(evidence) = evidence else {
        return String::new();
    };
    let change = evidence.change;
    let Some(estimate) = change.estimate else {
        return String::new();
    };
    let end = |value: Option<f64>| value.map_or_else(|| "?".to_owned(), short);
    let unit = match evidence.scale {
        ChangeScale::Ratio => "×",
        ChangeScale::Difference => "",
    };
    format!(
        " ({}{unit} [{}, {}])",
        short(estimate),
        end(change.low),
        end(change.high)
    )
}

fn still_needed(evidence: Option<&MetricEvidence>) -> String {
    let minutes = evidence.and_then(|evidence| evidence.minutes_needed);
    minutes.map_or_else(String::new, |minutes| {
        format!("; about {minutes:.0} minutes more would tell")
    })
}

fn short(value: f64) -> String {
    if value.abs() >= 0.1 && value.abs() < 1e6 {
        format!("{value:.2}")
    } else {
        format!("{value:.2e}")
    }
}
