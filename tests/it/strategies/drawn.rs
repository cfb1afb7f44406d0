//! Plans as text, with everything that is done: what the golden files hold.

use std::fmt::Write as _;

use coalmine::model::release::alike::Alike;
use coalmine::model::release::cluster::Weights;
use coalmine::model::release::operation::Change;
use coalmine::model::release::step::{Expect, Step};
use coalmine::stages::Stage;
use coalmine::stages::plan::Plan;
use coalmine::strategies::{Outcome, Touched, cleanup, notes, rollback};

/// The plan, its way back from its last operation, and the cleanup after a success and after that way back.
pub(crate) fn drawn(plan: &Plan) -> String {
    let mut text = String::new();
    for (place, stage) in plan.stages.iter().enumerate() {
        if let Some(phase) = plan.phases.iter().find(|phase| phase.first == place) {
            writeln!(text, "{}", phase.name).unwrap();
        }
        stage_lines(&mut text, stage);
    }
    let touched = forward(plan);
    let back = rollback(&plan.release, &touched, &[]);
    writeln!(text, "\nRollback after the last operation").unwrap();
    back.iter().for_each(|step| step_lines(&mut text, step));
    writeln!(text, "\nCleanup of a promoted release").unwrap();
    let steps = cleanup(&plan.release, Outcome::Promoted, &touched, &[]);
    steps.iter().for_each(|step| step_lines(&mut text, step));
    writeln!(text, "\nCleanup after the rollback").unwrap();
    let all = with_rollback(&touched, &back);
    let steps = cleanup(&plan.release, Outcome::TakenBack, &all, &[]);
    steps.iter().for_each(|step| step_lines(&mut text, step));
    for note in notes(plan) {
        writeln!(text, "\nNote: {note}").unwrap();
    }
    text
}

/// All steps that are settled early, as if each was intended.
pub(crate) fn forward(plan: &Plan) -> Vec<Touched<'_>> {
    let operations = plan.stages.iter().filter_map(|stage| match stage {
        Stage::Operate(operate) => Some(operate),
        Stage::Wait(_) | Stage::Analyze(_) | Stage::Approve(_) => None,
    });
    operations
        .flat_map(|operate| {
            operate.steps.iter().map(|step| Touched {
                step,
                purpose: operate.purpose,
            })
        })
        .collect()
}

pub(crate) fn with_rollback<'a>(touched: &[Touched<'a>], back: &'a [Step]) -> Vec<Touched<'a>> {
    let purpose = coalmine::stages::operate::Purpose::RollBack;
    let back = back.iter().map(|step| Touched { step, purpose });
    touched.iter().copied().chain(back).collect()
}

fn stage_lines(text: &mut String, stage: &Stage) {
    match stage {
        Stage::Operate(operate) => {
            writeln!(text, "  {:?}", operate.purpose).unwrap();
            operate.steps.iter().for_each(|step| step_lines(text, step));
        }
        Stage::Wait(wait) => writeln!(text, "  Wait: {} {:?}", wait.name, wait.until).unwrap(),
        Stage::Analyze(analyze) => {
            let it = analyze.comparison.as_ref().unwrap();
            let alike = match it.alike {
                Alike::Wholly => ", alike",
                Alike::ButForTemplate => ", alike but for the template",
                Alike::Serving => "",
            };
            writeln!(
                text,
                "  Judge {}: {} against {}, {} of {}, after {} min{alike}",
                analyze.number,
                it.canary,
                it.baseline,
                it.in_block,
                it.of_block,
                it.after_ms / 60_000,
            )
            .unwrap();
        }
        Stage::Approve(approve) => writeln!(
            text,
            "  Ask {:?} when {:?} within {} min: {}",
            approve.who,
            approve.when,
            approve.deadline_ms / 60_000,
            approve.instructions,
        )
        .unwrap(),
    }
}

fn step_lines(text: &mut String, step: &Step) {
    let change = match (step.before.as_str(), step.after.as_str()) {
        ("", after) => after.to_owned(),
        (before, after) => format!("{before} → {after}"),
    };
    let line = format!("    {:<40}  {change}", step.sentence);
    writeln!(text, "{}", line.trim_end()).unwrap();
    if let Change::SetTraffic { weights } = &step.operation.change {
        writeln!(text, "      to {}", shares(weights)).unwrap();
    }
    match &step.expect {
        Some(Expect::Traffic { weights }) => {
            writeln!(text, "      if {}", shares(weights)).unwrap();
        }
        Some(Expect::Capacity { capacity, .. }) => {
            writeln!(text, "      if it has {capacity}").unwrap();
        }
        Some(Expect::Absent { .. }) | None => {}
    }
}

fn shares(weights: &Weights) -> String {
    let shares = weights
        .iter()
        .map(|(name, share)| format!("{name} {share}"));
    shares.collect::<Vec<_>>().join(", ")
}
