//! `coalmine validate`.

use std::fs;
use std::path::Path;

use crate::cli::{CONFIG, Folder};

#[test]
fn configs_are_validated_all_of_them_at_once() {
    let folder = Folder::usual()
        .file("odd.yaml", CONFIG.replace("100", "60"))
        .file(
            "next.yaml",
            format!("judge: {{ name: RemoteJudge-v1.0 }}\n{CONFIG}"),
        )
        .file("bad.yaml", CONFIG.replace("increase,", "increse,"));
    insta::assert_snapshot!(folder.brief("validate config.yaml odd.yaml"), @r"
    exit 0
    config.yaml: ok, 1 metric …
    ---
    warning: `odd.yaml`: classifier.scoreThresholds.pass: cannot be reached: the best possible score is 60, the default `pass` is 95
    warning: `odd.yaml`: classifier.scoreThresholds.marginal: cannot be reached: the best possible score is 60, the default `marginal` is 75
    warning: `odd.yaml`: classifier.groupWeights: weights add up to 60, not 100; a canary that passes every metric scores 60
    ");
    insta::assert_snapshot!(folder.brief("validate next.yaml"), @r"
    exit 0
    next.yaml: ok, 1 metric, 1 warning
    ---
    warning: `next.yaml`: judge.name: this version has no judge `RemoteJudge-v1.0`; `coalmine judge` needs `--judge NetflixACAJudge-v1.0`
    ");
    insta::assert_snapshot!(folder.brief("validate bad.yaml config.yaml none.yaml"), @r"
    exit 2
    config.yaml: ok, 1 metric
    ---
    error: metrics[0].analysisConfigurations.canary.direction: unknown value `increse`
      ┌─ bad.yaml:8:28
      │
    8 │       canary: { direction: increse, effectSize: { allowedIncrease: 1.1 }
      │                            ^^^^^^^ expected `increase`, `decrease` or `either`
      = hint: did you mean `increase`?

    error: cannot read `none.yaml`: found no such file; expected a file that exists

    2 errors. No canary can be judged by a config with errors.
    ");
    insta::assert_snapshot!(folder.brief("validate --lenient bad.yaml"), @r"
    exit 0
    bad.yaml: ok, 1 metric, 1 warning
    ---
    warning: `bad.yaml`: ignored: metrics[0].analysisConfigurations.canary.direction: unknown value `increse`, read as the default; known are `increase`, `decrease` or `either`
    ");
}

#[test]
fn shipped_configs_are_valid() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let mut pending = vec![root];
    let mut count = 0;
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                pending.push(path);
            } else if name.contains(".canary.") || name.contains(".release.") {
                let (code, stdout, stderr) = Folder::new().run(&format!("validate {name}"));
                assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
                count += 1;
            }
        }
    }
    assert!(count >= 6, "only {count} configs found");
}

#[test]
fn release_specs_are_told_by_their_content_and_validated_with_their_configs() {
    let spec = "version: coalmine/v1\napplication: shop\ntargets: [{size: 3}]\nanalysis: {config: config.yaml, source: p}\nask: {who: [a]}\n";
    let bad = CONFIG.replace("increase,", "increse,");
    let folder = Folder::usual()
        .file("shop.yaml", spec)
        .file(
            "short.yaml",
            spec.replace("source: p", "source: p, interval: 20s, step: 10s"),
        )
        .file("bad.yaml", bad)
        .file(
            "both.yaml",
            spec.replace("config.yaml", "bad.yaml")
                .replace("size: 3", "size: 0"),
        )
        .file("lost.yaml", spec.replace("config.yaml", "none.yaml"))
        .file("unclear.yaml", "application: shop\n");
    insta::assert_snapshot!(folder.brief("validate shop.yaml short.yaml config.yaml"), @r"
    exit 0
    shop.yaml: ok, release of `shop`, 1 target, 3 judgements …
    ---
    warning: `short.yaml`: analysis.interval: the first judgement of a step sees 2 points a side (`20s` at a `step` of `10s`); with fewer than 8 hardly any difference can be told
    ");
    insta::assert_snapshot!(folder.brief("validate both.yaml lost.yaml"), @r"
    exit 2

    ---
    error: targets[0].size: number `0`
      ┌─ both.yaml:3:18
      │
    3 │ targets: [{size: 0}]
      │                  ^ expected a whole number from 1 to 10000

    error: metrics[0].analysisConfigurations.canary.direction: unknown value `increse`
      ┌─ bad.yaml:8:28
      │
    8 │       canary: { direction: increse, effectSize: { allowedIncrease: 1.1 }
      │                            ^^^^^^^ expected `increase`, `decrease` or `either`
      = hint: did you mean `increase`?

    error: analysis.config: cannot read `none.yaml`: found no such file; expected a file that exists
      ┌─ lost.yaml:4:20
      │
    4 │ analysis: {config: none.yaml, source: p}
      │                    ^^^^^^^^^

    3 errors. Nothing can be released by a spec with errors.
    ");
    insta::assert_snapshot!(folder.brief("validate --kind release unclear.yaml"), @r"
    exit 2

    ---
    error: version: missing
      ┌─ unclear.yaml:1:1
      │
    1 │ application: shop
      │ expected a key `version` here, `coalmine/v1`

    error: targets: missing
      ┌─ unclear.yaml:1:1
      │
    1 │ application: shop
      │ expected a key `targets` here, a list with at least one item

    2 errors. Nothing can be released by a spec with errors.
    ");
    insta::assert_snapshot!(folder.brief("validate --kind canary shop.yaml"), @r"
    exit 2

    ---
    error: version: unknown key `version`
      ┌─ shop.yaml:1:1
      │
    1 │ version: coalmine/v1
      │ ^^^^^^^ expected `applications`, `classifier`, `configVersion`, `createdTimestamp`, `createdTimestampIso`, `description`, `id`, `judge`, `metrics`, `name`, `templates`, `updatedTimestamp` or `updatedTimestampIso`

    error: metrics: missing
      ┌─ shop.yaml:1:1
      │
    1 │ version: coalmine/v1
      │ expected a key `metrics` here, a list with at least one item

    error: classifier: missing
      ┌─ shop.yaml:1:1
      │
    1 │ version: coalmine/v1
      │ expected a key `classifier` here, a map
      = hint: write `classifier: {}`

    error: application: unknown key `application`
      ┌─ shop.yaml:2:1
      │
    2 │ application: shop
      │ ^^^^^^^^^^^ expected `applications`, `classifier`, `configVersion`, `createdTimestamp`, `createdTimestampIso`, `description`, `id`, `judge`, `metrics`, `name`, `templates`, `updatedTimestamp` or `updatedTimestampIso`
      = hint: did you mean `applications`?

    error: targets: unknown key `targets`
      ┌─ shop.yaml:3:1
      │
    3 │ targets: [{size: 3}]
      │ ^^^^^^^ expected `applications`, `classifier`, `configVersion`, `createdTimestamp`, `createdTimestampIso`, `description`, `id`, `judge`, `metrics`, `name`, `templates`, `updatedTimestamp` or `updatedTimestampIso`

    error: analysis: unknown key `analysis`
      ┌─ shop.yaml:4:1
      │
    4 │ analysis: {config: config.yaml, source: p}
      │ ^^^^^^^^ expected `applications`, `classifier`, `configVersion`, `createdTimestamp`, `createdTimestampIso`, `description`, `id`, `judge`, `metrics`, `name`, `templates`, `updatedTimestamp` or `updatedTimestampIso`

    error: ask: unknown key `ask`
      ┌─ shop.yaml:5:1
      │
    5 │ ask: {who: [a]}
      │ ^^^ expected `applications`, `classifier`, `configVersion`, `createdTimestamp`, `createdTimestampIso`, `description`, `id`, `judge`, `metrics`, `name`, `templates`, `updatedTimestamp` or `updatedTimestampIso`

    7 errors. No canary can be judged by a config with errors.
    ");
}
