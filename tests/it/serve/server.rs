//! Starts the real server, and asks it.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// No test waits longer for anything.
pub(crate) const BOUND: Duration = Duration::from_secs(30);

/// The first minute of the series, as `2026-01-05T10:00:00Z`.
const HOUR: &str = "2026-01-05T10";

/// A server that runs.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    log: Arc<Mutex<String>>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A folder with a config and an account of files: `same` and `alike` are of one distribution, `slow` is not.
pub(crate) fn folder(settings: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let series = folder.path().join("series");
    std::fs::create_dir(&series).unwrap();
    for (name, base) in [("same", 100), ("alike", 100), ("slow", 160)] {
        let mut text = "timestamp,latency\n".to_owned();
        for minute in 0..60 {
            let noise = (minute * 37 + name.len() * 11) % 17;
            let _ = writeln!(text, "{HOUR}:{minute:02}:00Z,{}", base + noise);
        }
        std::fs::write(series.join(format!("{name}.csv")), text).unwrap();
    }
    let config = format!(
        "version: coalmine/v1\nlisten: 127.0.0.1:0\ndataDir: data\naccounts:\n- {{type: files, name: files, folder: series}}\n{settings}"
    );
    std::fs::write(folder.path().join("server.yaml"), config).unwrap();
    folder
}

pub(crate) fn command(folder: &Path) -> Command {
    let mut command = command_of(["serve", "--config"]);
    command.arg(folder.join("server.yaml"));
    command
}

/// The program with `arguments`, and without the settings that this process may have.
pub(crate) fn command_of<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coalmine"));
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("COALMINE_") {
            command.env_remove(name);
        }
    }
    command
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::spawn(command(folder))
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let writer = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut line = String::new();
            while err.read_line(&mut line).is_ok_and(|read| read > 0) {
                writer.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let address = line
            .trim()
            .strip_prefix("listening on http://")
            .map(str::parse);
        let Some(Ok(address)) = address else {
            let status = child.wait().unwrap();
            panic!("no address but `{line}`, {status}: {}", log.lock().unwrap());
        };
        Self {
            child,
            address,
            log,
        }
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a request as it stands and reads the answer to its end.
    pub(crate) fn raw(&self, request: &[u8]) -> Reply {
        raw(self.address, request)
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        self.raw(self.request(method, path, headers, body).as_bytes())
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n",
            body.len()
        );
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            let _ = write!(head, "host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        format!("{head}\r\n{body}")
    }

    /// As [`Server::ask`], of a server that may die meanwhile: `None` where no whole answer came.
    pub(crate) fn ask_or_nothing(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<Reply> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(BOUND)).ok()?;
        stream
            .write_all(self.request(method, path, headers, body).as_bytes())
            .ok()?;
        Some(read(stream)).filter(|reply| reply.status != 0)
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask(
            "POST",
            path,
            &[("content-type", "application/json")],
            &body.to_string(),
        )
    }

    /// Posts a canary of the account of files and gives its id.
    #[track_caller]
    pub(crate) fn canary(&self, application: &str, canary: &str) -> String {
        let posted = self.post(
            &format!("/canary?application={application}"),
            &request("same", canary),
        );
        assert_eq!(posted.status, 200, "{posted:?}");
        posted.json()["canaryExecutionId"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Posts an analysis whose first judgement is far away, and gives its id.
    #[track_caller]
    pub(crate) fn long_analysis(&self) -> String {
        let mut body = request("same", "alike");
        let scope = |name: &str| json!({ "scopeName": "default", "controlScope": "same", "experimentScope": name, "step": 60 });
        body["executionRequest"] = json!({
            "scopes": [scope("alike")], "thresholds": { "pass": 95, "marginal": 75 },
            "lifetimeDurationMins": 60, "beginAfterMins": 30, "analysisIntervalMins": 30,
        });
        let posted = self.post("/standalone_canary_analysis?application=long", &body);
        assert_eq!(posted.status, 200, "{posted:?}");
        posted.json()["canaryAnalysisExecutionId"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Waits until the execution has ended, and gives it.
    #[track_caller]
    pub(crate) fn ended(&self, id: &str) -> Value {
        until(|| {
            let shown = self.get(&format!("/executions/{id}")).json();
            shown.get("endedAt").is_some().then_some(shown)
        })
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.pid().to_string())
            .status();
        assert!(sent.unwrap().success());
    }

    /// Waits until it has ended by itself.
    #[track_caller]
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let status = until(|| self.child.try_wait().unwrap());
        (status, self.log())
    }

    /// Stops it as a supervisor would.
    #[track_caller]
    pub(crate) fn stop(self) -> String {
        self.signal("TERM");
        let (status, log) = self.wait();
        assert!(status.success(), "{status}: {log}");
        log
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The body of `POST /canary`: two files of the account, one hour.
pub(crate) fn request(baseline: &str, canary: &str) -> Value {
    let scope = |name: &str| json!({ "scope": name, "location": "", "step": 60, "start": format!("{HOUR}:00:00Z"), "end": format!("{HOUR}:59:00Z") });
    json!({
        "canaryConfig": {
            "name": "latencies", "applications": ["shop"],
            "metrics": [{
                "name": "latency", "groups": ["all"], "scopeName": "default",
                "query": { "type": "prometheus", "metricName": "latency" },
                "analysisConfigurations": { "canary": { "direction": "increase" } },
            }],
            "classifier": { "groupWeights": { "all": 100 } },
        },
        "executionRequest": {
            "scopes": { "default": { "controlScope": scope(baseline), "experimentScope": scope(canary) } },
            "thresholds": { "pass": 95, "marginal": 75 },
        },
    })
}

/// Asks again and again until there is something, but not for ever.
#[track_caller]
pub(crate) fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(began.elapsed() < BOUND, "waited too long");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    stream.set_write_timeout(Some(BOUND)).unwrap();
    stream
}

pub(crate) fn raw(address: SocketAddr, request: &[u8]) -> Reply {
    let mut stream = connect(address);
    stream.write_all(request).unwrap();
    read(stream)
}

/// Reads an answer up to the end of the connection.
pub(crate) fn read(mut stream: TcpStream) -> Reply {
    let mut bytes = Vec::new();
    // What is there before a reset is the answer.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
    Reply {
        status,
        head: head.to_owned(),
        body: if chunked {
            joined(body)
        } else {
            body.to_owned()
        },
    }
}

fn joined(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        body.push_str(rest.get(..size).unwrap_or(rest));
        chunks = rest.get(size + 2..).unwrap_or("");
    }
    body
}
