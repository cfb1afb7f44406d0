//! Coalmine: an automated canary judge.

pub mod clock;
pub mod config;
pub mod model;
pub mod sources;
