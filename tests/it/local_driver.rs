//! The local driver with real processes: the supervisor and the sample service of this very program.

mod expiry;
mod instances;
mod kills;
pub(crate) mod load;
pub(crate) mod site;
mod supervisor;
mod traffic;
