//! One judgement of each verdict and size.

use super::{Builder, Chance, Sample};

/// A critical failure among twenty metrics of all kinds: the incident of the drawings.
pub(crate) fn fail() -> Sample {
    let mut b = Builder::new(7)
        .thresholds(90.0, 75.0)
        .weight("Errors", 40.0)
        .weight("Latency", 30.0)
        .weight("Saturation", 20.0)
        .weight("Business", 10.0);
    let mut error_rate = b
        .level("Error rate", "Errors", 0.278, 0.35, 1.0)
        .rise(1.5)
        .critical();
    let mut chance = Chance::new(99);
    for (index, value) in error_rate.canary.iter_mut().enumerate() {
        let level = if index < 45 { 0.3 } else { 1.4 };
        *value = Some((level + 0.12 * chance.normal() + 0.3 * chance.uniform()).max(0.0));
    }
    for value in error_rate.baseline.iter_mut().flatten() {
        *value = value.max(0.0);
    }
    b.add(error_rate);
    let memory = b
        .level("Memory, resident", "Saturation", 1426.0, 0.012, 1.13)
        .rise(1.1)
        .with_holes(30);
    b.add(memory);
    let cache = b
        .level("Cache hit ratio", "Saturation", 93.2, 0.01, 0.944)
        .fall(0.97);
    b.add(cache);
    let refunds = b
        .tail("Refund p95", "Latency", 446.0, 1.0)
        .rise(1.15)
        .with_holes(2);
    b.add(refunds);
    let fraud = b
        .level("Fraud check timeouts", "Errors", 0.48, 0.3, 1.0)
        .rise(1.5)
        .without_canary();
    b.add(fraud);
    let files = b
        .level("Open file descriptors", "Saturation", 2318.0, 0.02, 1.42)
        .within(0.8, 1.2)
        .muted();
    b.add(files);
    let client = b
        .level("Client errors", "Errors", 2.24, 0.2, 1.01)
        .rise(1.15);
    b.add(client);
    let declines = b
        .level("Payment declines", "Errors", 3.86, 0.25, 0.97)
        .rise(1.15);
    b.add(declines);
    let exceptions = b
        .rare("Unhandled exceptions", "Errors", 0.06, 0.09)
        .rise(2.0)
        .replace_missing();
    b.add(exceptions);
    for (name, level, noise, ratio) in [
        ("Latency p50", 84.2, 0.02, 1.003),
        ("Latency p99", 691.0, 0.15, 1.02),
        ("Place order p95", 313.0, 0.05, 0.995),
        ("Database p95", 12.5, 0.05, 0.92),
    ] {
        let metric = b.level(name, "Latency", level, noise, ratio).rise(1.1);
        b.add(metric.remove_outliers());
    }
    let cpu = b
        .level("CPU use", "Saturation", 46.0, 0.04, 1.046)
        .within(0.85, 1.15);
    b.add(cpu);
    let gc = b.tail("GC pause time", "Saturation", 8.6, 0.96).rise(1.2);
    b.add(gc);
    let queue = b
        .tail("Worker queue depth", "Saturation", 3.3, 1.0)
        .cles(0.2, 0.8);
    b.add(queue);
    for (name, level, noise, ratio) in [
        ("Orders per minute", 38.6, 0.06, 0.998),
        ("Basket value", 61.6, 0.05, 1.0),
        ("Vouchers redeemed", 11.6, 0.3, 1.02),
    ] {
        let metric = b.level(name, "Business", level, noise, ratio).fall(0.9);
        b.add(metric);
    }
    b.context
        .notes
        .push("`metrics[3]`: the group `Refunds` has no weight and shares what is left".to_owned());
    b.context.config_text = (1..=60)
        .map(|line| format!("line_{line}: value {line}\n"))
        .collect();
    b.judge()
}

