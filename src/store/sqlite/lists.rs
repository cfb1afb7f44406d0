//! Lists of executions.

use sqlx::{Error, QueryBuilder, Row, Sqlite, SqliteConnection};

use super::SqliteStore;
use super::failure::failed;
use super::rows::{column, counter, head, select_heads};
use crate::store::{Head, HeadFilter, StoreError};

const LISTING: &str = "listing executions";
const COUNTING: &str = "counting executions";

impl SqliteStore {
    pub(super) async fn list(&self, filter: &HeadFilter) -> Result<Vec<Head>, StoreError> {
        let mut transaction = self.readers.begin().await.map_err(failed(LISTING))?;
        let heads = page(&mut transaction, filter).await;
        transaction.rollback().await.map_err(failed(LISTING))?;
        heads.map_err(failed(LISTING))
    }

    pub(super) async fn tally(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT status, CAST(SUM(amount) AS BIGINT) AS amount FROM tally GROUP BY status ORDER BY status",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(failed(COUNTING))?;
        rows.iter()
            .map(|row| Ok((row.try_get("status")?, counter(row, "amount")?)))
            .collect::<Result<_, Error>>()
            .map_err(failed(COUNTING))
    }
}

/// One search for each pair of kind and status, each of which is the head of a range of one index; then the newest of them all.
async fn page(connection: &mut SqliteConnection, filter: &HeadFilter) -> Result<Vec<Head>, Error> {
    let any_or = |words: &[String], word: &String| words.is_empty() || words.contains(word);
    let pairs: Vec<(String, String)> = sqlx::query_as("SELECT kind, status FROM tally")
        .fetch_all(&mut *connection)
        .await?;
    let pairs: Vec<(String, String)> = pairs
        .into_iter()
        .filter(|(kind, status)| any_or(&filter.kinds, kind) && any_or(&filter.statuses, status))
        .collect();
    if pairs.is_empty() || filter.most == 0 {
        return Ok(Vec::new());
    }
    let reach = column(filter.skip.saturating_add(filter.most));
    let mut query: QueryBuilder<Sqlite> = QueryBuilder::new("WITH page AS (");
    for (number, (kind, status)) in pairs.iter().enumerate() {
        let start = if number == 0 { "" } else { " UNION ALL " };
        query.push(start);
        query.push("SELECT * FROM (SELECT created_ms, id FROM execution WHERE kind = ");
        query
            .push_bind(kind)
            .push(" AND status = ")
            .push_bind(status);
        if let Some(application) = &filter.application {
            query.push(" AND application = ").push_bind(application);
        }
        query.push(" ORDER BY created_ms DESC, id DESC LIMIT ");
        query.push_bind(reach).push(") AS part");
    }
    query.push(" ORDER BY created_ms DESC, id DESC LIMIT ");
    query.push_bind(column(filter.most));
    query
        .push(" OFFSET ")
        .push_bind(column(filter.skip))
        .push(") ");
    query.push(select_heads!(
        "FROM page JOIN execution ON execution.id = page.id ORDER BY page.created_ms DESC, page.id DESC"
    ));
    let rows = query.build().fetch_all(connection).await?;
    rows.iter().map(head).collect()
}
