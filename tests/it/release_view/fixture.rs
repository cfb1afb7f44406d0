//! A release of `search` from 5.3.2 to 5.4.0 by 5 %, 25 %, a question, 50 % and 100 %, and what happens to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use coalmine::config::canary::wire::CanaryConfig;
use coalmine::config::release::spec::{
    AnalysisSpec, AskSpec, CleanupSpec, Consequence, Consequences, GuardSpec, Limits, Previous,
    Promotion, ReleaseSpec, Strategy, Target, WithoutAnswer,
};
use coalmine::executions::command::Command;
use coalmine::executions::event::Event;
use coalmine::executions::release::desk::{Look, Note};
use coalmine::executions::release::event::{Hold, ReleaseEvent};
use coalmine::executions::request::Request;
use coalmine::executions::state::State;
use coalmine::model::ids::ExecutionId;
use coalmine::model::release::alike::Alike;
use coalmine::model::release::cluster::{
    Artifact, Capacity, GroupView, Health, InstanceView, Place, Role, RouterView, Share, Template,
    View, Weights,
};
use coalmine::model::release::names::{ClusterName, GroupName};
use coalmine::model::release::operation::{Change, Operation};
use coalmine::model::release::step::Step;
use coalmine::model::release::window::Windows;
use coalmine::stages::Stage;
use coalmine::stages::analyze::{Analyze, Outcome};
use coalmine::stages::approve::Approve;
use coalmine::stages::operate::{Operate, Purpose, StepState};
use coalmine::stages::plan::{Comparison, Phase, Plan, PlannedTarget, PreviousGroup, Release};
use coalmine::stages::wait::{Until, Wait};
use coalmine_judges::config::{Direction, JudgeConfig, MetricSpec, Thresholds};
use coalmine_judges::judge::JudgeInput;
use coalmine_judges::judgement::{Judgement, ScoreLabel, Verdict};
use coalmine_judges::judges;
use coalmine_judges::series::{Grid, MetricSetPair, Series};

/// 2026-03-12T12:04:00Z.
pub(crate) const START: i64 = 1_773_317_040_000;
pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const ID: &str = "01KKJ5Q2E8ZV3M4T6R2C81WXYZ";
/// Places of stages.
pub(crate) const PREPARE: usize = 0;
pub(crate) const FIRST_TRAFFIC: usize = 1;
pub(crate) const GROW: usize = 6;
pub(crate) const QUESTION: usize = 13;

fn group(detail: Option<&str>, number: u32) -> GroupName {
    ClusterName::of("search", None, detail)
        .unwrap()
        .group(number)
}

pub(crate) fn place(location: &str) -> Place {
    Place {
        account: "shop".to_owned(),
        location: location.to_owned(),
        cluster: ClusterName::parse("search").unwrap(),
    }
}

fn share(percent: u32) -> Share {
    Share::new(percent * 100).unwrap()
}

fn artifact(version: &str) -> Artifact {
    Artifact {
        version: version.to_owned(),
        reference: format!("search:{version}"),
    }
}

/// The weights with so many percent on each of baseline and canary.
fn weights(percent: u32) -> Weights {
    let mut weights = BTreeMap::from([(group(None, 229), share(100 - 2 * percent))]);
    if percent > 0 {
        weights.insert(group(Some("baseline"), 231), share(percent));
        weights.insert(group(Some("canary"), 232), share(percent));
    }
    weights
}

fn step(change: Change, sentence: &str, before: &str, after: &str) -> Step {
    let undo = match &change {
        Change::CreateGroup { group, .. } => Some(Change::DeleteGroup {
            group: group.clone(),
        }),
        Change::SetTraffic { .. } => Some(Change::SetTraffic {
            weights: weights(0),
        }),
        Change::Resize { group, .. } => Some(Change::Resize {
            group: group.clone(),
            capacity: Capacity::fixed(3),
        }),
        Change::OpenRouter { .. }
        | Change::AwaitHealthy { .. }
        | Change::Enable { .. }
        | Change::Disable { .. }
        | Change::SetExpiry { .. }
        | Change::DeleteGroup { .. } => None,
    };
    Step {
        operation: Operation {
            place: place("eu-west-1"),
            change,
        },
        sentence: sentence.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
        expect: None,
        undo,
        longest_ms: 600_000,
    }
}

