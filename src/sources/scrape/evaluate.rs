//! From samples to the points of a series. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::expression::{Aggregate, Expression};

/// One sample of one series of one instance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    /// Which series; all labels count.
    pub(super) series: u32,
    /// The upper bound of a histogram's bucket.
    pub(super) le: Option<f64>,
    pub(super) value: f64,
}

/// What one instance answered at one time: the points of each selector that was wanted then, by its number; `None` where it did
/// not.
pub(super) type Page = Option<BTreeMap<u32, Vec<Point>>>;

/// The pages of all instances, by time. They are shared, so that they can be looked at while others come.
pub(super) type Ring = BTreeMap<i64, Arc<Vec<Page>>>;

/// Moments at equal distances, both ends included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
    pub(super) step_ms: i64,
}

/// The values at `times` of what `expression` asks, whose selector is number `selector`. Missing where no instance answered, and
/// for sums where one did not: what is not known is not zero. Every sample is looked at once.
pub(super) fn all(
    ring: &Ring,
    selector: u32,
    expression: &Expression,
    times: Times,
) -> Vec<Option<f64>> {
    let range = expression.range_ms().unwrap_or(0);
    let range_ms = i64::try_from(range).unwrap_or(i64::MAX);
    let mut counters: Vec<Counters> = Vec::new();
    let mut ticks = ring
        .range(times.first_ms.saturating_sub(range_ms)..=times.last_ms)
        .peekable();
    let mut values = Vec::new();
    let mut time_ms = times.first_ms;
    while time_ms <= times.last_ms {
        while let Some((at_ms, pages)) = ticks.next_if(|(at_ms, _)| **at_ms <= time_ms) {
            counters.resize_with(counters.len().max(pages.len()), Counters::default);
            for (counters, page) in counters.iter_mut().zip(pages.iter()) {
                if range > 0 {
                    counters.take_in(*at_ms, points(page, selector).unwrap_or_default());
                }
            }
        }
        for counters in &mut counters {
            counters.forget_before(time_ms.saturating_sub(range_ms));
        }
        let pages = ring.get(&time_ms);
        values.push(pages.and_then(|pages| at(pages, &counters, selector, expression, time_ms)));
        time_ms = time_ms.saturating_add(times.step_ms.max(1));
    }
    values
}

/// The value at `time_ms`, when `pages` were read, and `counters` of the same instances are what they were.
fn at(
    pages: &[Page],
    counters: &[Counters],
    selector: u32,
    expression: &Expression,
    time_ms: i64,
) -> Option<f64> {
    // Without a page there is no rate, whatever was before.
    let rates = pages.iter().zip(counters).map(|(page, counters)| {
        points(page, selector)?;
        Some(counters.rates(time_ms))
    });
    match expression {
        Expression::Gauge(aggregate, _) => {
            let points = pages.iter().map(|page| points(page, selector));
            aggregated(
                *aggregate,
                points.map(|points| Some(points?.iter().map(|point| point.value).collect())),
            )
        }
        Expression::Rate(aggregate, ..) => aggregated(
            *aggregate,
            rates.map(|rates| Some(rates?.map(|rate| rate.per_second).collect())),
        ),
        Expression::Quantile(quantile, ..) => {
            let mut buckets: Vec<(f64, f64)> = Vec::new();
            for rate in rates.flatten().flatten() {
                let Some(le) = rate.le else { continue };
                match buckets.iter_mut().find(|(known, _)| *known == le) {
                    Some((_, count)) => *count += rate.per_second,
                    None => buckets.push((le, rate.per_second)),
                }
            }
            bucket_quantile(*quantile, buckets).filter(|value| !value.is_nan())
        }
    }
}

/// The points of an instance's page; `None` where it did not answer, or was not asked for them.
fn points(page: &Page, selector: u32) -> Option<&[Point]> {
    page.as_ref()?.get(&selector).map(Vec::as_slice)
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
#[derive(Debug)]
struct Course {
    le: Option<f64>,
    /// Times, and how much the counter had grown by then since its first sample.
    samples: VecDeque<(i64, f64)>,
    last: f64,
}

/// The counters of one instance, as far as a rate looks back. Their rates are their growth (a fall is a restart from zero) over the
/// time between first and last sample; nothing is extrapolated.
#[derive(Debug, Default)]
struct Counters(BTreeMap<u32, Course>);

impl Counters {
    fn take_in(&mut self, at_ms: i64, points: &[Point]) {
        for point in points.iter().filter(|point| !point.value.is_nan()) {
            let course = self.0.entry(point.series).or_insert(Course {
                le: point.le,
                samples: VecDeque::new(),
                last: point.value,
            });
            let before = course.samples.back().map_or(0.0, |(_, growth)| *growth);
            let growth = if point.value < course.last {
                point.value
            } else {
                point.value - course.last
            };
            course.samples.push_back((at_ms, before + growth));
            course.last = point.value;
        }
    }

    fn forget_before(&mut self, time_ms: i64) {
        self.0.retain(|_, course| {
            while course.samples.front().is_some_and(|(at, _)| *at < time_ms) {
                course.samples.pop_front();
            }
            !course.samples.is_empty()
        });
    }

    /// The rates at `time_ms`. A counter with one sample, or without one at `time_ms`, has none.
    fn rates(&self, time_ms: i64) -> impl Iterator<Item = Rate> {
        self.0.values().filter_map(move |course| {
            let ((first_ms, before), (last_ms, after)) =
                (*course.samples.front()?, *course.samples.back()?);
            if last_ms != time_ms || first_ms >= time_ms {
                return None;
            }
            let ms = u32::try_from(last_ms - first_ms).unwrap_or(u32::MAX);
            Some(Rate {
                le: course.le,
                per_second: (after - before) / (f64::from(ms) / 1000.0),
            })
        })
    }
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
                let point = Point {
                    series: 0,
                    le: None,
                    value,
                };
                Some(BTreeMap::from([(7, vec![point])]))
            });
            (index as i64 * 60_000, Arc::new(pages.collect()))
        };
        (0..len).map(tick).collect()
    }

    #[track_caller]
    fn check(instances: &[&[f64]], text: &str, expect: &[Option<f64>]) {
        let ring = ring(instances);
        let expression = parse(text).map_err(|error| error.to_string());
        let times = Times {
            first_ms: 0,
            last_ms: (expect.len() as i64 - 1) * 60_000,
            step_ms: 60_000,
        };
        let found = expression.map(|expression| all(&ring, 7, &expression, times));
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
