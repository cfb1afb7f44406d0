//! When things may be done: weekly windows in a time zone, and days on which nothing is done.

use serde::{Deserialize, Serialize};

/// What a window rule speaks of. A rollback is never held back, so there is no word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Moment {
    /// The first operation of a release.
    Start,
    /// The first operation of a promotion.
    Promote,
}

/// Days of the week. A window belongs to the day on which it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// One weekly window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowRule {
    /// The days on which it starts; every day where empty.
    #[serde(default)]
    pub days: Vec<Weekday>,
    /// First minute of the day, 0 to 1439.
    pub from_minute: u16,
    /// Last minute, which belongs to it: 17:00 means until 17:00:59.999. At or before `from_minute`, it is of the next day.
    pub to_minute: u16,
    /// IANA name of the time zone: `Europe/Berlin`.
    pub zone: String,
    /// What it opens for.
    pub moments: Vec<Moment>,
}

/// A day, or days in a row, on which it is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blackout {
    /// The first day: `2026-12-24`.
    pub from: String,
    /// The last day, which belongs to it.
    pub to: String,
    /// IANA name of the time zone.
    pub zone: String,
    /// Why, for people; may be empty.
    #[serde(default)]
    pub reason: String,
}

/// All rules. A moment for which there is no rule is always open, but for blackouts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Windows {
    /// Open where one of them is.
    pub rules: Vec<WindowRule>,
    /// Closed where one of them is.
    pub blackouts: Vec<Blackout>,
}
