//! Every deterministic case of Kayenta's statistics, run against ours. The whole-judge cases need the config reader and are
//! tested in the root package.

use std::collections::BTreeMap;

use coalmine_judges::config::{
    Direction, EffectLimits, EffectMeasure, MetricSpec, NanStrategy, Outliers, Thresholds,
};
use coalmine_judges::judgement::{Classification, MetricResult, Reason, SideSummary};
use coalmine_judges::judges::{mean_inequality, netflix_aca};
use coalmine_judges::prepare::{Prepared, prepare};
use coalmine_judges::sample::Sample;
use coalmine_judges::score;
use coalmine_judges::series::Series;
use coalmine_judges::stats::quantile::quantile_r7;
use coalmine_judges::stats::ranks::RankCounts;
use coalmine_judges::stats::shift_root::{RootInterval, ShiftStatistic};
use coalmine_judges::stats::{describe, effect, normal, outliers};
use serde_json::Value;

use crate::kayenta_case::{Case, check_kind, check_number, number, numbers, sorted};

#[test]
fn shift_intervals_are_kayentas_to_the_bit() {
    for (kind, at_least) in [("mannWhitneyUTest", 324), ("mannWhitneyIntermediate", 1)] {
        check_kind(kind, at_least, |case| {
            let (x, y) = (sorted(case.input("x")), sorted(case.input("y")));
            let z = normal::two_sided_z(number(case.param("confidenceLevel")));
            let statistic = ShiftStatistic::new(&x, &y).unwrap();
            let interval = statistic.interval(z);
            if !case.0["expected"]["exception"].is_null() {
                assert!(interval.is_err(), "{}: expected a refusal", case.name());
                return;
            }
            let interval = interval.unwrap_or_else(|error| panic!("{}: {error}", case.name()));
            check_number(case, "ciLow", interval.low);
            check_number(case, "ciHigh", interval.high);
            check_number(case, "estimate", interval.estimate);
        });
    }
}

#[test]
fn the_statistic_at_the_ends_of_the_search_is_kayentas() {
    check_kind("mannWhitneyIntermediate", 1, |case| {
        let (x, y) = (sorted(case.input("x")), sorted(case.input("y")));
        let z = normal::two_sided_z(number(case.param("confidenceLevel")));
        let statistic = ShiftStatistic::new(&x, &y).unwrap();
        let (lowest, highest) = (x[0] - y[y.len() - 1], x[x.len() - 1] - y[0]);
        check_number(case, "rMumin", lowest);
        check_number(case, "rMumax", highest);
        check_number(case, "rZqLower", z);
        check_number(case, "rZqUpper", -z);
        check_number(case, "rFlower1", statistic.at(lowest).unwrap() - z);
        check_number(case, "rFupper1", statistic.at(highest).unwrap() - z);
        check_number(case, "rFlower2", statistic.at(lowest).unwrap() + z);
        check_number(case, "rFupper2", statistic.at(highest).unwrap() + z);
    });
}

#[test]
fn the_rank_statistic_is_kayentas_at_any_shift() {
    check_kind("wilcoxonDiff", 2, |case| {
        let (x, y) = (sorted(case.input("x")), sorted(case.input("y")));
        let value = ShiftStatistic::new(&x, &y)
            .unwrap()
            .at(number(case.param("mu")))
            .unwrap();
        check_number(case, "value", value - number(case.param("quantile")));
    });
}

#[test]
fn normal_quantiles_agree() {
    check_kind("normalQuantile", 2, |case| {
        let p = &case.0["input"]["p"];
        if p.is_array() {
            for (p, theirs) in numbers(p).into_iter().zip(numbers(case.expected("value"))) {
                let ours = normal::quantile(p);
                assert!(
                    (ours - theirs).abs() <= 1e-12 * theirs.abs(),
                    "{}: {ours} at {p}, expected {theirs}",
                    case.name()
                );
            }
        } else {
            check_number(case, "value", normal::quantile(number(p)));
        }
    });
}

#[test]
fn summaries_percentiles_and_effects_agree() {
    check_kind("summary", 3, |case| {
        let stats = describe::summary(&case.input("data"));
        check_number(case, "min", stats.min.unwrap());
        check_number(case, "max", stats.max.unwrap());
        check_number(case, "mean", stats.mean.unwrap());
        check_number(case, "std", stats.std.unwrap());
        assert_eq!(
            case.expected("count").as_u64(),
            Some(stats.count as u64),
            "{}",
            case.name()
        );
    });
    check_kind("percentileR7", 8, |case| {
        let p = number(case.param("p")) / 100.0;
        check_number(case, "value", quantile_r7(&sorted(case.input("data")), p));
    });
    check_kind("effectSize.meanRatio", 5, |case| {
        let (baseline, canary) = (case.input("control"), case.input("experiment"));
        let ratio = effect::mean_ratio(describe::mean(&baseline), describe::mean(&canary));
        check_number(case, "value", ratio.unwrap_or(f64::NAN));
    });
    check_kind("effectSize.cohenD", 1, |case| {
        check_number(
            case,
            "value",
            effect::cohens_d(&case.input("experiment"), &case.input("control")),
        );
    });
    check_kind("effectSize.cles", 4, |case| {
        let x = Sample::new(case.input("experiment")).unwrap();
        let y = Sample::new(case.input("control")).unwrap();
        check_number(case, "value", effect::cles(&RankCounts::of(&x, &y)));
    });
}

