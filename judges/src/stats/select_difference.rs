//! Order statistics of all pairwise differences of two samples, without forming them.
//!
//! The nm differences `x[i] - y[j]` of sorted samples lie in a matrix that ascends along its rows and columns, so a walk of
//! n + m steps counts how many are at most a threshold ([`Differences::count_at_most`]). Each wanted rank keeps the narrowest
//! bracket of thresholds known so far; probes are placed by interpolation, bisection guards against bad shapes, and once a
//! bracket holds few differences they are gathered and the rank is picked from them. Four thresholds share one walk: a walk is
//! bound by latency, so the other three are almost free.
//!
//! Sources: Shamos (1976) and McKean & Ryan (1977, TOMS 516) for counting and interpolation; Monahan (1984, TOMS 616).
//! All comparisons are made on the rounded differences themselves, which ascend as the exact ones do, so the answer is the
//! very double that sorting all of them would give.

use super::normal;
use super::quantile::quantile_r7;
use crate::sample::Sample;

/// Thresholds that one walk counts.
const LANES: usize = 4;

/// Up to this many differences are formed and sorted at once.
const SMALL: u64 = 300;

/// The differences `x[i] - y[j]` of two samples, as a multiset.
#[derive(Debug)]
pub struct Differences {
    /// Ascending, followed by +∞ so that a walk needs no end check.
    x: Vec<f64>,
    /// Likewise.
    y: Vec<f64>,
    guess: Guess,
}

/// Where the differences lie, roughly: as if they were normal.
#[derive(Debug, Clone, Copy)]
struct Guess {
    center: f64,
    scale: f64,
}

/// A threshold and the number of differences that are at most it.
#[derive(Debug, Clone, Copy)]
struct Probe {
    threshold: f64,
    count: u64,
}

/// The search for one rank. The answer is above `below.threshold` and at most `upto.threshold`.
#[derive(Debug, Clone, Copy)]
struct Search {
    rank: u64,
    below: Probe,
    upto: Probe,
    answer: Option<f64>,
}

impl Differences {
    /// Prepares the walks. Cost O(n + m).
    #[must_use]
    pub fn new(x: &Sample, y: &Sample) -> Self {
        let guarded = |sample: &Sample| {
            let mut values = Vec::with_capacity(sample.len() + 1);
            values.extend_from_slice(sample.sorted());
            values.push(f64::INFINITY);
            values
        };
        let quartiles = |sample: &Sample| {
            let at = |p| quantile_r7(sample.sorted(), p);
            (at(0.25), at(0.5), at(0.75))
        };
        let ((x1, x2, x3), (y1, y2, y3)) = (quartiles(x), quartiles(y));
        // Between the quartiles of a normal distribution lie 1.349 standard deviations.
        let guess = Guess {
            center: x2 - y2,
            scale: (x3 - x1).hypot(y3 - y1) / 1.349,
        };
        Self {
            x: guarded(x),
            y: guarded(y),
            guess,
        }
    }

