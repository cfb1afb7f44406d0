//! Plain data that several parts share, without any effect.

pub mod clean;
pub mod history;
pub mod kayenta;
pub mod query;
