//! Any bytes as a release spec: never a panic, and what loads is kept as JSON without a difference.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| coalmine::config::release::fuzz_load(data));
