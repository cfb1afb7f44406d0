//! From a request to a judgement: which windows, which series, which judge.
//!
//! `windows`, `aggregate` and `pairing` are pure. `collect` asks sources, with deadlines, retries and limits, and makes the bundle;
//! `judge_run` judges a bundle. Nothing here knows of executions, stores or HTTP.

pub mod aggregate;
pub mod collect;
pub mod judge_run;
pub mod pairing;
pub mod task;
pub mod windows;
