//! `coalmine release …` against a service that plays a script.

mod after_a_kill;

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use coalmine::executions::event::Event;
use coalmine::executions::release::desk::Planned;
use coalmine::executions::release::event::{Cause, Decision, ReleaseEvent};
use coalmine::store::data_dir::DataDir;
use coalmine::ui::release::plan::PlanStatus;
use coalmine::ui::release::status::ReleaseStatus;
use coalmine_judges::judgement::Verdict;
use serde_json::{Value, json};

use crate::release_view::fixture::{ID, Story, note, plan, way_back};
use crate::scripted_http::{Reply, ScriptedHttp, Seen};

/// The service, and a folder in which the program runs.
struct Bench {
    folder: tempfile::TempDir,
    server: ScriptedHttp,
}

/// What a call came to.
#[derive(Debug)]
struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

const SPEC: &str = "\
version: coalmine/v1
application: search
artifact: {version: 5.3.9, reference: 'search:5.3.9'}
targets: [{name: eu, account: shop, location: eu-west-1}]
promotion: {strategy: redBlack}
";

impl Bench {
    fn new(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("search.yaml"), SPEC).unwrap();
        Self {
            folder,
            server: ScriptedHttp::start(script),
        }
    }

    fn program(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coalmine"));
        command
            .arg("release")
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear()
            .env("USER", "kim")
            .env("HOSTNAME", "laptop")
            .env("HOME", self.folder.path())
            .stdin(std::process::Stdio::null());
        command
    }

    fn ends(command: &mut Command) -> Done {
        let output = command.output().unwrap();
        Done {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Calls the program with the address of the service.
    fn run(&self, arguments: &str) -> Done {
        let mut command = self.program(arguments);
        command.args(["--server", &self.server.url()]);
        Self::ends(&mut command)
    }
}

fn ok(value: &impl serde::Serialize) -> Reply {
    Reply::new(200, serde_json::to_string(value).unwrap())
}

fn refused(status: u16, message: &str) -> Reply {
    Reply::new(status, json!({ "message": message }).to_string())
}

fn story_of(tell: impl FnOnce(&mut Story)) -> Story {
    let mut story = Story::new();
    story.grew();
    tell(&mut story);
    story
}

fn seen_of(story: &Story) -> ReleaseStatus {
    ReleaseStatus::of(&story.look(Vec::new()), story.now).unwrap()
}

fn status_of(tell: impl FnOnce(&mut Story)) -> ReleaseStatus {
    seen_of(&story_of(tell))
}

/// The journal of a story as the service tells it to one who has the events that it says it has.
fn events(story: &Story, seen: &Seen) -> Reply {
    let has: u64 = seen.header("last-event-id").parse().unwrap();
    let mut text = ": still here\n\n".to_owned();
    for (place, (at, event)) in story.journal.iter().enumerate() {
        let seq = place as u64 + 1;
        if seq > has {
            let at = coalmine::ui::release::At(*at);
            let data = json!({"seq": seq, "at": at, "event": event});
            text.push_str(&format!(
                "id: {seq}\nevent: {}\ndata: {data}\n\n",
                event.word()
            ));
        }
    }
    Reply::new(200, text).with("content-type", "text/event-stream")
}

fn running() -> ReleaseStatus {
    status_of(|story| story.judged(7, Verdict::Pass, 93.0))
}

fn story_rolled_back() -> Story {
    story_of(|story| {
        story.judged(7, Verdict::Pass, 93.0);
        story.judged(8, Verdict::Fail, 61.0);
        story.ends(way_back());
    })
}

fn rolled_back() -> ReleaseStatus {
    seen_of(&story_rolled_back())
}

fn promoted() -> ReleaseStatus {
    seen_of(&story_promoted())
}

fn story_promoted() -> Story {
    story_of(|story| {
        for stage in 7..13 {
            story.judged(stage, Verdict::Pass, 100.0);
        }
        story.follows();
        story.operates(14, None, 2);
        story.operates(15, None, 1);
        story.ends(Vec::new());
    })
}

fn planned() -> PlanStatus {
    let planned = Planned {
        plan: plan(),
        notes: vec![note("window", "open until 16:00 UTC")],
        rollback: way_back(),
    };
    PlanStatus::planned(&planned, 0)
}

#[test]
fn status_is_shown_for_people_and_for_programs() {
    let bench = Bench::new(|seen| match seen.path.as_str() {
        "/releases/2C81WXYZ" => ok(&running()),
        _ => refused(404, "there is no release `x`"),
    });
    let done = bench.run("status 2C81WXYZ");
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.stdout
            .contains("◉ Judging: search 5.4.0 scored 93 at 25%, Pass")
    );
    let abort = format!(
        "coalmine release abort 2C81WXYZ --server {}",
        bench.server.url()
    );
    assert!(
        done.stdout.contains(&abort),
        "commands can be copied: {}",
        done.stdout
    );
    let done = bench.run("status 2C81WXYZ --format json");
    let status: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&status["id"], &status["version"]), (&json!(ID), &json!(1)));
    let done = bench.run("status 2C81WXYZ --ascii");
    assert!(done.stdout.is_ascii() && done.stdout.contains("> Judging"));
    let done = bench.run("status OTHERONE");
    assert_eq!(done.code, 2, "{done:?}");
    assert!(done.stderr.contains("there is no release `x`"));
}

