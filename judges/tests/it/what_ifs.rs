//! What would have changed the verdict.

use coalmine_judges::config::MetricSpec;
use coalmine_judges::judgement::Verdict;
use coalmine_judges::what_if::{self, Change};

use crate::canary::{Canary, Shape};

#[test]
fn the_judgement_tells_what_would_have_changed_it() {
    let canary = Canary::default()
        .metric("p50", "g", Shape::Same)
        .metric("p99", "g", Shape::Same)
        .critical("errors", "g", Shape::Higher)
        .metric_as(
            MetricSpec {
                muted: true,
                ..MetricSpec::new("memory", ["g"])
            },
            Shape::Higher,
        );
    let found = what_if::explore(&canary.judge(), 10);
    let told: Vec<(Change, f64, Verdict)> = found
        .into_iter()
        .map(|what_if| (what_if.change, what_if.score, what_if.verdict))
        .collect();
    assert_eq!(
        told,
        [
            (Change::Passed(2), 100.0, Verdict::Pass),
            (Change::NotCritical(2), 66.67, Verdict::Fail),
            (Change::NotMuted(3), 0.0, Verdict::Fail),
        ]
    );
}

#[test]
fn a_pass_tells_which_failure_would_have_cost_most() {
    let canary = Canary::default()
        .weight("speed", 20.0)
        .weight("errors", 80.0)
        .metric("p50", "speed", Shape::Same)
        .metric("5xx", "errors", Shape::Same);
    let found = what_if::explore(&canary.judge(), 10);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].change.clone(), found[0].score, found[0].verdict),
        (Change::Failed(1), 20.0, Verdict::Fail)
    );
}

#[test]
fn the_change_that_would_have_turned_the_verdict_is_found_among_many() {
    let mut canary = Canary::default().weight("light", 3.0).weight("heavy", 97.0);
    for index in 0..12 {
        canary = canary.metric(&format!("light {index}"), "light", Shape::Higher);
    }
    let canary = canary.metric("heavy", "heavy", Shape::Higher);
    let found = what_if::explore(&canary.judge(), 10);
    assert_eq!(
        (found[0].change.clone(), found[0].verdict),
        (Change::Passed(12), Verdict::Pass)
    );
}

#[test]
fn where_no_single_change_would_have_helped_all_of_them_are_named() {
    let canary = Canary::default()
        .critical("errors", "g", Shape::Higher)
        .critical("latency", "g", Shape::Higher)
        .metric("memory", "g", Shape::NoData);
    let found = what_if::explore(&canary.judge(), 10);
    assert_eq!(
        (found[0].change.clone(), found[0].verdict),
        (Change::AllPassed(vec![0, 1]), Verdict::Pass)
    );
    let failed = found
        .iter()
        .find(|what_if| matches!(what_if.change, Change::UndecidedFailed(_)))
        .unwrap();
    assert_eq!((failed.verdict, failed.score), (Verdict::Fail, 0.0));
}
