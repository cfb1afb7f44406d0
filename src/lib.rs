//! Coalmine: an automated canary judge.

pub mod analysis;
pub mod archive;
pub mod cli;
pub mod clock;
pub mod config;
pub mod model;
pub mod sources;
pub mod store;
