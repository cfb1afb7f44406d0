//! Who we are: P29 and P30.

use std::path::Path;

use coalmine::sources::prometheus::{Auth, Tls};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;

fn of_json(server: &ScriptedHttp, rest: Value) -> Account {
    let mut account = json!({ "name": "prom", "baseUrl": server.url() });
    account
        .as_object_mut()
        .unwrap()
        .extend(rest.as_object().unwrap().clone());
    serde_json::from_value(account).unwrap()
}

/// What the server sees as `Authorization`.
async fn authorization(auth: Value) -> String {
    let server = range_server(|_| full());
    let account = of_json(&server, json!({ "auth": auth }));
    Ask::plain().of_source(&source_of(account)).await.unwrap();
    asked(&server)[0].header("authorization").to_owned()
}

#[tokio::test]
async fn p29_every_way_to_say_who_we_are_is_sent_with_the_first_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    assert_eq!(authorization(json!("none")).await, "");
    let basic = json!({ "basic": { "username": "Aladdin", "password": "open sesame" } });
    assert_eq!(
        authorization(basic).await,
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    );
    std::fs::write(&file, "Aladdin:open sesame\n").unwrap();
    let user_file = json!({ "usernamePasswordFile": file });
    assert_eq!(
        authorization(user_file).await,
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    );
    assert_eq!(
        authorization(json!({ "bearer": { "token": "abc" } })).await,
        "Bearer abc"
    );
    std::fs::write(&file, " def\n").unwrap();
    let bearer_file = json!({ "bearer": { "token": { "file": file } } });
    assert_eq!(authorization(bearer_file).await, "Bearer def");
}

#[tokio::test]
async fn p29_a_token_file_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "first").unwrap();
    let server = range_server(|_| full());
    let account = of_json(
        &server,
        json!({ "auth": { "bearer": { "token": { "file": file } } } }),
    );
    let source = source_of(account);
    Ask::plain().of_source(&source).await.unwrap();
    std::fs::write(&file, "the second").unwrap();
    Ask::plain().of_source(&source).await.unwrap();
    let tokens: Vec<_> = asked(&server)
        .iter()
        .map(|s| s.header("authorization").to_owned())
        .collect();
    assert_eq!(tokens, ["Bearer first", "Bearer the second"]);
}

#[tokio::test]
async fn p29_a_token_caught_in_the_middle_of_its_exchange_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "first").unwrap();
    let server = range_server(|seen| match seen.header("authorization") {
        "Bearer spent" => Reply::new(401, "who are you?"),
        _ => full(),
    });
    let auth = json!({ "auth": { "bearer": { "token": { "file": file } } } });
    let source = source_of(of_json(&server, auth));
    let ask = Ask::plain();
    ask.of_source(&source).await.unwrap();
    std::fs::write(&file, "").unwrap();
    ask.of_source(&source).await.unwrap();
    std::fs::remove_file(&file).unwrap();
    ask.of_source(&source).await.unwrap();
    std::fs::write(&file, "spent").unwrap();
    let error = ask.of_source(&source).await.unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend, "{error}");
    // Refused, and the file is empty: somebody is about to write another token.
    std::fs::write(&file, "").unwrap();
    let error = ask.of_source(&source).await.unwrap_err();
    assert!(is_retry(&error), "{error}");
    std::fs::write(&file, "the second").unwrap();
    ask.of_source(&source).await.unwrap();
    let tokens: Vec<String> = asked(&server)
        .iter()
        .map(|seen| seen.header("authorization").replace("Bearer ", ""))
        .collect();
    let expected = ["first", "first", "first", "spent", "spent", "the second"];
    assert_eq!(tokens, expected);
}

#[tokio::test]
async fn p29_a_refused_token_is_read_again_once_and_sent_again_only_if_it_is_another() {
    for status in [401, 403] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "old").unwrap();
        // The token is exchanged while the first request is on its way, for one as long, in a file that looks unchanged.
        let path = file.clone();
        let written = std::fs::metadata(&file).unwrap().modified().unwrap();
        let server = range_server(move |seen| match seen.header("authorization") {
            "Bearer new" => full(),
            _ => {
                std::fs::write(&path, "new").unwrap();
                let file = std::fs::File::options().write(true).open(&path).unwrap();
                file.set_modified(written).unwrap();
                Reply::new(status, "who are you?")
            }
        });
        let auth = json!({ "auth": { "bearer": { "token": { "file": file } } } });
        let fetched = Ask::plain()
            .of_source(&source_of(of_json(&server, auth)))
            .await
            .unwrap();
        assert_eq!(fetched.points, 11);
        assert_eq!(asked(&server).len(), 2);
    }
    let server = range_server(|_| Reply::new(401, "who are you?"));
    let auth = json!({ "auth": { "bearer": { "token": "old" } } });
    let error = Ask::plain()
        .of_source(&source_of(of_json(&server, auth)))
        .await
        .unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend);
    assert!(told(&error).contains("see `auth`"), "{error}");
    assert_eq!(asked(&server).len(), 1);
}

