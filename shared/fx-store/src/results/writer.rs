//! Writing a result as its rows come: a row group when there are enough rows for one, an object when it has enough of
//! them.

use super::contents::{self, Contents, Piece};
use super::{CURRENCY_NOTE, STORE, equity, events, key, ledger, margin, trades};
use crate::Error;
use crate::error::into_store_error;
use crate::table::{Columns, TableWriter};
use async_trait::async_trait;
use bytes::Bytes;
use fx_app::ports::{BlobStore, ResultEnd, ResultPart, ResultWriter, RunRows, StoreResult};
use fx_app::records::{MarginPoint, OrderEvent};
use fx_domain::{BacktestId, Currency, Digest, LedgerRow, Trade};
use std::sync::Arc;

/// Rows in one row group: what a page of rows is read by, and what of each part is in memory before it is encoded.
const GROUP_ROWS: usize = 32_768;
/// An object of so many bytes takes no further row group.
const OBJECT_BYTES: usize = 4 * 1024 * 1024;

/// The result under way.
pub(super) struct Writer {
    blobs: Arc<dyn BlobStore>,
    id: BacktestId,
    /// Not there while rows are being encoded, and after that failed.
    parts: Option<Parts>,
}

/// An object that is ready to be put.
struct Object {
    file: String,
    bytes: Bytes,
}

impl Object {
    fn new(name: &str, number: usize, extension: &str, bytes: Bytes, rows: usize) -> (Self, Piece) {
        let sha256 = Digest::of(&bytes);
        let file = format!("{name}-{number:05}-{sha256}.{extension}");
        (Self { file: file.clone(), bytes }, Piece { file, rows: rows as u64, sha256 })
    }
}

/// One table under way.
struct Part<T> {
    name: &'static str,
    columns: fn(&[T]) -> Columns,
    currency: Currency,
    /// Rows that do not fill a row group yet.
    held: Vec<T>,
    /// The object under way.
    table: Option<TableWriter>,
    pieces: Vec<Piece>,
}

impl<T> Part<T> {
    const fn new(name: &'static str, columns: fn(&[T]) -> Columns, currency: Currency) -> Self {
        Self { name, columns, currency, held: Vec::new(), table: None, pieces: Vec::new() }
    }

    fn append(&mut self, rows: Vec<T>, ready: &mut Vec<Object>) -> Result<(), Error> {
        self.held.extend(rows);
        while self.held.len() >= GROUP_ROWS {
            let rest = self.held.split_off(GROUP_ROWS);
            let group = std::mem::replace(&mut self.held, rest);
            if self.group(&group)? >= OBJECT_BYTES {
                self.close(ready)?;
            }
        }
        Ok(())
    }

    /// Adds a row group to the object under way, and says how many bytes that has now.
    fn group(&mut self, rows: &[T]) -> Result<usize, Error> {
        let columns = (self.columns)(rows);
        let table = match &mut self.table {
            Some(table) => table,
            None => self.table.insert(TableWriter::new(&columns, &[(CURRENCY_NOTE, self.currency.code())])?),
        };
        table.write(&columns)?;
        Ok(table.bytes())
    }

    fn close(&mut self, ready: &mut Vec<Object>) -> Result<(), Error> {
        let Some(table) = self.table.take() else { return Ok(()) };
        let rows = table.rows();
        let (object, piece) = Object::new(self.name, self.pieces.len(), "parquet", table.finish()?, rows);
        ready.push(object);
        self.pieces.push(piece);
        Ok(())
    }

    /// The last rows. A part without rows is a table without rows.
    fn finish(mut self, ready: &mut Vec<Object>) -> Result<Vec<Piece>, Error> {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() || (self.table.is_none() && self.pieces.is_empty()) {
            self.group(&held)?;
        }
        self.close(ready)?;
        Ok(self.pieces)
    }
}

/// A table of few rows.
fn single<T>(
    name: &'static str,
    columns: fn(&[T]) -> Columns,
    currency: Currency,
    rows: Vec<T>,
    ready: &mut Vec<Object>,
) -> Result<Piece, Error> {
    let mut part = Part::new(name, columns, currency);
    part.append(rows, ready)?;
    let mut pieces = part.finish(ready)?;
    match (pieces.pop(), pieces.is_empty()) {
        (Some(piece), true) => Ok(piece),
        _ => Err(Error::Limit { what: name.to_owned(), limit: OBJECT_BYTES as u64, unit: "bytes" }),
    }
}

