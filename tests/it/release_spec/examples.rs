//! The committed JSON Schema, the shipped specs, and what is filled in where a spec says nothing.

use coalmine::config::release::spec::{
    CanaryStep, Consequence, StageSpec, Strategy, WithoutAnswer,
};
use coalmine::config::release::{Loaded, Overrides, check, load, schema};
use coalmine::model::release::cluster::Share;
use coalmine::model::release::process::ProcessTemplate;
use coalmine::model::release::window::{Moment, Weekday};

use super::{configs, spec, taken};

/// Set `COALMINE_WRITE=1` to write the schema anew after a change of the wire types.
#[test]
fn the_committed_schema_of_the_release_spec_is_current() {
    let mut current = serde_json::to_string_pretty(schema().json()).unwrap();
    current.push('\n');
    let path = configs().join("release.schema.json");
    if std::env::var_os("COALMINE_WRITE").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap() == current,
        "configs/release.schema.json is not what the types say; run this test with COALMINE_WRITE=1"
    );
}

fn share(percent: u32) -> Share {
    Share::new(percent * 100).unwrap()
}

fn example(name: &str) -> Loaded {
    let folder = configs().join("examples");
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let reader = |file: &str| {
        std::fs::read_to_string(folder.join(file)).map_err(|error| format!("{file}: {error}"))
    };
    let overrides = Overrides {
        version: Some("5.4.0".to_owned()),
        ..Overrides::default()
    };
    match load(&text, &reader, &overrides) {
        Ok(loaded) => loaded,
        Err(refused) => panic!("{name}: {}", super::told(&refused)),
    }
}

#[test]
fn every_shipped_release_spec_loads_without_warnings() {
    let mut count = 0;
    for entry in std::fs::read_dir(configs().join("examples")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.contains(".release.") {
            assert_eq!(example(&name).warnings, [], "{name}");
            count += 1;
        }
    }
    assert!(count >= 3, "only {count} specs found");
}

#[test]
fn the_local_example_says_how_processes_are_run() {
    let spec = example("local.release.yaml").spec;
    assert_eq!(spec.artifact.reference, "./builds/shop-5.4.0");
    let [target] = spec.targets.as_slice() else {
        panic!("{:?}", spec.targets);
    };
    assert_eq!(target.place.to_string(), "shop in local, local");
    let process = ProcessTemplate::of(target.template.as_ref().unwrap()).unwrap();
    assert_eq!(
        process.command,
        ["{artifact}", "--listen", "127.0.0.1:{port}"]
    );
    assert_eq!(process.environment["APP_VERSION"], "{version}");
    assert_eq!(process.metrics.as_deref(), Some("/metrics"));
    assert_eq!(process.stop_grace_ms, 5_000);
}

