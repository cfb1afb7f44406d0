//! The plan of a release.

use std::sync::Arc;

use super::found::{Found, PlanProblem, PlanRefusal};
use crate::config::release::spec::ReleaseSpec;
use crate::stages::plan::Plan;

/// The plan of `spec`, from what was found at each of its targets, in their order.
///
/// # Errors
/// All reasons why there is none.
pub fn plan(spec: &Arc<ReleaseSpec>, found: &[Found]) -> Result<Plan, PlanRefusal> {
    let _ = found;
    Err(PlanRefusal {
        problems: vec![PlanProblem {
            target: None,
            message: format!("`{}` cannot be planned yet", spec.application),
            hint: "wait for it".to_owned(),
        }],
    })
}

/// What people should know of a plan before they start it, one sentence each: a first deployment that cannot be compared,
/// verdicts about which nobody would be asked.
#[must_use]
pub fn notes(plan: &Plan) -> Vec<String> {
    let _ = plan;
    Vec::new()
}
