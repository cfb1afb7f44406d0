//! What all stored documents have in common.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::{Answer, Refusal};
use super::times::iso;
use crate::api::ApiState;
use crate::store::{Document, DocumentKind, PutRule, StoreError};

/// A stored document, in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DocumentSummary {
    /// Names it in paths.
    pub id: String,
    /// When it was stored last, in milliseconds since 1970-01-01T00:00:00Z.
    pub updated_timestamp: i64,
    /// The same, RFC 3339.
    pub updated_timestamp_iso: String,
}

/// A new id: a random UUID, as Kayenta gives.
pub(super) fn random_id() -> String {
    let chance = u128::from(fastrand::u64(..)) << 64 | u128::from(fastrand::u64(..));
    // Version 4, variant 1.
    let bits = chance & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}

/// The document, if there is one.
pub(super) async fn find(
    state: &ApiState,
    kind: DocumentKind,
    id: &str,
) -> Answer<Option<Document>> {
    let store = &state.executions.engine().ports().store;
    Ok(store.document(kind, id).await?)
}

/// The document's JSON, if there is one.
pub(super) async fn find_json(
    state: &ApiState,
    kind: DocumentKind,
    id: &str,
) -> Answer<Option<Value>> {
    let Some(document) = find(state, kind, id).await? else {
        return Ok(None);
    };
    let value = serde_json::from_str(&document.body);
    Ok(Some(value.map_err(|error| damaged(&document, error))?))
}

/// A stored document that is not what was stored.
pub(super) fn damaged(document: &Document, error: serde_json::Error) -> Refusal {
    StoreError::Broken {
        doing: "reading a document",
        cause: format!("`{}`: {error}", document.id).into(),
    }
    .into()
}

/// All documents of a kind, by id.
pub(super) async fn list(state: &ApiState, kind: DocumentKind) -> Answer<Vec<DocumentSummary>> {
    let store = &state.executions.engine().ports().store;
    let found = store.documents(kind, &[]).await?;
    let summary = |document: Document| DocumentSummary {
        updated_timestamp: document.updated_ms,
        updated_timestamp_iso: iso(document.updated_ms),
        id: document.id,
    };
    Ok(found.into_iter().map(summary).collect())
}

/// JSON as it is kept, and the application that it names.
#[derive(Debug, Clone)]
pub(super) struct Written {
    body: String,
    application: Option<String>,
}

impl Written {
    pub(super) fn of(value: &Value) -> Self {
        let application = value.get("application").and_then(Value::as_str);
        Self {
            body: value.to_string(),
            application: application.map(str::to_owned),
        }
    }
}

/// Keeps JSON. An id that is taken (or, to be replaced, is not there) is 400 with `refusal`.
pub(super) async fn keep(
    state: &ApiState,
    kind: DocumentKind,
    id: &str,
    written: Written,
    rule: PutRule,
    refusal: String,
) -> Answer<()> {
    let ports = state.executions.engine().ports();
    let now_ms = ports.clock.now_ms();
    let document = Document {
        kind,
        id: id.to_owned(),
        name: String::new(),
        applications: written.application.into_iter().collect(),
        created_ms: now_ms,
        updated_ms: now_ms,
        body: written.body,
    };
    match ports.store.put_document(&document, rule).await {
        Ok(()) => Ok(()),
        Err(StoreError::Exists { .. } | StoreError::NotFound { .. }) => Err(Refusal::bad(refusal)),
        Err(error) => Err(error.into()),
    }
}

/// Removes a document; one that is not there is 400 with `missing`, as in Kayenta.
pub(super) async fn remove(
    state: &ApiState,
    kind: DocumentKind,
    id: &str,
    missing: String,
) -> Answer<StatusCode> {
    let store = &state.executions.engine().ports().store;
    match store.delete_document(kind, id).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(StoreError::NotFound { .. }) => Err(Refusal::bad(missing)),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::random_id;

    #[test]
    fn ids_have_the_form_of_a_random_uuid() {
        for _ in 0..100 {
            let id = random_id();
            let lengths: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
            assert_eq!(&id[14..15], "4");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
    }
}
