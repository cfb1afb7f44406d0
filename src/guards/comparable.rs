//! Whether two server groups can be compared: what differs between them, beside the artifact, would be judged as the canary's
//! doing.

use std::collections::BTreeMap;

use crate::model::release::alike::Alike;
use crate::model::release::cluster::{GroupView, Health, InstanceView, Share, View};
use crate::model::release::names::GroupName;

/// How far apart the starts of the two may be, in milliseconds, where they are young: a minute. Caches and leaks show with
/// age, so that for older ones a tenth of the younger one's age is allowed.
const LEAST_SKEW_MS: i64 = 60_000;

/// What keeps the two from being compared, where they must be so alike: one sentence each; empty where nothing does. `now_ms` is in milliseconds since
/// 1970-01-01T00:00:00Z.
#[must_use]
pub fn differences(
    view: &View,
    baseline: &GroupName,
    canary: &GroupName,
    alike: Alike,
    now_ms: i64,
) -> Vec<String> {
    let (Some(a), Some(b)) = (view.group(baseline), view.group(canary)) else {
        return [baseline, canary]
            .iter()
            .filter(|name| view.group(name).is_none())
            .map(|name| format!("`{name}` is not there"))
            .collect();
    };
    let mut sentences = Vec::new();
    for group in [a, b] {
        sentences.extend(match alike {
            Alike::Wholly | Alike::ButForTemplate => not_whole(group),
            Alike::Serving => not_serving(view, group),
        });
    }
    if alike == Alike::Serving {
        return sentences;
    }
    if a.capacity != b.capacity {
        sentences.push(format!(
            "the baseline shall have {} instances, the canary {}",
            a.capacity, b.capacity
        ));
    }
    if a.instances.len() != b.instances.len() {
        sentences.push(format!(
            "the baseline has {} instances, the canary {}",
            a.instances.len(),
            b.instances.len()
        ));
    }
    let (one, other) = (a.template.fingerprint(), b.template.fingerprint());
    if alike == Alike::Wholly && one != other {
        sentences.push(format!(
            "they are run in different ways: template {one} and {other}"
        ));
    }
    if a.instances.len() == b.instances.len() && zones(a) != zones(b) {
        sentences.push(format!(
            "the baseline is in {}, the canary in {}",
            listed(&zones(a)),
            listed(&zones(b))
        ));
    }
    let (share_a, share_b) = (view.share(baseline), view.share(canary));
    if share_a != share_b {
        sentences.push(format!(
            "the baseline has {share_a} of the traffic, the canary {share_b}"
        ));
    }
    sentences.extend(skew(a, b, now_ms));
    sentences
}

/// Too few instances that take part: fewer than nine of ten. One of many that is down says nothing of the version.
fn not_serving(view: &View, group: &GroupView) -> Vec<String> {
    let name = &group.name;
    let asked = usize::try_from(group.capacity.desired).unwrap_or(usize::MAX);
    let whole = group.instances.len().max(asked);
    let serve = group.instances.iter();
    let serve = serve
        .filter(|it| it.health == Health::Up && it.registered)
        .count();
    if !group.enabled {
        vec![format!("`{name}` is disabled")]
    } else if view.share(name) == Share::NONE {
        vec![format!("`{name}` has no traffic")]
    } else if serve == 0 || serve * 10 < whole * 9 {
        vec![format!("{serve} of {whole} instances of `{name}` serve")]
    } else {
        Vec::new()
    }
}

/// Instances that do not take part.
fn not_whole(group: &GroupView) -> Vec<String> {
    let name = &group.name;
    if !group.enabled {
        return vec![format!("`{name}` is disabled")];
    }
    let whole = group.instances.len();
    let count = |of: &dyn Fn(&&InstanceView) -> bool| group.instances.iter().filter(of).count();
    let up = count(&|it| it.health == Health::Up);
    let registered = count(&|it| it.registered);
    let mut sentences = Vec::new();
    if whole == 0 {
        sentences.push(format!("`{name}` has no instances"));
    }
    if up < whole {
        sentences.push(format!("{up} of {whole} instances of `{name}` are up"));
    }
    if registered < whole {
        sentences.push(format!(
            "{registered} of {whole} instances of `{name}` get traffic"
        ));
    }
    sentences
}

fn zones(group: &GroupView) -> BTreeMap<&str, usize> {
    let mut zones = BTreeMap::new();
    for instance in &group.instances {
        *zones.entry(instance.zone.as_str()).or_default() += 1;
    }
    zones
}

fn listed(zones: &BTreeMap<&str, usize>) -> String {
    let parts: Vec<String> = zones
        .iter()
        .map(|(zone, count)| format!("`{zone}` ({count})"))
        .collect();
    match parts.is_empty() {
        true => "no zone".to_owned(),
        false => parts.join(", "),
    }
}

/// How far the middle ages are apart: one instance that was started anew is no difference yet.
fn skew(a: &GroupView, b: &GroupView, now_ms: i64) -> Option<String> {
    let middle = |group: &GroupView| {
        let mut starts: Vec<i64> = group.instances.iter().map(|it| it.started_ms).collect();
        starts.sort_unstable();
        starts.get(starts.len() / 2).copied()
    };
    let (one, other) = (middle(a)?, middle(b)?);
    let apart = one.saturating_sub(other).saturating_abs();
    let younger = now_ms.saturating_sub(one.max(other)).max(0);
    (apart > LEAST_SKEW_MS.max(younger / 10)).then(|| {
        let which = if one < other { "baseline" } else { "canary" };
        format!("the {which} is {} s older", apart / 1000)
    })
}
