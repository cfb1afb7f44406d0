//! Release specs: from text to a checked value, or to all problems at once.

pub mod spec;
