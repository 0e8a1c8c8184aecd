//! How a strategy's decisions become orders.

use crate::book::{Book, Dealing};
use crate::order::{Decision, OrderLevel, OrderPortion, OrderSize, OrderTicket, PendingOrder};
use crate::rates::Rate;
use crate::{
    CancelReason, EngineError, ORDERS_MAX, OrderEventKind, Recorder, RejectReason, RunConfig, UNITS_MAX,
};
use fx_domain::{
    Lots, OrderId, OrderKind, Pips, Price, ProtectiveLevels, Side, TimeInForce, Units, UnixNanos,
    next_roll_after,
};
use fx_strategy::{Action, Direction, Entry, Exits, Expiry, LabelId, Level, NodeId, Portion, Size, Ticket};

/// Which way a level is measured: up or down.
const UP: i64 = 1;
const DOWN: i64 = -1;

impl<R: Recorder> Dealing<'_, R> {
    /// Does what an action says, its arguments read by `number`.
    pub(crate) fn act(&mut self, action: &Action, number: impl Fn(NodeId) -> f64) -> Result<(), EngineError> {
        let decision = match *action {
            Action::Close => Decision::Close,
            Action::Target { units } => Decision::Target(self.whole(number(units))?),
            Action::ClosePartial(portion) => Decision::ClosePartial(match portion {
                Portion::Units(units) => OrderPortion::Units(self.whole(number(units))?),
                Portion::Lots(lots) => OrderPortion::Units(self.lots(number(lots))?),
                Portion::Percent(percent) => OrderPortion::Percent(number(percent)),
            }),
            Action::Enter { direction, size, ticket } => {
                let side = match direction {
                    Direction::Long => Side::Long,
                    Direction::Short => Side::Short,
                };
                // Nothing of an entry that would be ignored is looked at: where bars are passed over, it is not either.
                if Outlook::new(self.book, self.track).takes_no_entry(side, self.setup.config) {
                    return Ok(());
                }
                let value = number(size.node());
                let size = match size {
                    Size::Units(_) => OrderSize::Units(self.whole(value)?),
                    Size::Lots(_) => OrderSize::Units(self.lots(value)?),
                    Size::RiskPercent(_) => OrderSize::RiskPercent(value),
                    Size::EquityPercent(_) => OrderSize::EquityPercent(value),
                };
                Decision::Enter { side, size, ticket: self.ticket(&ticket, side, &number)? }
            }
            Action::Order { units, reduce_only, ticket } => {
                let signed = self.whole(number(units))?;
                let side = if signed < Units::ZERO { Side::Short } else { Side::Long };
                let ticket = self.ticket(&ticket, side, &number)?;
                Decision::Trade { side, units: signed.abs(), reduce_only, ticket }
            }
            Action::Cancel { label } => {
                self.cancel(label);
                return Ok(());
            }
            Action::Modify { label, price, exits } => {
                return self.modify(label, price, exits, &number);
            }
        };
        self.submit(decision);
        Ok(())
    }

    fn whole(&self, value: f64) -> Result<Units, EngineError> {
        let bounded = value.trunc().abs() <= UNITS_MAX as f64;
        if bounded { Ok(Units::new(value as i64)) } else { Err(self.overflow("size")) }
    }

    fn lots(&self, value: f64) -> Result<Units, EngineError> {
        let units = Lots(value).to_units(&self.terms().instrument);
        self.whole(units.ok_or_else(|| self.overflow("size"))?.get() as f64)
    }

    /// A level as a price or as a distance.
    fn level(&self, level: Level, number: impl Fn(NodeId) -> f64) -> Result<OrderLevel, EngineError> {
        let instrument = &self.terms().instrument;
        let value = number(level.node());
        let found = match level {
            Level::Price(_) => Price::from_f64(value)
                .filter(within_quarter)
                .map(|price| OrderLevel::Price(price.round_to(instrument.tick()))),
            Level::Pips(_) => {
                Pips(value).to_price(instrument).filter(within_quarter).map(OrderLevel::Distance)
            }
            Level::Distance(_) => Price::from_f64(value).filter(within_quarter).map(OrderLevel::Distance),
        };
        found.ok_or_else(|| self.overflow("level"))
    }

    fn distance(&self, level: Level, number: impl Fn(NodeId) -> f64) -> Result<Price, EngineError> {
        let (OrderLevel::Price(distance) | OrderLevel::Distance(distance)) = self.level(level, number)?;
        Ok(distance)
    }

    /// The price of a level that is measured from the deciding close, on the instrument's tick.
    fn price_from_close(
        &self,
        level: Level,
        side: Side,
        way: i64,
        number: impl Fn(NodeId) -> f64,
    ) -> Result<Price, EngineError> {
        match self.level(level, number)? {
            OrderLevel::Price(price) => Ok(price),
            OrderLevel::Distance(distance) => {
                let moved = Price::from_nanos(self.at.price(side).nanos() + way * distance.nanos());
                Ok(moved.round_to(self.terms().tick))
            }
        }
    }

    fn ticket(
        &self,
        ticket: &Ticket,
        side: Side,
        number: &impl Fn(NodeId) -> f64,
    ) -> Result<OrderTicket, EngineError> {
        let (better, worse) = if side == Side::Long { (DOWN, UP) } else { (UP, DOWN) };
        let price = |level, way| self.price_from_close(level, side, way, number);
        let kind = match ticket.entry {
            Entry::Market => OrderKind::Market,
            Entry::Limit(level) => OrderKind::Limit(price(level, better)?),
            Entry::Stop(level) => OrderKind::Stop(price(level, worse)?),
            Entry::StopLimit { stop, limit } => {
                OrderKind::StopLimit { stop: price(stop, worse)?, limit: price(limit, worse)? }
            }
            Entry::Touch(level) => OrderKind::MarketIfTouched(price(level, better)?),
            Entry::Trail(level) => OrderKind::TrailingStop {
                distance: self.distance(level, number)?,
                level: price(level, worse)?,
            },
        };
        let exit = |level: Option<Level>| level.map(|level| self.level(level, number)).transpose();
        let trailing = ticket.exits.trailing.map(|level| self.distance(level, number)).transpose()?;
        Ok(OrderTicket {
            kind,
            stop_loss: exit(ticket.exits.stop_loss)?,
            take_profit: exit(ticket.exits.take_profit)?,
            trailing,
            time_in_force: self.time_in_force(ticket.expiry, number),
            label: ticket.label.map(|label| label.0),
        })
    }

    fn time_in_force(&self, expiry: Expiry, number: impl Fn(NodeId) -> f64) -> TimeInForce {
        match expiry {
            Expiry::Never => TimeInForce::GoodTilCancelled,
            Expiry::ImmediateOrCancel => TimeInForce::ImmediateOrCancel,
            Expiry::FillOrKill => TimeInForce::FillOrKill,
            Expiry::Until(nanos) => TimeInForce::GoodTilDate(UnixNanos::new(nanos)),
            // A float beyond the range saturates: for ever, or not at all.
            Expiry::Bars(bars) => TimeInForce::Bars(number(bars).max(0.0) as u64),
            // The day of the close: a bar that ends at 17:00 decides for the day that begins, on a Friday for Monday's.
            Expiry::Day => TimeInForce::GoodTilDate(next_roll_after(self.at.now)),
        }
    }

    /// Takes back waiting orders of this track.
    fn cancel(&mut self, label: Option<LabelId>) {
        self.withdraw(CancelReason::Strategy, |order| {
            order.is_resting() && label.is_none_or(|label| labelled(order) == Some(label.0))
        });
    }

    fn withdraw(&mut self, reason: CancelReason, which: impl Fn(&PendingOrder) -> bool) {
        let mut index = 0;
        while let Some(order) = self.book.orders.get(index) {
            if order.track == self.track && which(order) {
                let order = self.book.orders.remove(index);
                self.tell(order.id, OrderEventKind::Cancelled { reason });
            } else {
                index += 1;
            }
        }
    }

    /// Gives the position other exits and waiting orders another price.
    fn modify(
        &mut self,
        label: Option<LabelId>,
        price: Option<Level>,
        exits: Exits,
        number: &impl Fn(NodeId) -> f64,
    ) -> Result<(), EngineError> {
        if let Some(level) = price {
            self.move_orders(label, level, number)?;
        }
        if exits == Exits::default() {
            return Ok(());
        }
        for index in 0..self.book.lots.len() {
            let lot = self.book.lots[index];
            if lot.track != self.track {
                continue;
            }
            let closing = lot.side.opposite();
            let (gain, loss) = if lot.side == Side::Long { (UP, DOWN) } else { (DOWN, UP) };
            let mut changed = lot;
            if let Some(level) = exits.stop_loss {
                changed.protect.stop_loss = Some(self.price_from_close(level, closing, loss, number)?);
            }
            if let Some(level) = exits.take_profit {
                changed.protect.take_profit = Some(self.price_from_close(level, closing, gain, number)?);
            }
            if let Some(level) = exits.trailing {
                let distance = self.distance(level, number)?;
                changed.protect.trailing_distance = Some(distance);
                let best = self.at.price(closing).nanos();
                changed.trail = Some(Price::from_nanos(best - lot.side.sign() * distance.nanos()));
            }
            if changed != lot {
                self.book.lots[index] = changed;
                self.tell(lot.order, OrderEventKind::Protected { protect: changed.protect });
            }
        }
        Ok(())
    }

    fn move_orders(
        &mut self,
        label: Option<LabelId>,
        level: Level,
        number: &impl Fn(NodeId) -> f64,
    ) -> Result<(), EngineError> {
        for index in 0..self.book.orders.len() {
            let order = self.book.orders[index];
            let named = label.is_none_or(|label| labelled(&order) == Some(label.0));
            let Some(ticket) = order.ticket().filter(|_| order.track == self.track && named) else {
                continue;
            };
            let side = order.side(Units::ZERO).unwrap_or(Side::Long);
            let (better, worse) = if side == Side::Long { (DOWN, UP) } else { (UP, DOWN) };
            let price = |way| self.price_from_close(level, side, way, number);
            let kind = match ticket.kind {
                OrderKind::Market => continue,
                OrderKind::Limit(_) => OrderKind::Limit(price(better)?),
                OrderKind::MarketIfTouched(_) => OrderKind::MarketIfTouched(price(better)?),
                OrderKind::Stop(_) => OrderKind::Stop(price(worse)?),
                OrderKind::StopLimit { stop, .. } => OrderKind::StopLimit { stop, limit: price(worse)? },
                OrderKind::TrailingStop { .. } => match self.level(level, number)? {
                    // A price has no distance: the order goes on trailing as it did.
                    OrderLevel::Price(_) => continue,
                    OrderLevel::Distance(distance) => {
                        OrderKind::TrailingStop { distance, level: price(worse)? }
                    }
                },
            };
            if kind != ticket.kind {
                if let Some(ticket) = self.book.orders[index].ticket_mut() {
                    ticket.kind = kind;
                }
                self.tell(order.id, OrderEventKind::Moved { kind });
            }
        }
        Ok(())
    }

    fn submit(&mut self, decision: Decision) {
        let mut order = PendingOrder {
            id: OrderId(self.book.next_order),
            track: self.track,
            decided_at: self.at.time,
            decided_bar: self.at.bar,
            bid: self.at.bid,
            ask: self.at.ask,
            conversion: self.rate().ok().and_then(Rate::conversion),
            decision,
        };
        let outlook = Outlook::new(self.book, self.track);
        if outlook.is_idle(&order, self.setup.config) {
            return;
        }
        self.book.next_order += 1;
        self.tell_submitted(&order, &outlook);
        if order.is_resting() {
            let prices = match order.kind() {
                OrderKind::Limit(level) | OrderKind::Stop(level) | OrderKind::MarketIfTouched(level) => {
                    [level, level]
                }
                OrderKind::StopLimit { stop, limit } => [stop, limit],
                OrderKind::TrailingStop { distance, level } => [distance, level],
                OrderKind::Market => [self.at.bid, self.at.ask],
            };
            if !prices.iter().all(|price| price.is_positive()) {
                return self
                    .tell(order.id, OrderEventKind::Rejected { reason: RejectReason::PriceNotPositive });
            }
            let (label, side) = (labelled(&order), order.side(Units::ZERO));
            self.withdraw(CancelReason::Replaced, |waiting| {
                waiting.is_resting() && labelled(waiting) == label && waiting.side(Units::ZERO) == side
            });
        }
        if self.book.orders.len() >= ORDERS_MAX {
            return self.tell(order.id, OrderEventKind::Rejected { reason: RejectReason::TooManyOrders });
        }
        if let Decision::Trade { units, .. } = &mut order.decision {
            *units = units.floor_to_step(&self.terms().instrument);
        }
        self.book.orders.push(order);
    }

    fn tell_submitted(&mut self, order: &PendingOrder, outlook: &Outlook) {
        let net = outlook.net.unwrap_or(0);
        let side = order.side(Units::new(net)).or(outlook.side.map(Side::opposite)).unwrap_or(Side::Long);
        let units = match order.decision {
            Decision::Enter { size: OrderSize::Units(units), .. } | Decision::Trade { units, .. } => units,
            Decision::Enter { .. } | Decision::ClosePartial(OrderPortion::Percent(_)) => Units::ZERO,
            Decision::ClosePartial(OrderPortion::Units(units)) => units,
            Decision::Target(units) => (units - Units::new(net)).abs(),
            Decision::Close => Units::new(net.abs()),
        };
        let known = |level: Option<OrderLevel>| match level {
            Some(OrderLevel::Price(price)) => Some(price),
            _ => None,
        };
        let ticket = order.ticket().copied().unwrap_or(OrderTicket::MARKET);
        let protect = ProtectiveLevels {
            stop_loss: known(ticket.stop_loss),
            take_profit: known(ticket.take_profit),
            trailing_distance: ticket.trailing,
        };
        let (kind, time_in_force) = (ticket.kind, ticket.time_in_force);
        self.tell(order.id, OrderEventKind::Submitted { kind, side, units, protect, time_in_force });
    }
}

