//! The one test binary of the reports: goldens, hostile names, hostile numbers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod names;
mod numbers;
mod pages;
mod reports;
mod samples;
mod sentences;