fn check_marks(case: &Case, ours: &[bool]) {
    let theirs: Vec<bool> = case
        .expected("outlier")
        .as_array()
        .unwrap()
        .iter()
        .map(|mark| mark.as_bool().unwrap())
        .collect();
    assert_eq!(ours, theirs, "{}", case.name());
}

fn iqr_marks(case: &Case, data: &[f64], factor: &str) -> Vec<bool> {
    let reduced = case.param("reduceSensitivity").as_bool().unwrap();
    let fences = outliers::iqr_fences(&sorted(data.to_vec()), number(case.param(factor)), reduced);
    data.iter().map(|value| fences.excludes(*value)).collect()
}

#[test]
fn outliers_are_the_same_points() {
    check_kind("kSigmaDetect", 2, |case| {
        check_marks(
            case,
            &outliers::k_sigma_outliers(&case.input("data"), number(case.param("k"))),
        );
    });
    check_kind("iqrDetect", 4, |case| {
        check_marks(case, &iqr_marks(case, &case.input("data"), "factor"));
    });
    check_kind("removeOutliers", 2, |case| {
        let data = case.input("data");
        let marks = match case.param("detector").as_str().unwrap() {
            "IQR" => iqr_marks(case, &data, "factorOrK"),
            "KSigma" => outliers::k_sigma_outliers(&data, number(case.param("factorOrK"))),
            other => panic!("{}: unknown detector {other}", case.name()),
        };
        let kept: Vec<f64> = data
            .iter()
            .zip(marks)
            .filter(|(_, mark)| !mark)
            .map(|(value, _)| *value)
            .collect();
        assert_eq!(kept, numbers(case.expected("data")), "{}", case.name());
    });
}

#[test]
fn missing_points_are_removed_or_become_zero() {
    let kinds = [
        ("removeNaNs", 2, NanStrategy::Remove),
        ("replaceNaNs", 1, NanStrategy::Replace),
    ];
    for (kind, at_least, strategy) in kinds {
        check_kind(kind, at_least, |case| {
            let side = prepare(
                &Series::untimed(case.input("data")),
                strategy,
                Outliers::Keep,
            );
            assert_eq!(
                side.values,
                numbers(case.expected("data")),
                "{}",
                case.name()
            );
        });
    }
}

/// The metric of a classifier case, and its two sides prepared.
fn classifier_case(case: &Case) -> (MetricSpec, Prepared, Prepared) {
    let mut spec = MetricSpec::new(case.param("metricName").as_str().unwrap_or("m"), ["g"]);
    spec.direction = match case.param("direction").as_str().unwrap() {
        "increase" => Direction::Increase,
        "decrease" => Direction::Decrease,
        _ => Direction::Either,
    };
    spec.nan_strategy = match case.param("nanStrategy").as_str().unwrap() {
        "replace" => NanStrategy::Replace,
        _ => NanStrategy::Remove,
    };
    spec.critical = case.param("isCriticalMetric").as_bool().unwrap();
    spec.must_have_data = case.param("isDataRequired").as_bool().unwrap();
    let measure = match case.param("effectSizeMeasure").as_str() {
        Some("cles") => EffectMeasure::Cles,
        _ => EffectMeasure::MeanRatio,
    };
    let limit = |of: &str, key: &str| case.param(of)[key].as_f64().unwrap_or(1.0);
    spec.effect = EffectLimits {
        measure,
        allowed_increase: limit("effectSizeThresholds", "allowedIncrease"),
        allowed_decrease: limit("effectSizeThresholds", "allowedDecrease"),
        critical_increase: limit("criticalThresholds", "criticalIncrease"),
        critical_decrease: limit("criticalThresholds", "criticalDecrease"),
    };
    // The upstream classifier is handed data after preparation.
    let side = |key: &str| {
        prepare(
            &Series::untimed(case.input(key)),
            spec.nan_strategy,
            Outliers::Keep,
        )
    };
    let (baseline, canary) = (side("control"), side("experiment"));
    (spec, baseline, canary)
}

/// The result that the judge makes of a finding, for what only a result tells: Kayenta's words.
fn result(spec: &MetricSpec, finding: &netflix_aca::Finding) -> MetricResult {
    MetricResult {
        id: String::new(),
        tags: BTreeMap::new(),
        spec: spec.clone(),
        classification: finding.classification,
        reason: finding.reason.clone(),
        critical: finding.critical,
        baseline: SideSummary::default(),
        canary: SideSummary::default(),
        shift: None,
        ratio: finding.ratio,
        effect: finding.effect,
        cautions: Vec::new(),
        evidence: None,
    }
}

