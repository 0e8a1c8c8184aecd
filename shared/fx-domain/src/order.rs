//! Orders.

use crate::{Price, Units, UnixNanos};
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

/// How an order meets the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderKind {
    /// At the next executable price.
    Market,
}

/// Exits attached to a fill, one cancels the other. Levels are trigger prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectiveLevels {
    /// Leaves at a loss: below a long's entry, above a short's.
    pub stop_loss: Option<Price>,
    /// Leaves at a gain.
    pub take_profit: Option<Price>,
}

/// An instruction to change a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its number.
    pub id: OrderId,
    /// When the decision was made: the close of the deciding bar, stamped by that bar's open.
    pub decided_at: UnixNanos,
    /// How it meets the market.
    pub kind: OrderKind,
    /// Which way.
    pub side: Side,
    /// How much, above zero.
    pub units: Units,
    /// Exits to attach to the fill.
    pub protect: ProtectiveLevels,
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
}

impl ExitReason {
    /// `close`, `reverse`, `stop_loss`, `take_profit`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Reverse => "reverse",
            Self::StopLoss => "stop_loss",
            Self::TakeProfit => "take_profit",
        }
    }
}
