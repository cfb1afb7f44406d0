//! How many points the answers of one judgement may have together.
//!
//! A question says how many points one series has room for, but not how many series its answer has. So answers are counted as
//! they come, and the first one that there is no room for ends the judgement, before memory does.

use std::sync::Arc;

use super::super::task::Failure;
use super::asks::{Ask, MOST_HISTORY_POINTS};
use super::attempts::{Lost, Outcome};
use crate::sources::{Fetched, Remedy, SourceError};

/// What is left of the room for one judgement.
pub(super) struct Budget {
    most: u64,
    judged: u64,
    past: u64,
}

impl Budget {
    /// Room for `most` points that are judged, and for histories beside them.
    pub(super) fn new(most: u64) -> Self {
        Self {
            most,
            judged: 0,
            past: 0,
        }
    }

    /// Counts what came of `ask`, whose answer becomes `uses` sides of metrics; none of them means that it is a history. A history
    /// that there is no room for is let go.
    ///
    /// # Errors
    /// There is no room for what is judged.
    pub(super) fn admit(
        &mut self,
        ask: &Ask,
        uses: u64,
        outcome: Outcome,
    ) -> Result<Outcome, Failure> {
        let Ok(fetched) = &outcome else {
            return Ok(outcome);
        };
        let points = points(fetched);
        if uses == 0 {
            let past = self.past.saturating_add(points);
            if past > MOST_HISTORY_POINTS {
                return Ok(Err(no_room_for_history()));
            }
            self.past = past;
            return Ok(outcome);
        }
        self.judged = self.judged.saturating_add(points.saturating_mul(uses));
        if self.judged > self.most {
            return Err(self.full(ask, fetched));
        }
        Ok(outcome)
    }

    fn full(&self, ask: &Ask, fetched: &Fetched) -> Failure {
        let series = fetched.sets.len();
        let hint = if series > 1 {
            format!(
                "its answer has {series} series; ask for fewer, as by `sum by (…)`, for a shorter window or a longer step"
            )
        } else {
            "ask for a shorter window or a longer step".to_owned()
        };
        Failure {
            metric: Some(ask.metric),
            side: ask.purpose.side(),
            message: format!(
                "the answers up to `{}` have {} points; expected at most {}",
                ask.question.metric, self.judged, self.most
            ),
            query: Some(fetched.query.clone()),
            hint: Some(hint),
            passing: false,
        }
    }
}

/// Points of all series, missing ones included; a series counts as one at least.
fn points(fetched: &Fetched) -> u64 {
    let sets = fetched.sets.iter();
    sets.map(|set| (set.values.len() as u64).max(1)).sum()
}

fn no_room_for_history() -> Lost {
    let message =
        format!("with it all histories would have more than {MOST_HISTORY_POINTS} points");
    Lost::now(Arc::new(SourceError::new(Remedy::GiveUp, message)))
}
