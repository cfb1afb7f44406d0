//! The final word of a standalone analysis: the last score against the thresholds, in Kayenta's sentences.
//!
//! Source: `GenerateCanaryAnalysisResultTask` of Kayenta. A score that equals the marginal threshold fails here, although
//! the judge calls the same score marginal.

/// What stops an analysis before its last judgement.
pub const NOT_ABOVE_MARGINAL: &str = "Canary score is not above the marginal score threshold.";

/// The final word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// Whether the analysis passed.
    pub did_pass: bool,
    /// Why, one sentence.
    pub message: String,
}

/// Whether an analysis goes on after a judgement with this score. Without a marginal threshold it always does; with one, a
/// score that is no number never does.
#[must_use]
pub fn is_above_marginal(score: f64, marginal: Option<f64>) -> bool {
    marginal.is_none_or(|marginal| score > marginal)
}

/// The last judgement's score (0 where that judgement has none) against the thresholds; `None` where nothing was judged. A
/// score that is no number never passes a threshold.
#[must_use]
pub fn aggregate(score: Option<f64>, marginal: Option<f64>, pass: Option<f64>) -> Aggregate {
    let Some(score) = score else {
        return Aggregate {
            did_pass: false,
            message: "There were no successful canary judgements to aggregate".to_owned(),
        };
    };
    if marginal.is_none() && pass.is_none() {
        return Aggregate {
            did_pass: true,
            message: "No score thresholds were specified.".to_owned(),
        };
    }
    let shown = java_double(score);
    let (did_pass, message) = if !is_above_marginal(score, marginal) {
        let what = "is not above the marginal score threshold.";
        (false, format!("Final canary score {shown} {what}"))
    } else {
        match pass {
            None => (true, "No pass score threshold was specified.".to_owned()),
            Some(pass) if score >= pass => {
                let what = "met or exceeded the pass score threshold.";
                (true, format!("Final canary score {shown} {what}"))
            }
            Some(_) => {
                let what = "is below the pass score threshold.";
                (false, format!("Final canary score {shown} {what}"))
            }
        }
    };
    Aggregate { did_pass, message }
}

/// A number as Java prints it (`Double.toString`, JDK 19 and later): the shortest digits that read back to the same number,
/// always with a fraction, with an exponent below 0.001 and from 10 million on.
#[must_use]
pub fn java_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{value:?}");
    }
    let shown = format!("{value:E}");
    match shown.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        Some(_) | None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_java_does() {
        for (value, expect) in [
            (100.0, "100.0"),
            (66.666_666_666_666_67, "66.66666666666667"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.001, "0.001"),
            (0.000_1, "1.0E-4"),
            (1.5e-7, "1.5E-7"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (-1.25e10, "-1.25E10"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(java_double(value), expect);
        }
    }

    #[test]
    fn without_a_judgement_nothing_passes() {
        let nothing = aggregate(None, None, None);
        assert!(!nothing.did_pass);
        assert_eq!(
            nothing.message,
            "There were no successful canary judgements to aggregate"
        );
    }

    #[test]
    fn a_score_that_is_no_number_passes_no_threshold() {
        assert!(!aggregate(Some(f64::NAN), Some(50.0), None).did_pass);
        assert!(!aggregate(Some(f64::NAN), None, Some(50.0)).did_pass);
    }

    #[test]
    fn a_pass_threshold_alone_decides() {
        assert!(aggregate(Some(50.0), None, Some(50.0)).did_pass);
        assert!(!aggregate(Some(49.9), None, Some(50.0)).did_pass);
    }
}
