//! Coalmine: an automated canary judge.
