//! The long parts of results: written row by row, read page by page.

use super::StoreResult;
use crate::records::{MarginPoint, OrderEvent};
use async_trait::async_trait;
use bytes::Bytes;
use fx_domain::{BacktestId, Currency, EquityCurve, LedgerRow, Trade};
use std::ops::Range;

/// Rows of a run, of all of it or of a stretch. Those of consecutive stretches one after the other are those of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRows {
    /// Closed trades, in order of exit.
    pub trades: Vec<Trade>,
    /// Ledger rows.
    pub ledger: Vec<LedgerRow>,
    /// Equity at each bar.
    pub equity: EquityCurve,
    /// What happened to orders, in order.
    pub events: Vec<OrderEvent>,
    /// The account's margin where it changed, in order.
    pub margin: Vec<MarginPoint>,
}

impl RunRows {
    /// None, of an account in `currency`.
    #[must_use]
    pub fn none(currency: Currency) -> Self {
        let equity = EquityCurve { times: Vec::new(), micros: Vec::new(), currency };
        Self { trades: Vec::new(), ledger: Vec::new(), equity, events: Vec::new(), margin: Vec::new() }
    }
}

/// What is known when the last row is.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultEnd {
    /// The equity, thinned to what a picture needs.
    pub curve: EquityCurve,
    /// What happened to the orders that still wait.
    pub pending: Vec<OrderEvent>,
    /// The tear sheet, one HTML file.
    pub report_html: String,
}

/// Takes the rows of one result. Memory is bounded by some hundred thousand rows, however many are given.
#[async_trait]
pub trait ResultWriter: Send {
    /// Adds rows behind those given before.
    async fn append(&mut self, rows: RunRows) -> StoreResult<()>;
    /// Makes the result readable: before, nothing of it is.
    async fn finish(self: Box<Self>, end: ResultEnd) -> StoreResult<()>;
}

/// Trades, ledger, equity, order events, margin and tear sheets, keyed by backtest.
///
/// Adapters MUST:
/// - show a result whole or not at all: what was not finished does not exist;
/// - give each part back as it was first finished: a second result of the same id changes nothing.
///
/// Readers name the rows that they want by number, from 0; rows that are not there are left out.
#[async_trait]
pub trait ResultStore: Send + Sync {
    /// Begins the result of a run whose account is in `currency`.
    fn writer(&self, id: &BacktestId, currency: Currency) -> Box<dyn ResultWriter>;
    /// Trades.
    async fn trades(&self, id: &BacktestId, rows: Range<u64>) -> StoreResult<Option<Vec<Trade>>>;
    /// Rows of the ledger.
    async fn ledger(&self, id: &BacktestId, rows: Range<u64>) -> StoreResult<Option<Vec<LedgerRow>>>;
    /// Points of the equity curve.
    async fn equity(&self, id: &BacktestId, rows: Range<u64>) -> StoreResult<Option<EquityCurve>>;
    /// Order events.
    async fn events(&self, id: &BacktestId, rows: Range<u64>) -> StoreResult<Option<Vec<OrderEvent>>>;
    /// Moments of the margin.
    async fn margin(&self, id: &BacktestId, rows: Range<u64>) -> StoreResult<Option<Vec<MarginPoint>>>;
    /// As [`ResultEnd::curve`].
    async fn curve(&self, id: &BacktestId) -> StoreResult<Option<EquityCurve>>;
    /// As [`ResultEnd::pending`].
    async fn pending(&self, id: &BacktestId) -> StoreResult<Option<Vec<OrderEvent>>>;
    /// The tear sheet.
    async fn report(&self, id: &BacktestId) -> StoreResult<Option<String>>;
    /// One part as one Parquet file.
    async fn parquet(&self, id: &BacktestId, part: ResultPart) -> StoreResult<Option<Bytes>>;
}

/// A part of a result that is stored as Parquet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResultPart {
    /// Closed trades.
    Trades,
    /// Ledger rows.
    Ledger,
    /// Equity at each bar.
    Equity,
    /// What happened to orders.
    Events,
    /// The account's margin where it changed.
    Margin,
}

impl ResultPart {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Trades, Self::Ledger, Self::Equity, Self::Events, Self::Margin];

    /// Its name: `trades`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trades => "trades",
            Self::Ledger => "ledger",
            Self::Equity => "equity",
            Self::Events => "events",
            Self::Margin => "margin",
        }
    }
}
