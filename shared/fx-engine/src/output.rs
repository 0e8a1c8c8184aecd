//! What a run yields, and who writes it down.

use crate::State;
use crate::evaluate::widest;
use fearless_simd::Level;
use fx_domain::{
    ExitReason, Fill, Instrument, LedgerRow, Money, OrderId, OrderKind, Price, ProtectiveLevels, Side,
    TimeInForce, Trade, Units, UnixNanos,
};
use fx_strategy::{Action, NodeId};
use serde::{Deserialize, Serialize};

/// What one call of [`advance`](crate::advance) adds to a run. Concatenating the slices of consecutive calls gives the
/// output of one call over all bars, byte for byte.
#[derive(Clone, Debug)]
pub struct Slice {
    /// Trades closed in these bars, in order of exit.
    pub trades: Vec<Trade>,
    /// Ledger rows booked in these bars.
    pub ledger: Vec<LedgerRow>,
    /// Equity at each bar's close from the first decision bar on, in millionths of the account currency. Of several
    /// tracks: at each instant at which bars close.
    pub equity: Vec<i64>,
    /// Open times of the bars of `equity`.
    pub equity_times: Vec<UnixNanos>,
    /// Values of the plan's recordings, one column each: of the first track, at its bars from the start date on.
    pub recordings: Vec<Vec<f64>>,
    /// What happened to orders.
    pub events: Vec<OrderEvent>,
    /// Margin after each bar in which something was filled or rolled over, and at every call and stop-out.
    pub margin: Vec<MarginPoint>,
    /// Where the run stands after these bars.
    pub state: State,
}

/// Writes down what a run yields. What a host does not want costs nothing: [`Journal`] keeps all, others may count.
pub trait Recorder {
    /// Whether order events and margin points are wanted: what is not, is not computed.
    const DETAILED: bool = true;

    /// A trade was closed.
    fn trade(&mut self, trade: &Trade);
    /// A row was booked.
    fn ledger(&mut self, row: &LedgerRow);
    /// Something happened to an order.
    fn event(&mut self, event: impl FnOnce() -> OrderEvent);
    /// The margin changed.
    fn margin(&mut self, point: impl FnOnce() -> MarginPoint);
    /// Equity at the closes of bars that opened at `times`, in millionths of the account currency.
    fn equity(&mut self, times: &[UnixNanos], micros: &[i64]);
    /// Values of the plan's recording `index` at bars of the first track.
    fn recording(&mut self, index: usize, values: &[f64]);
    /// A rule's guard was true and its arguments have values: what it decides, before the market looks at it. Bars that
    /// are passed over because a decision could change nothing there are not told of.
    fn decided(&mut self, _: &Decided<'_>, _value: impl Fn(NodeId) -> f64) {}
}

/// What a rule decides at a bar's close.
#[derive(Clone, Copy, Debug)]
pub struct Decided<'a> {
    /// Open time of the deciding bar.
    pub time: UnixNanos,
    /// Which of the run's tracks it is for.
    pub track: u16,
    /// The decisions, in order; their arguments are nodes.
    pub actions: &'a [Action],
}

/// Keeps everything.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// As [`Slice::trades`].
    pub trades: Vec<Trade>,
    /// As [`Slice::ledger`].
    pub ledger: Vec<LedgerRow>,
    /// As [`Slice::equity`].
    pub equity: Vec<i64>,
    /// As [`Slice::equity_times`].
    pub equity_times: Vec<UnixNanos>,
    /// As [`Slice::recordings`].
    pub recordings: Vec<Vec<f64>>,
    /// As [`Slice::events`].
    pub events: Vec<OrderEvent>,
    /// As [`Slice::margin`].
    pub margin: Vec<MarginPoint>,
}

impl Journal {
    /// For a plan with so many recordings.
    #[must_use]
    pub fn new(recordings: usize) -> Self {
        Self { recordings: vec![Vec::new(); recordings], ..Self::default() }
    }
}