#[test]
fn waiting_survives_a_service_that_goes_away_and_ends_with_the_outcome() {
    let (asked, story) = (AtomicUsize::new(0), story_rolled_back());
    let bench = Bench::new(move |seen| {
        if seen.path.ends_with("/events") {
            return events(&story, seen);
        }
        match asked.fetch_add(1, Ordering::SeqCst) {
            0 => ok(&running()),
            1 => Reply::nothing(),
            2 => refused(503, "the store is away"),
            _ => ok(&rolled_back()),
        }
    });
    let done = bench.run("status 2C81WXYZ --wait");
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.stderr.contains("no answer from"), "{done:?}");
    assert!(done.stderr.contains("answers again"), "{done:?}");
    let count = |part: &str| done.stdout.matches(part).count();
    assert_eq!(count("judgement=4 verdict=pass"), 1, "{}", done.stdout);
    assert_eq!(count("judgement=5 verdict=fail score=61"), 1);
    assert_eq!(count("decided=rolledBack cause=verdict"), 1);
    assert!(done.stdout.contains("✕ Rolled back: judgement 5 is Fail"));
}

#[test]
fn each_outcome_has_its_exit_code() {
    let decided = |decision, cause| {
        status_of(move |story| {
            story.release(ReleaseEvent::Decided {
                decision,
                cause,
                reason: "so it is".to_owned(),
                by: None,
            });
            story.ends(way_back());
        })
    };
    let called_off = status_of(|story| {
        story.happens(&Event::CancelRequested {
            by: "kim".to_owned(),
            reason: String::new(),
        });
        story.ends(way_back());
    });
    let cases = [
        (promoted(), 0),
        (rolled_back(), 1),
        (decided(Decision::RolledBack, Cause::NoAnswer), 3),
        (decided(Decision::RolledBack, Cause::Operation), 4),
        (decided(Decision::RolledBack, Cause::Person), 5),
        (called_off, 5),
    ];
    for (status, code) in cases {
        let what = status.headline.text.clone();
        let bench = Bench::new(move |_| ok(&status));
        let done = bench.run("status 2C81WXYZ --wait --format json");
        assert_eq!(done.code, code, "{what}: {done:?}");
        let shown: Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!(shown["headline"]["text"], json!(what));
    }
}

#[test]
fn what_takes_too_long_is_not_waited_for() {
    let bench = Bench::new(|seen| {
        if seen.path.ends_with("/events") {
            return Reply::nothing();
        }
        ok(&running())
    });
    let done = bench.run("status 2C81WXYZ --wait --timeout 300ms");
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.stderr.contains("not over yet"), "{done:?}");
    let done = bench.run("status 2C81WXYZ --wait --timeout soon");
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("a duration such as"), "{done:?}");
}

