//! Any bytes as a pair list: never a panic, and what is read and written reads back to the same pairs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| coalmine::sources::files::fuzz_pairs_json(data));