fn create(group: GroupName, role: Role, version: &str, size: u32) -> Step {
    let sentence = format!("Create {}", group.as_str());
    let change = Change::CreateGroup {
        group,
        role,
        artifact: artifact(version),
        template: Template(serde_json::json!({})),
        capacity: Capacity::fixed(size),
        lives_ms: None,
    };
    step(change, &sentence, "0", &format!("{size} instances"))
}

fn resize(group: GroupName, size: u32) -> Step {
    let sentence = format!("Resize {}", group.as_str());
    let capacity = Capacity::fixed(size);
    let change = Change::Resize { group, capacity };
    step(change, &sentence, "3", &format!("{size} instances"))
}

fn healthy(group: GroupName, instances: u32) -> Step {
    let sentence = format!("Wait until {} is healthy", group.as_str());
    let change = Change::AwaitHealthy { group, instances };
    step(change, &sentence, "", &format!("{instances} up"))
}

fn traffic(weights: Weights, sentence: &str, before: &str, after: &str) -> Step {
    step(Change::SetTraffic { weights }, sentence, before, after)
}

fn operate(purpose: Purpose, steps: Vec<Step>) -> Stage {
    Stage::Operate(Operate { purpose, steps })
}

fn analyze(number: u32, in_block: u32, of_block: u32) -> Stage {
    Stage::Analyze(Analyze {
        number,
        scopes: BTreeMap::new(),
        comparison: Some(Comparison {
            target: 0,
            baseline: group(Some("baseline"), 231),
            canary: group(Some("canary"), 232),
            in_block,
            of_block,
            after_ms: u64::from(in_block) * 900_000,
            look_back_ms: None,
            step_secs: 60,
            alike: Alike::Wholly,
        }),
    })
}

pub(crate) fn spec() -> ReleaseSpec {
    ReleaseSpec {
        application: "search".to_owned(),
        targets: vec![Target {
            name: "eu-west-1".to_owned(),
            place: place("eu-west-1"),
            template: None,
            size: None,
            router: None,
        }],
        artifact: artifact("5.4.0"),
        canary: None,
        analysis: Some(AnalysisSpec {
            config: Arc::new(CanaryConfig::default()),
            source: None,
            warm_up_ms: 300_000,
            interval_ms: 900_000,
            look_back_ms: None,
            step_secs: 60,
            thresholds: Thresholds {
                pass: 90.0,
                marginal: 75.0,
            },
            errors: 1,
            inconclusive: 1,
        }),
        on: Consequences {
            pass: Consequence::Promote,
            marginal: Consequence::Ask,
            inconclusive: Consequence::Ask,
        },
        ask: AskSpec {
            deadline_ms: 1_800_000,
            without_answer: WithoutAnswer::RollBack,
            instructions: String::new(),
            who: Vec::new(),
        },
        promotion: Promotion {
            strategy: Strategy::RollingRedBlack {
                shares: vec![share(50), share(100)],
                pause_ms: 0,
                judgements: 0,
            },
            previous: Previous {
                keep_ms: 86_400_000,
                scale_down: false,
            },
        },
        windows: Windows::default(),
        guard: GuardSpec {
            least_share: share(90),
            least_instances: 1,
        },
        cleanup: CleanupSpec::default(),
        limits: Limits {
            release_ms: 28_800_000,
            healthy_ms: 600_000,
            operation_ms: 600_000,
            lock_ms: 3_600_000,
        },
        stages: None,
    }
}

