//! Tests of the statistics and of the compatible judge against reference numbers, and properties of both.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "JSON values are matched by the kind that is expected"
)]

mod canary;
mod evidence;
mod findings;
mod kayenta_case;
mod kayenta_vectors;
mod properties;
mod statistics_vectors;
mod verdicts;
mod what_ifs;
