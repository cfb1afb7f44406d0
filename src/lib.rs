//! Coalmine: an automated canary judge.

pub mod analysis;
pub mod api;
pub mod app;
pub mod archive;
pub mod cli;
pub mod clock;
pub mod config;
pub mod drivers;
pub mod executions;
pub mod guards;
pub mod model;
pub mod notify;
pub mod sources;
pub mod stages;
pub mod store;
pub mod strategies;
pub mod telemetry;
pub mod ui;