pub(crate) fn plan() -> Plan {
    let (baseline, canary) = (group(Some("baseline"), 231), group(Some("canary"), 232));
    let (old, next) = (group(None, 229), group(None, 233));
    let both = "Traffic to baseline and canary";
    let to_next = "Traffic to search-v233";
    let half = BTreeMap::from([(old.clone(), share(50)), (next.clone(), share(50))]);
    let all = BTreeMap::from([(next.clone(), share(100))]);
    let mut stages = vec![
        operate(
            Purpose::Deploy,
            vec![
                create(baseline.clone(), Role::Baseline, "5.3.2", 3),
                create(canary.clone(), Role::Canary, "5.4.0", 3),
                healthy(canary.clone(), 3),
            ],
        ),
        operate(
            Purpose::Deploy,
            vec![traffic(weights(5), both, "0%", "5% each")],
        ),
        Stage::Wait(Wait {
            name: "Warm-up".to_owned(),
            until: Until::After { after_ms: 300_000 },
        }),
    ];
    stages.extend((1..=3).map(|number| analyze(number, number, 3)));
    stages.push(operate(
        Purpose::Deploy,
        vec![
            resize(baseline.clone(), 8),
            resize(canary.clone(), 8),
            traffic(weights(25), both, "5%", "25% each"),
        ],
    ));
    stages.extend((1..=6).map(|number| analyze(number + 3, number, 6)));
    stages.push(Stage::Approve(Approve {
        when: vec![Verdict::Marginal, Verdict::Inconclusive],
        instructions: "If p99 is above +20% or grows, roll back.".to_owned(),
        who: vec!["search-team".to_owned(), "on-call".to_owned()],
        deadline_ms: 1_800_000,
        without_answer: WithoutAnswer::RollBack,
    }));
    stages.push(operate(
        Purpose::Promote,
        vec![
            create(next.clone(), Role::Production, "5.4.0", 40),
            traffic(half, to_next, "0%", "50%"),
        ],
    ));
    stages.push(operate(
        Purpose::Promote,
        vec![traffic(all, to_next, "50%", "100%")],
    ));
    stages.push(operate(Purpose::RollBack, Vec::new()));
    stages.push(operate(Purpose::CleanUp, Vec::new()));
    let phases = [
        ("Prepare", 0),
        ("5%", 1),
        ("25%", 6),
        ("Decision", 13),
        ("50%", 14),
        ("100%", 15),
        ("Clean up", 16),
    ];
    Plan {
        release: Release {
            spec: Arc::new(spec()),
            targets: vec![PlannedTarget {
                name: "eu-west-1".to_owned(),
                place: place("eu-west-1"),
                previous: vec![PreviousGroup {
                    name: old.clone(),
                    artifact: artifact("5.3.2"),
                    capacity: Capacity::fixed(40),
                }],
                weights: weights(0),
                baseline: Some(baseline),
                canary: Some(canary),
                next: Some(next),
                observed: view(&weights(0), &[served(None, 229, "5.3.2", 40)], 0),
            }],
        },
        stages,
        phases: phases
            .map(|(name, first)| Phase {
                name: name.to_owned(),
                first,
            })
            .to_vec(),
    }
}

/// A server group of which all instances are up.
pub(crate) fn served(detail: Option<&str>, number: u32, version: &str, size: u32) -> GroupView {
    let instance = |number: u32| InstanceView {
        id: format!("{}-{number}", detail.unwrap_or("production")),
        health: Health::Up,
        registered: true,
        started_ms: START,
        restarts: 0,
        zone: "a".to_owned(),
        metrics_url: None,
        last_output: Vec::new(),
    };
    GroupView {
        name: group(detail, number),
        role: match detail {
            Some("canary") => Role::Canary,
            Some("baseline") => Role::Baseline,
            _ => Role::Production,
        },
        owner: None,
        artifact: artifact(version),
        template: Template(serde_json::json!({})),
        capacity: Capacity::fixed(size),
        enabled: true,
        in_flight: None,
        instances: (0..size).map(instance).collect(),
        created_ms: START,
        expires_ms: None,
    }
}

/// What is there `after_min` minutes after the start.
pub(crate) fn view(weights: &Weights, groups: &[GroupView], after_min: i64) -> View {
    View {
        place: place("eu-west-1"),
        groups: groups.to_vec(),
        router: Some(RouterView {
            address: "127.0.0.1:8080".to_owned(),
            weights: weights.clone(),
            measured: BTreeMap::new(),
            requests: 0,
            failed: 0,
        }),
        fencing: 0,
        observed_ms: START + after_min * MINUTE - 13_000,
    }
}

pub(crate) fn canary_and_baseline(size: u32) -> Vec<GroupView> {
    vec![
        served(Some("baseline"), 231, "5.3.2", size),
        served(Some("canary"), 232, "5.4.0", size),
        served(None, 229, "5.3.2", 40),
    ]
}

