//! Noise on constant sides, as Kayenta adds it, but the same for the same data.
//!
//! Kayenta cannot rank two constants against each other, so it adds Gaussian noise of one hundred-thousandth of the value,
//! from an unseeded generator: the same canary can be judged differently twice. Here the generator is seeded with all that
//! tells one such comparison from another (value and number of points of each side), so equal data give equal results.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::stats::normal;

/// Standard deviation of the noise, relative to the value.
const RELATIVE_STD: f64 = 1e-5;

/// Noisy copies of two constant sides, ascending no longer: `(baseline, canary)`. Zeros stay as they are.
pub(super) fn add(baseline: &[f64], canary: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut seed = [0_u8; 32];
    let facts = [
        first_bits(canary),
        canary.len() as u64,
        first_bits(baseline),
        baseline.len() as u64,
    ];
    for (bytes, fact) in seed.chunks_exact_mut(8).zip(facts) {
        bytes.copy_from_slice(&fact.to_le_bytes());
    }
    let mut generator = ChaCha8Rng::from_seed(seed);
    let canary = noisy(canary, &mut generator);
    let baseline = noisy(baseline, &mut generator);
    (baseline, canary)
}

fn first_bits(values: &[f64]) -> u64 {
    values.first().map_or(0, |value| value.to_bits())
}

fn noisy(values: &[f64], generator: &mut ChaCha8Rng) -> Vec<f64> {
    values
        .iter()
        .map(|value| value + value.abs() * RELATIVE_STD * standard_normal(generator))
        .collect()
}

/// Inverts the distribution function at a number strictly between 0 and 1, made of 53 random bits.
fn standard_normal(generator: &mut ChaCha8Rng) -> f64 {
    let bits = generator.next_u64() >> 11;
    let uniform = (bits as f64 + 0.5) / (1_u64 << 53) as f64;
    normal::quantile(uniform)
}
