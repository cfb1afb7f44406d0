//! What a reader should know of how much was found.

use std::collections::BTreeMap;

use crate::model::scope::Side;
use crate::sources::Fetched;
use crate::sources::files::note_on;

/// Fewer points than these reduce confidence in a judgement, as Kayenta says.
const FEW_POINTS: u64 = 50;

/// Most notes of one judgement.
const MOST_NOTES: usize = 100;

/// Both sides of one metric.
pub(super) struct Found<'a> {
    pub(super) name: &'a str,
    pub(super) baseline: &'a Fetched,
    pub(super) canary: &'a Fetched,
}

impl Found<'_> {
    fn side(&self, side: Side) -> &Fetched {
        match side {
            Side::Baseline => self.baseline,
            Side::Canary => self.canary,
        }
    }
}

/// Notes on all metrics: what sources warned of, and where points are missing.
pub(super) fn notes(found: &[Found<'_>]) -> Vec<String> {
    let mut notes = warnings(found);
    let with = |wanted: fn(u64, u64) -> bool| -> Vec<String> {
        let metrics = found.iter();
        let metrics = metrics.filter(|of| wanted(of.baseline.points, of.canary.points));
        metrics.map(|of| of.name.to_owned()).collect()
    };
    let none = with(|baseline, canary| baseline == 0 && canary == 0);
    let baseline_only = with(|baseline, canary| baseline > 0 && canary == 0);
    let canary_only = with(|baseline, canary| baseline == 0 && canary > 0);
    notes.extend(note_on(&none, "has", "have", "no points on either side"));
    for (names, side) in [(baseline_only, Side::Baseline), (canary_only, Side::Canary)] {
        let what = format!("points on the {side}'s side only");
        notes.extend(note_on(&names, "has", "have", &what));
    }
    for side in Side::BOTH {
        let (mut gaps, mut few) = (Vec::new(), Vec::new());
        for of in found {
            let fetched = of.side(side);
            if fetched.points == 0 {
                continue;
            }
            // Whether a point stands on the very edge of a window differs between stores.
            let expected = fetched
                .expected_points
                .saturating_sub(fetched.sets.len() as u64);
            if fetched.points < expected {
                gaps.push(format!(
                    "`{}` ({} of {})",
                    of.name, fetched.points, fetched.expected_points
                ));
            } else if fetched.points < FEW_POINTS {
                few.push(of.name.to_owned());
            }
        }
        if let Some(names) = listed(&gaps) {
            let noun = if gaps.len() == 1 { "has" } else { "have" };
            notes.push(format!(
                "{names} {noun} fewer points than expected on the {side}'s side"
            ));
        }
        let what = format!("fewer than {FEW_POINTS} points on the {side}'s side");
        notes.extend(note_on(&few, "has", "have", &what));
    }
    notes
}

/// What sources warned of, each warning once with the metrics that it concerns.
fn warnings(found: &[Found<'_>]) -> Vec<String> {
    let mut order: Vec<&str> = Vec::new();
    let mut metrics: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for of in found {
        for side in Side::BOTH {
            for warning in &of.side(side).warnings {
                let labels = metrics.entry(warning).or_insert_with(|| {
                    order.push(warning);
                    Vec::new()
                });
                labels.push(format!("`{}` ({side})", of.name));
            }
        }
    }
    let notes = order.into_iter().filter_map(|warning| {
        let names = listed(metrics.get(warning)?)?;
        Some(format!("{names}: {warning}"))
    });
    notes.collect()
}

/// The first five, and how many more there are; `None` for none.
fn listed(labels: &[String]) -> Option<String> {
    const SHOWN: usize = 5;
    if labels.is_empty() {
        return None;
    }
    let shown = labels.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    let shown = shown.join(", ");
    Some(match labels.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        Some(_) | None => shown,
    })
}

/// At most [`MOST_NOTES`] notes; the last one says how many were left out.
pub(super) fn capped(mut notes: Vec<String>) -> Vec<String> {
    if notes.len() > MOST_NOTES {
        let more = notes.len() - MOST_NOTES;
        notes.truncate(MOST_NOTES);
        notes.push(format!("{more} more notes were left out"));
    }
    notes
}
