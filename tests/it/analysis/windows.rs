//! Plans of standalone analyses.

use std::collections::BTreeMap;

use coalmine::analysis::aggregate::aggregate;
use coalmine::analysis::windows::{
    MOST_JUDGEMENTS, Place, Plan, PlanProblem, Planned, Request, ScopeRequest, plan,
};
use proptest::prelude::*;
use serde_json::Value;

use super::vectors;

const MINUTE: i64 = 60_000;

fn ms(iso: &str) -> i64 {
    iso.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

fn iso(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().to_string()
}

fn scope(name: &str) -> ScopeRequest {
    let place = |scope: &str| Place {
        scope: scope.to_owned(),
        location: "eu".to_owned(),
    };
    ScopeRequest {
        name: name.to_owned(),
        baseline: place("web-baseline"),
        canary: place("web-canary"),
        ..ScopeRequest::default()
    }
}

fn request(lifetime: i64, interval: i64) -> Request {
    Request {
        lifetime_mins: Some(lifetime),
        interval_mins: Some(interval),
        scopes: vec![scope("default")],
        ..Request::default()
    }
}

fn judgement(plan: &Plan, number: u32) -> coalmine::model::scope::ScopePair {
    let found = plan.judgements().find(|found| found.0 == number);
    found.unwrap().2["default"].clone()
}

fn waits(plan: &Plan) -> Vec<(&str, i64)> {
    let waits = plan.stages.iter().filter_map(|stage| match stage {
        Planned::Wait { name, until_ms } => Some((name.as_str(), until_ms / MINUTE)),
        Planned::Judge { .. } => None,
    });
    waits.collect()
}

fn problems(request: &Request) -> Vec<PlanProblem> {
    plan(request).expect_err("a request without a plan")
}

#[test]
fn every_window_is_kayentas() {
    for case in vectors("scaWindow") {
        let input = &case["input"];
        let text = |key: &str| input[key].as_str().map(ms);
        let number = input["judgement"].as_u64().unwrap() as u32;
        let interval = input["intervalMins"].as_i64().unwrap();
        let mut asked = request(interval * i64::from(number), interval);
        asked.now_ms = text("now").unwrap_or(0);
        asked.begin_after_mins = input["beginAfterMins"].as_i64();
        asked.lookback_mins = input["lookbackMins"].as_i64();
        asked.scopes[0].start_ms = text("startTimeIso");
        asked.scopes[0].end_ms = text("endTimeIso");
        asked.scopes[0].baseline_offset_mins =
            input["controlOffsetInMinutes"].as_i64().unwrap_or(0);
        let pair = judgement(&plan(&asked).unwrap(), number);
        let expected = case["expected"].as_object().unwrap();
        for (key, value) in expected {
            let found = match key.as_str() {
                "start" | "experimentStart" => pair.canary.window.start_ms(),
                "end" => pair.canary.window.end_ms(),
                "controlStart" => pair.baseline.window.start_ms(),
                other => panic!("unknown expectation `{other}`"),
            };
            assert_eq!(Value::from(iso(found)), *value, "{}: {key}", case["name"]);
        }
    }
}

#[test]
fn the_number_of_judgements_is_kayentas() {
    for case in vectors("scaJudgementCount") {
        let input = &case["input"];
        let mut asked = request(input["lifetimeMins"].as_i64().unwrap(), 0);
        asked.interval_mins = input["analysisIntervalMins"].as_i64();
        let found = plan(&asked).unwrap().judgements().count() as u64;
        assert_eq!(case["expected"]["judgements"], found, "{}", case["name"]);
    }
}

#[test]
fn the_final_word_is_kayentas() {
    for case in vectors("scaAggregate") {
        let number = |key: &str| case["input"][key].as_f64();
        let found = aggregate(number("finalScore"), number("marginal"), number("pass"));
        let expected = &case["expected"];
        assert_eq!(
            expected["didPassThresholds"], found.did_pass,
            "{}",
            case["name"]
        );
        assert_eq!(
            expected["canaryScoreMessage"], found.message,
            "{}",
            case["name"]
        );
    }
}

#[test]
fn waits_end_when_their_window_does() {
    let mut asked = request(60, 20);
    asked.begin_after_mins = Some(5);
    let found = plan(&asked).unwrap();
    let expect = [
        ("Warmup Wait", 5),
        ("Interval Wait #1", 25),
        ("Interval Wait #2", 45),
        ("Interval Wait #3", 65),
    ];
    assert_eq!(waits(&found), expect);
    let due: Vec<i64> = found.judgements().map(|found| found.1 / MINUTE).collect();
    assert_eq!(due, [25, 45, 65]);
    assert_eq!(judgement(&found, 1).canary.step_secs, 60);
}

#[test]
fn a_start_in_the_past_is_not_waited_for_and_one_in_the_future_is() {
    for (start, expect) in [(-100, -90), (100, 110)] {
        let mut asked = request(10, 10);
        asked.scopes[0].start_ms = Some(start * MINUTE);
        assert_eq!(
            waits(&plan(&asked).unwrap()),
            [("Interval Wait #1", expect)]
        );
    }
}

#[test]
fn a_past_analysis_waits_for_the_warm_up_alone() {
    let mut asked = request(1, 20);
    asked.now_ms = 500 * MINUTE;
    asked.begin_after_mins = Some(5);
    asked.scopes[0].start_ms = Some(0);
    asked.scopes[0].end_ms = Some(60 * MINUTE + 59_999);
    let found = plan(&asked).unwrap();
    assert_eq!(waits(&found), [("Warmup Wait", 505)]);
    assert_eq!(found.judgements().count(), 3);
    assert_eq!(judgement(&found, 3).canary.window.end_ms(), 60 * MINUTE);
}

#[test]
fn a_judgement_is_due_when_both_sides_have_ended() {
    let mut asked = request(10, 10);
    asked.scopes[0].baseline_offset_mins = -7;
    let due: Vec<i64> = plan(&asked).unwrap().judgements().map(|j| j.1).collect();
    assert_eq!(due, [17 * MINUTE]);
}

#[test]
fn the_first_scope_has_the_time_and_each_its_own_offset() {
    let mut asked = request(10, 10);
    asked.scopes[0].step_secs = Some(10);
    let mut second = scope("db");
    second.start_ms = Some(99 * MINUTE);
    second.end_ms = Some(98 * MINUTE);
    second.step_secs = Some(0);
    second.baseline_offset_mins = 3;
    second.parameters = BTreeMap::from([("shard".to_owned(), "1".to_owned())]);
    asked.scopes.push(second);
    let found = plan(&asked).unwrap();
    assert_eq!(found.first_scope, "default");
    let (_, _, scopes) = found.judgements().next().unwrap();
    assert_eq!(scopes["db"].canary.window, scopes["default"].canary.window);
    assert_eq!(scopes["db"].baseline.window.start_ms(), -3 * MINUTE);
    assert_eq!(scopes["db"].baseline.step_secs, 10);
    assert_eq!(scopes["db"].baseline.parameters["shard"], "1");
}

#[test]
fn all_problems_are_told_at_once() {
    let mut asked = request(0, -1);
    asked.begin_after_mins = Some(-2);
    asked.lookback_mins = Some(-3);
    asked.scopes[0].step_secs = Some(0);
    asked.scopes.push(scope("default"));
    asked.scopes.push(scope("default"));
    let found: Vec<String> = problems(&asked).iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "the scope name `default` is given twice; expected a name of its own for each scope",
            "`beginAfterMins` is -2; expected at least 0",
            "`lookbackMins` is -3; expected at least 0",
            "`analysisIntervalMins` is -1; expected at least 0",
            "`step` is 0; expected at least 1",
            "the lifetime is 0 minutes; expected at least one whole minute",
        ]
    );
}

