//! Order statistics of all pairwise differences of two samples, without forming them.
//!
//! The nm differences `x[i] - y[j]` of sorted samples lie in a matrix that ascends along its rows and columns, so a walk of
//! n + m steps counts how many are at most a threshold (`count_at_most`). Each wanted rank keeps the narrowest
//! bracket of thresholds known so far. The first probes come from the same search on every k-th value of large samples;
//! further ones are placed by interpolation, bisection guards against bad shapes, and once a bracket holds few differences
//! they are gathered and the rank is picked from them. Several thresholds share one walk: a walk is bound by latency, so the
//! others are almost free.
//!
//! Sources: Shamos (1976) and McKean & Ryan (1977, TOMS 516) for counting and interpolation; Monahan (1984, TOMS 616).
//! All comparisons are made on the rounded differences themselves, which ascend as the exact ones do, so the answer is the
//! very double that sorting all of them would give.

use super::normal;
use super::quantile::quantile_r7;
use super::rank_search::{LANES, Probe, Search, distinct, probes};
use crate::sample::Sample;

/// Samples of more points than this in all are thinned for a first guess.
const THIN_ABOVE: usize = 400;

/// Up to this many differences are formed and sorted at once.
const SMALL: u64 = 300;

/// The differences `x[i] - y[j]` of two samples, as a multiset.
#[derive(Debug)]
pub struct Differences {
    /// Ascending, followed by +∞ so that a walk needs no end check.
    x: Vec<f64>,
    /// Likewise.
    y: Vec<f64>,
}

impl Differences {
    /// Prepares the walks. Cost O(n + m).
    #[must_use]
    pub fn new(x: &Sample, y: &Sample) -> Self {
        Self::of_ascending(x.sorted().iter().copied(), y.sorted().iter().copied())
    }

