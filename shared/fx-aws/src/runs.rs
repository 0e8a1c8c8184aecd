//! Backtests and executions in DynamoDB: written once together with their places in the lists, listed newest first.

use crate::body::encode;
use crate::table::{Condition, Direction, Key, Outcome, STORE, Table, text};
use async_trait::async_trait;
use fx_app::ports::{BacktestStore, ExecutionStore, Page, PageRequest, Put, StoreResult};
use fx_app::records::{BacktestRecord, ExecutionRecord, RunRecord};
use fx_domain::{BacktestId, ExecutionId, Principal, StrategyId};
use std::marker::PhantomData;
use std::sync::Arc;

const RECORD: &str = "RECORD";

pub(crate) struct DynamoRuns<R> {
    table: Arc<Table>,
    record: PhantomData<fn() -> R>,
}

impl<R: RunRecord> DynamoRuns<R> {
    pub(crate) fn new(table: Arc<Table>) -> Self {
        Self { table, record: PhantomData }
    }

    fn key(id: &str) -> Key {
        Key::new(format!("{}#{id}", R::KIND), RECORD)
    }

    fn list_of(owner: &Principal, strategy: Option<&StrategyId>) -> String {
        match strategy {
            None => format!("OWNER#{owner}#{}", R::KIND),
            Some(strategy) => format!("OWNER#{owner}#{}#{strategy}", R::KIND),
        }
    }

    async fn add(&self, record: &R) -> StoreResult<Put> {
        let (id, table) = (record.id(), &self.table);
        let body = encode(STORE, id, record)?;
        let position = format!("{}-{id}", record.created_at().sort_key());
        let place = |strategy| {
            let key = Key::in_list(Self::list_of(record.owner(), strategy), &position);
            table.put(key, [("latest", text(id))], None)
        };
        let writes = [
            table.put(Self::key(id), [("body", text(body))], Some(Condition::not_there()))?,
            place(None)?,
            place(Some(record.strategy()))?,
        ];
        Ok(match table.transact(&writes).await? {
            Outcome::Done => Put::Created,
            Outcome::Refused => Put::AlreadyThere,
        })
    }

    async fn page(
        &self,
        owner: &Principal,
        strategy: Option<&StrategyId>,
        page: &PageRequest,
    ) -> StoreResult<Page<R>> {
        let places = self.table.list(Self::list_of(owner, strategy), Direction::Descending, page).await?;
        let keys = places.items.iter().map(|place| Self::key(&place.latest)).collect();
        Ok(Page { items: self.table.get_bodies(keys).await?, next: places.next })
    }
}

#[async_trait]
impl BacktestStore for DynamoRuns<BacktestRecord> {
    async fn put(&self, record: &BacktestRecord) -> StoreResult<Put> {
        self.add(record).await
    }

    async fn get(&self, id: &BacktestId) -> StoreResult<Option<BacktestRecord>> {
        self.table.get_body(Self::key(id.as_str())).await
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
impl ExecutionStore for DynamoRuns<ExecutionRecord> {
    async fn put(&self, record: &ExecutionRecord) -> StoreResult<Put> {
        self.add(record).await
    }

    async fn get(&self, id: &ExecutionId) -> StoreResult<Option<ExecutionRecord>> {
        self.table.get_body(Self::key(id.as_str())).await
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
