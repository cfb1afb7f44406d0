//! One POST and what its answer means.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};

use super::{TRY, Undelivered, Unfit};
use crate::model::clean::clean;

/// How much of a refusal is kept, in characters.
const TOLD: usize = 160;

/// A client that follows no redirect: what is signed for one address is not for another.
pub(super) fn client() -> Result<Client, Unfit> {
    // An error means that a provider is there already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("coalmine/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(Duration::from_secs(5))
        .timeout(TRY)
        .build()
        .map_err(|error| Unfit(format!("cannot use TLS: {}", beneath(&error))))
}

/// Posts JSON. The address is shown nowhere: it may hold a token.
pub(super) async fn post(
    client: &Client,
    url: Url,
    headers: &[(HeaderName, String)],
    body: String,
) -> Result<(), Undelivered> {
    let secrets = [url.to_string(), url.path().to_owned()];
    let mut request = client
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let answer = request.send().await.map_err(|error| {
        let error = error.without_url();
        Undelivered::again(format!("no answer: {}", beneath(&error)))
    })?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(refusal(answer, &secrets).await)
}

async fn refusal(answer: Response, secrets: &[String]) -> Undelivered {
    let status = answer.status();
    let after = answer.headers().get(RETRY_AFTER);
    let after = after
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let mut why = format!("HTTP {status}");
    if let Some(told) = told(answer, secrets).await {
        why = format!("{why}: {told}");
    }
    let passing = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    if status.is_client_error() && !passing.contains(&status) {
        return Undelivered::Never { why };
    }
    Undelivered::Again { why, after }
}

/// The beginning of the body, without what is secret in the address; `None` for an empty one and for a page.
async fn told(mut answer: Response, secrets: &[String]) -> Option<String> {
    let mut bytes = Vec::new();
    // What is cut off tells as much as it tells.
    while let Ok(Some(chunk)) = answer.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > 4 * TOLD {
            break;
        }
    }
    let mut text = String::from_utf8_lossy(&bytes).trim().to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() > 1) {
        text = text.replace(secret, "***");
    }
    let line = text.lines().next().unwrap_or_default();
    let short: String = clean(line).chars().take(TOLD).collect();
    (!short.is_empty() && !short.starts_with('<')).then_some(short)
}

/// The innermost cause, which says most: `connection refused`.
fn beneath(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}
