//! Refusals of our own resources, and which form of an answer a client wants.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::archive::ArchiveError;
use crate::executions::engine::{TurnError, with_causes};
use crate::executions::service::ShowError;
use crate::store::StoreError;

/// The body of every refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Said {
    /// What is wrong, for people.
    pub message: String,
}

/// Why a request is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// What is wrong, for people.
    pub message: String,
}

impl Refusal {
    /// A refusal.
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    /// The request cannot be meant: 400.
    #[must_use]
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// A fault on our side, told to the log with its causes; the client learns what was being done.
    pub(super) fn fault(status: StatusCode, error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!("cannot answer a request: {}", with_causes(error));
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, message } = self;
        let mut response = (status, Json(Said { message })).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            StoreError::Exists { .. }
            | StoreError::NameTaken { .. }
            | StoreError::KeyReused(_)
            | StoreError::Conflict { .. } => Self::new(StatusCode::CONFLICT, error.to_string()),
            StoreError::LostLease(_) | StoreError::Unavailable { .. } => {
                Self::fault(StatusCode::SERVICE_UNAVAILABLE, &error)
            }
            StoreError::Broken { .. } => Self::fault(StatusCode::INTERNAL_SERVER_ERROR, &error),
        }
    }
}

impl From<TurnError> for Refusal {
    fn from(error: TurnError) -> Self {
        match error {
            TurnError::NoExecution(_) => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            TurnError::Store(error) => error.into(),
            TurnError::Overtaken(_) => Self::fault(StatusCode::SERVICE_UNAVAILABLE, &error),
            TurnError::Unreadable { .. } | TurnError::Illegal(_) | TurnError::Invariant(_) => {
                Self::fault(StatusCode::INTERNAL_SERVER_ERROR, &error)
            }
        }
    }
}

impl From<ShowError> for Refusal {
    fn from(error: ShowError) -> Self {
        match error {
            ShowError::Execution(error) => error.into(),
            ShowError::Archive(error) => {
                let status = match &error {
                    ArchiveError::NotFound { .. } | ArchiveError::BadName(_) => {
                        return Self::new(StatusCode::NOT_FOUND, error.to_string());
                    }
                    ArchiveError::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
                    ArchiveError::Damaged { .. } => StatusCode::INTERNAL_SERVER_ERROR,
                };
                Self::fault(status, &error)
            }
            ShowError::Damaged(_) => Self::fault(StatusCode::INTERNAL_SERVER_ERROR, &error),
        }
    }
}

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
