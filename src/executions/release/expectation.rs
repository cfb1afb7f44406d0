//! Whether a place is still as a step rests on. Pure.

use crate::executions::state::State;
use crate::model::release::cluster::{View, Weights};
use crate::model::release::step::Expect;

/// How the place differs from what a step rests on.
pub(super) fn unexpected(state: &State, view: &View, expect: &Expect) -> Option<String> {
    match expect {
        Expect::Absent { group } => {
            let found = view.group(group)?;
            let ours = found
                .owner
                .as_ref()
                .is_some_and(|owner| owner.execution == state.id);
            (!ours).then(|| format!("found a server group `{group}`; expected none"))
        }
        Expect::Traffic { weights } => {
            let found = view.router.as_ref().map(|router| &router.weights);
            let shown = |weights: &Weights| {
                let parts: Vec<String> = weights
                    .iter()
                    .filter(|(_, share)| share.basis_points() > 0)
                    .map(|(group, share)| format!("{group} {share}"))
                    .collect();
                parts.join(", ")
            };
            let as_it_is = found.map(shown).unwrap_or_default();
            let as_planned = shown(weights);
            (as_it_is != as_planned)
                .then(|| format!("found the traffic `{as_it_is}`; expected `{as_planned}`"))
        }
        Expect::Capacity { group, capacity } => match view.group(group) {
            None => Some(format!(
                "found no server group `{group}`; expected {capacity} instances"
            )),
            Some(found) if found.capacity.desired < capacity.desired => Some(format!(
                "found `{group}` with {} instances; expected {capacity}",
                found.capacity
            )),
            Some(_) => None,
        },
    }
}
