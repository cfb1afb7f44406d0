//! What is allowed but surely not meant.

use super::{spec, taken};

#[track_caller]
fn check(more: &str, expected: &[&str]) {
    let warnings = taken(&spec(more)).warnings;
    let told: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(told, expected, "of {more}");
}

#[test]
fn a_release_that_nothing_judges_is_told() {
    check(
        "",
        &[
            "nothing is judged: the new version takes over whatever it does; `analysis` and `canary` say how it is tried before",
        ],
    );
    check(
        "analysis: {config: c.yaml}\ncanary: {steps: []}\n",
        &["analysis: nothing is judged: neither the canary nor the promotion asks for a judgement"],
    );
    check(
        "analysis: {config: c.yaml}\nask: {who: [a]}\npromotion: {shares: [100%], judgements: 2}\n",
        &[
            "promotion.judgements: nothing is judged: after the last share, which takes all traffic, there is no judgement",
        ],
    );
    check(
        "stages: [{type: promote}]\n",
        &[
            "nothing is judged: the new version takes over whatever it does; `analysis` and `canary` say how it is tried before",
            "stages: `promote` without `analyze` or `approve` before it: nothing can hold it back",
        ],
    );
}

#[test]
fn windows_with_hardly_a_point_are_told() {
    let ask = "ask: {who: [a]}\n";
    check(
        &format!("{ask}analysis: {{config: c.yaml, interval: 70s, step: 10s}}\n"),
        &[
            "analysis.interval: the first judgement of a step sees 7 points a side (`1m10s` at a `step` of `10s`); with fewer than 8 hardly any difference can be told",
        ],
    );
    check(
        &format!("{ask}analysis: {{config: c.yaml, interval: 80s, step: 10s}}\n"),
        &[],
    );
    check(
        &format!("{ask}analysis: {{config: c.yaml, interval: 20s, step: 30s}}\n"),
        &[
            "analysis.interval: `20s` is shorter than `analysis.step`, `30s`: judgements would see no new point",
        ],
    );
    check(
        &format!("{ask}analysis: {{config: c.yaml, interval: 10m, lookBack: 5m}}\n"),
        &[
            "analysis.lookBack: `5m` is shorter than `analysis.interval`, `10m`: what happens between is never judged",
        ],
    );
}

#[test]
fn nobody_to_ask_and_limits_that_cannot_be_met_are_told() {
    check(
        "analysis: {config: c.yaml}\n",
        &["ask.who: nobody is named who may answer, so anybody may"],
    );
    check(
        "analysis: {config: c.yaml}\nonVerdict: {marginal: rollBack, inconclusive: rollBack}\n",
        &[],
    );
    check(
        "analysis: {config: c.yaml}\nask: {who: [a]}\nlimits: {release: 16m}\n",
        &[
            "limits.release: `16m` cannot be met: waits and judgements alone take `16m`, so it would always be taken back",
        ],
    );
    check(
        "analysis: {config: c.yaml}\nask: {who: [a]}\nlimits: {release: 17m, healthy: 20m}\n",
        &["limits.release: `17m` is not above `limits.healthy`, `20m`, which can never be reached"],
    );
    check(
        "analysis: {config: c.yaml}\nask: {who: [a], withoutAnswer: keepWaiting, deadline: 30h}\nlimits: {release: 24h}\n",
        &[
            "ask.deadline: `1d6h` is not before `limits.release`, `1d`: nobody is reminded before it is taken back",
        ],
    );
}

#[test]
fn a_canary_that_shrinks_and_a_target_below_the_guard_are_told() {
    check(
        "analysis: {config: c.yaml}\nask: {who: [a]}\ncanary: {steps: [{share: 10%, size: 3}, {share: 5%, size: 3}]}\nguard: {leastInstances: 4}\n",
        &[
            "targets[0].size: 3 instances are fewer than `guard.leastInstances`, 4: once they serve, nothing may be changed",
            "canary.steps[1]: the canary shrinks from 3 instances and 10% to 3 and 5%",
        ],
    );
}

#[test]
fn a_process_that_is_the_same_for_both_sides_is_told() {
    let text = "version: coalmine/v1\napplication: shop\ntargets: [{process: {command: [/bin/shop, \"{port}\"]}}]\nartifact: {version: '1', reference: /x}\ncanary: {steps: []}\nstages: [{type: approve}]\nask: {who: [a]}\n";
    let text = text.replace("canary: {steps: []}\n", "");
    let told: Vec<String> = taken(&text)
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        told,
        [
            "targets[0].process.command: neither `{artifact}` nor `{version}` is in it, so that baseline and canary run the same"
        ]
    );
}

#[test]
fn warnings_of_the_canary_config_name_its_file() {
    let odd = super::CANARY.replace("Saturation: 20", "Saturation: 10");
    let reader = |_: &str| Ok(odd.clone());
    let text = spec("analysis: {config: odd.yaml}\nask: {who: [a]}\n");
    let loaded = coalmine::config::release::load(&text, &reader, &Default::default()).unwrap();
    let told: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert!(
        told.iter()
            .all(|it| it.starts_with("analysis.config: `odd.yaml`: ")),
        "{told:?}"
    );
    assert!(!told.is_empty());
}