/// Levels stay where adding them to a price cannot wrap.
pub(crate) const fn within_quarter(level: &Price) -> bool {
    level.nanos().unsigned_abs() <= i64::MAX as u64 / 4
}

const fn labelled(order: &PendingOrder) -> Option<u16> {
    match order.ticket() {
        Some(ticket) => ticket.label,
        None => None,
    }
}

/// The position as it will be once what waits for the next bar has met the market, as far as that is known.
struct Outlook {
    side: Option<Side>,
    entries: u64,
    /// None where an order is sized at its fill.
    net: Option<i64>,
    /// How many entries a part that is left takes with it shows when it is.
    certain: bool,
}

impl Outlook {
    fn new(book: &Book, track: u16) -> Self {
        let entries = book.lots_of(track).count() as u64;
        let mut outlook = Self { side: book.side(track), entries, net: Some(book.net(track)), certain: true };
        for order in book.orders.iter().filter(|order| order.track == track && !order.is_resting()) {
            outlook.apply(&order.decision);
        }
        outlook
    }

    fn apply(&mut self, decision: &Decision) {
        match *decision {
            Decision::Close => *self = Self { side: None, entries: 0, net: Some(0), certain: true },
            Decision::ClosePartial(_) => (self.net, self.certain) = (None, false),
            Decision::Target(units) => {
                let side = side_of(units.get());
                let entries = if side.is_some() { self.entries.max(1) } else { 0 };
                *self = Self { side, entries, net: Some(units.get()), certain: self.certain };
            }
            Decision::Trade { side, units, .. } => {
                let net = self.net.map(|net| net + side.sign() * units.get());
                let (side, entries) = (net.map_or(Some(side), side_of), self.entries + 1);
                *self = Self { side, entries, net, certain: self.certain };
            }
            Decision::Enter { side, size, .. } => {
                let same = self.side == Some(side);
                let kept = if same { self.net } else { Some(0) };
                self.net = match size {
                    OrderSize::Units(units) => kept.map(|kept| kept + side.sign() * units.get()),
                    _ => None,
                };
                self.entries = if same { self.entries + 1 } else { 1 };
                self.side = Some(side);
            }
        }
    }

    /// Whether the decision would change nothing: it is not even an order then.
    fn is_idle(&self, order: &PendingOrder, config: &RunConfig) -> bool {
        match order.decision {
            Decision::Close | Decision::ClosePartial(_) => self.entries == 0,
            Decision::Target(units) => self.net == Some(units.get()),
            Decision::Enter { side, .. } => self.takes_no_entry(side, config),
            Decision::Trade { .. } => false,
        }
    }

    /// Whether an entry of this side would be ignored.
    fn takes_no_entry(&self, side: Side, config: &RunConfig) -> bool {
        self.certain && self.side == Some(side) && self.entries > u64::from(config.pyramiding)
    }
}

const fn side_of(net: i64) -> Option<Side> {
    match net {
        0 => None,
        1.. => Some(Side::Long),
        _ => Some(Side::Short),
    }
}
