//! Requests of the last minute, by group.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use crate::model::release::cluster::{Share, Weights};
use crate::model::release::names::GroupName;

/// How many seconds are looked back.
const SECONDS: u64 = 60;

/// Counts, second by second.
#[derive(Debug)]
pub(super) struct Counts {
    begun: Instant,
    seconds: VecDeque<Second>,
}

#[derive(Debug, Default)]
struct Second {
    number: u64,
    requests: u64,
    failed: u64,
    groups: BTreeMap<GroupName, u64>,
}

/// All of the last minute.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Minute {
    pub(super) requests: u64,
    pub(super) failed: u64,
    /// Shares of the requests that reached a group.
    pub(super) measured: Weights,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            seconds: VecDeque::new(),
        }
    }
}

impl Counts {
    /// Counts a request, and the group that it went to.
    pub(super) fn request(&mut self, group: Option<&GroupName>) {
        let second = self.second(self.begun.elapsed().as_secs());
        second.requests += 1;
        if let Some(group) = group {
            *second.groups.entry(group.clone()).or_default() += 1;
        }
    }

    /// Counts a request that had no answer, or a 5xx.
    pub(super) fn failure(&mut self) {
        self.second(self.begun.elapsed().as_secs()).failed += 1;
    }

    pub(super) fn minute(&mut self) -> Minute {
        self.forget(self.begun.elapsed().as_secs());
        let mut minute = Minute::default();
        let mut groups: BTreeMap<GroupName, u64> = BTreeMap::new();
        for second in &self.seconds {
            minute.requests += second.requests;
            minute.failed += second.failed;
            for (group, requests) in &second.groups {
                *groups.entry(group.clone()).or_default() += requests;
            }
        }
        let all: u64 = groups.values().sum();
        let share = |requests: u64| {
            let rounded = (requests * 10_000 + all / 2) / all.max(1);
            u32::try_from(rounded).ok().and_then(Share::new)
        };
        minute.measured = groups
            .into_iter()
            .filter_map(|(group, requests)| Some((group, share(requests)?)))
            .collect();
        minute
    }

    fn second(&mut self, number: u64) -> &mut Second {
        self.forget(number);
        let is_new = self.seconds.back().is_none_or(|it| it.number != number);
        if is_new || self.seconds.is_empty() {
            self.seconds.push_back(Second {
                number,
                ..Second::default()
            });
        }
        let last = self.seconds.len() - 1;
        &mut self.seconds[last]
    }

    fn forget(&mut self, now: u64) {
        while let Some(first) = self.seconds.front()
            && first.number + SECONDS <= now
        {
            self.seconds.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_minute_counts() {
        let group = |text| GroupName::parse(text).unwrap();
        let mut counts = Counts::default();
        for (second, name, requests) in [(0, "a-v001", 7), (30, "a-v001", 30), (59, "a-v002", 10)] {
            let counted = counts.second(second);
            counted.requests += requests;
            counted.groups.insert(group(name), requests);
        }
        counts.forget(60);
        let minute = counts.minute();
        assert_eq!((minute.requests, minute.failed), (40, 0));
        assert_eq!(minute.measured[&group("a-v001")].basis_points(), 7_500);
        assert_eq!(minute.measured[&group("a-v002")].basis_points(), 2_500);
        counts.request(None);
        counts.failure();
        assert_eq!(counts.minute().failed, 1);
        assert_eq!(Counts::default().minute(), Minute::default());
    }
}
