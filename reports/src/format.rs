//! Numbers, times and names as text. Nothing else in this crate rounds.

mod names;
mod rounding;
mod times;

pub(crate) use names::{clean, clean_lines};
pub(crate) use rounding::share;
pub(crate) use times::{clock, clock_seconds, date, day, duration};

/// Notes that text and Markdown show; all of them are on the page.
pub(crate) const NOTES: usize = 5;

/// What stands for the notes that are not shown; `None` where all are.
pub(crate) fn more_notes(notes: usize) -> Option<String> {
    (notes > NOTES).then(|| {
        let more = counted(notes - NOTES, "more note", "more notes");
        format!("{more}: see the report")
    })
}

/// The characters that differ between a page and a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signs {
    minus: &'static str,
    pub(crate) times: &'static str,
    pub(crate) arrow: &'static str,
    within: &'static str,
    ellipsis: &'static str,
    infinity: &'static str,
    /// Most decimals of a score.
    score_decimals: usize,
}

impl Signs {
    /// For pages and pull requests.
    pub(crate) const PAGE: Self = Self {
        minus: "\u{2212}",
        times: "×",
        arrow: "→",
        within: "±",
        ellipsis: "…",
        infinity: "∞",
        score_decimals: 2,
    };
    /// For terminals: numbers that can be searched for.
    pub(crate) const TERMINAL: Self = Self {
        minus: "-",
        times: "x",
        arrow: "→",
        within: "±",
        ellipsis: "…",
        infinity: "∞",
        score_decimals: 2,
    };
    /// For terminals and logs without UTF-8.
    pub(crate) const ASCII: Self = Self {
        minus: "-",
        times: "x",
        arrow: "->",
        within: "+/-",
        ellipsis: "...",
        infinity: "infinite",
        score_decimals: 2,
    };

    /// A value in its own unit: three significant digits, whole numbers and thousands in full, `1.72 G` from a million on,
    /// and powers of ten where nothing else is short. `none` for NaN, which no judgement holds.
    pub(crate) fn value(self, value: f64) -> String {
        if value.is_nan() {
            return "none".to_owned();
        }
        let size = value.abs();
        let text = if size.is_infinite() {
            self.infinity.to_owned()
        } else {
            self.magnitude(size)
        };
        if value < 0.0 && text != "0" {
            format!("{}{text}", self.minus)
        } else {
            text
        }
    }

    /// The same with its sign: `+3.20`.
    pub(crate) fn signed(self, value: f64) -> String {
        let text = self.value(value);
        if value > 0.0 {
            format!("+{text}")
        } else {
            text
        }
    }

    fn magnitude(self, size: f64) -> String {
        if size == 0.0 {
            return "0".to_owned();
        }
        if (size < 1000.0 && size.fract() == 0.0) || (999.5..999_999.5).contains(&size) {
            return thousands(size);
        }
        if (0.000_999_5..999.5).contains(&size) {
            return significant(size);
        }
        for (scale, letter) in [(1e6, 'M'), (1e9, 'G'), (1e12, 'T')] {
            let scaled = size / scale;
            if (0.9995..999.5).contains(&scaled) {
                return format!("{} {letter}", significant(scaled));
            }
        }
        self.power(size)
    }

    /// `1.23e-7`, with this sign set's minus.
    fn power(self, size: f64) -> String {
        format!("{size:.2e}").replace('-', self.minus)
    }

    /// An effect in percent without the percent sign: one decimal below 2×, whole numbers from there on.
    fn percent_number(self, fraction: f64, sign: bool) -> String {
        let percent = fraction * 100.0;
        let size = percent.abs();
        let text = if size.is_infinite() {
            self.infinity.to_owned()
        } else if size >= 1e9 {
            self.power(size)
        } else if size >= 99.95 {
            thousands(size)
        } else if size >= 0.05 || size == 0.0 {
            format!("{size:.1}")
        } else if size >= 0.000_95 {
            // Two digits, so that an interval clear of zero does not read as zero.
            let decimals = (1.0 - size.log10().floor()) as usize;
            format!("{size:.decimals$}")
        } else {
            self.power(size)
        };
        let prefix = match (percent > 0.0, percent < 0.0) {
            (true, _) if sign => "+",
            (_, true) if sign => self.minus,
            _ => "",
        };
        format!("{prefix}{text}")
    }

    /// `+13.0%`.
    pub(crate) fn percent(self, fraction: f64) -> String {
        format!("{}%", self.percent_number(fraction, true))
    }

    /// `13.0%`, for sentences whose verb says the direction.
    pub(crate) fn percent_unsigned(self, fraction: f64) -> String {
        format!("{}%", self.percent_number(fraction, false))
    }

    /// `[+12.5, +13.4]`.
    pub(crate) fn percent_interval(self, low: f64, high: f64) -> String {
        format!(
            "[{}, {}]",
            self.percent_number(low, true),
            self.percent_number(high, true)
        )
    }

    /// `[12.5, 13.4]`.
    pub(crate) fn percent_interval_unsigned(self, low: f64, high: f64) -> String {
        format!(
            "[{}, {}]",
            self.percent_number(low, false),
            self.percent_number(high, false)
        )
    }

    /// An end of an interval in a table of its own: `+12.5`.
    pub(crate) fn percent_end(self, fraction: f64) -> String {
        self.percent_number(fraction, true)
    }

    /// A limit as it was set: `+50%`, `-2.5%`.
    pub(crate) fn limit(self, fraction: f64) -> String {
        let text = self.limit_number(fraction.abs());
        match (fraction > 0.0, fraction < 0.0) {
            (true, _) => format!("+{text}"),
            (_, true) => format!("{}{text}", self.minus),
            _ => text,
        }
    }

