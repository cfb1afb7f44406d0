//! The plan that takes a finished release back.

use std::sync::Arc;

use super::found::{Found, PlanProblem, PlanRefusal};
use super::shares::scaled;
use super::site::serving;
use super::steps::{Receivers, Steps, enough};
use crate::config::release::spec::{Promotion, ReleaseSpec, Strategy};
use crate::model::release::cluster::{Capacity, GroupView, Share, Weights};
use crate::model::release::step::Step;
use crate::model::release::window::Windows;
use crate::stages::Stage;
use crate::stages::operate::{Operate, Purpose};
use crate::stages::plan::{Phase, Plan, PlannedTarget, PreviousGroup, Release};

/// One target that is taken back.
struct Return<'a> {
    found: &'a Found,
    planned: PlannedTarget,
    /// What serves again: as it is now, and with which sizes it will serve.
    back: Vec<(&'a GroupView, Capacity)>,
    /// Its shares.
    weights: Weights,
}

/// The plan that takes back a release that ended promoted: what served before and was kept is enabled, healthy, and has the
/// traffic again, then what took over is disabled. An ordinary plan without canary, judgement and windows. What is disabled
/// is kept as `spec.promotion.previous` says.
///
/// # Errors
/// All reasons why there is none: what served before is gone, what took over serves no more.
pub fn undo_of_finished(
    spec: &Arc<ReleaseSpec>,
    promoted: &Release,
    found: &[Found],
) -> Result<Plan, PlanRefusal> {
    let mut problems = Vec::new();
    let mut returns = Vec::new();
    if promoted.targets.len() != found.len() {
        problems.push(PlanProblem {
            target: None,
            message: format!(
                "{} targets were looked at, and the release had {}",
                found.len(),
                promoted.targets.len()
            ),
            hint: "look at all of them".to_owned(),
        });
    }
    for (target, found) in promoted.targets.iter().zip(found) {
        match read(target, found) {
            Ok(one) => returns.push(one),
            Err((message, hint)) => problems.push(PlanProblem {
                target: Some(target.name.clone()),
                message,
                hint: hint.to_owned(),
            }),
        }
    }
    let artifact = promoted
        .targets
        .iter()
        .find_map(|target| target.previous.first())
        .map(|group| group.artifact.clone());
    let Some(artifact) = artifact.filter(|_| problems.is_empty()) else {
        return Err(PlanRefusal { problems });
    };
    let spec = Arc::new(ReleaseSpec {
        artifact,
        canary: None,
        analysis: None,
        stages: None,
        windows: Windows::default(),
        promotion: Promotion {
            strategy: Strategy::RedBlack { pause_ms: 0 },
            previous: spec.promotion.previous.clone(),
        },
        ..spec.as_ref().clone()
    });
    let steps = steps(&spec, &returns);
    let operate = |purpose, steps| Stage::Operate(Operate { purpose, steps });
    Ok(Plan {
        stages: vec![
            operate(Purpose::Promote, steps),
            operate(Purpose::RollBack, Vec::new()),
            operate(Purpose::CleanUp, Vec::new()),
        ],
        phases: ["Roll back", "Take back", "Clean up"]
            .into_iter()
            .enumerate()
            .map(|(first, name)| Phase {
                name: name.to_owned(),
                first,
            })
            .collect(),
        release: Release {
            spec,
            targets: returns.into_iter().map(|one| one.planned).collect(),
        },
    })
}

