//! The program as people call it: exit code, standard output and standard error together.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder of its own with input files, in which the program runs.
pub(crate) struct Folder {
    folder: TempDir,
    stdin: Vec<u8>,
    env: Vec<(&'static str, &'static str)>,
}

/// Two sides that are alike, and a canary that is not.
pub(crate) const HEALTHY: &str =
    "timestamp,latency\n0,10\n60,12\n120,11\n180,13\n240,12\n300,10\n360,11\n420,12\n";
pub(crate) const HEALTHY_TOO: &str =
    "timestamp,latency\n0,11\n60,10\n120,13\n180,12\n240,10\n300,12\n360,12\n420,11\n";
pub(crate) const SLOW: &str =
    "timestamp,latency\n0,30\n60,32\n120,31\n180,33\n240,32\n300,30\n360,31\n420,32\n";
/// One metric that counts alone.
pub(crate) const CONFIG: &str = "name: checkout\napplications: [checkout]\nmetrics:\n  - name: latency\n    groups: [Speed]\n    scopeName: default\n    analysisConfigurations:\n      canary: { direction: increase, effectSize: { allowedIncrease: 1.1 } }\nclassifier:\n  groupWeights: { Speed: 100 }\n";

impl Folder {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            stdin: Vec::new(),
            env: Vec::new(),
        }
    }

    /// With the usual files: `b.csv`, `c.csv` (alike), `slow.csv` and `config.yaml`.
    pub(crate) fn usual() -> Self {
        Self::new()
            .file("b.csv", HEALTHY)
            .file("c.csv", HEALTHY_TOO)
            .file("slow.csv", SLOW)
            .file("config.yaml", CONFIG)
    }

    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    pub(crate) fn stdin(mut self, content: &str) -> Self {
        self.stdin = content.into();
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.env.push((name, value));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names in the folder, so that a test sees what was left behind.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coalmine"));
        command
            .args(arguments.split_whitespace())
            .args(["--now", "2024-05-01T12:00:00Z"])
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Exit code, standard output and standard error of the program called with `arguments`, split at blanks.
    pub(crate) fn run(&self, arguments: &str) -> (i32, String, String) {
        let mut child = self.command(arguments).spawn().unwrap();
        // A program that does not read its input closes it.
        let _ = child.stdin.take().unwrap().write_all(&self.stdin);
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    /// The same as one text for a snapshot, of standard output the first line only.
    pub(crate) fn brief(&self, arguments: &str) -> String {
        let (code, stdout, stderr) = self.run(arguments);
        let mut lines = stdout.lines();
        let mut first = lines.next().unwrap_or_default().to_owned();
        if lines.next().is_some() {
            first.push_str(" …");
        }
        format!("exit {code}\n{first}\n---\n{stderr}")
    }

    /// Exit code, notes of the text, and standard error.
    pub(crate) fn notes(&self, arguments: &str) -> String {
        let (code, stdout, stderr) = self.run(arguments);
        let notes: String = stdout
            .lines()
            .skip_while(|line| !line.contains("note: "))
            .take_while(|line| !line.is_empty())
            .map(|line| format!("{line}\n"))
            .collect();
        format!("exit {code}\n{notes}{stderr}")
    }
}

#[test]
fn two_csv_files_are_enough_for_a_verdict() {
    let folder = Folder::usual();
    insta::assert_snapshot!(folder.brief("judge --baseline b.csv --canary c.csv"), @r"
    exit 0
    ✓ Pass: no change that counts in 1 metric …
    ---
    ");
    insta::assert_snapshot!(folder.brief("judge --baseline b.csv --canary slow.csv"), @r"
    exit 1
    ✕ Fail: latency rose 2.8x [2.6, 2.9], score 0 …
    ---
    ");
}

#[test]
fn the_exit_code_is_the_verdict() {
    let many = |bad: usize| {
        let header: String = (0..5).map(|i| format!(",m{i}")).collect();
        let rows: String = (0..20)
            .map(|row| {
                let cells: String = (0..5)
                    .map(|i| format!(",{}", row % 7 + if i < bad { 100 } else { 0 }))
                    .collect();
                format!("{}{cells}\n", row * 60)
            })
            .collect();
        format!("timestamp{header}\n{rows}")
    };
    let folder = Folder::new()
        .file("b.csv", many(0))
        .file("pass.csv", many(0))
        .file("marginal.csv", many(1))
        .file("fail.csv", many(2))
        .file("nodata.csv", "timestamp,m0,m1,m2,m3,m4\n");
    for (file, code) in [("pass", 0), ("marginal", 3), ("fail", 1), ("nodata", 3)] {
        for format in ["text", "json", "markdown", "junit"] {
            let (found, stdout, stderr) = folder.run(&format!(
                "judge --baseline b.csv --canary {file}.csv --format {format}"
            ));
            assert_eq!(found, code, "{file} {format}: {stdout}{stderr}");
            assert!(!stdout.is_empty());
        }
        let (found, stdout, stderr) = folder.run(&format!(
            "judge --baseline b.csv --canary {file}.csv --quiet"
        ));
        assert_eq!(
            (found, stdout, stderr),
            (code, String::new(), String::new()),
            "{file}"
        );
    }
}

#[test]
fn thresholds_come_from_flags_then_from_the_config_then_are_95_and_75() {
    let folder = Folder::usual().file(
        "low.yaml",
        format!("{CONFIG}  scoreThresholds: {{ pass: 0, marginal: 0 }}\n"),
    );
    let judge = "judge --baseline b.csv --canary slow.csv --quiet --config";
    assert_eq!(folder.run(&format!("{judge} config.yaml")).0, 1);
    assert_eq!(folder.run(&format!("{judge} low.yaml")).0, 0);
    assert_eq!(folder.run(&format!("{judge} low.yaml --pass 50")).0, 3);
    assert_eq!(
        folder
            .run(&format!("{judge} low.yaml --pass 50 --marginal 40"))
            .0,
        1
    );
}

#[test]
fn json_is_kayentas_result_and_nothing_else() {
    let folder = Folder::usual();
    let (code, stdout, stderr) =
        folder.run("judge --config config.yaml --baseline b.csv --canary slow.csv --format json");
    assert_eq!((code, stderr.as_str()), (1, ""));
    insta::assert_snapshot!(stdout, @r#"
    {
      "judgeName": "NetflixACAJudge-v1.0",
      "results": [
        {
          "name": "latency",
          "tags": {},
          "id": "latency",
          "classification": "High",
          "classificationReason": "latency was classified as High",
          "groups": [
            "Speed"
          ],
          "experimentMetadata": {
            "stats": {
              "min": 30.0,
              "max": 33.0,
              "mean": 31.375,
              "std": 1.0606601717798212,
              "count": 8
            }
          },
          "controlMetadata": {
            "stats": {
              "min": 10.0,
              "max": 13.0,
              "mean": 11.375,
              "std": 1.0606601717798212,
              "count": 8
            }
          },
          "resultMetadata": {
            "ratio": 2.758241758241758
          },
          "critical": false,
          "muted": false
        }
      ],
      "groupScores": [
        {
          "name": "Speed",
          "score": 0.0,
          "classification": "",
          "classificationReason": ""
        }
      ],
      "score": {
        "score": 0.0,
        "classification": "Fail",
        "classificationReason": ""
      }
    }
    "#);
}

#[test]
fn input_comes_from_standard_input_too() {
    let folder = Folder::usual().stdin(HEALTHY_TOO);
    assert_eq!(folder.run("judge --baseline b.csv --canary - --quiet").0, 0);
    let folder = Folder::usual().stdin(CONFIG);
    assert_eq!(
        folder
            .run("judge --config - --baseline b.csv --canary c.csv --quiet")
            .0,
        0
    );
    insta::assert_snapshot!(folder.brief("judge --config - --data -"), @r"
    exit 2

    ---
    error: `-` is given twice; standard input can be read once only

    1 error. Nothing was judged.
    ");
}

#[test]
fn packed_input_is_read_as_it_is() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(SLOW.as_bytes()).unwrap();
    let folder = Folder::usual().file("slow.csv.gz", packed.finish().unwrap());
    assert_eq!(
        folder
            .run("judge --baseline b.csv --canary slow.csv.gz --quiet")
            .0,
        1
    );
}

#[test]
fn colour_is_asked_for_or_stays_away() {
    let colored = |folder: Folder, arguments: &str| {
        let (_, stdout, _) = folder.run(&format!(
            "judge --baseline b.csv --canary slow.csv {arguments}"
        ));
        stdout.contains("\x1b[")
    };
    assert!(!colored(Folder::usual(), ""));
    assert!(!colored(Folder::usual(), "--color never"));
    assert!(colored(Folder::usual(), "--color always"));
    assert!(!colored(
        Folder::usual().env("NO_COLOR", "1"),
        "--color auto"
    ));
    let (_, _, stderr) = Folder::usual().run("judge --color always --baseline none --canary c.csv");
    assert!(stderr.starts_with("\x1b[1;31merror\x1b[0m: "), "{stderr:?}");
}

#[test]
fn ascii_output_is_ascii() {
    let (_, stdout, _) =
        Folder::usual().run("judge --ascii --all --baseline b.csv --canary slow.csv");
    assert!(stdout.is_ascii(), "{stdout}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::usual();
    let mut child = folder
        .command("judge --baseline b.csv --canary slow.csv --format json")
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn completions_name_every_verb() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, stdout, _) = Folder::new().run(&format!("completions {shell}"));
        assert_eq!(code, 0);
        for verb in ["judge", "validate", "report", "demo", "completions"] {
            assert!(stdout.contains(verb), "{shell} lacks {verb}");
        }
    }
}

#[test]
fn help_is_no_error_and_a_wrong_flag_is() {
    let folder = Folder::new();
    let (code, stdout, _) = folder.run("judge --help");
    assert_eq!(code, 0);
    for flag in [
        "--pairs",
        "--baseline",
        "--data",
        "--pass",
        "--save",
        "--report",
        "--quiet",
    ] {
        assert!(stdout.contains(flag), "{flag}");
    }
    assert!(
        !stdout.contains("--now"),
        "an option of the tests is hidden"
    );
    insta::assert_snapshot!(folder.brief("judge"), @r#"
    exit 2

    ---
    error: the following required arguments were not provided:
      <--pairs <FILE>|--data <FILE>|--baseline <FILE|SCOPE>|--canary <FILE|SCOPE>|--source <NAME>|--prometheus <URL>>

    Usage: coalmine judge [OPTIONS] --baseline <FILE> --canary <FILE>
           coalmine judge [OPTIONS] --data <FILE>
           coalmine judge [OPTIONS] --pairs <FILE>
           coalmine judge [OPTIONS] --config <FILE> <--source <NAME>|--prometheus <URL>>
                  --baseline <SCOPE> --canary <SCOPE> --lookback <TIME>

    For more information, try '--help'.
    "#);
    insta::assert_snapshot!(folder.brief("judge --baseline b.csv"), @r#"
    exit 2

    ---
    error: the following required arguments were not provided:
      --canary <FILE|SCOPE>

    Usage: coalmine judge [OPTIONS] --baseline <FILE> --canary <FILE>
           coalmine judge [OPTIONS] --data <FILE>
           coalmine judge [OPTIONS] --pairs <FILE>
           coalmine judge [OPTIONS] --config <FILE> <--source <NAME>|--prometheus <URL>>
                  --baseline <SCOPE> --canary <SCOPE> --lookback <TIME>

    For more information, try '--help'.
    "#);
    insta::assert_snapshot!(folder.brief("judge --pairs a --data b"), @r#"
    exit 2

    ---
    error: the argument '--pairs <FILE>' cannot be used with '--data <FILE>'

    Usage: coalmine judge [OPTIONS] --baseline <FILE> --canary <FILE>
           coalmine judge [OPTIONS] --data <FILE>
           coalmine judge [OPTIONS] --pairs <FILE>
           coalmine judge [OPTIONS] --config <FILE> <--source <NAME>|--prometheus <URL>>
                  --baseline <SCOPE> --canary <SCOPE> --lookback <TIME>

    For more information, try '--help'.
    "#);
    insta::assert_snapshot!(folder.brief("jugde"), @r"
    exit 2

    ---
    error: unrecognized subcommand 'jugde'

      tip: a similar subcommand exists: 'judge'

    Usage: coalmine [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}
