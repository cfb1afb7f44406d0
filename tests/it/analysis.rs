//! The way from a request to a judgement.

mod collect;
mod fake;
mod files;
mod pairing;
mod sharing;
mod windows;

use serde_json::Value;

/// The reference cases of one kind.
fn vectors(kind: &str) -> Vec<Value> {
    let text = include_str!("../../judges/tests/vectors/kayenta_vectors.json");
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    let mut cases: Vec<Value> = cases;
    cases.retain(|case| case["kind"] == kind);
    assert!(!cases.is_empty(), "no cases of kind {kind}");
    cases
}
