//! A small HTTP server on loopback that answers as a test wants, rightly or wrongly, and remembers what it was asked.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    /// The body as it came.
    pub(crate) body: String,
    /// Fields of the form, or of the query.
    pub(crate) fields: BTreeMap<String, String>,
    /// Names in small letters.
    pub(crate) headers: BTreeMap<String, String>,
    /// Which connection it came on, counted from 0.
    pub(crate) connection: usize,
}

impl Seen {
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What to answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Whole(Vec<u8>),
    /// In chunks of so many bytes, without a length.
    Chunked(Vec<u8>, usize),
    /// Fewer bytes than the length promises.
    CutOff(Vec<u8>),
    /// One byte at a time, with a pause after each, for as long as the client stays.
    Drip(Duration),
    /// Nothing: the connection is closed.
    Nothing,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: Body::Whole(body.into()),
        }
    }

    pub(crate) fn html(status: u16, body: &str) -> Self {
        Self::new(status, body).with("Content-Type", "text/html; charset=utf-8")
    }

    /// Closes the connection without an answer.
    pub(crate) fn nothing() -> Self {
        let mut reply = Self::new(200, "");
        reply.body = Body::Nothing;
        reply
    }

    /// Never ends.
    pub(crate) fn drip(pause: Duration) -> Self {
        let mut reply = Self::new(200, "");
        reply.body = Body::Drip(pause);
        reply
    }

    /// Sets a header.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same body in chunks.
    pub(crate) fn chunked(mut self, size: usize) -> Self {
        self.body = Body::Chunked(self.bytes(), size);
        self
    }

    /// The first half of the body, where the whole was promised.
    pub(crate) fn cut_off(mut self) -> Self {
        self.body = Body::CutOff(self.bytes());
        self
    }

    fn bytes(&self) -> Vec<u8> {
        match &self.body {
            Body::Whole(bytes) | Body::Chunked(bytes, _) | Body::CutOff(bytes) => bytes.clone(),
            Body::Drip(_) | Body::Nothing => Vec::new(),
        }
    }

    /// Sends; says whether the connection can go on.
    fn send(&self, stream: &mut dyn Write) -> io::Result<bool> {
        let length = match &self.body {
            Body::Whole(bytes) | Body::CutOff(bytes) => Some(bytes.len()),
            Body::Chunked(..) | Body::Drip(_) => None,
            Body::Nothing => return Ok(false),
        };
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match length {
            Some(length) => head.push_str(&format!("Content-Length: {length}\r\n\r\n")),
            None => head.push_str("Transfer-Encoding: chunked\r\n\r\n"),
        }
        stream.write_all(head.as_bytes())?;
        match &self.body {
            Body::Whole(bytes) => stream.write_all(bytes)?,
            Body::CutOff(bytes) => {
                stream.write_all(&bytes[..bytes.len() / 2])?;
                stream.flush()?;
                return Ok(false);
            }
            Body::Chunked(bytes, size) => {
                for chunk in bytes.chunks(*size) {
                    stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes())?;
                    stream.write_all(chunk)?;
                    stream.write_all(b"\r\n")?;
                }
                stream.write_all(b"0\r\n\r\n")?;
            }
            Body::Drip(pause) => loop {
                stream.write_all(b"1\r\n \r\n")?;
                stream.flush()?;
                thread::sleep(*pause);
            },
            Body::Nothing => return Ok(false),
        }
        stream.flush()?;
        Ok(true)
    }
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

struct Shared {
    script: Box<Script>,
    tls: Option<Arc<rustls::ServerConfig>>,
    seen: Mutex<Vec<Seen>>,
    open: Mutex<Vec<TcpStream>>,
    ends: AtomicBool,
}

/// The server; it stops when it is dropped.
pub(crate) struct ScriptedHttp {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl ScriptedHttp {
    pub(crate) fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(None, script)
    }

    /// The same behind TLS.
    pub(crate) fn start_with(
        tls: Option<Arc<rustls::ServerConfig>>,
        script: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            tls,
            seen: Mutex::default(),
            open: Mutex::default(),
            ends: AtomicBool::new(false),
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else {
                    continue;
                };
                if server.ends.load(Ordering::SeqCst) {
                    return;
                }
                server
                    .open
                    .lock()
                    .unwrap()
                    .push(stream.try_clone().unwrap());
                let server = Arc::clone(&server);
                // A connection that breaks is the client's doing, or the script's.
                thread::spawn(move || {
                    let socket = stream.try_clone()?;
                    let served = server.secured(stream, connection);
                    drop(socket.shutdown(Shutdown::Both));
                    served
                });
            }
        });
        Self { address, shared }
    }

    /// `http://127.0.0.1:PORT`, or with TLS `https://localhost:PORT`.
    pub(crate) fn url(&self) -> String {
        match self.shared.tls {
            None => format!("http://{}", self.address),
            Some(_) => format!("https://localhost:{}", self.address.port()),
        }
    }

    /// All requests so far, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Those whose path ends so.
    pub(crate) fn seen_at(&self, ending: &str) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|seen| seen.path.ends_with(ending));
        seen
    }
}

impl Drop for ScriptedHttp {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, which then sees that it is over.
        drop(TcpStream::connect(self.address));
        for stream in self.shared.open.lock().unwrap().iter() {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

impl Shared {
    fn secured(&self, stream: TcpStream, connection: usize) -> io::Result<()> {
        match &self.tls {
            None => self.serve(stream, connection),
            Some(config) => {
                let session = rustls::ServerConnection::new(Arc::clone(config));
                let session = session.map_err(io::Error::other)?;
                self.serve(rustls::StreamOwned::new(session, stream), connection)
            }
        }
    }

    fn serve(&self, stream: impl Read + Write, connection: usize) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        while let Some(seen) = read(&mut stream, connection)? {
            self.seen.lock().unwrap().push(seen.clone());
            let reply = (self.script)(&seen);
            if !reply.send(stream.get_mut())? {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn read(stream: &mut impl BufRead, connection: usize) -> io::Result<Option<Seen>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers
        .get("content-length")
        .map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut fields = fields(query);
    let body = String::from_utf8_lossy(&body).into_owned();
    let is_json = headers
        .get("content-type")
        .is_some_and(|it| it.contains("json"));
    if !is_json {
        fields.extend(self::fields(&body));
    }
    Ok(Some(Seen {
        method,
        path: path.to_owned(),
        body,
        fields,
        headers,
        connection,
    }))
}

fn fields(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let hex = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
