//! Who may ask, and by which name.

use std::io::Write as _;

use super::server::{Server, command, connect, folder, until};

const TOKEN: &str = "correct-horse-battery";

fn guarded() -> (tempfile::TempDir, Server) {
    guarded_with("")
}

fn guarded_with(more: &str) -> (tempfile::TempDir, Server) {
    let folder = folder(&format!(
        "auth: {{token: {{env: TEST_TOKEN}}}}\nallowedHosts: [canary.example.com]\nallowedOrigins: ['https://deck.example.com']\n{more}"
    ));
    let mut command = command(folder.path());
    command
        .args(["--listen", "0.0.0.0:0"])
        .env("TEST_TOKEN", TOKEN);
    let server = Server::spawn(command);
    (folder, server)
}

/// The status of a request to the guarded server under its own name.
#[track_caller]
fn status(server: &Server, path: &str, headers: &[(&str, &str)]) -> u16 {
    let mut all = vec![("host", "canary.example.com")];
    all.extend(headers);
    server.ask("GET", path, &all, "").status
}

#[test]
fn everything_but_health_needs_the_token() {
    let (_folder, server) = guarded();
    let paths = [
        "/",
        "/executions",
        "/executions/x/events",
        "/reports/x",
        "/metrics",
        "/openapi.json",
        "/docs/",
        "/swagger-ui/index.html",
        "/canary/executions",
        "/credentials",
        "/nothing",
    ];
    for path in paths {
        assert_eq!(status(&server, path, &[]), 401, "{path}");
        for wrong in [
            "Bearer wrong",
            "Bearer",
            "Bearer correct-horse-batter",
            "Bearer correct-horse-batteryy",
            "Basic !!!",
            "Token correct-horse-battery",
        ] {
            assert_eq!(
                status(&server, path, &[("authorization", wrong)]),
                401,
                "{path} {wrong}"
            );
        }
    }
    until(|| (status(&server, "/health", &[]) == 200).then_some(()));
    let bearer = format!("Bearer {TOKEN}");
    // `any:correct-horse-battery`
    for right in [
        bearer.as_str(),
        "basic YW55OmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ==",
    ] {
        assert_eq!(
            status(&server, "/executions", &[("authorization", right)]),
            200,
            "{right}"
        );
        assert_eq!(
            status(&server, "/credentials", &[("authorization", right)]),
            200,
            "{right}"
        );
    }
    let refusal = server.ask("GET", "/", &[("host", "canary.example.com")], "");
    assert!(
        refusal
            .head
            .to_lowercase()
            .contains("www-authenticate: basic"),
        "a browser must ask: {refusal:?}"
    );
    let log = server.stop();
    assert!(!log.contains(TOKEN) && !log.contains("YW55"), "{log}");
}

#[test]
fn a_server_with_names_is_called_by_them_and_by_who_is_on_this_machine() {
    let (folder, server) = guarded();
    let told = std::fs::read_to_string(folder.path().join("data/service.json")).unwrap();
    let port = server.address.port();
    assert_eq!(told, format!("{{\"url\":\"http://127.0.0.1:{port}\"}}"));
    let bearer = format!("Bearer {TOKEN}");
    for (host, expected) in [
        ("canary.example.com", 200),
        ("CANARY.example.com:8090", 200),
        ("evil.example", 403),
        ("127.0.0.1:8090", 200),
        ("localhost", 200),
        ("10.0.0.1", 403),
        ("localhost.evil.example", 403),
        ("", 403),
    ] {
        let reply = server.ask(
            "GET",
            "/executions",
            &[("host", host), ("authorization", &bearer)],
            "",
        );
        assert_eq!(reply.status, expected, "{host}: {reply:?}");
    }
    // Probes call by address.
    until(|| {
        (server
            .ask("GET", "/health", &[("host", "10.1.2.3:8090")], "")
            .status
            == 200)
            .then_some(())
    });
}

