//! Seeded noise for simulations of the evidence judge.

/// A generator of pseudo-random numbers: SplitMix64 (Steele, Lea & Flood 2014).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Above 0, below 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    pub(crate) fn poisson(&mut self, mean: f64) -> f64 {
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0);
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.uniform(), 0.0);
        while product > limit {
            product *= self.uniform();
            count += 1.0;
        }
        count
    }

    /// At least 1, with this mean.
    pub(crate) fn geometric(&mut self, mean: f64) -> f64 {
        (self.uniform().ln() / (1.0 - 1.0 / mean).ln())
            .ceil()
            .max(1.0)
    }

    /// `n` standard normal values with lag-one autocorrelation `r`, from its stationary distribution.
    pub(crate) fn autoregressive(&mut self, n: usize, r: f64) -> Vec<f64> {
        let fresh = (1.0 - r * r).sqrt();
        let mut value = self.normal();
        (0..n)
            .map(|_| {
                let now = value;
                value = r * value + fresh * self.normal();
                now
            })
            .collect()
    }
}
