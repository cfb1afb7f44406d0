//! What single sentences and cells say where a careless word would mislead.

use coalmine_judges::judgement::{Classification, Reason};
use coalmine_reports::{Links, TextStyle, html, markdown, text};
use scraper::{Html, Selector};

use crate::samples::{self, Builder, Sample};

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn terminal(sample: &Sample) -> String {
    on_one_line(&text(&sample.report(), &TextStyle::default()))
}

fn texts(page: &str, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    Html::parse_document(page)
        .select(&selector)
        .map(|element| on_one_line(&element.text().collect::<String>()))
        .collect()
}

#[test]
fn sides_of_different_times_are_told_apart_in_all_reports() {
    const WEEK_MS: i64 = 7 * 86_400_000;
    let mut b = Builder::new(41).points(10, 60_000);
    let metric = b.level("m", "g", 10.0, 0.1, 1.0);
    b.add(metric);
    let mut sample = b.judge();
    let grid = sample.sets[0].canary.grid().unwrap();
    let later = coalmine_judges::series::Grid {
        start_ms: grid.start_ms + WEEK_MS,
        step_ms: 10_000,
    };
    let values = sample.sets[0].canary.values().to_vec();
    sample.sets[0].canary = coalmine_judges::series::Series::new(Some(later), values);
    let short =
        "canary 19 Mar 2026, 11:00:00 to 11:01:40 UTC, baseline 12 Mar 2026, 11:00 to 11:10 UTC";
    assert!(terminal(&sample).contains(short), "{}", terminal(&sample));
    assert!(markdown(&sample.report(), &Links::default()).contains(short));
    let cells = texts(&html(&sample.report()).unwrap(), ".compared tr td");
    let window = [
        "12 Mar 2026, 11:00 to 11:10 UTC: 10 min, step 60 s",
        "19 Mar 2026, 11:00:00 to 11:01:40 UTC: 100 s, step 10 s",
    ];
    assert!(
        cells.windows(2).any(|pair| pair == window),
        "a cell for each side: {cells:?}"
    );
}

#[test]
fn a_score_just_below_a_threshold_does_not_read_as_reaching_it() {
    let mut b = Builder::new(43).thresholds(66.674, 50.0);
    for (name, ratio) in [("a", 1.0), ("b", 1.0), ("c", 2.0)] {
        let mut metric = b.level(name, "g", 10.0, 0.01, ratio);
        if ratio == 1.0 {
            metric.canary.clone_from(&metric.baseline);
        }
        b.add(metric);
    }
    let written = terminal(&b.judge());
    assert!(
        written.contains("The score of 66.67 lies below 66.674, from which on a canary passes"),
        "{written}"
    );
    let mut sample = samples::two_hundred();
    sample.judgement.coverage = 1.0 / 200.0;
    sample.judgement.reason = coalmine_judges::judgement::VerdictReason::TooLittleDecided;
    assert!(terminal(&sample).contains("0.5% of the weight was decided"));
}

#[test]
fn a_judge_whose_ends_are_crossed_is_quoted_as_it_is() {
    let mut sample = samples::one();
    let result = &mut sample.judgement.results[0];
    let mean = result.baseline.stats.mean.unwrap();
    let shift = result.shift.as_mut().unwrap();
    (shift.estimate, shift.low, shift.high) = (0.2 * mean, 0.1 * mean, -0.05 * mean);
    assert_eq!(result.classification, Classification::High);
    let page = html(&sample.report()).unwrap();
    let expected = "The canary lies 20.0% above the baseline: the ends of the judge’s 98% interval are crossed, the lower at \
         +10.0% and the upper at −5.0%, and it compares each with zero as it is.";
    assert!(
        texts(&page, ".why")[0].starts_with(expected),
        "{:?}",
        texts(&page, ".why")
    );
    let result = &mut sample.judgement.results[0];
    (result.classification, result.reason) = (Classification::Pass, Reason::NoShift);
    let page = html(&sample.report()).unwrap();
    assert!(
        texts(&page, ".why")[0].contains(
            "Neither is on its side of zero by a quarter of the shift (5.0%), which the judge asks for. Result: Pass."
        ),
        "{:?}",
        texts(&page, ".why")
    );
}

