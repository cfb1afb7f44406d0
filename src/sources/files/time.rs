//! Timestamps in CSV cells.

use jiff::Timestamp;

use super::problem::{Problem, quoted};

/// How a file writes its timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notation {
    /// RFC 3339, any offset.
    Rfc3339,
    /// Since 1970-01-01T00:00:00Z, in units of which a second has so many.
    Epoch { per_second: u32 },
}

impl Notation {
    fn words(self) -> &'static str {
        match self {
            Self::Rfc3339 => "RFC 3339",
            Self::Epoch { per_second: 1 } => "epoch seconds",
            Self::Epoch { per_second: 1_000 } => "epoch milliseconds",
            Self::Epoch {
                per_second: 1_000_000,
            } => "epoch microseconds",
            Self::Epoch { .. } => "epoch nanoseconds",
        }
    }

    /// The unit by magnitude: seconds reach to the year 5138 before they look like milliseconds of 1973, and so on.
    fn of_epoch(value: f64) -> Self {
        let size = value.abs();
        let per_second = if size < 1e11 {
            1
        } else if size < 1e14 {
            1_000
        } else if size < 1e17 {
            1_000_000
        } else {
            1_000_000_000
        };
        Self::Epoch { per_second }
    }
}

/// Reads the timestamps of one file, which must all be written alike. Times are kept to the millisecond.
#[derive(Debug, Default)]
pub(super) struct Timestamps {
    first: Option<(Notation, u64)>,
}

impl Timestamps {
    /// Milliseconds since 1970-01-01T00:00:00Z of `cell`, which stands in `line`.
    ///
    /// # Errors
    /// Text that is no timestamp, or one that is written in another way than the file's first.
    pub(super) fn read(&mut self, cell: &[u8], line: u64) -> Result<i64, Problem> {
        let cell = cell.trim_ascii();
        let (notation, time_ms) = parse(cell)?;
        match self.first {
            None => self.first = Some((notation, line)),
            Some((first, _)) if first == notation => {}
            Some((first, first_line)) => {
                return Err(Problem::new(
                    format!("{} ({})", quoted(cell), notation.words()),
                    format!("{}, as in line {first_line}", first.words()),
                ));
            }
        }
        Ok(time_ms)
    }
}

fn parse(cell: &[u8]) -> Result<(Notation, i64), Problem> {
    let wrong = || {
        Problem::new(
            quoted(cell),
            "a time like `2024-05-01T12:00:00Z` or seconds since 1970",
        )
    };
    let text = std::str::from_utf8(cell).map_err(|_| wrong())?;
    if let Ok(whole) = text.parse::<i64>() {
        #[expect(
            clippy::cast_precision_loss,
            reason = "only the magnitude is looked at"
        )]
        let notation = Notation::of_epoch(whole as f64);
        let Notation::Epoch { per_second } = notation else {
            return Err(wrong());
        };
        let time_ms = if per_second == 1 {
            whole * 1_000
        } else {
            rounded_div(whole, i64::from(per_second / 1_000))
        };
        return Ok((notation, time_ms));
    }
    if let Ok(number) = text.parse::<f64>() {
        // Beyond 2^62 nanoseconds (the year 2116) nothing sensible is meant.
        if !number.is_finite() || number.abs() > 4.6e18 {
            return Err(wrong());
        }
        let notation = Notation::of_epoch(number);
        let Notation::Epoch { per_second } = notation else {
            return Err(wrong());
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the range was checked above"
        )]
        let time_ms = (number * (1_000.0 / f64::from(per_second))).round() as i64;
        return Ok((notation, time_ms));
    }
    match text.parse::<Timestamp>() {
        Ok(time) => {
            let nanosecond = time.as_nanosecond();
            let time_ms = (nanosecond + 500_000).div_euclid(1_000_000);
            let time_ms = i64::try_from(time_ms).map_err(|_| wrong())?;
            Ok((Notation::Rfc3339, time_ms))
        }
        Err(_) if text.parse::<jiff::civil::DateTime>().is_ok() => {
            Err(wrong().hint("add the offset from UTC: a `Z`, or one like `+02:00`"))
        }
        Err(_) => Err(wrong()),
    }
}

/// Division with rounding to the nearest, halves up.
fn rounded_div(value: i64, by: i64) -> i64 {
    if by <= 1 {
        return value;
    }
    let quotient = value.div_euclid(by);
    if value.rem_euclid(by) * 2 >= by {
        quotient + 1
    } else {
        quotient
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cell: &str, expect: Option<i64>) {
        assert_eq!(
            Timestamps::default().read(cell.as_bytes(), 2).ok(),
            expect,
            "`{cell}`"
        );
    }

    #[test]
    fn the_unit_of_an_epoch_follows_from_its_size() {
        check("1714564800", Some(1_714_564_800_000));
        check("1714564800.5", Some(1_714_564_800_500));
        check("1.7145648e9", Some(1_714_564_800_000));
        check("1714564800123", Some(1_714_564_800_123));
        check("1714564800123456", Some(1_714_564_800_123));
        check("1714564800123500000", Some(1_714_564_800_124));
        check("0", Some(0));
        check("-1", Some(-1_000));
        check("9223372036854775807", Some(9_223_372_036_855));
        check("-9223372036854775808", Some(-9_223_372_036_855));
    }

    #[test]
    fn rfc_3339_is_read_with_any_offset() {
        check("2024-05-01T12:00:00Z", Some(1_714_564_800_000));
        check("2024-05-01T14:00:00+02:00", Some(1_714_564_800_000));
        check("2024-05-01 12:00:00.1234Z", Some(1_714_564_800_123));
        check("2024-05-01T12:00:00", None);
        check("2024-13-01T12:00:00Z", None);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "NaN", "inf", "yesterday", "1e300", "12:00"] {
            check(text, None);
        }
    }

    #[test]
    fn a_file_writes_all_its_times_alike() {
        let mut timestamps = Timestamps::default();
        assert_eq!(
            timestamps.read(b"1714564800", 2).ok(),
            Some(1_714_564_800_000)
        );
        let problem = timestamps.read(b"1714564800000", 3).err();
        assert_eq!(
            problem.map(|problem| problem.to_string()).as_deref(),
            Some(
                "found `1714564800000` (epoch milliseconds); expected epoch seconds, as in line 2"
            )
        );
    }
}
