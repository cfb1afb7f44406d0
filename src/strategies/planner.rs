//! The plan of a release.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::build::Builder;
use super::found::{Found, PlanProblem, PlanRefusal};
use super::site::{Intent, Site};
use crate::config::release::spec::{Consequence, ReleaseSpec, StageSpec, Strategy};
use crate::model::release::alike::Alike;
use crate::model::release::cluster::Share;
use crate::stages::Stage;
use crate::stages::plan::Plan;

/// The plan of `spec`, from what was found at each of its targets, in their order.
///
/// Where nothing serves yet, there is nothing to compare with: such a target gets its server group when the others are
/// promoted, and [`notes`] says so.
///
/// # Errors
/// All reasons why there is none.
pub fn plan(spec: &Arc<ReleaseSpec>, found: &[Found]) -> Result<Plan, PlanRefusal> {
    let mut problems = problems_of_spec(spec, found);
    let intent = intent(spec);
    let mut sites = Vec::new();
    for (target, found) in spec.targets.iter().zip(found) {
        match Site::read(spec, target, found, intent) {
            Ok(site) => sites.push(site),
            Err(more) => problems.extend(more),
        }
    }
    let compares = sites.iter().any(|site| site.sides().is_some());
    if problems.is_empty() && !intent.promotes && !compares {
        problems.push(problem(
            "nothing would be done: nothing is promoted, and nothing serves that a canary could be compared with",
            "choose a strategy that promotes for the first deployment",
        ));
    }
    if !problems.is_empty() {
        return Err(PlanRefusal { problems });
    }
    let mut builder = Builder::new(spec, sites);
    match &spec.stages {
        Some(list) => list.iter().for_each(|stage| builder.listed(stage)),
        None => {
            let steps = spec.canary.as_ref().map_or(&[][..], |canary| &canary.steps);
            builder.tries(steps);
            builder.promotes();
        }
    }
    Ok(builder.finish())
}

fn intent(spec: &ReleaseSpec) -> Intent {
    match &spec.stages {
        Some(list) => Intent {
            tries: list
                .iter()
                .any(|stage| matches!(stage, StageSpec::Deploy { .. })),
            promotes: list.iter().any(|stage| matches!(stage, StageSpec::Promote)),
        },
        None => Intent {
            tries: spec.canary.is_some(),
            promotes: spec.promotion.strategy != Strategy::Judge,
        },
    }
}

fn problem(message: impl Into<String>, hint: impl Into<String>) -> PlanProblem {
    PlanProblem {
        target: None,
        message: message.into(),
        hint: hint.into(),
    }
}

fn problems_of_spec(spec: &ReleaseSpec, found: &[Found]) -> Vec<PlanProblem> {
    let mut problems = Vec::new();
    if spec.targets.is_empty() || spec.targets.len() != found.len() {
        problems.push(problem(
            format!(
                "{} targets were looked at, and the spec has {}",
                found.len(),
                spec.targets.len()
            ),
            "list at least one target, and make the plan anew",
        ));
    }
    let mut places = BTreeSet::new();
    for target in &spec.targets {
        if !places.insert(&target.place) {
            problems.push(problem(
                format!("two targets are the same place: {}", target.place),
                "give each target a place of its own",
            ));
        }
    }
    if spec.analysis.is_none() && wants_judgements(spec) {
        problems.push(problem(
            "something is to be judged, and the spec does not say how",
            "add `analysis`, or ask for no judgements",
        ));
    }
    problems.extend(problems_of_canary(spec));
    problems.extend(problems_of_list(spec));
    for (target, found) in spec.targets.iter().zip(found) {
        let mut refuse = |message: &str, hint: &str| {
            problems.push(PlanProblem {
                target: Some(target.name.clone()),
                ..problem(message, hint)
            });
        };
        if !found.abilities.shares && needs_shares(spec) {
            refuse(
                "traffic cannot be parted by shares there, and the spec asks for it",
                "use strategy `red-black` or `highlander` without a canary, or an account whose driver parts traffic",
            );
        }
        let is_native = intent(spec).promotes && spec.promotion.strategy == Strategy::Native;
        if is_native && !found.abilities.native_rollout {
            refuse(
                "the platform has no rollout of its own there",
                "use strategy `rolling-red-black`",
            );
        }
    }
    problems
}