#[test]
fn a_person_answers_calls_off_and_takes_back() {
    let bench = Bench::new(|seen| match seen.path.as_str() {
        "/releases/2C81WXYZ/approve" | "/releases/2C81WXYZ/abort" => Reply::new(204, ""),
        "/releases/2C81WXYZ/rollback" => ok(&json!({"id": "01NEWRELEASE", "isNew": true})),
        "/releases/FORBIDDEN/approve" => refused(403, "`kim` may not answer; expected `ops`"),
        _ => refused(409, "nothing is asked"),
    });
    let told = |arguments: &str, code: i32| {
        let done = bench.run(arguments);
        assert_eq!(done.code, code, "{arguments}: {done:?}");
        done.stdout + &done.stderr
    };
    assert!(told("approve 2C81WXYZ --reason fine", 0).contains("Approved by kim@laptop"));
    assert!(told("approve 2C81WXYZ --reject --by ops", 0).contains("Rejected by ops"));
    assert!(told("abort 2C81WXYZ", 0).contains("Called off by kim@laptop"));
    assert!(told("rollback 2C81WXYZ --target eu --target us", 0).contains("WRELEASE brings back"));
    assert!(told("approve FORBIDDEN", 5).contains("expected `ops`"));
    assert!(told("approve IDLEIDLE", 5).contains("nothing is asked"));
    let bodies: Vec<Value> = bench.server.seen()[..4]
        .iter()
        .map(|seen| serde_json::from_str(&seen.body).unwrap())
        .collect();
    assert_eq!(
        bodies,
        [
            json!({"by": "kim@laptop", "reason": "fine", "choice": "approve"}),
            json!({"by": "ops", "reason": "", "choice": "reject"}),
            json!({"by": "kim@laptop", "reason": ""}),
            json!({"by": "kim@laptop", "reason": "", "targets": ["eu", "us"]}),
        ]
    );
}

#[test]
fn run_executes_the_plan_that_it_showed_and_starts_nothing_twice() {
    let (starts, story) = (AtomicUsize::new(0), story_promoted());
    let bench = Bench::new(
        move |seen| match (seen.method.as_str(), seen.path.as_str()) {
            (_, path) if path.ends_with("/events") => events(&story, seen),
            ("POST", "/releases/plan") => ok(&planned()),
            ("POST", "/releases") => match starts.fetch_add(1, Ordering::SeqCst) {
                0 => Reply::nothing(),
                _ => Reply::new(201, json!({ "id": ID }).to_string()),
            },
            _ => ok(&promoted()),
        },
    );
    let done = bench.run("run search.yaml --version 5.4.0 --yes");
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.contains("14 operations"), "{}", done.stdout);
    assert!(
        done.stdout
            .contains("Operation 4 is the first to move traffic")
    );
    assert!(done.stdout.contains("decided=promoted"));
    let asked: Value = serde_json::from_str(&bench.server.seen_at("/plan")[0].body).unwrap();
    assert_eq!(
        (&asked["spec"], &asked["version"]),
        (&json!(SPEC), &json!("5.4.0"))
    );
    let starts: Vec<Seen> = bench.server.seen_at("/releases");
    assert_eq!(starts.len(), 2, "asked again where no answer came");
    assert_eq!(
        starts[0].header("idempotency-key"),
        starts[1].header("idempotency-key")
    );
    assert_eq!(starts[0].header("idempotency-key").len(), 32);
    let body: Value = serde_json::from_str(&starts[1].body).unwrap();
    assert_eq!(body, json!({"planHash": plan().hash(), "by": "kim@laptop"}));

    let done = bench.run("run search.yaml --yes --detach --format json");
    assert_eq!(
        serde_json::from_str::<Value>(&done.stdout).unwrap(),
        json!({ "id": ID })
    );
}

