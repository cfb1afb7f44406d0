//! Input that nobody means: a clear error with exit 2, or the classification that is defined for it. Never a panic, never
//! NaN in a result, nothing half-written.

use crate::cli::{CONFIG, Folder, HEALTHY, HEALTHY_TOO};

/// Runs in a folder with the usual files and `more`; nothing may be left behind.
pub(crate) fn check(more: &[(&str, &[u8])], arguments: &str) -> String {
    let mut folder = Folder::usual();
    for (name, content) in more {
        folder = folder.file(name, content);
    }
    let before = folder.names();
    let found = folder.brief(arguments);
    assert_eq!(folder.names(), before, "files are left behind");
    found
}

#[test]
fn files_that_are_missing_empty_or_directories() {
    insta::assert_snapshot!(check(&[], "judge --baseline none.csv --canary c.csv"), @r"
    exit 2

    ---
    error: cannot read `none.csv`: found no such file; expected a file that exists

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[], "judge --data ."), @r"
    exit 2

    ---
    error: cannot read `.`: found a directory; expected a file

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[("e", b"")], "judge --data e"), @r"
    exit 2

    ---
    error: cannot read `e`: line 1: found an empty file; expected a header

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[("e", b"")], "judge --pairs e"), @r"
    exit 2

    ---
    error: cannot read `e`: found an empty file; expected a list of metric set pairs

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[("e", b"")], "judge --config e --baseline b.csv --canary c.csv"), @r"
    exit 2

    ---
    error: no content
      ┌─ e
      = expected a map of keys and values

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[("e", b"")], "report e"), @r"
    exit 2

    ---
    error: cannot read `e`: found an empty file; expected a judgement as `coalmine judge --save` writes it
    hint: is it the file that `--save` wrote, whole?
    ");
    insta::assert_snapshot!(check(&[], "judge --config . --baseline b.csv --canary c.csv"), @r"
    exit 2

    ---
    error: cannot read `.`: found a directory; expected a file

    1 error. Nothing was judged.
    ");
}

