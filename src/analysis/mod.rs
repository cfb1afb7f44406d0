//! From a request to a judgement: which windows, which series, which judge.
//!
//! `windows` and `pairing` are pure. `collect` asks sources, with deadlines, retries and limits, and makes the bundle;
//! `judge_run` judges a bundle. Nothing here knows of executions, stores or HTTP.

pub mod task;
