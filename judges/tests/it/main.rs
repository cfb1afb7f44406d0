//! Tests of the statistics and of the compatible judge against reference numbers, and properties of both.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod kayenta_vectors;
mod statistics_vectors;
mod properties;
mod verdicts;
