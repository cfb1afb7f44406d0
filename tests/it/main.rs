//! The one integration-test binary of the root package.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must stop"
)]

mod analysis;
mod archive_contract;
mod bad_input;
mod bad_output;
mod browser;
mod cli;
mod config;
mod csv;
mod demo;
mod driver_contract;
mod executions;
mod free_port;
mod fuzz;
mod fuzz_judge;
mod guards;
mod judge_vectors;
mod kayenta_api;
mod layering;
mod links;
mod live;
mod local_driver;
mod notes;
mod notify;
mod operations;
mod own_api;
mod pairs;
mod prometheus;
mod readme;
mod real_prometheus;
mod release_api;
mod release_cli;
mod release_names;
mod release_spec;
mod release_view;
mod saved;
mod scrape;
mod scripted_http;
mod serve;
mod server_config;
mod store_contract;
mod strategies;
mod validate;
