//! Any bytes as an answer of Prometheus: never a panic, no NaN, and nothing beside the grid.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| coalmine::sources::prometheus::fuzz_reply(data));
