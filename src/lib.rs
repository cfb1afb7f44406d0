//! Coalmine: an automated canary judge.

pub mod clock;
pub mod model;
pub mod sources;
