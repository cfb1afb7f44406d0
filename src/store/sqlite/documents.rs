//! Documents and their applications.

use sqlx::sqlite::SqliteRow;
use sqlx::{Error, QueryBuilder, Row, Sqlite, SqliteConnection};

use super::SqliteStore;
use super::failure::failed;
use crate::store::{Document, DocumentKind, PutRule, StoreError};

const KEEPING: &str = "keeping a document";
const READING: &str = "reading documents";
const DELETING: &str = "deleting a document";

/// Bytes that a check writes; an accepted execution is about as large.
const CHECKED_BYTES: usize = 16 * 1024;

impl SqliteStore {
    /// Keeps a row that no list shows, and removes it. Two transactions: a row that was never there needs no room.
    pub(super) async fn try_writing(&self) -> Result<(), StoreError> {
        const DOING: &str = "checking that the database can be written to";
        let mut transaction = self.write(DOING).await?;
        sqlx::query(
            "INSERT INTO document (kind, id, name, created_ms, updated_ms, body) \
             VALUES ('check', 'check', '', 0, 0, $1) \
             ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
        )
        .bind("x".repeat(CHECKED_BYTES))
        .execute(&mut *transaction)
        .await
        .map_err(failed(DOING))?;
        transaction.commit().await.map_err(failed(DOING))?;
        let mut transaction = self.write(DOING).await?;
        sqlx::query("DELETE FROM document WHERE kind = 'check'")
            .execute(&mut *transaction)
            .await
            .map_err(failed(DOING))?;
        transaction.commit().await.map_err(failed(DOING))
    }

    pub(super) async fn keep_document(
        &self,
        document: &Document,
        rule: PutRule,
    ) -> Result<(), StoreError> {
        let (what, id) = (document.kind.noun(), document.id.clone());
        let mut transaction = self.write(KEEPING).await?;
        let known = is_there(&mut transaction, document).await;
        match (rule, known.map_err(failed(KEEPING))?) {
            (PutRule::Create, true) => return Err(StoreError::Exists { what, id }),
            (PutRule::Replace, false) => return Err(StoreError::NotFound { what, id }),
            (PutRule::Create, false) | (PutRule::Replace, true) => {}
        }
        let taken = name_taken(&mut transaction, document).await;
        if let Some(applications) = taken.map_err(failed(KEEPING))? {
            return Err(StoreError::NameTaken {
                name: document.name.clone(),
                applications,
            });
        }
        let put = put(&mut transaction, document).await;
        put.map_err(failed(KEEPING))?;
        transaction.commit().await.map_err(failed(KEEPING))
    }

    pub(super) async fn one_document(
        &self,
        kind: DocumentKind,
        id: &str,
    ) -> Result<Option<Document>, StoreError> {
        let rows = sqlx::query(
            "SELECT document.id, name, created_ms, updated_ms, body, application FROM document \
             LEFT JOIN document_application ON document_application.kind = document.kind \
             AND document_application.id = document.id \
             WHERE document.kind = $1 AND document.id = $2 ORDER BY position",
        )
        .bind(kind.word())
        .bind(id)
        .fetch_all(&self.readers)
        .await
        .map_err(failed(READING))?;
        let mut found = gathered(kind, &rows).map_err(failed(READING))?;
        Ok(found.pop())
    }

    pub(super) async fn list_documents(
        &self,
        kind: DocumentKind,
        applications: &[String],
    ) -> Result<Vec<Document>, StoreError> {
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
            "SELECT document.id, name, created_ms, updated_ms, '' AS body, application FROM document \
             LEFT JOIN document_application ON document_application.kind = document.kind \
             AND document_application.id = document.id WHERE document.kind = ",
        );
        query.push_bind(kind.word());
        if !applications.is_empty() {
            query.push(
                " AND document.id IN (SELECT wanted.id FROM document_application AS wanted \
                 WHERE wanted.kind = ",
            );
            query.push_bind(kind.word()).push(" AND ");
            one_of(&mut query, "wanted.application", applications);
            query.push(")");
        }
        query.push(" ORDER BY document.id, position");
        let rows = query.build().fetch_all(&self.readers).await;
        let rows = rows.map_err(failed(READING))?;
        gathered(kind, &rows).map_err(failed(READING))
    }

    pub(super) async fn remove_document(
        &self,
        kind: DocumentKind,
        id: &str,
    ) -> Result<(), StoreError> {
        // Its applications go with it.
        let removed = sqlx::query("DELETE FROM document WHERE kind = $1 AND id = $2")
            .bind(kind.word())
            .bind(id)
            .execute(&self.writer)
            .await
            .map_err(failed(DELETING))?;
        if removed.rows_affected() == 0 {
            return Err(StoreError::NotFound {
                what: kind.noun(),
                id: id.to_owned(),
            });
        }
        Ok(())
    }
}