#[test]
fn without_a_terminal_nothing_is_started_unless_told_so() {
    let bench = Bench::new(|_| ok(&planned()));
    let done = bench.run("run search.yaml");
    assert_eq!(done.code, 2, "{done:?}");
    assert!(done.stderr.contains("--yes"), "{done:?}");
    assert!(bench.server.seen().is_empty());
    std::fs::write(
        bench.folder.path().join("wrong.yaml"),
        "version: coalmine/v1\naplication: x\n",
    )
    .unwrap();
    let done = bench.run("plan wrong.yaml");
    assert_eq!(done.code, 2, "{done:?}");
    assert!(
        done.stderr.contains("aplication") && done.stderr.contains("wrong.yaml:2"),
        "{done:?}"
    );
    assert!(bench.server.seen().is_empty(), "what is wrong is told here");
    let done = bench.run("plan search.yaml --format json");
    let shown: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(shown["hash"], json!(plan().hash()));
}

#[test]
fn the_service_of_the_data_folder_is_found_and_told_the_token() {
    let bench = Bench::new(|seen| match seen.header("authorization") {
        "Bearer 0123456789abcdef" => ok(&json!({"releases": [{
            "id": ID, "application": "search", "status": "running", "state": "running",
            "shortId": "2C81WXYZ", "fromVersion": "5.3.2", "toVersion": "5.4.0",
            "sentence": "making judgement 4", "createdAt": "2026-03-12T12:04:07.000Z",
        }]})),
        _ => refused(401, "the token is missing or wrong"),
    });
    let data = bench.folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let none = Bench::ends(&mut bench.program("list --data-dir data"));
    assert_eq!(none.code, 4, "{none:?}");
    assert!(none.stderr.contains("coalmine serve"), "{none:?}");
    let address = json!({ "url": bench.server.url() });
    std::fs::write(data.join("service.json"), address.to_string()).unwrap();
    let stale = Bench::ends(&mut bench.program("list --data-dir data"));
    assert_eq!(stale.code, 4, "{stale:?}");
    assert!(
        bench.server.seen().is_empty(),
        "nobody serves the folder, and who has the port by now is not asked"
    );
    let served = DataDir::open(&data).unwrap();
    let without = Bench::ends(&mut bench.program("list --data-dir data"));
    assert_eq!(without.code, 2, "{without:?}");
    assert!(without.stderr.contains("COALMINE_TOKEN"), "{without:?}");
    let mut command = bench.program("list --data-dir data --application search");
    let listed = Bench::ends(command.env("COALMINE_TOKEN", "0123456789abcdef"));
    assert_eq!(listed.code, 0, "{listed:?}");
    assert!(
        listed
            .stdout
            .contains("2C81WXYZ  search       5.3.2 → 5.4.0  ◉ running  12 Mar 12:04:07"),
        "{}",
        listed.stdout
    );
    let last = bench.server.seen().pop().unwrap();
    assert_eq!(last.field("application"), "search");
    // One that is about to end does not listen any more.
    std::fs::write(
        data.join("service.json"),
        r#"{"url": "http://127.0.0.1:9"}"#,
    )
    .unwrap();
    let gone = Bench::ends(&mut bench.program("list --data-dir data"));
    assert_eq!(gone.code, 4, "{gone:?}");
    drop(served);
}

#[test]
fn a_service_that_cannot_answer_now_is_not_taken_for_none() {
    let bench = Bench::new(|_| refused(503, "the store is away"));
    let data = bench.folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let _served = DataDir::open(&data).unwrap();
    let address = json!({ "url": bench.server.url() });
    std::fs::write(data.join("service.json"), address.to_string()).unwrap();
    let done = Bench::ends(&mut bench.program("plan search.yaml --data-dir data"));
    assert_eq!(done.code, 4, "{done:?}");
    assert!(done.stderr.contains("the store is away"), "{done:?}");
}

