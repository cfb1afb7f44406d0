//! From samples to the points of a series. Pure.

use std::collections::{BTreeMap, HashMap};

use super::expression::{Aggregate, Expression, Range};

/// One sample of one series of one instance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    /// Which series; all labels count.
    pub(super) series: u32,
    /// The upper bound of a histogram's bucket.
    pub(super) le: Option<f64>,
    pub(super) value: f64,
}

/// What one instance answered at one time: the points of each selector that was known then; `None` where it did not.
pub(super) type Page = Option<Vec<Vec<Point>>>;

/// The pages of all instances, by time.
pub(super) type Ring = BTreeMap<i64, Vec<Page>>;

/// The value at `time_ms` of what `expression` asks, whose selector is number `selector`. Missing where no instance answered, and
/// for sums where one did not: what is not known is not zero.
pub(super) fn at(
    ring: &Ring,
    selector: usize,
    expression: &Expression,
    time_ms: i64,
) -> Option<f64> {
    let pages = ring.get(&time_ms)?;
    let values = match expression {
        Expression::Gauge(aggregate, _) => {
            let points = pages.iter().map(|page| points(page, selector));
            return aggregated(
                *aggregate,
                points.map(|points| Some(points?.iter().map(|point| point.value).collect())),
            );
        }
        Expression::Rate(aggregate, _, range) => {
            let rates = (0..pages.len()).map(|instance| {
                let rates = rates(ring, selector, instance, time_ms, *range)?;
                Some(rates.into_values().map(|rate| rate.per_second).collect())
            });
            return aggregated(*aggregate, rates);
        }
        Expression::Quantile(quantile, _, range) => {
            let mut buckets: Vec<(f64, f64)> = Vec::new();
            for instance in 0..pages.len() {
                let rates = rates(ring, selector, instance, time_ms, *range);
                for rate in rates.into_iter().flat_map(HashMap::into_values) {
                    let Some(le) = rate.le else { continue };
                    match buckets.iter_mut().find(|(known, _)| *known == le) {
                        Some((_, count)) => *count += rate.per_second,
                        None => buckets.push((le, rate.per_second)),
                    }
                }
            }
            bucket_quantile(*quantile, buckets)
        }
    };
    values.filter(|value| !value.is_nan())
}

/// The points of an instance's page; `None` where it did not answer, or was not asked for them.
fn points(page: &Page, selector: usize) -> Option<&[Point]> {
    page.as_ref()?.get(selector).map(Vec::as_slice)
}

fn aggregated(
    aggregate: Aggregate,
    instances: impl Iterator<Item = Option<Vec<f64>>>,
) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u32);
    for values in instances {
        match values {
            Some(values) => {
                for value in values {
                    sum += value;
                    count += 1;
                }
            }
            None if aggregate == Aggregate::Sum => return None,
            None => {}
        }
    }
    let value = match aggregate {
        Aggregate::Avg => sum / f64::from(count),
        Aggregate::Sum => sum,
    };
    (count > 0 && !value.is_nan()).then_some(value)
}

/// How fast one counter grew.
struct Rate {
    le: Option<f64>,
    per_second: f64,
}

/// What is known of a counter on the way through its samples.
struct Course {
    le: Option<f64>,
    first_ms: i64,
    last_ms: i64,
    last: f64,
    growth: f64,
}

/// The rates of one instance's counters over the samples from `range` before `time_ms` on: their growth (a fall is a restart from
/// zero) over the time between first and last sample. Nothing is extrapolated. A counter with one sample, or without one at
/// `time_ms`, has no rate; `None` where the instance did not answer then.
fn rates(
    ring: &Ring,
    selector: usize,
    instance: usize,
    time_ms: i64,
    range: Range,
) -> Option<HashMap<u32, Rate>> {
    points(ring.get(&time_ms)?.get(instance)?, selector)?;
    let from = time_ms.saturating_sub(i64::try_from(range).unwrap_or(i64::MAX));
    let mut courses: HashMap<u32, Course> = HashMap::new();
    for (&at_ms, pages) in ring.range(from..=time_ms) {
        let points = pages.get(instance).and_then(|page| points(page, selector));
        for point in points.unwrap_or_default() {
            if point.value.is_nan() {
                continue;
            }
            let course = courses.entry(point.series).or_insert(Course {
                le: point.le,
                first_ms: at_ms,
                last_ms: at_ms,
                last: point.value,
                growth: 0.0,
            });
            course.growth += if point.value < course.last {
                point.value
            } else {
                point.value - course.last
            };
            (course.last_ms, course.last) = (at_ms, point.value);
        }
    }
    courses.retain(|_, course| course.last_ms == time_ms && course.first_ms < time_ms);
    let rates = courses.into_iter().map(|(series, course)| {
        let ms = u32::try_from(course.last_ms - course.first_ms).unwrap_or(u32::MAX);
        let rate = Rate {
            le: course.le,
            per_second: course.growth / (f64::from(ms) / 1000.0),
        };
        (series, rate)
    });
    Some(rates.collect())
}

