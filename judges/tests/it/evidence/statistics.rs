//! The statistics of the evidence judge against what is known of them.

use coalmine_judges::stats::event_share::{EventShare, Step};
use coalmine_judges::stats::signs::{Clustering, at_least, lead};
use coalmine_judges::stats::{autocorrelation, holm, pitman_morgan, student, walsh};
use serde_json::Value;

use super::noise::Chance;

#[test]
fn the_centre_of_walsh_averages_is_that_of_r() {
    let file: Value =
        serde_json::from_str(include_str!("../../vectors/stats_vectors_public.json")).unwrap();
    let numbers = |value: &Value| -> Vec<f64> {
        let values = value.as_array().unwrap().iter();
        values.map(|v| v.as_f64().unwrap()).collect()
    };
    let mut compared = 0;
    for case in file["cases"].as_array().unwrap() {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        let paired = &case["r_paired"];
        let (Some(low), Some(high)) = (paired["conf_lo"].as_f64(), paired["conf_hi"].as_f64())
        else {
            continue;
        };
        let differences: Vec<f64> = x.iter().zip(&y).map(|(x, y)| x - y).collect();
        // R takes zeros out and corrects for ties, which the reference formula here does not; and it is exact below 50.
        let mut sizes: Vec<f64> = differences.iter().map(|d| d.abs()).collect();
        sizes.sort_unstable_by(f64::total_cmp);
        let tied = sizes.windows(2).any(|pair| pair[0] == pair[1]) || sizes.first() == Some(&0.0);
        let exact = paired["method"].as_str().unwrap().contains("exact");
        if tied || exact || differences.len() < 50 || high - low > 1e6 {
            continue;
        }
        let found = walsh::centre(&differences, 2.326_347_874_040_841).unwrap();
        let close = 0.02 * (high - low);
        assert!(
            (found.low - low).abs() <= close && (found.high - high).abs() <= close,
            "{}: {found:?}, R [{low}, {high}]",
            case["id"]
        );
        assert!((found.estimate - paired["estimate"].as_f64().unwrap()).abs() <= close);
        compared += 1;
    }
    assert!(compared >= 5, "only {compared}");
}

#[test]
fn searched_walsh_averages_agree_with_formed_ones() {
    let all = Chance(4).autoregressive(400, 0.2);
    let formed = |values: &[f64]| {
        let mut averages: Vec<f64> = Vec::new();
        for (i, a) in values.iter().enumerate() {
            averages.extend(values[..=i].iter().map(|b| f64::midpoint(*a, *b)));
        }
        averages.sort_unstable_by(f64::total_cmp);
        averages
    };
    let averages = formed(&all);
    let found = walsh::centre(&all, 2.0).unwrap();
    let rank = |value: f64| averages.partition_point(|a| *a < value) as f64 / averages.len() as f64;
    assert!((rank(found.estimate) - 0.5).abs() < 1.0 / 400.0);
    let expected = 0.5 - 2.0 * (400.0_f64 * 401.0 * 801.0 / 24.0).sqrt() / averages.len() as f64;
    assert!((rank(found.low) - expected).abs() < 1.0 / 400.0);
    assert!((rank(found.high) - (1.0 - expected)).abs() < 1.0 / 400.0);
}

#[test]
fn tails_of_students_t_are_those_of_the_tables() {
    // t tables, one-sided: 2.5 %, 1 %, 0.05 %; the first two rows are the Cauchy's and that of the closed form for ν = 2.
    for (degrees, t, tail) in [
        (1.0, 12.706_204_736, 0.025),
        (2.0, 6.964_556_734, 0.01),
        (5.0, 2.570_581_836, 0.025),
        (5.0, 6.868_826_626, 0.0005),
        (10.0, 2.763_769_458, 0.01),
        (10.0, 4.586_893_859, 0.0005),
        (30.0, 3.645_958_635, 0.0005),
        (60.0, 2.390_119_473, 0.01),
    ] {
        let found = student::survival(t, degrees);
        assert!(
            (found / tail - 1.0).abs() < 2e-4,
            "ν {degrees}: {found}, not {tail}"
        );
        assert!((student::survival(-t, degrees) - (1.0 - found)).abs() < 1e-12);
        if degrees >= 3.0 {
            let quantile = student::upper_quantile_approximate(tail, degrees);
            assert!(
                (quantile / t - 1.0).abs() < 0.025,
                "ν {degrees}: {quantile}, not {t}"
            );
        }
    }
}

