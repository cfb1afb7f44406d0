//! Any bytes as a long CSV: never a panic, and every pair has a point.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| coalmine::sources::files::fuzz_csv_long(data));
