//! What can be known of one metric: its kind, its bounds, the tests it is put to, and how far their answers reach.
//!
//! A pair is aligned in time, examined by its kind, and classified once all metrics of a judgement have been examined, since
//! they share the level of error. Nothing here knows of groups, scores or verdicts.

pub mod align;
pub mod bounds;
pub mod calibration;
pub(crate) mod count;
pub(crate) mod examined;
pub(crate) mod gauge;
pub(crate) mod history;
pub(crate) mod instances;
pub mod kind;
pub(crate) mod level;
pub(crate) mod metric;
pub mod result;
pub(crate) mod state;
pub(crate) mod warm_up;
