//! Which form of an answer a client wants, and answers that are pages.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

pub use crate::api::refusal::Refusal;

/// The first of `offered` (media types) that fits best what the client accepts: by its weights, then by our order. Without an
/// `Accept` header the first one; `None` where the client accepts none. Source: RFC 9110, 12.5.1.
#[must_use]
pub fn preferred(headers: &HeaderMap, offered: &[&'static str]) -> Option<&'static str> {
    let accepts: Vec<&str> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .collect();
    if accepts.is_empty() {
        return offered.first().copied();
    }
    let weight = |media: &str| {
        let ranges = accepts.iter().filter_map(|range| fit(range, media));
        ranges
            .max_by_key(|(exactness, _)| *exactness)
            .map_or(0, |(_, weight)| weight)
    };
    let mut best = None;
    for media in offered {
        let weight = weight(media);
        if weight > 0 && best.is_none_or(|(known, _)| weight > known) {
            best = Some((weight, *media));
        }
    }
    best.map(|(_, media)| media)
}

/// How exactly a range of an `Accept` header names a media type, and its weight in thousandths; `None` where it does not.
fn fit(range: &str, media: &str) -> Option<(u8, u32)> {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next()?.to_ascii_lowercase();
    let exactness = if name == media {
        2
    } else if name == "*/*" {
        0
    } else {
        let kind = name.strip_suffix("/*")?;
        (media.split('/').next() == Some(kind)).then_some(1)?
    };
    let weight = parts.find_map(|part| part.strip_prefix("q="));
    let weight = weight
        .and_then(|weight| weight.parse::<f64>().ok())
        .unwrap_or(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 1000"
    )]
    let thousandths = (weight.clamp(0.0, 1.0) * 1000.0) as u32;
    Some((exactness, thousandths))
}

/// Marks plain text that was worded for its client, and stays plain text although it is a refusal.
#[derive(Debug, Clone, Copy)]
pub struct Worded;

/// What keeps a page from loading anything, and others from framing it. Pages of ours have no scripts.
pub const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page.
pub(super) fn page(status: StatusCode, html: String, policy: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (status, headers, html).into_response()
}
