//! Who may ask: a token, the `Host` header, and the origin of the page that a browser asks for.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::api::own::answer::Refusal;
use crate::config::server::host::host_name;

/// Who may ask. The token itself is not kept, only its hash.
pub struct Access {
    token: Option<[u8; 32]>,
    /// Names in the `Host` header; all of them where `None`.
    hosts: Option<Vec<String>>,
    loopback: bool,
    /// Whether who is on this machine reaches it by a loopback name. No page of another name can have a browser send one, so that
    /// they may pass beside the names that are allowed.
    loopback_names: bool,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Access")
            .field("token", &self.token.map(|_| "***"))
            .field("hosts", &self.hosts)
            .field("loopback", &self.loopback)
            .finish()
    }
}

impl Access {
    /// A server that listens on `listen`, with the token that requests must carry and the names that it may be called by.
    #[must_use]
    pub fn new(listen: SocketAddr, token: Option<&str>, allowed_hosts: &[String]) -> Self {
        let ip = listen.ip().to_canonical();
        let loopback = ip.is_loopback();
        Self {
            token: token.map(hash),
            hosts: (loopback || !allowed_hosts.is_empty()).then(|| allowed_hosts.to_vec()),
            loopback,
            loopback_names: loopback || ip.is_unspecified(),
        }
    }

    /// Whether requests must carry a token.
    #[must_use]
    pub fn needs_token(&self) -> bool {
        self.token.is_some()
    }

    fn knows_host(&self, host: &str) -> bool {
        let Some(hosts) = &self.hosts else {
            return true;
        };
        let name = host_name(host);
        let local = self.loopback_names && is_loopback_name(&name);
        local || hosts.contains(&name)
    }

    /// Whether the headers carry the token: as a bearer, or as the password of basic authentication, which browsers and
    /// addresses with a user (`http://any:TOKEN@host`) can send.
    fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(expected) = &self.token else {
            return true;
        };
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let Some(given) = given.and_then(credentials) else {
            return false;
        };
        // Hashes have one length, so that the comparison tells nothing of the token's.
        hash(&given).ct_eq(expected).into()
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The token of an `Authorization` header.
fn credentials(value: &str) -> Option<String> {
    let (scheme, rest) = value.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = String::from_utf8(base64(rest)?).ok()?;
        return decoded
            .split_once(':')
            .map(|(_, password)| password.to_owned());
    }
    None
}

/// Base 64 with the usual alphabet (RFC 4648, 4), padded or not.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

fn is_loopback_name(name: &str) -> bool {
    name == "localhost"
        || name.ends_with(".localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

/// The host that a request is for.
fn host_of(request: &Request) -> Option<&str> {
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.as_str());
    let header = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    header.or(authority)
}

/// Refuses requests for another host. On a loopback address this keeps pages from reaching us by a name of their own that leads
/// to this machine (DNS rebinding).
pub(super) async fn known_host(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    let host = host_of(&request).unwrap_or_default();
    // Probes call by address.
    let probe = !access.loopback && request.uri().path() == "/health";
    if probe || access.knows_host(host) {
        return next.run(request).await;
    }
    let message = format!(
        "the host `{}` is not served here; `allowedHosts` of the server config names those that are",
        crate::config::node::shorten(host, 80)
    );
    Refusal::new(StatusCode::FORBIDDEN, message).into_response()
}

/// Refuses requests without the token.
pub(super) async fn authorized(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    if access.admits(request.headers()) {
        return next.run(request).await;
    }
    let message = "the token is missing or wrong; expected `Authorization: Bearer TOKEN`";
    let mut response = Refusal::new(StatusCode::UNAUTHORIZED, message).into_response();
    let headers = response.headers_mut();
    headers.append(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Bearer realm=\"coalmine\""),
    );
    headers.append(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Basic realm=\"coalmine\", charset=\"UTF-8\""),
    );
    response
}

/// Origins whose pages may call.
#[derive(Debug)]
pub(super) struct Origins {
    allowed: Vec<String>,
}

impl Origins {
    pub(super) fn new(allowed: &[String]) -> Self {
        Self {
            allowed: allowed.to_vec(),
        }
    }
}

/// Whether a browser asks if a page may ask. It does so without the token.
fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Whether a page of another origin loads this as a part of itself, as by `<img>` or `<script>`. Such a request carries no
/// `Origin`; following a link does no harm. Source: W3C, Fetch Metadata Request Headers.
fn is_embedded(headers: &HeaderMap) -> bool {
    let says = |name: &str, words: &[&str]| {
        headers
            .get(name)
            .is_some_and(|value| words.iter().any(|word| value.as_bytes() == word.as_bytes()))
    };
    says("sec-fetch-site", &["cross-site", "same-site"]) && !says("sec-fetch-mode", &["navigate"])
}

/// Refuses what pages of other origins ask for, unless they are allowed; those get the headers that Kayenta sends to everybody,
/// on refusals too. Stands outside of everything that takes a place or reads a body, because preflights carry no token.
pub(super) async fn same_origin(
    State(origins): State<Arc<Origins>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = origins.answer(request, next).await;
    response.headers_mut().insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    response
}

impl Origins {
    async fn answer(&self, request: Request, next: Next) -> Response {
        let Some(origin) = request.headers().get(header::ORIGIN).cloned() else {
            if is_embedded(request.headers()) {
                let message = "pages of other origins are not answered here";
                return Refusal::new(StatusCode::FORBIDDEN, message).into_response();
            }
            return next.run(request).await;
        };
        let text = origin.to_str().unwrap_or_default().to_lowercase();
        let host = host_of(&request).unwrap_or_default().to_lowercase();
        let place = text.split_once("://").map(|(_, place)| place);
        if place.is_some_and(|place| !host.is_empty() && place == host) {
            return next.run(request).await;
        }
        if !self.allowed.contains(&text) {
            let message = format!(
                "pages of `{}` are not answered here",
                crate::config::node::shorten(&text, 80)
            );
            return Refusal::new(StatusCode::FORBIDDEN, message).into_response();
        }
        let mut response = if is_preflight(&request) {
            StatusCode::OK.into_response()
        } else {
            next.run(request).await
        };
        let fixed: [(HeaderName, &str); 5] = [
            (header::VARY, "Origin"),
            (
                header::ACCESS_CONTROL_ALLOW_METHODS,
                "POST, GET, OPTIONS, DELETE, PUT, PATCH",
            ),
            (
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "x-requested-with, content-type, authorization, idempotency-key",
            ),
            (
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                "coalmine-verdict, coalmine-report, retry-after, x-request-id",
            ),
            (header::ACCESS_CONTROL_MAX_AGE, "3600"),
        ];
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
