//! Tests of the benchmark, in one binary.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

mod broken;
mod generators;
mod pages;
mod published;
mod rates;
mod short;
