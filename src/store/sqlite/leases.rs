//! Leases and what is due.

use sqlx::{Error, Row};

use super::SqliteStore;
use super::failure::failed;
use super::rows::{column, counter};
use crate::model::ids::ExecutionId;
use crate::store::{Lease, StoreError};

const CLAIMING: &str = "claiming executions";
const RENEWING: &str = "renewing a lease";
const RELEASING: &str = "giving leases back";
const LOOKING: &str = "looking for what is due";

impl SqliteStore {
    pub(super) async fn claim_due(
        &self,
        worker: &str,
        now_ms: i64,
        until_ms: i64,
        most: u64,
    ) -> Result<Vec<Lease>, StoreError> {
        // One statement, so that nothing is written, and no disk waited for, where nothing is due.
        let rows = sqlx::query(
            "UPDATE execution SET fencing = fencing + 1, lease_worker = $1, lease_until_ms = $2 \
             WHERE id IN (SELECT id FROM execution WHERE due_ms <= $3 \
             AND (lease_worker IS NULL OR lease_until_ms <= $3) ORDER BY due_ms, id LIMIT $4) \
             RETURNING id, due_ms, fencing",
        )
        .bind(worker)
        .bind(until_ms)
        .bind(now_ms)
        .bind(column(most))
        .fetch_all(&self.writer)
        .await
        .map_err(failed(CLAIMING))?;
        let mut claimed = rows
            .iter()
            .map(|row| {
                let lease = Lease {
                    id: ExecutionId::new(row.try_get::<String, _>("id")?),
                    worker: worker.to_owned(),
                    fencing: counter(row, "fencing")?,
                    until_ms,
                };
                Ok((row.try_get::<i64, _>("due_ms")?, lease))
            })
            .collect::<Result<Vec<(i64, Lease)>, Error>>()
            .map_err(failed(CLAIMING))?;
        claimed.sort_by(|(a_due, a), (b_due, b)| (a_due, &a.id).cmp(&(b_due, &b.id)));
        Ok(claimed.into_iter().map(|(_, lease)| lease).collect())
    }

    pub(super) async fn renew_until(
        &self,
        lease: &Lease,
        until_ms: i64,
    ) -> Result<Lease, StoreError> {
        let renewed = sqlx::query(
            "UPDATE execution SET lease_until_ms = $1 WHERE id = $2 AND fencing = $3 AND lease_worker = $4",
        )
        .bind(until_ms)
        .bind(lease.id.as_str())
        .bind(column(lease.fencing))
        .bind(&lease.worker)
        .execute(&self.writer)
        .await
        .map_err(failed(RENEWING))?;
        if renewed.rows_affected() == 0 {
            return Err(StoreError::LostLease(lease.id.clone()));
        }
        Ok(Lease {
            until_ms,
            ..lease.clone()
        })
    }

    pub(super) async fn give_back(&self, lease: &Lease) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE execution SET lease_worker = NULL, lease_until_ms = NULL \
             WHERE id = $1 AND fencing = $2 AND lease_worker = $3",
        )
        .bind(lease.id.as_str())
        .bind(column(lease.fencing))
        .bind(&lease.worker)
        .execute(&self.writer)
        .await
        .map(drop)
        .map_err(failed(RELEASING))
    }

    pub(super) async fn give_all_back(&self) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE execution SET lease_worker = NULL, lease_until_ms = NULL WHERE lease_worker IS NOT NULL",
        )
        .execute(&self.writer)
        .await
        .map(drop)
        .map_err(failed(RELEASING))
    }

    pub(super) async fn first_due(&self) -> Result<Option<i64>, StoreError> {
        sqlx::query_scalar(
            "SELECT due_ms FROM execution WHERE due_ms IS NOT NULL ORDER BY due_ms LIMIT 1",
        )
        .fetch_optional(&self.readers)
        .await
        .map_err(failed(LOOKING))
    }
}
