//! Strategies in SQLite. A version and the pointer to it are one transaction.

use crate::database::{Database, STORE, page_of, rows_of, select_body, select_rows};
use async_trait::async_trait;
use fx_app::ports::{Page, PageRequest, Put, StoreResult, StrategyStore};
use fx_app::records::StrategyVersion;
use fx_app::stored::{decode, encode};
use fx_domain::{Digest, Principal, StrategyId};
use rusqlite::params;
use std::sync::Arc;

pub(crate) struct SqliteStrategies(pub(crate) Arc<Database>);

#[async_trait]
impl StrategyStore for SqliteStrategies {
    async fn put(&self, version: &StrategyVersion) -> StoreResult<Put> {
        let body = encode(STORE, version.id.as_str(), version)?;
        let (id, owner) = (version.id.to_string(), version.owner.to_string());
        let digest = version.version.to_string();
        let position = format!("{}-{digest}", version.created_at.sort_key());
        let insert = move |db: &rusqlite::Connection| {
            let added = db
                .prepare_cached(
                    "INSERT INTO strategy_versions (id, version, position, body) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (id, version) DO NOTHING",
                )?
                .execute(params![id, digest, position, body])?;
            db.prepare_cached(
                "INSERT INTO strategies (id, owner, latest, deleted) VALUES (?1, ?2, ?3, 0)
                 ON CONFLICT (id) DO UPDATE SET latest = excluded.latest, deleted = 0",
            )?
            .execute(params![id, owner, digest])?;
            Ok(if added == 1 { Put::Created } else { Put::AlreadyThere })
        };
        self.0.write("storing a strategy", insert).await
    }

    async fn latest(&self, id: &StrategyId) -> StoreResult<Option<StrategyVersion>> {
        let key = id.to_string();
        let find = move |db: &rusqlite::Connection| {
            select_body(
                db,
                "SELECT v.body FROM strategies s JOIN strategy_versions v ON v.id = s.id AND v.version = s.latest
                 WHERE s.id = ?1 AND s.deleted = 0",
                params![key],
            )
        };
        let body = self.0.read("reading a strategy", find).await?;
        body.map(|body| decode(STORE, id.as_str(), &body)).transpose()
    }

    async fn version(&self, id: &StrategyId, version: &Digest) -> StoreResult<Option<StrategyVersion>> {
        let (key, digest) = (id.to_string(), version.to_string());
        let find = move |db: &rusqlite::Connection| {
            let sql = "SELECT body FROM strategy_versions WHERE id = ?1 AND version = ?2";
            select_body(db, sql, params![key, digest])
        };
        let body = self.0.read("reading a strategy version", find).await?;
        body.map(|body| decode(STORE, id.as_str(), &body)).transpose()
    }

    async fn versions(&self, id: &StrategyId, page: &PageRequest) -> StoreResult<Page<StrategyVersion>> {
        let (key, after, rows) = (id.to_string(), page.after.clone().unwrap_or_default(), rows_of(page));
        let find = move |db: &rusqlite::Connection| {
            select_rows(
                db,
                "SELECT v.position, v.body FROM strategies s JOIN strategy_versions v ON v.id = s.id
                 WHERE s.id = ?1 AND s.deleted = 0 AND v.position > ?2 ORDER BY v.position LIMIT ?3",
                params![key, after, rows as i64],
            )
        };
        page_of(self.0.read("listing strategy versions", find).await?, page)
    }

    async fn list(&self, owner: &Principal, page: &PageRequest) -> StoreResult<Page<StrategyVersion>> {
        let (owner, after, rows) = (owner.to_string(), page.after.clone().unwrap_or_default(), rows_of(page));
        let find = move |db: &rusqlite::Connection| {
            select_rows(
                db,
                "SELECT s.id, v.body FROM strategies s JOIN strategy_versions v ON v.id = s.id AND v.version = s.latest
                 WHERE s.owner = ?1 AND s.deleted = 0 AND s.id > ?2 ORDER BY s.id LIMIT ?3",
                params![owner, after, rows as i64],
            )
        };
        page_of(self.0.read("listing strategies", find).await?, page)
    }

    async fn delete(&self, id: &StrategyId) -> StoreResult<bool> {
        let key = id.to_string();
        let hide = move |db: &rusqlite::Connection| {
            let sql = "UPDATE strategies SET deleted = 1 WHERE id = ?1 AND deleted = 0";
            Ok(db.prepare_cached(sql)?.execute(params![key])? == 1)
        };
        self.0.write("deleting a strategy", hide).await
    }
}