fn read<'a>(
    target: &PlannedTarget,
    found: &'a Found,
) -> Result<Return<'a>, (String, &'static str)> {
    let view = &found.view;
    let next = target.next.as_ref().ok_or_else(|| {
        let message = "nothing was promoted there".to_owned();
        (message, "there is nothing to take back")
    })?;
    if target.previous.is_empty() {
        let message = format!("nothing served before `{next}`");
        return Err((message, "release an older version instead"));
    }
    let (serves, weights) = serving(view);
    if !serves.iter().any(|group| group.name == *next) {
        let message = format!("`{next}` serves no more, so that something else took over since");
        return Err((message, "take back the release that came after it"));
    }
    let bad = serves.iter().map(|group| group.capacity);
    let (bad_size, bad_max) = bad.fold((0_u32, 0_u32), |(desired, max), it| {
        (
            desired.saturating_add(it.desired),
            max.saturating_add(it.max),
        )
    });
    let whole: u64 = target
        .previous
        .iter()
        .map(|group| u64::from(group.capacity.desired))
        .sum();
    let mut back = Vec::new();
    for group in &target.previous {
        let now = view.group(&group.name).ok_or_else(|| {
            let message = format!("`{}`, which served before, is gone", group.name);
            (
                message,
                "release its version again; keep previous groups longer",
            )
        })?;
        // As large as what is taken back, in the part that it has, and never smaller than it is.
        let part = |size: u32| {
            let part = u64::from(size) * u64::from(group.capacity.desired);
            u32::try_from(part.div_ceil(whole.max(1))).unwrap_or(size)
        };
        let desired = part(bad_size).max(group.capacity.desired);
        let capacity = if found.abilities.scaling {
            Capacity {
                min: group.capacity.min.min(desired),
                desired,
                max: part(bad_max).max(group.capacity.max).max(desired),
            }
        } else {
            Capacity::fixed(desired)
        };
        back.push((now, capacity));
    }
    let previous = serves
        .iter()
        .filter(|group| !target.previous.iter().any(|it| it.name == group.name))
        .map(|group| PreviousGroup {
            name: group.name.clone(),
            artifact: group.artifact.clone(),
            capacity: group.capacity,
        });
    Ok(Return {
        planned: PlannedTarget {
            name: target.name.clone(),
            place: target.place.clone(),
            previous: previous.collect(),
            weights,
            baseline: None,
            canary: None,
            next: target.previous.first().map(|group| group.name.clone()),
            observed: view.clone(),
        },
        found,
        back,
        weights: scaled(Share::ALL, &target.weights),
    })
}

fn steps(spec: &ReleaseSpec, returns: &[Return<'_>]) -> Vec<Step> {
    let each = |of: &dyn Fn(&Return<'_>, Steps<'_>) -> Vec<Step>| -> Vec<Step> {
        returns
            .iter()
            .flat_map(|one| {
                let make = Steps {
                    place: &one.planned.place,
                    limits: &spec.limits,
                };
                of(one, make)
            })
            .collect()
    };
    let mut steps = each(&|one, make| {
        let mut steps = Vec::new();
        for (group, capacity) in &one.back {
            if group.expires_ms.is_some() {
                steps.push(make.expire(&group.name, None));
            }
            if !group.enabled {
                steps.push(make.enable(&group.name));
            }
            if group.capacity != capacity.pinned() {
                steps.push(make.resize(&group.name, group.capacity, capacity.pinned()));
            }
        }
        steps
    });
    steps.extend(each(&|one, make| {
        let size = |capacity: &Capacity| capacity.desired;
        one.back
            .iter()
            .filter(|(_, capacity)| size(capacity) > 0)
            .map(|(group, capacity)| {
                make.await_healthy(&group.name, enough(size(capacity)), size(capacity))
            })
            .collect()
    }));
    steps.extend(each(&|one, make| {
        let router = one.found.view.router.as_ref();
        let now = router
            .map(|router| router.weights.clone())
            .unwrap_or_default();
        if now == one.weights {
            return Vec::new();
        }
        vec![make.traffic(Receivers::Before(&one.weights), &now, one.weights.clone())]
    }));
    steps.extend(each(&|one, make| {
        one.planned
            .previous
            .iter()
            .map(|group| make.disable(&group.name, "kept"))
            .collect()
    }));
    steps.extend(each(&|one, make| {
        one.back
            .iter()
            .filter(|(_, capacity)| *capacity != capacity.pinned())
            .map(|(group, capacity)| make.resize(&group.name, capacity.pinned(), *capacity))
            .collect()
    }));
    steps
}