#[test]
fn everything_that_can_be_said_is_kept() {
    let spec = example("everything.release.yaml").spec;
    let names: Vec<&str> = spec.targets.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["left", "right"]);
    let place = &spec.targets[0].place;
    assert_eq!(place.to_string(), "search-prod-web in left, local");
    assert_eq!(spec.targets[1].template, None);
    let process = ProcessTemplate::of(spec.targets[0].template.as_ref().unwrap()).unwrap();
    assert_eq!(process.health.interval_ms, 500);
    assert_eq!(process.health.timeout_ms, 2_000);
    let steps = &spec.canary.as_ref().unwrap().steps;
    let second = CanaryStep {
        share: share(25),
        size: 8,
        judgements: 6,
    };
    assert_eq!((steps.len(), &steps[1]), (2, &second));
    let analysis = spec.analysis.as_ref().unwrap();
    assert_eq!(analysis.source.as_deref(), Some("production"));
    assert_eq!(
        (analysis.warm_up_ms, analysis.interval_ms),
        (300_000, 900_000)
    );
    assert_eq!(
        (analysis.look_back_ms, analysis.step_secs),
        (Some(1_800_000), 60)
    );
    assert_eq!(
        (analysis.thresholds.pass, analysis.thresholds.marginal),
        (90.0, 70.0)
    );
    assert_eq!((analysis.errors, analysis.inconclusive), (2, 3));
    assert_eq!(spec.on.inconclusive, Consequence::RollBack);
    assert_eq!(spec.ask.without_answer, WithoutAnswer::KeepWaiting);
    assert_eq!(spec.ask.who, ["search-team", "on-call"]);
    let rolling = Strategy::RollingRedBlack {
        shares: vec![share(50), share(100)],
        pause_ms: 300_000,
        judgements: 4,
    };
    assert_eq!(spec.promotion.strategy, rolling);
    assert_eq!(spec.promotion.previous.keep_ms, 48 * 3_600_000);
    let friday = &spec.windows.rules[1];
    assert_eq!(
        (friday.days.as_slice(), friday.to_minute),
        ([Weekday::Fri].as_slice(), 719)
    );
    assert_eq!(friday.moments, [Moment::Start]);
    assert_eq!(
        spec.windows.rules[0].moments,
        [Moment::Start, Moment::Promote]
    );
    let [holidays, day] = spec.windows.blackouts.as_slice() else {
        panic!("{:?}", spec.windows.blackouts);
    };
    assert_eq!(
        (holidays.to.as_str(), holidays.reason.as_str()),
        ("2027-01-03", "holidays")
    );
    assert_eq!(
        (day.from.as_str(), day.to.as_str()),
        ("2026-11-27", "2026-11-27")
    );
    assert_eq!(
        (spec.guard.least_share, spec.guard.least_instances),
        (share(75), 10)
    );
    assert_eq!(spec.cleanup.delay_ms, 900_000);
    assert_eq!(spec.limits.lock_ms, 7_200_000);

    // A plan holds the spec as JSON.
    let json = serde_json::to_string(&spec).unwrap();
    assert_eq!(
        serde_json::from_str::<coalmine::config::release::spec::ReleaseSpec>(&json).unwrap(),
        spec
    );
}

#[test]
fn stages_are_kept_in_their_order() {
    let spec = example("stages.release.yaml").spec;
    let stages = spec.stages.as_deref().unwrap();
    assert_eq!(stages.len(), 7);
    assert_eq!(stages[1], StageSpec::Wait { for_ms: 600_000 });
    assert_eq!(stages[4], StageSpec::Analyze { judgements: 4 });
    assert_eq!(stages[6], StageSpec::Promote);
    assert_eq!(spec.canary, None);
    assert_eq!(spec.judgements(), (6, "stages"));
}

#[test]
fn what_is_not_said_has_a_default() {
    let loaded = taken(&spec("analysis: {config: c.yaml, source: prod}\n"));
    let spec = loaded.spec;
    let target = &spec.targets[0];
    assert_eq!((target.name.as_str(), target.size), ("local", Some(3)));
    assert_eq!(target.place.to_string(), "search in local, local");
    let first = CanaryStep {
        share: share(5),
        size: 1,
        judgements: 3,
    };
    assert_eq!(spec.canary.as_ref().unwrap().steps, [first]);
    let analysis = spec.analysis.as_ref().unwrap();
    assert_eq!(
        (analysis.warm_up_ms, analysis.interval_ms),
        (60_000, 300_000)
    );
    assert_eq!((analysis.look_back_ms, analysis.step_secs), (None, 10));
    assert_eq!(
        (analysis.thresholds.pass, analysis.thresholds.marginal),
        (95.0, 75.0)
    );
    assert_eq!((analysis.errors, analysis.inconclusive), (0, 2));
    let on = (spec.on.pass, spec.on.marginal, spec.on.inconclusive);
    assert_eq!(
        on,
        (Consequence::Promote, Consequence::Ask, Consequence::Ask)
    );
    assert_eq!(spec.ask.deadline_ms, 3_600_000);
    assert_eq!(spec.ask.without_answer, WithoutAnswer::RollBack);
    let rolling = Strategy::RollingRedBlack {
        shares: vec![share(25), share(50), share(100)],
        pause_ms: 0,
        judgements: 0,
    };
    assert_eq!(spec.promotion.strategy, rolling);
    let previous = &spec.promotion.previous;
    assert_eq!((previous.keep_ms, previous.scale_down), (86_400_000, false));
    assert_eq!(
        (spec.guard.least_share, spec.guard.least_instances),
        (Share::NONE, 1)
    );
    let limits = (
        spec.limits.healthy_ms,
        spec.limits.operation_ms,
        spec.limits.lock_ms,
    );
    assert_eq!(limits, (600_000, 300_000, 3_600_000));
    assert_eq!(spec.limits.release_ms, 86_400_000);
}

