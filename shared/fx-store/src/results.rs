//! The long parts of a result: trades, ledger, equity, order events and margin as Parquet, the tear sheet as one HTML
//! file.
//!
//! Every table is flat: one row a thing, a column that does not apply to a row is null there. Times are nanoseconds since
//! 1970 UTC, prices decimals of 9 places, money decimals of 6 places in the account currency, names those of the API.
//! What each table's columns hold stands where it is written.
//!
//! A result is a folder: objects named by part, number and digest, and `contents.json`, which lists them and is put last.
//! A result without it does not exist. What is read is held to its digest first.

mod contents;
mod equity;
mod events;
mod ledger;
mod margin;
#[cfg(test)]
mod tests;
mod trades;
mod writer;

use crate::Error;
use crate::error::into_store_error;
use crate::manifest::parse_key;
use crate::table::{Meaning, Table, Values, joined};
use async_trait::async_trait;
use bytes::Bytes;
use contents::{Contents, Piece};
use fx_app::ports::{BlobKey, BlobStore, ResultPart, ResultStore, ResultWriter, StoreResult};
use fx_app::records::{MarginPoint, OrderEvent};
use fx_domain::{BacktestId, Currency, Digest, EquityCurve, Instrument, LedgerRow, Trade};
use serde::de::DeserializeOwned;
use serde::de::value::{Error as ValueError, StrDeserializer};
use std::ops::Range;
use std::sync::Arc;
use writer::Writer;

const STORE: &str = "results";
/// Decimal places of an amount of money.
const MONEY: Meaning = Meaning::Decimal(6);
/// Decimal places of a price.
const PRICE: Meaning = Meaning::Decimal(9);
/// Key of the account currency in the notes of every table.
const CURRENCY_NOTE: &str = "currency";

/// Results in a blob store, under `results/{backtest id}/`.
#[derive(Clone)]
pub struct BlobResults {
    /// Where the parts lie.
    pub blobs: Arc<dyn BlobStore>,
}

fn key(id: &BacktestId, file: &str) -> Result<BlobKey, Error> {
    parse_key(&format!("results/{}/{file}", id.as_str()))
}

impl BlobResults {
    async fn contents(&self, id: &BacktestId) -> Result<Option<Contents>, Error> {
        let bytes = self.blobs.get(&key(id, contents::FILE)?).await?;
        bytes.map(|bytes| Contents::from_bytes(&bytes)).transpose()
    }

    /// An object, held to its digest.
    async fn object(&self, id: &BacktestId, piece: &Piece) -> Result<Bytes, Error> {
        let key = key(id, &piece.file)?;
        let missing = || Error::corrupt(format!("{key} is missing"));
        let bytes = self.blobs.get(&key).await?.ok_or_else(missing)?;
        if Digest::of(&bytes) == piece.sha256 {
            Ok(bytes)
        } else {
            Err(Error::corrupt(format!("{key} has another digest")))
        }
    }

    async fn table<T: Send + 'static>(
        &self,
        id: &BacktestId,
        piece: &Piece,
        rows: Range<usize>,
        decode: fn(&Table) -> Result<Vec<T>, Error>,
    ) -> Result<Vec<T>, Error> {
        let bytes = self.object(id, piece).await?;
        let decode = move || decode(&Table::open(bytes, rows)?);
        tokio::task::spawn_blocking(decode).await.map_err(Error::Background)?
    }

    /// The rows of a part that are in `rows`, and the account currency.
    async fn rows<T: Send + 'static>(
        &self,
        id: &BacktestId,
        part: ResultPart,
        rows: Range<u64>,
        decode: fn(&Table) -> Result<Vec<T>, Error>,
    ) -> StoreResult<Option<(Currency, Vec<T>)>> {
        let read = async {
            let Some(contents) = self.contents(id).await? else { return Ok(None) };
            let mut values = Vec::new();
            for (piece, within) in contents.within(part, rows) {
                values.append(&mut self.table(id, piece, within, decode).await?);
            }
            Ok(Some((contents.currency, values)))
        };
        read.await.map_err(|error| into_store_error(STORE, error))
    }

    /// What `pick` names, read by `decode`.
    async fn whole<T: Send + 'static>(
        &self,
        id: &BacktestId,
        pick: fn(&Contents) -> &Piece,
        decode: fn(&Table) -> Result<Vec<T>, Error>,
    ) -> StoreResult<Option<(Currency, Vec<T>)>> {
        let read = async {
            let Some(contents) = self.contents(id).await? else { return Ok(None) };
            let values = self.table(id, pick(&contents), 0..usize::MAX, decode).await?;
            Ok(Some((contents.currency, values)))
        };
        read.await.map_err(|error| into_store_error(STORE, error))
    }
}

#[async_trait]
impl ResultStore for BlobResults {
    fn writer(&self, id: &BacktestId, currency: Currency) -> Box<dyn ResultWriter> {
        Box::new(Writer::new(Arc::clone(&self.blobs), id.clone(), currency))
    }

