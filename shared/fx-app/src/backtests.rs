//! Backtest a strategy on stored bars, and read what came out.

mod compute;
mod config;
mod request;
mod run;
mod warnings;

pub use config::{
    COMMISSION_MAX, FEATURES_AGE_HOURS_MAX, INITIAL_CAPITAL_MAX, INLINE_RATES_MAX, LEVERAGE_MAX,
    MARGIN_LEVEL_PCT_MAX, PIPS_MAX, PYRAMIDING_MAX, RATE_MAX, SCENARIOS_MAX, financing_error,
};
pub(crate) use run::{BacktestOf, Prepared};

pub use request::{BacktestRequest, FinancingRequest, SpreadRequest};

pub use crate::inputs::RUN_BARS_MAX;

pub use fx_engine::{AccountKind, Commission, FillTime, IntrabarPolicy, Slippage, StopOutPolicy};

use crate::ports::{Page, PageRequest, ResultPart, StoreResult};
use crate::records::{BacktestRecord, FeatureVersion, MarginPoint, OrderEvent, SeriesKey, SeriesVersion};
use crate::{App, Caller, errors};
use bytes::Bytes;
use fx_domain::{
    BacktestId, Digest, EquityCurve, ErrorKind, LedgerRow, PlatformError, PlatformResult, StrategyId, Trade,
};
use std::ops::Range;

/// Strategies that one comparison takes, at most.
pub const COMPARED_STRATEGIES_MAX: usize = 20;

/// A finished backtest.
#[derive(Clone, Debug)]
pub struct BacktestOutcome {
    /// The summary, as stored.
    pub record: BacktestRecord,
    /// What is shown of the long parts.
    pub shown: Shown,
}

/// Closed trades that are shown with a summary, at most: the first ones.
pub const TRADES_SHOWN_MAX: usize = 1_000;
/// Points of the equity that are shown with a summary, at most: every n-th one, and the last.
pub const CURVE_POINTS_MAX: usize = 2_000;

/// What is shown of a result's long parts beside its summary.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The first [`TRADES_SHOWN_MAX`] trades.
    pub trades: Vec<Trade>,
    /// The equity in at most [`CURVE_POINTS_MAX`] points.
    pub curve: EquityCurve,
    /// What happened to the orders that still wait.
    pub pending: Vec<OrderEvent>,
}

impl App {
    /// The summary of a backtest.
    ///
    /// # Errors
    /// `BacktestError` (404) when it does not exist for the caller.
    pub async fn get_backtest(&self, caller: &Caller, id: &BacktestId) -> PlatformResult<BacktestRecord> {
        self.backtests
            .get(id)
            .await
            .map_err(errors::store)?
            .filter(|record| caller.sees(&record.owner))
            .ok_or_else(|| {
                PlatformError::new(ErrorKind::BacktestNotFound, format!("backtest {id} not found"))
            })
    }

    /// A backtest as [`App::run_backtest`] answered it.
    ///
    /// # Errors
    /// As [`App::get_backtest`]; `BacktestReportError` when the result's files are gone.
    pub async fn get_outcome(&self, caller: &Caller, id: &BacktestId) -> PlatformResult<BacktestOutcome> {
        let record = self.get_backtest(caller, id).await?;
        let results = &self.files.results;
        let shown = Shown {
            trades: there(id, results.trades(id, 0..TRADES_SHOWN_MAX as u64).await)?,
            curve: there(id, results.curve(id).await)?,
            pending: there(id, results.pending(id).await)?,
        };
        Ok(BacktestOutcome { record, shown })
    }

    /// Closed trades of a backtest, in order of exit, by number from 0; those that are not there are left out.
    ///
    /// # Errors
    /// As [`App::get_outcome`].
    pub async fn backtest_trades(
        &self,
        caller: &Caller,
        id: &BacktestId,
        rows: Range<u64>,
    ) -> PlatformResult<Vec<Trade>> {
        self.get_backtest(caller, id).await?;
        there(id, self.files.results.trades(id, rows).await)
    }

    /// Rows of the ledger of a backtest.
    ///
    /// # Errors
    /// As [`App::get_outcome`].
    pub async fn backtest_ledger(
        &self,
        caller: &Caller,
        id: &BacktestId,
        rows: Range<u64>,
    ) -> PlatformResult<Vec<LedgerRow>> {
        self.get_backtest(caller, id).await?;
        there(id, self.files.results.ledger(id, rows).await)
    }

    /// Points of the equity curve of a backtest.
    ///
    /// # Errors
    /// As [`App::get_outcome`].
    pub async fn backtest_equity(
        &self,
        caller: &Caller,
        id: &BacktestId,
        rows: Range<u64>,
    ) -> PlatformResult<EquityCurve> {
        self.get_backtest(caller, id).await?;
        there(id, self.files.results.equity(id, rows).await)
    }