/// Twenty metrics without a change that counts, none with a tolerance.
pub(crate) fn pass() -> Sample {
    let mut b = Builder::new(3);
    for index in 0..20 {
        let group = ["errors", "latency", "resources"][index % 3];
        let mut metric = b.level(
            &format!("http_server_metric_{index}"),
            group,
            10.0 * (index + 1) as f64,
            0.1,
            1.0,
        );
        metric.canary = metric.baseline.iter().rev().copied().collect();
        // The same noise in another order, a little apart, so that the sides are neither equal nor different.
        for value in metric.canary.iter_mut().flatten() {
            *value *= 1.0005;
        }
        b.add(metric);
    }
    b.judge()
}

/// Two of twelve metrics failed: the score lies between the thresholds.
pub(crate) fn marginal() -> Sample {
    let mut b = Builder::new(11);
    for index in 0..12 {
        let ratio = if index < 2 { 1.3 } else { 1.0 };
        let mut metric = b.level(
            &format!("queue_latency_{index}"),
            "latency",
            120.0,
            0.05,
            ratio,
        );
        if index >= 2 {
            metric.canary = metric
                .baseline
                .iter()
                .rev()
                .map(|value| value.map(|v| v * 1.0001))
                .collect();
        }
        b.add(metric);
    }
    b.judge()
}

/// Both sides of every metric are empty.
pub(crate) fn no_data() -> Sample {
    let mut b = Builder::new(5);
    for name in ["requests", "errors", "latency"] {
        let mut metric = b.level(name, "service", 1.0, 0.1, 1.0).without_canary();
        if name != "errors" {
            metric.baseline = Vec::new();
        }
        b.add(metric);
    }
    b.judge()
}

/// A critical metric without data among metrics that pass.
pub(crate) fn inconclusive() -> Sample {
    let mut b = Builder::new(13).points(30, 60_000);
    let metric = b
        .level("checkout_success", "business", 99.0, 0.01, 1.0)
        .critical()
        .without_canary();
    b.add(metric);
    for index in 0..5 {
        let mut metric = b.level(&format!("latency_{index}"), "latency", 50.0, 0.1, 1.0);
        metric.canary = metric
            .baseline
            .iter()
            .rev()
            .map(|value| value.map(|v| v * 1.001))
            .collect();
        b.add(metric);
    }
    b.judge()
}

/// One metric, by the defaults.
pub(crate) fn one() -> Sample {
    let mut b = Builder::new(17);
    let metric = b.level("latency_p99", "latency", 120.0, 0.1, 1.2);
    b.add(metric);
    b.judge()
}

/// Two hundred metrics with tags, some of them failing in every way.
pub(crate) fn two_hundred() -> Sample {
    let mut b = Builder::new(23).points(120, 30_000);
    for index in 0..200 {
        let group = [
            "errors",
            "latency",
            "saturation",
            "traffic",
            "business",
            "dependencies",
        ][index % 6];
        let name = format!(
            "service_{}_{group}_seconds_bucket_p{}",
            index / 6,
            50 + index % 50
        );
        let ratio = if index % 41 == 0 {
            1.4
        } else if index % 67 == 0 {
            0.7
        } else {
            1.0
        };
        let level = 10f64.powi(index as i32 % 9 - 3);
        let mut metric = match index % 4 {
            0 => b.tail(&name, group, level, ratio),
            _ => b.level(&name, group, level, 0.08, ratio),
        };
        if ratio == 1.0 {
            metric.canary = metric
                .baseline
                .iter()
                .rev()
                .map(|value| value.map(|v| v * 1.0002))
                .collect();
        }
        metric = match index % 5 {
            0 => metric.rise(1.1),
            1 => metric.within(0.9, 1.1),
            _ => metric,
        };
        if index % 29 == 3 {
            metric = metric.without_canary();
        }
        if index % 31 == 5 {
            metric = metric.with_holes(7);
        }
        if index % 37 == 6 {
            metric = metric.muted();
        }
        metric = metric.tag("zone", ["a", "b", "c"][index % 3]);
        b.add(metric);
    }
    b.judge()
}
