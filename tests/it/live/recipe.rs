//! `docs/recipes/live-windows.md` works as written.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::NOW_SECS;
use crate::cli::Folder;
use crate::real_prometheus::{RealPrometheus, Setup};

const RECIPE: &str = include_str!("../../../docs/recipes/live-windows.md");
const URL: &str = "http://localhost:9090";

/// Ten requests a second; of those to v412 about one of 400 fails, of those to v413 about one of 50.
fn data() -> String {
    let mut text = "# TYPE http_requests counter\n".to_owned();
    for (version, one_of) in [("v412", 400), ("v413", 50)] {
        let mut chance = fastrand::Rng::with_seed(one_of);
        let mut counts = BTreeMap::from([("200", 0_u64), ("500", 0)]);
        let mut rows = BTreeMap::new();
        for at in (0..=7200).step_by(15) {
            for _ in 0..150 {
                let code = if chance.u64(0..one_of) == 0 {
                    "500"
                } else {
                    "200"
                };
                *counts.entry(code).or_default() += 1;
            }
            for (code, count) in &counts {
                rows.entry(*code)
                    .or_insert_with(Vec::new)
                    .push((NOW_SECS - 7200 + at, *count));
            }
        }
        for (code, rows) in rows {
            for (time, count) in rows {
                writeln!(
                    text,
                    "http_requests_total{{version=\"{version}\",code=\"{code}\"}} {count} {time}"
                )
                .unwrap();
            }
        }
    }
    text.push_str("# EOF\n");
    text
}

/// The blocks of one kind.
fn blocks(kind: &str) -> Vec<&'static str> {
    let opening = format!("```{kind}\n");
    let parts = RECIPE.split(opening.as_str()).skip(1);
    parts
        .map(|part| part.split("```").next().unwrap())
        .collect()
}

#[test]
fn every_command_of_the_recipe_does_what_it_says() {
    let setup = Setup {
        data: Some(data()),
        ..Setup::default()
    };
    let Some(prometheus) = RealPrometheus::start(&setup) else {
        return;
    };
    let configs = blocks("yaml");
    assert_eq!(configs.len(), 2);
    let server = configs[1].replace("https://prometheus.example.com/prod", prometheus.url());
    let files = |folder: Folder| {
        folder
            .file("web.yaml", configs[0])
            .file("server.yaml", &server)
            .file("token", "a-token-that-is-not-asked-for")
    };
    let (plain, named) = (
        files(Folder::new()),
        files(Folder::new()).env("COALMINE_CONFIG", "server.yaml"),
    );
    let mut ran = 0;
    for command in blocks("sh").concat().replace("\\\n", " ").lines() {
        let (folder, command) = match command.strip_prefix("COALMINE_CONFIG=server.yaml ") {
            Some(rest) => (&named, rest),
            None => (&plain, command),
        };
        let arguments = command
            .strip_prefix("coalmine ")
            .unwrap()
            .replace(URL, prometheus.url());
        let (exit, stdout, stderr) = folder.run(&arguments);
        let expect = if arguments.starts_with("judge") { 1 } else { 0 };
        assert_eq!(exit, expect, "{command}\n{stdout}{stderr}");
        ran += 1;
    }
    assert_eq!(ran, 10);
    assert_eq!(
        plain.names(),
        [
            "canary.csv",
            "canary.html",
            "canary.json.gz",
            "pairs.json.gz",
            "server.yaml",
            "token",
            "web.yaml"
        ]
    );
    // The table is what is printed, but for the address and the release.
    let (_, table, _) = plain.run(&format!(
        "fetch --config web.yaml --prometheus {} --baseline v412 --canary v413 --start 2024-05-01T10:30:00Z --end 2024-05-01T12:00:00Z",
        prometheus.url()
    ));
    let shown = blocks("text")[0];
    let same = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with("  from "));
        lines.map(str::to_owned).collect()
    };
    let printed = same(&table);
    assert_eq!(printed[..same(shown).len()], same(shown), "{table}");
}
