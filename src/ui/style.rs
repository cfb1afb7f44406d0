//! What every page has: the frame, the style, and how times are written.

use jiff::Timestamp;

/// The style of every page.
const STYLE: &str = include_str!("templates/page.css");

/// What stands around the content of a page.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) style: &'static str,
    /// Whether the page asks for itself again after a while.
    pub(super) refresh: bool,
    pub(super) is_list: bool,
    pub(super) now: String,
    pub(super) version: &'static str,
}

impl Frame {
    /// A page that is not the list, and stays as it is.
    pub(super) fn new(title: impl Into<String>, now_ms: i64) -> Self {
        Self {
            title: title.into(),
            style: STYLE,
            refresh: false,
            is_list: false,
            now: date_time(now_ms) + " UTC",
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// `12 Mar 2026, 14:22`.
pub(super) fn date_time(at_ms: i64) -> String {
    written(at_ms, "%-d %b %Y, %H:%M")
}

/// `14:22` on the same day as `now_ms`, else `11 Mar, 14:22`, with the year where that differs.
pub(super) fn moment(at_ms: i64, now_ms: i64) -> String {
    let same = |format| written(at_ms, format) == written(now_ms, format);
    if same("%Y-%m-%d") {
        written(at_ms, "%H:%M")
    } else if same("%Y") {
        written(at_ms, "%-d %b, %H:%M")
    } else {
        date_time(at_ms)
    }
}

fn written(at_ms: i64, format: &str) -> String {
    Timestamp::from_millisecond(at_ms)
        .map_or_else(|_| String::new(), |at| at.strftime(format).to_string())
}

/// `38 s`, `52 min`, `2 h 18 min`, `3 d`; a time that has not come yet is `0 s`.
pub(super) fn age(since_ms: i64, now_ms: i64) -> String {
    let secs = now_ms.saturating_sub(since_ms).max(0) / 1000;
    match (secs / 60, secs / 3600, secs / 86_400) {
        (0, _, _) => format!("{secs} s"),
        (minutes, 0, _) => format!("{minutes} min"),
        (minutes, hours, 0) if minutes % 60 == 0 => format!("{hours} h"),
        (minutes, hours, 0) => format!("{hours} h {} min", minutes % 60),
        (_, _, days) => format!("{days} d"),
    }
}
