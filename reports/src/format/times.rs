//! Times and durations as text, in UTC.

use jiff::Timestamp;

use super::trim;

/// `12:31`, in UTC; `None` outside the calendar.
pub(crate) fn clock(time_ms: i64) -> Option<String> {
    moment(time_ms, "%H:%M")
}

/// `12:31:05`, in UTC.
pub(crate) fn clock_seconds(time_ms: i64) -> Option<String> {
    moment(time_ms, "%H:%M:%S")
}

/// `12 Mar 2026`, in UTC.
pub(crate) fn date(time_ms: i64) -> Option<String> {
    moment(time_ms, "%-d %b %Y")
}

/// `12 Mar`, in UTC.
pub(crate) fn day(time_ms: i64) -> Option<String> {
    moment(time_ms, "%-d %b")
}

fn moment(time_ms: i64, format: &str) -> Option<String> {
    let timestamp = Timestamp::from_millisecond(time_ms).ok()?;
    Some(timestamp.strftime(format).to_string())
}

/// `90 min`, `2 h 18 min`, `45 s`, `1.5 s`: exact, in as many units as that takes.
pub(crate) fn duration(milliseconds: u64) -> String {
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    if seconds == 0 {
        return format!("{milliseconds} ms");
    }
    let fraction = if rest == 0 {
        String::new()
    } else {
        trim(&format!(".{rest:03}")).to_owned()
    };
    if seconds < 120 {
        return format!("{seconds}{fraction} s");
    }
    let (days, hours, minutes) = if seconds <= 7200 {
        (0, 0, seconds / 60)
    } else if seconds < 2 * 86_400 {
        (0, seconds / 3600, seconds / 60 % 60)
    } else {
        (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60)
    };
    let mut parts = Vec::new();
    for (number, unit) in [(days, "d"), (hours, "h"), (minutes, "min")] {
        if number > 0 {
            parts.push(format!("{number} {unit}"));
        }
    }
    if seconds % 60 > 0 || rest > 0 {
        parts.push(format!("{}{fraction} s", seconds % 60));
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        for (milliseconds, text) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1500, "1.5 s"),
            (45_000, "45 s"),
            (150_000, "2 min 30 s"),
            (5_400_000, "90 min"),
            (7_201_000, "2 h 1 s"),
            (8_280_000, "2 h 18 min"),
            (86_400_000 * 3, "3 d"),
            (86_400_000 * 3 + 60_250, "3 d 1 min 0.25 s"),
            (u64::MAX, "213503982334 d 14 h 25 min 51.615 s"),
        ] {
            assert_eq!(duration(milliseconds), text);
        }
    }
}