    /// Number of differences, n·m.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.n() as u64 * self.m() as u64
    }

    fn n(&self) -> usize {
        self.x.len() - 1
    }

    fn m(&self) -> usize {
        self.y.len() - 1
    }

    /// How many differences are at most each threshold; thresholds are finite. Cost O(n + m) for all four together.
    #[must_use]
    pub fn count_at_most(&self, thresholds: [f64; LANES]) -> [u64; LANES] {
        let (x, y) = (self.x.as_slice(), self.y.as_slice());
        let (mut i, mut j, mut larger) = ([0_usize; LANES], [0_usize; LANES], [0_u64; LANES]);
        for _ in 0..self.n() + self.m() {
            for lane in 0..LANES {
                // `j` counts the y for which x[i] - y[j] is above the threshold: a prefix, since y ascends. Without branches,
                // because which side advances is a coin toss.
                let advance = usize::from(x[i[lane]] - y[j[lane]] > thresholds[lane]);
                let keep = advance.wrapping_sub(1);
                larger[lane] += (j[lane] & keep) as u64;
                j[lane] += advance;
                i[lane] += advance ^ 1;
            }
        }
        let all = self.count();
        larger.map(|larger| all - larger)
    }

    /// The differences of the given ranks, counted from 1 in ascending order; ranks outside 1 to nm are moved to the nearer
    /// end. Cost O((n + m) log(n + m)) in practice, and at most 130 walks whatever the data.
    #[must_use]
    pub fn select(&self, ranks: &[u64]) -> Vec<f64> {
        let count = self.count();
        let ranks: Vec<u64> = ranks.iter().map(|&rank| rank.clamp(1, count)).collect();
        if count <= SMALL {
            let all = self.gather(f64::NEG_INFINITY, f64::INFINITY);
            return pick(all, &ranks, 0);
        }
        let mut searches: Vec<Search> = self.start(&ranks);
        let few = 2 * (self.n() + self.m()) as u64;
        let mut round = 0;
        loop {
            self.settle(&mut searches, few, round);
            if searches.iter().all(|search| search.answer.is_some()) {
                return searches.iter().filter_map(|search| search.answer).collect();
            }
            let thresholds = self.probes(&searches, few, round);
            let counts = self.count_at_most(thresholds);
            for (threshold, count) in thresholds.into_iter().zip(counts) {
                let probe = Probe { threshold, count };
                searches.iter_mut().for_each(|search| search.narrow(probe));
            }
            round += 1;
        }
    }

    /// One search a rank, with the widest bracket. The first and the last rank need no search, nor do differences that
    /// overflowed to an infinity.
    fn start(&self, ranks: &[u64]) -> Vec<Search> {
        let smallest = self.x[0] - self.y[self.m() - 1];
        let largest = self.x[self.n() - 1] - self.y[0];
        let mut below = Probe {
            threshold: smallest.next_down(),
            count: 0,
        };
        let mut upto = Probe {
            threshold: largest,
            count: self.count(),
        };
        if below.threshold == f64::NEG_INFINITY || upto.threshold == f64::INFINITY {
            let [overflowed, rest, ..] =
                self.count_at_most([f64::NEG_INFINITY, f64::MAX, 0.0, 0.0]);
            if below.threshold == f64::NEG_INFINITY {
                below.count = overflowed;
            }
            if upto.threshold == f64::INFINITY {
                upto = Probe {
                    threshold: f64::MAX,
                    count: rest,
                };
            }
        }
        let answer = |rank| {
            if rank == 1 || rank <= below.count {
                Some(smallest)
            } else if rank == self.count() || rank > upto.count {
                Some(largest)
            } else {
                None
            }
        };
        ranks
            .iter()
            .map(|&rank| Search {
                rank,
                below,
                upto,
                answer: answer(rank),
            })
            .collect()
    }

    /// Answers the searches whose bracket holds few differences, or one value only.
    fn settle(&self, searches: &mut [Search], few: u64, round: u32) {
        for index in 0..searches.len() {
            let search = searches[index];
            if search.answer.is_some() {
                continue;
            }
            let (below, upto) = (search.below, search.upto);
            if upto.count - below.count <= few {
                let found = self.gather(below.threshold, upto.threshold);
                let together: Vec<usize> = (index..searches.len())
                    .filter(|&other| {
                        searches[other].answer.is_none() && searches[other].shares_bracket(&search)
                    })
                    .collect();
                let ranks: Vec<u64> = together.iter().map(|&other| searches[other].rank).collect();
                for (other, value) in together.into_iter().zip(pick(found, &ranks, below.count)) {
                    searches[other].answer = Some(value);
                }
            } else if round >= 3 && round % 2 == 1 {
                searches[index].snap(self);
            }
        }
    }

    /// The thresholds of the next walk: one for each open search, and further ones for the first of them.
    fn probes(&self, searches: &[Search], few: u64, round: u32) -> [f64; LANES] {
        let open: Vec<&Search> = searches
            .iter()
            .filter(|search| search.answer.is_none())
            .collect();
        let distinct: Vec<&Search> = open
            .iter()
            .enumerate()
            .filter(|(index, search)| {
                !open[..*index]
                    .iter()
                    .any(|earlier| earlier.is_near(search, few))
            })
            .map(|(_, search)| *search)
            .collect();
        let mut thresholds = [0.0; LANES];
        for (lane, threshold) in thresholds.iter_mut().enumerate() {
            let search = distinct[lane % distinct.len()];
            *threshold = search.probe(self.guess, self.count(), few, round, lane / distinct.len());
        }
        thresholds
    }

    /// All differences above `low` and at most `high`, in no order. Cost O(n + m + found).
    fn gather(&self, low: f64, high: f64) -> Vec<f64> {
        let (x, y) = (&self.x[..self.n()], &self.y[..self.m()]);
        let mut found = Vec::new();
        let (mut from, mut to) = (0, 0);
        for &value in x {
            while from < y.len() && value - y[from] > high {
                from += 1;
            }
            while to < y.len() && value - y[to] > low {
                to += 1;
            }
            if from < to {
                found.extend(y[from..to].iter().map(|other| value - other));
            }
        }
        found
    }

    /// The largest difference that is at most `high`; `high` itself where there is none. Cost O(n + m).
    fn largest_at_most(&self, high: f64) -> f64 {
        let (x, y) = (&self.x[..self.n()], &self.y[..self.m()]);
        let mut largest = f64::NEG_INFINITY;
        let mut from = 0;
        for &value in x {
            while from < y.len() && value - y[from] > high {
                from += 1;
            }
            if let Some(other) = y.get(from) {
                largest = largest.max(value - other);
            }
        }
        if largest == f64::NEG_INFINITY {
            high
        } else {
            largest
        }
    }
}

