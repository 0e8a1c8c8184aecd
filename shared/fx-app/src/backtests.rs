//! Backtest a strategy on stored bars, and read what came out.

mod compute;
mod config;
mod request;
mod run;
mod warnings;

pub use config::{
    COMMISSION_MAX, INITIAL_CAPITAL_MAX, INLINE_RATES_MAX, LEVERAGE_MAX, MARGIN_LEVEL_PCT_MAX, PIPS_MAX,
    PYRAMIDING_MAX, RATE_MAX, SCENARIOS_MAX, financing_error,
};
pub use request::{BacktestRequest, FinancingRequest, SpreadRequest};

pub use crate::inputs::RUN_BARS_MAX;

pub use fx_engine::{AccountKind, Commission, FillTime, IntrabarPolicy, Slippage, StopOutPolicy};

use crate::ports::{Page, PageRequest, ResultPart, RunArtefacts};
use crate::records::{BacktestRecord, MarginPoint, OrderEvent, SeriesKey, SeriesVersion};
use crate::{App, Caller, errors};
use bytes::Bytes;
use fx_domain::{
    BacktestId, Digest, EquityCurve, ErrorKind, LedgerRow, PlatformError, PlatformResult, StrategyId, Trade,
};

/// Strategies that one comparison takes, at most.
pub const COMPARED_STRATEGIES_MAX: usize = 20;

/// A finished backtest.
#[derive(Clone, Debug)]
pub struct BacktestOutcome {
    /// The summary, as stored.
    pub record: BacktestRecord,
    /// The long parts, as stored.
    pub artefacts: RunArtefacts,
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

    /// The closed trades of a backtest, in order of exit.
    ///
    /// # Errors
    /// As [`App::get_backtest`]; `BacktestReportError` when the result's files are gone.
    pub async fn backtest_trades(&self, caller: &Caller, id: &BacktestId) -> PlatformResult<Vec<Trade>> {
        self.get_backtest(caller, id).await?;
        self.files.results.trades(id).await.map_err(errors::store)?.ok_or_else(|| files_gone(id))
    }

    /// The ledger of a backtest.
    ///
    /// # Errors
    /// As [`App::backtest_trades`].
    pub async fn backtest_ledger(&self, caller: &Caller, id: &BacktestId) -> PlatformResult<Vec<LedgerRow>> {
        self.get_backtest(caller, id).await?;
        self.files.results.ledger(id).await.map_err(errors::store)?.ok_or_else(|| files_gone(id))
    }

    /// The equity curve of a backtest.
    ///
    /// # Errors
    /// As [`App::backtest_trades`].
    pub async fn backtest_equity(&self, caller: &Caller, id: &BacktestId) -> PlatformResult<EquityCurve> {
        self.get_backtest(caller, id).await?;
        self.files.results.equity(id).await.map_err(errors::store)?.ok_or_else(|| files_gone(id))
    }

    /// What happened to the orders of a backtest, in order.
    ///
    /// # Errors
    /// As [`App::backtest_trades`].
    pub async fn backtest_events(&self, caller: &Caller, id: &BacktestId) -> PlatformResult<Vec<OrderEvent>> {
        self.get_backtest(caller, id).await?;
        self.files.results.events(id).await.map_err(errors::store)?.ok_or_else(|| files_gone(id))
    }

    /// The account's margin through a backtest: after each bar with a fill or a rollover, and at every call and
    /// stop-out.
    ///
    /// # Errors
    /// As [`App::backtest_trades`].
    pub async fn backtest_margin(
        &self,
        caller: &Caller,
        id: &BacktestId,
    ) -> PlatformResult<Vec<MarginPoint>> {
        self.get_backtest(caller, id).await?;
        self.files.results.margin(id).await.map_err(errors::store)?.ok_or_else(|| files_gone(id))
    }

    /// The tear sheet of a backtest: one HTML file.
    ///
    /// # Errors
    /// As [`App::backtest_trades`].
    pub async fn backtest_report(&self, caller: &Caller, id: &BacktestId) -> PlatformResult<String> {
        self.get_backtest(caller, id).await?;
        self.files.results.report(id).await.map_err(errors::store)?.ok_or_else(|| files_gone(id))
    }

    /// A part of a backtest's result as a Parquet file.
    ///
    /// # Errors
    /// As [`App::backtest_trades`].
    pub async fn backtest_parquet(
        &self,
        caller: &Caller,
        id: &BacktestId,
        part: ResultPart,
    ) -> PlatformResult<Bytes> {
        self.get_backtest(caller, id).await?;
        self.files.results.parquet(id, part).await.map_err(errors::store)?.ok_or_else(|| files_gone(id))
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

fn files_gone(id: &BacktestId) -> PlatformError {
    PlatformError::new(ErrorKind::BacktestReport, format!("the result files of backtest {id} are not there"))
}