#[test]
fn a_request_that_cannot_end_or_start_is_refused() {
    let nothing = Request::default();
    assert_eq!(problems(&nothing), [PlanProblem::NoScope]);
    let mut endless = request(1, 1);
    endless.lifetime_mins = None;
    assert_eq!(problems(&endless), [PlanProblem::NoLifetime]);
    let mut backwards = request(1, 1);
    backwards.scopes[0].end_ms = Some(-1);
    assert_eq!(
        problems(&backwards),
        [PlanProblem::EndsEarly { early_ms: 1 }]
    );
    let mut short = request(10, 1);
    short.scopes[0].end_ms = Some(MINUTE - 1);
    assert_eq!(problems(&short), [PlanProblem::NoTime { found_mins: 0 }]);
}

#[test]
fn a_plan_that_nobody_can_hold_is_refused() {
    let many = MOST_JUDGEMENTS as i64 + 1;
    let found = problems(&request(many, 1));
    assert_eq!(found, [PlanProblem::TooManyJudgements { found: 10_001 }]);
    assert_eq!(
        plan(&request(many - 1, 1)).unwrap().judgements().count(),
        10_000
    );

    let mut wordy = request(many - 1, 1);
    wordy.scopes[0].parameters = BTreeMap::from([("x".to_owned(), "y".repeat(1 << 20))]);
    assert!(matches!(
        problems(&wordy)[..],
        [PlanProblem::TooMuchText { .. }]
    ));

    let mut late = request(i64::MAX, i64::MAX);
    late.now_ms = ms("2020-01-01T00:00:00Z");
    let scope = "default".to_owned();
    assert_eq!(problems(&late), [PlanProblem::OutOfTime { scope }]);
}

