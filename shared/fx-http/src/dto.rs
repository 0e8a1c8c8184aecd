//! Wire forms, and how they follow from the use-cases' records. Numbers are JSON numbers, times RFC 3339 in UTC.

mod backtest;
mod backtest_request;
mod causality;
mod dataset;
mod diagnostic;
mod execution;
mod health;
mod ledger;
mod order_event;
mod parameter;
mod report;
mod strategy;
mod validation;

pub(crate) use backtest::{
    BacktestResult, BacktestStatus, BacktestSummaries, BacktestSummary, EquityPage, EquityPoint, TradeDto,
    TradePage,
};
pub(crate) use backtest_request::{BacktestBody, BacktestInput};
pub(crate) use dataset::{DatasetDto, DatasetPage, FeatureDto, FeaturePage, InstrumentDatasets};
pub(crate) use diagnostic::DiagnosticDto;
pub(crate) use execution::{ExecuteBody, ExecutionDto, ExecutionPage};
pub(crate) use health::{DetailedHealthDto, HealthDto, RootDto};
pub(crate) use ledger::{LedgerEntry, LedgerPage, MarginEntry, MarginPage};
pub(crate) use order_event::{OrderEventDto, OrderPage};
pub(crate) use report::{Comparison, PerformanceReport};
pub(crate) use strategy::{RegisterBody, RegisteredDto, StrategyDto, StrategyPage, VersionPage};
pub(crate) use validation::ValidateBody;
pub use validation::ValidationDto;
