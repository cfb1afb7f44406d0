//! Rounding that never puts a number on the other side of what it is held against.

use super::{Signs, trim};

impl Signs {
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
}

/// A share of 0 to 1 in whole per cent, with decimals only where it would otherwise read as nothing, all or half.
pub(crate) fn share(share: f64) -> String {
    let percent = (share * 100.0).clamp(0.0, 100.0);
    let decimals = decimals_apart(&[percent], &[0.0, 50.0, 100.0], 0);
    format!("{percent:.decimals$}%")
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