#[test]
fn a_long_release_may_take_twice_as_long_and_the_time_for_an_answer() {
    let long = "canary: {steps: [{share: 5%, judgements: 11}]}\nanalysis: {config: c.yaml, source: prod, warmUp: 1h, interval: 1h}\npromotion: {strategy: redBlack, pause: 2h}\nask: {deadline: 3h}\n";
    let hour = 3_600_000;
    let spec = taken(&spec(long)).spec;
    assert_eq!(spec.least_ms(), 14 * hour);
    assert_eq!(spec.limits.release_ms, (28 + 3) * hour);
}

#[test]
fn without_an_analysis_there_is_no_canary() {
    assert_eq!(taken(&spec("")).spec.canary, None);
    let none = taken(&spec(
        "analysis: {config: c.yaml, source: p}\ncanary: {steps: []}\npromotion: {judgements: 2}\n",
    ));
    assert_eq!(none.spec.canary, None);
    assert_eq!(none.spec.judgements(), (4, "promotion"));
}

#[test]
fn shares_are_completed_and_thresholds_taken_from_the_config() {
    let rolling = taken(&spec("promotion: {shares: [10%, 62.5%]}\n"))
        .spec
        .promotion;
    let Strategy::RollingRedBlack { shares, .. } = rolling.strategy else {
        panic!("{rolling:?}");
    };
    let texts: Vec<String> = shares.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["10%", "62.5%", "100%"]);

    let inline = "analysis:\n  source: p\n  thresholds: {pass: 92}\n  config:\n    metrics: [{name: m, groups: [g], query: {type: prometheus, metricName: m}}]\n    classifier: {groupWeights: {g: 100}, scoreThresholds: {pass: 90, marginal: 60}}\n";
    let analysis = taken(&spec(inline)).spec.analysis.unwrap();
    assert_eq!(
        (analysis.thresholds.pass, analysis.thresholds.marginal),
        (92.0, 60.0)
    );
    assert_eq!(analysis.config.metrics.len(), 1);
}

#[test]
fn a_zone_is_kept_by_its_own_name_and_days_once() {
    let text =
        "windows: [{days: [fri, mon, fri], from: \"22:00\", to: \"06:00\", zone: europe/berlin}]\n";
    let rule = &taken(&spec(text)).spec.windows.rules[0];
    assert_eq!(rule.zone, "Europe/Berlin");
    assert_eq!(rule.days, [Weekday::Mon, Weekday::Fri]);
    assert_eq!((rule.from_minute, rule.to_minute), (1320, 360));
}

#[test]
fn the_same_spec_in_json_is_the_same_spec() {
    let yaml = spec("canary: {steps: []}\n");
    let json = r#"{"version": "coalmine/v1", "application": "search", "targets": [{"size": 3}],
        "artifact": {"version": "5.4.0", "reference": "/srv/search"}, "canary": {"steps": []}}"#;
    assert_eq!(taken(&yaml).spec, taken(json).spec);
}

#[test]
fn a_spec_is_checked_before_it_has_an_artifact() {
    let text = "version: coalmine/v1\napplication: search\ntargets: [{}]\n";
    assert!(check(text, &super::file).is_ok());
    assert!(super::read(text).is_err());
}