pub(crate) fn weighted(percent: u32) -> Weights {
    weights(percent)
}

/// A release to which things happen.
pub(crate) struct Story {
    pub(crate) state: State,
    /// What happened, and when.
    pub(crate) journal: Vec<(i64, Event)>,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) now: i64,
}

impl Story {
    /// It was accepted.
    pub(crate) fn new() -> Self {
        Self::of(plan())
    }

    pub(crate) fn of(plan: Plan) -> Self {
        let request = Box::new(Request::of_plan(plan, Some("search-team".to_owned())));
        let state = State::accepted(ExecutionId::new(ID), request.clone(), START);
        Self {
            state,
            journal: vec![(START, Event::Accepted { request })],
            now: START,
        }
    }

    pub(crate) fn happens(&mut self, event: &Event) {
        let state = self.state.clone();
        self.state = state.apply(event, self.now).unwrap();
        self.journal.push((self.now, event.clone()));
    }

    pub(crate) fn release(&mut self, event: ReleaseEvent) {
        self.happens(&Event::Release(event));
    }

    pub(crate) fn later(&mut self, minutes: i64) -> &mut Self {
        self.now += minutes * MINUTE;
        self
    }

    pub(crate) fn locked(&mut self) -> &mut Self {
        let fencing = BTreeMap::from([("search".to_owned(), 7)]);
        self.release(ReleaseEvent::LocksTaken { fencing });
        self
    }

    pub(crate) fn held(&mut self, hold: Hold, why: &str, minutes: i64) -> &mut Self {
        self.release(ReleaseEvent::HeldUp {
            step: None,
            hold,
            why: why.to_owned(),
            until_ms: self.now + minutes * MINUTE,
        });
        self
    }

    /// Settles the steps of a stage, and does the first `count` of them, each in a minute.
    pub(crate) fn operates(&mut self, stage: usize, steps: Option<Vec<Step>>, count: usize) {
        let planned = match &self.state.request.stages[stage] {
            Stage::Operate(operate) => operate.steps.clone(),
            Stage::Wait(_) | Stage::Analyze(_) | Stage::Approve(_) => {
                panic!("stage {stage} has no operations")
            }
        };
        let steps = steps.unwrap_or(planned);
        let settled = self
            .state
            .operations()
            .any(|(at, _, it)| at == stage && it.steps.is_some());
        if !settled {
            self.release(ReleaseEvent::StepsSettled { stage, steps });
        }
        for step in 0..count {
            self.intends(stage, step);
            self.later(1);
            self.release(ReleaseEvent::OperationDone { stage, step });
        }
    }

    pub(crate) fn intends(&mut self, stage: usize, step: usize) {
        self.release(ReleaseEvent::OperationIntended {
            stage,
            step,
            deadline_ms: self.now + 10 * MINUTE,
            guard: String::new(),
        });
    }

    pub(crate) fn waits(&mut self, stage: usize, minutes: i64) {
        self.happens(&Event::WaitStarted { stage });
        self.later(minutes);
        self.happens(&Event::WaitEnded { stage });
    }

    /// Opens a judgement's window of a quarter of an hour.
    pub(crate) fn opens(&mut self, stage: usize) {
        self.release(ReleaseEvent::WindowOpened {
            differences: Vec::new(),
            stage,
            scopes: BTreeMap::new(),
            until_ms: self.now + 15 * MINUTE,
        });
    }

    pub(crate) fn judged(&mut self, stage: usize, verdict: Verdict, score: f64) {
        self.opens(stage);
        self.later(15);
        self.happens(&Event::CollectionStarted { stage });
        self.happens(&Event::Collected {
            stage,
            bundle_id: "b".repeat(64),
            told: coalmine::archive::bundle::Told::default(),
        });
        self.happens(&Event::Judged {
            stage,
            outcome: Outcome {
                verdict,
                score,
                moved_score: None,
                label: ScoreLabel::Pass,
                headline: match verdict {
                    Verdict::Pass => String::new(),
                    Verdict::Marginal | Verdict::Inconclusive | Verdict::Fail => {
                        "search-p99 rose by 17.1% [11.2, 23.4]".to_owned()
                    }
                },
                fewest_baseline_points: Some(15),
            },
        });
    }