#[test]
fn holm_steps_down_and_stops() {
    let levels = holm::levels(&[0.001, 0.04, 0.006, 0.03], 0.02, 4);
    assert_eq!(levels, [0.02 / 4.0, 0.02 / 2.0, 0.02 / 3.0, 0.02 / 2.0]);
}

#[test]
fn a_lead_counts_runs_of_dependent_points_once() {
    let values = [5.0, 6.0, -0.1, 7.0, 0.2, -0.3];
    let free = lead(&values, Clustering::of(0.0)).unwrap();
    assert_eq!(
        (free.positive, free.count, free.p_one_sided()),
        (true, 3, 0.125)
    );
    assert_eq!(
        lead(
            &values,
            Clustering {
                dependence: 1.0,
                gap: 1
            }
        )
        .unwrap()
        .credit,
        2.0
    );
    assert!(lead(&[0.0, 0.0], Clustering::of(0.0)).is_none());
    assert!((at_least(9, 12, 0.5) - 299.0 / 4096.0).abs() < 1e-12);
}

#[test]
fn dependence_is_estimated_without_much_bias_and_a_late_step_is_none() {
    for r in [0.0, 0.3, 0.6] {
        let runs = 400;
        let mean: f64 = (0..runs)
            .map(|seed| autocorrelation::lag_one(&Chance(seed).autoregressive(60, r)))
            .sum::<f64>()
            / f64::from(runs as u32);
        assert!((mean - r).abs() < 0.03, "{mean}, not {r}");
    }
    let mut stepped = Chance(1).autoregressive(60, 0.0);
    for value in &mut stepped[30..] {
        *value += 8.0;
    }
    assert!(autocorrelation::lag_one(&stepped) > 0.8);
    assert!(autocorrelation::in_window(&stepped).robust < 0.3);
    let past: Vec<Option<f64>> = Chance(2)
        .autoregressive(2_880, 0.9)
        .into_iter()
        .map(Some)
        .collect();
    let (r, _) = autocorrelation::lag_one_of_history(&past, 120).unwrap();
    assert!((r - 0.9).abs() < 0.03, "{r}");
}

#[test]
fn shared_load_makes_no_difference_of_spread() {
    let mut chance = Chance(3);
    let load: Vec<f64> = chance
        .autoregressive(60, 0.0)
        .iter()
        .map(|z| 2.0 * z)
        .collect();
    let mut side = |size: f64| {
        let noise = chance.autoregressive(60, 0.0);
        load.iter()
            .zip(noise)
            .map(|(l, z)| l + size * z)
            .collect::<Vec<f64>>()
    };
    let (plain, other, wide) = (side(1.0), side(1.0), side(6.0));
    assert!(pitman_morgan::compare(&plain, &other, 1.0).unwrap().z.abs() < 2.5);
    assert!(pitman_morgan::compare(&wide, &plain, 1.0).unwrap().p_more() < 1e-4);
}

#[test]
fn an_even_share_of_events_is_exact_where_they_are_few() {
    let steps = [Step {
        canary: 3.0,
        baseline: 1.0,
        share: 0.5,
    }; 3];
    let found = EventShare::of(&steps).unwrap();
    // 9 of 12, half of its own chance counted.
    let expected = f64::midpoint(at_least(9, 12, 0.5), at_least(10, 12, 0.5));
    assert!((found.p_more() - expected).abs() < 1e-12);
    let (ratio, low, high) = found.ratio(0.05);
    assert!(
        (ratio - 3.0).abs() < 1e-12 && low < 1.5 && high > 6.0,
        "{low} {high}"
    );
}
