//! How traffic is parted, so that shares always add up to all of it.

use std::collections::BTreeMap;

use crate::model::release::cluster::{Share, Weights};
use crate::model::release::names::GroupName;

/// Parts `total` among groups in proportion to what each counts for: rounded down to hundredths of a percent, and what is
/// left goes to the first of those that count most. Groups that would have nothing are not named. Empty where nothing counts.
pub(super) fn parted(total: Share, counts: &BTreeMap<GroupName, u32>) -> Weights {
    let whole: u64 = counts.values().copied().map(u64::from).sum();
    if whole == 0 {
        return Weights::new();
    }
    let mut shares: BTreeMap<&GroupName, u32> = BTreeMap::new();
    let mut left = total.basis_points();
    for (name, count) in counts {
        let part = u64::from(total.basis_points()) * u64::from(*count) / whole;
        let part = u32::try_from(part).unwrap_or(0);
        left = left.saturating_sub(part);
        shares.insert(name, part);
    }
    // The first of the greatest: keys are sorted, so that it is always the same.
    let most = counts
        .iter()
        .max_by(|(a, x), (b, y)| x.cmp(y).then_with(|| b.cmp(a)));
    if let Some((name, _)) = most {
        *shares.entry(name).or_default() += left;
    }
    shares
        .into_iter()
        .filter(|(_, part)| *part > 0)
        .filter_map(|(name, part)| Some((name.clone(), Share::new(part)?)))
        .collect()
}

/// Parts `total` as `before` is parted.
pub(super) fn scaled(total: Share, before: &Weights) -> Weights {
    let counts = before
        .iter()
        .map(|(name, share)| (name.clone(), share.basis_points()))
        .collect();
    parted(total, &counts)
}

/// Gives each of `own` the same share, and the rest to `others`, parted as they are.
pub(super) fn beside(own: &[(&GroupName, Share)], others: &Weights) -> Weights {
    let taken = own
        .iter()
        .fold(Share::NONE, |sum, (_, share)| sum.saturating_add(*share));
    let mut weights = scaled(taken.rest(), others);
    weights.extend(
        own.iter()
            .filter(|(_, share)| *share > Share::NONE)
            .map(|(name, share)| ((*name).clone(), *share)),
    );
    weights
}
