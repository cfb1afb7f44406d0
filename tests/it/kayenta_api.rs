//! Kayenta's API from outside: requests go into the router, answers are looked at as its clients look at them.

mod argo;
mod cancel;
mod configs;
mod gate;
mod idempotency;
mod malformed;
mod openapi;
mod orca;
mod referee;
mod routes;
mod safety;
pub(crate) mod service;
mod standalone;
mod start;
mod traps;
mod trouble;
mod vectors;
