//! A small mail server on loopback that answers as a test wants and remembers what it was told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What came in one session.
#[derive(Debug, Clone, Default)]
pub(super) struct Session {
    /// Commands, without the mail.
    pub(super) commands: Vec<String>,
    /// Mails, each with its head.
    pub(super) mails: Vec<String>,
}

type Script = dyn Fn(&str) -> Option<&'static str> + Send + Sync;

/// The server; it stops when it is dropped.
pub(super) struct ScriptedSmtp {
    address: SocketAddr,
    sessions: Arc<Mutex<Vec<Session>>>,
    ends: Arc<AtomicBool>,
}

impl ScriptedSmtp {
    /// Takes everything, but for commands to which `script` has an answer of its own.
    pub(super) fn start(
        script: impl Fn(&str) -> Option<&'static str> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let sessions = Arc::new(Mutex::new(Vec::new()));
        let ends = Arc::new(AtomicBool::new(false));
        let (kept, ending) = (Arc::clone(&sessions), Arc::clone(&ends));
        let script: Arc<Script> = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if ending.load(Ordering::SeqCst) {
                    return;
                }
                let (script, kept) = (Arc::clone(&script), Arc::clone(&kept));
                // A session that breaks is the client's doing.
                thread::spawn(move || stream.and_then(|stream| serve(stream, &*script, &kept)));
            }
        });
        Self {
            address,
            sessions,
            ends,
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// All sessions, in the order of their beginning.
    pub(super) fn sessions(&self) -> Vec<Session> {
        self.sessions.lock().unwrap().clone()
    }
}

impl Drop for ScriptedSmtp {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // Wakes the accepting thread.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(stream: TcpStream, script: &Script, kept: &Mutex<Vec<Session>>) -> std::io::Result<()> {
    let place = {
        let mut kept = kept.lock().unwrap();
        kept.push(Session::default());
        kept.len() - 1
    };
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    out.write_all(b"220 scripted ESMTP\r\n")?;
    while let Some(line) = lines.next() {
        let line = line?;
        kept.lock().unwrap()[place].commands.push(line.clone());
        let answer = script(&line).unwrap_or(match &line[..line.len().min(4)] {
            "EHLO" => "250-scripted\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN",
            "AUTH" => "235 2.7.0 in",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 2.0.0 fine",
        });
        out.write_all(format!("{answer}\r\n").as_bytes())?;
        if answer.starts_with("354") {
            let mut mail = String::new();
            for line in lines.by_ref() {
                let line = line?;
                if line == "." {
                    break;
                }
                mail.push_str(&line);
                mail.push('\n');
            }
            kept.lock().unwrap()[place].mails.push(mail);
            let answer = script(".").unwrap_or("250 2.0.0 queued");
            out.write_all(format!("{answer}\r\n").as_bytes())?;
        }
    }
    Ok(())
}
