//! Values in CSV cells.

use super::problem::{Problem, quoted};

/// Reads a cell: a number, one of `Inf`, `+Inf`, `-Inf`, `Infinity` (any case), or a hole (empty or `NaN`), which is NaN here.
///
/// # Errors
/// Any other text, and finite numbers beyond the range of a 64-bit float.
pub(super) fn value(cell: &[u8]) -> Result<f64, Problem> {
    let cell = cell.trim_ascii();
    if cell.is_empty() {
        return Ok(f64::NAN);
    }
    let parsed = std::str::from_utf8(cell)
        .ok()
        .and_then(|text| text.parse::<f64>().ok());
    match parsed {
        Some(value) if value.is_infinite() && cell.iter().any(u8::is_ascii_digit) => {
            Err(Problem::new(quoted(cell), "a number below 1.8e308"))
        }
        Some(value) => Ok(value),
        None => {
            let problem = Problem::new(quoted(cell), "a number, or nothing for a missing point");
            let comma = cell.contains(&b',') && cell.iter().any(u8::is_ascii_digit);
            Err(if comma {
                problem
                    .hint("write numbers with a decimal point and without separators of thousands")
            } else {
                problem
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cell: &str, expect: Option<f64>) {
        let found = value(cell.as_bytes()).ok();
        assert_eq!(
            found.map(f64::to_bits),
            expect.map(f64::to_bits),
            "`{cell}` gave {found:?}"
        );
    }

    #[test]
    fn numbers_holes_and_infinities_are_told_apart() {
        check("1.5", Some(1.5));
        check(" -2e-300\t", Some(-2e-300));
        check("1e-400", Some(0.0));
        check("", Some(f64::NAN));
        check("NaN", Some(f64::NAN));
        check("nan", Some(f64::NAN));
        for text in ["Infinity", "inf", "+Inf", "INF"] {
            check(text, Some(f64::INFINITY));
        }
        check("-Inf", Some(f64::NEG_INFINITY));
        check("-infinity", Some(f64::NEG_INFINITY));
        check("1e999", None);
        check("1,5", None);
        check("n/a", None);
        check("0x10", None);
    }
}