#[test]
fn a_change_that_is_too_small_for_the_judge_says_how_much_it_asks_for() {
    let page = html(&samples::fail().report()).unwrap();
    let sentence = "is clear of zero by less than a quarter of the shift (2.1%), which the judge asks for. \
         Changes between +0.9% and +15.5% fit the data. Result: Pass.";
    assert!(
        texts(&page, ".why")
            .iter()
            .any(|why| why.contains(sentence))
    );
}

#[test]
fn a_critical_metric_without_an_answer_is_named_first() {
    assert!(terminal(&samples::inconclusive()).starts_with(
        "◇ Inconclusive: critical metric checkout_success has no data from the canary"
    ));
}

#[test]
fn kayenta_is_named_for_its_own_judge_only() {
    let mut sample = samples::no_data();
    let named = "A client that reads only Kayenta’s score sees";
    assert!(terminal(&sample).contains(named), "{}", terminal(&sample));
    sample.judgement.judge = "ACADEMIC-v1".to_owned();
    assert!(!terminal(&sample).contains("Kayenta"));
    assert!(terminal(&sample).contains("alone it would be"));
}

#[test]
fn a_condition_over_many_metrics_is_left_out() {
    let sample = samples::two_hundred();
    let page = html(&sample.report()).unwrap();
    let conditions = texts(&page, ".whatif tbody td:first-child");
    assert!(!conditions.is_empty());
    assert!(
        conditions
            .iter()
            .all(|text| !text.contains(" more ") && !text.contains("undecided metrics")),
        "{conditions:?}"
    );
}

#[test]
fn many_notes_do_not_push_the_verdict_away() {
    let mut sample = samples::one();
    sample.context.notes = (0..199)
        .map(|index| format!("`m{index}` is only in the baseline"))
        .collect();
    let written = text(&sample.report(), &TextStyle::default());
    assert_eq!(written.matches("note: ").count(), 5, "{written}");
    assert!(
        written.contains("194 more notes: see the report"),
        "{written}"
    );
    let written = markdown(&sample.report(), &Links::default());
    assert_eq!(
        written.matches("is only in the baseline").count(),
        5,
        "{written}"
    );
    assert!(
        written.contains("- <code>m0</code> is only in the baseline\n"),
        "{written}"
    );
    assert!(
        written.contains("- 194 more notes: see the report"),
        "{written}"
    );
    let folded = |notes: usize| {
        sample.context.notes.truncate(notes);
        let page = html(&sample.report()).unwrap();
        assert_eq!(texts(&page, ".notes li").len(), notes);
        texts(&page, ".notes details summary")
    };
    let mut folded = folded;
    assert_eq!(folded(199), ["199 notes"]);
    assert!(folded(10).is_empty());
}

#[test]
fn muted_results_of_all_kinds_have_an_order() {
    let mut b = Builder::new(47).points(12, 60_000);
    for index in 0..40 {
        let mut metric = b
            .level(
                &format!("m{index}"),
                "g",
                10.0,
                0.05,
                1.0 + f64::from(index % 5),
            )
            .muted();
        if index % 3 == 0 {
            metric.canary[0] = Some(f64::INFINITY);
        }
        b.add(metric);
    }
    let page = html(&b.judge().report()).unwrap();
    let words = texts(&page, ".metrics .res");
    let first_undecided = words
        .iter()
        .position(|word| word == "Muted (Inconclusive)")
        .unwrap();
    let last_failed = words
        .iter()
        .rposition(|word| word == "Muted (High)")
        .unwrap();
    assert!(last_failed < first_undecided, "{words:?}");
}

/// A judgement whose effects are all short once had the header `Effect, 98% intervalTolerance`.
#[test]
fn no_title_of_a_column_runs_into_the_next() {
    for sample in [
        samples::one(),
        samples::means_decide(),
        samples::no_data(),
        samples::inconclusive(),
    ] {
        for width in 40..=132 {
            let style = TextStyle {
                width,
                all: true,
                ..TextStyle::default()
            };
            let written = text(&sample.report(), &style);
            let header = written
                .lines()
                .find(|line| line.trim().starts_with("Result "))
                .unwrap();
            for title in ["Metric", "Effect", "Tolerance", "-50"] {
                if let Some(at) = header.find(title) {
                    assert!(header[..at].ends_with("  "), "{width}: {header}");
                }
            }
        }
    }
}