#[test]
fn metrics_are_classified_as_kayenta_does() {
    check_kind("mannWhitneyClassify", 45, |case| {
        let (spec, baseline, canary) = classifier_case(case);
        let settings = netflix_aca::Settings {
            tolerance: number(case.param("tolerance")),
            confidence: number(case.param("confLevel")),
        };
        let finding = netflix_aca::classify(&spec, &baseline, &canary, settings);
        let result = result(&spec, &finding);
        if let Some(classification) = case.expected("classification").as_str() {
            assert_eq!(
                classification,
                result.kayenta_classification().word(),
                "{}",
                case.name()
            );
        }
        if let Some(critical) = case.expected("critical").as_bool() {
            assert_eq!(critical, finding.critical, "{}: critical", case.name());
        }
        if let Some(reason) = case.expected("reason").as_str() {
            // The classifier's own tests write the names of the sides in lower case.
            let ours = result.kayenta_reason().unwrap_or_default().to_lowercase();
            assert_eq!(reason.to_lowercase(), ours, "{}: reason", case.name());
        }
        if case.expected("reasonNotEmpty").as_bool() == Some(true) {
            assert!(
                result
                    .kayenta_reason()
                    .is_some_and(|reason| !reason.is_empty()),
                "{}",
                case.name()
            );
        }
        let interval = |end: fn(RootInterval) -> f64| finding.interval.map(end);
        let numbers = [
            ("ciLow", interval(|interval| interval.low)),
            ("ciHigh", interval(|interval| interval.high)),
            ("estimate", interval(|interval| interval.estimate)),
            (
                "effectSize",
                finding.interval.map(|_| finding.effect.unwrap_or(f64::NAN)),
            ),
            (
                "deviation",
                finding.interval.map(|_| finding.ratio.unwrap_or(f64::NAN)),
            ),
        ];
        // Kayenta's log has an interval also where a later rule made the classification.
        for (key, ours) in numbers {
            if case.expected(key).is_null() {
                continue;
            }
            match ours {
                Some(ours) => check_number(case, key, ours),
                // Where the sides are alike Kayenta's log has the numbers of a comparison that its judge never makes.
                None => assert!(
                    matches!(
                        finding.reason,
                        Reason::Identical
                            | Reason::OneValue
                            | Reason::MissingData
                            | Reason::NothingToReplace
                    ),
                    "{}: {key} is expected and nothing was compared",
                    case.name()
                ),
            }
        }
    });
}

#[test]
fn the_mean_inequality_classifier_agrees() {
    check_kind("meanInequalityClassify", 3, |case| {
        let (spec, baseline, canary) = classifier_case(case);
        let finding = mean_inequality::classify(&spec, &baseline, &canary);
        assert_eq!(
            case.expected("classification").as_str(),
            Some(finding.classification.word()),
            "{}",
            case.name()
        );
        check_number(case, "deviation", finding.ratio.unwrap_or(f64::NAN));
        if let Some(critical) = case.expected("critical").as_bool() {
            assert_eq!(critical, finding.critical, "{}: critical", case.name());
        }
    });
}

/// A result that only scoring will look at.
fn scored(value: &Value) -> MetricResult {
    let text = |key: &str| value[key].as_str().unwrap().to_owned();
    let classification = Classification::ALL
        .into_iter()
        .find(|c| c.word() == text("classification"))
        .unwrap();
    let groups: Vec<String> = value["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group.as_str().unwrap().to_owned())
        .collect();
    MetricResult {
        id: text("name"),
        tags: BTreeMap::new(),
        spec: MetricSpec::new(text("name"), groups),
        classification,
        reason: Reason::NoShift,
        critical: value["critical"].as_bool().unwrap(),
        baseline: SideSummary::default(),
        canary: SideSummary::default(),
        shift: None,
        ratio: None,
        effect: None,
        cautions: Vec::new(),
        evidence: None,
    }
}

#[test]
fn scores_are_kayentas_weighted_sums() {
    check_kind("weightedSumScore", 13, |case| {
        let results = case.0["input"]["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(scored)
            .collect();
        let weights = case.param("groupWeights").as_object().unwrap();
        let weights = weights
            .iter()
            .map(|(name, weight)| (name.clone(), weight.as_f64().unwrap()))
            .collect();
        let judgement = score::judgement("judge", results, &weights, Thresholds::default());
        check_number(case, "summaryScore", judgement.score);
        let Some(groups) = case.expected("groupScores").as_array() else {
            return;
        };
        for group in groups {
            let ours = judgement
                .groups
                .iter()
                .find(|ours| ours.name == group["name"].as_str().unwrap())
                .unwrap();
            assert_eq!(
                ours.score,
                number(&group["score"]),
                "{}: group {}",
                case.name(),
                ours.name
            );
        }
    });
}
