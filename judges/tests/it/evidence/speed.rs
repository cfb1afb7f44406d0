//! What a metric costs; prints, never fails: `cargo test --release -p coalmine-judges --test it -- --ignored --nocapture cost`.

use std::time::Instant;

use super::simulation::{SCENE, Scene};

#[test]
#[ignore = "a measurement, not a test"]
#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it is a program: it times the judge from outside"
)]
fn the_cost_of_a_metric() {
    for (what, history, errors) in [
        ("gauges", 0, None),
        ("gauges with history", 720, None),
        ("counts", 0, Some(1.0)),
    ] {
        let metrics = if errors.is_some() { 1 } else { 10 };
        let scene = Scene {
            metrics,
            history,
            errors,
            ..SCENE
        };
        let data: Vec<_> = (0..200).map(|seed| scene.data(seed)).collect();
        let judged: Vec<_> = data.iter().map(super::simulation::Data::all).collect();
        let mut best = f64::INFINITY;
        for _ in 0..15 {
            let start = Instant::now();
            for data in &judged {
                std::hint::black_box(data.judge());
            }
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!(
            "{what}: {:.1} µs a metric",
            best * 1e6 / (200 * metrics) as f64
        );
        let mut sides: Vec<Vec<f64>> = data
            .iter()
            .flat_map(super::simulation::Data::sides)
            .collect();
        let start = Instant::now();
        for side in &mut sides {
            side.sort_unstable_by(f64::total_cmp);
        }
        println!(
            "  sorting both sides: {:.2} µs",
            start.elapsed().as_secs_f64() * 2e6 / sides.len() as f64
        );
    }
}
