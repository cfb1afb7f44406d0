//! Canary configs: what is read, what is refused, and in which words.

mod domain;
mod hostile;
mod problems;
mod schema;
mod store;
mod templates;
mod vectors;
mod warnings;
