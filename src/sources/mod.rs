//! Where series come from. Today: files.

pub mod files;
