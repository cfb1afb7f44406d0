//! Stories of `coalmine serve`: the real program, on a port of its own.

mod guard;
mod life;
mod limits;
pub(crate) mod server;
