//! What keeps baseline and canary from being compared.

use coalmine::guards::comparable::differences;
use coalmine::model::release::alike::Alike;
use coalmine::model::release::cluster::{Capacity, GroupView, Health, View};
use serde_json::json;

use crate::strategies::fixture::{artifact, found_at, group, name, percent};

const NOW_MS: i64 = 1_800_000;

/// What is said when the canary, or the place, is changed like that.
fn after(change: impl Fn(&mut GroupView), and: impl Fn(&mut View)) -> Vec<String> {
    after_where(Alike::Wholly, change, and)
}

fn after_where(
    alike: Alike,
    change: impl Fn(&mut GroupView),
    and: impl Fn(&mut View),
) -> Vec<String> {
    let live = group("search-v001", Capacity::fixed(10));
    let baseline = group("search--baseline-v001", Capacity::fixed(3));
    let mut canary = group("search--canary-v001", Capacity::fixed(3));
    canary.artifact = artifact("5.4.0");
    change(&mut canary);
    let groups = vec![(live, 80), (baseline, 10), (canary, 10)];
    let mut view = found_at("here", groups).view;
    and(&mut view);
    let (baseline, canary) = (name("search--baseline-v001"), name("search--canary-v001"));
    differences(&view, &baseline, &canary, alike, NOW_MS)
}

#[test]
fn another_artifact_is_no_difference() {
    assert_eq!(after(|_| {}, |_| {}), Vec::<String>::new());
}

#[test]
fn everything_else_is_one() {
    let said = [
        after(|it| it.capacity = Capacity::fixed(4), |_| {}),
        after(
            |it| {
                it.instances.pop();
            },
            |_| {},
        ),
        after(|it| it.template.0 = json!({"command": ["other"]}), |_| {}),
        after(|it| it.instances[0].zone = "a".to_owned(), |_| {}),
        after(|it| it.instances[0].health = Health::Unknown, |_| {}),
        after(|it| it.instances[0].registered = false, |_| {}),
        after(|it| it.instances.clear(), |_| {}),
        after(|it| it.enabled = false, |_| {}),
        after(
            |_| {},
            |view| {
                let weights = &mut view.router.as_mut().unwrap().weights;
                weights.insert(name("search--canary-v001"), percent(5));
            },
        ),
        after(|_| {}, |view| view.groups.truncate(1)),
    ];
    let said: Vec<String> = said.iter().map(|it| it.join("; ")).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    the baseline shall have 3 instances, the canary 4
    the baseline has 3 instances, the canary 2
    they are run in different ways: template c2bc9f4696789e93 and 5b5da98706dd824f
    the baseline is in `` (3), the canary in `` (2), `a` (1)
    2 of 3 instances of `search--canary-v001` are up
    2 of 3 instances of `search--canary-v001` get traffic
    `search--canary-v001` has no instances; the baseline has 3 instances, the canary 0
    `search--canary-v001` is disabled
    the baseline has 10% of the traffic, the canary 5%
    `search--baseline-v001` is not there; `search--canary-v001` is not there
    ");
}

#[test]
fn ages_may_differ_by_a_minute_or_a_tenth() {
    let older = |by_ms: i64| {
        after(
            |it| it.instances.iter_mut().for_each(|it| it.started_ms = by_ms),
            |_| {},
        )
    };
    // The younger is 30 minutes old without the difference.
    assert_eq!(older(60_000), Vec::<String>::new());
    assert_eq!(older(160_000), Vec::<String>::new());
    assert_eq!(older(165_000), ["the baseline is 165 s older"]);
    assert_eq!(older(-181_000), ["the canary is 181 s older"]);
}

#[test]
fn one_instance_that_was_started_anew_is_no_difference_in_age() {
    let one = after(|it| it.instances[0].started_ms = NOW_MS, |_| {});
    assert_eq!(one, Vec::<String>::new());
}

#[test]
fn a_template_that_changes_with_the_version_is_the_one_difference_that_it_may_have() {
    let with = |change: &dyn Fn(&mut GroupView)| {
        after_where(
            Alike::ButForTemplate,
            |it| {
                it.template.0 = json!({"command": ["other"]});
                change(it);
            },
            |_| {},
        )
    };
    assert_eq!(with(&|_| {}), Vec::<String>::new());
    assert_eq!(
        with(&|it| it.capacity = Capacity::fixed(4)),
        ["the baseline shall have 3 instances, the canary 4"]
    );
    assert_eq!(
        with(&|it| it.instances[0].health = Health::Starting),
        ["2 of 3 instances of `search--canary-v001` are up"]
    );
}

#[test]
fn what_served_before_is_compared_with_what_takes_over_where_nine_of_ten_of_both_serve() {
    let with = |change: &dyn Fn(&mut GroupView), share: u32| {
        after_where(
            Alike::Serving,
            |it| {
                let one = it.instances[0].clone();
                it.instances = vec![one; 20];
                it.capacity = Capacity::fixed(20);
                change(it);
            },
            |view| {
                let weights = &mut view.router.as_mut().unwrap().weights;
                weights.insert(name("search--canary-v001"), percent(share));
            },
        )
    };
    let down = |count: usize| {
        move |it: &mut GroupView| {
            let some = it.instances.iter_mut().take(count);
            some.for_each(|it| it.health = Health::Down);
        }
    };
    assert_eq!(with(&down(2), 10), Vec::<String>::new());
    assert_eq!(
        with(&down(3), 10),
        ["17 of 20 instances of `search--canary-v001` serve"]
    );
    assert_eq!(
        with(&|it| it.instances.clear(), 10),
        ["0 of 20 instances of `search--canary-v001` serve"]
    );
    assert_eq!(with(&|_| {}, 0), ["`search--canary-v001` has no traffic"]);
    assert_eq!(
        with(&|it| it.enabled = false, 10),
        ["`search--canary-v001` is disabled"]
    );
}
