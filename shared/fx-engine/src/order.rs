//! Orders that wait for the market.

use crate::book::Meeting;
use fx_domain::{OrderId, Price, Side, Units, UnixNanos};
use serde::{Deserialize, Serialize};

/// An order decided at a bar's close. It meets the market with the next bar; until then it is what a live host would
/// send.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingOrder {
    /// Its number.
    pub id: OrderId,
    /// Open time of the deciding bar.
    pub decided_at: UnixNanos,
    /// Index of the deciding bar, from the first bar at or after the start date.
    pub decided_bar: u64,
    /// Bid at the deciding bar's close.
    pub bid: Price,
    /// Ask at the deciding bar's close.
    pub ask: Price,
    /// What to do.
    pub decision: Decision,
}

/// What an order does to the position that it finds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Decision {
    /// Be on this side with this size, leaving an opposite position first.
    Enter {
        /// Which way.
        side: Side,
        /// How much.
        size: OrderSize,
        /// Leaves at a loss.
        stop_loss: Option<OrderLevel>,
        /// Leaves at a gain.
        take_profit: Option<OrderLevel>,
    },
    /// Trade the difference to this signed net position.
    Target(Units),
    /// Leave the position.
    Close,
}

/// How much an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum OrderSize {
    /// Known at the decision.
    Units(Units),
    /// Percent of equity at the fill that the stop would lose.
    RiskPercent(f64),
    /// Percent of equity at the fill as notional.
    EquityPercent(f64),
}

/// Where an exit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderLevel {
    /// At this price.
    Price(Price),
    /// This far from the fill, in the exit's direction.
    Distance(Price),
}

impl PendingOrder {
    /// The quote at which it was decided.
    pub(crate) const fn meeting(&self) -> Meeting {
        Meeting { bar: self.decided_bar, time: self.decided_at, bid: self.bid, ask: self.ask }
    }

    /// The side of the trade that it makes with a net position of `net` units; `None` when there is nothing to do.
    #[must_use]
    pub const fn side(&self, net: Units) -> Option<Side> {
        let difference = match self.decision {
            Decision::Enter { side, .. } => return Some(side),
            Decision::Target(units) => units.get() as i128 - net.get() as i128,
            Decision::Close => -(net.get() as i128),
        };
        match difference {
            0 => None,
            1.. => Some(Side::Long),
            _ => Some(Side::Short),
        }
    }
}

impl OrderLevel {
    /// The level of a stop (`away` −1) or a target (+1) for a fill of `side` at `fill`, on the instrument's tick;
    /// `None` when it does not fit.
    #[must_use]
    pub(crate) fn at(self, fill: Price, side: Side, away: i64, tick: Price) -> Option<Price> {
        match self {
            Self::Price(price) => Some(price),
            Self::Distance(distance) => {
                let signed = distance.nanos().checked_mul(side.sign() * away)?;
                fill.checked_add(Price::from_nanos(signed)).map(|price| price.round_to(tick))
            }
        }
    }
}
