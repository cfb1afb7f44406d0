//! What is refused, in which words, and where.

use insta::assert_snapshot;

use super::{read, refused, shown, spec, taken};

#[test]
fn every_problem_is_told_at_once_in_the_order_of_the_text() {
    let text = "version: coalmine/v1
application: search
targets:
- {account: eu, stack: prod}
- {account: eu, stack: prod, name: other}
- {account: us, stack: v012, router: nowhere}
artifact: {version: 5.4.0}
canary:
  steps:
  - {share: 60%, size: 3}
  - {share: 5, judgements: 0}
analysis:
  config: broken.yaml
  interval: 5 minutes
  step: 1500ms
  thresholds: {pass: 70}
onVerdict: {marginal: promote, fail: promote}
ask: {deadline: 0s, withoutAnswer: promote}
promotion: {strategy: redBlack, shares: [25%], previous: {keep: 2y}}
windows:
- {days: [monday], from: 8am, to: \"24:00\", zone: Europe/Belin}
blackouts:
- {from: 2026-12-24, to: 2026-12-01, zone: UTC}
- {from: 24.12.2026, zone: UTC}
guard: {leastShare: 120%, leastInstances: 0}
";
    assert_snapshot!(refused(text), @r"
    the spec: 24 problems
      targets[1]: search-prod in eu, local, where targets[0] is too; expected another account, location, stack or detail
      targets[2].stack: `search-v012` is no cluster name: `v012` would be read as the number of a server group
      targets[2].router: text `nowhere`; expected an address with a port, such as `127.0.0.1:8080`
      artifact.reference: missing; expected what the driver starts: a path, an image
        hint: write `artifact: {reference: …}`, or give it when the release is started: `--artifact REFERENCE`
      canary.steps[0].share: 60% for each of baseline and canary; expected more than `0%`, and at most `50%`
      canary.steps[1].share: number `5`; expected text
        hint: write it as `5%`
      canary.steps[1].judgements: number `0`; expected a whole number from 1 to 1000
      analysis.interval: text `5 minutes`; expected a duration such as `500ms`, `30s`, `5m`, `1h30m` or `90d`
      analysis.step: `1s500ms`; expected whole seconds
      analysis.thresholds: `marginal` 75 above `pass` 70; expected at most that
        hint: write both; the one that is absent comes from the canary config
      onVerdict.marginal: unknown value `promote`; expected `ask` or `rollBack`
      onVerdict.fail: unknown value `promote`; expected `rollBack`
      ask.deadline: text `0s`; expected at least `1s`
      ask.withoutAnswer: unknown value `promote`; expected `rollBack` or `keepWaiting`
      promotion.shares: `shares` with the strategy `redBlack`; expected it with `rollingRedBlack` only
      promotion.previous.keep: text `2y`; expected a duration such as `500ms`, `30s`, `5m`, `1h30m` or `90d`
      windows[0].days[0]: unknown value `monday`; expected `mon`, `tue`, `wed`, `thu`, `fri`, `sat` or `sun`
      windows[0].from: text `8am`; expected hours and minutes from `00:00` to `23:59`
      windows[0].to: text `24:00`; expected hours and minutes from `00:00` to `23:59`
        hint: write `23:59`; the last minute belongs to the window
      windows[0].zone: unknown time zone `Europe/Belin`; expected an IANA name such as `Europe/Berlin` or `UTC`
        hint: did you mean `Europe/Berlin`?
      blackouts[0].to: 2026-12-01; expected 2026-12-24 or later
      blackouts[1].from: text `24.12.2026`; expected a day such as `2026-12-24`
      guard.leastShare: text `120%`; expected a share from `0%` to `100%`, such as `5%` or `2.5%`
      guard.leastInstances: number `0`; expected a whole number from 1 to 10000
    broken.yaml: 1 problem
      classifer: unknown key `classifer`; expected `applications`, `classifier`, `configVersion`, `createdTimestamp`, `createdTimestampIso`, `description`, `id`, `judge`, `metrics`, `name`, `templates`, `updatedTimestamp` or `updatedTimestampIso`
        hint: did you mean `classifier`?
    ");
}

#[test]
fn a_refused_spec_is_shown_with_its_lines() {
    let text = spec("analysis: {config: broken.yaml}\nonVerdict: {fail: promote}\n");
    assert_snapshot!(shown(&read(&text).unwrap_err()), @r"
    error: onVerdict.fail: unknown value `promote`
      ┌─ search.yaml:7:19
      │
    7 │ onVerdict: {fail: promote}
      │                   ^^^^^^^ expected `rollBack`

    error: classifer: unknown key `classifer`
      ┌─ broken.yaml:4:1
      │
    4 │ classifer: {}
      │ ^^^^^^^^^ expected `applications`, `classifier`, `configVersion`, `createdTimestamp`, `createdTimestampIso`, `description`, `id`, `judge`, `metrics`, `name`, `templates`, `updatedTimestamp` or `updatedTimestampIso`
      = hint: did you mean `classifier`?
    ");
}

#[test]
fn what_is_missing_is_told_with_what_to_write() {
    assert_snapshot!(refused("version: coalmine/v1\ntargets: []\n"), @r"
    the spec: 4 problems
      application: missing; expected text that is not empty
      artifact.version: missing; expected a version
        hint: write `artifact: {version: …}`, or give it when the release is started: `--version 5.4.0`
      artifact.reference: missing; expected what the driver starts: a path, an image
        hint: write `artifact: {reference: …}`, or give it when the release is started: `--artifact REFERENCE`
      targets: an empty list; expected a list with at least one item
    ");
    assert_snapshot!(refused("application: search\ntargets: [{}]\nartifact: {version: 1.0.0}\n"), @r"
    the spec: 2 problems
      version: missing; expected `coalmine/v1`
      artifact.reference: missing; expected what the driver starts: a path, an image
        hint: write `artifact: {reference: …}`, or give it when the release is started: `--artifact REFERENCE`
    ");
}

#[test]
fn a_judgement_needs_something_that_judges() {
    assert_snapshot!(refused(&spec("canary: {}\n")), @r"
    the spec: 1 problem
      analysis: missing, and `canary` asks for judgements; expected how it is judged
        hint: write `analysis: {config: PATH}` with a canary config
    ");
    assert_snapshot!(refused(&spec("promotion: {judgements: 2}\n")), @r"
    the spec: 1 problem
      analysis: missing, and `promotion` asks for judgements; expected how it is judged
        hint: write `analysis: {config: PATH}` with a canary config
    ");
    assert_snapshot!(refused(&spec("stages: [{type: deploy, share: 5%}, {type: analyze}]\n")), @r"
    the spec: 1 problem
      analysis: missing, and `stages` asks for judgements; expected how it is judged
        hint: write `analysis: {config: PATH}` with a canary config
    ");
    assert_snapshot!(refused(&spec("analysis: {config: c.yaml}\ncanary: {steps: [{share: 5%, judgements: 1000}, {share: 10%, judgements: 1000}, {share: 20%, judgements: 1}]}\n")), @r"
    the spec: 1 problem
      canary: 2001 judgements in all targets together; expected at most 2000
    ");
}

#[test]
fn stages_have_an_order() {
    assert_snapshot!(refused(&spec("analysis: {config: c.yaml}\ncanary: {}\nstages:\n- {type: analyze}\n- {type: promote}\n- {type: deploy, share: 51%}\n- {type: wait, for: soon}\n- {type: promote}\npromotion: {strategy: judge}\n")), @r"
    the spec: 6 problems
      canary: `canary` beside `stages`; expected one of them, since the stages say how it is tried
        hint: move its steps into `stages`: `{type: deploy, share: 5%, size: 1}`, then `{type: analyze, judgements: 3}`
      stages[0]: `analyze` before any `deploy`; expected a baseline and a canary that can be compared
        hint: put `{type: deploy, share: 5%, size: 1}` before it
      stages[1]: `promote` as stage 2 of 5; expected it as the last stage, and only there
        hint: how the new version takes over step by step, and is judged meanwhile, is said under `promotion`
      stages[2].share: 51% for each of baseline and canary; expected more than `0%`, and at most `50%`
      stages[3].for: text `soon`; expected a duration such as `500ms`, `30s`, `5m`, `1h30m` or `90d`
      stages[4]: `promote` with the strategy `judge`, which promotes nothing; expected another strategy, or no such stage
    ");
    assert_snapshot!(refused(&spec("stages: []\n")), @r"
    the spec: 1 problem
      stages: an empty list; expected a list with at least one item
    ");
    assert_snapshot!(refused(&spec("stages: [{type: promot}, {type: wait}, {share: 5%}]\n")), @r"
    the spec: 3 problems
      stages[0].type: unknown value `promot`; expected `deploy`, `wait`, `analyze`, `approve` or `promote`
        hint: did you mean `promote`?
      stages[1].for: missing; expected text
      stages[2].type: missing; expected `deploy`, `wait`, `analyze`, `approve` or `promote`
    ");
}

#[test]
fn what_a_strategy_does_not_know_is_refused() {
    assert_snapshot!(refused(&spec("promotion: {strategy: highlander, shares: [50%], pause: 1m, judgements: 2}\n")), @r"
    the spec: 3 problems
      promotion.shares: `shares` with the strategy `highlander`; expected it with `rollingRedBlack` only
      promotion.pause: `pause` with the strategy `highlander`; expected it with `rollingRedBlack` or `redBlack` only
      promotion.judgements: `judgements` with the strategy `highlander`; expected it with `rollingRedBlack` only
    ");
    assert_snapshot!(refused(&spec("promotion: {shares: [50%, 25%, 25%, 0%, 101%]}\n")), @r"
    the spec: 4 problems
      promotion.shares[1]: `25%`; expected more than 50%, since shares rise
      promotion.shares[2]: `25%`; expected more than 50%, since shares rise
      promotion.shares[3]: `0%`; expected more than 50%, since shares rise
      promotion.shares[4]: text `101%`; expected a share from `0%` to `100%`, such as `5%` or `2.5%`
    ");
    assert_snapshot!(refused(&spec("promotion: {strategy: blueGreen}\n")), @r"
    the spec: 1 problem
      promotion.strategy: unknown value `blueGreen`; expected `judge`, `none`, `highlander`, `redBlack`, `rollingRedBlack` or `native`
    ");
    assert_snapshot!(refused(&spec("promotion: {strategy: judge}\n")), @r"
    the spec: 1 problem
      promotion.strategy: `judge` without a canary; expected a strategy that promotes, or `analysis` and `canary`
    ");
}

#[test]
fn a_process_must_be_told_its_port_and_where_its_metrics_are() {
    let process = |process: &str| {
        format!(
            "version: coalmine/v1\napplication: shop\ntargets:\n- process: {process}\nartifact: {{version: '1', reference: /x}}\nanalysis: {{config: c.yaml}}\n"
        )
    };
    assert_snapshot!(refused(&process("{command: [\"{artifact}\"]}")), @r#"
    the spec: 2 problems
      targets[0].process.metrics: missing; expected the path of the page of metrics
        hint: write `metrics: /metrics`; or name an account under `analysis.source`, whose series are read instead
      targets[0].process.command: no `{port}` in `command` and `environment`; expected the place where the instance is told its port
        hint: write it as the program wants it, such as `["{artifact}", "--port", "{port}"]`, or `environment: {PORT: "{port}"}`
    "#);
    assert_snapshot!(refused(&process("{command: [], health: {path: health, interval: 1ms, timeout: 1h}, metrics: metrics, grace: -1s}")), @r"
    the spec: 6 problems
      targets[0].process.command: an empty list; expected a list with at least one item
      targets[0].process.health.path: text `health`; expected a path that begins with `/`, such as `/health`
      targets[0].process.health.interval: text `1ms`; expected at least `10ms`
      targets[0].process.health.timeout: `1h`; expected at most `10m`
      targets[0].process.metrics: text `metrics`; expected a path that begins with `/`, such as `/metrics`
      targets[0].process.grace: text `-1s`; expected a duration such as `500ms`, `30s`, `5m`, `1h30m` or `90d`
    ");
    assert_snapshot!(refused(&process("{}")), @r"
    the spec: 2 problems
      targets[0].process.command: missing; expected a list with at least one item
      targets[0].process.metrics: missing; expected the path of the page of metrics
        hint: write `metrics: /metrics`; or name an account under `analysis.source`, whose series are read instead
    ");
}

#[test]
fn names_that_make_no_cluster_are_refused() {
    assert_snapshot!(refused(&spec("").replace("search\n", "my-app\n")), @r"
    the spec: 1 problem
      application: the application `my-app` holds `-`; expected letters, digits, `.` and `_`
    ");
    let long = "x".repeat(83);
    assert_snapshot!(refused(&spec("").replace("search\n", &format!("{long}\n"))), @r"
    the spec: 1 problem
      application: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx--baseline` is no cluster name: 93 bytes; expected at most 91
    ");
    assert_snapshot!(refused(&spec("").replace("size: 3", "detail: d0main")), @r"
    the spec: 1 problem
      targets[0].detail: `search--d0main` is no cluster name: `d0main` would be read as a labelled variable
    ");
}

#[test]
fn problems_of_a_config_within_the_spec_have_the_places_of_the_spec() {
    let text = spec(
        "analysis:\n  source: p\n  config:\n    metrics:\n    - {name: m, groups: [g], analysisConfigurations: {canary: {direction: increse}}}\n    classifier: {groupWeights: {h: 100}}\n",
    );
    assert_snapshot!(shown(&read(&text).unwrap_err()), @r"
    error: analysis.config.metrics[0].analysisConfigurations.canary.direction: unknown value `increse`
       ┌─ search.yaml:10:75
       │
    10 │ nfigurations: {canary: {direction: increse}}}
       │                                    ^^^^^^^ expected `increase`, `decrease` or `either`
       = hint: did you mean `increase`?
    ");
    assert_snapshot!(refused(&spec("analysis: {config: [c.yaml]}\n")), @r"
    the spec: 1 problem
      analysis.config: a list of 1 item; expected the path of a canary config, or the config itself
    ");
    assert_snapshot!(refused(&spec("analysis: {config: none.yaml}\n")), @r"
    the spec: 1 problem
      analysis.config: cannot read `none.yaml`: no such file
    ");
}

#[test]
fn keys_that_stand_twice_and_keys_that_are_unknown_are_told_with_the_rest() {
    assert_snapshot!(refused(&spec("guard: {leastShares: 5%}\nguard: {}\nlimits: {release: never}\nasks: {who: [a]}\n")), @r"
    the spec: 3 problems
      guard: key `guard` stands twice; expected each key once in a map
      limits.release: text `never`; expected a duration such as `500ms`, `30s`, `5m`, `1h30m` or `90d`
      asks: unknown key `asks`; expected `analysis`, `application`, `artifact`, `ask`, `blackouts`, `canary`, `cleanup`, `guard`, `limits`, `onVerdict`, `promotion`, `stages`, `targets`, `version` or `windows`
        hint: did you mean `ask`?
    ");
}

#[test]
fn an_equal_share_does_not_rise() {
    let told = refused(&spec("promotion: {shares: [25%, 25%, 50%]}\n"));
    let expected = "promotion.shares[1]: `25%`; expected more than 25%, since shares rise";
    assert!(
        told.contains("1 problem") && told.contains(expected),
        "{told}"
    );
}

#[test]
fn what_follows_from_a_part_that_cannot_be_read_is_no_news() {
    // The default of `pass`, 95, is not what is meant.
    let told = refused(&spec(
        "analysis: {config: c.yaml, thresholds: {pass: high, marginal: 96}}\n",
    ));
    assert!(
        told.contains("1 problem") && told.contains("thresholds.pass: text `high`"),
        "{told}"
    );
    // The third stage would be told of as the second.
    let told = refused(&spec(
        "stages: [{type: deploy, share: 5%}, {type: promot}, {type: wait, for: never}]\n",
    ));
    assert!(
        told.contains("1 problem") && told.contains("stages[1].type"),
        "{told}"
    );
}

#[test]
fn a_router_listens_on_this_machine_alone() {
    let with =
        |router: &str| spec("").replace("size: 3", &format!("size: 3\n  router: '{router}'"));
    for (written, meant) in [
        ("localhost:8080", "127.0.0.1:8080"),
        ("127.0.0.2:80", "127.0.0.2:80"),
        ("[::1]:8080", "[::1]:8080"),
    ] {
        let loaded = taken(&with(written));
        let router = loaded.spec.targets[0].router.as_deref();
        assert_eq!(router, Some(meant), "{written}");
    }
    for written in ["0.0.0.0:80", "192.168.1.7:80", "[::]:80"] {
        let told = refused(&with(written));
        let expected = format!(
            "targets[0].router: the address `{written}`; expected an address of this machine alone, such as `127.0.0.1:80`"
        );
        assert!(
            told.contains(&expected) && told.contains("open to other machines"),
            "{told}"
        );
    }
    for written in ["localhost", "localhost:http", "search:80"] {
        let told = refused(&with(written));
        assert!(told.contains("an address with a port"), "{told}");
    }
}
