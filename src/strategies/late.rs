//! What is settled late, from what was done: the steps that take a release back, and those that leave nothing behind.

use crate::model::release::step::Step;
use crate::stages::operate::Purpose;
use crate::stages::plan::Release;

/// A step that was intended: its effect is there, or may be, or is not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Touched<'a> {
    /// The step.
    pub step: &'a Step,
    /// What its stage is for.
    pub purpose: Purpose,
}

/// How a release came to its cleanup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The new version serves, or nothing was to be promoted.
    Promoted,
    /// It was taken back: the steps of [`rollback`] are done.
    TakenBack,
    /// Nothing was ever intended.
    Untouched,
    /// Another release holds the cluster: its traffic is not ours.
    Superseded,
}

/// The steps that take back what was intended, in this order: what served before is enabled and healthy, then has the
/// traffic again, then what is new is disabled, then sizes are as they were. Empty where nothing needs to be taken back.
/// Depends on nothing but its arguments.
#[must_use]
pub fn rollback(release: &Release, touched: &[Touched<'_>]) -> Vec<Step> {
    let _ = (release, touched);
    Vec::new()
}

/// The steps that leave nothing behind but what should be. `touched` has the steps of the rollback too, where there was one.
/// Depends on nothing but its arguments.
#[must_use]
pub fn cleanup(release: &Release, outcome: Outcome, touched: &[Touched<'_>]) -> Vec<Step> {
    let _ = (release, outcome, touched);
    Vec::new()
}