    /// Up to the traffic of 5 %, and its three judgements.
    pub(crate) fn passed_the_first_step(&mut self) {
        self.locked();
        self.operates(PREPARE, None, 3);
        self.operates(FIRST_TRAFFIC, None, 1);
        self.waits(2, 5);
        for stage in 3..6 {
            self.judged(stage, Verdict::Pass, 100.0);
        }
    }

    /// Up to the traffic of 25 %.
    pub(crate) fn grew(&mut self) {
        self.passed_the_first_step();
        self.operates(GROW, None, 3);
    }

    pub(crate) fn asked(&mut self) {
        self.release(ReleaseEvent::Asked {
            stage: QUESTION,
            deadline_ms: self.now + 30 * MINUTE,
        });
    }

    /// What the pure transition says is to be recorded, as long as it does.
    pub(crate) fn follows(&mut self) {
        while let Command::Record(event) = self.state.command() {
            self.happens(&event);
        }
    }

    /// It is decided, takes back `back`, cleans up, and ends.
    pub(crate) fn ends(&mut self, back: Vec<Step>) {
        self.follows();
        if self.state.late_stage(Purpose::RollBack) == self.state.current() {
            let count = back.len();
            self.operates(16, Some(back), count);
        }
        let cleanup = vec![removal(Some("canary"), 232), removal(Some("baseline"), 231)];
        self.operates(17, Some(cleanup), 2);
        self.follows();
        assert!(self.state.end.is_some(), "{:?}", self.state.command());
    }

    pub(crate) fn look(&self, views: Vec<View>) -> Look {
        let touched = self
            .state
            .operations()
            .any(|(_, _, at)| at.at.iter().any(|it| !matches!(it, StepState::Waiting)));
        Look {
            state: self.state.clone(),
            views,
            unseen: BTreeMap::new(),
            judgement: None,
            rollback: if touched { way_back() } else { Vec::new() },
            notes: Vec::new(),
        }
    }
}

pub(crate) fn removal(detail: Option<&str>, number: u32) -> Step {
    let group = group(detail, number);
    let sentence = format!("Remove {}", group.as_str());
    step(Change::DeleteGroup { group }, &sentence, "8", "0 instances")
}

pub(crate) fn way_back() -> Vec<Step> {
    vec![
        traffic(weights(0), "Traffic to search-v229", "50%", "100%"),
        removal(Some("canary"), 232),
        removal(Some("baseline"), 231),
    ]
}

pub(crate) fn note(what: &str, sentence: &str) -> Note {
    Note {
        holds: false,
        what: what.to_owned(),
        sentence: sentence.to_owned(),
    }
}

/// A judgement in which two of four metrics are out of tolerance, and one has no data.
pub(crate) fn judgement() -> Judgement {
    let grid = Grid {
        start_ms: START,
        step_ms: 60_000,
    };
    let series = |factor: f64, points: u32| {
        let value = |index: u32| factor * (100.0 + f64::from((index * 7) % 13));
        Series::new(Some(grid), (0..points).map(|index| Some(value(index))))
    };
    let metric = |name: &str| MetricSpec {
        direction: Direction::Either,
        ..MetricSpec::new(name, ["all"])
    };
    let names = ["search-p99", "zero-result-share", "index-lag", "cpu"];
    let factors = [1.171, 1.074, 1.0, 1.0];
    let sets: Vec<MetricSetPair> = names
        .iter()
        .zip(factors)
        .map(|(name, factor)| MetricSetPair {
            name: (*name).to_owned(),
            id: (*name).to_owned(),
            tags: BTreeMap::new(),
            baseline: series(1.0, 60),
            canary: series(factor, if *name == "index-lag" { 0 } else { 60 }),
        })
        .collect();
    let config = JudgeConfig {
        metrics: names.iter().map(|name| metric(name)).collect(),
        group_weights: BTreeMap::new(),
    };
    let thresholds = spec().analysis.unwrap().thresholds;
    let input = JudgeInput::new(&config, thresholds, &sets).unwrap();
    judges::by_name(judges::NAMES[0]).unwrap().judge(&input)
}
