//! The body of the fuzz target `judge`, replayed over its corpus and over chosen extremes.

#[path = "../fuzz/bodies/judge.rs"]
mod body;

fn bytes(switches: u8, baseline: &[f64], canary: &[f64]) -> Vec<u8> {
    let points = baseline
        .iter()
        .chain(canary)
        .flat_map(|point| point.to_le_bytes());
    [switches, baseline.len() as u8]
        .into_iter()
        .chain(points)
        .collect()
}

#[test]
fn the_corpus_is_judged_without_a_panic() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus/judge");
    let files: Vec<_> = std::fs::read_dir(corpus)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.len() >= 5, "only {} files in {corpus}", files.len());
    files
        .iter()
        .for_each(|file| body::judge(&std::fs::read(file).unwrap()));
}

#[test]
fn extreme_points_are_judged_without_a_panic() {
    let extremes = [
        0.0,
        -0.0,
        1.0,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        5e-324,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    for switches in [0, 8, 16, 1, 64 + 2, 128] {
        for a in extremes {
            for b in extremes {
                body::judge(&bytes(switches, &[a], &[b]));
                body::judge(&bytes(switches, &[a, b], &[b]));
                body::judge(&bytes(switches, &[a, a, b], &[b, a, b, b]));
                body::judge(&bytes(switches, &[a; 20], &[b; 20]));
            }
        }
    }
}
