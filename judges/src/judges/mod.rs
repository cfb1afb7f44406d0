//! The judges.

pub mod mean_inequality;
pub mod netflix_aca;
mod noise;

use crate::judge::Judge;

/// Names of the judges that exist, the default first.
pub const NAMES: [&str; 1] = [netflix_aca::NAME];

/// The judge of this name. `None` for an unknown name.
#[must_use]
pub fn by_name(name: &str) -> Option<Box<dyn Judge>> {
    (name == netflix_aca::NAME).then(|| Box::new(netflix_aca::NetflixAcaJudge) as Box<dyn Judge>)
}
