//! Shares, intervals and what follows from them.

use coalmine_benchmark::rate::{Bound, Rate, Standing, quantile, smallest_visible};

fn rate(hits: u64, of: u64) -> Rate {
    Rate { hits, of }
}

#[test]
fn the_exact_interval_is_that_of_the_textbook() {
    // Ends of `k` of `n` at 95 %: for 0 and n by the closed form (0.025)^(1/n), the others by bisecting binomial tails.
    for (hits, of, low, high) in [
        (0, 60, 0.0, 0.059_629_499),
        (60, 60, 0.940_370_501, 1.0),
        (3, 100, 0.006_229_972, 0.085_176_053),
        (50, 100, 0.398_321_132, 0.601_678_868),
    ] {
        let (found_low, found_high) = rate(hits, of).interval(0.95);
        assert!(
            (found_low - low).abs() < 1e-6,
            "{hits} of {of}: {found_low}, not {low}"
        );
        assert!(
            (found_high - high).abs() < 1e-6,
            "{hits} of {of}: {found_high}, not {high}"
        );
    }
    assert_eq!(rate(0, 0).interval(0.95), (0.0, 1.0));
}

#[test]
fn a_number_is_met_close_or_missed() {
    let standing = |bound: Bound, hits, of| bound.standing(rate(hits, of));
    assert_eq!(standing(Bound::AtMost(0.02), 2, 100), Standing::Met);
    assert_eq!(standing(Bound::AtMost(0.02), 3, 100), Standing::Close);
    assert_eq!(standing(Bound::AtMost(0.02), 30, 100), Standing::Missed);
    assert_eq!(standing(Bound::AtLeast(0.95), 95, 100), Standing::Met);
    assert_eq!(standing(Bound::AtLeast(0.95), 94, 100), Standing::Close);
    assert_eq!(standing(Bound::AtLeast(0.95), 50, 100), Standing::Missed);
    assert_eq!(standing(Bound::AtLeast(1.0), 99, 100), Standing::Missed);
    assert_eq!(standing(Bound::AtLeast(1.0), 0, 0), Standing::Unknown);
}

#[test]
fn chance_excuses_what_is_likely_and_nothing_else() {
    // P(X ≥ 1 | n = 100, p = 0.02) = 1 − 0.98^100.
    let one = Bound::AtMost(0.02).excuse(rate(1, 100));
    assert!((one - (1.0 - 0.98_f64.powi(100))).abs() < 1e-12);
    // P(X ≤ 0 | n = 10, p = 0.5) = 2^−10.
    let none = Bound::AtLeast(0.5).excuse(rate(0, 10));
    assert!((none - 0.5_f64.powi(10)).abs() < 1e-12);
    assert_eq!(Bound::AtMost(0.02).excuse(rate(0, 100)), 1.0);
    assert_eq!(Bound::AtLeast(1.0).excuse(rate(99, 100)), 0.0);
    assert_eq!(Bound::AtLeast(1.0).excuse(rate(100, 100)), 1.0);
    assert_eq!(Bound::AtMost(0.02).excuse(rate(0, 0)), 1.0);
}

#[test]
fn what_could_be_seen_is_that_of_the_reference() {
    // The reference's table: CV 5 / 10 / 20 / 40 % at 60 points a side; there as a difference, here as a ratio.
    for (cv, percent) in [(0.05, 3.0), (0.1, 5.9), (0.2, 11.8), (0.4, 23.7)] {
        let found = smallest_visible(cv, 1.0, 60).ln_1p() * 100.0;
        assert!(
            (found - percent).abs() < 0.1,
            "CV {cv}: {found}, not {percent}"
        );
    }
    let doubled = smallest_visible(0.05, 4.0, 60).ln_1p() / smallest_visible(0.05, 1.0, 60).ln_1p();
    assert!((doubled - 2.0).abs() < 1e-9);
}

#[test]
fn a_quantile_is_one_of_the_values() {
    let values = [1.0, 2.0, 3.0, 4.0];
    assert_eq!(quantile(&values, 0.5), Some(2.0));
    assert_eq!(quantile(&values, 0.9), Some(4.0));
    assert_eq!(quantile(&values, 0.0), Some(1.0));
    assert_eq!(quantile(&[], 0.5), None);
}
