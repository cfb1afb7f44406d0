//! The statistics, each with its source.
//!
//! Two conventions hold throughout. `x` is the canary and `y` the baseline, so a positive shift means that the canary is
//! higher. Differences are computed as `x[i] - y[j]` in double precision and compared as such; a sample is never shifted by a
//! number first, because that loses digits (the compatible judge's own root finding in [`shift_root`] does so on purpose).

pub mod autocorrelation;
mod brent;
pub mod describe;
pub mod effect;
pub mod event_share;
pub mod hodges_lehmann;
pub mod holm;
pub mod mann_whitney;
pub mod normal;
pub mod outliers;
pub mod pitman_morgan;
pub mod quantile;
mod rank_search;
pub mod ranks;
pub mod select_difference;
pub mod shift_root;
pub mod signs;
pub mod student;
pub mod walsh;
