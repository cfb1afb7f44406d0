//! What can be known of one metric: its kind, its bounds, the tests it is put to, and how far their answers reach.

pub mod calibration;
