//! How often the evidence judge is wrong and how often it finds what is there, by simulation.
//!
//! The short form runs with every test, with bounds wide enough for its size; the long one prints the table of `docs/judge.md`:
//! `cargo test --release -p coalmine-judges --test it -- --ignored --nocapture the_table_of_error_rates`.

use super::simulation::{Change, SCENE, Scene};

#[test]
#[ignore = "takes minutes; prints the table of docs/judge.md"]
#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it is a program: it prints a table of as many runs as `RUNS` says"
)]
fn the_table_of_error_rates() {
    let runs: u64 = std::env::var("RUNS")
        .ok()
        .and_then(|runs| runs.parse().ok())
        .unwrap_or(2000);
    let rows = std::env::var("ROWS").unwrap_or_default();
    let row = |what: &str, scene: Scene| {
        if !what.contains(&rows) {
            return;
        }
        let (flagged, passed) = scene.shares(runs);
        println!(
            "{what:<56} flagged {:>6.2} %  pass {:>6.2} %",
            100.0 * flagged,
            100.0 * passed
        );
    };
    let watched = |what: &str, scene: Scene| {
        if !format!("every minute: {what}").contains(&rows) {
            return;
        }
        let (found, median) = scene.alarms(runs / 10);
        let median = median.map_or("-".to_owned(), |minute| minute.to_string());
        println!(
            "every minute: {what:<42} found {:>6.2} %  median minute {median}",
            100.0 * found
        );
    };
    for r in [0.0, 0.3, 0.6, 0.9] {
        for (metrics, heavy) in [(20, false), (20, true)] {
            let scene = Scene {
                metrics,
                r,
                heavy,
                history: 720,
                tolerance: Some(0.05),
                ..SCENE
            };
            watched(&format!("A/A {metrics} metrics r {r} heavy {heavy}"), scene);
        }
        for by in [0.2, 0.5] {
            let scene = Scene {
                r,
                history: 720,
                tolerance: Some(0.05),
                change: Change::Step(by),
                ..SCENE
            };
            watched(&format!("+{by} r {r}, 1 metric"), scene);
        }
    }
    for rate in [1.0, 20.0] {
        watched(
            &format!("errors A/A {rate}/min"),
            Scene {
                errors: Some(rate),
                ..SCENE
            },
        );
        watched(
            &format!("errors x2 {rate}/min"),
            Scene {
                errors: Some(rate),
                change: Change::Rate(2.0),
                ..SCENE
            },
        );
        watched(
            &format!("bursty errors A/A {rate}/min"),
            Scene {
                errors: Some(rate),
                bursty: true,
                ..SCENE
            },
        );
        watched(
            &format!("bursty errors x2 {rate}/min"),
            Scene {
                errors: Some(rate),
                bursty: true,
                change: Change::Rate(2.0),
                ..SCENE
            },
        );
    }
    for metrics in [1, 10] {
        for r in [0.0, 0.3, 0.6, 0.9] {
            for history in [0, 720] {
                for cv in [0.05, 0.2] {
                    row(
                        &format!("A/A {metrics} metrics r {r} history {history} CV {cv}"),
                        Scene {
                            metrics,
                            r,
                            history,
                            cv,
                            tolerance: Some(0.05),
                            ..SCENE
                        },
                    );
                }
            }
        }
        row(
            &format!("A/A {metrics} metrics heavy tails"),
            Scene {
                metrics,
                heavy: true,
                ..SCENE
            },
        );
    }
    for (cv, r, history) in [
        (0.2, 0.0, 0),
        (0.2, 0.3, 0),
        (0.1, 0.0, 0),
        (0.1, 0.6, 0),
        (0.2, 0.6, 720),
        (0.2, 0.6, 0),
    ] {
        row(
            &format!("defaults, 10 metrics, one errors 1/min, CV {cv} r {r} history {history}"),
            Scene {
                metrics: 10,
                cv,
                r,
                history,
                errors: Some(1.0),
                ..SCENE
            },
        );
    }
    let five = Scene {
        tolerance: Some(0.05),
        ..SCENE
    };
    for metrics in [1, 10] {
        let five = Scene { metrics, ..five };
        row(
            &format!("+10 % at CV 5 % diurnal, {metrics}"),
            Scene {
                cv: 0.05,
                diurnal: true,
                change: Change::Step(0.1),
                ..five
            },
        );
        row(
            &format!("+10 % at CV 5 % diurnal history, {metrics}"),
            Scene {
                cv: 0.05,
                diurnal: true,
                history: 720,
                change: Change::Step(0.1),
                ..five
            },
        );
        row(
            &format!("late +50 %, {metrics}"),
            Scene {
                change: Change::Late(0.5),
                ..five
            },
        );
        for r in [0.0, 0.6] {
            row(
                &format!("spread x3 r {r}, {metrics}"),
                Scene {
                    r,
                    change: Change::Spread,
                    ..five
                },
            );
            row(
                &format!("bimodal r {r}, {metrics}"),
                Scene {
                    r,
                    change: Change::Bimodal,
                    ..five
                },
            );
        }
        row(
            &format!("tail 15 % x10, {metrics}"),
            Scene {
                change: Change::Tail,
                ..five
            },
        );
        row(
            &format!("tail 15 % x10 history, {metrics}"),
            Scene {
                history: 720,
                change: Change::Tail,
                ..five
            },
        );
        for minutes in [6, 12, 25] {
            for size in [10.0, 50.0] {
                row(
                    &format!("burst of {size} in {minutes} minutes on 1/min, {metrics}"),
                    Scene {
                        errors: Some(1.0),
                        change: Change::Burst(minutes, size),
                        ..five
                    },
                );
            }
        }
        row(
            &format!("errors x2 at 1/min, {metrics}"),
            Scene {
                errors: Some(1.0),
                change: Change::Rate(2.0),
                ..five
            },
        );
        row(
            &format!("errors A/A 1/min, {metrics}"),
            Scene {
                errors: Some(1.0),
                ..five
            },
        );
        row(
            &format!("errors A/A 0.2/min, {metrics}"),
            Scene {
                errors: Some(0.2),
                ..five
            },
        );
    }
}

