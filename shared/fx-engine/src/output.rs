//! What a run yields.

use crate::State;
use fx_domain::{Fill, LedgerRow, Money, Order, Price, ProtectiveLevels, Side, Trade, Units, UnixNanos};
use serde::{Deserialize, Serialize};

/// What one call of [`advance`](crate::advance) adds to a run. Concatenating the slices of consecutive calls gives the
/// output of one call over all bars, byte for byte.
#[derive(Clone, Debug)]
pub struct Slice {
    /// Trades closed in these bars, in order of exit.
    pub trades: Vec<Trade>,
    /// Ledger rows booked in these bars.
    pub ledger: Vec<LedgerRow>,
    /// Equity at each bar's close from the first decision bar on, in millionths of the account currency.
    pub equity: Vec<i64>,
    /// Open times of the bars of `equity`.
    pub equity_times: Vec<UnixNanos>,
    /// Values of the plan's recordings at the bars of `equity`, one column each.
    pub recordings: Vec<Vec<f64>>,
    /// What happened to orders: accepted, filled, rejected, lapsed.
    pub events: Vec<OrderEvent>,
    /// Where the run stands after these bars.
    pub state: State,
}

/// One event in an order's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEvent {
    /// When: the bar at which it happened.
    pub time: UnixNanos,
    /// The order.
    pub order: Order,
    /// What happened.
    pub kind: OrderEventKind,
}

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderEventKind {
    /// Decided at a bar's close.
    Submitted,
    /// Met the market.
    Filled(Fill),
    /// Found nothing to do when its time came: the position to close was gone, or no further entry was allowed.
    Lapsed,
    /// Refused.
    Rejected {
        /// Why.
        reason: RejectReason,
    },
}

/// Why an order was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// The size came to less than one unit.
    BelowMinimumSize,
    /// The notional would exceed equity × leverage.
    InsufficientMargin,
    /// `risk_percent` with a stop on the wrong side of the fill.
    StopOnWrongSide,
}

/// A position that is still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPosition {
    /// Number in order of entry.
    pub position_id: u64,
    /// Which way.
    pub side: Side,
    /// How much, above zero.
    pub units: Units,
    /// Entry price, after spread and slippage.
    pub entry_price: Price,
    /// When it was entered.
    pub entry_time: UnixNanos,
    /// Index of the entry bar.
    pub entry_bar: u64,
    /// Exits attached.
    pub protect: ProtectiveLevels,
    /// Gain at the last close, at the side that would close it, in the account currency.
    pub unrealized: Money,
}
