//! Plain data that several parts share, without any effect.

pub mod kayenta;
pub mod query;
