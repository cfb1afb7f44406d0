//! Requests, and an analyst whose answers follow from the question alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use coalmine::analysis::task::{Analyst, Collected, Failure, Task};
use coalmine::archive::bundle::{Bundle, Told};
use coalmine::config::canary::wire::{CanaryConfig, ScoreThresholds};
use coalmine::executions::request::{Accounts, Kind, Request};
use coalmine::model::scope::{Scope, ScopePair, Window};
use coalmine::stages::Stage;
use coalmine::stages::analyze::Analyze;
use coalmine::stages::wait::{Until, Wait};
use coalmine_judges::config::{JudgeConfig, MetricSpec};
use coalmine_judges::judge::JudgeInput;
use coalmine_judges::judgement::Judgement;
use coalmine_judges::judges;
use coalmine_judges::series::{Grid, MetricSetPair, Series};

/// 2026-01-01T00:00:00Z.
pub(super) const T0: i64 = 1_767_225_600_000;
pub(super) const MINUTE: i64 = 60_000;

/// How the canary of an analyst behaves, by the application's name.
pub(super) const GOOD: &str = "good";
pub(super) const BAD: &str = "bad";
pub(super) const UNREADABLE: &str = "unreadable";
pub(super) const UNJUDGEABLE: &str = "unjudgeable";

pub(super) fn scopes(start_ms: i64, end_ms: i64) -> BTreeMap<String, ScopePair> {
    let scope = |name: &str| Scope {
        scope: name.to_owned(),
        location: "eu".to_owned(),
        window: Window::new(start_ms, end_ms).unwrap(),
        step_secs: 60,
        parameters: BTreeMap::new(),
    };
    let pair = ScopePair {
        baseline: scope("v1"),
        canary: scope("v2"),
    };
    BTreeMap::from([("default".to_owned(), pair)])
}

/// `[analyze]` of the past, as `POST /canary` asks for.
pub(super) fn canary(application: &str) -> Request {
    let stages = vec![Stage::Analyze(Analyze {
        number: 1,
        scopes: scopes(T0 - 10 * MINUTE, T0),
        comparison: None,
    })];
    request(application, Kind::Canary, stages)
}

/// `judgements` times wait and analyze, as a standalone analysis from `start_ms` on.
pub(super) fn analysis(application: &str, start_ms: i64, judgements: u32) -> Request {
    let mut stages = Vec::new();
    for number in 1..=judgements {
        let until_ms = start_ms + i64::from(number) * 5 * MINUTE;
        stages.push(Stage::Wait(Wait {
            name: format!("Interval Wait #{number}"),
            until: Until::Moment { until_ms },
        }));
        stages.push(Stage::Analyze(Analyze {
            number,
            scopes: scopes(start_ms, until_ms),
            comparison: None,
        }));
    }
    request(application, Kind::Analysis, stages)
}

fn request(application: &str, kind: Kind, stages: Vec<Stage>) -> Request {
    Request {
        kind,
        application: application.to_owned(),
        user: None,
        parent: None,
        config: Arc::new(CanaryConfig {
            name: Some("small".to_owned()),
            ..CanaryConfig::default()
        }),
        config_id: None,
        accounts: Accounts::default(),
        thresholds: ScoreThresholds {
            pass: Some(95.0),
            marginal: Some(75.0),
        },
        follows_verdict: false,
        stages,
        release: None,
        preempts: false,
        phases: Vec::new(),
        echo: serde_json::Value::Null,
    }
}

pub(super) fn failure(message: String) -> Failure {
    Failure {
        metric: Some(0),
        side: None,
        message,
        query: None,
        hint: None,
        passing: false,
    }
}

/// Answers at once. The canary of `BAD` is ten times the baseline, the series of `UNREADABLE` cannot be had, and those of
/// `UNJUDGEABLE` cannot be judged.
#[derive(Debug)]
pub(super) struct PlainAnalyst;

#[async_trait]
impl Analyst for PlainAnalyst {
    async fn collect(&self, task: &Task) -> Result<Collected, Vec<Failure>> {
        // A fetch takes its time: a step can be cut off in the middle of it.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        let factor = match task.application.as_str() {
            GOOD => 1.0,
            UNJUDGEABLE => 2.0,
            BAD => 10.0,
            other => {
                return Err(vec![failure(format!("`{other}` cannot be read"))]);
            }
        };
        let window = task.scopes["default"].baseline.window;
        let grid = Grid {
            start_ms: window.start_ms(),
            step_ms: 60_000,
        };
        let series = |factor: f64| {
            let points = [5.0, 7.0, 6.0, 5.5, 6.5, 7.5, 5.2, 6.1];
            Series::new(Some(grid), points.map(|point| Some(point * factor)))
        };
        Ok(Collected {
            bundle: Bundle {
                version: Bundle::VERSION,
                config: None,
                judge: judges::NAMES[0].to_owned(),
                judge_config: JudgeConfig {
                    metrics: vec![MetricSpec::new("latency", ["all"])],
                    group_weights: BTreeMap::new(),
                },
                thresholds: task.thresholds,
                sets: vec![MetricSetPair {
                    name: "latency".to_owned(),
                    id: "latency".to_owned(),
                    tags: BTreeMap::new(),
                    baseline: series(1.0),
                    canary: series(factor),
                }],
                history: Vec::new(),
                queries: Vec::new(),
            },
            told: Told::default(),
        })
    }

    fn judge(&self, bundle: &Bundle) -> Result<Judgement, Failure> {
        if bundle.sets[0].canary.values()[0] == Some(10.0) {
            return Err(failure("it cannot be judged".to_owned()));
        }
        let input = JudgeInput::new(&bundle.judge_config, bundle.thresholds, &bundle.sets).unwrap();
        Ok(judges::by_name(&bundle.judge).unwrap().judge(&input))
    }
}
