//! The README's tour of the service works as written: its commands are run by a shell, on another port.

use std::process::Command;

use serde_json::Value;

use crate::serve::server::{Server, command_of, until};

/// The shell commands of the tour's step `number`, one text for each block.
fn blocks(number: u32) -> Vec<String> {
    let readme = include_str!("../../README.md");
    let start = readme.find(&format!("**{number}. ")).unwrap();
    let end = readme.find(&format!("**{}. ", number + 1)).unwrap();
    let mut blocks = Vec::new();
    let mut rest = &readme[start..end];
    while let Some((_, after)) = rest.split_once("```sh\n") {
        let (block, after) = after.split_once("```").unwrap();
        blocks.push(block.to_owned());
        rest = after;
    }
    blocks
}

/// Runs `script` in the root of the project, and gives what it prints.
#[track_caller]
fn shell(script: &str) -> String {
    let out = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(
        out.status.success(),
        "{script}\n{text}\n{}",
        String::from_utf8_lossy(&out.stderr)
    );
    text
}

#[test]
fn the_tour_of_the_service_works_as_written() {
    let [serve, post, follow] = &blocks(5)[..] else {
        panic!("the tour has other steps than this test knows");
    };
    let data = tempfile::tempdir().unwrap();
    // The server is started as the README says, but for the port and the folder.
    let (folder, line) = serve.trim().split_once('\n').unwrap();
    let folder = folder.strip_prefix("cd ").unwrap();
    let arguments = line.strip_prefix("coalmine ").unwrap();
    let mut server = command_of(arguments.split(' '));
    server.current_dir(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    server
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data.path());
    let server = Server::spawn(server);
    let here = |script: &str| script.replace("127.0.0.1:8090", &server.address.to_string());

    let answer: Value = serde_json::from_str(&shell(&here(post))).unwrap();
    let id = answer["canaryExecutionId"].as_str().unwrap();
    let script = here(follow).replace("ID=…", &format!("ID={id}"));
    let script = script.replace("> report.html", "");
    let told = shell(&script);
    assert!(told.contains("event: ended"), "{told}");
    assert!(told.contains(r#""status":"succeeded""#), "{told}");
    assert!(told.contains("<!DOCTYPE html>"), "{told}");
    assert!(told.contains("PodServerLatencyP95(s)"), "{told}");
    until(|| {
        server
            .get("/")
            .body
            .contains("recommendationservice")
            .then_some(())
    });
}
