//! Jobs and chunks in SQLite. A change is one `UPDATE` of the revision before it; whether a job is open is a column of the
//! row that it changes.

use crate::database::{Database, STORE, select_body, select_rows};
use async_trait::async_trait;
use fx_app::jobs::protocol::{Chunk, Job};
use fx_app::ports::{ChunkKey, JobStore, OPEN_JOBS_MAX, Put, StoreResult, Swap};
use fx_app::stored::{decode, encode, job_ids};
use fx_domain::{BacktestId, Principal, UnixNanos};
use rusqlite::{Connection, params};
use std::sync::Arc;

/// Expired jobs that are removed when one is added, at most: more than come, few enough not to be noticed.
const REMOVED_AT_ONCE: i64 = 2;

pub(crate) struct SqliteJobs(pub(crate) Arc<Database>);

#[async_trait]
impl JobStore for SqliteJobs {
    async fn create(&self, job: &Job, now: UnixNanos) -> StoreResult<Put> {
        let row = Row::of(job)?;
        let insert = move |db: &Connection| {
            remove_expired(db, &row.id, now)?;
            let added = db
                .prepare_cached(
                    "INSERT INTO jobs (id, owner, open, position, epoch, revision, expires, body)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO NOTHING",
                )?
                .execute(params![
                    row.id,
                    row.owner,
                    row.open,
                    row.position,
                    row.epoch,
                    row.revision,
                    row.expires,
                    row.body
                ])?;
            Ok(if added == 1 { Put::Created } else { Put::AlreadyThere })
        };
        self.0.write("adding a job", insert).await
    }

    async fn job(&self, id: &BacktestId) -> StoreResult<Option<Job>> {
        let key = id.to_string();
        let find =
            move |db: &Connection| select_body(db, "SELECT body FROM jobs WHERE id = ?1", params![key]);
        let body = self.0.read("reading a job", find).await?;
        body.map(|body| decode(STORE, id.as_str(), &body)).transpose()
    }

    async fn swap(&self, next: &Job) -> StoreResult<Swap> {
        let row = Row::of(next)?;
        let update = move |db: &Connection| {
            let changed = db
                .prepare_cached(
                    "UPDATE jobs SET open = ?1, revision = ?2, expires = ?3, body = ?4
                     WHERE id = ?5 AND epoch = ?6 AND revision = ?2 - 1",
                )?
                .execute(params![row.open, row.revision, row.expires, row.body, row.id, row.epoch])?;
            Ok(swapped(changed))
        };
        self.0.write("changing a job", update).await
    }