fn any_request() -> impl Strategy<Value = Request> {
    let number = prop_oneof![Just(0_i64), 1..200_i64, any::<i64>()];
    let time = prop_oneof![-1_000_000..1_000_000_i64, any::<i64>()];
    let option = |of: BoxedStrategy<i64>| prop::option::of(of);
    let number = number.boxed();
    let time = time.boxed();
    let scope = (
        option(time.clone()),
        option(time.clone()),
        option(number.clone()),
        number.clone(),
    )
        .prop_map(
            |(start_ms, end_ms, step_secs, baseline_offset_mins)| ScopeRequest {
                start_ms,
                end_ms,
                step_secs,
                baseline_offset_mins,
                ..scope("default")
            },
        );
    let numbers = (
        option(number.clone()),
        option(number.clone()),
        option(number.clone()),
        option(number),
    );
    (time, numbers, prop::collection::vec(scope, 0..3)).prop_map(|(now_ms, numbers, scopes)| {
        let (lifetime_mins, begin_after_mins, lookback_mins, interval_mins) = numbers;
        Request {
            now_ms,
            lifetime_mins,
            begin_after_mins,
            lookback_mins,
            interval_mins,
            scopes,
        }
    })
}

proptest! {
    #[test]
    fn every_request_has_a_sane_plan_or_a_reason(asked in any_request()) {
        match plan(&asked) {
            Err(problems) => prop_assert!(!problems.is_empty()),
            Ok(found) => {
                let mut last = i64::MIN;
                prop_assert!(found.judgements().next().is_some());
                for (index, (number, due_ms, scopes)) in found.judgements().enumerate() {
                    prop_assert_eq!(number as usize, index + 1);
                    prop_assert!(due_ms > last);
                    last = due_ms;
                    for pair in scopes.values() {
                        prop_assert!(pair.canary.window.length_ms() > 0);
                        prop_assert_eq!(pair.canary.window.length_ms(), pair.baseline.window.length_ms());
                        prop_assert!(pair.canary.window.end_ms() <= due_ms);
                    }
                }
            }
        }
    }
}
