//! Which moments are asked about: the window as the request names it, or laid on a grid; and in which pieces.

use crate::model::scope::{Scope, Window};
use crate::sources::Manner;

/// Most points of one request. Prometheus refuses more than 11,000 steps, VictoriaMetrics more than 30,000 points.
pub(super) const MAX_POINTS: u64 = 10_000;

/// Most points of one question, over all its requests: two years by the minute.
pub(super) const MAX_POINTS_IN_ALL: u64 = 1_000_000;

/// Evenly spaced moments: `start_ms + k * step_ms`, up to and including `end_ms`. There is at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    pub(super) step_ms: i64,
}

/// Why there is nothing to ask about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRange {
    /// The scope names no step, or one beyond all sense.
    Step,
    /// The window has room for more points than one question may ask for.
    TooMany(u64),
    /// The window lies between two points of the grid.
    BetweenPoints,
    /// All points are younger than what can be believed; the first can be asked for after so many milliseconds.
    TooYoung(u64),
}

impl Range {
    /// The moments of `scope`. As Kayenta has them, the window is taken as it is. Aligned, start and end lie on multiples of the
    /// step inside the window, and nothing is younger than `settled_ms`.
    pub(super) fn of(scope: &Scope, manner: Manner, settled_ms: i64) -> Result<Self, NoRange> {
        let step_ms = i64::try_from(scope.step_secs)
            .ok()
            .and_then(|secs| secs.checked_mul(1000))
            .filter(|step| *step > 0)
            .ok_or(NoRange::Step)?;
        let (start_ms, end_ms) = (scope.window.start_ms(), scope.window.end_ms());
        let range = match manner {
            Manner::Kayenta => Self {
                start_ms,
                end_ms,
                step_ms,
            },
            Manner::Aligned => {
                let first = ceil(start_ms, step_ms);
                let last = floor(end_ms, step_ms);
                if last < first {
                    return Err(NoRange::BetweenPoints);
                }
                if settled_ms < first {
                    return Err(NoRange::TooYoung(first.abs_diff(settled_ms)));
                }
                Self {
                    start_ms: first,
                    end_ms: last.min(floor(settled_ms, step_ms)),
                    step_ms,
                }
            }
        };
        match range.points() {
            points if points > MAX_POINTS_IN_ALL => Err(NoRange::TooMany(points)),
            _ => Ok(range),
        }
    }

    /// The same without moments after `settled_ms`; the first one stays.
    pub(super) fn cut(self, settled_ms: i64) -> Self {
        let end_ms = self.end_ms.min(floor(settled_ms, self.step_ms));
        Self {
            end_ms: end_ms.max(self.start_ms),
            ..self
        }
    }

    /// How many moments.
    pub(super) fn points(self) -> u64 {
        self.end_ms.abs_diff(self.start_ms) / self.step_ms.unsigned_abs() + 1
    }

    /// How many points a full series has at least. Aligned, one less than there are moments: whether a sample on the very edge
    /// counts differs between Prometheus 2 (closed on both sides) and 3 (left open). For Kayenta, what its pairing pads to.
    pub(super) fn expected_points(self, manner: Manner) -> u64 {
        match manner {
            Manner::Kayenta => self.points() - 1,
            Manner::Aligned => (self.points() - 1).max(1),
        }
    }

    /// The range in pieces of at most `most` points, none of which is in two of them.
    pub(super) fn chunks(self, most: u64) -> impl Iterator<Item = Self> {
        let most = most.max(1);
        let count = self.points().div_ceil(most);
        (0..count).map(move |index| self.part(index * most, most))
    }

    /// Two halves; `None` where there is only one point.
    pub(super) fn halves(self) -> Option<[Self; 2]> {
        let points = self.points();
        let first = points / 2;
        (first > 0).then(|| [self.part(0, first), self.part(first, points - first)])
    }

    /// `count` points from the point numbered `from`; where that reaches the last point, the end stays the range's own.
    fn part(self, from: u64, count: u64) -> Self {
        let at = |index: u64| {
            let offset = i64::try_from(index)
                .unwrap_or(i64::MAX)
                .saturating_mul(self.step_ms);
            self.start_ms.saturating_add(offset)
        };
        let end_ms = if from + count >= self.points() {
            self.end_ms
        } else {
            at(from + count - 1)
        };
        Self {
            start_ms: at(from),
            end_ms,
            step_ms: self.step_ms,
        }
    }
}

/// What a reader should know about the window: under Kayenta's rules it is taken as it is, aligned it may be shorter.
pub(super) fn remarks(
    range: Range,
    window: Window,
    manner: Manner,
    settled_ms: i64,
) -> Vec<String> {
    let mut remarks = Vec::new();
    match manner {
        Manner::Kayenta => {
            if range.start_ms.rem_euclid(range.step_ms) != 0 {
                remarks.push(format!(
                    "the window does not start on a multiple of the step of {} s: the points of both sides may lie at different moments",
                    range.step_ms / 1000
                ));
            }
            if window.end_ms() > settled_ms {
                remarks.push(format!(
                    "the last {} s of the window are so young that points may still be missing or change",
                    secs(window.end_ms().abs_diff(settled_ms))
                ));
            }
        }
        Manner::Aligned => {
            let last = floor(window.end_ms(), range.step_ms);
            if range.end_ms < last {
                remarks.push(format!(
                    "the last {} s of the window are left out: points so young may still be missing or change",
                    secs(last.abs_diff(range.end_ms))
                ));
            }
        }
    }
    remarks
}

fn secs(ms: u64) -> u64 {
    ms.div_ceil(1000)
}

fn floor(ms: i64, step: i64) -> i64 {
    ms.saturating_sub(ms.rem_euclid(step))
}

fn ceil(ms: i64, step: i64) -> i64 {
    match ms.rem_euclid(step) {
        0 => ms,
        rest => ms.saturating_add(step - rest),
    }
}
