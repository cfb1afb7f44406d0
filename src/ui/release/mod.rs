//! What people see of releases: [`status`] gathers it from the state and from what is observed, [`text`] draws it for a terminal,
//! [`mod@line`] writes the journal for a log; [`list_text`] lists releases; [`plan`] lists operations, and [`plan_text`] draws them. All of it is values and text: no clock,
//! no I/O.

mod commands;
mod headline;
mod layout;
pub mod line;
pub mod list_text;
mod next;
mod phases;
pub mod plan;
mod plan_lines;
pub mod plan_text;
mod standing;
pub mod status;
pub mod targets;
pub mod text;
mod times;

pub use layout::Style;
pub use times::At;
