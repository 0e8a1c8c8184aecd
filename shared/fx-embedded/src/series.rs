//! The series catalogue in SQLite. The comparison and the move of the pointer are one transaction.

use crate::database::{Database, STORE, page_of, rows_of, select_body, select_rows};
use async_trait::async_trait;
use fx_app::ports::{Page, PageRequest, Publish, SeriesCatalog, StoreResult};
use fx_app::records::{SeriesKey, SeriesVersion};
use fx_app::stored::{decode, encode};
use fx_domain::Digest;
use rusqlite::params;
use std::sync::Arc;

pub(crate) struct SqliteSeries(pub(crate) Arc<Database>);

#[async_trait]
impl SeriesCatalog for SqliteSeries {
    async fn publish(&self, next: &SeriesVersion, expected: Option<&Digest>) -> StoreResult<Publish> {
        let series = next.series.to_string();
        let body = encode(STORE, &series, next)?;
        let (digest, expected) = (next.version.to_string(), expected.map(Digest::to_string));
        let exchange = move |db: &rusqlite::Connection| {
            let latest = select_body(db, "SELECT latest FROM series WHERE series = ?1", params![series])?;
            if latest.as_deref() == Some(&digest) {
                return Ok(Publish::Published);
            }
            if latest != expected {
                return Ok(Publish::Conflict);
            }
            db.prepare_cached(
                "INSERT INTO series_versions (series, version, body) VALUES (?1, ?2, ?3)
                 ON CONFLICT (series, version) DO NOTHING",
            )?
            .execute(params![series, digest, body])?;
            db.prepare_cached(
                "INSERT INTO series (series, latest) VALUES (?1, ?2)
                 ON CONFLICT (series) DO UPDATE SET latest = excluded.latest",
            )?
            .execute(params![series, digest])?;
            Ok(Publish::Published)
        };
        self.0.write("publishing a series", exchange).await
    }

    async fn latest(&self, series: &SeriesKey) -> StoreResult<Option<SeriesVersion>> {
        let key = series.to_string();
        let find = move |db: &rusqlite::Connection| {
            select_body(
                db,
                "SELECT v.body FROM series s JOIN series_versions v ON v.series = s.series AND v.version = s.latest
                 WHERE s.series = ?1",
                params![key],
            )
        };
        let body = self.0.read("reading a series", find).await?;
        body.map(|body| decode(STORE, &series.to_string(), &body)).transpose()
    }

    async fn version(&self, series: &SeriesKey, version: &Digest) -> StoreResult<Option<SeriesVersion>> {
        let (key, digest) = (series.to_string(), version.to_string());
        let find = move |db: &rusqlite::Connection| {
            let sql = "SELECT body FROM series_versions WHERE series = ?1 AND version = ?2";
            select_body(db, sql, params![key, digest])
        };
        let body = self.0.read("reading a series version", find).await?;
        body.map(|body| decode(STORE, &series.to_string(), &body)).transpose()
    }

    async fn list(&self, page: &PageRequest) -> StoreResult<Page<SeriesVersion>> {
        let (after, rows) = (page.after.clone().unwrap_or_default(), rows_of(page));
        let find = move |db: &rusqlite::Connection| {
            select_rows(
                db,
                "SELECT s.series, v.body FROM series s JOIN series_versions v ON v.series = s.series AND v.version = s.latest
                 WHERE s.series > ?1 ORDER BY s.series LIMIT ?2",
                params![after, rows as i64],
            )
        };
        page_of(self.0.read("listing series", find).await?, page)
    }
}