impl Search {
    fn shares_bracket(&self, other: &Self) -> bool {
        self.below.threshold == other.below.threshold && self.upto.threshold == other.upto.threshold
    }

    /// Whether one probe serves both.
    fn is_near(&self, other: &Self, few: u64) -> bool {
        self.shares_bracket(other) && self.rank.abs_diff(other.rank) <= few / 8
    }

    /// Takes over a probe that lies inside the bracket.
    fn narrow(&mut self, probe: Probe) {
        if probe.threshold <= self.below.threshold || probe.threshold >= self.upto.threshold {
            return;
        }
        if probe.count < self.rank {
            self.below = probe;
        } else {
            self.upto = probe;
        }
    }

    /// Where many differences are equal no bracket becomes small: asks whether the largest one of the bracket is the answer.
    fn snap(&mut self, differences: &Differences) {
        let largest = differences.largest_at_most(self.upto.threshold);
        let before = largest.next_down();
        let [count, ..] = differences.count_at_most([before; LANES]);
        if count < self.rank {
            self.answer = Some(largest);
        } else {
            self.upto = Probe {
                threshold: before,
                count,
            };
        }
    }

    /// A threshold inside the bracket. `spare` numbers the further probes of the same search in the same walk.
    fn probe(&self, guess: Guess, count: u64, few: u64, round: u32, spare: usize) -> f64 {
        let (low, high) = (self.below.threshold, self.upto.threshold);
        // Aims a little to either side of the rank in turn, so that both ends of the bracket come close.
        let inside = (self.upto.count - self.below.count) as f64;
        let margin = (few as f64 / 4.0).max(inside * 0.02);
        let side = if (round as usize + spare).is_multiple_of(2) {
            1.0
        } else {
            -1.0
        };
        let aim = self.rank as f64 + side * margin;
        let proposed = if round == 0 {
            let p = (aim / count as f64).clamp(1e-6, 1.0 - 1e-6);
            guess.center + guess.scale * normal::quantile(p)
        } else if round % 6 == 5 || spare >= 2 {
            bisect(low, high)
        } else {
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

/// The values of `ranks` among `found`, which are the differences of rank `before + 1` and up.
fn pick(mut found: Vec<f64>, ranks: &[u64], before: u64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ranks.len()).collect();
    order.sort_unstable_by_key(|&index| ranks[index]);
    let mut picked = vec![0.0; ranks.len()];
    // Each selection parts what is left, so the next rank is looked for among the larger ones only.
    let mut done = 0;
    for index in order {
        let target = (ranks[index] - before - 1) as usize;
        if target >= done {
            let (_, value, _) = found[done..].select_nth_unstable_by(target - done, f64::total_cmp);
            picked[index] = *value;
            done = target;
        } else {
            picked[index] = found[target];
        }
    }
    picked
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