#[tokio::test]
async fn p29_secrets_are_in_no_error_and_no_debug_output() {
    // A server that sends back what it got, at length, so that the cut falls into a secret.
    let echo = |seen: &Seen| {
        let pad = "x".repeat(280);
        Reply::new(
            400,
            format!(
                "{} {pad} {}",
                seen.header("x-token"),
                seen.header("authorization")
            ),
        )
    };
    for auth in [
        json!({ "bearer": { "token": "s3cr3t-token" } }),
        json!({ "basic": { "username": "me", "password": "s3cr3t-token" } }),
    ] {
        let server = range_server(echo);
        let rest = json!({ "auth": auth, "headers": { "X-Token": "s3cr3t-header" } });
        let account = of_json(&server, rest);
        let shown = format!("{account:?}");
        let source = source_of(account);
        let error = Ask::plain().of_source(&source).await.unwrap_err();
        assert!(error.message.contains("***"), "{error}");
        for text in [
            shown,
            told(&error),
            format!("{error:?}"),
            format!("{source:?}"),
        ] {
            for secret in ["s3cr3t", "bWU6czNjcj"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
    let url = "http://me:s3cr3t@127.0.0.1:1";
    let error = PrometheusSource::new(Account::new("prom", url)).unwrap_err();
    assert!(!told(&error).contains("s3cr3t"), "{error}");
    assert!(
        error.message.contains("holds a user or password"),
        "{error}"
    );
}

/// What a server that sends secrets back in `reply` makes of an account: its error, or its warnings and build.
async fn echoed(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> String {
    let server = ScriptedHttp::start(move |seen| {
        let text = format!(
            "{} {}",
            seen.header("x-token"),
            seen.header("authorization")
        );
        match seen.path.as_str() {
            "/api/v1/query_range" => reply(&text),
            "/api/v1/status/buildinfo" => {
                Reply::new(200, success(json!({ "version": text })).to_string())
            }
            _ => Reply::new(404, ""),
        }
    });
    let rest = json!({
        "auth": { "bearer": { "token": "s3cr3t-token" } },
        "headers": { "X-Token": "s3cr3t-\"header\"" },
        "onWarning": "warn",
    });
    match Ask::plain()
        .of_source(&source_of(of_json(&server, rest)))
        .await
    {
        Ok(fetched) => format!("{:?} {:?}", fetched.warnings, fetched.build),
        Err(error) => format!("{} {error:?}", told(&error)),
    }
}

#[tokio::test]
async fn p29_secrets_are_in_no_text_of_the_store_wherever_it_puts_them() {
    let cut = |text: &str| format!("{} {text}", "x".repeat(275));
    type Answer = fn(&str) -> (u16, Value);
    let answers: [Answer; 8] = [
        |text| {
            (
                422,
                json!({ "status": "error", "errorType": "execution", "error": text }),
            )
        },
        |text| {
            (
                422,
                json!({ "status": "error", "errorType": text, "error": "no" }),
            )
        },
        |text| (200, json!({ "status": text })),
        |text| (200, json!({ "status": 7, "error": text })),
        |text| (200, json!({ "status": "success", "infos": text })),
        |text| (200, success(json!({ "resultType": text, "result": [] }))),
        |text| {
            (
                200,
                success(json!({ "resultType": "matrix", "result": text })),
            )
        },
        |text| {
            let mut body: Value = serde_json::from_str(&eleven_points()).unwrap();
            body["warnings"] = json!([text]);
            body["infos"] = json!([text]);
            (200, body)
        },
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        for long in [false, true] {
            let shown = echoed(move |text| {
                let text = if long { cut(text) } else { text.to_owned() };
                let (status, body) = answer(&text);
                Reply::new(status, body.to_string())
            })
            .await;
            assert!(!shown.contains("s3cr"), "{number}: {shown}");
            assert!(long || shown.contains("***"), "{number}: {shown}");
            assert!(shown.chars().count() < 3000, "{number}: {shown}");
        }
    }
    let long = |text: &str| {
        let body = json!({ "status": "error", "errorType": text.repeat(10_000), "error": "no" });
        Reply::new(422, body.to_string())
    };
    assert!(echoed(long).await.len() < 3000);
}

#[tokio::test]
async fn p29_an_address_that_a_redirect_made_up_is_shown_without_what_it_holds() {
    let shown = echoed(|text| {
        let text = text.replace([' ', '"'], "+");
        Reply::new(307, "").with("Location", &format!("/api/v1/query_range?{text}"))
    })
    .await;
    assert!(shown.contains("leads on and on"), "{shown}");
    assert!(!shown.contains("s3cr"), "{shown}");
}

#[tokio::test]
async fn p29_a_file_that_is_missing_or_empty_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = range_server(|_| full());
    let file = folder.path().join("token");
    let auth = || json!({ "auth": { "bearer": { "token": { "file": file } } } });
    let source = || source_of(of_json(&server, auth()));
    let error = Ask::plain().of_source(&source()).await.unwrap_err();
    assert!(
        error.message.contains("cannot read the bearer token `"),
        "{error}"
    );
    std::fs::write(&file, " \n").unwrap();
    let error = Ask::plain().of_source(&source()).await.unwrap_err();
    assert!(error.message.contains("is empty"), "{error}");
    // It may be filled in a moment.
    assert!(is_retry(&error), "{error}");
    assert!(asked(&server).is_empty());
}

#[tokio::test]
async fn p30_the_tenants_header_is_sent_with_every_request_and_its_lack_is_explained() {
    let server = ScriptedHttp::start(|seen| match seen.header("x-scope-orgid") {
        "" => Reply::new(401, r#"{"status":"error","error":"no org id"}"#),
        _ if seen.path.ends_with("/query_range") => full(),
        _ => Reply::new(404, ""),
    });
    let account = of_json(
        &server,
        json!({ "headers": { "X-Scope-OrgID": "team-a|team-b" } }),
    );
    Ask::plain().of_source(&source_of(account)).await.unwrap();
    assert!(
        server
            .seen()
            .iter()
            .all(|seen| seen.header("x-scope-orgid") == "team-a|team-b")
    );
    let error = Ask::plain().of_source(&source(&server)).await.unwrap_err();
    assert!(told(&error).contains("X-Scope-OrgID"), "{}", told(&error));
}

#[test]
fn an_account_is_read_strictly_and_its_defaults_are_those_of_new() {
    let text = r#"{"name":"prom","baseUrl":"http://127.0.0.1:9090"}"#;
    let account: Account = serde_json::from_str(text).unwrap();
    assert_eq!(account, Account::new("prom", "http://127.0.0.1:9090"));
    assert_eq!(account.scope_label, "instance");
    assert_eq!((account.timeout_secs.get(), account.settle_secs), (30, 60));
    assert_eq!(
        (
            account.max_series.get(),
            account.max_concurrent_queries.get()
        ),
        (1000, 16)
    );
    assert_eq!(account.max_response_bytes.get(), 32 << 20);
    for wrong in [
        r#"{"name":"p","baseUrl":"http://a","bearer":"x"}"#,
        r#"{"name":"p","baseUrl":"http://a","auth":{"bearer":{"tokn":"x"}}}"#,
        r#"{"name":"p","baseUrl":"http://a","tls":{"insecure":true}}"#,
        r#"{"name":"p","baseUrl":"http://a","timeoutSecs":0}"#,
    ] {
        assert!(serde_json::from_str::<Account>(wrong).is_err(), "{wrong}");
    }
    for wrong in ["prometheus:9090", "ftp://a", "http://a/?x=1", "no address"] {
        let error = PrometheusSource::new(Account::new("p", wrong)).unwrap_err();
        assert_eq!(error.remedy, Remedy::Mend, "{wrong}");
    }
}

/// An authority of our own, and what it signs.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self {
            certificate,
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate and its key as PEM.
    fn sign(&self, name: &str, purpose: ExtendedKeyUsagePurpose) -> (String, KeyPair) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key)
    }

    fn der(&self) -> CertificateDer<'static> {
        der(&self.certificate)
    }

    /// A server that `localhost` is written on, and that wants to see a certificate of ours if `wants_ours`.
    fn server(&self, wants_ours: bool) -> ScriptedHttp {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let (certificate, key) = self.sign("localhost", ExtendedKeyUsagePurpose::ServerAuth);
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match wants_ours {
            false => builder.with_no_client_auth(),
            true => {
                let mut roots = rustls::RootCertStore::empty();
                roots.add(self.der()).unwrap();
                let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
                    Arc::new(roots),
                    provider,
                );
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let config = builder
            .with_single_cert(vec![der(&certificate)], key)
            .unwrap();
        ScriptedHttp::start_with(Some(Arc::new(config)), |seen| {
            match seen.path.ends_with("/query_range") {
                true => full(),
                false => Reply::new(404, ""),
            }
        })
    }
}

fn der(pem: &str) -> CertificateDer<'static> {
    use rustls::pki_types::pem::PemObject as _;
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn write(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn p29_an_authority_of_our_own_is_trusted_if_the_account_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let server = ours.server(false);
    let mut account = account(&server);
    account.tls.ca_file = Some(write(folder.path(), "ca.pem", &ours.certificate));
    let fetched = Ask::plain()
        .of_source(&source_of(account.clone()))
        .await
        .unwrap();
    assert_eq!(fetched.points, 11);

    account.tls.ca_file = Some(write(folder.path(), "other.pem", &other.certificate));
    let error = Ask::plain()
        .of_source(&source_of(account.clone()))
        .await
        .unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend, "{}", told(&error));
    assert!(told(&error).contains("see `caFile`"), "{}", told(&error));

    account.tls.ca_file = Some(write(folder.path(), "empty.pem", "no certificate"));
    let error = Ask::plain()
        .of_source(&source_of(account))
        .await
        .unwrap_err();
    assert!(
        error.message.contains("`caFile` holds no certificate"),
        "{error}"
    );
}