    /// `±5%`.
    pub(crate) fn within(self, fraction: f64) -> String {
        format!("{}{}", self.within, self.limit_number(fraction.abs()))
    }

    fn limit_number(self, fraction: f64) -> String {
        if (fraction * 100.0).is_infinite() {
            return format!("{}%", self.infinity);
        }
        if fraction >= 1e7 {
            return format!("{}%", self.power(fraction * 100.0));
        }
        // 1.1 - 1 is not 0.1: six digits are what a person wrote.
        let percent = (fraction * 100.0 * 1e6).round() / 1e6;
        if percent >= 1000.0 {
            return format!("{}%", thousands(percent));
        }
        format!("{percent}%")
    }

    /// A ratio: `3.1×`.
    pub(crate) fn ratio(self, ratio: f64) -> String {
        format!("{}{}", self.ratio_number(ratio), self.times)
    }

    /// `[2.4, 4.0]`.
    pub(crate) fn ratio_interval(self, low: f64, high: f64) -> String {
        format!("[{}, {}]", self.ratio_number(low), self.ratio_number(high))
    }

    fn ratio_number(self, ratio: f64) -> String {
        let size = ratio.abs();
        let text = if size.is_infinite() {
            self.infinity.to_owned()
        } else if size < 99.95 {
            format!("{size:.1}")
        } else if size < 1e9 {
            thousands(size)
        } else {
            self.power(size)
        };
        if ratio < 0.0 && text != "0.0" {
            format!("{}{text}", self.minus)
        } else {
            text
        }
    }

    /// A ratio of means or another effect against a limit, at the precision at which limits are set: `1.13`.
    pub(crate) fn effect(self, effect: f64) -> String {
        if effect.abs() >= 0.0005 && effect.abs() < 99.95 {
            let text = format!("{:.3}", effect.abs());
            let sign = if effect < 0.0 { self.minus } else { "" };
            format!("{sign}{}", trim(&text))
        } else {
            self.value(effect)
        }
    }

    /// A score: whole, or with at most two decimals unless more were asked for.
    pub(crate) fn score(self, score: f64) -> String {
        let decimals = self.score_decimals;
        let text = trim(&format!("{:.decimals$}", score.abs())).to_owned();
        if score < 0.0 && text != "0" {
            format!("{}{text}", self.minus)
        } else {
            text
        }
    }
}

/// Whole, with commas: `56,319`.
pub(crate) fn thousands(size: f64) -> String {
    let digits = format!("{:.0}", size.abs());
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things, with commas.
pub(crate) fn count(count: usize) -> String {
    thousands(count as f64)
}

/// `1 metric`, `2 metrics`.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Three significant digits for a size between 0.001 and 1,000.
fn significant(size: f64) -> String {
    let decimals = if size >= 99.95 {
        0
    } else if size >= 9.995 {
        1
    } else if size >= 0.9995 {
        2
    } else if size >= 0.099_95 {
        3
    } else if size >= 0.009_995 {
        4
    } else {
        5
    };
    format!("{size:.decimals$}")
}

fn trim(decimal: &str) -> &str {
    if decimal.contains('.') {
        decimal.trim_end_matches('0').trim_end_matches('.')
    } else {
        decimal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_three_significant_digits_and_thousands_in_full() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (5.0, "5"),
            (86.04, "86.0"),
            (0.48, "0.480"),
            (0.27812, "0.278"),
            (9.999, "10.0"),
            (999.7, "1,000"),
            (1425.6, "1,426"),
            (56_319.0, "56,319"),
            (1_717_986_918.0, "1.72 G"),
            (-3.2, "\u{2212}3.20"),
            (0.000_123, "1.23e\u{2212}4"),
            (1e300, "1.00e300"),
            (1e-300, "1.00e\u{2212}300"),
            (f64::NEG_INFINITY, "\u{2212}∞"),
        ] {
            assert_eq!(Signs::PAGE.value(value), text, "{value}");
        }
    }

    #[test]
    fn effects_are_percent_with_a_sign_and_never_read_as_zero_when_they_are_not() {
        for (fraction, text) in [
            (0.13, "+13.0%"),
            (-0.056, "-5.6%"),
            (2.14, "+214%"),
            (8.61, "+861%"),
            (0.0, "0.0%"),
            (0.0004, "+0.040%"),
            (0.000_354, "+0.035%"),
            (-0.000_021, "-0.0021%"),
            (0.9996, "+100%"),
            (123.45, "+12,345%"),
            (1e-9, "+1.00e-7%"),
            (1e12, "+1.00e14%"),
        ] {
            assert_eq!(Signs::TERMINAL.percent(fraction), text, "{fraction}");
        }
    }

    #[test]
    fn limits_read_as_they_were_set() {
        for (fraction, text) in [
            (1.1 - 1.0, "+10%"),
            (0.97 - 1.0, "-3%"),
            (1.025 - 1.0, "+2.5%"),
            (0.5, "+50%"),
            (1e9, "+1.00e11%"),
            (f64::MAX, "+infinite%"),
        ] {
            assert_eq!(Signs::ASCII.limit(fraction), text, "{fraction}");
        }
    }

    #[test]
    fn a_ratio_has_no_letter_before_its_sign() {
        for (ratio, text) in [
            (3.12, "3.1x"),
            (99.97, "100x"),
            (30_600_000.0, "30,600,000x"),
            (2e9, "2.00e9x"),
        ] {
            assert_eq!(Signs::TERMINAL.ratio(ratio), text);
        }
    }
}
