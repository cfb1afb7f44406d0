//! Any bytes as a query: never a panic, and once guarded it stays as it is.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| coalmine::sources::prometheus::fuzz_query(data));
