//! Statistics and judgement of canaries.
//!
//! Everything here takes values and returns values: no clock, no files, no environment, no network and no unseeded chance.
//! Equal input gives equal output, to the last bit. A judgement never contains NaN and never leaves out a metric that was
//! given to it.
//!
//! * [`series`] and [`sample`] hold data; [`config`] holds what shall be judged and how.
//! * [`stats`] holds the statistics, each with its source.
//! * [`judge`] is the port that every judge implements; the judges stand in [`judges`].
//! * [`judgement`] is the result; [`score`] and [`what_if`] derive the verdict and what would have changed it.

pub mod config;
pub mod evidence;
pub mod judge;
pub mod judgement;
pub mod judges;
pub mod prepare;
pub mod sample;
pub mod score;
pub mod sequential;
pub mod series;
pub mod stats;
pub mod what_if;
