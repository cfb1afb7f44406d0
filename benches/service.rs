//! The service as its users meet it: how long it takes to start, what it needs when idle, and how long `POST /judge` (ten metrics of
//! 60 points a side) takes at 200 requests a second.
//!
//! `cargo bench --bench service` starts the real program on a free port and prints the numbers; docs/measurements.md states them. To
//! hold: start under 0.2 s, under 60 MB resident when idle, 99 of 100 judgements under 5 ms.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a bench prints and may stop"
)]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const STARTS: usize = 7;
const METRICS: usize = 10;
const POINTS: usize = 60;
const A_SECOND: u32 = 200;
const SECONDS: u32 = 15;
/// Connections that take turns: no answer holds up the next request.
const CONNECTIONS: u32 = 8;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the server; how long it took until it said its address.
fn start(data: &Path) -> (Running, String, Duration) {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_coalmine"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let out = child.stdout.take().unwrap();
    BufReader::new(out).read_line(&mut line).unwrap();
    let took = began.elapsed();
    let address = line
        .trim()
        .strip_prefix("listening on http://")
        .unwrap()
        .to_owned();
    (Running(child), address, took)
}

fn resident_mb(running: &Running) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.0.id())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024.0
}

/// The body of `POST /judge`.
fn body() -> String {
    let mut chance = fastrand::Rng::with_seed(1);
    let (mut metrics, mut pairs) = (Vec::new(), Vec::new());
    for number in 0..METRICS {
        let mut side =
            |level: f64| -> Vec<f64> { (0..POINTS).map(|_| level + chance.f64() * 20.0).collect() };
        let (control, experiment) = (side(100.0), side(103.0));
        let name = format!("m{number}");
        metrics.push(serde_json::json!({"name": name, "groups": ["all"], "scopeName": "default"}));
        pairs.push(serde_json::json!({
            "name": name, "id": name, "tags": {},
            "values": {"control": control, "experiment": experiment},
        }));
    }
    serde_json::json!({
        "canaryConfig": {"name": "bench", "metrics": metrics, "classifier": {"groupWeights": {"all": 100}}},
        "scoreThresholds": {"pass": 95, "marginal": 75},
        "metricSetPairList": pairs,
    })
    .to_string()
}

/// Sends one request on a connection that stays open, and reads its answer.
fn ask(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) {
    stream.write_all(request).unwrap();
    buffer.clear();
    let mut chunk = [0; 16 * 1024];
    loop {
        let read = stream.read(&mut chunk).unwrap();
        assert!(read > 0, "the connection was closed");
        buffer.extend_from_slice(&chunk[..read]);
        let Some(end) = buffer.windows(4).position(|it| it == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.unwrap().trim().parse().unwrap();
        if buffer.len() >= end + 4 + length {
            return;
        }
    }
}

/// How long each of the requests took from the moment when it was due.
fn judged(address: &str) -> Vec<Duration> {
    let body = body();
    let mut request = String::new();
    let _ = write!(
        request,
        "POST /judge HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let began = Instant::now() + Duration::from_millis(100);
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|lane| {
            let (request, address) = (request.clone(), address.to_owned());
            std::thread::spawn(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.set_nodelay(true).unwrap();
                let (mut buffer, mut took) = (Vec::new(), Vec::new());
                for number in (lane..A_SECOND * SECONDS).step_by(CONNECTIONS as usize) {
                    let due = began + Duration::from_secs(1) * number / A_SECOND;
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    ask(&mut stream, request.as_bytes(), &mut buffer);
                    took.push(due.elapsed());
                }
                took
            })
        })
        .collect();
    let mut all: Vec<Duration> = threads
        .into_iter()
        .flat_map(|it| it.join().unwrap())
        .collect();
    all.sort_unstable();
    all
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let mut starts = Vec::new();
    for number in 0..STARTS {
        let (running, _, took) = start(&folder.path().join(format!("d{number}")));
        starts.push(took);
        drop(running);
    }
    starts.sort_unstable();
    println!(
        "start on an empty folder: median {:.0} ms, slowest {:.0} ms, of {STARTS}",
        starts[STARTS / 2].as_secs_f64() * 1e3,
        starts[STARTS - 1].as_secs_f64() * 1e3
    );
    let (running, address, _) = start(&folder.path().join("d"));
    std::thread::sleep(Duration::from_secs(2));
    println!("resident when idle: {:.0} MB", resident_mb(&running));
    let took = judged(&address);
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "POST /judge, {METRICS} metrics of {POINTS} points, {A_SECOND} a second for {SECONDS} s: median {:.2} ms, 99 of 100 within \
         {:.2} ms, slowest {:.2} ms; resident afterwards {:.0} MB",
        at(0.5),
        at(0.99),
        at(1.0),
        resident_mb(&running)
    );
}