#[test]
fn waiting_ends_where_only_a_person_can_help_who_can_then_resume() {
    let stuck = || {
        status_of(|story| {
            story.happens(&Event::GotStuck {
                stage: 7,
                error: "the group is gone".to_owned(),
            });
        })
    };
    let bench = Bench::new(move |seen| match seen.path.as_str() {
        "/releases/plan" => ok(&planned()),
        "/releases" => Reply::new(201, json!({ "id": ID }).to_string()),
        path if path.ends_with("/resume") => ok(&json!({"changed": true, "execution": {}})),
        path if path.ends_with("/events") => Reply::nothing(),
        _ => ok(&stuck()),
    });
    let resume = "coalmine release resume 2C81WXYZ";
    for verb in ["status 2C81WXYZ --wait", "run search.yaml --yes"] {
        let done = bench.run(verb);
        assert_eq!(done.code, 4, "{verb}: {done:?}");
        assert!(
            done.stderr
                .contains("the release is stuck: the group is gone"),
            "{done:?}"
        );
        assert!(done.stderr.contains(resume), "{done:?}");
    }
    let shown = bench.run("status 2C81WXYZ");
    assert!(shown.stdout.contains(resume), "{}", shown.stdout);
    let done = bench.run("resume 2C81WXYZ --reason mended");
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.contains("Resumed by kim@laptop"), "{done:?}");
    let asked = bench.server.seen().pop().unwrap();
    assert_eq!(asked.path, format!("/executions/{ID}/resume"));
    assert!(asked.body.contains("mended"), "{}", asked.body);
}

#[test]
fn a_time_in_which_no_answer_came_tells_nothing_of_the_release() {
    let bench = Bench::new(|_| refused(503, "the store is away"));
    let done = bench.run("status 2C81WXYZ --wait --timeout 300ms");
    assert_eq!(done.code, 4, "{done:?}");
    assert!(done.stderr.contains("never answered"), "{done:?}");
}

/// A spec for the local driver of an engine of the program's own, and what ends it.
struct Local(Bench);

impl Local {
    fn new() -> Self {
        let bench = Bench::new(|_| Reply::nothing());
        // It never says that it is well.
        let spec = "\
version: coalmine/v1
application: search
artifact: {version: 5.3.9, reference: never}
targets:
  - size: 1
    process:
      command: [/bin/sh, -c, 'exec sleep 600', '{port}']
      health: {path: /health, interval: 100ms}
promotion: {strategy: redBlack}
";
        std::fs::write(bench.folder.path().join("local.yaml"), spec).unwrap();
        Self(bench)
    }

    fn run(&self, arguments: &str) -> Done {
        Bench::ends(&mut self.0.program(arguments))
    }

    fn names(&self) -> Vec<String> {
        let data = std::fs::read_dir(self.0.folder.path().join("data")).unwrap();
        data.map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    fn stop(&self, arguments: &[&str]) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coalmine"));
        command
            .args(["supervise", "--stop", "--dir", "data/deployments/local"])
            .args(arguments)
            .current_dir(self.0.folder.path())
            .stdin(std::process::Stdio::null());
        Bench::ends(&mut command)
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.stop(&["--yes"]);
    }
}

#[test]
fn an_engine_of_its_own_takes_back_what_is_too_late_and_leaves_no_token() {
    let local = Local::new();
    let planned = local.run("plan local.yaml --data-dir data");
    assert_eq!(planned.code, 0, "{planned:?}");
    let done = local.run("run local.yaml --yes --timeout 2s --data-dir data");
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.stderr.contains("called off"), "{done:?}");
    assert!(done.stdout.contains("decided=calledOff"), "{done:?}");
    let names = local.names();
    for gone in ["service.json", "service.token"] {
        assert!(!names.contains(&gone.to_owned()), "{names:?}");
    }
    let stopped = local.stop(&[]);
    assert_eq!(stopped.code, 0, "nothing is held: {stopped:?}");
    assert!(stopped.stdout.contains("held nothing"), "{stopped:?}");
    assert!(done.stdout.contains("by=kim@laptop"), "{done:?}");

    // Nobody serves the folder any more, and what is kept there is shown all the same.
    let listed = local.run("list --data-dir data --format json");
    assert_eq!(listed.code, 0, "{listed:?}");
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let first = &listed["releases"][0];
    assert_eq!(
        (&first["state"], &first["toVersion"]),
        (&json!("calledOff"), &json!("5.3.9"))
    );
    let id = first["id"].as_str().unwrap();
    let status = local.run(&format!("status {id} --data-dir data"));
    assert_eq!(status.code, 0, "{status:?}");
    assert!(status.stdout.contains("⊘ Called off"), "{status:?}");
    let waited = local.run(&format!("status {id} --wait --data-dir data"));
    assert_eq!(waited.code, 5, "{waited:?}");
    for verb in ["abort", "approve", "rollback", "resume"] {
        let refused = local.run(&format!("{verb} {id} --data-dir data"));
        assert_eq!(refused.code, 4, "{refused:?}");
        assert!(refused.stderr.contains("only a service can"), "{refused:?}");
        assert!(
            refused.stderr.contains("`coalmine serve --data-dir data`"),
            "{refused:?}"
        );
    }
    assert!(
        !local.names().contains(&"service.token".to_owned()),
        "who looks writes nothing"
    );
}