    /// What happened to the orders of a backtest, in order.
    ///
    /// # Errors
    /// As [`App::get_outcome`].
    pub async fn backtest_events(
        &self,
        caller: &Caller,
        id: &BacktestId,
        rows: Range<u64>,
    ) -> PlatformResult<Vec<OrderEvent>> {
        self.get_backtest(caller, id).await?;
        there(id, self.files.results.events(id, rows).await)
    }

    /// The account's margin through a backtest: after each bar with a fill or a rollover, and at every call and
    /// stop-out.
    ///
    /// # Errors
    /// As [`App::get_outcome`].
    pub async fn backtest_margin(
        &self,
        caller: &Caller,
        id: &BacktestId,
        rows: Range<u64>,
    ) -> PlatformResult<Vec<MarginPoint>> {
        self.get_backtest(caller, id).await?;
        there(id, self.files.results.margin(id, rows).await)
    }

    /// The tear sheet of a backtest: one HTML file.
    ///
    /// # Errors
    /// As [`App::get_outcome`].
    pub async fn backtest_report(&self, caller: &Caller, id: &BacktestId) -> PlatformResult<String> {
        self.get_backtest(caller, id).await?;
        there(id, self.files.results.report(id).await)
    }

    /// A part of a backtest's result as a Parquet file.
    ///
    /// # Errors
    /// As [`App::get_outcome`].
    pub async fn backtest_parquet(
        &self,
        caller: &Caller,
        id: &BacktestId,
        part: ResultPart,
    ) -> PlatformResult<Bytes> {
        self.get_backtest(caller, id).await?;
        there(id, self.files.results.parquet(id, part).await)
    }

    /// A page of the caller's backtests of one strategy, or of all, newest first.
    ///
    /// # Errors
    /// `ServiceError` when the store fails.
    pub async fn list_backtests(
        &self,
        caller: &Caller,
        strategy: Option<&StrategyId>,
        page: &PageRequest,
    ) -> PlatformResult<Page<BacktestRecord>> {
        self.backtests.list(caller.principal(), strategy, page).await.map_err(errors::store)
    }

    /// The caller's newest backtest of each strategy, in the order asked.
    ///
    /// # Errors
    /// `BacktestConfigError` when none or too many are named; `BacktestError` (404) for a strategy without backtests.
    pub async fn compare(
        &self,
        caller: &Caller,
        strategies: &[StrategyId],
    ) -> PlatformResult<Vec<BacktestRecord>> {
        if strategies.is_empty() || strategies.len() > COMPARED_STRATEGIES_MAX {
            let message = format!("expected 1 to {COMPARED_STRATEGIES_MAX} strategies");
            return Err(PlatformError::field(ErrorKind::BacktestConfig, "strategy_ids", message));
        }
        let newest = PageRequest { size: 1, after: None };
        let mut compared = Vec::with_capacity(strategies.len());
        for id in strategies {
            let page = self.list_backtests(caller, Some(id), &newest).await?;
            let record = page.items.into_iter().next().ok_or_else(|| {
                PlatformError::new(ErrorKind::BacktestNotFound, format!("no backtest of strategy {id} found"))
            })?;
            compared.push(record);
        }
        Ok(compared)
    }

    /// A page of the latest versions of all series of bars.
    ///
    /// # Errors
    /// `ServiceError` when the store fails.
    pub async fn list_series(&self, page: &PageRequest) -> PlatformResult<Page<SeriesVersion>> {
        self.files.bars.list(page).await.map_err(errors::store)
    }

    /// A page of the latest versions of all features.
    ///
    /// # Errors
    /// `ServiceError` when the store fails.
    pub async fn list_features(&self, page: &PageRequest) -> PlatformResult<Page<FeatureVersion>> {
        self.files.features.list(page).await.map_err(errors::store)
    }

    /// The latest version of a series of bars, or the one that is named.
    ///
    /// # Errors
    /// `BacktestDataError` when there is none.
    pub async fn describe_series(
        &self,
        series: &SeriesKey,
        version: Option<&Digest>,
    ) -> PlatformResult<SeriesVersion> {
        self.files.bars.describe(series, version).await.map_err(errors::store)?.ok_or_else(|| {
            let SeriesKey { dataset, instrument, granularity } = series;
            let version = version.map(|version| format!(" version {version}")).unwrap_or_default();
            let message = format!("no {granularity} bars of {instrument} in data set `{dataset}`{version}");
            PlatformError::new(ErrorKind::BacktestData, message)
        })
    }
}

/// A part of a result that its summary speaks of.
fn there<T>(id: &BacktestId, part: StoreResult<Option<T>>) -> PlatformResult<T> {
    part.map_err(errors::store)?.ok_or_else(|| {
        let message = format!("the result files of backtest {id} are not there");
        PlatformError::new(ErrorKind::BacktestReport, message)
    })
}
