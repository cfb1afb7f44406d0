//! The evidence judge.

mod looks;
mod noise;
mod properties;
mod simulation;
mod stories;
