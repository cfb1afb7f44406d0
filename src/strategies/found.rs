//! What a plan is made from, and why there is none.

use std::fmt;

use thiserror::Error;

use crate::drivers::Abilities;
use crate::model::release::cluster::View;

/// What was found at one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// All that is there.
    pub view: View,
    /// What its driver can do.
    pub abilities: Abilities,
}

/// One reason why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanProblem {
    /// The target's name in the spec; `None` where it is the spec's own.
    pub target: Option<String>,
    /// What is wrong, one sentence.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for PlanProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Some(target) => write!(formatter, "target `{target}`: {}", self.message),
            None => formatter.write_str(&self.message),
        }
    }
}

/// Why there is no plan: all reasons at once, never none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", self.sentence())]
pub struct PlanRefusal {
    /// The reasons.
    pub problems: Vec<PlanProblem>,
}

impl PlanRefusal {
    /// All reasons with their hints, one a line.
    fn sentence(&self) -> String {
        let lines = self
            .problems
            .iter()
            .map(|problem| format!("{problem} (hint: {})", problem.hint));
        lines.collect::<Vec<_>>().join("\n")
    }
}
