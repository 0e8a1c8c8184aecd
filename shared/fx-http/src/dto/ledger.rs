//! The ledger, and the margin behind it, on the wire.

use fx_app::records::{MarginCause, MarginPoint};
use fx_domain::{Conversion, LedgerRow, Money, Rollover};
use serde::Serialize;
use utoipa::ToSchema;

/// A page of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LedgerPage {
    /// The backtest.
    pub(crate) backtest_id: String,
    /// The rows.
    pub(crate) ledger: Vec<LedgerEntry>,
    /// Where to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page_token: Option<String>,
}

/// One posting. Rows sum to the balance, exactly.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LedgerEntry {
    /// Number of the row, from 0.
    sequence: u64,
    /// When it is booked.
    #[schema(format = DateTime)]
    timestamp: String,
    /// `deposit`, `profit_loss`, `commission`, `financing`, `negative_balance`.
    kind: &'static str,
    /// The order behind it; null for what belongs to the account as a whole.
    order_id: Option<u64>,
    /// Amount in the account currency.
    amount: f64,
    /// Balance after it.
    balance: f64,
    /// The account currency.
    currency: String,
    /// How the amount came from another currency; absent where it was account currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    conversion: Option<ConversionDto>,
    /// What a financing row is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    rollover: Option<RolloverDto>,
}

/// How an amount became account currency, at mid prices.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConversionDto {
    /// The currency of the amount before.
    from: String,
    /// Account currency for one of it.
    rate: f64,
    /// The prices behind the rate: `EUR/GBP`, `1/USD/JPY`, `EUR/USD x 1/USD/JPY`.
    path: String,
    /// When the older of them was seen.
    #[schema(format = DateTime)]
    time: String,
}

/// A position held over 17:00 New York.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RolloverDto {
    /// The pair.
    instrument: String,
    /// Days between the value dates.
    days: u32,
    /// Units of the position, negative when short.
    units: i64,
    /// Mid price at which it was valued.
    price: f64,
    /// 17:00 New York of the trading day.
    #[schema(format = DateTime)]
    time: String,
    /// Whether it lies inside a bar, whose exits then come after it.
    inside_bar: bool,
}

impl LedgerEntry {
    pub(crate) fn of(row: &LedgerRow) -> Self {
        Self {
            sequence: row.sequence,
            timestamp: row.time.to_string(),
            kind: row.kind.as_str(),
            order_id: row.order.map(|order| order.0),
            amount: row.amount.to_f64(),
            balance: row.balance.to_f64(),
            currency: row.amount.currency().code().to_owned(),
            conversion: row.conversion.as_ref().map(ConversionDto::of),
            rollover: row.rollover.as_ref().map(RolloverDto::of),
        }
    }
}

impl ConversionDto {
    fn of(conversion: &Conversion) -> Self {
        Self {
            from: conversion.from.code().to_owned(),
            rate: conversion.rate(),
            path: conversion.to_string(),
            time: conversion.time().to_string(),
        }
    }
}

impl RolloverDto {
    fn of(rollover: &Rollover) -> Self {
        Self {
            instrument: rollover.instrument.to_string(),
            days: rollover.days,
            units: rollover.units.get(),
            price: rollover.price.to_f64(),
            time: rollover.time.to_string(),
            inside_bar: rollover.inside_bar,
        }
    }
}

/// A page of the account's margin.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MarginPage {
    /// The backtest.
    pub(crate) backtest_id: String,
    /// The margin after each bar with a fill, each rollover, call and stop-out.
    pub(crate) margin: Vec<MarginEntry>,
    /// Where to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page_token: Option<String>,
}

/// The account's margin at one moment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MarginEntry {
    /// Open time of the bar.
    #[schema(format = DateTime)]
    time: String,
    /// `fill`, `rollover`, `margin_call`, `stop_out`.
    #[schema(pattern = "^(fill|rollover|margin_call|stop_out)$")]
    cause: &'static str,
    /// Balance and open gain, in the account currency.
    equity: f64,
    /// Used margin, in the account currency.
    used_margin: f64,
    /// Equity over used margin, percent; null without used margin.
    level_pct: Option<f64>,
    /// The account currency.
    currency: &'static str,
}

impl MarginEntry {
    pub(crate) fn of(point: &MarginPoint, currency: fx_domain::Currency) -> Self {
        let money = |micros| Money::from_micros(micros, currency).to_f64();
        Self {
            time: point.time.to_string(),
            cause: match point.cause {
                MarginCause::Fill => "fill",
                MarginCause::Rollover => "rollover",
                MarginCause::MarginCall => "margin_call",
                MarginCause::StopOut => "stop_out",
            },
            equity: money(point.equity_micros),
            used_margin: money(point.used_micros),
            level_pct: point.level_percent(),
            currency: currency.code(),
        }
    }
}
