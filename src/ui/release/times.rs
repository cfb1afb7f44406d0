//! How moments and durations of a release are written.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

/// A moment, in milliseconds since 1970-01-01T00:00:00Z; in JSON a text by RFC 3339, to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct At(pub i64);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = Timestamp::from_millisecond(self.0)
            .map_or_else(|_| String::new(), |at| format!("{at:.3}"));
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at: Timestamp = text.parse().map_err(de::Error::custom)?;
        Ok(Self(at.as_millisecond()))
    }
}

fn written(at: At, format: &str) -> String {
    Timestamp::from_millisecond(at.0)
        .map_or_else(|_| String::new(), |at| at.strftime(format).to_string())
}

impl At {
    /// `14:45` on the day of `now`, else `13 Mar 14:45`, with the year where that differs.
    pub(super) fn moment(self, now: Self) -> String {
        let same = |format| written(self, format) == written(now, format);
        if same("%Y-%m-%d") {
            written(self, "%H:%M")
        } else if same("%Y") {
            written(self, "%-d %b %H:%M")
        } else {
            written(self, "%-d %b %Y %H:%M")
        }
    }

    /// The same to the second.
    pub(super) fn second(self, now: Self) -> String {
        let day = self.moment(now);
        format!("{day}{}", written(self, ":%S"))
    }

    /// `2026-03-12T14:15:03Z`.
    pub(super) fn stamp(self) -> String {
        written(self, "%Y-%m-%dT%H:%M:%SZ")
    }

    /// From here to `later`, not below zero.
    pub(super) fn until(self, later: Self) -> u64 {
        u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0)
    }
}

/// What is left, to be watched as it runs down: `07:42`, `1:07:42`, `2 d 03:00`.
pub(super) fn countdown(ms: u64) -> String {
    let secs = ms.div_ceil(1000);
    let (days, hours, minutes, rest) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60, secs % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes:02}:{rest:02}"),
        (0, hours) => format!("{hours}:{minutes:02}:{rest:02}"),
        (days, hours) => format!("{days} d {hours:02}:{minutes:02}"),
    }
}

/// How long something takes: `90 s`, `4 min`, `1 h 37 min`, `2 d 3 h`.
pub(super) fn duration(ms: u64) -> String {
    let secs = ms.div_ceil(1000);
    let two = |many: u64, unit: &str, rest: u64, rest_unit: &str| match rest {
        0 => format!("{many} {unit}"),
        rest => format!("{many} {unit} {rest} {rest_unit}"),
    };
    match secs {
        0..=119 => format!("{secs} s"),
        120..=3599 => two(secs / 60, "min", secs % 60, "s"),
        3600..=86_399 => two(secs / 3600, "h", secs / 60 % 60, "min"),
        _ => two(secs / 86_400, "d", secs / 3600 % 24, "h"),
    }
}

/// How long ago something was, roughly: `38 s`, `52 min`, `2 h 18 min`, `3 d`.
pub(super) fn age(ms: u64) -> String {
    let secs = ms / 1000;
    match (secs / 60, secs / 3600, secs / 86_400) {
        (0, _, _) => format!("{secs} s"),
        (minutes, 0, _) => format!("{minutes} min"),
        (minutes, hours, 0) if minutes % 60 == 0 => format!("{hours} h"),
        (minutes, hours, 0) => format!("{hours} h {} min", minutes % 60),
        (_, _, days) => format!("{days} d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_and_what_it_takes_are_written_apart() {
        assert_eq!(countdown(462_000), "07:42");
        assert_eq!(countdown(1), "00:01", "nothing left is only nothing left");
        assert_eq!(countdown(4_062_000), "1:07:42");
        assert_eq!(countdown(183_600_000), "2 d 03:00");
        assert_eq!(duration(90_000), "90 s");
        assert_eq!(duration(240_000), "4 min");
        assert_eq!(duration(5_820_000), "1 h 37 min");
        assert_eq!(duration(86_400_000), "1 d");
    }

    #[test]
    fn a_moment_names_its_day_only_where_it_is_another() {
        let now = At(1_773_325_338_000);
        assert_eq!(now.second(now), "14:22:18");
        assert_eq!(At(now.0 + 86_400_000).moment(now), "13 Mar 14:22");
        assert_eq!(
            At(now.0 - 86_400_000 * 365).moment(now),
            "12 Mar 2025 14:22"
        );
        assert_eq!(now.stamp(), "2026-03-12T14:22:18Z");
        let text = serde_json::to_string(&now).expect("a text");
        assert_eq!(text, "\"2026-03-12T14:22:18.000Z\"");
        assert_eq!(serde_json::from_str::<At>(&text).expect("a moment"), now);
    }
}
