//! Plans: what is done for each strategy, that it can be taken back from everywhere, and why there is none.

mod drawn;
mod drift;
pub(crate) mod fixture;
mod golden;
mod refusals;
mod simulator;
mod undo;
mod walks;