impl Recorder for Journal {
    fn trade(&mut self, trade: &Trade) {
        self.trades.push(*trade);
    }

    fn ledger(&mut self, row: &LedgerRow) {
        self.ledger.push(*row);
    }

    fn event(&mut self, event: impl FnOnce() -> OrderEvent) {
        self.events.push(event());
    }

    fn margin(&mut self, point: impl FnOnce() -> MarginPoint) {
        self.margin.push(point());
    }

    fn equity(&mut self, times: &[UnixNanos], micros: &[i64]) {
        self.equity_times.extend_from_slice(times);
        self.equity.extend_from_slice(micros);
    }

    fn recording(&mut self, index: usize, values: &[f64]) {
        if let Some(column) = self.recordings.get_mut(index) {
            column.extend_from_slice(values);
        }
    }
}

/// Counts what a run yields and keeps none of it: the figures of one parameter set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Closed trades.
    pub trades: u64,
    /// Those that gained.
    pub winners: u64,
    /// Sum of their gains after costs, in millionths of the account currency.
    pub gross_profit_micros: i64,
    /// Sum of the losses, zero or above.
    pub gross_loss_micros: i64,
    /// Commission paid.
    pub commission_micros: i64,
    /// Points of the equity curve.
    pub points: u64,
    /// Equity at the last.
    pub final_equity_micros: i64,
    /// How far equity fell.
    pub drawdown: Drawdown,
}

/// The deepest fall of equity below its highest value before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drawdown {
    /// The highest value so far, in millionths of the account currency.
    pub peak_micros: i64,
    /// The deepest fall, zero or above.
    pub deepest_micros: i64,
}

impl Drawdown {
    /// Follows equity, value by value.
    pub fn follow(&mut self, micros: &[i64]) {
        /// New peaks are rare: what has none is looked at together.
        const TOGETHER: usize = 32;
        widest(
            Level::new(),
            #[inline(always)]
            || {
                for values in micros.chunks(TOGETHER) {
                    let highest = values.iter().copied().fold(i64::MIN, i64::max);
                    let lowest = values.iter().copied().fold(i64::MAX, i64::min);
                    if highest <= self.peak_micros {
                        self.fall_to(lowest);
                    } else {
                        for value in values {
                            self.peak_micros = self.peak_micros.max(*value);
                            self.fall_to(*value);
                        }
                    }
                }
            },
        );
    }

    #[inline(always)]
    fn fall_to(&mut self, value: i64) {
        self.deepest_micros = self.deepest_micros.max(self.peak_micros.saturating_sub(value));
    }
}

impl Recorder for Tally {
    const DETAILED: bool = false;

    fn trade(&mut self, trade: &Trade) {
        let gain = trade.profit_loss.micros();
        self.trades += 1;
        self.winners += u64::from(gain > 0);
        self.gross_profit_micros = self.gross_profit_micros.saturating_add(gain.max(0));
        self.gross_loss_micros = self.gross_loss_micros.saturating_add(gain.saturating_neg().max(0));
        self.commission_micros = self.commission_micros.saturating_add(trade.costs.commission_micros);
    }

    fn ledger(&mut self, _: &LedgerRow) {}

    fn event(&mut self, _: impl FnOnce() -> OrderEvent) {}

    fn margin(&mut self, _: impl FnOnce() -> MarginPoint) {}

    fn equity(&mut self, _: &[UnixNanos], micros: &[i64]) {
        let Some((first, last)) = micros.first().zip(micros.last()) else { return };
        if self.points == 0 {
            self.drawdown.peak_micros = *first;
        }
        self.drawdown.follow(micros);
        self.final_equity_micros = *last;
        self.points += micros.len() as u64;
    }

    fn recording(&mut self, _: usize, _: &[f64]) {}
}