struct Parts {
    currency: Currency,
    trades: Part<Trade>,
    ledger: Part<LedgerRow>,
    equity: Part<equity::Point>,
    events: Part<OrderEvent>,
    margin: Part<MarginPoint>,
}

impl Parts {
    const fn new(currency: Currency) -> Self {
        Self {
            currency,
            trades: Part::new(ResultPart::Trades.as_str(), trades::columns, currency),
            ledger: Part::new(ResultPart::Ledger.as_str(), ledger::columns, currency),
            equity: Part::new(ResultPart::Equity.as_str(), equity::columns, currency),
            events: Part::new(ResultPart::Events.as_str(), events::columns, currency),
            margin: Part::new(ResultPart::Margin.as_str(), margin::columns, currency),
        }
    }

    fn append(&mut self, rows: RunRows) -> Result<Vec<Object>, Error> {
        let mut ready = Vec::new();
        let points = equity::points(&rows.equity);
        self.trades.append(rows.trades, &mut ready)?;
        self.ledger.append(rows.ledger, &mut ready)?;
        self.equity.append(points, &mut ready)?;
        self.events.append(rows.events, &mut ready)?;
        self.margin.append(rows.margin, &mut ready)?;
        Ok(ready)
    }

    fn finish(self, end: ResultEnd) -> Result<(Vec<Object>, Contents), Error> {
        let (currency, mut ready) = (self.currency, Vec::new());
        let parts = [
            self.trades.finish(&mut ready)?,
            self.ledger.finish(&mut ready)?,
            self.equity.finish(&mut ready)?,
            self.events.finish(&mut ready)?,
            self.margin.finish(&mut ready)?,
        ];
        let curve = equity::points(&end.curve);
        let curve = single("curve", equity::columns, currency, curve, &mut ready)?;
        let pending = single("pending", events::columns, currency, end.pending, &mut ready)?;
        let (page, report) = Object::new("report", 0, "html", end.report_html.into_bytes().into(), 0);
        ready.push(page);
        Ok((ready, Contents::new(currency, parts, [curve, pending, report])))
    }
}

impl Writer {
    pub(super) const fn new(blobs: Arc<dyn BlobStore>, id: BacktestId, currency: Currency) -> Self {
        Self { blobs, id, parts: Some(Parts::new(currency)) }
    }

    fn take(&mut self) -> Result<Parts, Error> {
        self.parts.take().ok_or_else(|| Error::corrupt("rows behind a row that could not be written"))
    }

    async fn put(&self, objects: Vec<Object>) -> Result<(), Error> {
        for Object { file, bytes } in objects {
            self.blobs.put(&key(&self.id, &file)?, bytes).await?;
        }
        Ok(())
    }

    async fn append_rows(&mut self, rows: RunRows) -> Result<(), Error> {
        let mut parts = self.take()?;
        let encode = move || parts.append(rows).map(|ready| (parts, ready));
        let (parts, ready) = tokio::task::spawn_blocking(encode).await.map_err(Error::Background)??;
        self.put(ready).await?;
        self.parts = Some(parts);
        Ok(())
    }

    async fn finish_result(mut self, end: ResultEnd) -> Result<(), Error> {
        let parts = self.take()?;
        let encode = move || parts.finish(end);
        let (ready, contents) = tokio::task::spawn_blocking(encode).await.map_err(Error::Background)??;
        self.put(ready).await?;
        self.blobs.put(&key(&self.id, contents::FILE)?, contents.to_bytes()?.into()).await?;
        Ok(())
    }
}

#[async_trait]
impl ResultWriter for Writer {
    async fn append(&mut self, rows: RunRows) -> StoreResult<()> {
        self.append_rows(rows).await.map_err(|error| into_store_error(STORE, error))
    }

    async fn finish(self: Box<Self>, end: ResultEnd) -> StoreResult<()> {
        self.finish_result(end).await.map_err(|error| into_store_error(STORE, error))
    }
}