/// The quantile of a histogram whose buckets hold the observations up to their bound, by linear interpolation within the bucket.
/// `None` without observations or without the bucket of all observations. In the last bucket the answer is its lower bound; the
/// first one begins at 0 where its bound is above. Source: `bucketQuantile` of Prometheus 2.42.
fn bucket_quantile(quantile: f64, mut buckets: Vec<(f64, f64)>) -> Option<f64> {
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut most = 0.0_f64;
    for (_, count) in &mut buckets {
        most = most.max(*count);
        *count = most;
    }
    let (&(highest, all), below) = buckets.split_last()?;
    let last_finite = below.last()?.0;
    if highest != f64::INFINITY || all <= 0.0 {
        return None;
    }
    let rank = quantile * all;
    let Some(index) = below.iter().position(|(_, count)| *count >= rank) else {
        return Some(last_finite);
    };
    let (end, count) = below[index];
    let (start, before) = match index.checked_sub(1) {
        Some(previous) => below[previous],
        None if end <= 0.0 => return Some(end),
        None => (0.0, 0.0),
    };
    Some(start + (end - start) * ((rank - before) / (count - before)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::scrape::expression::parse;

    /// One instance's counter or gauge, one sample a minute; NaN stands for an instance that is down.
    fn ring(instances: &[&[f64]]) -> Ring {
        let len = instances
            .iter()
            .map(|values| values.len())
            .max()
            .unwrap_or(0);
        let tick = |index: usize| {
            let pages = instances.iter().map(|values| {
                let value = values.get(index).copied().filter(|value| !value.is_nan())?;
                Some(vec![vec![Point {
                    series: 0,
                    le: None,
                    value,
                }]])
            });
            (index as i64 * 60_000, pages.collect())
        };
        (0..len).map(tick).collect()
    }

    #[track_caller]
    fn check(instances: &[&[f64]], text: &str, expect: &[Option<f64>]) {
        let ring = ring(instances);
        let expression = parse(text).map_err(|error| error.to_string());
        let found = expression.map(|expression| {
            let times = ring
                .keys()
                .map(|time_ms| at(&ring, 0, &expression, *time_ms));
            times.collect::<Vec<_>>()
        });
        assert_eq!(found, Ok(expect.to_vec()));
    }

    const DOWN: f64 = f64::NAN;

    #[test]
    fn a_gauge_is_averaged_over_the_instances_that_answer() {
        let instances: [&[f64]; 2] = [&[1.0, 2.0, DOWN], &[3.0, DOWN, DOWN]];
        check(&instances, "avg(x)", &[Some(2.0), Some(2.0), None]);
    }

    #[test]
    fn a_sum_is_missing_where_an_instance_is() {
        let instances: [&[f64]; 2] = [&[1.0, 2.0, DOWN], &[3.0, DOWN, DOWN]];
        check(&instances, "sum(x)", &[Some(4.0), None, None]);
    }

    #[test]
    fn a_counter_grows_through_a_restart() {
        let instances: [&[f64]; 1] = [&[100.0, 160.0, 30.0, 90.0]];
        check(
            &instances,
            "avg(rate(x[1m]))",
            &[None, Some(1.0), Some(0.5), Some(1.0)],
        );
        check(
            &instances,
            "avg(rate(x[2m]))",
            &[None, Some(1.0), Some(0.75), Some(0.75)],
        );
    }

    #[test]
    fn a_counter_whose_instance_is_down_has_no_rate() {
        let instances: [&[f64]; 1] = [&[0.0, 60.0, DOWN, 180.0, 240.0]];
        check(
            &instances,
            "avg(rate(x[2m]))",
            &[None, Some(1.0), None, Some(1.0), Some(1.0)],
        );
        check(
            &instances,
            "avg(rate(x[1m]))",
            &[None, Some(1.0), None, None, Some(1.0)],
        );
    }

    #[track_caller]
    fn quantile(quantile: f64, buckets: &[(f64, f64)], expect: Option<f64>) {
        assert_eq!(bucket_quantile(quantile, buckets.to_vec()), expect);
    }

    #[test]
    fn quantiles_are_interpolated_as_prometheus_does() {
        let inf = f64::INFINITY;
        let buckets = [(inf, 100.0), (0.1, 50.0), (0.5, 90.0)];
        quantile(0.5, &buckets, Some(0.1));
        quantile(0.25, &buckets, Some(0.05));
        quantile(0.7, &buckets, Some(0.1 + 0.4 * (20.0 / 40.0)));
        quantile(0.99, &buckets, Some(0.5));
        quantile(0.5, &[(-1.0, 10.0), (inf, 10.0)], Some(-1.0));
        quantile(0.5, &[(0.1, 0.0), (inf, 0.0)], None);
        quantile(0.5, &[(0.1, 5.0)], None);
        quantile(0.5, &[(inf, 5.0)], None);
        quantile(0.5, &[], None);
        // Scraped a moment apart, a wider bucket may hold less for once.
        quantile(0.5, &[(0.1, 10.0), (0.2, 9.0), (inf, 10.0)], Some(0.05));
    }
}
