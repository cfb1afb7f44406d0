//! The judges.

pub mod coalmine_v1;
pub mod mean_inequality;
pub mod netflix_aca;
mod noise;

use crate::judge::Judge;

/// Names of the judges that exist, the default first.
pub const NAMES: [&str; 2] = [netflix_aca::NAME, coalmine_v1::NAME];

/// The judge of this name. `None` for an unknown name.
#[must_use]
pub fn by_name(name: &str) -> Option<Box<dyn Judge>> {
    match name {
        netflix_aca::NAME => Some(Box::new(netflix_aca::NetflixAcaJudge)),
        coalmine_v1::NAME => Some(Box::new(coalmine_v1::CoalmineJudge)),
        _ => None,
    }
}
