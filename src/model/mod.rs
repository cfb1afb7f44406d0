//! Plain data that several parts share, without any effect.

pub mod clean;
pub mod history;
pub mod ids;
pub mod kayenta;
pub mod metric_set;
pub mod query;
pub mod release;
pub mod scope;
pub mod secret;
