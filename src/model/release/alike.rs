//! How alike what is compared must be.

use serde::{Deserialize, Serialize};

/// How alike two server groups must be, so that a difference between them is the new version's doing.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Alike {
    /// In size, template, zones, traffic and age, and all instances take part: a baseline that was made for the comparison.
    #[default]
    Wholly,
    /// In all of these but the template, which changes with the version.
    ButForTemplate,
    /// Nearly all instances of each take part: what served before against what takes over, which are of different size and age.
    Serving,
}