/// One event in an order's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEvent {
    /// When: the open of the bar at which it happened; of a decision, of the deciding bar.
    pub time: UnixNanos,
    /// The order. Exits attached to a fill are told of the order that was filled.
    pub order: OrderId,
    /// Its pair.
    pub instrument: Instrument,
    /// What happened.
    pub kind: OrderEventKind,
}

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderEventKind {
    /// Decided at a bar's close.
    Submitted {
        /// How it meets the market.
        kind: OrderKind,
        /// Which way.
        side: Side,
        /// How much; zero where that is known at the fill only.
        units: Units,
        /// Exits that are prices already.
        protect: ProtectiveLevels,
        /// How long it waits.
        time_in_force: TimeInForce,
    },
    /// A stop-limit order has seen its stop price: it is a limit order now.
    Triggered {
        /// The price that it saw.
        price: Price,
    },
    /// Met the market.
    Filled {
        /// Which way.
        side: Side,
        /// How much.
        units: Units,
        /// At what price, and where that came from.
        fill: Fill,
        /// Exits attached to what it opened.
        protect: ProtectiveLevels,
    },
    /// An exit attached to its fill, or the account's stop-out, closed what it had opened; other exits are cancelled.
    Exited {
        /// Which exit.
        reason: ExitReason,
        /// How much.
        units: Units,
        /// At what price.
        fill: Fill,
    },
    /// The strategy gave what it had opened other exits.
    Protected {
        /// The exits now.
        protect: ProtectiveLevels,
    },
    /// The strategy gave it another price.
    Moved {
        /// How it meets the market now.
        kind: OrderKind,
    },
    /// Taken back.
    Cancelled {
        /// By whom.
        reason: CancelReason,
    },
    /// Its time was over.
    Expired,
    /// Found nothing to do when its time came: the position to close was gone, or no further entry was allowed.
    Lapsed,
    /// Refused.
    Rejected {
        /// Why.
        reason: RejectReason,
    },
}

impl OrderEventKind {
    /// Whether the order waits no longer from here on.
    #[must_use]
    pub const fn ends_waiting(&self) -> bool {
        match self {
            Self::Filled { .. }
            | Self::Cancelled { .. }
            | Self::Expired
            | Self::Lapsed
            | Self::Rejected { .. } => true,
            Self::Submitted { .. }
            | Self::Triggered { .. }
            | Self::Moved { .. }
            | Self::Protected { .. }
            | Self::Exited { .. } => false,
        }
    }
}

/// Who took an order back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The strategy.
    Strategy,
    /// The next order of its label and side.
    Replaced,
    /// A stop-out cancels what waits.
    StopOut,
}

/// Why an order was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// The size came to less than one unit.
    BelowMinimumSize,
    /// The position would need more margin than equity has.
    InsufficientMargin,
    /// `risk_percent` with a stop on the wrong side of the fill.
    StopOnWrongSide,
    /// A price that it waits for is not above zero.
    PriceNotPositive,
    /// More orders wait than [`ORDERS_MAX`](crate::ORDERS_MAX).
    TooManyOrders,
}

/// The account's margin at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarginPoint {
    /// When: the open of the bar.
    pub time: UnixNanos,
    /// What happened.
    pub cause: MarginCause,
    /// Balance and open gain, in millionths of the account currency.
    pub equity_micros: i64,
    /// Used margin in millionths of the account currency.
    pub used_micros: i64,
}

/// Why a margin point was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarginCause {
    /// Orders were filled in this bar.
    Fill,
    /// 17:00 New York was passed with a position.
    Rollover,
    /// The level fell to the margin call.
    MarginCall,
    /// The level fell to the stop-out.
    StopOut,
}

impl MarginPoint {
    /// Equity over used margin, in percent; none without used margin.
    #[must_use]
    pub fn level_percent(&self) -> Option<f64> {
        (self.used_micros > 0).then(|| self.equity_micros as f64 / self.used_micros as f64 * 100.0)
    }
}

/// A position that is still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPosition {
    /// Number in order of entry.
    pub position_id: u64,
    /// The pair.
    pub instrument: Instrument,
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
