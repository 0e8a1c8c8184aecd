//! The long parts of a result: trades, ledger, equity, order events and margin as Parquet, the tear sheet as one HTML
//! file.
//!
//! Every table is flat: one row a thing, a column that does not apply to a row is null there. Times are nanoseconds since
//! 1970 UTC, prices decimals of 9 places, money decimals of 6 places in the account currency, names those of the API.
//! What each table's columns hold stands where it is written.

mod events;
mod ledger;
mod margin;
#[cfg(test)]
mod tests;

use crate::Error;
use crate::error::{guarded, into_store_error};
use crate::manifest::parse_key;
use crate::table::{Meaning, Table, Values, write};
use async_trait::async_trait;
use bytes::Bytes;
use fx_app::ports::{BlobKey, BlobStore, ResultPart, ResultStore, RunArtefacts, StoreResult};
use fx_app::records::{MarginPoint, OrderEvent};
use fx_domain::{
    BacktestId, Costs, Currency, EquityCurve, Instrument, LedgerRow, Money, Price, Trade, Units, UnixNanos,
};
use serde::de::DeserializeOwned;
use serde::de::value::{Error as ValueError, StrDeserializer};
use std::sync::Arc;

const STORE: &str = "results";
/// Decimal places of an amount of money.
const MONEY: Meaning = Meaning::Decimal(6);
/// Decimal places of a price.
const PRICE: Meaning = Meaning::Decimal(9);

/// Results in a blob store, under `results/{backtest id}/`.
#[derive(Clone)]
pub struct BlobResults {
    /// Where the parts lie.
    pub blobs: Arc<dyn BlobStore>,
}

fn key(id: &BacktestId, file: &str) -> Result<BlobKey, Error> {
    parse_key(&format!("results/{}/{file}", id.as_str()))
}

const fn file_of(part: ResultPart) -> &'static str {
    match part {
        ResultPart::Trades => "trades.parquet",
        ResultPart::Ledger => "ledger.parquet",
        ResultPart::Equity => "equity.parquet",
        ResultPart::Events => "events.parquet",
        ResultPart::Margin => "margin.parquet",
    }
}

const REPORT: &str = "report.html";

impl BlobResults {
    async fn fetch(&self, id: &BacktestId, file: &str) -> Result<Option<Bytes>, Error> {
        Ok(self.blobs.get(&key(id, file)?).await?)
    }

    async fn read<T: Send + 'static>(
        &self,
        id: &BacktestId,
        part: ResultPart,
        decode: fn(Bytes) -> Result<T, Error>,
    ) -> StoreResult<Option<T>> {
        let read = async {
            let Some(bytes) = self.fetch(id, file_of(part)).await? else { return Ok(None) };
            let decode = move || guarded(file_of(part), || decode(bytes));
            tokio::task::spawn_blocking(decode).await.map_err(Error::Background)?.map(Some)
        };
        read.await.map_err(|error| into_store_error(STORE, error))
    }

    async fn store(&self, id: &BacktestId, artefacts: &RunArtefacts) -> Result<(), Error> {
        let owned = artefacts.clone();
        let encode = move || -> Result<_, Error> {
            Ok([
                (ResultPart::Trades, encode_trades(&owned.trades)?),
                (ResultPart::Ledger, ledger::encode(&owned.ledger)?),
                (ResultPart::Equity, encode_equity(&owned.equity)?),
                (ResultPart::Events, events::encode(&owned.events)?),
                (ResultPart::Margin, margin::encode(&owned.margin, owned.equity.currency)?),
            ])
        };
        let parts = tokio::task::spawn_blocking(encode).await.map_err(Error::Background)??;
        for (part, bytes) in parts {
            self.blobs.put(&key(id, file_of(part))?, bytes).await?;
        }
        let html = Bytes::from(artefacts.report_html.clone().into_bytes());
        self.blobs.put(&key(id, REPORT)?, html).await?;
        Ok(())
    }
}

#[async_trait]
impl ResultStore for BlobResults {
    async fn put(&self, id: &BacktestId, artefacts: &RunArtefacts) -> StoreResult<()> {
        self.store(id, artefacts).await.map_err(|error| into_store_error(STORE, error))
    }

    async fn trades(&self, id: &BacktestId) -> StoreResult<Option<Vec<Trade>>> {
        self.read(id, ResultPart::Trades, decode_trades).await
    }

    async fn ledger(&self, id: &BacktestId) -> StoreResult<Option<Vec<LedgerRow>>> {
        self.read(id, ResultPart::Ledger, ledger::decode).await
    }

    async fn equity(&self, id: &BacktestId) -> StoreResult<Option<EquityCurve>> {
        self.read(id, ResultPart::Equity, decode_equity).await
    }

    async fn events(&self, id: &BacktestId) -> StoreResult<Option<Vec<OrderEvent>>> {
        self.read(id, ResultPart::Events, events::decode).await
    }

    async fn margin(&self, id: &BacktestId) -> StoreResult<Option<Vec<MarginPoint>>> {
        self.read(id, ResultPart::Margin, margin::decode).await
    }

    async fn report(&self, id: &BacktestId) -> StoreResult<Option<String>> {
        let bytes = self.fetch(id, REPORT).await.map_err(|error| into_store_error(STORE, error))?;
        let text = bytes.map(|bytes| {
            String::from_utf8(bytes.to_vec())
                .map_err(|_| Error::corrupt(format!("{REPORT} of {} is not UTF-8", id.as_str())))
        });
        text.transpose().map_err(|error| into_store_error(STORE, error))
    }