fn one_of<'a>(
    query: &mut QueryBuilder<Sqlite>,
    column: &str,
    words: impl IntoIterator<Item = &'a String>,
) {
    query.push(column).push(" IN (");
    let mut list = query.separated(", ");
    for word in words {
        list.push_bind(word);
    }
    query.push(")");
}

/// Makes documents of rows that stand together, one for each application.
fn gathered(kind: DocumentKind, rows: &[SqliteRow]) -> Result<Vec<Document>, Error> {
    let mut documents: Vec<Document> = Vec::new();
    for row in rows {
        let id: String = row.try_get("id")?;
        let application: Option<String> = row.try_get("application")?;
        match documents.last_mut() {
            Some(last) if last.id == id => last.applications.extend(application),
            Some(_) | None => documents.push(Document {
                kind,
                id,
                name: row.try_get("name")?,
                applications: application.into_iter().collect(),
                created_ms: row.try_get("created_ms")?,
                updated_ms: row.try_get("updated_ms")?,
                body: row.try_get("body")?,
            }),
        }
    }
    Ok(documents)
}

async fn is_there(connection: &mut SqliteConnection, document: &Document) -> Result<bool, Error> {
    let found = sqlx::query("SELECT id FROM document WHERE kind = $1 AND id = $2")
        .bind(document.kind.word())
        .bind(&document.id)
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}

/// The applications of another canary config that has this name in one of these.
async fn name_taken(
    connection: &mut SqliteConnection,
    document: &Document,
) -> Result<Option<Vec<String>>, Error> {
    let named = document.kind == DocumentKind::CanaryConfig && !document.name.is_empty();
    if !named || document.applications.is_empty() {
        return Ok(None);
    }
    let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
        "SELECT document.id FROM document JOIN document_application AS own \
         ON own.kind = document.kind AND own.id = document.id WHERE document.kind = ",
    );
    query.push_bind(document.kind.word());
    query.push(" AND name = ").push_bind(&document.name);
    query.push(" AND document.id <> ").push_bind(&document.id);
    query.push(" AND ");
    one_of(&mut query, "own.application", &document.applications);
    query.push(" ORDER BY document.id LIMIT 1");
    let other: Option<String> = query
        .build_query_scalar()
        .fetch_optional(&mut *connection)
        .await?;
    let Some(other) = other else {
        return Ok(None);
    };
    sqlx::query_scalar(
        "SELECT application FROM document_application WHERE kind = $1 AND id = $2 ORDER BY position",
    )
    .bind(document.kind.word())
    .bind(other)
    .fetch_all(connection)
    .await
    .map(Some)
}

async fn put(connection: &mut SqliteConnection, document: &Document) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO document (kind, id, name, created_ms, updated_ms, body) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name, created_ms = excluded.created_ms, \
         updated_ms = excluded.updated_ms, body = excluded.body",
    )
    .bind(document.kind.word())
    .bind(&document.id)
    .bind(&document.name)
    .bind(document.created_ms)
    .bind(document.updated_ms)
    .bind(&document.body)
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM document_application WHERE kind = $1 AND id = $2")
        .bind(document.kind.word())
        .bind(&document.id)
        .execute(&mut *connection)
        .await?;
    for (position, application) in (0_i64..).zip(&document.applications) {
        sqlx::query(
            "INSERT INTO document_application (kind, id, position, application) VALUES ($1, $2, $3, $4)",
        )
        .bind(document.kind.word())
        .bind(&document.id)
        .bind(position)
        .bind(application)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
