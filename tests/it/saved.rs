//! Saved judgements: what is written reads back, what was changed is refused.

use coalmine::archive::bundle::{Saved, SavedError, Told};
use coalmine_judges::series::Series;

use proptest::prelude::*;

use crate::cli::{Folder, HEALTHY};

const GOLDEN: &str = include_str!("../golden/saved-v1.json");

#[test]
fn the_golden_file_of_version_1_loads() {
    let saved = Saved::read(GOLDEN).unwrap();
    assert_eq!(saved.bundle.sets.len(), 4);
    let with_holes: &Series = &saved.bundle.sets[0].baseline;
    assert_eq!(with_holes.missing(), 1);
    assert!(
        saved.bundle.sets[1]
            .canary
            .values()
            .contains(&Some(f64::INFINITY))
    );
    assert_eq!(saved.bundle.history.len(), 1);
    // Written again it is the same, to the byte.
    let mut written = Vec::new();
    saved.write(&mut written).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), GOLDEN);
}

#[test]
fn the_golden_file_draws_a_report_in_every_format() {
    let folder = Folder::new().file("golden.json", GOLDEN);
    for format in ["html", "text", "json", "markdown", "junit"] {
        let (code, stdout, stderr) = folder.run(&format!("report golden.json --format {format}"));
        assert_eq!((code, stderr.as_str()), (0, ""));
        assert!(stdout.len() > 100, "{format}: {stdout}");
    }
    let (code, stdout, _) = folder.run("report golden.json -o out.html");
    assert_eq!((code, stdout.as_str()), (0, ""));
    assert_eq!(folder.names(), ["golden.json", "out.html"]);
}

#[test]
fn the_same_input_gives_the_same_bytes_plain_and_packed() {
    let folder = Folder::usual();
    let judge = "judge --quiet --config config.yaml --baseline b.csv --canary slow.csv";
    for (first, second) in [
        ("1.json", "2.json"),
        ("1.json.gz", "2.json.gz"),
        ("1.html", "2.html"),
    ] {
        let flag = if first.ends_with("html") {
            "--report"
        } else {
            "--save"
        };
        assert_eq!(folder.run(&format!("{judge} {flag} {first}")).0, 1);
        assert_eq!(folder.run(&format!("{judge} {flag} {second}")).0, 1);
        let bytes = |name: &str| std::fs::read(folder.path(name)).unwrap();
        assert!(bytes(first) == bytes(second), "{first} and {second} differ");
    }
    let packed = std::fs::read(folder.path("1.json.gz")).unwrap();
    assert!(packed.starts_with(b"\x1f\x8b"));
    assert_eq!(
        folder.run("report 1.json.gz --format json").1,
        folder.run("report 1.json --format json").1
    );
}

#[test]
fn a_report_of_a_saved_judgement_is_the_report_of_the_judgement() {
    let folder = Folder::usual();
    let judge = "judge --config config.yaml --baseline b.csv --canary slow.csv";
    let (_, direct, _) = folder.run(&format!(
        "{judge} --save s.json --report direct.html --format json"
    ));
    assert_eq!(folder.run("report s.json --format json").1, direct);
    folder.run("report s.json -o again.html");
    assert!(
        folder.read("direct.html") == folder.read("again.html"),
        "the reports differ"
    );
}

#[test]
fn no_file_that_is_kept_tells_where_on_the_machine_the_input_was() {
    let folder = Folder::usual()
        .file("other.csv", "timestamp,errors\n0,1\n60,2\n")
        .file("empty.csv", "timestamp,latency\n");
    let at = |name: &str| folder.path(name).display().to_string();
    for canary in ["c.csv", "other.csv", "empty.csv"] {
        let (code, stdout, stderr) = folder.run(&format!(
            "judge --baseline {} --canary {} --save s.json --report r.html --format markdown",
            at("b.csv"),
            at(canary),
        ));
        assert!([0, 3].contains(&code), "{stderr}");
        let place = folder.path("").display().to_string();
        let place = place.trim_end_matches('/');
        for kept in [folder.read("s.json"), folder.read("r.html"), stdout, stderr] {
            assert!(!kept.contains(place), "{canary}: {kept}");
        }
    }
}

fn check(change: impl Fn(String) -> String, expect: &str) {
    let error = Saved::read(&change(GOLDEN.to_owned())).unwrap_err();
    assert!(error.to_string().contains(expect), "{error}");
    assert!(!error.hint().is_empty());
}

#[test]
fn what_was_changed_after_saving_is_refused() {
    check(
        |text| text.replacen("10.5", "10.6", 1),
        "the bundle's content has the hash",
    );
    check(
        |text| text.replacen("\"version\":1", "\"version\":2", 1),
        "found format version 2 of the file; expected 1",
    );
    check(|_| "{}".to_owned(), "no `version`");
    check(|_| String::new(), "an empty file");
    check(|text| text[..text.len() / 2].to_owned(), "EOF");
}

