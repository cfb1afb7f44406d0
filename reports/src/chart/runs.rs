//! Runs of points between holes, and their middles.

/// Runs of points between holes.
pub(super) struct Runs<T> {
    runs: Vec<Vec<T>>,
    open: bool,
}

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Self {
            runs: Vec::new(),
            open: false,
        }
    }
}

impl<T> Runs<T> {
    pub(super) fn add(&mut self, point: T) {
        match self.runs.last_mut() {
            Some(run) if self.open => run.push(point),
            _ => self.runs.push(vec![point]),
        }
        self.open = true;
    }

    pub(super) fn end(&mut self) {
        self.open = false;
    }

    pub(super) fn done(self) -> Vec<Vec<T>> {
        self.runs
    }
}

/// Of at least one value; each is divided first, so that large ones do not overflow.
pub(super) fn mean(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    values.iter().map(|value| value / count).sum()
}

/// Of at least one value, ascending.
pub(super) fn median(ascending: &[f64]) -> f64 {
    let middle = ascending.len() / 2;
    if ascending.len() % 2 == 1 {
        ascending[middle]
    } else {
        ascending[middle - 1] / 2.0 + ascending[middle] / 2.0
    }
}