#[test]
fn files_of_both_sides_are_told_at_once() {
    insta::assert_snapshot!(check(&[("e", b"")], "judge --baseline e --canary none.csv"), @r"
    exit 2

    ---
    error: cannot read `e`: line 1: found an empty file; expected a header

    error: cannot read `none.csv`: found no such file; expected a file that exists

    2 errors. Nothing was judged.
    ");
}

#[test]
fn bytes_that_are_not_utf8() {
    let config = CONFIG
        .replace("checkout", "caf\u{e9}")
        .replace('\u{e9}', "\u{1}");
    let config: Vec<u8> = config
        .bytes()
        .map(|byte| if byte == 1 { 0xe9 } else { byte })
        .collect();
    insta::assert_snapshot!(check(&[("l1.yaml", &config)], "validate l1.yaml"), @r"
    exit 2

    ---
    error: cannot read `l1.yaml`: line 1: found bytes that are not UTF-8; expected text in UTF-8
    hint: save the file with the encoding UTF-8

    1 error. No canary can be judged by a config with errors.
    ");
    insta::assert_snapshot!(check(&[("l1.json", b"[{\"name\":\"caf\xe9\"}]")], "judge --pairs l1.json"), @r"
    exit 2

    ---
    error: cannot read `l1.json`: line 1: found bytes that are not UTF-8; expected text in UTF-8
    hint: save the file with the encoding UTF-8

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[("l1.csv", b"timestamp,caf\xe9\n0,1\n")], "judge --baseline l1.csv --canary c.csv"), @r"
    exit 2

    ---
    error: cannot read `l1.csv`: line 1, column 2: found bytes that are not UTF-8 in `caf�`; expected text in UTF-8
    hint: save the file with the encoding UTF-8

    1 error. Nothing was judged.
    ");
}

#[test]
fn one_point_a_side_is_never_a_pass_by_itself() {
    let files: [(&str, &[u8]); 2] = [("1", b"timestamp,m\n0,1\n"), ("2", b"timestamp,m\n0,5\n")];
    let found = check(&files, "judge --baseline 1 --canary 2");
    assert!(
        found.starts_with("exit 1\n") || found.starts_with("exit 3\n"),
        "{found}"
    );
}

#[test]
fn a_side_of_holes_alone_is_no_data() {
    let files: [(&str, &[u8]); 1] = [("holes", b"timestamp,latency\n0,NaN\n60,\n120,nan\n")];
    insta::assert_snapshot!(check(&files, "judge --baseline b.csv --canary holes"), @r"
    exit 3
    ◇ Inconclusive: latency has no data from the canary …
    ---
    ");
}

#[test]
fn extreme_numbers_never_become_nan() {
    let side = |values: &[&str]| {
        let rows: String = values
            .iter()
            .enumerate()
            .map(|(i, v)| format!("{},{v}\n", i * 60))
            .collect();
        format!("timestamp,m\n{rows}")
    };
    let sides = [
        side(&["Infinity", "-Inf", "1", "2", "3", "4", "5", "6"]),
        side(&["inf"; 8]),
        side(&[
            "1.7e308", "-1.7e308", "1.6e308", "1.5e308", "-1e308", "1e308", "1.1e308", "1.2e308",
        ]),
        side(&[
            "5e-324", "1e-323", "1.5e-323", "2e-308", "0", "-0", "3e-320", "4e-322",
        ]),
        side(&["0"; 8]),
        side(&["1", "", "3", "4", "5", "6", "7", "8"]),
    ];
    for baseline in &sides {
        for canary in &sides {
            let folder = Folder::new().file("b", baseline).file("c", canary);
            let (code, stdout, stderr) = folder
                .run("judge --baseline b --canary c --format json --save s.json --report r.html");
            assert!([0, 1, 3].contains(&code), "{code} {stderr}");
            // Kayenta's own words for what has no value stand in its statistics and its ratio.
            let result: serde_json::Value = serde_json::from_str(&stdout).unwrap();
            assert!(result["score"]["score"].is_number(), "{stdout}");
            assert!(
                !folder.read("s.json").contains("NaN"),
                "{baseline} {canary}"
            );
            assert_eq!(folder.run("report s.json").0, 0);
        }
    }
}

#[test]
fn a_number_that_is_too_large_is_told_and_not_taken_for_infinite() {
    let files: [(&str, &[u8]); 1] = [("big", b"timestamp,latency\n0,1e999\n")];
    insta::assert_snapshot!(check(&files, "judge --baseline b.csv --canary big"), @r"
    exit 2

    ---
    error: cannot read `big`: line 2, column `latency`: found `1e999`; expected a number below 1.8e308

    1 error. Nothing was judged.
    ");
}

#[test]
fn duplicate_metric_names() {
    let twice = CONFIG.replace(
        "classifier:",
        "  - name: latency\n    groups: [Speed]\n    scopeName: default\nclassifier:",
    );
    insta::assert_snapshot!(check(&[("twice.yaml", twice.as_bytes())], "judge --config twice.yaml --baseline b.csv --canary c.csv"), @r"
    exit 2

    ---
    error: metrics[1].name: metric name `latency` is taken by `metrics[0]`
      ┌─ twice.yaml:9:11
      │
    9 │   - name: latency
      │           ^^^^^^^ expected a name of its own

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[("twice.csv", b"timestamp,m,m\n0,1,2\n")], "judge --baseline twice.csv --canary c.csv"), @r"
    exit 2

    ---
    error: cannot read `twice.csv`: line 1, column 3: found `m` twice; expected columns with different names

    1 error. Nothing was judged.
    ");
}

#[test]
fn a_pair_that_the_config_does_not_name() {
    let pairs = br#"[{"name":"latancy","values":{"control":[1],"experiment":[2]}},{"name":"other","values":{"control":[1],"experiment":[2]}}]"#;
    let files: [(&str, &[u8]); 1] = [("more.json", pairs)];
    insta::assert_snapshot!(check(&files, "judge --config config.yaml --pairs more.json"), @r"
    exit 2

    ---
    error: `more.json` has the metrics `latancy`, `other`, which the config does not name
    hint: the config has `latency`

    1 error. Nothing was judged.
    ");
}

#[test]
fn of_a_config_no_more_is_read_than_a_config_may_have() {
    let packed = {
        use std::io::Write as _;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mebibyte = vec![b' '; 1 << 20];
        for _ in 0..64 {
            packed.write_all(&mebibyte).unwrap();
        }
        packed.finish().unwrap()
    };
    insta::assert_snapshot!(check(&[("large.yaml", &packed)], "validate large.yaml"), @r"
    exit 2

    ---
    error: cannot read `large.yaml`: found more data than is read from such a file; expected at most 4 MiB

    1 error. No canary can be judged by a config with errors.
    ");
}

#[test]
fn a_config_without_classifier_and_with_unknown_words() {
    let bare = CONFIG.split("classifier").next().unwrap();
    let found = check(
        &[("bare.yaml", bare.as_bytes())],
        "judge --config bare.yaml --baseline b.csv --canary c.csv",
    );
    assert!(
        found.starts_with("exit 2\n") && found.contains("classifier"),
        "{found}"
    );
    let odd = CONFIG.replace("direction: increase", "direction: increse");
    insta::assert_snapshot!(check(&[("odd.yaml", odd.as_bytes())], "judge --config odd.yaml --baseline b.csv --canary c.csv"), @r"
    exit 2

    ---
    error: metrics[0].analysisConfigurations.canary.direction: unknown value `increse`
      ┌─ odd.yaml:8:28
      │
    8 │       canary: { direction: increse, effectSize: { allowedIncrease: 1.1 }
      │                            ^^^^^^^ expected `increase`, `decrease` or `either`
      = hint: did you mean `increase`?

    1 error. Nothing was judged.
    ");
}

#[test]
fn bombs_and_depths_end_quickly_with_an_error() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let row = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb += &format!("a{level}: &a{level} [{row}]\n");
    }
    for (name, text) in [
        ("bomb.yaml", bomb),
        ("deep.json", "[".repeat(200_000)),
        ("deep.yaml", "- ".repeat(100_000)),
        ("objects.json", "{\"a\":".repeat(100_000)),
    ] {
        let (code, stdout, stderr) = Folder::new()
            .file(name, &text)
            .run(&format!("validate {name}"));
        assert_eq!((code, stdout.as_str()), (2, ""), "{name}: {stderr}");
        assert!(stderr.starts_with("error: "), "{name}: {stderr}");
        assert!(
            stderr.len() < 5_000,
            "{name}: {} bytes of errors",
            stderr.len()
        );
        let (code, _, stderr) = Folder::new()
            .file(name, &text)
            .run(&format!("judge --pairs {name}"));
        assert_eq!(code, 2, "{name}: {stderr}");
        let (code, _, stderr) = Folder::new()
            .file(name, &text)
            .run(&format!("report {name}"));
        assert_eq!(code, 2, "{name}: {stderr}");
    }
}

#[test]
fn names_from_outside_stand_nowhere_raw() {
    let name = "<script>alert('x')</script>";
    let side = |text: &str| text.replace("latency", name);
    let folder = Folder::new()
        .file("b", side(HEALTHY))
        .file("c", side(HEALTHY_TOO));
    let judge = "judge --all --baseline b --canary c --save s.json";
    assert_eq!(folder.run(&format!("{judge} --report r.html --quiet")).0, 0);
    assert!(!folder.read("r.html").contains("<script>alert"));
    for format in ["markdown", "junit"] {
        let (_, stdout, _) = folder.run(&format!("{judge} --format {format}"));
        assert!(!stdout.contains("<script>alert"), "{format}: {stdout}");
    }
    let (_, stdout, _) = folder.run(&format!("{judge} --format json"));
    assert!(serde_json::from_str::<serde_json::Value>(&stdout).is_ok());
}

#[test]
fn control_characters_in_a_name_do_not_reach_the_terminal() {
    let side = |text: &str| text.replace("latency", "a\x1b[31mb\x07");
    let folder = Folder::new()
        .file("b", side(HEALTHY))
        .file("c", side(HEALTHY_TOO));
    let (code, stdout, stderr) = folder.run("judge --all --baseline b --canary c");
    assert_eq!(code, 0, "{stderr}");
    assert!(
        !stdout.contains('\x1b') && !stdout.contains('\x07'),
        "{stdout:?}"
    );
}

#[cfg(unix)]
#[test]
fn hidden_characters_of_file_names_do_not_reach_the_terminal() {
    let hidden = ["\x1b[31m", "\u{202e}", "\u{61c}", "\u{200b}", "\u{2066}"];
    for hidden in hidden {
        let (good, bad) = (format!("g{hidden}.yaml"), format!("b{hidden}.yaml"));
        let folder = Folder::usual().file(&good, CONFIG).file(
            &bad,
            CONFIG.replace("increase,", &format!("incr{hidden}ease,")),
        );
        for arguments in [
            format!("validate {good} {bad}"),
            format!("judge --config {bad} --baseline b.csv --canary c.csv"),
            format!("judge --config {good} --baseline b.csv --canary {good}"),
            format!("judge --baseline none{hidden} --canary c.csv"),
            format!("judge --baseline b.csv --canary slow.csv --report r{hidden}.html"),
            format!("report none{hidden}"),
            format!("report b.csv --out none{hidden}/x"),
        ] {
            let (_, stdout, stderr) = folder.run(&arguments);
            for text in [&stdout, &stderr] {
                assert!(!text.contains(hidden), "{arguments:?}: {text:?}");
            }
            assert!(!(stdout + &stderr).is_empty());
        }
    }
}

#[test]
fn thresholds_and_judges_that_do_not_exist() {
    let judge = "judge --baseline b.csv --canary c.csv";
    insta::assert_snapshot!(check(&[], &format!("{judge} --pass 101 --marginal -1")), @r"
    exit 2

    ---
    error: the pass threshold is 101; expected a score of 0 to 100

    error: the marginal threshold is -1; expected a score of 0 to 100

    2 errors. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[], &format!("{judge} --pass NaN")), @r"
    exit 2

    ---
    error: the pass threshold is NaN; expected a score of 0 to 100

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[], &format!("{judge} --pass 60")), @r"
    exit 2

    ---
    error: the marginal threshold is 75, the default, above the pass threshold 60; expected at most that
    hint: give both: `--pass N --marginal N`

    1 error. Nothing was judged.
    ");
    insta::assert_snapshot!(check(&[], &format!("{judge} --judge dredd-v1.0")), @r"
    exit 2

    ---
    error: no judge is called `dredd-v1.0` (--judge); expected `NetflixACAJudge-v1.0` or `CoalmineJudge-v1`

    1 error. Nothing was judged.
    ");
    let other = format!("judge: {{ name: RemoteJudge-v1.0 }}\n{CONFIG}");
    insta::assert_snapshot!(check(&[("other.yaml", other.as_bytes())], &format!("{judge} --config other.yaml")), @r"
    exit 2

    ---
    error: no judge is called `RemoteJudge-v1.0` (the config's judge.name); expected `NetflixACAJudge-v1.0` or `CoalmineJudge-v1`
    hint: `--judge NetflixACAJudge-v1.0` judges by another one

    1 error. Nothing was judged.
    ");
}

#[test]
fn a_hundred_thousand_rows_are_read_in_a_moment() {
    use std::fmt::Write as _;
    let mut text = "timestamp,metric,side,value\n".to_owned();
    for row in 0..50_000 {
        for side in ["baseline", "canary"] {
            writeln!(text, "{},m,{side},{}", row * 10, row % 97).unwrap();
        }
    }
    let (code, _, stderr) = Folder::new()
        .file("d.csv", &text)
        .run("judge --data d.csv --quiet");
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn of_a_thousand_wrong_rows_twenty_are_told_and_all_are_counted() {
    let text = format!("timestamp,latency\n{}", "0,x\n".repeat(1000));
    let (code, _, stderr) = Folder::usual()
        .file("bad.csv", text)
        .run("judge --baseline bad.csv --canary c.csv");
    assert_eq!(code, 2);
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(lines[0], "error: cannot read `bad.csv`: 1999 problems");
    assert_eq!(
        lines[1],
        "  line 2, column `latency`: found `x`; expected a number, or nothing for a missing point"
    );
    assert_eq!(
        lines[21..],
        ["  and 1979 more", "", "1999 errors. Nothing was judged."]
    );
}
