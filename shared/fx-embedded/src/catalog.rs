//! Catalogues in SQLite. The comparison and the move of the pointer are one transaction.

use crate::database::{Database, STORE, page_of, rows_of, select_body, select_rows};
use async_trait::async_trait;
use fx_app::ports::{Catalog, Page, PageRequest, Publish, StoreResult, Versioned};
use fx_app::stored::{decode, encode};
use fx_domain::Digest;
use rusqlite::params;
use std::sync::Arc;

pub(crate) struct SqliteCatalog {
    pub(crate) database: Arc<Database>,
    /// The table of the latest versions.
    pub(crate) table: &'static str,
    /// The table of all versions.
    pub(crate) versions: &'static str,
}

#[async_trait]
impl<V: Versioned> Catalog<V> for SqliteCatalog {
    async fn publish(&self, next: &V, expected: Option<&Digest>) -> StoreResult<Publish> {
        let key = next.key().to_string();
        let body = encode(STORE, &key, next)?;
        let (digest, expected) = (next.version().to_string(), expected.map(Digest::to_string));
        let (table, versions) = (self.table, self.versions);
        let exchange = move |db: &rusqlite::Connection| {
            let find = format!("SELECT latest FROM {table} WHERE series = ?1");
            let latest = select_body(db, &find, params![key])?;
            if latest.as_deref() == Some(&digest) {
                return Ok(Publish::Published);
            }
            if latest != expected {
                return Ok(Publish::Conflict);
            }
            db.prepare_cached(&format!(
                "INSERT INTO {versions} (series, version, body) VALUES (?1, ?2, ?3)
                 ON CONFLICT (series, version) DO NOTHING"
            ))?
            .execute(params![key, digest, body])?;
            db.prepare_cached(&format!(
                "INSERT INTO {table} (series, latest) VALUES (?1, ?2)
                 ON CONFLICT (series) DO UPDATE SET latest = excluded.latest"
            ))?
            .execute(params![key, digest])?;
            Ok(Publish::Published)
        };
        self.database.write("publishing a version", exchange).await
    }

    async fn latest(&self, key: &V::Key) -> StoreResult<Option<V>> {
        let (key, joined) = (key.to_string(), self.joined());
        let text = key.clone();
        let find = move |db: &rusqlite::Connection| {
            select_body(db, &format!("SELECT v.body FROM {joined} WHERE s.series = ?1"), params![text])
        };
        let body = self.database.read("reading the latest version", find).await?;
        body.map(|body| decode(STORE, &key, &body)).transpose()
    }

    async fn version(&self, key: &V::Key, version: &Digest) -> StoreResult<Option<V>> {
        let (key, digest, versions) = (key.to_string(), version.to_string(), self.versions);
        let text = key.clone();
        let find = move |db: &rusqlite::Connection| {
            let sql = format!("SELECT body FROM {versions} WHERE series = ?1 AND version = ?2");
            select_body(db, &sql, params![text, digest])
        };
        let body = self.database.read("reading a version", find).await?;
        body.map(|body| decode(STORE, &key, &body)).transpose()
    }

    async fn list(&self, page: &PageRequest) -> StoreResult<Page<V>> {
        let (after, rows, joined) = (page.after.clone().unwrap_or_default(), rows_of(page), self.joined());
        let find = move |db: &rusqlite::Connection| {
            let sql = format!(
                "SELECT s.series, v.body FROM {joined} WHERE s.series > ?1 ORDER BY s.series LIMIT ?2"
            );
            select_rows(db, &sql, params![after, rows as i64])
        };
        page_of(self.database.read("listing versions", find).await?, page)
    }
}

impl SqliteCatalog {
    /// The latest versions with their bodies.
    fn joined(&self) -> String {
        let Self { table, versions, .. } = self;
        format!("{table} s JOIN {versions} v ON v.series = s.series AND v.version = s.latest")
    }
}
