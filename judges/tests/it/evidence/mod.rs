//! The evidence judge.

mod error_rates;
mod looks;
mod noise;
mod properties;
mod simulation;
mod speed;
mod statistics;
mod stories;
mod verdicts;
