//! From a spec and what was observed to a plan, and from what was done to the steps that take it back and clean up. Pure.
