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
            format!("judge: {{ name: CoalmineJudge-v1 }}\n{CONFIG}"),
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
    warning: `next.yaml`: judge.name: this version has no judge `CoalmineJudge-v1`; `coalmine judge` needs `--judge NetflixACAJudge-v1.0`
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
            } else if name.contains(".canary.") {
                let (code, stdout, stderr) = Folder::new().run(&format!("validate {name}"));
                assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
                count += 1;
            }
        }
    }
    assert!(count >= 2, "only {count} configs found");
}
