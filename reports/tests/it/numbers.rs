//! Any numbers at any times can be reported.

use crate::samples;
use coalmine_judges::config::{JudgeConfig, MetricSpec, Thresholds};
use coalmine_judges::judge::{Judge, JudgeInput};
use coalmine_judges::judges::netflix_aca::NetflixAcaJudge;
use coalmine_judges::series::{Grid, MetricSetPair, Series};
use coalmine_reports::{Context, Links, Report, TextStyle, html, junit, markdown, text};
use proptest::prelude::*;

fn value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        6 => (-1e3..1e3).prop_map(Some),
        3 => any::<f64>().prop_map(Some),
        1 => proptest::sample::select(vec![0.0, -0.0, 5e-324, f64::MAX, f64::MIN, f64::INFINITY, f64::NEG_INFINITY]).prop_map(Some),
        1 => Just(None),
    ]
}

fn series() -> impl Strategy<Value = Series> {
    let grid = proptest::option::of((
        prop_oneof![Just(samples::START_MS), any::<i64>()],
        prop_oneof![Just(60_000), 1..=u64::MAX],
    ));
    let values = prop_oneof![
        proptest::collection::vec(value(), 0..40),
        (value(), 0..30_usize).prop_map(|(value, count)| vec![value; count]),
        (0.1_f64..10.0, 1..60_usize).prop_map(|(scale, count)| {
            (0..count)
                .map(|index| Some((scale * index as f64).exp()))
                .collect()
        }),
    ];
    (grid, values).prop_map(|(grid, values)| {
        let grid = grid.map(|(start_ms, step_ms)| Grid { start_ms, step_ms });
        Series::new(grid, values)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_series_and_any_limits_can_be_reported(
        baseline in series(),
        canary in series(),
        limits in (any::<f64>(), any::<f64>()),
        thresholds in (0.0..=100.0, 0.0..=100.0),
        weight in proptest::option::of(-50.0..200.0),
        judged_at_ms in proptest::option::of(any::<i64>()),
    ) {
        let mut spec = MetricSpec::new("metric", ["group"]);
        spec.effect.allowed_increase = limits.0;
        spec.effect.allowed_decrease = limits.1;
        let config = JudgeConfig {
            metrics: vec![spec],
            group_weights: weight.map(|weight| ("group".to_owned(), weight)).into_iter().collect(),
        };
        let sets = vec![MetricSetPair {
            name: "metric".to_owned(),
            id: "1".to_owned(),
            tags: std::collections::BTreeMap::new(),
            baseline,
            canary,
        }];
        let thresholds = Thresholds { pass: thresholds.0, marginal: thresholds.1 };
        let judgement = NetflixAcaJudge.judge(&JudgeInput::new(&config, thresholds, &sets).unwrap());
        let context = Context { judged_at_ms, ..Context::default() };
        let report = Report { judgement: &judgement, sets: &sets, context: &context };
        let page = html(&report).expect("a page is written whatever the numbers");
        let drawn = page.split("<script type=\"application/json\"").next().unwrap();
        // Past the style sheet, where a word may hold these letters.
        let drawn = drawn.split("</head>").nth(1).unwrap();
        for written in [
            drawn,
            &text(&report, &TextStyle { width: 120, all: true, ..TextStyle::default() }),
            &markdown(&report, &Links::default()),
            &junit(&report),
        ] {
            for word in written.split(|c: char| !c.is_alphanumeric()) {
                prop_assert!(!matches!(word, "NaN" | "inf" | "Inf" | "nan"), "{written}");
            }
        }
        // Each point of a chart lies within a screen of it.
        for path in drawn.split(" d=\"M").skip(1) {
            let path = path.split('"').next().unwrap();
            for number in path.split(|c: char| !(c.is_ascii_digit() || c == '.')).filter(|number| !number.is_empty()) {
                if let Ok(number) = number.parse::<f64>() {
                    prop_assert!(number <= 700.0, "{path}");
                }
            }
        }
        prop_assert!(page.len() < 400_000, "{}", page.len());
    }
}
