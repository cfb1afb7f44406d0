//! Stories of `coalmine serve`: the real program, on a port of its own.

mod any_request;
mod guard;
mod kills;
mod life;
mod limits;
pub(crate) mod server;
