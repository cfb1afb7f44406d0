//! Coalmine: an automated canary judge.

pub mod config;
