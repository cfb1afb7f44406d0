//! The one integration-test binary of the root package.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must stop"
)]

mod config;
mod fuzz_judge;
mod judge_vectors;
