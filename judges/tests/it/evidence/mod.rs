//! The evidence judge.

mod noise;
mod properties;
mod simulation;
mod stories;