#[tokio::test]
async fn p29_our_own_certificate_is_shown_and_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let server = ours.server(true);
    let store = |authority: &Authority| {
        let (certificate, key) = authority.sign("canary", ExtendedKeyUsagePurpose::ClientAuth);
        let key = key.serialize_pem();
        Tls {
            ca_file: Some(write(folder.path(), "ca.pem", &ours.certificate)),
            cert_file: Some(write(folder.path(), "cert.pem", &certificate)),
            key_file: Some(write(folder.path(), "key.pem", &key)),
        }
    };
    let mut account = account(&server);
    account.tls = store(&other);
    let source = source_of(account);
    let error = Ask::plain().of_source(&source).await.unwrap_err();
    assert_eq!(error.remedy, Remedy::Mend, "{}", told(&error));

    store(&ours);
    assert_eq!(Ask::plain().of_source(&source).await.unwrap().points, 11);
    assert_eq!(Auth::default(), Auth::None);
}

#[tokio::test]
async fn p29_a_certificate_without_its_key_yet_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::new("ours");
    let server = ours.server(true);
    let (certificate, key) = ours.sign("canary", ExtendedKeyUsagePurpose::ClientAuth);
    let (next, next_key) = ours.sign("canary", ExtendedKeyUsagePurpose::ClientAuth);
    let put = |name: &str, text: &str| write(folder.path(), name, text);
    let mut account = account(&server);
    account.tls = Tls {
        ca_file: Some(put("ca.pem", &ours.certificate)),
        cert_file: Some(put("cert.pem", &certificate)),
        key_file: Some(put("key.pem", "")),
    };
    let source = source_of(account);
    let error = Ask::plain().of_source(&source).await.unwrap_err();
    assert!(is_retry(&error), "{}", told(&error));
    put("key.pem", &key.serialize_pem());
    Ask::plain().of_source(&source).await.unwrap();
    // The certificate is exchanged first, the key after it.
    put("cert.pem", &format!("{next}\n"));
    assert_eq!(Ask::plain().of_source(&source).await.unwrap().points, 11);
    put("key.pem", &next_key.serialize_pem());
    assert_eq!(Ask::plain().of_source(&source).await.unwrap().points, 11);
}

#[test]
fn p29_half_of_a_client_certificate_is_refused() {
    let mut account = Account::new("prom", "https://localhost:1");
    account.tls.cert_file = Some("cert.pem".into());
    let error = PrometheusSource::new(account).unwrap_err();
    assert!(
        error
            .message
            .contains("`certFile` and `keyFile`; expected both or none"),
        "{error}"
    );
}
