//! What is printed and written.

use std::sync::LazyLock;

use coalmine_benchmark::contender::Contender;
use coalmine_benchmark::report::{Report, csv, html, terminal};
use coalmine_benchmark::run::run;
use coalmine_benchmark::timing::Times;
use coalmine_benchmark::{catalogue, timing};

use crate::broken;

/// A small report with two judges, one of which the numbers are about and which misses some.
static REPORT: LazyLock<Report> = LazyLock::new(|| {
    let mut scenarios = catalogue::all();
    scenarios.retain(|scenario| {
        [
            "healthy: independent noise, no history",
            "faulty: +10 %",
            "flat load, AR(0.3)",
            "20 a minute on both sides together, Poisson",
            "recorded: CPU",
        ]
        .iter()
        .any(|part| scenario.name.contains(part))
    });
    let contenders = [
        Contender::netflix_aca(),
        Contender::required(broken::alarmist()),
    ];
    let tallies = run(&scenarios, &contenders, 100, 2, &|_, _, _| {});
    let times = Times {
        sorting: 1.0,
        metric: vec![12.3, 99.0],
    };
    Report::new(&scenarios, &contenders, tallies, 100, Some(times))
});

#[test]
fn all_formats_say_the_same() {
    let report = &*REPORT;
    // Two tolerances and the time are missed, the two steps are found.
    let misses = report.missed();
    assert!(misses >= 3, "{misses}");
    let (text, page) = (terminal(report), html(report).unwrap());
    let table = String::from_utf8(csv(report).unwrap()).unwrap();
    for row in &report.rows {
        for format in [&text, &table] {
            assert!(format.contains(&row.what), "{}", row.what);
        }
    }
    for word in [
        "alarmist",
        "NetflixACAJudge-v1.0",
        "12.3",
        "99.0",
        "met",
        "missed",
    ] {
        for format in [&text, &page] {
            assert!(format.contains(word), "{word}");
        }
    }
    let lines = ::csv::Reader::from_reader(table.as_bytes()).into_records();
    assert_eq!(lines.count(), report.rows.len() * 2 + 2);
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let page = html(&REPORT).unwrap();
    for address in ["http:", "https:", "<script", "@import", "url("] {
        assert!(!page.contains(address), "{address}");
    }
    assert!(page.contains("prefers-color-scheme: dark"));
    assert!(!page.contains("NaN"));
}

#[test]
fn recall_at_a_matched_rate_is_that_of_the_ranks() {
    let report = &*REPORT;
    let row = |name: &str| report.rows.iter().find(|row| row.name == name).unwrap();
    let healthy = row("grid: flat load, AR(0.3), CV 20 %: no change");
    assert_eq!(healthy.matched[0], [None; 3]);
    let step = row("grid: flat load, AR(0.3), CV 20 %: +20 %");
    let mut ranks = healthy.tallies[0].suspicions.clone();
    ranks.sort_by(f64::total_cmp);
    // At 5 % five of the hundred healthy canaries lie above the threshold.
    let above = step.tallies[0]
        .suspicions
        .iter()
        .filter(|rank| **rank > ranks[94])
        .count();
    assert_eq!(step.matched[0][2], Some(above as f64 / 100.0));
    assert!(above > 50);
    // A judge that ranks all alike finds nothing: there is no threshold between its canaries.
    let flagged = row("faulty: +10 %, CV 5 %, diurnal load, independent noise, no history");
    assert_eq!(flagged.matched[0], [None; 3]);
}

#[test]
fn minutes_to_detect_count_the_runs_that_were_never_flagged() {
    let report = &*REPORT;
    let name = "watched, events, 20 a minute on both sides together, Poisson: × 2";
    let row = report.rows.iter().find(|row| row.name == name).unwrap();
    let [half, most] = row.minutes(0);
    assert!(half.unwrap() >= 10.0 && most.unwrap() >= half.unwrap());
    assert_eq!(row.minutes(1)[0], Some(1.0));
    let quiet = "watched, events, 20 a minute on both sides together, Poisson: no change";
    let row = report.rows.iter().find(|row| row.name == quiet).unwrap();
    assert_eq!(row.minutes(0), [None, None]);
}

#[test]
fn time_is_measured_for_each_judge() {
    let times = timing::measure(&[Contender::netflix_aca()]);
    assert!(times.sorting > 0.0 && times.metric[0] > times.sorting);
}
