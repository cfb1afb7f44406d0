//! What is known of the time before the canary.

pub use coalmine_judges::series::HistorySeries;
