//! Orders that wait for the market.

use fx_domain::{Conversion, OrderId, OrderKind, Price, Side, TimeInForce, Units, UnixNanos};
use serde::{Deserialize, Serialize};

/// An order decided at a bar's close. It meets the market with the next bar and waits as long as its ticket says; until
/// then it is what a live host would send.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingOrder {
    /// Its number.
    pub id: OrderId,
    /// Which of the run's tracks it is for.
    pub track: u16,
    /// Open time of the deciding bar.
    pub decided_at: UnixNanos,
    /// Index of the deciding bar, from the first bar at or after the start date.
    pub decided_bar: u64,
    /// Bid at the deciding bar's close.
    pub bid: Price,
    /// Ask at the deciding bar's close.
    pub ask: Price,
    /// How the quote currency became account currency then; none where they are the same, or no fresh price was there.
    pub conversion: Option<Conversion>,
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
        /// How, with what exits, for how long.
        ticket: OrderTicket,
    },
    /// Trade these units, whatever the position.
    Trade {
        /// Which way.
        side: Side,
        /// How much, above zero.
        units: Units,
        /// No more than closes the position.
        reduce_only: bool,
        /// How, with what exits, for how long.
        ticket: OrderTicket,
    },
    /// Trade the difference to this signed net position.
    Target(Units),
    /// Leave the position.
    Close,
    /// Leave a part of the position, the oldest entries first.
    ClosePartial(OrderPortion),
}

/// How an order meets the market, what is attached to its fill, how long it waits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderTicket {
    /// How it meets the market.
    pub kind: OrderKind,
    /// Leaves at a loss.
    pub stop_loss: Option<OrderLevel>,
    /// Leaves at a gain.
    pub take_profit: Option<OrderLevel>,
    /// Leaves this far behind the best price since the fill.
    pub trailing: Option<Price>,
    /// How long it waits.
    pub time_in_force: TimeInForce,
    /// The number of its label in the plan.
    pub label: Option<u16>,
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

/// How much of a position is left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum OrderPortion {
    /// So many units.
    Units(Units),
    /// Percent of what is open, rounded down to the unit step.
    Percent(f64),
}

/// Where an exit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderLevel {
    /// At this price.
    Price(Price),
    /// This far from the fill, in the exit's direction.
    Distance(Price),
}

impl OrderTicket {
    /// At the market, with nothing attached.
    pub const MARKET: Self = Self {
        kind: OrderKind::Market,
        stop_loss: None,
        take_profit: None,
        trailing: None,
        time_in_force: TimeInForce::GoodTilCancelled,
        label: None,
    };
}

impl PendingOrder {
    /// How it meets the market.
    #[must_use]
    pub const fn kind(&self) -> OrderKind {
        match self.decision {
            Decision::Enter { ticket, .. } | Decision::Trade { ticket, .. } => ticket.kind,
            Decision::Target(_) | Decision::Close | Decision::ClosePartial(_) => OrderKind::Market,
        }
    }

    /// Whether it waits for a price; otherwise it meets the market with the next bar.
    #[must_use]
    pub const fn is_resting(&self) -> bool {
        !matches!(self.kind(), OrderKind::Market)
    }

    pub(crate) const fn ticket(&self) -> Option<&OrderTicket> {
        match &self.decision {
            Decision::Enter { ticket, .. } | Decision::Trade { ticket, .. } => Some(ticket),
            Decision::Target(_) | Decision::Close | Decision::ClosePartial(_) => None,
        }
    }

    pub(crate) const fn ticket_mut(&mut self) -> Option<&mut OrderTicket> {
        match &mut self.decision {
            Decision::Enter { ticket, .. } | Decision::Trade { ticket, .. } => Some(ticket),
            Decision::Target(_) | Decision::Close | Decision::ClosePartial(_) => None,
        }
    }

    /// The side of the trade that it makes with a net position of `net` units; `None` when there is nothing to do.
    #[must_use]
    pub const fn side(&self, net: Units) -> Option<Side> {
        let difference = match self.decision {
            Decision::Enter { side, .. } | Decision::Trade { side, .. } => return Some(side),
            Decision::Target(units) => units.get() as i128 - net.get() as i128,
            Decision::Close | Decision::ClosePartial(_) => -(net.get() as i128),
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