    async fn trades(&self, id: &BacktestId, rows: Range<u64>) -> StoreResult<Option<Vec<Trade>>> {
        Ok(self.rows(id, ResultPart::Trades, rows, trades::decode).await?.map(|(_, rows)| rows))
    }

    async fn ledger(&self, id: &BacktestId, rows: Range<u64>) -> StoreResult<Option<Vec<LedgerRow>>> {
        Ok(self.rows(id, ResultPart::Ledger, rows, ledger::decode).await?.map(|(_, rows)| rows))
    }

    async fn equity(&self, id: &BacktestId, rows: Range<u64>) -> StoreResult<Option<EquityCurve>> {
        let points = self.rows(id, ResultPart::Equity, rows, equity::decode).await?;
        Ok(points.map(|(currency, points)| equity::curve(points, currency)))
    }

    async fn events(&self, id: &BacktestId, rows: Range<u64>) -> StoreResult<Option<Vec<OrderEvent>>> {
        Ok(self.rows(id, ResultPart::Events, rows, events::decode).await?.map(|(_, rows)| rows))
    }

    async fn margin(&self, id: &BacktestId, rows: Range<u64>) -> StoreResult<Option<Vec<MarginPoint>>> {
        Ok(self.rows(id, ResultPart::Margin, rows, margin::decode).await?.map(|(_, rows)| rows))
    }

    async fn curve(&self, id: &BacktestId) -> StoreResult<Option<EquityCurve>> {
        let points = self.whole(id, |contents| &contents.curve, equity::decode).await?;
        Ok(points.map(|(currency, points)| equity::curve(points, currency)))
    }

    async fn pending(&self, id: &BacktestId) -> StoreResult<Option<Vec<OrderEvent>>> {
        let events = self.whole(id, |contents| &contents.pending, events::decode).await?;
        Ok(events.map(|(_, events)| events))
    }

    async fn report(&self, id: &BacktestId) -> StoreResult<Option<String>> {
        let read = async {
            let Some(contents) = self.contents(id).await? else { return Ok(None) };
            let bytes = self.object(id, &contents.report).await?;
            let wrong = |_| Error::corrupt(format!("the report of {} is not UTF-8", id.as_str()));
            String::from_utf8(bytes.to_vec()).map(Some).map_err(wrong)
        };
        read.await.map_err(|error| into_store_error(STORE, error))
    }

    async fn parquet(&self, id: &BacktestId, part: ResultPart) -> StoreResult<Option<Bytes>> {
        let read = async {
            let Some(contents) = self.contents(id).await? else { return Ok(None) };
            let mut objects = Vec::new();
            for piece in contents.pieces(part) {
                objects.push(self.object(id, piece).await?);
            }
            if let [only] = objects.as_slice() {
                return Ok(Some(only.clone()));
            }
            tokio::task::spawn_blocking(move || joined(&objects)).await.map_err(Error::Background)?.map(Some)
        };
        read.await.map_err(|error| into_store_error(STORE, error))
    }
}

fn integers<T>(rows: &[T], meaning: Meaning, value: impl Fn(&T) -> i64) -> Values {
    Values::Integer(meaning, rows.iter().map(value).collect())
}

fn counts<T>(rows: &[T], value: impl Fn(&T) -> u64) -> Values {
    Values::Integer(Meaning::Unsigned, rows.iter().map(|row| value(row).cast_signed()).collect())
}

fn texts<T>(rows: &[T], value: impl Fn(&T) -> &'static str) -> Values {
    Values::Text(rows.iter().map(value).collect())
}

fn optional<T>(rows: &[T], meaning: Meaning, value: impl Fn(&T) -> Option<i64>) -> Values {
    Values::OptionalInteger(meaning, rows.iter().map(value).collect())
}

fn optional_counts<T>(rows: &[T], value: impl Fn(&T) -> Option<u64>) -> Values {
    optional(rows, Meaning::Unsigned, |row| value(row).map(u64::cast_signed))
}

fn optional_texts<T>(rows: &[T], value: impl Fn(&T) -> Option<&'static str>) -> Values {
    Values::OptionalText(rows.iter().map(value).collect())
}

/// A value that the rest of its row asks for.
fn there<T>(value: Option<T>, column: &str) -> Result<T, Error> {
    value.ok_or_else(|| Error::corrupt(format!("a row of a result table has no {column}")))
}

fn instrument(pair: &str) -> Result<Instrument, Error> {
    Instrument::parse(pair).map_err(|error| Error::corrupt(error.to_string()))
}

fn currency(code: &str) -> Result<Currency, Error> {
    code.parse().map_err(|_| Error::corrupt(format!("`{code}` is not a currency")))
}

/// An enum's value by the name that its serde form has.
fn named<T: DeserializeOwned>(name: &str) -> Result<T, Error> {
    T::deserialize(StrDeserializer::<ValueError>::new(name))
        .map_err(|error| Error::corrupt(error.to_string()))
}
