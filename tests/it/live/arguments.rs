//! What is said about arguments that cannot be meant. Nothing listens at the address.

use super::config;
use crate::cli::Folder;

const SIDES: &str = "--prometheus http://127.0.0.1:9 --config web.yaml --baseline v1 --canary v2";

fn folder() -> Folder {
    Folder::usual().file("web.yaml", config(""))
}

/// Exit 2, nothing on standard output, and the text on standard error.
#[track_caller]
fn refused(folder: &Folder, arguments: &str) -> String {
    let (exit, stdout, stderr) = folder.run(arguments);
    assert_eq!((exit, stdout.as_str()), (2, ""), "{stderr}");
    stderr
}

#[test]
fn both_sides_must_differ() {
    let folder = folder();
    let live = "judge --prometheus http://127.0.0.1:9 --config web.yaml --lookback 1h";
    insta::assert_snapshot!(refused(&folder, &format!("{live} --baseline v1 --canary v1")), @r#"
    error: both sides are `v1`, in the same place and at the same time: the canary would be compared with itself, and pass
    hint: name them by `--baseline` and `--canary`, or tell them apart by location, parameter or `--baseline-offset`
    hint: `--allow-same` does it all the same, to see what chance does

    1 error. Nothing was judged.
    "#);
    insta::assert_snapshot!(refused(&folder, live), @r#"
    error: both sides are without a name, in the same place and at the same time: the canary would be compared with itself, and pass
    hint: name them by `--baseline` and `--canary`, or tell them apart by location, parameter or `--baseline-offset`
    hint: `--allow-same` does it all the same, to see what chance does

    1 error. Nothing was judged.
    "#);
    // Told apart by anything else, they may have one name; what then fails is the store.
    for apart in [
        "--baseline-location eu",
        "--canary-param zone=b",
        "--baseline-offset 1h",
        "--allow-same",
    ] {
        let (exit, _, stderr) = folder.run(&format!("{live} --scope v1 {apart} --deadline 1ms"));
        assert_eq!(exit, 4, "{apart}: {stderr}");
    }
}

#[test]
fn a_window_is_one_that_has_passed() {
    let folder = folder();
    let mut said = String::new();
    for window in [
        "",
        "--start -1h --end -2h",
        "--start -1h --end -1h",
        "--lookback 1h --end 2024-05-01T12:00:01Z",
        "--start 90m",
        "--lookback 0s",
        "--lookback 1h --step 1500ms",
    ] {
        said.push_str(&refused(&folder, &format!("judge {SIDES} {window}")));
    }
    insta::assert_snapshot!(said, @r#"
    error: the window has no begin; expected `--start TIME` or `--lookback TIME`

    1 error. Nothing was judged.
    error: the window begins at 2024-05-01T11:00:00Z and ends at 2024-05-01T10:00:00Z; expected a begin before the end

    1 error. Nothing was judged.
    error: the window begins at 2024-05-01T11:00:00Z and ends at 2024-05-01T11:00:00Z; expected a begin before the end

    1 error. Nothing was judged.
    error: the window ends at 2024-05-01T12:00:01Z, and now it is 2024-05-01T12:00:00Z; expected an end that is not to come
    hint: the service waits for windows that are to come: `coalmine serve`

    1 error. Nothing was judged.
    error: invalid value '90m' for '--start <TIME>': expected a time such as `2026-03-12T11:00:00Z`, `now` or `-90m`; `-90m` is so long ago

    For more information, try '--help'.
    error: invalid value '0s' for '--lookback <TIME>': expected more than no time

    For more information, try '--help'.
    error: invalid value '1500ms' for '--step <TIME>': expected whole seconds

    For more information, try '--help'.
    "#);
}

#[test]
fn files_and_stores_are_not_mixed() {
    let folder = folder();
    let mut said = String::new();
    for arguments in [
        "judge --prometheus http://127.0.0.1:9 --config web.yaml --baseline b.csv --canary c.csv --lookback 1h",
        "judge --prometheus http://127.0.0.1:9 --baseline v1 --canary v2 --lookback 1h",
        "judge --prometheus http://127.0.0.1:9 --config config.yaml --baseline v1 --canary v2 --lookback 1h",
    ] {
        said.push_str(&refused(&folder, arguments));
    }
    insta::assert_snapshot!(said, @r#"
    error: `b.csv` is a file; with `--prometheus` the sides are scopes, such as a version or a server group
    hint: files are judged without `--prometheus`

    error: `c.csv` is a file; with `--prometheus` the sides are scopes, such as a version or a server group
    hint: files are judged without `--prometheus`

    2 errors. Nothing was judged.
    error: a metric store is asked by the queries of a canary config; expected `--config FILE`

    1 error. Nothing was judged.
    error: the metric `latency` has no `query`; a metric store is asked by the config's queries

    1 error. Nothing was judged.
    "#);
    for arguments in [
        "judge --baseline b.csv --canary c.csv --lookback 1h",
        "judge --baseline b.csv --canary c.csv --location eu",
        "judge --source prod --prometheus http://127.0.0.1:9 --config web.yaml --lookback 1h",
        "judge --source prod --config web.yaml --pairs b.csv --lookback 1h",
        "judge --source prod --config web.yaml --scope v1 --baseline v1 --canary v2 --lookback 1h",
        "judge --server-config x.yaml --baseline b.csv --canary c.csv",
        "fetch --config web.yaml --baseline v1 --canary v2 --lookback 1h",
    ] {
        refused(&folder, arguments);
    }
}

#[test]
fn an_account_is_looked_for_in_the_server_config() {
    let judge = "judge --source prod --config web.yaml --baseline v1 --canary v2 --lookback 1h";
    let here = "judge --source prod --server-config coalmine.yaml --config web.yaml --baseline v1 --canary v2 --lookback 1h";
    let mut said = refused(&folder(), judge);
    let server = "version: coalmine/v1\naccounts:\n  - { type: prometheus, name: staging, baseUrl: 'http://127.0.0.1:9' }\n";
    said.push_str(&refused(&folder().file("coalmine.yaml", server), here));
    let named = folder()
        .file("other.yaml", server)
        .env("COALMINE_CONFIG", "other.yaml");
    said.push_str(&refused(&named, judge));
    let broken = folder().file("coalmine.yaml", server.replace("accounts", "acounts"));
    said.push_str(&refused(&broken, here));
    let scrape = "version: coalmine/v1\naccounts:\n  - { type: scrape, name: prod, instances: { v1: ['127.0.0.1:9'] } }\n";
    said.push_str(&refused(&folder().file("coalmine.yaml", scrape), here));
    insta::assert_snapshot!(said, @r#"
    error: no server config tells of the account `prod`; expected `--server-config FILE` or the variable `COALMINE_CONFIG`
    hint: `--prometheus URL` reads from a Prometheus without any

    1 error. Nothing was judged.
    error: no account is called `prod`; `coalmine.yaml` has `staging`

    1 error. Nothing was judged.
    error: no account is called `prod`; `other.yaml` has `staging`

    1 error. Nothing was judged.
    error: acounts: unknown key `acounts`
      ┌─ coalmine.yaml:2:1
      │
    2 │ acounts:
      │ ^^^^^^^ expected `accounts`, `allowedHosts`, `allowedOrigins`, `auth`, `collect`, `dataDir`, `deployments`, `health`, `judging`, `limits`, `listen`, `logging`, `notify`, `retention`, `shutdownGrace`, `storageAccounts`, `version` or `worker`
      = hint: did you mean `accounts`?

    1 error. Nothing was judged.
    error: the account `prod` reads pages of instances, which know nothing of the past; expected a metric store or files
    hint: `coalmine serve` reads such pages while a canary runs

    1 error. Nothing was judged.
    "#);
}

#[test]
fn a_folder_of_files_can_be_an_account() {
    let folder = folder().file(
        "coalmine.yaml",
        "version: coalmine/v1\naccounts:\n  - { type: files, name: here, folder: . }\n",
    );
    let config = config("")
        .replace("name: requests", "name: latency")
        .replace("  - name: errors", "  - name: other");
    let folder = folder.file("latency.yaml", config);
    let (exit, text, stderr) = folder.run(
        "fetch --source here --server-config coalmine.yaml --config latency.yaml --baseline b --canary slow --start 1970-01-01T00:00:00Z --end 1970-01-01T00:07:00Z",
    );
    assert_eq!(exit, 0, "{text}{stderr}");
    insta::assert_snapshot!(text, @r#"
    slow against b
    1 Jan 1970, 00:00 to 00:07 UTC, step 60 s
    from here

    Metric   Side      Points  First  Last   Minimum  Median  Maximum
    latency  baseline  8 of 8  00:00  00:07       10    11.5       13
             canary    8 of 8  00:00  00:07       30    31.5       33
    other    baseline  no data
             canary    no data

    warning: `other` (baseline): `b.csv` has no metric of this name
    warning: `other` (canary): `slow.csv` has no metric of this name

    latency
      baseline  b latency
      canary    slow latency
    other
      baseline  b other
      canary    slow other
    "#);
}
