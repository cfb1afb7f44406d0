//! What people read: reports in every format, and pages that are made here and complete without scripts. Nothing here asks a
//! store or the clock: values in, text out.

pub mod list;
pub mod notice;
pub mod release;
pub mod report;
mod style;
