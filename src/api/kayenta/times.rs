//! Times and durations as Java writes them, because Kayenta's clients read them.

use jiff::Timestamp;

/// A time in milliseconds since 1970-01-01T00:00:00Z as Java's `Instant` writes it: `2020-01-01T00:00:00Z`, with three digits
/// of a second's fraction where there is one. Times that no calendar has are written as the nearest that it has.
pub(super) fn iso(ms: i64) -> String {
    let nearest = if ms < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    let time = Timestamp::from_millisecond(ms).unwrap_or(nearest);
    let seconds = time.strftime("%Y-%m-%dT%H:%M:%S");
    match ms.rem_euclid(1000) {
        0 => format!("{seconds}Z"),
        fraction => format!("{seconds}.{fraction:03}Z"),
    }
}

/// A time from RFC 3339 text (any offset), or from seconds since 1970-01-01T00:00:00Z as a number with decimals; in
/// milliseconds. What lies below a millisecond is cut off.
pub(super) fn parse(text: &str) -> Option<i64> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(floor_ms(time));
    }
    from_seconds(text.parse().ok()?)
}

/// A time from seconds since 1970-01-01T00:00:00Z; `None` where no calendar has it.
pub(super) fn from_seconds(seconds: f64) -> Option<i64> {
    let ms = (seconds * 1000.0).round();
    if !ms.is_finite() || ms.abs() > 1e15 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    let ms = ms as i64;
    Timestamp::from_millisecond(ms).ok().map(|_| ms)
}

fn floor_ms(time: Timestamp) -> i64 {
    let nanos = time.as_nanosecond().div_euclid(1_000_000);
    i64::try_from(nanos).unwrap_or_default()
}

/// A duration as Java's `Duration` writes it: `PT1H`, `PT25H30M`, `PT0.5S`, `PT0S`.
pub(super) fn duration(ms: u64) -> String {
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    let (seconds, fraction) = (ms / 1000 % 60, ms % 1000);
    let mut text = "PT".to_owned();
    if hours > 0 {
        text.push_str(&format!("{hours}H"));
    }
    if minutes > 0 {
        text.push_str(&format!("{minutes}M"));
    }
    if fraction > 0 {
        let digits = format!("{fraction:03}");
        text.push_str(&format!("{seconds}.{}S", digits.trim_end_matches('0')));
    } else if seconds > 0 || ms == 0 {
        text.push_str(&format!("{seconds}S"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_java_does() {
        for (ms, expected) in [
            (1_577_836_800_000, "2020-01-01T00:00:00Z"),
            (1_577_836_800_100, "2020-01-01T00:00:00.100Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(iso(ms), expected);
            assert_eq!(parse(expected), Some(ms));
        }
        assert!(iso(i64::MAX).starts_with("9999-"));
        assert!(iso(i64::MIN).starts_with("-"));
    }

    #[test]
    fn times_are_read_in_every_form_that_clients_send() {
        for (text, expected) in [
            ("2020-01-01T01:00:00+01:00", Some(1_577_836_800_000)),
            ("1577836800", Some(1_577_836_800_000)),
            ("1577836800.5", Some(1_577_836_800_500)),
            ("2020-01-01", None),
            ("2020-01-01T00:00:00", None),
            ("1e300", None),
            ("NaN", None),
            ("soon", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn durations_are_written_as_java_does() {
        for (ms, expected) in [
            (0, "PT0S"),
            (3_600_000, "PT1H"),
            (90_000_000, "PT25H"),
            (5_400_000, "PT1H30M"),
            (61_500, "PT1M1.5S"),
            (60_001, "PT1M0.001S"),
            (10, "PT0.01S"),
        ] {
            assert_eq!(duration(ms), expected);
        }
    }
}
