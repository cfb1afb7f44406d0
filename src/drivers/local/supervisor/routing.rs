//! Which instance gets a request: a group by its share, by chance, then its least busy instance. By chance and not in turns,
//! because turns may keep step with what clients do, and baseline and canary would get different requests.

use std::sync::{Arc, PoisonError, RwLock};

use super::seat::{InFlight, Seat};
use crate::model::release::names::GroupName;

/// A group that may serve and has a share.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) group: GroupName,
    /// Hundredths of a percent, more than 0.
    pub(super) share: u32,
    pub(super) seats: Vec<Arc<Seat>>,
}

/// Where the requests of a cluster go now.
#[derive(Debug, Default)]
pub(super) struct Table(RwLock<Vec<Route>>);

/// Where a request goes. It counts as in flight from here on.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) group: GroupName,
    pub(super) seat: Arc<Seat>,
    pub(super) in_flight: InFlight,
}

impl Table {
    /// From the return of this on, every request that went by the old table is counted in its instance.
    pub(super) fn set(&self, routes: Vec<Route>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = routes;
    }

    /// Chooses among the instances that are up, without those that were `tried`; groups without such an instance leave their
    /// share to the others.
    pub(super) fn choose(&self, tried: &[Arc<Seat>]) -> Option<Choice> {
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let possible =
            |seat: &&Arc<Seat>| seat.is_up() && !tried.iter().any(|tried| Arc::ptr_eq(tried, seat));
        let open: Vec<&Route> = routes
            .iter()
            .filter(|route| route.seats.iter().any(|seat| possible(&seat)))
            .collect();
        let sum: u32 = open.iter().map(|route| route.share).sum();
        if sum == 0 {
            return None;
        }
        let shares = open.iter().map(|route| route.share);
        let route = open.get(at(shares, fastrand::u32(0..sum)))?;
        // The first of equals would get all requests of a quiet cluster, so that chance comes first.
        let seats: Vec<&Arc<Seat>> = route.seats.iter().filter(possible).collect();
        let first = fastrand::usize(0..seats.len().max(1));
        let turned = seats.iter().skip(first).chain(seats.iter().take(first));
        let seat = turned.min_by_key(|seat| seat.in_flight())?;
        // Still under the lock of the table: see `set`.
        let in_flight = seat.enter();
        Some(Choice {
            group: route.group.clone(),
            seat: Arc::clone(seat),
            in_flight,
        })
    }
}

/// The index of the share that `point` lies in, when the shares lie one after the other.
fn at(shares: impl Iterator<Item = u32>, point: u32) -> usize {
    let mut end = 0;
    let ends = shares.map(|share| {
        end += share;
        end
    });
    ends.take_while(|end| *end <= point).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::local::state::Process;

    fn seat(up: bool) -> Arc<Seat> {
        let process = Process {
            pid: 1,
            start_ticks: 1,
        };
        Seat::new(("x", "token", 1), process, false, up)
    }

    fn table(routes: &[(&str, u32, &[bool])]) -> Table {
        let table = Table::default();
        let routes = routes.iter().map(|(name, share, seats)| Route {
            group: GroupName::parse(name).unwrap(),
            share: *share,
            seats: seats.iter().map(|up| seat(*up)).collect(),
        });
        table.set(routes.collect());
        table
    }

    #[test]
    fn a_point_falls_into_the_share_that_it_lies_in() {
        for (point, index) in [(0, 0), (4, 0), (5, 2), (14, 2), (15, 3), (19, 3)] {
            assert_eq!(at([5, 0, 10, 5].into_iter(), point), index, "{point}");
        }
    }

    #[test]
    fn a_group_that_is_down_leaves_its_share_to_the_others() {
        let table = table(&[("a-v001", 9_999, &[false, false]), ("a-v002", 1, &[true])]);
        for _ in 0..100 {
            assert_eq!(table.choose(&[]).unwrap().group.as_str(), "a-v002");
        }
    }

    #[test]
    fn the_least_busy_instance_is_chosen_and_one_that_was_tried_is_not() {
        let table = table(&[("a-v001", 10_000, &[true, true, true])]);
        let choices: Vec<Choice> = (0..3).map(|_| table.choose(&[]).unwrap()).collect();
        for choice in &choices {
            assert_eq!(choice.seat.in_flight(), 1, "each has one");
        }
        let tried: Vec<Arc<Seat>> = choices.iter().map(|it| Arc::clone(&it.seat)).collect();
        assert!(table.choose(&tried).is_none());
        drop(choices);
        assert!(tried.iter().all(|seat| seat.in_flight() == 0));
    }

    #[test]
    fn nothing_is_chosen_where_nothing_is_up() {
        assert!(table(&[]).choose(&[]).is_none());
        assert!(table(&[("a-v001", 10_000, &[false])]).choose(&[]).is_none());
    }
}
