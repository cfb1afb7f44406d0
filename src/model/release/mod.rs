//! What a release is made of: the spec that asks for it, the clusters that are observed, the operations that change them, the
//! steps of a plan, and what others are told of it. Plain data.

pub mod alike;
pub mod cluster;
pub mod names;
pub mod notice;
pub mod operation;
pub mod process;
pub mod step;
pub mod window;