    async fn parquet(&self, id: &BacktestId, part: ResultPart) -> StoreResult<Option<Bytes>> {
        self.fetch(id, file_of(part)).await.map_err(|error| into_store_error(STORE, error))
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

fn encode_trades(trades: &[Trade]) -> Result<Bytes, Error> {
    let columns = [
        ("id", counts(trades, |trade| trade.id)),
        ("position_id", counts(trades, |trade| trade.position_id)),
        ("instrument", Values::Owned(trades.iter().map(|trade| trade.instrument.to_string()).collect())),
        ("side", texts(trades, |trade| trade.side.as_str())),
        ("units", integers(trades, Meaning::Signed, |trade| trade.units.get())),
        ("entry_bar", counts(trades, |trade| trade.entry_bar)),
        ("exit_bar", counts(trades, |trade| trade.exit_bar)),
        ("entry_time", integers(trades, Meaning::Timestamp, |trade| trade.entry_time.get())),
        ("exit_time", integers(trades, Meaning::Timestamp, |trade| trade.exit_time.get())),
        ("entry_price", integers(trades, PRICE, |trade| trade.entry_price.nanos())),
        ("exit_price", integers(trades, PRICE, |trade| trade.exit_price.nanos())),
        ("profit_loss", integers(trades, MONEY, |trade| trade.profit_loss.micros())),
        (
            "currency",
            Values::Owned(trades.iter().map(|trade| trade.profit_loss.currency().to_string()).collect()),
        ),
        ("spread", integers(trades, MONEY, |trade| trade.costs.spread_micros)),
        ("commission", integers(trades, MONEY, |trade| trade.costs.commission_micros)),
        ("slippage", integers(trades, MONEY, |trade| trade.costs.slippage_micros)),
        ("financing", integers(trades, MONEY, |trade| trade.costs.financing_micros)),
        ("exit_reason", texts(trades, |trade| trade.exit_reason.as_str())),
        ("ambiguous", Values::Bool(trades.iter().map(|trade| trade.ambiguous).collect())),
        ("mae", integers(trades, PRICE, |trade| trade.mae.nanos())),
        ("mfe", integers(trades, PRICE, |trade| trade.mfe.nanos())),
    ];
    write(&columns, &[])
}

fn decode_trades(bytes: Bytes) -> Result<Vec<Trade>, Error> {
    let table = Table::open(bytes)?;
    let (ids, positions) = (table.unsigned("id")?, table.unsigned("position_id")?);
    let (instruments, sides) = (table.texts("instrument")?, table.texts("side")?);
    let (units, currencies) = (table.integers("units")?, table.texts("currency")?);
    let (entry_bars, exit_bars) = (table.unsigned("entry_bar")?, table.unsigned("exit_bar")?);
    let (entry_times, exit_times) = (table.integers("entry_time")?, table.integers("exit_time")?);
    let (entry_prices, exit_prices) = (table.integers("entry_price")?, table.integers("exit_price")?);
    let (profits, spreads) = (table.integers("profit_loss")?, table.integers("spread")?);
    let (commissions, slippages) = (table.integers("commission")?, table.integers("slippage")?);
    let (financings, reasons) = (table.integers("financing")?, table.texts("exit_reason")?);
    let ambiguous = table.bools("ambiguous")?;
    let (worst, best) = (table.integers("mae")?, table.integers("mfe")?);
    let trade = |row: usize| -> Result<Trade, Error> {
        Ok(Trade {
            id: ids[row],
            position_id: positions[row],
            instrument: instrument(&instruments[row])?,
            side: named(&sides[row])?,
            units: Units::new(units[row]),
            entry_bar: entry_bars[row],
            exit_bar: exit_bars[row],
            entry_time: UnixNanos::new(entry_times[row]),
            exit_time: UnixNanos::new(exit_times[row]),
            entry_price: Price::from_nanos(entry_prices[row]),
            exit_price: Price::from_nanos(exit_prices[row]),
            profit_loss: Money::from_micros(profits[row], currency(&currencies[row])?),
            costs: Costs {
                spread_micros: spreads[row],
                commission_micros: commissions[row],
                slippage_micros: slippages[row],
                financing_micros: financings[row],
            },
            exit_reason: named(&reasons[row])?,
            ambiguous: ambiguous[row],
            mae: Price::from_nanos(worst[row]),
            mfe: Price::from_nanos(best[row]),
        })
    };
    (0..table.rows()).map(trade).collect()
}

/// Key of the account currency in the file of an equity curve: the curve has it even when it is empty.
const CURRENCY_NOTE: &str = "currency";

fn encode_equity(equity: &EquityCurve) -> Result<Bytes, Error> {
    let times = equity.times.iter().map(|time| time.get()).collect();
    let columns = [
        ("time", Values::Integer(Meaning::Timestamp, times)),
        ("equity", Values::Integer(MONEY, equity.micros.clone())),
    ];
    write(&columns, &[(CURRENCY_NOTE, &equity.currency.to_string())])
}

fn decode_equity(bytes: Bytes) -> Result<EquityCurve, Error> {
    let table = Table::open(bytes)?;
    let currency = currency(table.note(CURRENCY_NOTE).unwrap_or_default())?;
    let times = table.integers("time")?.into_iter().map(UnixNanos::new).collect();
    Ok(EquityCurve { times, micros: table.integers("equity")?, currency })
}

fn currency(code: &str) -> Result<Currency, Error> {
    code.parse().map_err(|_| Error::corrupt(format!("`{code}` is not a currency")))
}

/// An enum's value by the name that its serde form has.
fn named<T: DeserializeOwned>(name: &str) -> Result<T, Error> {
    T::deserialize(StrDeserializer::<ValueError>::new(name))
        .map_err(|error| Error::corrupt(error.to_string()))
}
