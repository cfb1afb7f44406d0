//! Reading of files that people write: canary configs, and what they may contain.
//!
//! Text becomes a [`node::Node`] tree that knows where each value stands; [`shape`] holds the tree against the JSON Schema of
//! a wire type and reports every difference at once; rules of the domain follow, and only then is there a domain value.
//! Nothing here reads a file, a clock or the environment, and no text makes it panic or use memory without bound.

pub mod canary;
mod json;
pub mod node;
pub mod path;
pub mod problems;
pub mod release;
mod render;
pub mod server;
pub mod shape;
mod yaml;

pub use canary::{CanaryConfig, Strictness, load};
pub use problems::{Position, Problem, Problems, Warning};

/// Loads `data` as a canary config in every way there is; the body of the fuzz target `canary_config`.
///
/// # Panics
/// Where a promise of [`canary::load`] is broken: a config that was loaded must, written as JSON, load to the same value.
pub fn fuzz_load(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        match load(&text, strictness) {
            Ok(config) => {
                let written = config.to_json();
                if written.len() > node::MAX_BYTES {
                    continue; // Aliases written out may grow beyond what is read.
                }
                let again = load(&written, strictness);
                assert!(
                    again.as_ref().is_ok_and(|again| again.same_value(&config)),
                    "`{written}` reads back as {again:?}"
                );
            }
            Err(problems) => {
                let _ = problems.render("fuzz", &text, &problems::plain);
            }
        }
    }
}