    fn of_ascending(x: impl Iterator<Item = f64>, y: impl Iterator<Item = f64>) -> Self {
        Self {
            x: x.chain([f64::INFINITY]).collect(),
            y: y.chain([f64::INFINITY]).collect(),
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

    /// How many differences are at most each threshold; thresholds are finite. Cost O(n + m) for all of them together.
    fn count_at_most(&self, thresholds: [f64; LANES]) -> [u64; LANES] {
        let (x, y) = (self.x.as_slice(), self.y.as_slice());
        let (mut j, mut path) = ([0_usize; LANES], [0_u64; LANES]);
        for step in 0..self.n() + self.m() {
            for lane in 0..LANES {
                // `j` counts the y for which x[i] - y[j] is above the threshold, a prefix since y ascends; every step advances
                // either j or i, so i = step - j. Without branches, because which of them is a coin toss.
                path[lane] += j[lane] as u64;
                j[lane] += usize::from(x[step - j[lane]] - y[j[lane]] > thresholds[lane]);
            }
        }
        // The steps that advance i pass each x once, with as many y as its differences above the threshold. The steps that
        // advance j pass each of 0 to m - 1 once.
        let (all, m) = (self.count(), self.m() as u64);
        path.map(|path| all - (path - m * (m - 1) / 2))
    }

    /// The differences of the given ranks, counted from 1 in ascending order; ranks outside 1 to nm are moved to the nearer
    /// end. Cost O((n + m) log(n + m)) in practice, and a few hundred walks at worst, whatever the data.
    #[must_use]
    pub fn select(&self, ranks: &[u64]) -> Vec<f64> {
        let count = self.count();
        let ranks: Vec<u64> = ranks.iter().map(|&rank| rank.clamp(1, count)).collect();
        if count <= SMALL {
            let (x, y) = (&self.x[..self.n()], &self.y[..self.m()]);
            let all = x
                .iter()
                .flat_map(|value| y.iter().map(move |other| value - other))
                .collect();
            return pick(all, &ranks, 0);
        }
        let mut searches: Vec<Search> = self.start(&ranks);
        let few = (self.n() + self.m()) as u64 / 2;
        let mut round = 0;
        while searches.iter().any(|search| search.is_wide(few)) {
            let thresholds = if round == 0 {
                self.first_probes(&searches)
            } else {
                probes(&searches, few, round)
            };
            let counts = self.count_at_most(thresholds);
            for (threshold, count) in thresholds.into_iter().zip(counts) {
                let probe = Probe { threshold, count };
                searches.iter_mut().for_each(|search| search.narrow(probe));
            }
            round += 1;
            if round >= 4 && round % 2 == 0 {
                searches
                    .iter_mut()
                    .filter(|search| search.is_wide(few))
                    .for_each(|search| self.snap(search));
            }
        }
        self.settle(&mut searches);
        searches.iter().filter_map(|search| search.answer).collect()
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
                self.count_at_most([f64::NEG_INFINITY, f64::MAX, 0.0, 0.0, 0.0, 0.0]);
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

    /// Answers the open searches, whose brackets hold few differences each.
    fn settle(&self, searches: &mut [Search]) {
        let mut brackets: Vec<Search> = Vec::with_capacity(searches.len());
        for search in searches.iter().filter(|search| search.answer.is_none()) {
            if !brackets
                .iter()
                .any(|bracket| bracket.shares_bracket(search))
            {
                brackets.push(*search);
            }
        }
        for some in brackets.chunks(LANES) {
            let found = self.gather(some);
            for (bracket, found) in some.iter().zip(found) {
                let inside: Vec<usize> = (0..searches.len())
                    .filter(|&index| {
                        searches[index].answer.is_none() && searches[index].shares_bracket(bracket)
                    })
                    .collect();
                let ranks: Vec<u64> = inside.iter().map(|&index| searches[index].rank).collect();
                for (index, value) in
                    inside
                        .into_iter()
                        .zip(pick(found, &ranks, bracket.below.count))
                {
                    searches[index].answer = Some(value);
                }
            }
        }
    }

    /// The thresholds of the first walk: a little to either side of where each rank should be.
    fn first_probes(&self, searches: &[Search]) -> [f64; LANES] {
        let shares: Vec<f64> = distinct(searches, 0)
            .iter()
            .map(|search| search.rank as f64 / self.count() as f64)
            .collect();
        let thresholds = if self.n() + self.m() > THIN_ABOVE {
            self.guess_by_thinning(&shares)
        } else {
            self.guess_by_quartiles(&shares)
        };
        let mut lanes = [0.0; LANES];
        for (lane, threshold) in lanes.iter_mut().zip(thresholds.iter().cycle()) {
            *lane = *threshold;
        }
        lanes
    }

    /// Searches among every k-th value of both samples, about twice the square root of them.
    fn guess_by_thinning(&self, shares: &[f64]) -> Vec<f64> {
        let thin = |values: &[f64]| {
            let count = values.len();
            let kept = ((count as f64).sqrt() * 2.0).ceil().min(count as f64) as usize;
            // The middle of each of `kept` equal stretches.
            let indices = (0..kept).map(move |index| (2 * index + 1) * count / (2 * kept));
            indices.map(|index| values[index]).collect::<Vec<f64>>()
        };
        let (x, y) = (thin(&self.x[..self.n()]), thin(&self.y[..self.m()]));
        let margin = 1.0 / x.len().min(y.len()) as f64;
        let thinned = Self::of_ascending(x.into_iter(), y.into_iter());
        let count = thinned.count() as f64;
        let ranks: Vec<u64> = shares
            .iter()
            .flat_map(|share| [share - margin, share + margin])
            .map(|share| (share * count) as u64)
            .collect();
        thinned.select(&ranks)
    }

    /// As if the differences were normal, with the quartiles of both samples.
    fn guess_by_quartiles(&self, shares: &[f64]) -> Vec<f64> {
        let at = |values: &[f64], p| quantile_r7(values, p);
        let (x, y) = (&self.x[..self.n()], &self.y[..self.m()]);
        let center = at(x, 0.5) - at(y, 0.5);
        // Between the quartiles of a normal distribution lie 1.349 standard deviations.
        let scale = (at(x, 0.75) - at(x, 0.25)).hypot(at(y, 0.75) - at(y, 0.25)) / 1.349;
        let around = |share: &f64| [share - 0.06, share + 0.06];
        let z = |share: f64| normal::quantile(share.clamp(0.001, 0.999));
        shares
            .iter()
            .flat_map(around)
            .map(|share| center + scale * z(share))
            .collect()
    }

    /// All differences of each bracket (at most [`LANES`] of them), in no order. Cost O(n + m + found).
    fn gather(&self, brackets: &[Search]) -> Vec<Vec<f64>> {
        let (x, y) = (self.x.as_slice(), self.y.as_slice());
        let lanes = brackets.len();
        // For each x the first y whose difference is not above the bracket, found by the walk of `count_at_most`: the last
        // entry of `i` is written in the step that advances it.
        let mut starts = vec![0_usize; (self.n() + 1) * lanes];
        let mut j = [0_usize; LANES];
        for step in 0..self.n() + self.m() {
            for (lane, bracket) in brackets.iter().enumerate() {
                let i = step - j[lane];
                starts[i * lanes + lane] = j[lane];
                j[lane] += usize::from(x[i] - y[j[lane]] > bracket.upto.threshold);
            }
        }
        let (x, y) = (&x[..self.n()], &y[..self.m()]);
        let mut found = vec![Vec::new(); lanes];
        for (value, starts) in x.iter().zip(starts.chunks_exact(lanes)) {
            for ((start, bracket), found) in starts.iter().zip(brackets).zip(&mut found) {
                let differences = y[*start..].iter().map(|other| value - other);
                found.extend(
                    differences.take_while(|difference| *difference > bracket.below.threshold),
                );
            }
        }
        found
    }

    /// Where many differences are equal no bracket becomes small: asks whether the largest one of the bracket is the answer.
    fn snap(&self, search: &mut Search) {
        let largest = self.largest_at_most(search.upto.threshold);
        let before = largest.next_down();
        let [count, ..] = self.count_at_most([before; LANES]);
        if count < search.rank {
            search.answer = Some(largest);
        } else {
            search.upto = Probe {
                threshold: before,
                count,
            };
        }
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
