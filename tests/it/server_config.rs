//! Stories of the server config: what is taken, what is refused, and what is never shown.

use std::path::Path;
use std::time::Duration;

use coalmine::config::problems::plain;
use coalmine::config::server::environment::VARIABLES;
use coalmine::config::server::host::host_name;
use coalmine::config::server::secret::SecretPlace;
use coalmine::config::server::{ServerConfig, duration, load, schema, without_file};

const SCHEMA: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/configs/server-config.schema.json"
);
const EXAMPLE: &str = include_str!("../../configs/examples/server.yaml");

fn variables(set: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    set.iter().map(owned).collect()
}

fn read(text: &str, set: &[(&str, &str)]) -> Result<ServerConfig, String> {
    let text = format!("version: coalmine/v1\n{text}");
    load(&text, Path::new("/etc/coalmine"), &variables(set)).map_err(|refused| {
        refused
            .problems
            .render("server.yaml", &refused.text, &plain)
    })
}

#[track_caller]
fn taken(text: &str, set: &[(&str, &str)]) -> ServerConfig {
    read(text, set).unwrap_or_else(|told| panic!("{told}"))
}

/// What is told of a config that is refused, each part of which must be there.
#[track_caller]
fn refused(text: &str, set: &[(&str, &str)], parts: &[&str]) -> String {
    let told = read(text, set).expect_err("a refusal");
    for part in parts {
        assert!(told.contains(part), "no `{part}` in:\n{told}");
    }
    told
}

/// Set `COALMINE_WRITE=1` to write the schema anew after a change of the wire types.
#[test]
fn the_committed_schema_of_the_server_config_is_current() {
    let mut current = serde_json::to_string_pretty(schema().json()).unwrap();
    current.push('\n');
    if std::env::var_os("COALMINE_WRITE").is_some() {
        std::fs::write(SCHEMA, &current).unwrap();
    }
    assert!(
        std::fs::read_to_string(SCHEMA).unwrap() == current,
        "configs/server-config.schema.json is not what the types say; run this test with COALMINE_WRITE=1"
    );
}

#[test]
fn the_shipped_example_loads() {
    let config = load(EXAMPLE, Path::new(""), &[]).unwrap_or_else(|it| panic!("{}", it.problems));
    assert_eq!(config.listen.to_string(), "0.0.0.0:8090");
    assert_eq!(config.accounts.len(), 3);
    assert_eq!(
        config.keep_finished,
        Some(Duration::from_secs(180 * 86_400))
    );
}

#[test]
fn the_comments_of_the_example_name_the_defaults() {
    let text = EXAMPLE
        .lines()
        .filter_map(|line| {
            let bare = line.trim_start();
            let indent = &line[..line.len() - bare.len()];
            match bare.strip_prefix("# ") {
                Some(key)
                    if key.starts_with(|c: char| c.is_lowercase()) && !key.contains("config's") =>
                {
                    Some(format!("{indent}{key}"))
                }
                Some(_) => None,
                // What differs from a default names the default behind it.
                None => Some(line.to_owned()),
            }
        })
        .filter(|line| !line.starts_with("yaml-language-server"))
        .collect::<Vec<_>>()
        .join("\n");
    let spelled = load(&text, Path::new(""), &[]).unwrap_or_else(|it| panic!("{}", it.problems));
    let short = load(EXAMPLE, Path::new(""), &[]).unwrap();
    assert_eq!(spelled, short);
}

