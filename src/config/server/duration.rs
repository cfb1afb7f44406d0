//! Durations as people write them: `30s`, `5m`, `1h30m`, `90d`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

/// A duration that was not looked at yet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct DurationText(#[schemars(regex(pattern = r"^([0-9]+(ms|s|m|h|d|w))+$"))] pub String);

/// What [`parse`] takes, for errors.
pub const EXPECTED: &str = "a duration such as `500ms`, `30s`, `5m`, `1h30m` or `90d`";

/// The units, longest word first where one begins with another.
const UNITS: [(&str, u64); 6] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];

/// Whole numbers, each with its unit (`ms`, `s`, `m`, `h`, `d` of 24 hours, `w` of 7 days), added up; `None` for any other text,
/// and for more than 2^63 ms.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let word = rest.get(..letters)?;
        let (_, ms) = UNITS.iter().find(|(unit, _)| *unit == word)?;
        total = total.checked_add(number.checked_mul(*ms)?)?;
        rest = rest.get(letters..)?;
        if rest.is_empty() {
            return i64::try_from(total)
                .is_ok()
                .then(|| Duration::from_millis(total));
        }
    }
}
