//! A sample: finite numbers, at least one, sorted once.

/// At least one finite number, in ascending order. Ranks and quantiles read it without further sorting.
///
/// ```
/// use coalmine_judges::sample::Sample;
/// let sample = Sample::new(vec![3.0, 1.0, 2.0]).unwrap();
/// assert_eq!(sample.sorted(), [1.0, 2.0, 3.0]);
/// assert!(Sample::new(vec![]).is_none());
/// assert!(Sample::new(vec![1.0, f64::NAN]).is_none());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    sorted: Vec<f64>,
}

impl Sample {
    /// Sorts `values`. `None` where they are empty or one of them is NaN or infinite. Cost O(n log n).
    #[must_use]
    pub fn new(mut values: Vec<f64>) -> Option<Self> {
        if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        values.sort_unstable_by(f64::total_cmp);
        Some(Self { sorted: values })
    }

    /// All values, ascending.
    #[must_use]
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// Number of values; at least 1.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a sample is never empty")]
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Smallest value.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.sorted[0]
    }

    /// Largest value.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.sorted[self.sorted.len() - 1]
    }
}
