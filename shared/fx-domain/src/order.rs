//! Orders.

use crate::{Price, UnixNanos};
use serde::{Deserialize, Serialize};

/// The side of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Bought first: gains when the price rises. Buys on the ask.
    Long,
    /// Sold first: gains when the price falls. Sells on the bid.
    Short,
}

impl Side {
    /// +1 or −1.
    #[must_use]
    pub const fn sign(self) -> i64 {
        match self {
            Self::Long => 1,
            Self::Short => -1,
        }
    }

    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Long => Self::Short,
            Self::Short => Self::Long,
        }
    }

    /// `long` or `short`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Long => "long",
            Self::Short => "short",
        }
    }
}

/// An order's number within one run, ascending in order of submission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(pub u64);

/// How an order meets the market. Buys trigger and fill on the ask, sells on the bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// At the next executable price.
    Market,
    /// At this price or better.
    Limit(Price),
    /// At the market once the price has moved against the order's side to this price: a buy above, a sell below.
    Stop(Price),
    /// A limit order that a stop price brings to life.
    StopLimit {
        /// Where it comes to life.
        stop: Price,
        /// The worst price that it takes.
        limit: Price,
    },
    /// At the market once the price has come to this price from the better side: a buy below, a sell above.
    MarketIfTouched(Price),
    /// A stop that follows the best price at this distance.
    TrailingStop {
        /// How far behind the best price.
        distance: Price,
        /// Where it stands now.
        level: Price,
    },
}

impl OrderKind {
    /// `market`, `limit`, `stop`, `stop_limit`, `market_if_touched`, `trailing_stop`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Limit(_) => "limit",
            Self::Stop(_) => "stop",
            Self::StopLimit { .. } => "stop_limit",
            Self::MarketIfTouched(_) => "market_if_touched",
            Self::TrailingStop { .. } => "trailing_stop",
        }
    }
}

/// How long an order waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeInForce {
    /// Until it is filled or cancelled.
    #[default]
    GoodTilCancelled,
    /// Through this many bars after the deciding one.
    Bars(u64),
    /// Until this instant: a bar that opens at it or later does not see the order.
    GoodTilDate(UnixNanos),
    /// Until the trading day of the decision ends, 17:00 New York.
    Day,
    /// Fills at the first price that it meets, or not at all.
    ImmediateOrCancel,
    /// Fills whole at the first price that it meets, or not at all. Fills here are always whole.
    FillOrKill,
}

/// Exits attached to a fill, one cancels the other. Levels are trigger prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectiveLevels {
    /// Leaves at a loss: below a long's entry, above a short's.
    pub stop_loss: Option<Price>,
    /// Leaves at a gain.
    pub take_profit: Option<Price>,
    /// Leaves this far behind the best price since the entry.
    pub trailing_distance: Option<Price>,
}

/// Why a trade ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitReason {
    /// The strategy closed it.
    Close,
    /// An opposite entry reversed it.
    Reverse,
    /// The stop loss was touched.
    StopLoss,
    /// The take profit was touched.
    TakeProfit,
    /// The trailing stop was touched.
    TrailingStop,
    /// The margin level fell to the account's stop-out level.
    StopOut,
}

impl ExitReason {
    /// `close`, `reverse`, `stop_loss`, `take_profit`, `trailing_stop`, `stop_out`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Reverse => "reverse",
            Self::StopLoss => "stop_loss",
            Self::TakeProfit => "take_profit",
            Self::TrailingStop => "trailing_stop",
            Self::StopOut => "stop_out",
        }
    }
}
