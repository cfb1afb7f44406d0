//! What a request brings: parameters of the query, where an empty one is the same as none, ids in the path, and its body.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;

use super::answer::{Answer, Refusal};

/// The query's parameters. Bytes that are no UTF-8 are replaced; unknown parameters are ignored.
#[derive(Debug, Clone, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// The first value of `name` that is not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of `name` that are not empty.
    pub(super) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// The first value of `name`; 400 without one.
    pub(super) fn required(&self, name: &str) -> Answer<&str> {
        self.get(name)
            .ok_or_else(|| Refusal::bad(format!("the parameter `{name}` is missing")))
    }

    /// A finite number; 400 for anything else.
    pub(super) fn number(&self, name: &str) -> Answer<Option<f64>> {
        self.get(name)
            .map(|text| {
                let number = text.trim().parse().ok();
                number
                    .filter(|number: &f64| number.is_finite())
                    .ok_or_else(|| {
                        Refusal::bad(format!(
                            "the parameter `{name}` is `{text}`; expected a number"
                        ))
                    })
            })
            .transpose()
    }

    /// A whole number from `least` to `most`; 400 for anything else.
    pub(super) fn whole(&self, name: &str, least: u64, most: u64) -> Answer<Option<u64>> {
        self.get(name)
            .map(|text| {
                let number = text.trim().parse().ok();
                let number = number.filter(|number| (least..=most).contains(number));
                number.ok_or_else(|| {
                    Refusal::bad(format!(
                        "the parameter `{name}` is `{text}`; expected a whole number from {least} to {most}"
                    ))
                })
            })
            .transpose()
    }

    /// `true` or `false`; absent is false.
    pub(super) fn flag(&self, name: &str) -> Answer<bool> {
        match self.get(name) {
            None => Ok(false),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) => Err(Refusal::bad(format!(
                "the parameter `{name}` is `{text}`; expected `true` or `false`"
            ))),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let query = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        match query {
            Ok(Query(pairs)) => Ok(Self(pairs)),
            Err(error) => Err(Refusal::bad(error.body_text())),
        }
    }
}

/// The id in the path.
#[derive(Debug, Clone)]
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(error) => Err(Refusal::bad(error.body_text())),
        }
    }
}

/// Two ids in the path.
#[derive(Debug, Clone)]
pub(super) struct Ids(pub(super) String, pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        match Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(Path((first, second))) => Ok(Self(first, second)),
            Err(error) => Err(Refusal::bad(error.body_text())),
        }
    }
}

/// The whole body. One that is too large for the server is 413.
#[derive(Debug, Clone)]
pub(super) struct Content(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Content {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Answer<Self> {
        match Bytes::from_request(request, state).await {
            Ok(bytes) => Ok(Self(bytes)),
            Err(error) => Err(Refusal::new(error.status(), error.body_text())),
        }
    }
}
