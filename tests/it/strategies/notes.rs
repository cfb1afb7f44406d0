//! What people should know of a plan before they start it.

use std::sync::Arc;

use coalmine::config::release::spec::{Consequence, ReleaseSpec, StageSpec};
use coalmine::model::release::alike::Alike;
use coalmine::model::release::cluster::Template;
use coalmine::stages::Stage;
use coalmine::stages::plan::Plan;
use coalmine::strategies::{notes, plan};
use serde_json::json;

use super::fixture::*;

fn planned(spec: ReleaseSpec) -> Plan {
    plan(&Arc::new(spec), &[found()]).unwrap()
}

/// Which judgements ask for sides that are alike.
fn alike(plan: &Plan) -> Vec<Alike> {
    let comparisons = plan.stages.iter().filter_map(|stage| match stage {
        Stage::Analyze(analyze) => analyze.comparison.as_ref(),
        Stage::Wait(_) | Stage::Approve(_) | Stage::Operate(_) => None,
    });
    comparisons.map(|it| it.alike).collect()
}

#[test]
fn a_usual_plan_needs_none() {
    let plan = planned(spec());
    assert_eq!(notes(&plan), Vec::<String>::new());
    let (canary, rolling) = ([Alike::Wholly; 9], [Alike::Serving; 4]);
    assert_eq!(alike(&plan), [&canary[..], &rolling].concat());
}

#[test]
fn a_template_that_changes_with_the_version_is_judged_with_it() {
    let mut spec = spec();
    spec.targets[0].template = Some(Template(json!({"command": ["search", "--cache", "2"]})));
    let plan = planned(spec);
    assert_eq!(
        notes(&plan),
        [
            "The template changes with the version: the judgement cannot tell which of them made a difference."
        ]
    );
    assert_eq!(
        alike(&plan),
        [[Alike::ButForTemplate; 9].as_slice(), &[Alike::Serving; 4]].concat()
    );
}

#[test]
fn the_same_template_written_again_is_no_change() {
    let mut spec = spec();
    spec.targets[0].template = Some(template());
    assert_eq!(notes(&planned(spec)), Vec::<String>::new());
}

#[test]
fn verdicts_about_which_nobody_is_asked_are_told() {
    let mut spec = spec();
    spec.stages = Some(vec![
        StageSpec::Deploy {
            share: percent(5),
            size: 1,
        },
        StageSpec::Analyze { judgements: 1 },
        StageSpec::Promote,
    ]);
    let told = notes(&planned(spec.clone()));
    assert_eq!(
        told[0],
        "After some judgements nobody is asked: a verdict that asks for a person is taken back there."
    );
    spec.on.marginal = Consequence::RollBack;
    spec.on.inconclusive = Consequence::RollBack;
    // Its rolling promotion has no question either, and needs none.
    assert_eq!(notes(&planned(spec)), Vec::<String>::new());
}
