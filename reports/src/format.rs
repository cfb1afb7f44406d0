//! Numbers, times and names as text. Nothing else in this crate rounds.

use jiff::Timestamp;

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

    /// The same beside the limit that it is held against, with as many digits as tell them apart.
    pub(crate) fn effect_beside(self, effect: f64, limit: f64) -> (String, String) {
        let decimals = decimals_apart(&[effect], &[limit], 3);
        if decimals == 3 {
            return (self.effect(effect), self.effect(limit));
        }
        let exact = |value: f64| {
            let sign = if value < 0.0 { self.minus } else { "" };
            format!("{sign}{}", trim(&format!("{:.decimals$}", value.abs())))
        };
        (exact(effect), exact(limit))
    }

    /// A change in percent beside the limit that it is held against: `+50%`, `+25.04%`.
    pub(crate) fn percent_beside(self, fraction: f64, limit: f64, sign: bool) -> String {
        let (percent, limit) = (fraction * 100.0, limit * 100.0);
        if percent.abs() >= 1000.0 {
            return format!("{}%", self.percent_number(fraction, sign));
        }
        let decimals = decimals_apart(&[percent], &[limit], usize::from(percent.abs() < 99.95));
        let text = format!("{:.decimals$}", percent.abs());
        let prefix = match (percent > 0.0, percent < 0.0) {
            (true, _) if sign => "+",
            (_, true) if sign => self.minus,
            _ => "",
        };
        format!("{prefix}{}%", trim(&text))
    }

    /// The same signs, with so many decimals for scores that each of these still lies on its side of each threshold.
    pub(crate) fn for_scores(self, scores: &[f64], thresholds: &[f64]) -> Self {
        Self {
            score_decimals: decimals_apart(scores, thresholds, self.score_decimals),
            ..self
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

    /// At most `limit` characters; longer text keeps its start and its end.
    pub(crate) fn shorten(self, text: &str, limit: usize) -> String {
        let length = text.chars().count();
        if length <= limit {
            return text.to_owned();
        }
        let kept = limit.saturating_sub(self.ellipsis.chars().count()).max(2);
        let head = kept * 2 / 3;
        let start: String = text.chars().take(head).collect();
        let end: String = text.chars().skip(length - (kept - head)).collect();
        format!("{start}{}{end}", self.ellipsis)
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

/// A share of 0 to 1 in whole per cent, with decimals only where it would otherwise read as nothing, all or half.
pub(crate) fn share(share: f64) -> String {
    let percent = (share * 100.0).clamp(0.0, 100.0);
    let decimals = decimals_apart(&[percent], &[0.0, 50.0, 100.0], 0);
    format!("{percent:.decimals$}%")
}

/// A number of things, with commas.
pub(crate) fn count(count: usize) -> String {
    thousands(count as f64)
}

/// `1 metric`, `2 metrics`.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// The fewest decimals, from `least` on, with which each value still lies on the side of each bound on which it is.
fn decimals_apart(values: &[f64], bounds: &[f64], least: usize) -> usize {
    /// More than a double between 0 and 100 has.
    const MOST: usize = 15;
    let rounded = |value: f64, decimals: usize| {
        format!("{value:.decimals$}")
            .parse::<f64>()
            .unwrap_or(value)
    };
    let keeps = |decimals: usize| {
        values.iter().all(|value| {
            bounds.iter().all(|bound| {
                // Closer than that, they differ by the rounding of sums.
                let same = (value - bound).abs() <= 1e-12 * bound.abs();
                same || rounded(*value, decimals).partial_cmp(&rounded(*bound, decimals))
                    == value.partial_cmp(bound)
            })
        })
    };
    (least..MOST)
        .find(|decimals| keeps(*decimals))
        .unwrap_or(MOST)
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

/// A name on one line: control characters and marks that turn the direction of text become `\u{fffd}`. They could move a
/// terminal's cursor, or make a name read as another.
pub(crate) fn clean(name: &str) -> String {
    name.chars()
        .map(|c| if hidden(c) { '\u{fffd}' } else { c })
        .collect()
}

/// The same for text of several lines: line breaks and tabs stay.
pub(crate) fn clean_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .map(|c| {
            if hidden(c) && c != '\n' && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// Whether a character cannot be seen, or turns or breaks the text around it: control characters, marks and embeddings of
/// direction, line and paragraph separators, and what has no width of its own. The joiners U+200C and U+200D are among these,
/// although some scripts write with them: between Latin letters they make two names look like one.
fn hidden(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}');
    let has_no_width = matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    c.is_control() || turns || breaks || has_no_width || matches!(c, '\u{fffe}' | '\u{ffff}')
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
    fn what_decided_reads_as_it_decided() {
        let check = |effect: f64, limit: f64, text: (&str, &str)| {
            let (effect, limit) = Signs::PAGE.effect_beside(effect, limit);
            assert_eq!((effect.as_str(), limit.as_str()), text);
        };
        check(1.5, 1.25, ("1.5", "1.25"));
        check(1.25, 1.25, ("1.25", "1.25"));
        check(1.249_96, 1.25, ("1.24996", "1.25"));
        check(0.800_000_1, 0.8, ("0.8000001", "0.8"));
        let percent = |fraction, limit| Signs::PAGE.percent_beside(fraction, limit, true);
        assert_eq!(percent(0.5, 0.25), "+50%");
        assert_eq!(percent(0.5034, 0.25), "+50.3%");
        assert_eq!(percent(0.250_04, 0.25), "+25.004%");
        assert_eq!(percent(1.1 - 1.0, 0.1), "+10%");
        assert_eq!(percent(-0.3, -0.25), "\u{2212}30%");
    }

    #[test]
    fn rounding_moves_no_score_over_a_threshold() {
        let check = |score: f64, threshold: f64, text: (&str, &str)| {
            let signs = Signs::PAGE.for_scores(&[score], &[threshold]);
            let shown = (signs.score(score), signs.score(threshold));
            assert_eq!((shown.0.as_str(), shown.1.as_str()), text);
        };
        check(83.33, 95.0, ("83.33", "95"));
        check(100.0, 99.999, ("100", "99.999"));
        check(83.33, 83.333, ("83.33", "83.333"));
        check(250.0 / 3.0, 83.33, ("83.333", "83.33"));
        check(95.0, 95.0, ("95", "95"));
        check(0.0, 1e-9, ("0", "0.000000001"));
    }

    #[test]
    fn a_share_never_reads_as_nothing_all_or_half_unless_it_is() {
        for (part, text) in [
            (0.0, "0%"),
            (1.0 / 200.0, "0.5%"),
            (0.499, "49.9%"),
            (0.4999, "49.99%"),
            (0.5, "50%"),
            (0.333, "33%"),
            (0.998, "99.8%"),
            (1.0, "100%"),
        ] {
            assert_eq!(share(part), text, "{part}");
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

    #[test]
    fn a_long_name_keeps_its_start_and_its_end() {
        let short = Signs::PAGE.shorten(&"abcdefghij".repeat(30), 20);
        assert_eq!(short.chars().count(), 20);
        assert!(
            short.starts_with("abcdefghijab") && short.ends_with("efghij"),
            "{short}"
        );
    }

    #[test]
    fn a_name_cannot_move_the_cursor_or_turn_the_text() {
        assert_eq!(
            clean("a\u{1b}[2J\u{202e}b\n"),
            "a\u{fffd}[2J\u{fffd}b\u{fffd}"
        );
        for c in [
            '\u{61c}',
            '\u{200b}',
            '\u{200d}',
            '\u{2060}',
            '\u{feff}',
            '\u{ad}',
            '\u{e0041}',
            '\u{2069}',
            '\u{9b}',
        ] {
            assert_eq!(clean(&format!("a{c}b")), "a\u{fffd}b", "{c:?}");
            assert_eq!(
                clean_lines(&format!("a{c}\n\tb")),
                "a\u{fffd}\n\tb",
                "{c:?}"
            );
        }
        // What can be seen stays, whatever its script.
        for name in ["زمن الاستجابة", "naïve", "時間", "e\u{301}", "👍"] {
            assert_eq!(clean(name), name);
        }
    }
}
