//! Times as people give them on the command line.

use std::time::Duration;

use jiff::Timestamp;

use crate::config::server::duration;

/// What [`parse_moment`] takes, for errors.
const EXPECTED: &str = "a time such as `2026-03-12T11:00:00Z`, `now` or `-90m`";

/// A moment, or so long before now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Moment {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    At(i64),
    /// Milliseconds after now; negative before it.
    FromNow(i64),
}

impl Moment {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(super) fn at(self, now_ms: i64) -> i64 {
        match self {
            Self::At(ms) => ms,
            Self::FromNow(ms) => now_ms.saturating_add(ms),
        }
    }
}

/// RFC 3339 with any offset, `now`, or a duration before or after now: `-90m`, `now-1h30m`, `+5m`.
pub(super) fn parse_moment(text: &str) -> Result<Moment, String> {
    let trimmed = text.trim();
    let relative = trimmed.strip_prefix("now").unwrap_or(trimmed);
    if relative.is_empty() && !trimmed.is_empty() {
        return Ok(Moment::FromNow(0));
    }
    for (sign, factor) in [('-', -1), ('+', 1)] {
        if let Some(length) = relative.strip_prefix(sign) {
            let length = duration::parse(length).and_then(millis);
            let length = length.ok_or_else(|| wrong(text))?;
            return Ok(Moment::FromNow(factor * length));
        }
    }
    let at: Timestamp = trimmed.parse().map_err(|_| wrong(text))?;
    Ok(Moment::At(at.as_millisecond()))
}

fn wrong(text: &str) -> String {
    if duration::parse(text).is_some() {
        return format!("expected {EXPECTED}; `-{text}` is so long ago");
    }
    format!("expected {EXPECTED}")
}

/// `60s`, `1h30m`; not zero.
pub(super) fn parse_span(text: &str) -> Result<Duration, String> {
    match duration::parse(text) {
        Some(span) if !span.is_zero() => Ok(span),
        Some(_) => Err("expected more than no time".to_owned()),
        None => Err(format!("expected {}", duration::EXPECTED)),
    }
}

/// A span of whole seconds; a store knows no finer step.
pub(super) fn parse_step(text: &str) -> Result<Duration, String> {
    let span = parse_span(text)?;
    if span.subsec_millis() > 0 {
        return Err("expected whole seconds".to_owned());
    }
    Ok(span)
}

pub(super) fn millis(span: Duration) -> Option<i64> {
    i64::try_from(span.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_absolute_or_count_from_now() {
        let now_ms = 1_714_564_800_000;
        for (text, ms) in [
            ("now", now_ms),
            ("-90m", now_ms - 5_400_000),
            ("now-1h30m", now_ms - 5_400_000),
            ("+5m", now_ms + 300_000),
            ("2024-05-01T12:00:00Z", now_ms),
            ("2024-05-01T14:00:00+02:00", now_ms),
            ("2024-05-01T11:59:59.5Z", now_ms - 500),
        ] {
            assert_eq!(parse_moment(text).map(|at| at.at(now_ms)), Ok(ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "-",
            "-90",
            "--5m",
            "2024-05-01",
            "12:00",
            "nowish",
        ] {
            assert!(parse_moment(text).is_err(), "{text}");
        }
        let ago = parse_moment("90m");
        assert!(
            ago.as_ref()
                .is_err_and(|ago| ago.ends_with("`-90m` is so long ago")),
            "{ago:?}"
        );
    }

    #[test]
    fn a_step_is_whole_seconds() {
        assert_eq!(parse_step("1m"), Ok(Duration::from_secs(60)));
        for text in ["0s", "1500ms", "60", ""] {
            assert!(parse_step(text).is_err(), "{text}");
        }
    }
}
