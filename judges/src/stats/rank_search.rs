//! The search for ranks among many differences: brackets, and where to probe next. It never sees the differences themselves.

/// Thresholds that one walk over the differences counts.
pub(super) const LANES: usize = 6;

/// A threshold and the number of differences that are at most it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probe {
    pub(super) threshold: f64,
    pub(super) count: u64,
}

/// The search for one rank. The answer is above `below.threshold` and at most `upto.threshold`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    pub(super) rank: u64,
    pub(super) below: Probe,
    pub(super) upto: Probe,
    pub(super) answer: Option<f64>,
}

impl Search {
    /// Whether the search needs more walks before its differences can be gathered.
    pub(super) fn is_wide(&self, few: u64) -> bool {
        self.answer.is_none() && self.upto.count - self.below.count > few
    }

    pub(super) fn shares_bracket(&self, other: &Self) -> bool {
        self.below.threshold == other.below.threshold && self.upto.threshold == other.upto.threshold
    }

    /// Whether one probe serves both.
    pub(super) fn is_near(&self, other: &Self, few: u64) -> bool {
        self.shares_bracket(other) && self.rank.abs_diff(other.rank) <= 1 + few / 8
    }

    /// Takes over a probe that lies inside the bracket.
    pub(super) fn narrow(&mut self, probe: Probe) {
        if probe.threshold <= self.below.threshold || probe.threshold >= self.upto.threshold {
            return;
        }
        if probe.count < self.rank {
            self.below = probe;
        } else {
            self.upto = probe;
        }
    }

    /// A threshold inside the bracket. `spare` numbers the probes of the same search in the same walk.
    pub(super) fn probe(&self, few: u64, round: u32, spare: usize) -> f64 {
        let (low, high) = (self.below.threshold, self.upto.threshold);
        let inside = (self.upto.count - self.below.count) as f64;
        // Aims a little to either side of the rank, so that both ends of the bracket come close.
        let margin = (few as f64 / 4.0).max(inside * 0.0015);
        let side = if (round as usize + spare).is_multiple_of(2) {
            1.0
        } else {
            -1.0
        };
        let proposed = if round % 6 == 5 || spare >= 4 {
            bisect(low, high)
        } else {
            // The second pair of probes stands further out.
            let reach = if spare >= 2 { 8.0 } else { 1.0 };
            let aim = self.rank as f64 + side * margin * reach;
            let share = ((aim - self.below.count as f64) / inside).clamp(0.0, 1.0);
            low + (high - low) * share
        };
        // Never an end: every probe must narrow the bracket.
        if proposed > low && proposed < high {
            proposed
        } else {
            bisect(low, high)
        }
    }
}

/// The wide searches that need probes of their own.
pub(super) fn distinct(searches: &[Search], few: u64) -> Vec<&Search> {
    let open: Vec<&Search> = searches
        .iter()
        .filter(|search| search.is_wide(few))
        .collect();
    open.iter()
        .enumerate()
        .filter(|(index, search)| {
            !open[..*index]
                .iter()
                .any(|earlier| earlier.is_near(search, few))
        })
        .map(|(_, search)| *search)
        .collect()
}

/// The thresholds of a walk: the wide searches take turns.
pub(super) fn probes(searches: &[Search], few: u64, round: u32) -> [f64; LANES] {
    let distinct = distinct(searches, few);
    let mut thresholds = [0.0; LANES];
    let first = round as usize * LANES;
    for (lane, threshold) in thresholds.iter_mut().enumerate() {
        let search = distinct[(first + lane) % distinct.len()];
        *threshold = search.probe(few, round, lane / distinct.len());
    }
    thresholds
}

/// The middle of two doubles by their order among all doubles, so that at most 64 bisections part any two.
fn bisect(low: f64, high: f64) -> f64 {
    let (low_key, high_key) = (order_key(low), order_key(high));
    let middle = low_key + (high_key.wrapping_sub(low_key) as u64 / 2) as i64;
    from_order_key(middle)
}

/// A whole number that ascends with the double; both zeros have the same.
fn order_key(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    if bits >= 0 {
        bits
    } else {
        i64::MIN.wrapping_sub(bits)
    }
}

fn from_order_key(key: i64) -> f64 {
    let bits = if key >= 0 {
        key
    } else {
        i64::MIN.wrapping_sub(key)
    };
    f64::from_bits(bits as u64)
}
