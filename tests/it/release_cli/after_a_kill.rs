//! A command is killed in the middle of its release; the service that comes next finishes it, though it starts none.

use std::process::{Child, Stdio};

use super::Local;
use crate::serve::server::{Server, command_of, until};

/// Never up, and given up after some seconds.
const SPEC: &str = "\
version: coalmine/v1
application: search
artifact: {version: 5.3.9, reference: never}
targets:
  - size: 1
    process:
      command: [/bin/sh, -c, 'exec sleep 600', '{port}']
      health: {path: /health, interval: 100ms}
promotion: {strategy: redBlack}
limits: {healthy: 5s}
";

/// Ended with the test, whatever happens.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn kept(local: &Local) -> String {
    let path = "data/deployments/local/state.json";
    std::fs::read_to_string(local.0.folder.path().join(path)).unwrap_or_default()
}

#[test]
fn a_server_without_a_token_finishes_what_a_killed_command_began_and_starts_nothing() {
    let local = Local::new();
    std::fs::write(local.0.folder.path().join("late.yaml"), SPEC).unwrap();
    let mut run = local.0.program("run late.yaml --yes --data-dir data");
    run.stdout(Stdio::null()).stderr(Stdio::null());
    let mut run = Started(run.spawn().unwrap());
    until(|| kept(&local).contains("search-v000").then_some(()));
    run.0.kill().unwrap();
    run.0.wait().unwrap();

    let mut serve = command_of(["serve", "--data-dir", "data", "--listen", "127.0.0.1:0"]);
    serve.current_dir(local.0.folder.path());
    let server = Server::spawn(serve);
    let release = server.get("/releases").json()["releases"][0].clone();
    let id = release["id"].as_str().unwrap();
    let ended = server.ended(id);
    assert_eq!(ended["status"], "terminal", "{ended:#}");
    let status = server.get(&format!("/releases/{id}")).json();
    let headline = status["headline"]["text"].as_str().unwrap();
    assert!(headline.starts_with("Rolled back"), "{headline}");
    assert!(
        headline.contains("0 of 1"),
        "not for another reason: {headline}"
    );
    assert!(!kept(&local).contains("search-v000"), "{}", kept(&local));

    // The command finds the server by its folder.
    for verb in ["plan late.yaml", "run late.yaml --yes"] {
        let done = local.run(&format!("{verb} --data-dir data"));
        assert_eq!(done.code, 5, "{verb}: {done:?}");
        assert!(
            done.stderr.contains("releases nothing new") && done.stderr.contains("no token"),
            "{verb}: {done:?}"
        );
    }
    let all = server.get("/releases").json();
    assert_eq!(all["releases"].as_array().map(Vec::len), Some(1), "{all:#}");
    server.stop();
    let stopped = local.stop(&[]);
    assert!(stopped.stdout.contains("held nothing"), "{stopped:?}");
}
