//! Judgements that are hard to show.

use super::{Builder, Metric, Sample};

/// Metrics whose means lie on the other side of their limit than their shifts: three outliers move a mean, and hardly the shift.
/// The critical one is `queue_time`.
pub(crate) fn means_decide() -> Sample {
    let mut b = Builder::new(37);
    let outliers = |metric: &mut Metric, value: f64| {
        for index in [10, 40, 70] {
            metric.canary[index] = Some(value);
        }
    };
    let mut rise = b
        .level("queue_time", "latency", 100.0, 0.04, 1.1)
        .rise(1.25);
    outliers(&mut rise, 1300.0);
    b.add(rise.critical());
    let mut fall = b
        .level("throughput", "traffic", 100.0, 0.04, 0.9)
        .fall(0.75);
    outliers(&mut fall, -1000.0);
    b.add(fall);
    // The shift is beyond the limit and the mean is not.
    let mut within = b
        .level("render_time", "latency", 100.0, 0.04, 1.3)
        .rise(1.25);
    outliers(&mut within, -300.0);
    b.add(within);
    let mut times = b
        .level("batch_time", "latency", 100.0, 0.04, 1.1)
        .rise(1.25);
    outliers(&mut times, 7000.0);
    b.add(times);
    let plain = b.level("idle_time", "latency", 100.0, 0.04, 1.4).rise(1.25);
    b.add(plain);
    b.judge()
}

/// Everything that is odd at once.
pub(crate) fn odd() -> Sample {
    let mut b = Builder::new(29);
    let some = |values: &[f64]| values.iter().map(|value| Some(*value)).collect::<Vec<_>>();
    let script = b.level("<script>alert(1)</script>", "<b>group</b>", 1.0, 0.1, 2.5);
    b.add(script);
    let long = b.level(&"very_long_metric_name_".repeat(14), "g", 1.0, 0.1, 0.3);
    b.add(long);
    let rtl = b.level("زمن الاستجابة | p99 `x`", "مجموعة", 10.0, 0.1, 1.0);
    b.add(rtl);
    let infinite = b.metric(
        "infinite",
        "g",
        some(&[1.0, 2.0, f64::INFINITY, 4.0]),
        some(&[1.0, f64::NEG_INFINITY, 3.0, 4.0]),
    );
    b.add(infinite);
    let single = b.metric("single", "g", some(&[1.0]), some(&[2.0]));
    b.add(single);
    let tiny = b.metric(
        "tiny",
        "g",
        some(&[1e-300, 2e-300, 3e-300, 2e-300]),
        some(&[4e-300, 5e-300, 6e-300, 7e-300]),
    );
    b.add(tiny);
    let huge = b.metric(
        "huge",
        "g",
        some(&[1e300, -1e300, 1.5e300, 1.7e308]),
        some(&[1.7e308, 1.6e308, 1.2e300, -1.7e308]),
    );
    b.add(huge);
    let zero = b.metric(
        "from zero",
        "g",
        vec![Some(0.0); 40],
        (0..40).map(|i| Some(f64::from(i % 3))).collect(),
    );
    b.add(zero);
    let constant = b.metric("constant", "g", vec![Some(5.0); 30], vec![Some(6.0); 30]);
    b.add(constant);
    let same = b.metric("same", "g", vec![Some(5.0); 30], vec![Some(5.0); 30]);
    b.add(same);
    let untimed = b.level("untimed", "g", 3.0, 0.1, 1.1).untimed();
    b.add(untimed);
    let negative = b.level("negative", "", -20.0, 0.1, 0.5);
    b.add(negative);
    let empty = b.metric("", "g", Vec::new(), Vec::new());
    b.add(empty.must_have_data());
    let uneven = b.metric(
        "uneven",
        "g",
        some(&[1.0; 3]),
        (0..500).map(|i| Some(f64::from(i))).collect(),
    );
    b.add(uneven);
    b.context
        .notes
        .push("a note with <img src=x onerror=alert(1)>".to_owned());
    b.judge()
}

/// One metric with a hundred thousand points.
pub(crate) fn many_points() -> Sample {
    let mut b = Builder::new(31).points(100_000, 1_000);
    let metric = b.tail("request_seconds", "latency", 0.2, 1.05);
    b.add(metric);
    b.judge()
}

/// Rows with all that a row can hold: a long name, tags, several groups, both flags, and long numbers.
pub(crate) fn crowded() -> Sample {
    let mut b = Builder::new(53);
    for index in 0..3 {
        let name = format!("checkout_http_server_request_duration_seconds_{index}");
        let mut metric = b
            .level(&name, "Errors and failed requests", 2e-5, 0.1, 30.0)
            .rise(1.25)
            .critical()
            .must_have_data()
            .tag("zone", "europe-west-1-b")
            .tag("instance_type", "n2-standard-16");
        metric
            .spec
            .groups
            .push("Latency of the front end".to_owned());
        metric
            .spec
            .groups
            .push("Service level objectives".to_owned());
        b.add(metric);
    }
    let plain = b.level("plain", "Errors and failed requests", 10.0, 0.1, 1.0);
    b.add(plain);
    b.judge()
}
