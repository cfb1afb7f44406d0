//! Whether production stays served.

use crate::config::release::spec::GuardSpec;
use crate::model::release::cluster::View;
use crate::model::release::operation::Change;

/// What a guard found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It may be done.
    Holds {
        /// With which numbers: `40 of 40 instances still serve`.
        sentence: String,
    },
    /// It must not be done.
    Denied {
        /// Why, with the numbers.
        sentence: String,
    },
    /// The operation takes nothing away that serves.
    NotConcerned,
}

/// Whether `change` may be done to what `view` shows.
#[must_use]
pub fn traffic(view: &View, change: &Change, rule: &GuardSpec) -> Finding {
    let _ = (view, change, rule);
    Finding::Denied {
        sentence: "the traffic guard cannot tell yet".to_owned(),
    }
}
