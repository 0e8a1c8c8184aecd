//! Backtests and executions in SQLite: written once, listed newest first.

use crate::database::{Database, STORE, page_of, rows_of, select_body, select_rows};
use async_trait::async_trait;
use fx_app::ports::{BacktestStore, ExecutionStore, Page, PageRequest, Put, StoreResult};
use fx_app::records::{BacktestRecord, ExecutionRecord, RunRecord};
use fx_app::stored::{decode, encode};
use fx_domain::{BacktestId, ExecutionId, Principal, StrategyId};
use rusqlite::params;
use std::marker::PhantomData;
use std::sync::Arc;

/// Sorts behind every position, which begins with a hex digit.
const BEHIND_ALL: &str = "~";

/// The statements over the table of one kind of record.
pub(crate) trait Statements: RunRecord {
    const INSERT: &'static str;
    const GET: &'static str;
    const LIST: &'static str;
    const LIST_OF_STRATEGY: &'static str;
}

macro_rules! statements {
    ($record:ty, $table:literal) => {
        impl Statements for $record {
            const INSERT: &'static str = concat!(
                "INSERT INTO ",
                $table,
                " (id, owner, strategy, position, body) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO NOTHING"
            );
            const GET: &'static str = concat!("SELECT body FROM ", $table, " WHERE id = ?1");
            const LIST: &'static str = concat!(
                "SELECT position, body FROM ",
                $table,
                " WHERE owner = ?1 AND position < ?2 ORDER BY position DESC LIMIT ?3"
            );
            const LIST_OF_STRATEGY: &'static str = concat!(
                "SELECT position, body FROM ",
                $table,
                " WHERE owner = ?1 AND position < ?2 AND strategy = ?4 ORDER BY position DESC LIMIT ?3"
            );
        }
    };
}
statements!(BacktestRecord, "backtests");
statements!(ExecutionRecord, "executions");

pub(crate) struct SqliteRuns<R> {
    database: Arc<Database>,
    record: PhantomData<fn() -> R>,
}

impl<R: Statements> SqliteRuns<R> {
    pub(crate) fn new(database: Arc<Database>) -> Self {
        Self { database, record: PhantomData }
    }

    async fn add(&self, record: &R) -> StoreResult<Put> {
        let body = encode(STORE, record.id(), record)?;
        let (id, owner) = (record.id().to_owned(), record.owner().to_string());
        let strategy = record.strategy().to_string();
        let position = format!("{}-{id}", record.created_at().sort_key());
        let insert = move |db: &rusqlite::Connection| {
            let added =
                db.prepare_cached(R::INSERT)?.execute(params![id, owner, strategy, position, body])?;
            Ok(if added == 1 { Put::Created } else { Put::AlreadyThere })
        };
        self.database.write("storing a record", insert).await
    }

    async fn find(&self, id: &str) -> StoreResult<Option<R>> {
        let key = id.to_owned();
        let find = move |db: &rusqlite::Connection| select_body(db, R::GET, params![key]);
        let body = self.database.read("reading a record", find).await?;
        body.map(|body| decode(STORE, id, &body)).transpose()
    }

    async fn page(
        &self,
        owner: &Principal,
        strategy: Option<&StrategyId>,
        page: &PageRequest,
    ) -> StoreResult<Page<R>> {
        let (owner, strategy) = (owner.to_string(), strategy.map(ToString::to_string));
        let (before, rows) =
            (page.after.clone().unwrap_or_else(|| BEHIND_ALL.to_owned()), rows_of(page) as i64);
        let find = move |db: &rusqlite::Connection| match strategy {
            Some(strategy) => select_rows(db, R::LIST_OF_STRATEGY, params![owner, before, rows, strategy]),
            None => select_rows(db, R::LIST, params![owner, before, rows]),
        };
        page_of(self.database.read("listing records", find).await?, page)
    }
}

#[async_trait]
impl BacktestStore for SqliteRuns<BacktestRecord> {
    async fn put(&self, record: &BacktestRecord) -> StoreResult<Put> {
        self.add(record).await
    }

    async fn get(&self, id: &BacktestId) -> StoreResult<Option<BacktestRecord>> {
        self.find(id.as_str()).await
    }

    async fn list(
        &self,
        owner: &Principal,
        strategy: Option<&StrategyId>,
        page: &PageRequest,
    ) -> StoreResult<Page<BacktestRecord>> {
        self.page(owner, strategy, page).await
    }
}

#[async_trait]
impl ExecutionStore for SqliteRuns<ExecutionRecord> {
    async fn put(&self, record: &ExecutionRecord) -> StoreResult<Put> {
        self.add(record).await
    }

    async fn get(&self, id: &ExecutionId) -> StoreResult<Option<ExecutionRecord>> {
        self.find(id.as_str()).await
    }

    async fn list(
        &self,
        owner: &Principal,
        strategy: Option<&StrategyId>,
        page: &PageRequest,
    ) -> StoreResult<Page<ExecutionRecord>> {
        self.page(owner, strategy, page).await
    }
}
