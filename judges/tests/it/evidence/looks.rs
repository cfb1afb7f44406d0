//! Repeated looks at one canary.

use std::collections::BTreeMap;

use coalmine_judges::config::{Direction, JudgeConfig, MetricSpec, Thresholds};
use coalmine_judges::evidence::result::{EvidenceReason, TestKind};
use coalmine_judges::judge::{Judge, JudgeInput, Looks};
use coalmine_judges::judgement::{Classification, Judgement, Reason, Verdict};
use coalmine_judges::judges::coalmine_v1::CoalmineJudge;
use coalmine_judges::sequential::EvidenceState;
use coalmine_judges::series::{Grid, HistorySeries, MetricSetPair, Series};

use super::noise::Chance;

/// A canary that is looked at while its data comes in; the baseline's history is twelve hours.
struct Watched {
    config: JudgeConfig,
    sets: Vec<MetricSetPair>,
    history: Vec<HistorySeries>,
}

fn at(start_minute: i64, values: Vec<f64>) -> Series {
    let grid = Grid {
        start_ms: start_minute * 60_000,
        step_ms: 60_000,
    };
    Series::new(Some(grid), values.into_iter().map(Some))
}

fn noise(seed: u64, n: usize, level: f64) -> Vec<f64> {
    let noise = Chance(seed).autoregressive(n, 0.3);
    noise.into_iter().map(|z| level * (0.1 * z).exp()).collect()
}

/// Latency that is `times` the baseline's, and errors that are `more` times as many as 5 a minute.
fn watched(times: f64, more: f64) -> Watched {
    let mut chance = Chance(77);
    let mut errors = |rate: f64| (0..60).map(|_| chance.poisson(rate)).collect::<Vec<f64>>();
    let set = |name: &str, baseline: Vec<f64>, canary: Vec<f64>| MetricSetPair {
        name: name.to_owned(),
        id: name.to_owned(),
        tags: BTreeMap::new(),
        baseline: at(0, baseline),
        canary: at(0, canary),
    };
    let counted = MetricSpec {
        direction: Direction::Increase,
        ..MetricSpec::new("errors", ["errors"])
    };
    Watched {
        config: JudgeConfig {
            metrics: vec![MetricSpec::new("latency", ["latency"]), counted],
            ..JudgeConfig::default()
        },
        sets: vec![
            set("latency", noise(1, 60, 100.0), noise(2, 60, times * 100.0)),
            set("errors", errors(5.0), errors(5.0 * more)),
        ],
        history: vec![HistorySeries {
            name: "latency".to_owned(),
            tags: BTreeMap::new(),
            series: at(-720, noise(3, 720, 100.0)),
        }],
    }
}

impl Watched {
    fn look(&self, from: usize, to: usize, looks: Looks<'_>) -> Judgement {
        let part = |series: &Series| {
            at(
                from as i64,
                series.present().skip(from).take(to - from).collect(),
            )
        };
        let sets: Vec<MetricSetPair> = self
            .sets
            .iter()
            .map(|set| MetricSetPair {
                baseline: part(&set.baseline),
                canary: part(&set.canary),
                ..set.clone()
            })
            .collect();
        let input = JudgeInput::new(&self.config, Thresholds::default(), &sets)
            .unwrap()
            .with_history(&self.history)
            .with_looks(looks);
        CoalmineJudge.judge(&input)
    }

    /// Looks every five minutes at all that there is, through a state that is written and read in between.
    fn all_looks(&self) -> Vec<Judgement> {
        let mut carried: Option<EvidenceState> = None;
        (1..=12)
            .map(|look| {
                let looks = Looks::Repeated {
                    carried: carried.as_ref(),
                    last: look == 12,
                };
                let judgement = self.look(0, look * 5, looks);
                let text = serde_json::to_string(&judgement.evidence).unwrap();
                carried = serde_json::from_str(&text).unwrap();
                assert_eq!(carried, judgement.evidence);
                judgement
            })
            .collect()
    }
}

fn last_log_e(judgement: &Judgement) -> f64 {
    judgement
        .evidence
        .as_ref()
        .unwrap()
        .line
        .last()
        .unwrap()
        .log_e
}

#[test]
fn a_healthy_canary_keeps_its_score_and_passes_before_the_end() {
    let looks = watched(1.0, 1.0).all_looks();
    let line = &looks[11].evidence.as_ref().unwrap().line;
    assert_eq!(line.len(), 12);
    assert!(line.iter().all(|point| point.score > 50.0), "{line:?}");
    assert!(
        looks
            .iter()
            .all(|look| look.results.iter().all(|r| !r.classification.failed()))
    );
    assert!(looks[..11].iter().any(|look| look.verdict == Verdict::Pass));
    assert_eq!(looks[11].verdict, Verdict::Pass);
    assert_eq!(looks[0].verdict, Verdict::Inconclusive);
}

#[test]
fn a_bad_canary_is_stopped_early_and_its_culprit_is_named() {
    for (times, more, culprit) in [(1.4, 1.0, 0), (1.0, 4.0, 1)] {
        let looks = watched(times, more).all_looks();
        let stopped = looks
            .iter()
            .position(|look| look.results[culprit].classification == Classification::High)
            .unwrap();
        assert!(stopped < 8, "look {stopped}");
        assert_eq!(
            looks[stopped].results[culprit].reason,
            Reason::Evidence {
                finding: EvidenceReason::Proven {
                    test: TestKind::Sequential
                }
            }
        );
        let line = &looks[stopped].evidence.as_ref().unwrap().line;
        assert_eq!(line.last().unwrap().score, 0.0);
        assert!(!looks[stopped].results[1 - culprit].classification.failed());
    }
}

#[test]
fn it_does_not_matter_whether_a_look_sees_all_points_or_only_the_new_ones() {
    let watched = watched(1.1, 1.5);
    let grown = watched.all_looks();
    let mut carried: Option<EvidenceState> = None;
    for look in 1..=12 {
        let looks = Looks::Repeated {
            carried: carried.as_ref(),
            last: false,
        };
        // One point of the look before, so that the point after it has its neighbour.
        carried = watched
            .look((look * 5_usize).saturating_sub(6), look * 5, looks)
            .evidence;
    }
    let (all, slid) = (grown[11].evidence.as_ref().unwrap(), carried.unwrap());
    for (name, metric) in &all.metrics {
        assert!(
            (metric.log_e - slid.metrics[name].log_e).abs() < 1e-9,
            "{name}: {metric:?}"
        );
    }
}

#[test]
fn the_same_look_twice_adds_nothing() {
    let watched = watched(1.3, 1.0);
    let once = watched.look(
        0,
        20,
        Looks::Repeated {
            carried: None,
            last: false,
        },
    );
    let carried = once.evidence.as_ref();
    let twice = watched.look(
        0,
        20,
        Looks::Repeated {
            carried,
            last: false,
        },
    );
    assert_eq!(last_log_e(&once), last_log_e(&twice));
    assert_eq!(twice.evidence.as_ref().unwrap().looks, 2);
}