#[test]
fn on_loopback_a_foreign_host_is_refused() {
    let folder = folder("");
    let server = Server::start(folder.path());
    for (host, expected) in [
        ("localhost", 200),
        ("localhost:1", 200),
        ("app.localhost", 200),
        ("127.0.0.1:80", 200),
        ("[::1]:80", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example:8090", 403),
        ("10.0.0.1", 403),
        ("", 403),
    ] {
        for path in ["/executions", "/canary/executions", "/credentials"] {
            assert_eq!(
                server.ask("GET", path, &[("host", host)], "").status,
                expected,
                "{host} {path}"
            );
        }
        assert_eq!(
            server.ask("GET", "/health", &[("host", host)], "").status == 403,
            expected == 403,
            "{host}"
        );
    }
}

#[test]
fn pages_of_other_origins_get_no_answer() {
    let folder = folder("allowedOrigins: ['https://deck.example.com']\n");
    let server = Server::start(folder.path());
    let own = format!("http://{}", server.address);
    let ask = |method: &str, path: &str, origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
        ];
        server.ask(method, path, &headers, "")
    };
    for origin in [
        "https://evil.example",
        "null",
        "https://deck.example.com.evil.example",
        "http://deck.example.com",
        "file://",
    ] {
        for (method, path) in [
            ("GET", "/executions"),
            ("POST", "/executions/x/cancel"),
            ("GET", "/"),
            ("GET", "/metrics"),
            ("GET", "/credentials"),
            ("POST", "/canary"),
            ("OPTIONS", "/canary"),
            ("GET", "/health"),
            ("GET", "/openapi.json"),
            ("GET", "/docs/"),
        ] {
            let reply = ask(method, path, origin);
            assert_eq!(reply.status, 403, "{method} {path} {origin}: {reply:?}");
            assert_eq!(reply.header("access-control-allow-origin"), None);
        }
    }
    // The server's own pages, and those that are allowed on Kayenta's paths.
    assert_eq!(ask("GET", "/executions", &own).status, 200);
    assert_eq!(
        ask("GET", "/credentials", &own).header("access-control-allow-origin"),
        None
    );
    let allowed = ask("GET", "/credentials", "https://deck.example.com");
    assert_eq!(
        (
            allowed.status,
            allowed.header("access-control-allow-origin")
        ),
        (200, Some("https://deck.example.com"))
    );
    let preflight = ask("OPTIONS", "/canary/some-config", "https://deck.example.com");
    assert_eq!(
        (preflight.status, preflight.header("access-control-max-age")),
        (200, Some("3600")),
        "{preflight:?}"
    );
    assert_eq!(
        ask("GET", "/executions", "https://deck.example.com").status,
        403,
        "our own resources"
    );
}

#[test]
fn who_has_no_token_cannot_shut_out_who_has_one() {
    let (_folder, server) = guarded_with("limits: {concurrentRequests: 2}\n");
    let mut held = Vec::new();
    for origin in [
        "",
        "origin: https://deck.example.com\r\n",
        "origin: https://evil.example\r\n",
    ] {
        for path in ["/canary", "/executions", "/nothing"] {
            let mut stream = connect(server.address);
            let head = format!(
                "OPTIONS {path} HTTP/1.1\r\nhost: canary.example.com\r\n{origin}access-control-request-method: POST\r\ncontent-length: 99999999\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            held.push(stream);
        }
    }
    let bearer = format!("Bearer {TOKEN}");
    // Each of them is answered at once, though it never sends its body.
    for stream in &mut held {
        let mut first = [0; 12];
        std::io::Read::read_exact(stream, &mut first).unwrap();
        let answer = String::from_utf8_lossy(&first);
        assert!(
            ["200", "401", "403"]
                .iter()
                .any(|code| answer.ends_with(code)),
            "{answer}"
        );
        assert_eq!(
            status(&server, "/executions", &[("authorization", &bearer)]),
            200
        );
    }
}

#[test]
fn an_allowed_page_can_read_why_it_is_refused() {
    let (_folder, server) = guarded_with("limits: {bodyBytes: 1024}\n");
    let bearer = format!("Bearer {TOKEN}");
    let large = "x".repeat(4096);
    for (token, body, expected) in [
        ("Bearer wrong", "", 401),
        (bearer.as_str(), large.as_str(), 413),
    ] {
        let headers = [
            ("host", "canary.example.com"),
            ("origin", "https://deck.example.com"),
            ("authorization", token),
        ];
        let reply = server.ask("POST", "/canary", &headers, body);
        assert_eq!(
            (reply.status, reply.header("access-control-allow-origin")),
            (expected, Some("https://deck.example.com")),
            "{reply:?}"
        );
        let exposed = reply.header("access-control-expose-headers").unwrap();
        for name in [
            "coalmine-verdict",
            "coalmine-report",
            "retry-after",
            "x-request-id",
        ] {
            assert!(exposed.contains(name), "{exposed}");
        }
    }
}

#[test]
fn what_a_page_of_another_origin_embeds_is_not_sent() {
    let folder = folder("allowedOrigins: ['https://deck.example.com']\n");
    let server = Server::start(folder.path());
    for (site, mode, expected) in [
        ("cross-site", "no-cors", 403),
        ("same-site", "no-cors", 403),
        ("cross-site", "cors", 403),
        ("cross-site", "navigate", 200),
        ("same-origin", "no-cors", 200),
        ("none", "navigate", 200),
    ] {
        let headers = [("sec-fetch-site", site), ("sec-fetch-mode", mode)];
        for path in ["/executions", "/metrics", "/credentials"] {
            let reply = server.ask("GET", path, &headers, "");
            assert_eq!(reply.status, expected, "{path} {site} {mode}: {reply:?}");
            assert_eq!(
                reply.header("cross-origin-resource-policy"),
                Some("same-origin"),
                "{path}"
            );
        }
    }
}
