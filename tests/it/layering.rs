//! Who may import whom. Reads the sources, so that an import in the wrong direction fails a test and not a review.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What each part of `src` may import, beside itself. Parts that do not exist yet are added with their folder.
const MAY_IMPORT: [(&str, &[&str]); 18] = [
    (
        "app",
        &[
            "analysis",
            "api",
            "archive",
            "cli",
            "clock",
            "config",
            "drivers",
            "executions",
            "model",
            "notify",
            "sources",
            "store",
            "telemetry",
            // The sentence of a verdict, for what runs.
            "ui",
        ],
    ),
    ("telemetry", &["config"]),
    ("clock", &[]),
    ("model", &["coalmine_judges"]),
    ("config", &["model", "coalmine_judges"]),
    ("sources", &["model", "config", "clock", "coalmine_judges"]),
    ("store", &["model", "coalmine_judges"]),
    ("notify", &["model", "config", "store", "clock"]),
    ("drivers", &["model", "config", "clock"]),
    ("guards", &["model", "config"]),
    (
        "strategies",
        &["model", "config", "drivers", "stages", "coalmine_judges"],
    ),
    ("archive", &["model", "config", "coalmine_judges"]),
    (
        "analysis",
        &[
            "model",
            "config",
            "archive",
            "sources",
            "clock",
            "coalmine_judges",
        ],
    ),
    (
        "stages",
        &["model", "config", "archive", "analysis", "coalmine_judges"],
    ),
    (
        "executions",
        &[
            "model",
            "config",
            "archive",
            "analysis",
            "stages",
            "store",
            "clock",
            "drivers",
            "guards",
            "strategies",
            "coalmine_judges",
        ],
    ),
    (
        "api",
        &[
            "model",
            "config",
            "archive",
            "analysis",
            "stages",
            "executions",
            "store",
            "sources",
            "clock",
            "ui",
            "coalmine_judges",
            "coalmine_reports",
        ],
    ),
    (
        "cli",
        &[
            "model",
            "config",
            "sources",
            "archive",
            "analysis",
            "clock",
            "telemetry",
            "ui",
            "coalmine_judges",
            "coalmine_reports",
        ],
    ),
    (
        "ui",
        &[
            "model",
            "config",
            "archive",
            "store",
            "executions",
            "stages",
            "coalmine_judges",
            "coalmine_reports",
        ],
    ),
];

/// What single files may import beside that.
const EXCEPTIONS: [(&str, &str); 1] = [
    // Whether a living service has the data folder: a file lock, and no store.
    ("cli/release/reach.rs", "store"),
];

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}

/// Every part that the text names: `crate::part` and `coalmine_…`, in `use` lines and in paths; comments do not count.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let code = line.split("//").next().unwrap_or_default();
        for (start, prefix) in ["crate::", "coalmine_"]
            .iter()
            .flat_map(|prefix| code.match_indices(prefix))
        {
            // `"coalmine_judgements_total"` is the name of a metric.
            if code[..start].ends_with('"') {
                continue;
            }
            let rest = &code[start + prefix.len()..];
            let word: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if prefix == "crate::" {
                // A list in braces would hide the parts: it gives the empty name, which nobody may import.
                found.insert(word);
            } else {
                found.insert(format!("coalmine_{word}"));
            }
        }
    }
    found
}

#[test]
fn every_part_imports_only_what_it_may() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rules: BTreeMap<&str, &[&str]> = MAY_IMPORT.into_iter().collect();
    let mut seen = BTreeSet::new();
    for file in rust_files(&source) {
        let below = file.strip_prefix(&source).unwrap();
        let part = below
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs");
        if ["lib", "main"].contains(&part) {
            continue;
        }
        let allowed = rules
            .get(part)
            .unwrap_or_else(|| panic!("no rule for the part `{part}`"));
        seen.insert(part.to_owned());
        for import in imports(&fs::read_to_string(&file).unwrap()) {
            assert!(
                import == part
                    || allowed.contains(&import.as_str())
                    || EXCEPTIONS.contains(&(below.to_str().unwrap(), import.as_str())),
                "{}: `{part}` must not import `{import}`",
                below.display()
            );
        }
    }
    assert_eq!(
        seen.len(),
        MAY_IMPORT.len(),
        "a rule without a part: {seen:?}"
    );
}

#[test]
fn the_crates_beside_the_program_import_nothing_of_ours_but_the_judges() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (folder, allowed) in [
        ("judges/src", &[][..]),
        ("reports/src", &["coalmine_judges"][..]),
        (
            "benches/judgement/src",
            &["coalmine_judges", "coalmine_benchmark"][..],
        ),
    ] {
        let files = rust_files(&root.join(folder));
        assert!(!files.is_empty());
        for file in files {
            for import in imports(&fs::read_to_string(&file).unwrap()) {
                // The module of the judge `CoalmineJudge-v1` is no crate.
                let ours = import.starts_with("coalmine_") && import != "coalmine_v1";
                assert!(
                    !ours || allowed.contains(&import.as_str()),
                    "{}: `{import}`",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn the_words_control_and_experiment_stay_on_kayentas_wire() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    // The wire types, the parser of Kayenta's list, the hint for people who know its words, and the mixer's messages.
    let wire = [
        "analysis/pairing.rs",
        "model/kayenta",
        "api/kayenta",
        "sources/files/pairs.rs",
        "sources/files/csv_long.rs",
    ];
    for file in rust_files(&source) {
        let below = file
            .strip_prefix(&source)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if wire.iter().any(|wire| below.starts_with(wire)) {
            continue;
        }
        let found = kayentas_words(&fs::read_to_string(&file).unwrap());
        assert!(found.is_empty(), "{below} says {found:?}");
    }
}

/// Kayenta's words for the sides, with what stands around them; `control characters` and HTTP's headers are something
/// else.
fn kayentas_words(text: &str) -> Vec<String> {
    let mut text = text.to_lowercase();
    for other in [
        "is_control()",
        "cache_control",
        "cache-control",
        "access_control",
        "access-control",
    ] {
        text = text.replace(other, "");
    }
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let next = words.get(index + 1).copied().unwrap_or_default();
        let side = ["control", "experiment"].contains(word);
        if side && !next.starts_with("character") {
            found.push(format!("{word} {next}"));
        }
    }
    found
}

#[test]
fn both_of_kayentas_words_are_seen() {
    assert_eq!(
        kayentas_words("the Control_values of // an experiment."),
        ["control values", "experiment "]
    );
    assert!(kayentas_words("no control characters, no uncontrolled experiments").is_empty());
}

#[test]
fn the_program_itself_is_a_few_lines() {
    let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs");
    assert!(fs::read_to_string(main).unwrap().lines().count() < 32);
}
