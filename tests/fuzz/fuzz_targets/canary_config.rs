//! Any bytes as a canary config: never a panic, and what loads reads back to the same value.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| coalmine::config::fuzz_load(data));
