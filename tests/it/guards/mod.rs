//! Guards: what must hold before an operation is done.

mod comparable;
mod traffic;
mod windows;