#[test]
fn healthy_canaries_pass_and_are_seldom_flagged() {
    // 300 canaries: 2 % are 6, and more than 15 of them have a chance of 1 in 2,000; of 95 % at least 269 pass likewise.
    for (r, cv, history) in [(0.0, 0.2, 0), (0.3, 0.2, 0), (0.6, 0.1, 0), (0.6, 0.1, 720)] {
        let (flagged, passed) = Scene {
            metrics: 10,
            cv,
            r,
            history,
            errors: Some(1.0),
            ..SCENE
        }
        .shares(300);
        assert!(
            flagged <= 0.05 && passed >= 0.895,
            "r {r}, CV {cv}, history {history}: {flagged} flagged, {passed} passed"
        );
    }
}

#[test]
fn regressions_of_every_shape_are_found() {
    let five = Scene {
        tolerance: Some(0.05),
        ..SCENE
    };
    let check = |what: &str, at_least: f64, scene: Scene| {
        let (flagged, _) = scene.shares(100);
        assert!(flagged >= at_least, "{what}: {flagged} found");
    };
    check(
        "a tenth more under a daily load",
        0.95,
        Scene {
            cv: 0.05,
            diurnal: true,
            change: Change::Step(0.1),
            ..five
        },
    );
    check(
        "late half more",
        0.8,
        Scene {
            change: Change::Late(0.5),
            ..five
        },
    );
    check(
        "thrice the spread",
        0.95,
        Scene {
            change: Change::Spread,
            ..five
        },
    );
    check(
        "two modes",
        0.9,
        Scene {
            change: Change::Bimodal,
            r: 0.6,
            ..five
        },
    );
    check(
        "a tail",
        0.4,
        Scene {
            change: Change::Tail,
            ..five
        },
    );
    check(
        "a tail with history",
        0.88,
        Scene {
            change: Change::Tail,
            history: 720,
            ..five
        },
    );
    check(
        "bursts in six minutes",
        0.95,
        Scene {
            errors: Some(1.0),
            change: Change::Burst(6, 50.0),
            ..five
        },
    );
    check(
        "bursts in 25 minutes",
        0.95,
        Scene {
            errors: Some(1.0),
            change: Change::Burst(25, 10.0),
            ..five
        },
    );
}
