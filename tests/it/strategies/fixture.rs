//! Specs and places to plan for.

use std::sync::Arc;

use coalmine::config::canary::wire::CanaryConfig;
use coalmine::config::release::spec::{
    AnalysisSpec, AskSpec, CanarySpec, CanaryStep, CleanupSpec, Consequence, Consequences,
    GuardSpec, Limits, Previous, Promotion, ReleaseSpec, Strategy, Target, WithoutAnswer,
};
use coalmine::drivers::Abilities;
use coalmine::model::ids::ExecutionId;
use coalmine::model::release::cluster::{
    Artifact, Capacity, GroupView, Health, InstanceView, Owner, Place, Role, RouterView, Share,
    Template, View, Weights,
};
use coalmine::model::release::names::{ClusterName, GroupName};
use coalmine::model::release::window::Windows;
use coalmine::strategies::Found;
use serde_json::json;

pub(crate) const MINUTE: u64 = 60_000;
pub(crate) const HOUR: u64 = 60 * MINUTE;

pub(crate) fn percent(percent: u32) -> Share {
    Share::new(percent * 100).unwrap()
}

pub(crate) fn name(text: &str) -> GroupName {
    GroupName::parse(text).unwrap()
}

pub(crate) fn place(location: &str) -> Place {
    Place {
        account: "production".to_owned(),
        location: location.to_owned(),
        cluster: ClusterName::parse("search").unwrap(),
    }
}

pub(crate) fn artifact(version: &str) -> Artifact {
    Artifact {
        version: version.to_owned(),
        reference: format!("registry/search:{version}"),
    }
}

pub(crate) fn template() -> Template {
    Template(json!({"command": ["search", "--port", "{port}"]}))
}

/// All that a driver can do.
pub(crate) const ABLE: Abilities = Abilities {
    shares: true,
    scaling: true,
    native_rollout: true,
};

/// A target that copies what runs there.
pub(crate) fn target(location: &str) -> Target {
    Target {
        name: location.to_owned(),
        place: place(location),
        template: None,
        size: None,
        router: None,
    }
}

/// Two sizes of a canary, judged three and six times, then promoted by rolling over in two steps.
pub(crate) fn spec() -> ReleaseSpec {
    ReleaseSpec {
        application: "search".to_owned(),
        targets: vec![target("eu-west-1")],
        artifact: artifact("5.4.0"),
        canary: Some(CanarySpec {
            steps: vec![
                CanaryStep {
                    share: percent(5),
                    size: 3,
                    judgements: 3,
                },
                CanaryStep {
                    share: percent(25),
                    size: 8,
                    judgements: 6,
                },
            ],
        }),
        analysis: Some(AnalysisSpec {
            config: Arc::new(CanaryConfig::default()),
            source: None,
            warm_up_ms: 10 * MINUTE,
            interval_ms: 15 * MINUTE,
            look_back_ms: None,
            step_secs: 60,
            thresholds: coalmine_judges::config::Thresholds::default(),
            errors: 1,
            inconclusive: 2,
        }),
        on: Consequences {
            pass: Consequence::Promote,
            marginal: Consequence::Ask,
            inconclusive: Consequence::Ask,
        },
        ask: AskSpec {
            deadline_ms: 30 * MINUTE,
            without_answer: WithoutAnswer::RollBack,
            instructions: "look at search p99".to_owned(),
            who: vec!["search-team".to_owned()],
        },
        promotion: Promotion {
            strategy: rolling(&[50, 100], 4),
            previous: Previous {
                keep_ms: 24 * HOUR,
                scale_down: false,
            },
        },
        windows: Windows::default(),
        guard: GuardSpec {
            least_share: percent(50),
            least_instances: 1,
        },
        cleanup: CleanupSpec { delay_ms: 0 },
        limits: Limits {
            release_ms: 8 * HOUR,
            healthy_ms: 10 * MINUTE,
            operation_ms: 2 * MINUTE,
            lock_ms: 10 * MINUTE,
        },
        stages: None,
    }
}

pub(crate) fn rolling(shares: &[u32], judgements: u32) -> Strategy {
    Strategy::RollingRedBlack {
        shares: shares.iter().map(|it| percent(*it)).collect(),
        pause_ms: 0,
        judgements,
    }
}

/// A spec without canary that promotes so.
pub(crate) fn promoting(strategy: Strategy) -> ReleaseSpec {
    let mut spec = spec();
    spec.canary = None;
    let judges = matches!(
        strategy,
        Strategy::RollingRedBlack {
            judgements: 1..,
            ..
        }
    );
    spec.analysis = spec.analysis.filter(|_| judges);
    spec.promotion.strategy = strategy;
    spec
}

pub(crate) fn instance(id: String, health: Health) -> InstanceView {
    InstanceView {
        id,
        health,
        registered: health == Health::Up,
        started_ms: 0,
        restarts: 0,
        zone: String::new(),
        metrics_url: None,
        last_output: Vec::new(),
    }
}

/// A group of production with all its instances up.
pub(crate) fn group(text: &str, capacity: Capacity) -> GroupView {
    let name = name(text);
    GroupView {
        role: Role::Production,
        owner: Some(Owner {
            execution: ExecutionId::new("earlier"),
            operation: "0".to_owned(),
            installation: None,
        }),
        artifact: artifact("5.3.2"),
        template: template(),
        capacity,
        enabled: true,
        in_flight: None,
        instances: (0..capacity.desired)
            .map(|number| instance(format!("{name}-{number}"), Health::Up))
            .collect(),
        created_ms: i64::from(name.number()),
        expires_ms: None,
        name,
    }
}

/// A place where these groups have these shares, in percent; a share of 0 is none.
pub(crate) fn found_at(location: &str, groups: Vec<(GroupView, u32)>) -> Found {
    let weights: Weights = groups
        .iter()
        .filter(|(_, share)| *share > 0)
        .map(|(group, share)| (group.name.clone(), percent(*share)))
        .collect();
    let router = (!groups.is_empty()).then(|| RouterView {
        address: "127.0.0.1:8080".to_owned(),
        weights,
        measured: Weights::new(),
        requests: 0,
        failed: 0,
    });
    Found {
        view: View {
            place: place(location),
            groups: groups.into_iter().map(|(group, _)| group).collect(),
            router,
            fencing: 0,
            observed_ms: 0,
        },
        abilities: ABLE,
    }
}

/// `search-v229` with 40 instances that serves, and its predecessor that does not.
pub(crate) fn found() -> Found {
    let mut old = group("search-v228", Capacity::fixed(4));
    old.enabled = false;
    let live = group("search-v229", Capacity::fixed(40));
    found_at("eu-west-1", vec![(old, 0), (live, 100)])
}

/// A place where nothing is.
pub(crate) fn empty(location: &str) -> Found {
    found_at(location, Vec::new())
}
