//! What releases have beyond other executions: locks, decisions, questions and operations. Pure, but for `engine`, `operate` and
//! `office`.

pub mod decide;
pub mod desk;
pub mod engine;
pub mod event;
mod expectation;
pub mod gap;
mod late;
mod next;
mod notes;
pub mod notices;
pub mod office;
mod operate;
pub mod state;
pub mod transition;
mod windows;
