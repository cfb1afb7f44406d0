//! Executions: everything that lasts, as a list of stages over an append-only journal.
//!
//! [`state`], [`event`], [`transition`] and [`invariants`] are pure: no clock, no I/O. [`engine`] makes one step, [`worker`] looks
//! for work and holds leases, [`service`] is what everybody else talks to, [`retention`] forgets. A crash at any moment loses
//! nothing: what happened is in the journal, and what is not in the journal is done again.

pub mod audit;
pub mod command;
pub mod engine;
pub mod event;
pub mod invariants;
mod judging;
pub mod reaper;
pub mod release;
pub mod request;
pub mod retention;
pub mod service;
pub mod state;
pub mod transition;
pub mod watch;
pub mod worker;
