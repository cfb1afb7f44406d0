//! Answers that are refusals, of all paths: a status, and `{"message": …}` as Kayenta has it. What an error of ours means to a
//! client is said here and nowhere else.

use std::error::Error;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::archive::ArchiveError;
use crate::executions::engine::{TurnError, with_causes};
use crate::executions::service::{ShowError, StartError};
use crate::sources::{Remedy, SourceError, UnknownAccount};
use crate::store::StoreError;

/// Seconds after which a client that was turned away may ask again.
const ASK_AGAIN_SECS: u64 = 10;

/// The body of every refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Message {
    /// What is wrong, for people.
    pub message: String,
    /// Everything that is wrong, one by one, where it is more than one sentence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// Why a request is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// What is wrong, for people.
    pub message: String,
    /// Everything that is wrong, one by one; empty for most.
    pub problems: Vec<String>,
}

/// What a handler comes to.
pub type Answer<T> = Result<T, Refusal>;

impl Refusal {
    /// The request cannot be meant: 400.
    #[must_use]
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// There is no such thing: 404.
    #[must_use]
    pub fn missing(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// A refusal.
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            problems: Vec::new(),
        }
    }

    /// A fault on our side, told to the log with its causes; the client learns what was being done.
    pub(super) fn fault(status: StatusCode, error: &(dyn Error + 'static)) -> Self {
        tracing::error!("cannot answer a request: {}", with_causes(error));
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self {
            status,
            message,
            problems,
        } = self;
        let mut response = (status, Json(Message { message, problems })).into_response();
        if [
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::TOO_MANY_REQUESTS,
        ]
        .contains(&status)
        {
            let after = HeaderValue::from(ASK_AGAIN_SECS);
            response.headers_mut().insert(header::RETRY_AFTER, after);
        }
        response
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::NotFound { .. } => Self::missing(error.to_string()),
            StoreError::Exists { .. } | StoreError::NameTaken { .. } => {
                Self::bad(error.to_string())
            }
            StoreError::KeyReused(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
            }
            // Somebody else was faster; the same request may go through next time.
            StoreError::Conflict { .. }
            | StoreError::LostLease(_)
            | StoreError::LostLock { .. }
            | StoreError::Unavailable { .. } => {
                Self::fault(StatusCode::SERVICE_UNAVAILABLE, &error)
            }
            StoreError::Broken { .. } => Self::fault(StatusCode::INTERNAL_SERVER_ERROR, &error),
        }
    }
}

impl From<TurnError> for Refusal {
    fn from(error: TurnError) -> Self {
        match error {
            TurnError::NoExecution(_) => Self::missing(error.to_string()),
            TurnError::Store(error) => error.into(),
            TurnError::Overtaken(_) | TurnError::LostLock { .. } => {
                Self::fault(StatusCode::SERVICE_UNAVAILABLE, &error)
            }
            TurnError::Unreadable { .. } | TurnError::Illegal(_) | TurnError::Invariant(_) => {
                Self::fault(StatusCode::INTERNAL_SERVER_ERROR, &error)
            }
        }
    }
}

impl From<ArchiveError> for Refusal {
    fn from(error: ArchiveError) -> Self {
        match &error {
            ArchiveError::NotFound { .. } | ArchiveError::BadName(_) => {
                Self::missing(error.to_string())
            }
            ArchiveError::Unavailable { .. } => {
                Self::fault(StatusCode::SERVICE_UNAVAILABLE, &error)
            }
            ArchiveError::Damaged { .. } => Self::fault(StatusCode::INTERNAL_SERVER_ERROR, &error),
        }
    }
}

impl From<ShowError> for Refusal {
    fn from(error: ShowError) -> Self {
        match error {
            ShowError::Execution(error) => error.into(),
            ShowError::Archive(error) => error.into(),
            ShowError::Damaged(_) => Self::fault(StatusCode::INTERNAL_SERVER_ERROR, &error),
        }
    }
}

impl From<StartError> for Refusal {
    fn from(error: StartError) -> Self {
        match error {
            StartError::TooMany { .. } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string())
            }
            StartError::Store(error) => error.into(),
            StartError::Unwritable(_) => Self::bad(with_causes(&error)),
        }
    }
}

impl From<UnknownAccount> for Refusal {
    fn from(error: UnknownAccount) -> Self {
        Self::bad(error.to_string())
    }
}

impl From<SourceError> for Refusal {
    fn from(error: SourceError) -> Self {
        let status = match error.remedy {
            Remedy::Retry { .. } | Remedy::Later => StatusCode::SERVICE_UNAVAILABLE,
            Remedy::Mend | Remedy::GiveUp => StatusCode::BAD_REQUEST,
        };
        let mut message = with_causes(&error);
        if let Some(hint) = &error.hint {
            message.push_str("; ");
            message.push_str(hint);
        }
        Self::new(status, message)
    }
}
