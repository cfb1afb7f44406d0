//! What releases have beyond other executions: locks, decisions, questions and operations. Pure, but for `engine.rs`.

pub mod decide;
pub mod desk;
pub mod event;
pub mod state;
pub mod transition;