#[test]
fn without_file_and_environment_there_are_defaults() {
    let config = without_file(&[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8090");
    assert_eq!(config.token, None);
    assert_eq!(config.data_dir, None);
    assert_eq!(config.accounts, []);
    assert_eq!(config, {
        let text = "version: coalmine/v1";
        load(text, Path::new(""), &[]).unwrap()
    });
}

#[test]
fn all_problems_are_told_at_once_each_with_its_place() {
    let told = refused(
        "lissten: 127.0.0.1:1\nworker: {concurrency: 0, lease: 5}\nlogging: {format: xml}\nretention: {keepFinished: 3 days}\n\
         accounts:\n  - {type: promethius, name: a}\n  - {type: prometheus, name: a, baseUrl: prometheus:9090}\n",
        &[],
        &[
            "did you mean `listen`?",
            "worker.concurrency",
            "worker.lease",
            "expected `text` or `json`",
            "`90d`, or `forever`",
            "did you mean `prometheus`?",
            "no `http://` or `https://`",
            "server.yaml:2:1",
        ],
    );
    assert_eq!(told.matches("error").count(), 7, "{told}");
}

#[test]
fn a_version_must_be_there_and_known() {
    for text in ["listen: 127.0.0.1:1", "version: coalmine/v2"] {
        let refused = load(text, Path::new(""), &[]).unwrap_err();
        assert!(refused.problems.to_string().contains("version: "), "{text}");
    }
}

#[test]
fn an_address_that_others_can_reach_needs_a_token() {
    for listen in [
        "0.0.0.0:8090",
        "'[::]:8090'",
        "10.0.0.7:80",
        "'[::ffff:10.0.0.7]:80'",
    ] {
        refused(
            &format!("listen: {listen}"),
            &[],
            &[
                "which other machines can reach, and no token",
                "COALMINE_TOKEN_FILE",
            ],
        );
        taken(
            &format!("listen: {listen}\nauth: {{token: {{env: T}}}}"),
            &[],
        );
    }
    for listen in [
        "127.0.0.1:0",
        "'[::1]:8090'",
        "localhost:8090",
        "127.3.2.1:8090",
    ] {
        assert!(
            taken(&format!("listen: {listen}"), &[])
                .listen
                .ip()
                .is_loopback()
        );
    }
    let told = refused(
        "",
        &[("COALMINE_LISTEN", "0.0.0.0:80")],
        &["COALMINE_LISTEN"],
    );
    assert!(!told.contains("server.yaml:1"), "{told}");
    refused(
        "",
        &[("COALMINE_LISTEN", "here")],
        &["COALMINE_LISTEN", "text `here`"],
    );
    refused("", &[("--listen", "here")], &["--listen", "text `here`"]);
}

#[test]
fn the_environment_wins_over_the_file_and_flags_over_both() {
    let text = "listen: 127.0.0.1:1\nauth: {token: {file: token}}\ndataDir: data\nworker: {concurrency: 3, lease: 7s}";
    let config = taken(text, &[]);
    assert_eq!(
        config.token,
        Some(SecretPlace::File("/etc/coalmine/token".into()))
    );
    assert_eq!(
        config.data_dir.as_deref(),
        Some(Path::new("/etc/coalmine/data"))
    );
    let set = [
        ("COALMINE_LISTEN", "127.0.0.1:2"),
        ("COALMINE_TOKEN", "not shown anywhere"),
        ("COALMINE_DATA_DIR", "elsewhere"),
        ("COALMINE_CONCURRENCY", "9"),
        ("COALMINE_LOG_FORMAT", ""),
        ("--listen", "127.0.0.1:3"),
    ];
    let config = taken(text, &set);
    assert_eq!(config.listen.port(), 3);
    assert_eq!(
        config.token,
        Some(SecretPlace::Environment("COALMINE_TOKEN".to_owned()))
    );
    assert_eq!(config.data_dir.as_deref(), Some(Path::new("elsewhere")));
    assert_eq!(
        (config.worker.concurrency, config.worker.lease.as_secs()),
        (9, 7)
    );
    assert!(!format!("{config:?}").contains("not shown"));
}

#[test]
fn every_variable_is_read() {
    for variable in VARIABLES {
        let value = match variable.name {
            "COALMINE_LISTEN" => "127.0.0.1:7",
            "COALMINE_ALLOWED_ORIGINS" => "https://a.example",
            "COALMINE_KEEP_FINISHED" => "forever",
            "COALMINE_CONCURRENCY" => "7",
            "COALMINE_LOG_FORMAT" => "json",
            "COALMINE_LOG_LEVEL" => "debug",
            _ => "seven",
        };
        let config = taken("", &[(variable.name, value)]);
        assert_ne!(config, taken("", &[]), "{}", variable.name);
    }
    let wrong = [
        "COALMINE_CONCURRENCY",
        "COALMINE_LOG_FORMAT",
        "COALMINE_LOG_LEVEL",
    ];
    let set = wrong.map(|name| (name, "many"));
    refused("", &set, &wrong);
}

#[test]
fn a_variable_that_is_written_wrongly_is_warned_about() {
    let config = taken(
        "",
        &[
            ("COALMINE_LISTN", "127.0.0.1:7"),
            ("COALMINE_WRITE", "1"),
            ("HOME", "/"),
        ],
    );
    assert_eq!(
        config.warnings,
        ["the variable `COALMINE_LISTN` is not read; did you mean `COALMINE_LISTEN`?"]
    );
}

#[test]
fn a_timeout_beyond_the_answers_deadline_is_warned_about() {
    let account = |timeout: &str| {
        format!(
            "accounts:\n- {{type: prometheus, name: prom, baseUrl: 'https://example.com'{timeout}}}\n"
        )
    };
    let warnings = |text: &str| taken(text, &[]).warnings;
    assert_eq!(
        warnings(&account(", timeout: 2m")),
        [
            "account `prom`: `timeout` is 120 s, and every question ends after `collect.answerDeadline`, 60 s; raise the latter above it"
        ]
    );
    let text = format!(
        "{}collect: {{answerDeadline: 3m}}",
        account(", timeout: 2m")
    );
    assert!(warnings(&text).is_empty());
    assert!(warnings(&account(", timeout: 59s")).is_empty());
    assert!(warnings(&account("")).is_empty());
}

#[test]
fn a_secret_in_the_config_is_refused_and_not_shown() {
    for text in [
        "auth: {token: s3cr3t}",
        "auth:\n  token: s3cr3t",
        "auth:\n  tokn: s3cr3t",
        "auth:\n  token: 53137\n",
        "token: s3cr3t",
        "accounts:\n- type: prometheus\n  name: a\n  baseUrl: https://me:s3cr3t@example.com",
        "accounts:\n- type: prometheus\n  name: a\n  baseUrl: https://example.com\n  auth:\n    type: basic\n    username: me\n    password: s3cr3t",
        "accounts:\n- type: prometheus\n  name: a\n  baseUrl: https://example.com\n  headers:\n    X-Scope-OrgID: s3cr3t",
        "accounts:\n- {type: prometheus, name: a, baseUrl: 'https://example.com', auth: {type: bearer, token: s3cr3t}}",
    ] {
        let told = refused(text, &[], &["error"]);
        assert!(
            !told.contains("s3cr3t") && !told.contains("53137"),
            "{told}"
        );
    }
    refused(
        "auth: {token: s3cr3t}",
        &[],
        &["auth.token", "`{file: PATH}` or `{env: NAME}`"],
    );
    refused("auth: {token: {}}", &[], &["neither `file` nor `env`"]);
    refused(
        "auth: {token: {file: a, env: B}}",
        &[],
        &["both `file` and `env`"],
    );
}

#[test]
fn names_of_accounts_are_unique() {
    let account = "{type: prometheus, name: a, baseUrl: 'http://a'}";
    refused(
        &format!("accounts: [{account}, {account}]"),
        &[],
        &["accounts[1].name", "the name `a` a second time"],
    );
}

#[test]
fn hosts_and_origins_are_plain() {
    let config = taken(
        "allowedHosts: [Canary.Example.com]\nallowedOrigins: ['https://UI.example.com:8443']",
        &[],
    );
    assert_eq!(config.allowed_hosts, ["canary.example.com"]);
    assert_eq!(config.allowed_origins, ["https://ui.example.com:8443"]);
    refused(
        "allowedHosts: ['https://a.example', 'a.example:80', '*']\nallowedOrigins: ['*', 'a.example', 'https://a.example/']",
        &[],
        &[
            "allowedHosts[0]",
            "allowedHosts[1]",
            "allowedHosts[2]",
            "allowedOrigins[0]",
            "allowedOrigins[1]",
            "allowedOrigins[2]",
        ],
    );
}

#[test]
fn durations_are_whole_numbers_with_units() {
    for (text, ms) in [
        ("0s", 0),
        ("250ms", 250),
        ("30s", 30_000),
        ("1h30m", 5_400_000),
        ("90d", 7_776_000_000),
        ("2w", 1_209_600_000),
        (" 5m ", 300_000),
    ] {
        assert_eq!(
            duration::parse(text),
            Some(Duration::from_millis(ms)),
            "{text}"
        );
    }
    for text in [
        "",
        "5",
        "m",
        "-5m",
        "1.5h",
        "5 m",
        "5m5",
        "5min",
        "18446744073709551615s",
        "300000000y",
        "9999999999999999w",
    ] {
        assert_eq!(duration::parse(text), None, "{text}");
    }
}

#[test]
fn hosts_are_kept_as_requests_name_them() {
    let config = taken(
        "allowedHosts: [Canary.Example.com., '[2001:DB8:0::1]', '2001:db8::2', 10.1.2.3]\n",
        &[],
    );
    let expected = [
        "canary.example.com",
        "2001:db8::1",
        "2001:db8::2",
        "10.1.2.3",
    ];
    assert_eq!(config.allowed_hosts, expected);
    let requested = [
        "canary.example.com:80",
        "[2001:db8::1]:80",
        "[2001:db8:0:0::2]",
        "10.1.2.3:1",
    ];
    assert_eq!(requested.map(host_name), expected);
    for wrong in [
        "canary.example.com:8090",
        "'[::1]:80'",
        "'[canary]'",
        "'.'",
        "'http://a'",
        "'*'",
    ] {
        let told = refused(
            &format!("allowedHosts: [{wrong}]\n"),
            &[],
            &["allowedHosts[0]", "without scheme, port and path"],
        );
        assert_eq!(told.matches("error").count(), 1, "{told}");
    }
}

#[test]
fn a_mistake_in_the_syntax_shows_no_secret() {
    for text in [
        "auth: {token: s3cr3t",
        "auth: {token: s3cr3t, }}\nlisten: [",
        "{\"listen\": \"127.0.0.1:1\", \"auth\": {\"token\": \"s3cr3t\" \"x\"}}",
        "auth:\n  token: |\n    a: s3cr3t\n   b: s3cr3t\n  : [",
        "auth:\n  token:\n    - s3cr3t [\n    s3cr3t ]]\n",
        "auth: {token:\n  s3cr3t ]",
        "listen: 1\n  auth: {password: \"s3cr3t",
    ] {
        let whole = text.starts_with('{');
        let text = if whole {
            text.to_owned()
        } else {
            format!("version: coalmine/v1\n{text}")
        };
        let refused = load(&text, Path::new(""), &[]).expect_err(&text);
        let told = refused
            .problems
            .render("server.yaml", &refused.text, &plain);
        assert!(!told.contains("s3cr3t"), "{text}\n---\n{told}");
        assert!(
            !refused.text.contains("s3cr3t"),
            "{text}\n---\n{}",
            refused.text
        );
    }
}

#[test]
fn without_deployments_there_is_this_machine() {
    use coalmine::config::server::deployments::{Deployment, DeploymentKind};
    assert_eq!(taken("", &[]).deployments, [Deployment::local()]);
    assert_eq!(taken("deployments: []", &[]).deployments, []);
    let two = taken(
        "deployments: [{type: local, name: a}, {type: local, name: b-1, dir: run/b}]",
        &[],
    );
    let dirs: Vec<(&str, Option<&Path>)> = two
        .deployments
        .iter()
        .map(|deployment| {
            let DeploymentKind::Local { dir } = &deployment.kind;
            (deployment.name.as_str(), dir.as_deref())
        })
        .collect();
    let expected = [("a", None), ("b-1", Some(Path::new("/etc/coalmine/run/b")))];
    assert_eq!(dirs, expected);
}

#[test]
fn a_deployment_has_a_name_and_a_folder_of_its_own() {
    refused(
        "deployments:\n\
         - {type: local, name: a, dir: x}\n\
         - {type: local, name: a, dir: x}\n\
         - {type: local, name: ../up}\n\
         - {type: local}\n\
         - {type: kubernetes, name: k}\n\
         - {type: local, name: e, dir: \"\"}\n",
        &[],
        &[
            "deployments[1].name: the name `a` a second time",
            "deployments[1].dir: the folder `/etc/coalmine/x` a second time",
            "deployments[2].name: text `../up`",
            "deployments[3].name: missing",
            "deployments[4].type: unknown value `kubernetes`",
        ],
    );
    let empty = "deployments: [{type: local, name: e, dir: \"\"}]";
    refused(empty, &[], &["deployments[0].dir: an empty text"]);
}
