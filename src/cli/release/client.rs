//! Asks a service.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cli::failure::Failure;

/// Longest time for an answer: a service gives up its own requests before.
const ANSWER: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(5);
/// The variable that holds the token, as for the service.
const TOKEN: &str = "COALMINE_TOKEN";
/// The variable that names the file with the token.
const TOKEN_FILE: &str = "COALMINE_TOKEN_FILE";

/// A service that can be asked. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Client {
    base: String,
    /// Whether it runs within this command: then nobody is shown its address, which is gone when the command is.
    is_own: bool,
    token: Option<String>,
    http: reqwest::Client,
}

/// Why there is no answer.
#[derive(Debug)]
pub(in crate::cli) enum Trouble {
    /// The service is not there, or cannot answer now: the same question may be answered later.
    Away(String),
    /// Nobody listens at the address: as `Away`, and certain to be no service that is alive and busy.
    Nobody(String),
    /// It refuses.
    Refused {
        status: StatusCode,
        message: String,
        problems: Vec<String>,
    },
    /// It answers what cannot be understood.
    Strange(String),
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
    #[serde(default)]
    problems: Vec<String>,
}

impl Client {
    /// A client of the service at `base`, with the token that the environment names.
    pub(in crate::cli) fn new(base: &str) -> Result<Self, Failure> {
        let base = base.trim().trim_end_matches('/').to_owned();
        let fits = reqwest::Url::parse(&base)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !fits {
            return Err(Failure::new(format!(
                "`{base}` is no address of a service; expected `http://HOST:PORT`"
            )));
        }
        // A second provider is refused, and the first one is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("coalmine/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            // The token goes to the service, and not to whatever the environment names.
            .no_proxy()
            .connect_timeout(CONNECT)
            .tcp_nodelay(true);
        if base.starts_with("http:") {
            builder = builder.tls_certs_only([]);
        }
        let http = builder
            .build()
            .map_err(|error| Failure::new(format!("cannot make a client: {error}")))?;
        Ok(Self {
            base,
            is_own: false,
            token: token()?,
            http,
        })
    }

    /// The same, with the token that requests carry where the environment names none.
    pub(in crate::cli) fn with_token(self, token: Option<String>) -> Self {
        Self {
            token: self.token.or(token),
            ..self
        }
    }

    /// The same, which runs within this command.
    pub(in crate::cli) fn within(self) -> Self {
        Self {
            is_own: true,
            ..self
        }
    }

    /// What people put before a path of the service to see it; empty where they cannot.
    pub(super) fn shown_base(&self) -> &str {
        if self.is_own { "" } else { &self.base }
    }

    /// The address of the service, without a slash at its end.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// `GET`s JSON.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Trouble> {
        let request = self.request(Method::GET, path).timeout(ANSWER);
        read(answered(request).await?).await
    }

    /// `GET`s a page.
    pub(in crate::cli) async fn page(&self, path: &str) -> Result<String, Trouble> {
        let request = self
            .request(Method::GET, path)
            .header("accept", "text/html")
            .timeout(ANSWER);
        let response = answered(request).await?;
        response.text().await.map_err(|error| away(&error))
    }

    /// `POST`s JSON, with an idempotency key where the effect must not come twice.
    pub(super) async fn post(
        &self,
        path: &str,
        body: &Value,
        key: Option<&str>,
    ) -> Result<Value, Trouble> {
        let mut request = self
            .request(Method::POST, path)
            .timeout(ANSWER)
            .header("content-type", "application/json")
            .body(body.to_string());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let response = answered(request).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        read(response).await
    }

    /// Opens the stream of an execution's events after number `last`.
    pub(super) async fn events(&self, id: &str, last: u64) -> Result<Response, Trouble> {
        let request = self
            .request(Method::GET, &format!("/executions/{id}/events"))
            .header("accept", "text/event-stream")
            .header("last-event-id", last.to_string());
        answered(request).await
    }
}

fn token() -> Result<Option<String>, Failure> {
    if let Some(token) = std::env::var(TOKEN).ok().filter(|it| !it.trim().is_empty()) {
        return Ok(Some(token.trim().to_owned()));
    }
    let Some(file) = std::env::var_os(TOKEN_FILE).filter(|it| !it.is_empty()) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(&file).map_err(|error| {
        let file = file.to_string_lossy();
        Failure::new(format!("cannot read the token from `{file}`: {error}"))
    })?;
    Ok(Some(text.trim().to_owned()))
}

async fn answered(request: reqwest::RequestBuilder) -> Result<Response, Trouble> {
    let response = request.send().await.map_err(|error| away(&error))?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let text = response.text().await.unwrap_or_default();
    let refusal: Option<Refusal> = serde_json::from_str(&text).ok();
    let (message, problems) = match refusal {
        Some(refusal) => (refusal.message, refusal.problems),
        None => (format!("the service answered {status}"), Vec::new()),
    };
    let passing = [
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::BAD_GATEWAY,
        StatusCode::GATEWAY_TIMEOUT,
    ];
    Err(if passing.contains(&status) {
        Trouble::Away(message)
    } else {
        Trouble::Refused {
            status,
            message,
            problems,
        }
    })
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Trouble> {
    let text = response.text().await.map_err(|error| away(&error))?;
    serde_json::from_str(&text)
        .map_err(|error| Trouble::Strange(format!("the answer cannot be read: {error}")))
}

fn away(error: &reqwest::Error) -> Trouble {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    let why = deepest.to_string();
    if error.is_connect() {
        Trouble::Nobody(why)
    } else {
        Trouble::Away(why)
    }
}

impl Trouble {
    /// For the person who called.
    pub(in crate::cli) fn told(self, client: &Client) -> Failure {
        match self {
            Self::Away(why) | Self::Nobody(why) => {
                Failure::new(format!("no answer from `{}`: {why}", client.base())).passing()
            }
            Self::Strange(why) => Failure::new(format!("`{}`: {why}", client.base()))
                .hint("is it a Coalmine of this version?")
                .passing(),
            Self::Refused {
                status,
                message,
                problems,
            } => {
                let failure = match problems.as_slice() {
                    [] | [_] => Failure::new(message),
                    several => {
                        let failure = Failure::new("the service refuses, for these reasons")
                            .counts(several.len());
                        several
                            .iter()
                            .fold(failure, |failure, it| failure.detail(it.clone()))
                    }
                };
                match status {
                    // It may not, or it is in a state in which that cannot be done.
                    StatusCode::FORBIDDEN | StatusCode::CONFLICT => failure.forbidden(),
                    StatusCode::UNAUTHORIZED => failure.hint(format!(
                        "the token of the service belongs into the variable `{TOKEN}`"
                    )),
                    _ => failure,
                }
            }
        }
    }
}
