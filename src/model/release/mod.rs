//! What a release is made of: the spec that asks for it, the clusters that are observed, the operations that change them, and
//! the steps of a plan. Plain data.

pub mod cluster;
pub mod names;
pub mod operation;
pub mod process;
pub mod step;
pub mod window;