    async fn create_chunks(&self, chunks: &[Chunk]) -> StoreResult<()> {
        let rows = chunks.iter().map(ChunkRow::of).collect::<StoreResult<Vec<_>>>()?;
        let insert = move |db: &Connection| {
            let mut insert = db.prepare_cached(
                "INSERT INTO chunks (job, epoch, idx, revision, body)
                 SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM jobs WHERE id = ?1 AND epoch = ?2)
                 ON CONFLICT (job, epoch, idx) DO NOTHING",
            )?;
            for row in rows {
                insert.execute(params![row.job, row.epoch, row.index, row.revision, row.body])?;
            }
            Ok(())
        };
        self.0.write("adding chunks", insert).await
    }

    async fn chunk(&self, key: &ChunkKey) -> StoreResult<Option<Chunk>> {
        let (job, epoch, index) = (key.job.to_string(), key.epoch.cast_signed(), key.index);
        let find = move |db: &Connection| {
            let sql = "SELECT body FROM chunks WHERE job = ?1 AND epoch = ?2 AND idx = ?3";
            select_body(db, sql, params![job, epoch, index])
        };
        let body = self.0.read("reading a chunk", find).await?;
        body.map(|body| decode(STORE, key.job.as_str(), &body)).transpose()
    }

    async fn chunks(&self, job: &BacktestId, epoch: u64) -> StoreResult<Vec<Chunk>> {
        let (key, epoch) = (job.to_string(), epoch.cast_signed());
        let find = move |db: &Connection| {
            let sql = "SELECT job, body FROM chunks WHERE job = ?1 AND epoch = ?2 ORDER BY idx";
            select_rows(db, sql, params![key, epoch])
        };
        let rows = self.0.read("reading a job's chunks", find).await?;
        rows.iter().map(|(_, body)| decode(STORE, job.as_str(), body)).collect()
    }

    async fn swap_chunk(&self, next: &Chunk) -> StoreResult<Swap> {
        let row = ChunkRow::of(next)?;
        let update = move |db: &Connection| {
            let changed = db
                .prepare_cached(
                    "UPDATE chunks SET revision = ?1, body = ?2
                     WHERE job = ?3 AND epoch = ?4 AND idx = ?5 AND revision = ?1 - 1",
                )?
                .execute(params![row.revision, row.body, row.job, row.epoch, row.index])?;
            Ok(swapped(changed))
        };
        self.0.write("changing a chunk", update).await
    }

    async fn open(&self) -> StoreResult<Vec<BacktestId>> {
        let find = |db: &Connection| {
            let sql = "SELECT position, id FROM jobs WHERE open = 1 ORDER BY position LIMIT ?1";
            select_rows(db, sql, params![OPEN_JOBS_MAX as i64])
        };
        ids(self.0.read("listing open jobs", find).await?)
    }

    async fn open_of(&self, owner: &Principal) -> StoreResult<Vec<BacktestId>> {
        let owner = owner.to_string();
        let find = move |db: &Connection| {
            let sql =
                "SELECT position, id FROM jobs WHERE open = 1 AND owner = ?1 ORDER BY position LIMIT ?2";
            select_rows(db, sql, params![owner, OPEN_JOBS_MAX as i64])
        };
        ids(self.0.read("listing an owner's open jobs", find).await?)
    }
}

/// A job's columns. Epochs are only compared for equality: the same bits, whatever sign SQLite sees in them.
struct Row {
    id: String,
    owner: String,
    open: bool,
    position: String,
    epoch: i64,
    revision: i64,
    expires: i64,
    body: String,
}

impl Row {
    fn of(job: &Job) -> StoreResult<Self> {
        Ok(Self {
            id: job.id.to_string(),
            owner: job.owner.to_string(),
            open: !job.status.is_terminal(),
            position: format!("{}-{}", job.created_at.sort_key(), job.id),
            epoch: job.epoch.cast_signed(),
            revision: column(job.revision),
            expires: job.expires.get(),
            body: encode(STORE, job.id.as_str(), job)?,
        })
    }
}

struct ChunkRow {
    job: String,
    epoch: i64,
    index: u32,
    revision: i64,
    body: String,
}

impl ChunkRow {
    fn of(chunk: &Chunk) -> StoreResult<Self> {
        Ok(Self {
            job: chunk.job.to_string(),
            epoch: chunk.epoch.cast_signed(),
            index: chunk.index,
            revision: column(chunk.revision),
            body: encode(STORE, chunk.job.as_str(), chunk)?,
        })
    }
}

/// A revision as a column; one that no chain of changes reaches has none before it.
fn column(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MIN + 1)
}

fn swapped(rows: usize) -> Swap {
    if rows == 1 { Swap::Swapped } else { Swap::Conflict }
}

/// Removes the job `id` if it has expired, and a few others that nobody will ask for by name.
fn remove_expired(db: &Connection, id: &str, now: UnixNanos) -> rusqlite::Result<()> {
    let expired: Vec<String> = db
        .prepare_cached(
            "SELECT id FROM jobs WHERE id = ?1 AND expires <= ?2
             UNION SELECT id FROM (SELECT id FROM jobs WHERE expires <= ?2 ORDER BY expires LIMIT ?3)",
        )?
        .query_map(params![id, now.get(), REMOVED_AT_ONCE], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in expired {
        db.prepare_cached("DELETE FROM chunks WHERE job = ?1")?.execute(params![id])?;
        db.prepare_cached("DELETE FROM jobs WHERE id = ?1")?.execute(params![id])?;
    }
    Ok(())
}

fn ids(listed: Vec<(String, String)>) -> StoreResult<Vec<BacktestId>> {
    job_ids(STORE, listed.into_iter().map(|(_, id)| id))
}
