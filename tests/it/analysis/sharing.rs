//! Questions that are asked once for several, and no more of them than a store can bear.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use coalmine::analysis::collect::{AccountLimits, Collector, Keep, Patience};
use coalmine::clock::FixedClock;
use tokio::time::{Instant, timeout};

use super::collect::{HOUR, after, collect, collector, hour, metric, task};
use super::fake::{Fake, Reply};

#[tokio::test(start_paused = true)]
async fn equal_questions_are_asked_once_and_answer_each_metric_by_its_name() {
    let fake = Fake::new(|_, _| after(1, hour()));
    let task = task(&[metric("a", "q"), metric("b", "q")]);
    let bundle = collect(&fake, &task).await.unwrap().bundle;
    assert_eq!(fake.asked(), ["q@old", "q@new"]);
    let names: Vec<&str> = bundle.sets.iter().map(|set| set.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn judgements_share_what_is_on_its_way_and_one_that_is_dropped_takes_nothing_along() {
    let fake = Fake::new(|_, _| after(10, hour()));
    let task = task(&[metric("m", "q")]);
    let collector = collector(&fake);
    let (first, second) = tokio::join!(
        timeout(Duration::from_secs(5), collector.collect(&task)),
        collector.collect(&task),
    );
    assert!(first.is_err() && second.is_ok());
    assert_eq!(fake.asked().len(), 2);

    let dropped = timeout(Duration::from_secs(5), collector.collect(&task)).await;
    assert!(dropped.is_err());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(
        fake.finished.load(Ordering::SeqCst),
        2,
        "nobody waited for the others"
    );
    assert!(collector.collect(&task).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn answers_are_kept_for_windows_that_are_over_and_for_a_while() {
    let task = task(&[metric("m", "q"), metric("n", "r")]);
    let calls = async |late_ms: i64, wait: Duration, keep: Keep| {
        let fake = Fake::new(|_, _| hour());
        let clock = Arc::new(FixedClock(101 * HOUR + late_ms));
        let collector = Collector::new(fake.sources(), clock).keep(keep);
        collector.collect(&task).await.unwrap();
        tokio::time::sleep(wait).await;
        collector.collect(&task).await.unwrap();
        fake.asked().len()
    };
    let second = Duration::from_secs(1);
    let keep = Keep::default();
    assert_eq!(calls(300_000, second, keep).await, 4, "over and settled");
    assert_eq!(
        calls(299_999, second, keep).await,
        8,
        "points may still come"
    );
    assert_eq!(calls(300_000, keep.age, keep).await, 8, "too old");
    assert_eq!(
        calls(300_000, second, Keep { points: 0, ..keep }).await,
        8,
        "too large"
    );
    let points = 4 * (60 + 2 * Keep::SERIES);
    let less = points - 1;
    assert_eq!(
        calls(
            300_000,
            second,
            Keep {
                points: less,
                ..keep
            }
        )
        .await,
        8,
        "the oldest goes first"
    );
    assert_eq!(calls(300_000, second, Keep { points, ..keep }).await, 4);
}

#[tokio::test(start_paused = true)]
async fn two_judgements_of_one_past_window_ask_the_store_once_for_all_of_200_metrics() {
    let metrics: Vec<String> = (0..200)
        .map(|n| metric(&format!("m{n}"), &format!("q{n}")))
        .collect();
    let fake = Fake::new(|_, _| hour());
    let clock = Arc::new(FixedClock(102 * HOUR));
    let collector = Collector::new(fake.sources(), clock);
    let task = task(&metrics);
    collector.collect(&task).await.unwrap();
    collector.collect(&task).await.unwrap();
    assert_eq!(fake.asked().len(), 400);
}

#[tokio::test(start_paused = true)]
async fn a_question_stays_on_its_way_for_others_when_one_who_asked_gives_up() {
    let fake = Fake::new(|_, _| after(15, hour()));
    let task = task(&[metric("m", "q")]);
    let patience = Patience {
        metric: Duration::from_secs(10),
        ..Patience::default()
    };
    let collector = collector(&fake).patience(patience);
    let asks_at = async |seconds: u64| {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        collector.collect(&task).await.is_ok()
    };
    // The first gives up after 10 s, when the second still waits; the third comes after that.
    let answered = tokio::join!(asks_at(0), asks_at(6), asks_at(12));
    assert_eq!(answered, (false, true, true));
    assert_eq!(fake.asked().len(), 2, "both sides once");
}

#[tokio::test(start_paused = true)]
async fn an_account_is_asked_no_more_than_it_can_bear() {
    let metrics: Vec<String> = (0..10)
        .map(|n| metric(&format!("m{n}"), &format!("q{n}")))
        .collect();
    let fake = Fake::new(|_, _| after(3, hour()));
    let limits = AccountLimits { concurrency: 4 };
    let start = Instant::now();
    collector(&fake)
        .limit("prom", limits)
        .collect(&task(&metrics))
        .await
        .unwrap();
    assert_eq!(fake.busiest.load(Ordering::SeqCst), 4);
    assert_eq!(start.elapsed().as_secs(), 15, "20 questions, 4 at a time");
}

#[tokio::test(start_paused = true)]
async fn the_judgements_deadline_holds_for_all_metrics_together() {
    let metrics: Vec<String> = (0..100)
        .map(|n| metric(&format!("m{n}"), &format!("q{n}")))
        .collect();
    let fake = Fake::new(|_, _| after(59, hour()));
    let start = Instant::now();
    let failures = collect(&fake, &task(&metrics)).await.expect_err("too slow");
    assert_eq!(start.elapsed().as_secs(), 600);
    assert_eq!(failures.len(), 200 - 160, "16 at a time, 59 s each");
    assert_eq!(failures[0].message, "gave up after 600 s: found no answer");
}

#[tokio::test(start_paused = true)]
async fn answers_that_have_too_many_points_together_stop_everything_before_they_are_all_there() {
    let metrics: Vec<String> = (0..50)
        .map(|n| metric(&format!("m{n}"), &format!("q{n}")))
        .collect();
    let fake = Fake::new(|_, _| after(1, Reply::Series(10, vec![1.0; 60])));
    let limits = AccountLimits { concurrency: 1 };
    let failures = collector(&fake)
        .limit("prom", limits)
        .most_points(6_000)
        .collect(&task(&metrics))
        .await
        .expect_err("600 points each");
    let [failure] = failures.as_slice() else {
        panic!("{failures:?}")
    };
    assert_eq!(
        failure.message,
        "the answers up to `m5` have 6600 points; expected at most 6000"
    );
    assert_eq!((failure.metric, failure.passing), (Some(5), false));
    let hint = failure.hint.as_deref().unwrap();
    assert!(hint.contains("10 series"), "{hint}");
    assert_eq!(fake.finished.load(Ordering::SeqCst), 11, "and no more");
}

#[tokio::test(start_paused = true)]
async fn an_answer_counts_for_each_metric_that_it_is_judged_for() {
    let fake = Fake::new(|_, _| hour());
    let task = task(&[metric("a", "q"), metric("b", "q")]);
    let within = async |most: u64| collector(&fake).most_points(most).collect(&task).await;
    assert!(within(240).await.is_ok(), "4 sides of 60 points");
    let failures = within(239).await.expect_err("one point too many");
    assert_eq!(failures[0].query.as_deref(), Some("q@new"));
}

#[tokio::test(start_paused = true)]
async fn a_history_without_room_is_let_go_and_holds_nothing_up() {
    let fake = Fake::new(|question, _| match question.scope.window.end_ms() {
        end if end > 100 * HOUR => hour(),
        _ => Reply::Series(4_001, vec![1.0; 1_000]),
    });
    let asks = metric("m", "q");
    let with_history = asks.replace(
        "scopeName: default",
        "scopeName: default, analysisConfigurations: {coalmine: {history: {hours: 1}}}",
    );
    let collected = collect(&fake, &task(&[with_history])).await.unwrap();
    assert_eq!(collected.bundle.history, []);
    assert_eq!(
        collected.told.notes,
        ["no history of `m`: with it all histories would have more than 4000000 points"]
    );
}
