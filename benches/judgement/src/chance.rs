//! The only chance in the benchmark: a stream of numbers that is named by a scenario and a run, and is the same on every machine.
//!
//! Logarithms, exponentials and sines are those of libm and not of the platform, so that equal names give equal bits.

use std::f64::consts::TAU;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Changes when the generators change what they draw, so that results of different versions are never mixed.
const VERSION: u64 = 1;

/// A seeded stream of random numbers.
#[derive(Debug, Clone)]
pub struct Chance {
    generator: ChaCha8Rng,
    /// The second number of the last Box-Muller pair.
    spare: Option<f64>,
}

impl Chance {
    /// The stream of one run of one scenario; different names and different runs give unrelated streams.
    #[must_use]
    pub fn of(name: &str, run: u64) -> Self {
        let facts = [fnv1a(name, 0), fnv1a(name, 1), run, VERSION];
        let mut seed = [0_u8; 32];
        for (bytes, fact) in seed.chunks_exact_mut(8).zip(facts) {
            bytes.copy_from_slice(&fact.to_le_bytes());
        }
        Self {
            generator: ChaCha8Rng::from_seed(seed),
            spare: None,
        }
    }

    /// Uniform, strictly between 0 and 1.
    pub fn uniform(&mut self) -> f64 {
        let bits = self.generator.next_u64() >> 11;
        (bits as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// True with probability `share`.
    pub fn happens(&mut self, share: f64) -> bool {
        self.uniform() < share
    }

    /// Uniform among `0..count`; 0 where `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        ((self.uniform() * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// Standard normal, by Box and Muller's method (1958).
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * libm::log(self.uniform())).sqrt();
        let (sine, cosine) = libm::sincos(TAU * self.uniform());
        self.spare = Some(radius * sine);
        radius * cosine
    }

    /// Gamma with mean `shape` and scale 1, by Marsaglia and Tsang's method (2000); `shape` above 0.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = libm::pow(self.uniform(), 1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let z = self.normal();
            let v = 1.0 + c * z;
            if v <= 0.0 {
                continue;
            }
            let v = v * v * v;
            if libm::log(self.uniform()) < 0.5 * z * z + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }

    /// Student's t with `freedom` degrees of freedom.
    pub fn student_t(&mut self, freedom: f64) -> f64 {
        let chi_square = 2.0 * self.gamma(freedom / 2.0);
        self.normal() / (chi_square / freedom).sqrt()
    }

    /// Poisson with this mean, by counting exponential arrivals in pieces of at most 20; cost O(mean). 0 where `mean` is not
    /// above 0.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        const PIECE: f64 = 20.0;
        let (mut left, mut events) = (mean, 0);
        while left > 0.0 {
            let end = libm::exp(-left.min(PIECE));
            let mut product = self.uniform();
            while product > end {
                events += 1;
                product *= self.uniform();
            }
            left -= PIECE;
        }
        events
    }

    /// Geometric on 1, 2, 3, … with this mean; 1 where `mean` is not above 1.
    pub fn geometric(&mut self, mean: f64) -> u64 {
        if mean <= 1.0 {
            return 1;
        }
        let steps = libm::log(self.uniform()) / libm::log1p(-1.0 / mean);
        1 + steps as u64
    }

    /// Binomial, by jumping from success to success; cost O(trials × share).
    pub fn binomial(&mut self, trials: u64, share: f64) -> u64 {
        if share <= 0.0 {
            return 0;
        }
        if share >= 1.0 {
            return trials;
        }
        let (mut position, mut successes) = (0, 0);
        loop {
            position += self.geometric(1.0 / share);
            if position > trials {
                return successes;
            }
            successes += 1;
        }
    }

    /// `count` different numbers of `0..among`, ascending; all of them where there are fewer.
    pub fn choose(&mut self, count: usize, among: usize) -> Vec<usize> {
        // Knuth's selection sampling (The Art of Computer Programming, 3.4.2, algorithm S).
        let mut chosen = Vec::with_capacity(count.min(among));
        for index in 0..among {
            let wanted = count - chosen.len();
            if wanted == 0 {
                break;
            }
            if self.uniform() * (among - index) as f64 <= wanted as f64 {
                chosen.push(index);
            }
        }
        chosen
    }
}

/// The 64-bit FNV-1a hash of a salt and a name.
fn fnv1a(name: &str, salt: u8) -> u64 {
    let bytes = std::iter::once(salt).chain(name.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