fn problems_of_canary(spec: &ReleaseSpec) -> Vec<PlanProblem> {
    let asked = spec.canary.iter().flat_map(|canary| &canary.steps);
    let listed = spec.stages.iter().flatten();
    let sizes = asked
        .map(|step| (step.share, step.size))
        .chain(listed.filter_map(|stage| match stage {
            StageSpec::Deploy { share, size } => Some((*share, *size)),
            StageSpec::Wait { .. }
            | StageSpec::Analyze { .. }
            | StageSpec::Approve { .. }
            | StageSpec::Promote => None,
        }));
    let mut problems = Vec::new();
    for (share, size) in sizes {
        if share.basis_points() > Share::ALL.basis_points() / 2 || share == Share::NONE {
            problems.push(problem(
                format!("baseline and canary cannot have {share} each"),
                "give each more than none and at most 50%",
            ));
        }
        if size == 0 {
            problems.push(problem(
                "baseline and canary cannot have 0 instances",
                "give each at least 1",
            ));
        }
    }
    problems
}

fn problems_of_list(spec: &ReleaseSpec) -> Vec<PlanProblem> {
    let mut problems = Vec::new();
    let (mut deployed, mut promoted) = (false, false);
    for stage in spec.stages.iter().flatten() {
        let wrong = match stage {
            StageSpec::Deploy { .. } if promoted => Some(("deploy", "after `promote`")),
            StageSpec::Analyze { .. } if promoted => Some(("analyze", "after `promote`")),
            StageSpec::Analyze { .. } if !deployed => Some(("analyze", "before any `deploy`")),
            StageSpec::Promote if promoted => Some(("promote", "a second time")),
            StageSpec::Promote if spec.promotion.strategy == Strategy::Judge => {
                Some(("promote", "with strategy `judge`"))
            }
            StageSpec::Deploy { .. }
            | StageSpec::Analyze { .. }
            | StageSpec::Promote
            | StageSpec::Wait { .. }
            | StageSpec::Approve { .. } => None,
        };
        if let Some((what, place)) = wrong {
            problems.push(problem(
                format!("`stages` has `{what}` {place}"),
                "deploy, then analyze, then promote once",
            ));
        }
        deployed |= matches!(stage, StageSpec::Deploy { .. });
        promoted |= matches!(stage, StageSpec::Promote);
    }
    problems
}

fn wants_judgements(spec: &ReleaseSpec) -> bool {
    let rolls = match &spec.promotion.strategy {
        Strategy::RollingRedBlack { judgements, .. } => intent(spec).promotes && *judgements > 0,
        Strategy::Judge
        | Strategy::None
        | Strategy::Highlander
        | Strategy::RedBlack { .. }
        | Strategy::Native => false,
    };
    let listed = spec.stages.iter().flatten();
    rolls
        || match &spec.stages {
            Some(_) => listed
                .into_iter()
                .any(|stage| matches!(stage, StageSpec::Analyze { .. })),
            None => spec.canary.is_some(),
        }
}

fn needs_shares(spec: &ReleaseSpec) -> bool {
    let Intent { tries, promotes } = intent(spec);
    tries
        || promotes
            && match &spec.promotion.strategy {
                Strategy::None => true,
                Strategy::RollingRedBlack { shares, .. } => {
                    shares.iter().any(|share| *share != Share::ALL)
                }
                Strategy::Judge
                | Strategy::Highlander
                | Strategy::RedBlack { .. }
                | Strategy::Native => false,
            }
}

/// What people should know of a plan before they start it, one sentence each: a first deployment that cannot be compared,
/// verdicts about which nobody would be asked.
#[must_use]
pub fn notes(plan: &Plan) -> Vec<String> {
    let spec = &plan.release.spec;
    let mut notes = Vec::new();
    for target in &plan.release.targets {
        if target.previous.is_empty() {
            notes.push(format!(
                "Nothing serves at {} yet: there is nothing to compare with, and nothing to go back to.",
                target.name
            ));
        }
    }
    let changes_template = plan.stages.iter().any(|stage| match stage {
        Stage::Analyze(analyze) => analyze.comparison.as_ref().is_some_and(|comparison| {
            let target = plan.release.targets.get(comparison.target);
            let sides = target.and_then(|it| it.baseline.as_ref());
            sides == Some(&comparison.baseline) && comparison.alike == Alike::ButForTemplate
        }),
        Stage::Wait(_) | Stage::Approve(_) | Stage::Operate(_) => false,
    });
    if changes_template {
        notes.push(
            "The template changes with the version: the judgement cannot tell which of them made a difference."
                .to_owned(),
        );
    }
    let asks = [spec.on.pass, spec.on.marginal, spec.on.inconclusive].contains(&Consequence::Ask);
    let is_last_judgement = |place: usize| {
        matches!(plan.stages.get(place), Some(Stage::Analyze(_)))
            && !matches!(plan.stages.get(place + 1), Some(Stage::Analyze(_)))
    };
    let nobody = (0..plan.stages.len()).any(|place| {
        is_last_judgement(place) && !matches!(plan.stages.get(place + 1), Some(Stage::Approve(_)))
    });
    if asks && nobody {
        notes.push(
            "After some judgements nobody is asked: a verdict that asks for a person is taken back there."
                .to_owned(),
        );
    }
    notes
}
