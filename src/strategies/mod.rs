//! From a spec and what was observed to a plan, and from what was done to the steps that take it back and clean up. Pure.

mod build;
mod drift;
mod found;
mod late;
mod naming;
mod others;
mod planner;
mod shares;
mod site;
mod steps;
mod undo;

pub use drift::{Drift, drift, gone};
pub use found::{Found, PlanProblem, PlanRefusal};
pub use late::{Outcome, Touched, cleanup, is_owing, rollback, superseded};
pub use planner::{notes, plan};
pub use undo::undo_of_finished;