#[test]
fn an_edited_judgement_is_never_drawn_as_genuine() {
    let hash = "the judgement's content has the hash";
    check(
        |text| text.replacen("\"verdict\":\"Fail\"", "\"verdict\":\"Pass\"", 1),
        hash,
    );
    check(
        |text| {
            text.replacen(
                "\"classification\":\"High\"",
                "\"classification\":\"Pass\"",
                1,
            )
        },
        hash,
    );
    // Whoever makes a new hash, too, must still answer what the bundle asks.
    let check = |edit: fn(&mut Saved), expect: &str| {
        let mut saved = Saved::read(GOLDEN).unwrap();
        edit(&mut saved);
        let told = Told {
            sides: saved.sides,
            origin: saved.origin,
            notes: saved.notes,
        };
        let again = Saved::new(saved.bundle, saved.judgement, saved.judged_at_ms, told).unwrap();
        let mut text = Vec::new();
        again.write(&mut text).unwrap();
        let error = Saved::read(&String::from_utf8(text).unwrap()).unwrap_err();
        assert_eq!(error, SavedError::Mismatch(expect.to_owned()));
    };
    check(
        |saved| drop(saved.judgement.results.pop()),
        "3 results for 4 metric set pairs",
    );
    check(
        |saved| saved.judgement.judge = "Other-v1".to_owned(),
        "`Other-v1` judged, and the bundle asks for `NetflixACAJudge-v1.0`",
    );
    check(
        |saved| saved.judgement.thresholds.pass = 1.0,
        "its thresholds are others",
    );
    check(
        |saved| {
            let weights = &mut saved.judgement.group_weights;
            weights.insert("Speed".to_owned(), 0.0);
        },
        "its weights of the groups are others",
    );
    check(
        |saved| saved.judgement.results[0].spec.critical = false,
        "the result of `latency` follows other rules than the config has",
    );
    check(
        |saved| saved.judgement.results.swap(0, 1),
        "the result of `queue{zone=a}` stands at the place of `latency`",
    );
}

#[test]
fn the_bundle_is_named_by_its_content_and_not_by_the_names_of_files() {
    let folder = Folder::usual().file("again.csv", HEALTHY);
    let id = |baseline: &str| {
        let save = format!("judge --quiet --baseline {baseline} --canary c.csv --save s.json");
        assert!(folder.run(&save).0 != 2);
        Saved::read(&folder.read("s.json")).unwrap().bundle_id
    };
    assert_eq!(id("b.csv"), id("again.csv"));
    assert_ne!(id("b.csv"), id("slow.csv"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn the_order_of_rows_and_columns_changes_no_byte(seed in any::<u64>(), with_config in any::<bool>()) {
        let shuffled = |count: usize, salt: u64| {
            let mut order: Vec<usize> = (0..count).collect();
            order.sort_by_key(|i| (*i as u64 + 1).wrapping_mul((seed ^ salt) | 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            order
        };
        let mut rows = Vec::new();
        for i in 0..8 {
            for (side, add) in [("baseline", 0), ("canary", 5), ("history", 1)] {
                for zone in ["b", "", "a"] {
                    rows.push(format!("{},latency,{side},{},{zone}", i * 60, i % 3 + add));
                }
            }
        }
        let long = |order: &[usize]| {
            let rows: Vec<&str> = order.iter().map(|i| rows[*i].as_str()).collect();
            format!("timestamp,metric,side,value,zone\n{}\n", rows.join("\n"))
        };
        let names = ["queue", "latency", "errors", "cpu"];
        let wide = |order: &[usize], rows: &[usize]| {
            let cells = |cell: &dyn Fn(usize) -> String| {
                order.iter().map(|column| format!(",{}", cell(*column))).collect::<String>()
            };
            let rows: String = rows
                .iter()
                .map(|row| format!("{}{}\n", row * 60, cells(&|column| (row % 3 + column).to_string())))
                .collect();
            format!("timestamp{}\n{rows}", cells(&|column| names[column].to_owned()))
        };
        let straight: Vec<usize> = (0..rows.len()).collect();
        let folder = Folder::usual();
        let saved = |long: String, wide: String| {
            std::fs::write(folder.path("d.csv"), long).unwrap();
            std::fs::write(folder.path("w.csv"), wide).unwrap();
            let config = if with_config { "--config config.yaml" } else { "" };
            let kept = |arguments: &str| {
                let (code, _, stderr) = folder.run(&format!("judge --quiet {arguments} --save s.json"));
                assert!(code != 2, "{stderr}");
                folder.read("s.json")
            };
            (kept(&format!("{config} --data d.csv")), kept("--baseline w.csv --canary w.csv"))
        };
        let first = saved(long(&straight), wide(&[0, 1, 2, 3], &straight[..8]));
        let second = saved(long(&shuffled(rows.len(), 1)), wide(&shuffled(4, 2), &shuffled(8, 3)));
        prop_assert!(first == second, "{}\n{}", first.0, second.0);
    }
}

#[test]
fn an_output_file_is_called_out_everywhere_and_the_old_name_still_works() {
    let folder = Folder::new().file("golden.json", GOLDEN);
    for flag in ["--out", "-o", "--output"] {
        let (code, stdout, stderr) = folder.run(&format!("report golden.json {flag} out.html"));
        assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""));
        assert!(folder.read("out.html").contains("<html"));
        std::fs::remove_file(folder.path("out.html")).unwrap();
    }
    let (_, help, _) = folder.run("report --help");
    assert!(
        help.contains("--out <FILE>") && !help.contains("--output"),
        "{help}"
    );
}

#[test]
fn fields_that_nobody_reads_are_ignored() {
    let text = GOLDEN.replacen(
        "{\"version\":1,",
        "{\"version\":1,\"later\":{\"a\":[1]},",
        1,
    );
    assert!(Saved::read(&text).is_ok());
}