#[test]
fn the_report_of_a_release_outlives_the_command_that_made_it() {
    let local = Local::new();
    let folder = local.0.folder.path();
    let config = include_str!("../../configs/examples/demo/sampleshop.canary.yaml");
    std::fs::write(folder.join("judged.canary.yaml"), config).unwrap();
    let spec = format!(
        "\
version: coalmine/v1
application: judged
artifact: {{reference: good}}
targets:
  - size: 1
    process:
      command: ['{}', sample-service, --port, '{{port}}', --version, '{{version}}']
      health: {{path: /health, interval: 100ms}}
      metrics: /metrics
canary:
  steps: [{{share: 20%, size: 1, judgements: 1}}]
analysis: {{config: judged.canary.yaml, warmUp: 1s, interval: 3s, step: 1s}}
onVerdict: {{marginal: rollBack, inconclusive: rollBack}}
promotion: {{strategy: redBlack, previous: {{keep: 0s}}}}
",
        env!("CARGO_BIN_EXE_coalmine")
    );
    std::fs::write(folder.join("judged.yaml"), spec).unwrap();
    let first = local.run("run judged.yaml --version 1.0.0 --yes --data-dir data");
    assert_eq!(first.code, 0, "{first:?}");
    assert!(
        !first.stdout.contains("Pause"),
        "nothing serves that could be gone back to: {first:?}"
    );
    assert!(
        first.stdout.contains("Rollback  nothing served before"),
        "{first:?}"
    );
    // Nobody asks it anything, so that nothing can be told.
    let second = local.run("run judged.yaml --version 1.1.0 --yes --data-dir data");
    assert_eq!(second.code, 3, "{second:?}");
    let path_in = |done: &Done| {
        let line = done
            .stdout
            .lines()
            .find(|line| line.starts_with("  Report "));
        line.unwrap().split_whitespace().last().unwrap().to_owned()
    };
    let path = path_in(&second);
    let html = std::fs::read_to_string(&path).unwrap();
    assert!(html.contains("</html>") && html.contains("\"application\":\"judged\""));
    let listed = local.run("list --data-dir data");
    for part in ["1.0.0 → 1.1.0", "✕ rolled back", "✓ promoted"] {
        assert!(
            listed.stdout.contains(part),
            "`{part}` in {}",
            listed.stdout
        );
    }
    let id = std::path::Path::new(&path).file_stem().unwrap();
    let status = local.run(&format!("status {} --data-dir data", id.display()));
    assert_eq!(path_in(&status), path);
}

#[test]
fn a_second_command_leaves_the_token_of_the_first_alone() {
    let local = Local::new();
    let data = local.0.folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let _served = DataDir::open(&data).unwrap();
    std::fs::write(data.join("service.token"), "of the first").unwrap();
    for verb in ["plan local.yaml", "run local.yaml --yes"] {
        let second = local.run(&format!("{verb} --data-dir data"));
        assert_eq!(second.code, 4, "{second:?}");
        assert!(
            second.stderr.contains("is served by the process"),
            "{second:?}"
        );
    }
    let token = std::fs::read_to_string(data.join("service.token")).unwrap();
    assert_eq!(token, "of the first");
}
